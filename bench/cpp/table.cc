// SPDX-License-Identifier: MIT
// What the worker over std::shared_ptr can run. Its counts are atomic: a thread has run.
#include "bench/bench.h"

extern "C" {
extern const bench_workload work_trees, work_rings, work_graph;

extern const bench_workload *const bench_workloads[] = {&work_trees, &work_rings, &work_graph,
                                                        nullptr};
extern const bool bench_threads_on = true;
}
