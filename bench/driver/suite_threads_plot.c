/* SPDX-License-Identifier: MIT */
/* The picture of the suite `threads`: above, what atomic and biased counts cost against threads
 * off, a pair of bars a workload; below, trees and list on each allocator, and Nim on Ouro against
 * Nim stock. Colours of Okabe and Ito, which colour-blind people tell apart. */
#include "bench/driver/suite_threads.h"
#include "bench/driver/gnuplot.h"

#include <math.h>
#include <stdio.h>

/* One line a workload: name, ratio, low and high of biased, then of atomic. Returns how many. */
static size_t ratio_data(FILE *to, const struct plan *plan)
{
    size_t lines = 0;
    fprintf(to, "$ratios << END\n");
    for (const struct workload *w = threads_workloads; w->name; w++) {
        const struct cell *off = plan_yardstick(plan, w);
        const struct cell *b = plan_find(plan, w->name, "biased", "on", "ouro", "ouro");
        const struct cell *a = plan_find(plan, w->name, "atomic", "on", "ouro", "ouro");
        struct stats_ratio rb = cell_ratio(plan, b, off, false);
        struct stats_ratio ra = cell_ratio(plan, a, off, false);
        if ((isnan(rb.mid) && isnan(ra.mid)) || w->flags & KERNEL)
            continue;
        fprintf(to, "\"%s\" %g %g %g %g %g %g\n", w->name, rb.mid, rb.low, rb.high, ra.mid, ra.low,
                ra.high);
        lines++;
    }
    fprintf(to, "END\n");
    return lines;
}

/* One line an allocator: name, ns of trees and of list, plain counts (Ouro: biased). */
static size_t allocator_data(FILE *to, const struct plan *plan)
{
    static const char *const names[] = {"ouro", "mimalloc", "tcmalloc", "jemalloc", "libc"};
    size_t lines = 0;
    fprintf(to, "$mallocs << END\n");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *counts = i == 0 ? "biased" : "plain";
        const char *program = i == 0 ? "ouro" : "c";
        const struct cell *t = plan_find(plan, "trees", counts, NULL, names[i], program);
        const struct cell *l = plan_find(plan, "list", counts, NULL, names[i], program);
        if (t == NULL || l == NULL || t->failure[0] || l->failure[0])
            continue;
        fprintf(to, "\"%s\\n%s counts\" %g %g\n", names[i], counts, cell_median(plan, t),
                cell_median(plan, l));
        lines++;
    }
    fprintf(to, "END\n");
    return lines;
}

/* One line a workload in Nim: name, and its time on Ouro over that of its own runtime, with low and
 * high, threads off (NaN: none), then on. */
static size_t nim_data(FILE *to, const struct plan *plan)
{
    static const char *const threads[] = {"off", "on"};
    size_t lines = 0;
    fprintf(to, "$nim << END\n");
    for (const struct workload *w = threads_workloads; w->name; w++) {
        struct stats_ratio r[2];
        for (int on = 0; on < 2; on++)
            r[on] = cell_ratio(plan, plan_find(plan, w->name, NULL, threads[on], "ouro", "nim"),
                               plan_find(plan, w->name, NULL, threads[on], "nim", "nim"), false);
        if (isnan(r[0].mid) && isnan(r[1].mid))
            continue;
        fprintf(to, "\"%s\" %g %g %g %g %g %g\n", w->name, r[0].mid, r[0].low, r[0].high, r[1].mid,
                r[1].low, r[1].high);
        lines++;
    }
    fprintf(to, "END\n");
    return lines;
}

