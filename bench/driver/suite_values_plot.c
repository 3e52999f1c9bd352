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
                "set ylabel 'ratio'\nset yrange [0:*]\nset key off\nset bmargin 6\nset rmargin 8\n"
                "set linetype 1 lc rgb '#0072B2'\nset linetype 2 lc rgb '#E69F00'\n"
                "set linetype 3 lc rgb '#009E73'\nset linetype 4 lc rgb '#CC79A7'\n"
                "set linetype 5 lc rgb '#56B4E9'\n"
                "plot $ratios using 0:2:(0.6):6 with boxes lc variable, \\\n"
                "  $ratios using 0:3:(0):($4-$3) with vectors heads size 0.05,90 lc rgb "
                "'#444444', \\\n"
                "  $ratios using ($0-0.4):5:(0.8):(0) with vectors nohead lw 2 dt 2 lc rgb "
                "'#D55E00', \\\n"
                "  $ratios using 0:4:(sprintf('%%.2f', $2)) with labels offset 0,0.7, \\\n"
                "  $ratios using 0:(0):xtic(1) with points pt -1\n");
    return gnuplot_close(to, file, lines > 0);
}
