/* SPDX-License-Identifier: MIT */
/* What the worker of the suite `malloc` can run. */
#include "bench/bench.h"

extern const struct bench_workload work_lifo, work_fifo, work_random, work_remote, work_remote_both,
    work_larson_sets, work_random_mt;

const struct bench_workload *const bench_workloads[] = {
    &work_lifo,        &work_fifo,        &work_random,    &work_remote,
    &work_remote_both, &work_larson_sets, &work_random_mt, NULL};

/* No thread before the workload starts one: a malloc may look for that, and glibc's does. */
const bool bench_threads_on = false;