/* Bars higher than the picture are cut off; each has its figure above it. */
static void draw_ratios(FILE *to)
{
    fprintf(to,
            "top = 3.0\ncut(x) = x > top ? top : x\n"
            "set title 'Cost of turning threads on: time over the same work with threads off'\n"
            "set ylabel 'ratio to threads off'\nset yrange [0:top * 1.13]\n"
            "set key outside top right vertical\n"
            "plot $ratios using ($0-0.19):(cut($2)):(0.36) with boxes lc rgb '#0072B2' "
            "title 'biased (default)', \\\n"
            "  $ratios using ($0+0.19):(cut($5)):(0.36) with boxes lc rgb '#E69F00' title "
            "'atomic', \\\n"
            "  1 with lines lc rgb '#000000' dt 2 title 'threads off', \\\n"
            "  $ratios using ($0-0.19):(cut($3)):(0):(cut($4)-cut($3)) with vectors heads size "
            "0.05,90 lc rgb "
            "'#444444' title '95 %% interval', \\\n"
            "  $ratios using ($0+0.19):(cut($6)):(0):(cut($7)-cut($6)) with vectors heads size "
            "0.05,90 lc rgb "
            "'#444444' notitle, \\\n"
            "  $ratios using ($0-0.19):(cut($4)):(sprintf('%%.2f', $2)) with labels offset 0,0.7 "
            "font ',9' notitle, \\\n"
            "  $ratios using ($0+0.19):(cut($7)):(sprintf('%%.2f', $5)) with labels offset 0,0.7 "
            "font ',9' notitle, \\\n"
            "  $ratios using 0:(0):xtic(1) with points pt -1 notitle\n");
}

static void draw_mallocs(FILE *to)
{
    fprintf(to,
            "set title 'Trees and list by allocator, one thread'\n"
            "set ylabel 'ns a node'\nset yrange [0:*]\nset xtics norotate\n"
            "plot $mallocs using ($0-0.19):2:(0.36) with boxes lc rgb '#009E73' title 'trees', "
            "\\\n"
            "  $mallocs using ($0+0.19):3:(0.36) with boxes lc rgb '#CC79A7' title 'list', \\\n"
            "  $mallocs using ($0-0.19):2:(sprintf('%%.1f', $2)) with labels offset 0,0.6 notitle,"
            " \\\n"
            "  $mallocs using ($0+0.19):3:(sprintf('%%.1f', $3)) with labels offset 0,0.6 notitle,"
            " \\\n"
            "  $mallocs using 0:(0):xtic(1) with points pt -1 notitle\n");
}

static void draw_nim(FILE *to)
{
    fprintf(to,
            "set title 'Nim on Ouro: time over the same program on its own runtime'\n"
            "set ylabel 'ratio to Nim stock'\nset yrange [0:1.5]\nset xtics rotate by -25\n"
            "set key outside top right vertical\n"
            "plot $nim using ($0-0.19):2:(0.36) with boxes lc rgb '#56B4E9' title 'threads off', "
            "\\\n"
            "  $nim using ($0+0.19):5:(0.36) with boxes lc rgb '#D55E00' title 'threads on', \\\n"
            "  1 with lines lc rgb '#000000' dt 2 title 'Nim stock', \\\n"
            "  $nim using ($0-0.19):3:(0):($4-$3) with vectors heads size 0.05,90 lc rgb "
            "'#444444' title '95 %% interval', \\\n"
            "  $nim using ($0+0.19):6:(0):($7-$6) with vectors heads size 0.05,90 lc rgb "
            "'#444444' notitle, \\\n"
            "  $nim using ($0-0.19):4:(sprintf('%%.2f', $2)) with labels offset 0,0.7 font ',9' "
            "notitle, \\\n"
            "  $nim using ($0+0.19):7:(sprintf('%%.2f', $5)) with labels offset 0,0.7 font ',9' "
            "notitle, \\\n"
            "  $nim using 0:(0):xtic(1) with points pt -1 notitle\n");
}

int threads_plot(const struct plan *plan, const char *file)
{
    bool with_nim = plan_find(plan, NULL, NULL, NULL, "nim", "nim") != NULL;
    FILE *to = gnuplot_open(file, 1600, with_nim ? 1450 : 1000);
    if (to == NULL)
        return 1;
    size_t ratios = ratio_data(to, plan), mallocs = allocator_data(to, plan);
    size_t nim = nim_data(to, plan);
    fprintf(to, "set multiplot layout %d,1\n", (ratios > 0) + (mallocs > 0) + (nim > 0));
    if (ratios)
        draw_ratios(to);
    if (mallocs)
        draw_mallocs(to);
    if (nim)
        draw_nim(to);
    fprintf(to, "unset multiplot\n");
    return gnuplot_close(to, file, ratios + mallocs + nim > 0);
}
