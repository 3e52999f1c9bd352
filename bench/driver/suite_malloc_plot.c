/* SPDX-License-Identifier: MIT */
/* The picture of the suite `malloc`: above, time over that of libc's malloc, a group of bars a
 * workload; below, peak memory over libc's, of programs alone (a kernel's is mostly the process).
 * Colours of Okabe and Ito, which colour-blind people tell apart. */
#include "bench/driver/suite_malloc.h"
#include "bench/driver/gnuplot.h"

#include <math.h>
#include <stdio.h>

#define NAMES 4
static const char *const names[NAMES] = {"ouro", "mimalloc", "tcmalloc", "jemalloc"};

/* One line a workload: its name, then ratio, low and high of each allocator (NaN: none). */
static size_t data(FILE *to, const struct plan *plan, const char *block, bool of_rss)
{
    size_t lines = 0;
    fprintf(to, "$%s << END\n", block);
    for (const struct workload *w = malloc_workloads; w->name; w++) {
        struct stats_ratio r[NAMES];
        bool any = false;
        if (of_rss && w->flags & MALLOC_KERNEL)
            continue;
        for (int i = 0; i < NAMES; i++) {
            r[i] = cell_ratio(plan, malloc_cell(plan, w->name, names[i]),
                              malloc_cell(plan, w->name, "libc"), of_rss);
            any = any || !isnan(r[i].mid);
        }
        if (!any)
            continue;
        fprintf(to, "\"%s\"", w->name);
        for (int i = 0; i < NAMES; i++)
            fprintf(to, " %g %g %g", r[i].mid, r[i].low, r[i].high);
        fprintf(to, "\n");
        lines++;
    }
    fprintf(to, "END\n");
    return lines;
}

/* Bars higher than the picture are cut off; each has its figure above it. */
static void draw(FILE *to, const char *block, const char *title, const char *label)
{
    static const char *const colours[NAMES] = {"#0072B2", "#E69F00", "#009E73", "#CC79A7"};
    fprintf(to,
            "top = 1.9\ncut(x) = x > top ? top : x\nset title '%s'\nset ylabel '%s'\n"
            "set yrange [0:top * 1.13]\nset key outside top right vertical\nplot ",
            title, label);
    for (int i = 0; i < NAMES; i++) {
        double at = (i - (NAMES - 1) / 2.0) * 0.21;
        int column = 2 + 3 * i;
        fprintf(to, "$%s using ($0%+g):(cut($%d)):(0.2) with boxes lc rgb '%s' title '%s', \\\n",
                block, at, column, colours[i], names[i]);
        fprintf(to,
                "  $%s using ($0%+g):(cut($%d)):(0):(cut($%d)-cut($%d)) with vectors heads size "
                "0.03,90 lc rgb '#444444' %s, \\\n",
                block, at, column + 1, column + 2, column + 1,
                i == NAMES - 1 ? "title '95 % interval'" : "notitle");
        fprintf(to,
                "  $%s using ($0%+g):(cut($%d)):(sprintf('%%.2f', $%d)) with labels rotate left "
                "offset 0,0.4 font ',9' notitle, \\\n  ",
                block, at, column + 2, column);
    }
    fprintf(to,
            "1 with lines lc rgb '#000000' dt 2 title 'libc', \\\n"
            "  $%s using 0:(0):xtic(1) with points pt -1 notitle\n",
            block);
}

int malloc_plot(const struct plan *plan, const char *file)
{
    FILE *to = gnuplot_open(file, 1800, 1000);
    if (to == NULL)
        return 1;
    size_t times = data(to, plan, "times", false), memory = data(to, plan, "memory", true);
    fprintf(to, "set datafile missing 'nan'\nset multiplot layout %d,1\n",
            (times > 0) + (memory > 0));
    if (times)
        draw(to, "times", "malloc and free: time over that on libc''s malloc", "ratio to libc");
    if (memory)
        draw(to, "memory", "Peak resident memory over that on libc''s malloc", "ratio to libc");
    fprintf(to, "unset multiplot\n");
    return gnuplot_close(to, file, times + memory > 0);
}
