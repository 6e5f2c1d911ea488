/* passon PORT MICROSECONDS: takes requests of a fixed size on TCP, works on each for so long, and
 * answers with a fixed size.
 * passon FOLDER ADDRESS PORT: serves ctlbench on the control socket in FOLDER by passing something
 * as long as a sealed logon on to the former, over four connections, and answering "accepted".
 * What that costs is what any agent costs: the kernel's and the cable's part, without a thought. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench.h"

enum { REQUEST = 300, RESPONSE = 640, LINKS = 4, WAITING = 1024, LARGEST = 65536, EVENTS = 64 };

static unsigned char octets[LARGEST];
static const unsigned char accepted[] = { 6, 0, 0, 0, 0x82, 1, 0, 0, 0, 0 };

static void watch(int queue, int stream, unsigned mark)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = mark };
    epoll_ctl(queue, EPOLL_CTL_ADD, stream, &event);
}

static struct sockaddr_in internet(const char *address, const char *port)
{
    struct sockaddr_in made = { .sin_family = AF_INET };
    made.sin_port = htons((unsigned short)atoi(port));
    if (address)
        inet_aton(address, &made.sin_addr);
    return made;
}

static int serve(const char *port, double seconds)
{
    struct sockaddr_in here = internet(NULL, port);
    int door = socket(AF_INET, SOCK_STREAM, 0), queue = epoll_create1(0), on = 1;
    setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(door, (struct sockaddr *)&here, sizeof here) != 0 || listen(door, 16) != 0)
        return 1;
    watch(queue, door, (unsigned)door);
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct epoll_event event;
        if (epoll_wait(queue, &event, 1, -1) != 1)
            continue;
        int stream = (int)event.data.u32;
        if (stream == door) {
            stream = accept(door, NULL, NULL);
            setsockopt(stream, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            watch(queue, stream, (unsigned)stream);
        } else if (recv(stream, octets, REQUEST, MSG_WAITALL) != REQUEST) {
            close(stream);
        } else {
            double until = seconds_now() + seconds;
            while (seconds_now() < until) { }
            send(stream, octets, RESPONSE, MSG_NOSIGNAL);
        }
    }
}

static int pass_on(const char *folder, const char *address, const char *port)
{
    static int callers[LINKS][WAITING];
    unsigned asked[LINKS] = { 0 }, answered[LINKS] = { 0 };
    int links[LINKS], queue = epoll_create1(0), on = 1;
    struct sockaddr_un here = { .sun_family = AF_UNIX };
    struct sockaddr_in there = internet(address, port);
    snprintf(here.sun_path, sizeof here.sun_path, "%s/control", folder);
    int door = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(door, (struct sockaddr *)&here, sizeof here) != 0 || listen(door, 64) != 0)
        return 1;
    watch(queue, door, LINKS);
    for (unsigned index = 0; index < LINKS; index++) {
        links[index] = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(links[index], (struct sockaddr *)&there, sizeof there) != 0)
            return 1;
        setsockopt(links[index], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(queue, links[index], index);
    }
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct epoll_event events[EVENTS];
        int found = epoll_wait(queue, events, EVENTS, -1);
        for (int index = 0; index < found; index++) {
            unsigned mark = events[index].data.u32, least = 0;
            if (mark == LINKS) {
                int caller = accept(door, NULL, NULL);
                watch(queue, caller, LINKS + 1 + (unsigned)caller);
            } else if (mark < LINKS) {
                ssize_t got = recv(links[mark], octets, sizeof octets, 0);
                for (; got >= RESPONSE; got -= RESPONSE)
                    send(callers[mark][answered[mark]++ % WAITING], accepted, sizeof accepted,
                         MSG_NOSIGNAL);
            } else if (recv((int)(mark - LINKS - 1), octets, sizeof octets, 0) <= 0) {
                close((int)(mark - LINKS - 1));
            } else {
                for (unsigned link = 1; link < LINKS; link++)
                    if (asked[link] - answered[link] < asked[least] - answered[least])
                        least = link;
                callers[least][asked[least]++ % WAITING] = (int)(mark - LINKS - 1);
                send(links[least], octets, REQUEST, MSG_NOSIGNAL);
            }
        }
    }
}

int main(int count, char **words)
{
    if (count == 3)
        return serve(words[1], atof(words[2]) / 1e6);
    if (count == 4)
        return pass_on(words[1], words[2], words[3]);
    fprintf(stderr, "usage: passon PORT MICROSECONDS | passon FOLDER ADDRESS PORT\n");
    return 2;
}
