/* setupbench ADDRESS SECONDS COUNT OUTSTANDING connect|logoff|hold ntlmv1|ntlmv2 DOMAIN USER HASH:
 * SMB1 session setups on port 445. One thread keeps so many under way: `connect` makes a connection
 * for each (connect, negotiate, session setup, gone), `logoff` repeats session setup and logoff on
 * the same ones, `hold` makes one for each and keeps them all until standard input ends. A setup
 * counts once it is granted as a user's, not a guest's; another answer, or a connection lost, is a
 * failure. Latencies are of the whole: with `logoff` from the request for the session, else from
 * the connect. Prints one line of JSON; times in milliseconds. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <nettle/des.h>
#include <nettle/hmac.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

enum mode { CONNECT, LOGOFF_AGAIN, HOLD };

enum {
    MOST = 16384,
    LARGEST = 1024,
    HEADER = 32,
    NEGOTIATE = 0x72,
    SESSION_SETUP = 0x73,
    LOGOFF = 0x74,
    STATUS_AT = 5,
    UID_AT = 28,
    WORDS_AT = 33,
    CHALLENGE_AT = 69, /* after seventeen words and the count of bytes */
    ACTION_AT = WORDS_AT + 4,
    GUEST = 1,
    HASH = 16,
    V2_BLOB = 32,
};

struct line {
    int stream;
    uint8_t input[LARGEST];
    size_t got;
    uint8_t challenge[8];
    uint16_t uid;
    double begin;
};

static struct line lines[MOST];
static struct sockaddr_in there = { .sin_family = AF_INET };
static enum mode mode;
static bool isV2;
static const char *domain, *user;
static uint8_t hash[HASH], v2_key[HASH];
static double *latencies;
static size_t wanted, done, failed, opened;
static int queue;

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

/* One message: `count` octets of parameter words, then the octets of data. */
static bool send_message(struct line *line, uint8_t command, const uint8_t *words, size_t count,
                         const uint8_t *data, size_t size)
{
    uint8_t message[LARGEST] = { 0 };
    size_t length = HEADER + 1 + count + 2 + size;
    uint8_t *smb = message + 4;
    message[2] = (uint8_t)(length >> 8);
    message[3] = (uint8_t)length;
    memcpy(smb, "\xffSMB", 4);
    smb[4] = command;
    smb[9] = 0x08;
    put16(smb + 10, 0x4001); /* NT status codes, long names */
    put16(smb + UID_AT, line->uid);
    put16(smb + 30, 1);
    smb[HEADER] = (uint8_t)(count / 2);
    if (count > 0)
        memcpy(smb + WORDS_AT, words, count);
    put16(smb + WORDS_AT + count, (unsigned)size);
    if (size > 0)
        memcpy(smb + WORDS_AT + count + 2, data, size);
    return send(line->stream, message, length + 4, MSG_NOSIGNAL) == (ssize_t)length + 4;
}

/* DES with seven octets of key, each of whose bits counts (MS-NLMP 6, DES). */
static void des7(const uint8_t *key, const uint8_t *clear, uint8_t *cipher)
{
    uint8_t wide[8];
    uint64_t bits = 0;
    for (size_t index = 0; index < 7; index++)
        bits = bits << 8 | key[index];
    for (size_t index = 0; index < 8; index++)
        wide[index] = (uint8_t)(bits >> (49 - 7 * index) << 1);
    struct des_ctx context;
    des_set_key(&context, wide);
    des_encrypt(&context, 8, cipher, clear);
}

static size_t respond(const uint8_t *challenge, uint8_t *response)
{
    if (!isV2) {
        uint8_t key[21] = { 0 };
        memcpy(key, hash, HASH);
        for (size_t part = 0; part < 3; part++)
            des7(key + 7 * part, challenge, response + 8 * part);
        return 24;
    }
    uint8_t *blob = response + HASH;
    memset(blob, 0, V2_BLOB);
    blob[0] = blob[1] = 1;
    uint64_t now = ((uint64_t)time(NULL) + 11644473600) * 10000000;
    memcpy(blob + 8, &now, 8);
    struct hmac_md5_ctx context;
    hmac_md5_set_key(&context, HASH, v2_key);
    hmac_md5_update(&context, 8, challenge);
    hmac_md5_update(&context, V2_BLOB, blob);
    hmac_md5_digest(&context, HASH, response);
    return HASH + V2_BLOB;
}

/* NTOWFv2: HMAC-MD5 over the name in capitals and the domain, in UTF-16. */
static void make_v2_key(void)
{
    struct hmac_md5_ctx context;
    hmac_md5_set_key(&context, HASH, hash);
    for (const char *at = user; *at; at++)
        hmac_md5_update(&context, 2, (uint8_t[]){ (uint8_t)toupper(*at), 0 });
    for (const char *at = domain; *at; at++)
        hmac_md5_update(&context, 2, (uint8_t[]){ (uint8_t)*at, 0 });
    hmac_md5_digest(&context, HASH, v2_key);
}

