/* SPDX-License-Identifier: MIT */
/* gbench_shim.h: Google Benchmark for programs in C.
 *
 * Repetitions, their order and their record are Google Benchmark's; the time is what the function
 * itself took and returned ("manual time"), so that setting up is not part of it. */
#ifndef OURO_BENCH_GBENCH_SHIM_H
#define OURO_BENCH_GBENCH_SHIM_H

#ifdef __cplusplus
extern "C" {
#endif

/* One repetition; returns its nanoseconds. */
typedef double gbench_function(void *arg);

/* Runs `function(arg)` `repetitions` times under `name` and writes the nanoseconds of each to `ns`
 * (room for `repetitions`), in order. Returns how many there were; 0: Google Benchmark refused.
 * On the calling thread. */
unsigned gbench_run(const char *name, gbench_function *function, void *arg, unsigned repetitions,
                    double *ns);

#ifdef __cplusplus
}
#endif

#endif
