/* SPDX-License-Identifier: MIT */
/* programs.h: programs found on the machine, as workloads.
 *
 * A program's command is words as a shell has them, without a shell: NAME=VALUE words at the
 * beginning go into the environment; $TOOL is the program found, $PROGRAMS the directory of what
 * ouro-bench brings along, $WORK a directory that is removed in the end, $SIZE how much is to be
 * done. Its time is processor time, of the user and of the system, of all its processes and
 * threads; its memory the largest resident set of one of them; what it prints must always be the
 * same. */
#ifndef OURO_BENCH_PROGRAMS_H
#define OURO_BENCH_PROGRAMS_H

#include "bench/driver/plan.h"

struct program {
    const char *workload;
    const char *tools;   /* one of these, first choice first; NULL: ouro-bench brings it along */
    const char *package; /* where Debian has it */
    unsigned size[2];    /* $SIZE; the second with --quick */
    const char *prepare; /* a line for sh that makes what it reads, or NULL */
    const char *command;
};

/* Finds the tool and prepares; false: the plan has been told why it is absent. */
bool program_ready(struct plan *plan, const struct program *program);

/* Runs a cell of a program once; its figures into the round. */
void program_run(const struct plan *plan, struct cell *cell, unsigned round);

#endif
