/* SPDX-License-Identifier: MIT */
/* The picture of the suite `isolate`: a bar a workload, its time over that of its base. */
#include "bench/driver/suite_isolate.h"
#include "bench/driver/gnuplot.h"

#include <math.h>
#include <stdio.h>

/* One line a workload: name, ratio, low, high, at most (0: nothing is claimed), colour. */
static size_t data(FILE *to, const struct plan *plan)
{
    size_t lines = 0;
    fprintf(to, "$ratios << END\n");
    for (const struct workload *w = isolate_workloads; w->name; w++) {
        const struct isolate_about *about = isolate_about(w);
        struct stats_ratio r = isolate_ratio(plan, w);
        if (isnan(r.mid))
            continue;
        fprintf(to, "\"%s\\nover %s\" %g %g %g %g %d\n", w->name, about->base.program, r.mid, r.low,
                r.high, about->at_most, about->claim ? 1 : 2);
        lines++;
    }
    fprintf(to, "END\n");
    return lines;
}

int isolate_plot(const struct plan *plan, const char *file)
{
    FILE *to = gnuplot_open(file, 1400, 700);
    if (to == NULL)
        return 1;
    size_t lines = data(to, plan);
    fprintf(to, "set title 'Hand-overs: time over that of a fixed kernel, or of a peer'\n"
                "set ylabel 'ratio'\nset logscale y\n");
    gnuplot_ratios(to);
    return gnuplot_close(to, file, lines > 0);
}
