/* SPDX-License-Identifier: MIT */
/* The picture of the suite `values`: a bar a workload, its time over that of its base, with its
 * interval and, as a line across the bar, what the claim allows. */
#include "bench/driver/suite_values.h"
#include "bench/driver/gnuplot.h"

#include <math.h>
#include <stdio.h>

/* One line a workload: name, ratio, low, high, at most, number of its claim. */
static size_t data(FILE *to, const struct plan *plan)
{
    size_t lines = 0;
    fprintf(to, "$ratios << END\n");
    for (size_t i = 0; i < VALUES_CLAIMS; i++)
        for (const struct workload *w = values_workloads; w->name; w++) {
            struct stats_ratio r = values_ratio(plan, w);
            if (!(w->flags & values_claim_of[i].flag) || isnan(r.mid))
                continue;
            fprintf(to, "\"%s\\nover %s\" %g %g %g %g %zu\n", w->name, values_claim_of[i].base,
                    r.mid, r.low, r.high, values_claim_of[i].at_most, i + 1);
            lines++;
        }
    fprintf(to, "END\n");
    return lines;
}

int values_plot(const struct plan *plan, const char *file)
{
    FILE *to = gnuplot_open(file, 1400, 700);
    if (to == NULL)
        return 1;
    size_t lines = data(to, plan);
    fprintf(to, "set title 'Values: time over that of a fixed kernel, or of the counterpart'\n"
                "set ylabel 'ratio'\nset yrange [0:*]\n");
    gnuplot_ratios(to);
    return gnuplot_close(to, file, lines > 0);
}