static bool set_up(struct line *line)
{
    uint8_t words[26] = { 0xff }, data[512];
    size_t response = respond(line->challenge, data), size = response;
    put16(words + 4, 4356);
    put16(words + 6, 2);
    put16(words + 8, 1);
    put16(words + 16, (unsigned)response);
    put16(words + 22, 0x50); /* NT SMBs, NT status */
    size += 1 + (size_t)sprintf((char *)data + size, "%s", user);
    size += 1 + (size_t)sprintf((char *)data + size, "%s", domain);
    data[size++] = 0;
    data[size++] = 0;
    line->uid = 0;
    if (mode == LOGOFF_AGAIN)
        line->begin = seconds_now();
    return send_message(line, SESSION_SETUP, words, sizeof words, data, size);
}

static bool open_line(struct line *line)
{
    static const uint8_t dialect[] = "\x02NT LM 0.12";
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = line };
    struct linger at_once = { .l_onoff = 1 }; /* thousands in TIME_WAIT would use the ports up */
    line->begin = seconds_now();
    line->got = 0;
    line->uid = 0;
    line->stream = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(line->stream, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    return connect(line->stream, (struct sockaddr *)&there, sizeof there) == 0
           && epoll_ctl(queue, EPOLL_CTL_ADD, line->stream, &event) == 0
           && send_message(line, NEGOTIATE, NULL, 0, dialect, sizeof dialect);
}

static bool reopen(struct line *line)
{
    close(line->stream);
    return open_line(line);
}

/* What the answer in the line's input leads to; false where it is not as it should be. */
static bool take(struct line *line, size_t length)
{
    static const uint8_t logoff[4] = { 0xff };
    const uint8_t *smb = line->input + 4;
    if (length < WORDS_AT || memcmp(smb + STATUS_AT, "\0\0\0\0", 4) != 0)
        return false;
    switch (smb[4]) {
    case NEGOTIATE:
        if (length < CHALLENGE_AT + 8)
            return false;
        memcpy(line->challenge, smb + CHALLENGE_AT, 8);
        return set_up(line);
    case SESSION_SETUP:
        if (length < ACTION_AT + 2 || smb[ACTION_AT] & GUEST)
            return false;
        latencies[done++] = seconds_now() - line->begin;
        line->uid = (uint16_t)(smb[UID_AT] | smb[UID_AT + 1] << 8);
        if (mode == CONNECT)
            return reopen(line);
        if (mode == HOLD)
            return opened == wanted || open_line(&lines[opened++]);
        return send_message(line, LOGOFF, logoff, sizeof logoff, NULL, 0);
    case LOGOFF:
        return set_up(line);
    }
    return false;
}

static bool receive(struct line *line)
{
    ssize_t count = recv(line->stream, line->input + line->got, LARGEST - line->got, 0);
    if (count <= 0)
        return false;
    line->got += (size_t)count;
    if (line->got < 4)
        return true;
    size_t length = (size_t)line->input[2] << 8 | line->input[3];
    if (length + 4 > LARGEST)
        return false;
    if (line->got < length + 4)
        return true;
    line->got = 0;
    return take(line, length);
}

int main(int count, char **words)
{
    if (count != 10) {
        fprintf(stderr, "usage: setupbench ADDRESS SECONDS COUNT OUTSTANDING connect|logoff|hold "
                        "ntlmv1|ntlmv2 DOMAIN USER HASH\n");
        return 2;
    }
    double limit = atof(words[2]);
    wanted = strtoul(words[3], NULL, 10);
    size_t outstanding = strtoul(words[4], NULL, 10);
    mode = words[5][0] == 'c' ? CONNECT : words[5][0] == 'l' ? LOGOFF_AGAIN : HOLD;
    isV2 = strcmp(words[6], "ntlmv2") == 0;
    domain = words[7];
    user = words[8];
    for (size_t index = 0; index < HASH; index++) {
        unsigned octet = 0;
        sscanf(words[9] + 2 * index, "%2x", &octet);
        hash[index] = (uint8_t)octet;
    }
    make_v2_key();
    there.sin_port = htons(445);
    latencies = calloc(wanted + MOST, sizeof *latencies);
    queue = epoll_create1(0);
    if (!latencies || outstanding == 0 || outstanding > MOST || (mode == HOLD && wanted > MOST)
        || inet_aton(words[1], &there.sin_addr) == 0)
        return 2;
    double begin = seconds_now();
    while (opened < outstanding)
        if (!open_line(&lines[opened++])) {
            perror("setupbench");
            return 2;
        }
    while (done < wanted && failed < wanted && seconds_now() - begin < limit) {
        struct epoll_event events[64];
        int ready = epoll_wait(queue, events, 64, 100);
        for (int index = 0; index < ready && done < wanted; index++)
            if (!receive(events[index].data.ptr)) {
                failed++;
                if (!reopen(events[index].data.ptr))
                    return 2;
            }
    }
    report(latencies, done, failed, seconds_now() - begin);
    fflush(stdout);
    while (mode == HOLD && getchar() != EOF)
        ;
    return done < wanted || failed > 0;
}
