/* authbench CALLERS EACH DOMAIN USER CHALLENGE NTRESPONSE [cold]: so many processes, each with a
 * connection of its own to winbind's socket, each passing the same MS-CHAPv2 response so often.
 * Each caller first makes one logon that is not counted, unless it is to be cold.
 * Prints one line of JSON; times in milliseconds. */
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <wbclient.h> /* wants <stdint.h> before it */

#include "bench.h"

enum { LARGEST_RESPONSE = 1024, WARMING = 20 };

struct shared {
    size_t failed;
    double latencies[];
};

/* A caller writes an octet when it is ready, and starts when the other pipe's writer closes it. */
static int ready[2], go[2];

static size_t from_hex(const char *text, uint8_t *octets, size_t most)
{
    size_t size = 0;
    unsigned value;
    while (size < most && sscanf(text + 2 * size, "%2x", &value) == 1)
        octets[size++] = (uint8_t)value;
    return size;
}

static bool log_on(struct wbcContext *context, struct wbcAuthUserParams *logon)
{
    struct wbcAuthUserInfo *info = NULL;
    struct wbcAuthErrorInfo *error = NULL;
    wbcErr result = wbcCtxAuthenticateUserEx(context, logon, &info, &error);
    wbcFreeMemory(info);
    wbcFreeMemory(error);
    return result == WBC_ERR_SUCCESS;
}

static void caller(struct shared *shared, size_t index, size_t each, bool cold,
                   struct wbcAuthUserParams *logon)
{
    struct wbcContext *context = wbcCtxCreate();
    struct wbcInterfaceDetails *details = NULL;
    size_t failed = 0;
    if (!cold) /* a burst of new clients waits for seconds at winbindd's short backlog */
        for (int try = 0; try < WARMING && !log_on(context, logon); try++)
            ;
    else /* connects, and asks no controller anything */
        wbcCtxInterfaceDetails(context, &details);
    char octet = 0;
    close(go[1]);
    if (write(ready[1], &octet, 1) != 1 || read(go[0], &octet, 1) != 0)
        _exit(2);
    for (size_t number = 0; number < each; number++) {
        double begin = seconds_now();
        failed += !log_on(context, logon);
        shared->latencies[index * each + number] = seconds_now() - begin;
    }
    __atomic_add_fetch(&shared->failed, failed, __ATOMIC_SEQ_CST);
    _exit(0);
}

int main(int count, char **words)
{
    uint8_t response[LARGEST_RESPONSE];
    if (count < 7) {
        fprintf(stderr, "usage: authbench CALLERS EACH DOMAIN USER CHALLENGE NTRESPONSE [cold]\n");
        return 2;
    }
    size_t callers = strtoul(words[1], NULL, 10), each = strtoul(words[2], NULL, 10);
    size_t total = callers * each, size = sizeof(struct shared) + total * sizeof(double);
    struct shared *shared =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct wbcAuthUserParams logon = {
        .account_name = words[4],
        .domain_name = words[3],
        .workstation_name = "MEMBER",
        .level = WBC_AUTH_USER_LEVEL_RESPONSE,
        .parameter_control = WBC_MSV1_0_ALLOW_WORKSTATION_TRUST_ACCOUNT
                             | WBC_MSV1_0_ALLOW_SERVER_TRUST_ACCOUNT | WBC_MSV1_0_ALLOW_MSVCHAPV2,
    };
    if (shared == MAP_FAILED || from_hex(words[5], logon.password.response.challenge, 8) != 8)
        return 2;
    logon.password.response.nt_length =
        (uint32_t)from_hex(words[6], response, sizeof response);
    logon.password.response.nt_data = response;
    if (pipe(ready) != 0 || pipe(go) != 0)
        return 2;
    for (size_t index = 0; index < callers; index++)
        if (fork() == 0)
            caller(shared, index, each, count > 7, &logon);
    char octet;
    for (size_t waiting = callers; waiting > 0; waiting--)
        if (read(ready[0], &octet, 1) != 1)
            return 2;
    double begin = seconds_now();
    close(go[1]);
    while (wait(NULL) > 0)
        ;
    report(shared->latencies, total, shared->failed, seconds_now() - begin);
    return shared->failed != 0;
}
