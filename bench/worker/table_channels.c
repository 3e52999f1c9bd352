/* SPDX-License-Identifier: MIT */
/* What the worker of the suite `isolate` can run. */
#include "bench/bench.h"

extern const struct bench_workload work_graph_over, work_tree_over, work_list_over, work_over_1,
    work_over_10, work_over_100, work_received, work_region, work_region_small, work_ping_pong,
    work_continuations, work_continuations_both, work_words_tasks;

const struct bench_workload *const bench_workloads[] = {
    &work_graph_over,    &work_tree_over,
    &work_list_over,     &work_over_1,
    &work_over_10,       &work_over_100,
    &work_received,      &work_region,
    &work_region_small,  &work_ping_pong,
    &work_continuations, &work_continuations_both,
    &work_words_tasks,   NULL};

const bool bench_threads_on = true;
