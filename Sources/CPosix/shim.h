#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <ifaddrs.h>
#include <linux/capability.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* What Swift cannot import: variadic functions, macros with casts, and system calls that have no
   function in glibc, or only one that needs _GNU_SOURCE. */

static inline int postern_errno(void) { return errno; }

static inline int postern_open(const char *path, int flags, mode_t mode) {
    return open(path, flags, mode);
}

static inline int postern_openat(int directory, const char *name, int flags) {
    return openat(directory, name, flags);
}

/* The name of the directory's next entry, or NULL at its end. */
static inline const char *postern_next_name(DIR *directory) {
    struct dirent *entry = readdir(directory);
    return entry == NULL ? NULL : entry->d_name;
}

static inline int postern_prctl(int option, unsigned long argument) {
    return prctl(option, argument, 0UL, 0UL, 0UL);
}

/* What tells a file from the one that was there before. */
struct postern_version {
    uint64_t inode;
    int64_t seconds, nanoseconds;
};

/* Times are structs of headers that other modules have too: whose they are, the compiler decides by
   what a file and those compiled beside it import. So they are read here. */
static inline uint64_t postern_microseconds(clockid_t clock) {
    struct timespec found = {0, 0};
    clock_gettime(clock, &found);
    return (uint64_t)found.tv_sec * 1000000 + (uint64_t)found.tv_nsec / 1000;
}

static inline int64_t postern_modified(const struct stat *found) { return found->st_mtim.tv_sec; }

static inline int postern_file_version(const char *path, struct postern_version *version) {
    struct stat found;
    if (stat(path, &found) != 0) return -1;
    version->inode = found.st_ino;
    version->seconds = found.st_mtim.tv_sec;
    version->nanoseconds = found.st_mtim.tv_nsec;
    return 0;
}

static inline int postern_ignore_signal(int number) {
    return signal(number, SIG_IGN) == SIG_ERR ? -1 : 0;
}

/* Leaves the process the capabilities in `mask` (a bit per capability), permitted and effective. */
static inline int postern_keep_capabilities(unsigned long long mask) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {
        {(unsigned)mask, (unsigned)mask, 0},
        {(unsigned)(mask >> 32), (unsigned)(mask >> 32), 0},
    };
    return (int)syscall(SYS_capset, &header, data);
}

/* One of the messages of sendmmsg(2), as glibc's struct mmsghdr. */
struct postern_message {
    struct msghdr header;
    unsigned sent;
};

/* How many of the messages were sent, or -1 where the first one was not. */
static inline int postern_send_messages(
    int descriptor, struct postern_message *messages, unsigned count) {
    return (int)syscall(SYS_sendmmsg, descriptor, messages, count, 0);
}

/* The address of the local socket at `path`, which may start with @ for the abstract space;
   gives its length, or 0 where the path is too long. */
static inline socklen_t postern_local_address(struct sockaddr_un *address, const char *path) {
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof address->sun_path) return 0;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length);
    if (path[0] == '@') address->sun_path[0] = 0;
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (path[0] != '@'));
}

static inline int postern_peer_credentials(int socket, int *process, uid_t *user, gid_t *group) {
    /* glibc names this struct ucred, but only for _GNU_SOURCE, under which Swift can import none
       of the calls that take a struct sockaddr. */
    struct { pid_t pid; uid_t uid; gid_t gid; } peer;
    socklen_t length = sizeof peer;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return -1;
    *process = peer.pid;
    *user = peer.uid;
    *group = peer.gid;
    return 0;
}

/* getopt's state is in mutable globals, which Swift refuses to touch. */
static inline void postern_getopt_start(void) { optind = 0; opterr = 0; }
static inline int postern_optind(void) { return optind; }
static inline const char *postern_optarg(void) { return optarg; }

/* Where the program's constants and code begin and end, as the linker has it. */
extern const char __executable_start[], etext[];

/* Takes the pages of the program's code and constants, which nobody writes to, out of this
 * process; those that are used again come back from the page cache. */
static inline int postern_forget_code(void) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t start = (uintptr_t)__executable_start & ~(page - 1);
    uintptr_t end = (uintptr_t)etext & ~(page - 1);
    return madvise((void *)start, end - start, MADV_DONTNEED);
}
