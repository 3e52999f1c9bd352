/* SPDX-License-Identifier: MIT */
/* White-box: the estimators of ouro-bench. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bench/driver/stats.h"

#include <math.h>

static void close_to(double a, double b)
{
    if (!(fabs(a - b) < 1e-9))
        fail_msg("%.12g is not %.12g", a, b);
}

static void median_passes_over_missing_values(void **state)
{
    const double v[] = {3, NAN, 1, 2, NAN, 10};
    (void)state;
    close_to(stats_median(v, 6), 2.5);
    assert_true(isnan(stats_median(v + 1, 1)));
}

static void spread_is_the_quartile_distance_over_the_median(void **state)
{
    const double v[] = {1, 2, 3, 4, 5};
    (void)state;
    close_to(stats_spread(v, 5), 2.0 / 3);
    close_to(stats_spread(v, 1), 0);
}

static void ratio_of_proportional_values_is_exact(void **state)
{
    double a[9], b[9];
    (void)state;
    for (int i = 0; i < 9; i++) {
        b[i] = 1 + i * i;
        a[i] = 1.25 * b[i];
    }
    struct stats_ratio r = stats_paired_ratio(a, b, 9);
    close_to(r.mid, 1.25);
    close_to(r.low, 1.25);
    close_to(r.high, 1.25);
    assert_int_equal(r.pairs, 9);
}

/* Tables of the signed rank test: with 6 pairs the extremes cover 1 - 2/64; with 7 the third
 * pairwise mean from either end covers 1 - 2 * 3/128; with 5 no interval covers 0.95. */
static void interval_has_the_tabulated_coverage(void **state)
{
    const double one[] = {1, 1, 1, 1, 1, 1, 1}, a[] = {1, 2, 4, 8, 16, 32, 64};
    (void)state;
    close_to(stats_paired_ratio(a, one, 5).coverage, 1 - 2.0 / 32);
    struct stats_ratio six = stats_paired_ratio(a, one, 6);
    close_to(six.coverage, 1 - 2.0 / 64);
    close_to(six.low, 1);
    close_to(six.high, 32);
    struct stats_ratio seven = stats_paired_ratio(a, one, 7);
    close_to(seven.coverage, 1 - 2 * 3.0 / 128);
    close_to(seven.low, 2); /* means of exponents: 0, 0.5, 1 (twice: 1 and (0+2)/2) */
    close_to(seven.high, 32);
    close_to(seven.mid, 8);
}

static void ratio_without_pairs_is_missing(void **state)
{
    const double a[] = {1, NAN}, b[] = {NAN, 1};
    (void)state;
    assert_true(isnan(stats_paired_ratio(a, b, 2).mid));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(median_passes_over_missing_values),
        cmocka_unit_test(spread_is_the_quartile_distance_over_the_median),
        cmocka_unit_test(ratio_of_proportional_values_is_exact),
        cmocka_unit_test(interval_has_the_tabulated_coverage),
        cmocka_unit_test(ratio_without_pairs_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
