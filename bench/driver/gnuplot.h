/* SPDX-License-Identifier: MIT */
/* gnuplot.h: what all pictures have in common. */
#ifndef OURO_BENCH_GNUPLOT_H
#define OURO_BENCH_GNUPLOT_H

#include <stdbool.h>
#include <stdio.h>

/* A pipe to gnuplot, which will draw `file` of so many pixels, its style set; NULL: said why. */
FILE *gnuplot_open(const char *file, unsigned width, unsigned height);
/* Draws; 0, or 1 with a message: there was nothing to draw, or gnuplot failed. */
int gnuplot_close(FILE *pipe, const char *file, bool anything);

#endif
