/* SPDX-License-Identifier: MIT */
/* process.h: starting something, reading what it prints, and what it took. */
#ifndef OURO_BENCH_PROCESS_H
#define OURO_BENCH_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#define PROCESS_LIMIT_S 300 /* it is killed then */

struct process {
    char text[4096];     /* the beginning of both of its outputs, blanks at the end cut off */
    uint64_t sum;        /* of all of both outputs (FNV-1a) */
    int status;          /* as waitpid has it */
    struct rusage usage; /* with those of its own children */
    char error[128];     /* it could not be started, or took too long; else empty */
};

/* From now on SIGINT, SIGTERM and SIGHUP end what process_run has started, and then the program by
 * exit. */
void process_stop_in_order(void);

/* Forks; the child calls `become(arg)`, which is to exec; comes back when it has ended. */
void process_run(struct process *p, void (*become)(void *arg), void *arg);

/* Why it is to be called a failure, into `why`; false: it is none. */
bool process_failed(const struct process *p, char *why, size_t room);

/* Monotonic seconds. */
double process_now(void);

/* Whether there is such a program in PATH; where, into `path`. */
bool process_find(const char *name, char *path, size_t room);

#endif
