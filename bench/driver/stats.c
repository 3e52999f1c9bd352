/* SPDX-License-Identifier: MIT */
/* Estimators of stats.h. Hollander and Wolfe, Nonparametric Statistical Methods, chapter 3. */
#include "bench/driver/stats.h"

#include <math.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The finite values in order; returns how many. */
static size_t sorted(double *to, const double *v, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n && count < STATS_MAX; i++)
        if (isfinite(v[i]))
            to[count++] = v[i];
    qsort(to, count, sizeof *to, by_value);
    return count;
}

/* The quantile q of sorted values, by linear interpolation. */
static double quantile(const double *v, size_t n, double q)
{
    double at = q * (double)(n - 1);
    size_t i = (size_t)at;
    return i + 1 < n ? v[i] + (at - (double)i) * (v[i + 1] - v[i]) : v[i];
}

double stats_median(const double *v, size_t n)
{
    double s[STATS_MAX];
    n = sorted(s, v, n);
    return n ? quantile(s, n, 0.5) : NAN;
}

double stats_spread(const double *v, size_t n)
{
    double s[STATS_MAX];
    n = sorted(s, v, n);
    return n ? (quantile(s, n, 0.75) - quantile(s, n, 0.25)) / quantile(s, n, 0.5) : NAN;
}

/* The largest k for which the k-th smallest and the k-th largest pairwise mean enclose the median
 * with probability 0.95, at least 1; *coverage is what they do. The signed rank sum of n values
 * is distributed as the sum of a random subset of 1..n. */
static size_t interval_rank(size_t n, double *coverage)
{
    size_t max = n * (n + 1) / 2;
    double *p = calloc(max + 1, sizeof *p);
    if (p == NULL)
        abort();
    p[0] = 1;
    for (size_t rank = 1; rank <= n; rank++)
        for (size_t sum = max + 1; sum-- > 0;)
            p[sum] = 0.5 * (p[sum] + (sum >= rank ? p[sum - rank] : 0));
    size_t k = 1;
    double tail = p[0]; /* P(sum < k) */
    while (k < max && tail + p[k] <= 0.025)
        tail += p[k++];
    *coverage = 1 - 2 * tail;
    free(p);
    return k;
}

struct stats_ratio stats_paired_ratio(const double *a, const double *b, size_t n)
{
    double d[STATS_MAX];
    size_t pairs = 0, means = 0;
    for (size_t i = 0; i < n && pairs < STATS_MAX; i++)
        if (isfinite(a[i]) && isfinite(b[i]) && a[i] > 0 && b[i] > 0)
            d[pairs++] = log(a[i] / b[i]);
    if (pairs == 0)
        return (struct stats_ratio){NAN, NAN, NAN, 0, 0};
    double *mean = malloc(pairs * (pairs + 1) / 2 * sizeof *mean);
    if (mean == NULL)
        abort();
    for (size_t i = 0; i < pairs; i++)
        for (size_t j = i; j < pairs; j++)
            mean[means++] = (d[i] + d[j]) / 2;
    qsort(mean, means, sizeof *mean, by_value);
    struct stats_ratio r = {.pairs = pairs, .mid = exp(quantile(mean, means, 0.5))};
    size_t k = interval_rank(pairs, &r.coverage);
    r.low = exp(mean[k - 1]);
    r.high = exp(mean[means - k]);
    free(mean);
    return r;
}
