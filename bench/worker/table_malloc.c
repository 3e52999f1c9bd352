/* SPDX-License-Identifier: MIT */
/* What the workers over malloc can run: nothing that needs a collector. Plain counts stand for a
 * program without threads. */
#include "bench/ops.h"

extern const struct bench_workload work_trees, work_list, work_shuffle, work_shuffle_cold,
    work_strings, work_words, work_handover, work_tasks, work_shared, work_words_mt;

const struct bench_workload *const bench_workloads[] = {
    &work_trees,    &work_list,  &work_shuffle, &work_shuffle_cold, &work_strings, &work_words,
    &work_handover, &work_tasks, &work_shared,  &work_words_mt,     NULL};

const bool bench_threads_on = OPS_COUNTS != OPS_PLAIN;
