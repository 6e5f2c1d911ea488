/* execbench CALLERS EACH COMMAND…: so many loops at once, each running the command so often, from
 * its start to its end. A run that exits other than 0 counts as failed.
 * Prints one line of JSON; times in milliseconds. */
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>

#include "bench.h"

extern char **environ;
static char **command;
static size_t each, failed;
static double *latencies;
static posix_spawn_file_actions_t quiet;

static void *loop(void *first)
{
    double *slot = first;
    for (size_t number = 0; number < each; number++) {
        pid_t child;
        int status = -1;
        double begin = seconds_now();
        if (posix_spawnp(&child, command[0], &quiet, NULL, command, environ) == 0)
            waitpid(child, &status, 0);
        slot[number] = seconds_now() - begin;
        if (status != 0)
            __atomic_add_fetch(&failed, 1, __ATOMIC_SEQ_CST);
    }
    return NULL;
}

int main(int count, char **words)
{
    if (count < 4) {
        fprintf(stderr, "usage: execbench CALLERS EACH COMMAND…\n");
        return 2;
    }
    size_t callers = strtoul(words[1], NULL, 10);
    each = strtoul(words[2], NULL, 10);
    command = words + 3;
    latencies = calloc(callers * each, sizeof *latencies);
    pthread_t *threads = calloc(callers, sizeof *threads);
    if (!latencies || !threads)
        return 2;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    double begin = seconds_now();
    for (size_t index = 0; index < callers; index++)
        pthread_create(&threads[index], NULL, loop, latencies + index * each);
    for (size_t index = 0; index < callers; index++)
        pthread_join(threads[index], NULL);
    report(latencies, callers * each, failed, seconds_now() - begin);
    return failed != 0;
}
