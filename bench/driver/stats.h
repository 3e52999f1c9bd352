/* SPDX-License-Identifier: MIT */
/* stats.h: medians, spreads and paired ratios. All functions leave their input as it is and pass
 * over values that are not finite. */
#ifndef OURO_BENCH_STATS_H
#define OURO_BENCH_STATS_H

#include <stddef.h>

#define STATS_MAX 1024 /* values at most */

/* NAN when there is no value. */
double stats_median(const double *v, size_t n);
/* The distance of the quartiles over the median; 0 for one value, NAN for none. */
double stats_spread(const double *v, size_t n);

/* A ratio of paired measurements. Missing: mid is NAN. */
struct stats_ratio {
    double mid, low, high;
    double coverage; /* of [low, high]: at least 0.95 from six pairs on, less below */
    size_t pairs;
};

/* a[i] / b[i], paired by round: the Hodges-Lehmann estimate of the median of the logarithms'
 * differences (the median of their pairwise means) with the exact interval of Wilcoxon's signed
 * rank test. Rounds are neighbours in time, so what the machine does to both cancels. */
struct stats_ratio stats_paired_ratio(const double *a, const double *b, size_t n);

#endif
