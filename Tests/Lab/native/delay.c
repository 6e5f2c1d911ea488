/* delay INTERFACE INTERFACE MILLISECONDS: a cable of that length. Every frame that arrives on one
 * interface leaves on the other so much later, in order. Kernels without sch_netem need it.
 * Prints "ready" once it listens. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { IN_FLIGHT = 8192, LARGEST = 1600 };

struct frame {
    uint64_t due;
    int out;
    ssize_t size;
    unsigned char octets[LARGEST];
};

/* A ring: one delay for all, so frames fall due in the order of their arrival. */
static struct frame ring[IN_FLIGHT];
static unsigned first, next;

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int open_interface(const char *name)
{
    int yes = 1;
    int packet = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL));
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = (int)if_nametoindex(name),
    };
    struct packet_mreq all = { .mr_ifindex = address.sll_ifindex, .mr_type = PACKET_MR_PROMISC };
    if (packet < 0 || address.sll_ifindex == 0)
        fail(name);
    if (bind(packet, (struct sockaddr *)&address, sizeof address) != 0
        || setsockopt(packet, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) != 0
        || setsockopt(packet, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes) != 0)
        fail(name);
    return packet;
}

static void take(int from, int to, uint64_t delay)
{
    for (;;) {
        struct frame *frame = &ring[next % IN_FLIGHT];
        ssize_t size = recv(from, frame->octets, sizeof frame->octets, MSG_TRUNC);
        if (size < 0)
            return;
        if (size > LARGEST || next - first == IN_FLIGHT - 1)
            continue; /* lost, as on a full cable */
        frame->due = now() + delay;
        frame->out = to;
        frame->size = size;
        next++;
    }
}

static void deliver(int timer)
{
    struct itimerspec alarm = { 0 };
    while (first != next && ring[first % IN_FLIGHT].due <= now()) {
        struct frame *frame = &ring[first++ % IN_FLIGHT];
        if (send(frame->out, frame->octets, (size_t)frame->size, 0) < 0 && errno != ENOBUFS)
            perror("send");
    }
    if (first != next) {
        uint64_t due = ring[first % IN_FLIGHT].due;
        alarm.it_value.tv_sec = (time_t)(due / 1000000000u);
        alarm.it_value.tv_nsec = (long)(due % 1000000000u);
    }
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &alarm, NULL);
}

int main(int count, char **words)
{
    if (count != 4) {
        fprintf(stderr, "usage: delay INTERFACE INTERFACE MILLISECONDS\n");
        return 2;
    }
    int ends[2] = { open_interface(words[1]), open_interface(words[2]) };
    uint64_t delay = (uint64_t)(atof(words[3]) * 1e6);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct pollfd waiting[3] = {
        { .fd = ends[0], .events = POLLIN },
        { .fd = ends[1], .events = POLLIN },
        { .fd = timer, .events = POLLIN },
    };
    puts("ready");
    fflush(stdout);
    for (;;) {
        uint64_t expirations;
        if (poll(waiting, 3, -1) < 0 && errno != EINTR)
            fail("poll");
        if (waiting[2].revents && read(timer, &expirations, sizeof expirations) < 0
            && errno != EAGAIN)
            fail("timer");
        take(ends[0], ends[1], delay);
        take(ends[1], ends[0], delay);
        deliver(timer);
    }
}
