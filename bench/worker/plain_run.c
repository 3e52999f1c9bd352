/* SPDX-License-Identifier: MIT */
/* Repetitions without Google Benchmark, for a worker in plain C: what that and the C++ runtime
 * allocate would stand in its memory figures. */
#include "bench/gbench_shim.h"

unsigned gbench_run(const char *name, gbench_function *function, void *arg, unsigned repetitions,
                    double *ns)
{
    (void)name;
    for (unsigned i = 0; i < repetitions; i++)
        ns[i] = function(arg);
    return repetitions;
}
