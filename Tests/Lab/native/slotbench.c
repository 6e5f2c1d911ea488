/* slotbench ADDRESS SECONDS COUNT <packets: sends mailslot requests to UDP 138, takes the answers.
 * Standard input has one line for each request outstanding: the datagram in hex, a blank, and the
 * mailslot (or another text) by which its answer is known. A request is sent again when its answer
 * came, until COUNT were answered; one without an answer for a second counts as failed.
 * Prints one line of JSON; times in milliseconds. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

enum { MOST = 64, LARGEST = 1024, DATAGRAM_PORT = 138 };
static const double PATIENCE = 1.0;

struct slot {
    uint8_t octets[LARGEST];
    size_t size;
    char token[64];
    double sent; /* 0 while nothing is outstanding */
};

static struct slot slots[MOST];
static size_t outstanding;
static uint16_t identifier;

static void read_slots(void)
{
    char hex[2 * LARGEST + 1];
    /* Elsewhere than the run before ended, whose last identifiers are remembered. */
    identifier = (uint16_t)(getpid() * 4099);
    while (outstanding < MOST
           && scanf("%2048s %63s", hex, slots[outstanding].token) == 2) {
        struct slot *slot = &slots[outstanding++];
        unsigned value;
        for (slot->size = 0; sscanf(hex + 2 * slot->size, "%2x", &value) == 1; slot->size++)
            slot->octets[slot->size] = (uint8_t)value;
    }
}

/* Each datagram has an identifier of its own, or it would be taken for a duplicate. */
static void send_slot(int udp, struct slot *slot)
{
    identifier++;
    slot->octets[2] = (uint8_t)(identifier >> 8);
    slot->octets[3] = (uint8_t)identifier;
    slot->sent = seconds_now();
    if (send(udp, slot->octets, slot->size, 0) < 0)
        perror("send");
}

static struct slot *answered(const uint8_t *octets, size_t size)
{
    for (size_t index = 0; index < outstanding; index++)
        if (slots[index].sent != 0
            && memmem(octets, size, slots[index].token, strlen(slots[index].token)))
            return &slots[index];
    return NULL;
}

/* Sends again what got no answer in time; how many those were. */
static size_t expire(int udp)
{
    size_t lost = 0;
    for (size_t index = 0; index < outstanding; index++)
        if (slots[index].sent != 0 && seconds_now() - slots[index].sent > PATIENCE) {
            lost++;
            send_slot(udp, &slots[index]);
        }
    return lost;
}

int main(int count, char **words)
{
    if (count != 4) {
        fprintf(stderr, "usage: slotbench ADDRESS SECONDS COUNT <packets\n");
        return 2;
    }
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(DATAGRAM_PORT) };
    struct sockaddr_in there = here;
    double limit = atof(words[2]);
    size_t wanted = strtoul(words[3], NULL, 10), done = 0, lost = 0;
    double *latencies = calloc(wanted + MOST, sizeof *latencies);
    int udp = socket(AF_INET, SOCK_DGRAM, 0), yes = 1;
    setsockopt(udp, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (!latencies || inet_aton(words[1], &there.sin_addr) == 0
        || bind(udp, (struct sockaddr *)&here, sizeof here) != 0
        || connect(udp, (struct sockaddr *)&there, sizeof there) != 0) {
        perror("slotbench");
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
        struct slot *slot = size > 0 ? answered(answer, (size_t)size) : NULL;
        if (slot) {
            latencies[done++] = seconds_now() - slot->sent;
            send_slot(udp, slot);
        }
    }
    report(latencies, done, lost, seconds_now() - begin);
    return done < wanted;
}
