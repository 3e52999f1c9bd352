/* SPDX-License-Identifier: MIT */
/* Running by turns. */
#include "bench/turns.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

double bench_median(double *v, size_t n)
{
    qsort(v, n, sizeof *v, by_value);
    return v[n / 2];
}

#define SIDES (2 + BENCH_PARTS)

/* One turn of each; every other time the other way round, so that none always finds the caches
 * warm. What they compute must be the same. */
static void turn(struct bench_run *run, bench_turn *const *side, size_t n, unsigned i, double *ns)
{
    bool first = true;
    for (unsigned k = 0; k < SIDES; k++) {
        unsigned at = i & 1 ? k : SIDES - 1 - k;
        uint64_t check = 0;
        if (side[at] == NULL)
            continue;
        ns[at] = side[at](n, &check);
        if (!first && run->check != check)
            run->error = "the sides computed different things";
        run->check = check;
        first = false;
    }
}

double bench_few_by_turns(struct bench_run *run, bench_turn *ours, bench_turn *base,
                          bench_turn *const part[BENCH_PARTS], size_t n, unsigned turns)
{
    static double ns[SIDES][TURNS_MAX];
    bench_turn *side[SIDES] = {base, ours};
    for (unsigned i = 0; i < BENCH_PARTS; i++)
        side[2 + i] = part[i];
    for (unsigned i = 0; i < turns; i++) {
        double now[SIDES] = {0};
        turn(run, side, n, i, now);
        for (unsigned k = 0; k < SIDES; k++)
            ns[k][i] = now[k];
    }
    run->ops = n;
    run->base_ns = base ? bench_median(ns[0], turns) / (double)n : 0;
    for (unsigned i = 0; i < BENCH_PARTS; i++)
        run->part_ns[i] = part[i] ? bench_median(ns[2 + i], turns) / (double)n : 0;
    return bench_median(ns[1], turns);
}

double bench_all_by_turns(struct bench_run *run, bench_turn *ours, bench_turn *base,
                          bench_turn *const part[BENCH_PARTS], size_t n)
{
    return bench_few_by_turns(run, ours, base, part, n, run->quick ? 21 : TURNS_MAX);
}

double bench_by_turns(struct bench_run *run, bench_turn *ours, bench_turn *base, size_t n)
{
    static bench_turn *const none[BENCH_PARTS] = {NULL};
    return bench_all_by_turns(run, ours, base, none, n);
}
