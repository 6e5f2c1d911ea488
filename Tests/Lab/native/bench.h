/* What the lab's drivers share: a clock, an ordered list of latencies, one line of JSON. */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline double seconds_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int in_order(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Latencies in seconds; they are sorted in place. */
static inline void report(double *latencies, size_t count, size_t failed, double seconds)
{
    if (count == 0) {
        printf("{\"count\": 0, \"failed\": %zu}\n", failed);
        return;
    }
    qsort(latencies, count, sizeof *latencies, in_order);
    printf("{\"count\": %zu, \"failed\": %zu, \"seconds\": %.4f, \"rate\": %.1f, \"p50\": %.4f, "
           "\"p99\": %.4f, \"max\": %.4f}\n",
           count, failed, seconds, (double)count / seconds, 1e3 * latencies[count / 2],
           1e3 * latencies[count * 99 / 100], 1e3 * latencies[count - 1]);
}

#endif
