/* SPDX-License-Identifier: MIT */
/* A worker: runs one workload in this process and prints one line of JSON.
 *
 *     ouro-bench-worker-<variant> --workload NAME [--quick] [--repetitions N] [--threads N]
 *                                 [--dir DIR]
 *
 * ouro-bench starts it; by hand it is of use under perf or gdb. A repetition more than asked for
 * goes before as a warm-up and is not printed. */
#define _GNU_SOURCE /* dladdr */
#include "bench/bench.h"
#include "bench/gbench_shim.h"
#include "bench/worker/peak.h"

#include <dlfcn.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_REPETITIONS 64

struct worker {
    const struct bench_workload *workload;
    struct bench_run run;
    unsigned done;
};

void bench_die(const char *what)
{
    fprintf(stderr, "ouro-bench-worker: %s\n", what);
    exit(3);
}

static double repeat(void *arg)
{
    struct worker *w = arg;
    w->run.warm_up = w->done++ == 0 && !w->workload->cold;
    w->run.check = 0;
    return w->workload->repeat(&w->run);
}

static void *nothing(void *arg)
{
    return arg;
}

/* With threads on, a thread has run: libraries that look for that (libc, libstdc++) have seen it.
 */
static void have_had_a_thread(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, nothing, NULL) != 0)
        bench_die("no thread");
    pthread_join(thread, NULL);
}

static long resident_kib(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f) {
        if (fscanf(f, "%*d %ld", &pages) != 1)
            pages = 0;
        fclose(f);
    }
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* The file that malloc comes from: tells whether a preloaded allocator is really in place. */
static const char *malloc_file(void)
{
    Dl_info info;
    void *(*function)(size_t) = malloc;
    void *address;
    memcpy(&address, &function, sizeof address);
    return dladdr(address, &info) && info.dli_fname ? info.dli_fname : "";
}

static void print_result(const struct worker *w, const double *ns, unsigned count, long idle)
{
    long peak = bench_peak_kib();
    printf("{\"workload\":\"%s\",\"ops\":%zu,\"ns_per_op\":[", w->workload->name, w->run.ops);
    for (unsigned i = w->workload->cold ? 0 : 1, n = 0; i < count; i++, n++)
        printf("%s%.6g", n > 0 ? "," : "", ns[i] / (double)w->run.ops);
    printf("],\"base_ns_per_op\":%.6g,\"check\":\"%llu\",\"peak_rss_kib\":%ld,\"idle_rss_kib\":%ld,"
           "\"malloc\":\"%s\"",
           w->run.base_ns, (unsigned long long)w->run.check, peak, idle, malloc_file());
    if (w->run.grown_kib >= 0)
        printf(",\"grown_kib\":%ld", w->run.grown_kib);
    printf(",\"part_ns_per_op\":[");
    for (unsigned i = 0; i < BENCH_PARTS; i++)
        printf("%s%.6g", i > 0 ? "," : "", w->run.part_ns[i]);
    printf("]");
    if (w->run.error)
        printf(",\"error\":\"%s\"", w->run.error);
    printf("}\n");
}

static int run(struct worker *w, unsigned repetitions)
{
    static double ns[MAX_REPETITIONS];
    if (bench_threads_on)
        have_had_a_thread();
    long idle = resident_kib();
    if (w->workload->setup)
        w->workload->setup(&w->run);
    unsigned count = 0;
    if (w->run.error == NULL) {
        count = gbench_run(w->workload->name, repeat, w, repetitions, ns);
        if (count != repetitions)
            bench_die("Google Benchmark did not run the workload");
        if (w->workload->end)
            w->workload->end(&w->run);
    }
    print_result(w, ns, count, idle);
    return w->run.error ? 3 : 0;
}

static const struct bench_workload *find(const char *name)
{
    for (size_t i = 0; bench_workloads[i]; i++)
        if (strcmp(bench_workloads[i]->name, name) == 0)
            return bench_workloads[i];
    return NULL;
}

static int list(void)
{
    for (size_t i = 0; bench_workloads[i]; i++)
        puts(bench_workloads[i]->name);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"workload", required_argument, NULL, 'w'},
                                            {"quick", no_argument, NULL, 'q'},
                                            {"repetitions", required_argument, NULL, 'r'},
                                            {"threads", required_argument, NULL, 't'},
                                            {"dir", required_argument, NULL, 'd'},
                                            {"list", no_argument, NULL, 'l'},
                                            {NULL, 0, NULL, 0}};
    struct worker w = {.run = {.threads = 2, .dir = "/usr/share/doc", .grown_kib = -1}};
    unsigned repetitions = 3;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (c) {
        case 'w':
            w.workload = find(optarg);
            break;
        case 'q':
            w.run.quick = true;
            break;
        case 'r':
            repetitions = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 't':
            w.run.threads = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'd':
            w.run.dir = optarg;
            break;
        case 'l':
            return list();
        default:
            return 2;
        }
    if (w.workload == NULL || repetitions + 1 > MAX_REPETITIONS) {
        fprintf(stderr, "ouro-bench-worker: no such workload, or too many repetitions\n");
        return 2;
    }
    if (!bench_threads_on)
        w.run.threads = 1;
    return run(&w, repetitions + !w.workload->cold);
}
