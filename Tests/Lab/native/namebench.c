/* namebench ADDRESS SECONDS COUNT RCODE <packets: sends requests of the name service to UDP 137 and
 * takes the answers. Standard input has one packet in hex a line, one for each request outstanding.
 * A request is sent again under a new transaction number when its answer came, until COUNT were
 * answered; one without an answer for a second counts as failed. An answer with another result
 * than RCODE counts as failed too. Prints one line of JSON; times in milliseconds. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

enum { MOST = 64, LARGEST = 576, NAME_PORT = 137, RCODE_MASK = 15 };
static const double PATIENCE = 1.0;

struct slot {
    uint8_t octets[LARGEST];
    size_t size;
    double sent;
};

static struct slot slots[MOST];
static size_t outstanding;
static uint16_t round_number;

static void read_slots(void)
{
    char hex[2 * LARGEST + 1];
    while (outstanding < MOST && scanf("%1152s", hex) == 1) {
        struct slot *slot = &slots[outstanding++];
        unsigned value;
        for (slot->size = 0; sscanf(hex + 2 * slot->size, "%2x", &value) == 1; slot->size++)
            slot->octets[slot->size] = (uint8_t)value;
    }
}

/* The low bits of a transaction number say which slot it is. */
static void send_slot(int udp, struct slot *slot)
{
    uint16_t number = (uint16_t)(++round_number * MOST + (uint16_t)(slot - slots));
    slot->octets[0] = (uint8_t)(number >> 8);
    slot->octets[1] = (uint8_t)number;
    slot->sent = seconds_now();
    if (send(udp, slot->octets, slot->size, 0) < 0)
        perror("send");
}

static size_t expire(int udp)
{
    size_t lost = 0;
    for (size_t index = 0; index < outstanding; index++)
        if (seconds_now() - slots[index].sent > PATIENCE) {
            lost++;
            send_slot(udp, &slots[index]);
        }
    return lost;
}

int main(int count, char **words)
{
    if (count != 5) {
        fprintf(stderr, "usage: namebench ADDRESS SECONDS COUNT RCODE <packets\n");
        return 2;
    }
    struct sockaddr_in there = { .sin_family = AF_INET, .sin_port = htons(NAME_PORT) };
    double limit = atof(words[2]);
    int result = atoi(words[4]);
    size_t wanted = strtoul(words[3], NULL, 10), done = 0, lost = 0;
    double *latencies = calloc(wanted + MOST, sizeof *latencies);
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    if (!latencies || inet_aton(words[1], &there.sin_addr) == 0
        || connect(udp, (struct sockaddr *)&there, sizeof there) != 0) {
        perror("namebench");
        return 2;
    }
    read_slots();
    double begin = seconds_now();
    for (size_t index = 0; index < outstanding; index++)
        send_slot(udp, &slots[index]);
    while (done < wanted && seconds_now() - begin < limit) {
        struct pollfd waiting = { .fd = udp, .events = POLLIN };
        uint8_t answer[2048];
        if (poll(&waiting, 1, 100) == 0) {
            lost += expire(udp);
            continue;
        }
        ssize_t size = recv(udp, answer, sizeof answer, 0);
        if (size < 12 || answer[1] % MOST >= outstanding)
            continue;
        struct slot *slot = &slots[answer[1] % MOST];
        if (memcmp(answer, slot->octets, 2) != 0)
            continue;
        lost += (answer[3] & RCODE_MASK) != result;
        latencies[done++] = seconds_now() - slot->sent;
        send_slot(udp, slot);
    }
    report(latencies, done, lost, seconds_now() - begin);
    return done < wanted;
}
