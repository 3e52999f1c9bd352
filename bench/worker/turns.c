/* SPDX-License-Identifier: MIT */
/* Running by turns. */
#include "bench/turns.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *v, size_t n)
{
    qsort(v, n, sizeof *v, by_value);
    return v[n / 2];
}

double bench_by_turns(struct bench_run *run, bench_turn *ours, bench_turn *base, size_t n)
{
    double a[TURNS_MAX], b[TURNS_MAX];
    unsigned turns = run->quick ? 21 : TURNS_MAX;
    for (unsigned i = 0; i < turns; i++) {
        uint64_t mine = 0, theirs = 0;
        /* Every other turn the other way round, so that neither always finds the caches warm. */
        if (i & 1)
            b[i] = base(n, &theirs);
        a[i] = ours(n, &mine);
        if (!(i & 1))
            b[i] = base(n, &theirs);
        if (mine != theirs)
            run->error = "the two sides computed different things";
        run->check = mine;
    }
    run->ops = n;
    run->base_ns = median(b, turns) / (double)n;
    return median(a, turns);
}
