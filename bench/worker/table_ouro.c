/* SPDX-License-Identifier: MIT */
/* What the workers over Ouro can run. */
#include "bench/bench.h"
#include "alloc/platform.h"

extern const struct bench_workload work_trees, work_list, work_shuffle, work_shuffle_cold,
    work_strings, work_words, work_rings, work_graph, work_live, work_closures, work_handover,
    work_tasks, work_shared, work_words_mt, work_typed_pair, work_count_pair, work_touch,
    work_touch_heap, work_append, work_append_long, work_append_char, work_concat, work_slice,
    work_filter_tags, work_filter_boxes, work_context, work_reuse_insert, work_reuse_map,
    work_reuse_insert_moved, work_reuse_map_moved;

const struct bench_workload *const bench_workloads[] = {&work_trees,
                                                        &work_list,
                                                        &work_shuffle,
                                                        &work_shuffle_cold,
                                                        &work_strings,
                                                        &work_words,
                                                        &work_rings,
                                                        &work_graph,
                                                        &work_live,
                                                        &work_closures,
                                                        &work_handover,
                                                        &work_tasks,
                                                        &work_shared,
                                                        &work_words_mt,
                                                        &work_typed_pair,
                                                        &work_count_pair,
                                                        &work_touch,
                                                        &work_touch_heap,
                                                        &work_append,
                                                        &work_append_long,
                                                        &work_append_char,
                                                        &work_slice,
                                                        &work_concat,
                                                        &work_filter_tags,
                                                        &work_filter_boxes,
                                                        &work_context,
                                                        &work_reuse_insert,
                                                        &work_reuse_map,
                                                        &work_reuse_insert_moved,
                                                        &work_reuse_map_moved,
                                                        NULL};

const bool bench_threads_on = OURO_THREADS;
