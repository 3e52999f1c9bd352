/* SPDX-License-Identifier: MIT */
/* graphs_absent.c: the library was built without channels. */
#include "stress.h"

bool graphs_exist(void)
{
    return false;
}

void run_graphs(uint64_t seed, uint64_t round, unsigned threads)
{
    (void)seed;
    (void)round;
    (void)threads;
}
