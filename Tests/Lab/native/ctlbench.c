/* ctlbench FOLDER CALLERS EACH DOMAIN USER CHALLENGE NTRESPONSE [cold | FILE]: the agent's
 * counterpart of authbench. So many threads, each with a connection of its own to the control socket in that
 * folder, each passing the same MS-CHAPv2 response so often. Each first makes one logon that is not
 * counted, unless it is to be cold: then it connects as its clock runs. The file takes each call's
 * begin and end, a line a call, by the clock that captures have.
 * Frames are laid out in Sources/Consumers. Prints one line of JSON; times in milliseconds. */
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench.h"

enum {
    LARGEST = 4096,
    STACK = 64 * 1024,
    LOGON_REQUEST = 0x02,
    LOGON_REPLY = 0x82,
    OUTCOME = 5, /* its offset in a reply, after kind and request ID */
    WANTS_NT_KEY = 0x1,
    HAS_DOMAIN = 0x20000,
    MSCHAPV2_AND_COMPUTERS = 0x10820, /* MS-NRPC ParameterControl */
};

static struct sockaddr_un address = { .sun_family = AF_UNIX };
static uint8_t request[LARGEST];
static size_t size = 4; /* the length comes first, and is known last */
static size_t each, failed;
static double *latencies;
static FILE *stamps;
static bool cold;
static pthread_barrier_t start;

static double seconds_of_day(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void number(uint64_t value, size_t octets)
{
    for (; octets > 0; octets--, value >>= 8)
        request[size++] = (uint8_t)value;
}

static void text(const char *value)
{
    number(strlen(value), 2);
    memcpy(request + size, value, strlen(value));
    size += strlen(value);
}

static size_t hex(const char *value)
{
    size_t count = strlen(value) / 2;
    for (size_t index = 0; index < count; index++) {
        unsigned octet = 0;
        sscanf(value + 2 * index, "%2x", &octet);
        request[size++] = (uint8_t)octet;
    }
    return count;
}

static void build(char **words)
{
    number(LOGON_REQUEST, 1);
    number(1, 4);
    number(WANTS_NT_KEY | HAS_DOMAIN, 4);
    number(MSCHAPV2_AND_COMPUTERS, 4);
    number(0, 4); /* the domain's own deadline */
    text(words[0]);
    text(words[1]);
    text(""); /* no group is required */
    hex(words[2]);
    number(strlen(words[3]) / 2, 2);
    hex(words[3]);
    number(0, 2); /* no LM response */
    size_t whole = size;
    size = 0;
    number(whole - 4, 4);
    size = whole;
}

static int connected(void)
{
    int stream = socket(AF_UNIX, SOCK_STREAM, 0);
    if (stream < 0 || connect(stream, (struct sockaddr *)&address, sizeof address) != 0)
        return -1;
    return stream;
}

static bool receive(int stream, uint8_t *octets, size_t count)
{
    while (count > 0) {
        ssize_t got = recv(stream, octets, count, 0);
        if (got <= 0)
            return false;
        octets += got;
        count -= (size_t)got;
    }
    return true;
}

static bool log_on(int stream)
{
    uint8_t reply[LARGEST], length[4];
    if (stream < 0 || send(stream, request, size, MSG_NOSIGNAL) != (ssize_t)size
        || !receive(stream, length, 4))
        return false;
    size_t count = (size_t)length[0] | (size_t)length[1] << 8 | (size_t)length[2] << 16
                   | (size_t)length[3] << 24;
    return count > OUTCOME && count <= sizeof reply && receive(stream, reply, count)
           && reply[0] == LOGON_REPLY && reply[OUTCOME] == 0;
}

static void *caller(void *first)
{
    double *slot = first;
    size_t wrong = 0;
    int stream = cold ? -1 : connected();
    if (!cold)
        log_on(stream);
    pthread_barrier_wait(&start);
    for (size_t index = 0; index < each; index++) {
        double begin = seconds_now(), by_day = seconds_of_day();
        if (cold && index == 0)
            stream = connected();
        wrong += !log_on(stream);
        slot[index] = seconds_now() - begin;
        if (stamps)
            fprintf(stamps, "%.7f %.7f\n", by_day, seconds_of_day());
    }
    __atomic_add_fetch(&failed, wrong, __ATOMIC_SEQ_CST);
    close(stream);
    return NULL;
}

int main(int count, char **words)
{
    if (count < 8 || strlen(words[7]) / 2 + 1024 > LARGEST) {
        fprintf(stderr, "usage: ctlbench FOLDER CALLERS EACH DOMAIN USER CHALLENGE NTRESPONSE "
                        "[cold | FILE]\n");
        return 2;
    }
    size_t callers = strtoul(words[2], NULL, 10);
    each = strtoul(words[3], NULL, 10);
    cold = count > 8 && strcmp(words[8], "cold") == 0;
    if (count > 8 && !cold && !(stamps = fopen(words[8], "w")))
        return 2;
    snprintf(address.sun_path, sizeof address.sun_path, "%s/control", words[1]);
    build(words + 4);
    latencies = calloc(callers * each, sizeof *latencies);
    pthread_t *threads = calloc(callers, sizeof *threads);
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK);
    pthread_barrier_init(&start, NULL, (unsigned)callers + 1);
    if (!latencies || !threads)
        return 2;
    for (size_t index = 0; index < callers; index++)
        if (pthread_create(&threads[index], &small, caller, latencies + index * each) != 0)
            return 2;
    pthread_barrier_wait(&start);
    double begin = seconds_now();
    for (size_t index = 0; index < callers; index++)
        pthread_join(threads[index], NULL);
    report(latencies, callers * each, failed, seconds_now() - begin);
    if (stamps && fclose(stamps) != 0)
        return 2;
    return failed != 0;
}
