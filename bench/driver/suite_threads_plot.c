/* SPDX-License-Identifier: MIT */
/* The picture of the suite `threads`: above, what atomic and biased counts cost against threads
 * off, a pair of bars a workload; below, trees and list on each allocator. Drawn by gnuplot from a
 * script with the figures in it; colours of Okabe and Ito, which colour-blind people tell apart. */
#include "bench/driver/suite_threads.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* One line a workload: name, ratio, low and high of biased, then of atomic. Returns how many, and
 * the largest ratio. */
static size_t ratio_data(FILE *to, const struct plan *plan, double *largest)
{
    size_t lines = 0;
    fprintf(to, "$ratios << END\n");
    for (const struct workload *w = threads_workloads; w->name; w++) {
        const struct cell *off = plan_yardstick(plan, w);
        const struct cell *b = plan_find(plan, w->name, "biased", "on", "ouro", "ouro");
        const struct cell *a = plan_find(plan, w->name, "atomic", "on", "ouro", "ouro");
        struct stats_ratio rb = cell_ratio(plan, b, off, false);
        struct stats_ratio ra = cell_ratio(plan, a, off, false);
        if (isnan(rb.mid) && isnan(ra.mid))
            continue;
        fprintf(to, "\"%s\" %g %g %g %g %g %g\n", w->name, rb.mid, rb.low, rb.high, ra.mid, ra.low,
                ra.high);
        *largest = fmax(*largest, fmax(rb.mid, ra.mid));
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
        const struct cell *t = plan_find(plan, "trees", counts, NULL, names[i], NULL);
        const struct cell *l = plan_find(plan, "list", counts, NULL, names[i], NULL);
        if (t == NULL || l == NULL || t->failure[0] || l->failure[0])
            continue;
        fprintf(to, "\"%s\\n%s counts\" %g %g\n", names[i], counts, cell_median(plan, t),
                cell_median(plan, l));
        lines++;
    }
    fprintf(to, "END\n");
    return lines;
}

static void draw_ratios(FILE *to, double largest)
{
    fprintf(to,
            "set title 'Cost of turning threads on: time over the same work with threads off'\n"
            "set ylabel 'ratio to threads off'\n"
            "set yrange [0:%g]\n"
            "set label 1 '1.0: no cost' at graph 1.005, first 1 textcolor rgb '#555555'\n"
            "plot 1 with lines lc rgb '#555555' dt 2 notitle, \\\n"
            "  $ratios using ($0-0.18):2:(0.34) with boxes lc rgb '#0072B2' title 'biased counts "
            "(default)', \\\n"
            "  $ratios using ($0+0.18):5:(0.34) with boxes lc rgb '#E69F00' title 'atomic counts',"
            " \\\n"
            "  $ratios using ($0-0.18):2:3:4 with yerrorbars pt -1 lc rgb '#000000' notitle, \\\n"
            "  $ratios using ($0+0.18):5:6:7 with yerrorbars pt -1 lc rgb '#000000' title '95 %% "
            "interval', \\\n"
            "  $ratios using ($0-0.18):(0):(sprintf('%%.2f', $2)) with labels left rotate by 90 "
            "offset 0,0.4 tc rgb '#FFFFFF' font ',10' notitle, \\\n"
            "  $ratios using ($0+0.18):(0):(sprintf('%%.2f', $5)) with labels left rotate by 90 "
            "offset 0,0.4 tc rgb '#000000' font ',10' notitle, \\\n"
            "  $ratios using 0:(0):xtic(1) with points pt -1 notitle\n",
            fmax(1.5, largest * 1.15));
}

static void draw_mallocs(FILE *to)
{
    fprintf(to,
            "unset label\nset title 'Trees and list by allocator, one thread'\n"
            "set ylabel 'ns a node'\nset yrange [0:*]\nset xtics norotate\n"
            "plot $mallocs using ($0-0.18):2:(0.34) with boxes lc rgb '#009E73' title 'trees', \\\n"
            "  $mallocs using ($0+0.18):3:(0.34) with boxes lc rgb '#CC79A7' title 'list', \\\n"
            "  $mallocs using ($0-0.18):2:(sprintf('%%.1f', $2)) with labels offset 0,0.6 notitle,"
            " \\\n"
            "  $mallocs using ($0+0.18):3:(sprintf('%%.1f', $3)) with labels offset 0,0.6 notitle,"
            " \\\n"
            "  $mallocs using 0:(0):xtic(1) with points pt -1 notitle\n");
}

int threads_plot(const struct plan *plan, const char *file)
{
    double largest = 1;
    if (strchr(file, '\'')) {
        fprintf(stderr, "ouro-bench: no quotes in the picture's name, please\n");
        return 1;
    }
    FILE *to = popen("gnuplot", "w");
    if (to == NULL)
        return 1;
    fprintf(to, "set terminal pngcairo size 1400,1000 font 'sans,13'\nset output '%s'\n", file);
    fprintf(to, "set style fill solid 1.0 noborder\nset grid ytics lc rgb '#dddddd'\n"
                "set border 3\nset tics nomirror out\nset xtics rotate by -25\n"
                "set key top left horizontal\nset offsets 0.6, 0.6, 0, 0\nset rmargin 14\n");
    size_t ratios = ratio_data(to, plan, &largest), mallocs = allocator_data(to, plan);
    fprintf(to, "set multiplot layout %d,1\n", (ratios > 0) + (mallocs > 0));
    if (ratios)
        draw_ratios(to, largest);
    if (mallocs)
        draw_mallocs(to);
    fprintf(to, "unset multiplot\n");
    int status = pclose(to);
    if (ratios + mallocs == 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "ouro-bench: %s: %s\n", file,
                ratios + mallocs ? "gnuplot failed" : "nothing to draw");
        return 1;
    }
    return 0;
}
