/* SPDX-License-Identifier: MIT */
/* gnuplot.h: what all pictures have in common. */
#ifndef OURO_BENCH_GNUPLOT_H
#define OURO_BENCH_GNUPLOT_H

#include <stdbool.h>
#include <stdio.h>

/* A pipe to gnuplot, which will draw `file` of so many pixels, its style set; NULL: said why. */
FILE *gnuplot_open(const char *file, unsigned width, unsigned height);
/* Has it draw a bar for each line of the data block $ratios, with its interval and, as a line
 * across the bar, what is claimed: name, ratio, low, high, at most (0: nothing), number of a
 * colour. */
void gnuplot_ratios(FILE *pipe);
/* Draws; 0, or 1 with a message: there was nothing to draw, or gnuplot failed. */
int gnuplot_close(FILE *pipe, const char *file, bool anything);

#endif
