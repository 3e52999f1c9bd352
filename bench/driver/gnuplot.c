/* SPDX-License-Identifier: MIT */
/* Drawing by gnuplot, from a script with the figures in it. */
#include "bench/driver/gnuplot.h"

#include <string.h>
#include <sys/wait.h>

FILE *gnuplot_open(const char *file, unsigned width, unsigned height)
{
    if (strchr(file, '\'')) {
        fprintf(stderr, "ouro-bench: no quotes in the picture's name, please\n");
        return NULL;
    }
    FILE *to = popen("gnuplot", "w");
    if (to == NULL)
        return NULL;
    fprintf(to, "set terminal pngcairo size %u,%u font 'sans,13'\nset output '%s'\n", width, height,
            file);
    fprintf(to, "set style fill solid 1.0 noborder\nset grid ytics lc rgb '#dddddd'\n"
                "set border 3\nset tics nomirror out\nset xtics rotate by -25\n"
                "set offsets 0.6, 0.6, 0, 0\nset bmargin 4\n");
    return to;
}

void gnuplot_ratios(FILE *pipe)
{
    fprintf(pipe, "set key off\nset bmargin 6\nset rmargin 8\n"
                  "set linetype 1 lc rgb '#0072B2'\nset linetype 2 lc rgb '#E69F00'\n"
                  "set linetype 3 lc rgb '#009E73'\nset linetype 4 lc rgb '#CC79A7'\n"
                  "set linetype 5 lc rgb '#56B4E9'\n"
                  "plot $ratios using 0:2:(0.6):6 with boxes lc variable, \\\n"
                  "  $ratios using 0:3:(0):($4-$3) with vectors heads size 0.05,90 lc rgb "
                  "'#444444', \\\n"
                  "  $ratios using ($0-0.4):($5>0?$5:NaN):(0.8):(0) with vectors nohead lw 2 dt 2 "
                  "lc rgb '#D55E00', \\\n"
                  "  $ratios using 0:4:(sprintf('%%.2f', $2)) with labels offset 0,0.7, \\\n"
                  "  $ratios using 0:4:xtic(1) with points pt -1\n");
}

int gnuplot_close(FILE *pipe, const char *file, bool anything)
{
    int status = pclose(pipe);
    if (anything && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    fprintf(stderr, "ouro-bench: %s: %s\n", file, anything ? "gnuplot failed" : "nothing to draw");
    return 1;
}
