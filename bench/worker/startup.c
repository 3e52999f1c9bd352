/* SPDX-License-Identifier: MIT */
/* The worker of `startup`: the smallest program that allocates. What a malloc adds to any program
 * is what it has when it would end; it prints that as other workers do, and takes no notice of
 * their options. */
#define _GNU_SOURCE /* dladdr */
#include "bench/worker/peak.h"

#include <dlfcn.h>
#include <stdio.h>
#include <time.h>

int main(void)
{
    struct timespec t;
    void *(*function)(size_t) = malloc;
    void *address;
    Dl_info info;
    char *volatile block = malloc(100);
    if (block == NULL)
        return 3;
    *block = 1;
    free(block);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    long peak = bench_peak_kib();
    memcpy(&address, &function, sizeof address);
    printf("{\"ns_per_op\":[%.0f],\"check\":\"0\",\"peak_rss_kib\":%ld,\"malloc\":\"%s\"}\n",
           (double)t.tv_sec * 1e9 + (double)t.tv_nsec, peak,
           dladdr(address, &info) && info.dli_fname ? info.dli_fname : "");
    return 0;
}
