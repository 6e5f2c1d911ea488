/* udpecho PORT: gives every datagram back as it came, several with each system call. What it costs
 * is what any answer costs: the kernel's and the cable's part, without a thought. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { BATCH = 16, LARGEST = 576 };

int main(int count, char **words)
{
    static unsigned char octets[BATCH][LARGEST];
    static struct sockaddr_in peers[BATCH];
    static struct iovec parts[BATCH];
    static struct mmsghdr messages[BATCH];
    struct sockaddr_in here = { .sin_family = AF_INET };
    if (count != 2) {
        fprintf(stderr, "usage: udpecho PORT\n");
        return 2;
    }
    here.sin_port = htons((unsigned short)atoi(words[1]));
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    if (bind(udp, (struct sockaddr *)&here, sizeof here) != 0) {
        perror("udpecho");
        return 1;
    }
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct pollfd waiting = { .fd = udp, .events = POLLIN };
        poll(&waiting, 1, -1);
        for (int index = 0; index < BATCH; index++) {
            parts[index] = (struct iovec){ octets[index], LARGEST };
            messages[index].msg_hdr = (struct msghdr){ .msg_name = &peers[index],
                .msg_namelen = sizeof peers[index], .msg_iov = &parts[index], .msg_iovlen = 1 };
        }
        int got = recvmmsg(udp, messages, BATCH, MSG_DONTWAIT, NULL);
        for (int index = 0; index < got; index++)
            parts[index].iov_len = messages[index].msg_len;
        if (got > 0)
            sendmmsg(udp, messages, (unsigned)got, 0);
    }
}
