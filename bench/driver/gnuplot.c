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

int gnuplot_close(FILE *pipe, const char *file, bool anything)
{
    int status = pclose(pipe);
    if (anything && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    fprintf(stderr, "ouro-bench: %s: %s\n", file, anything ? "gnuplot failed" : "nothing to draw");
    return 1;
}
