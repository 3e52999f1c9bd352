/* SPDX-License-Identifier: MIT */
/* profile.h: Internal to alloc. The heap profile of libouro-malloc.so: which call sites have how
 * many bytes, by samples (profile.c), and how it is written (profile_write.c). */
#ifndef OURO_ALLOC_PROFILE_H
#define OURO_ALLOC_PROFILE_H

#include "alloc/atomic.h"

extern bool ouro__profiled; /* set before the first heap is made */
#define OURO__PROFILED OURO_IN_FRONT(OURO_UNLIKELY(ouro__profiled))

/* Reads the options. Allocates nothing. */
void ouro__profile_begin(void);
void ouro__profile_fork_handlers(void);
/* A block was taken, is about to be given back, or has grown and perhaps moved. */
void ouro__profile_born(const void *p, size_t size);
void ouro__profile_dead(const void *p);
/* A block may get another address: its sample, if it is one, is taken out (P2); then it is `size`
 * bytes at `to`, or, NULL, as it was. */
void *ouro__profile_lift(const void *p);
void ouro__profile_land(void *lifted, const void *to, size_t size);

/* The samples of one stack of callers. Stacks stay for good; who walks the list needs no lock. */
struct ouro__site {
    struct ouro__site *next_site; /* the list of all, newest first */
    struct ouro__site *next;      /* of the same bucket */
    uint64_t hash;
    ouro_word live, live_bytes; /* samples whose block is there */
    ouro_word all, all_bytes;
    ouro_word live_share, all_share; /* bytes that they stand for */
    size_t depth;
    void *callers[]; /* the innermost first */
};
struct ouro__site *ouro__profile_sites(void);
int64_t ouro__profile_rate(void);
/* Writes the profile to the file that the option names. */
void ouro__profile_write(const char *name);

#endif
