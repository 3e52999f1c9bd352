/* SPDX-License-Identifier: MIT */
/* stats.h: how much memory there is, what of it is in use, and by blocks of which size.
 *
 * Counting costs the allocating paths nothing: the figures are read off the pages when they are
 * asked for. They are exact where all blocks are the calling thread's or those of ended threads. Of
 * other threads that run, blocks that are held ready for the next allocations (of each size class
 * that they use: 4 KiB, or a page's free blocks, or up to 64 KiB that they freed) count as live,
 * and whatever they do meanwhile is counted or not.
 *
 * A block that was freed by a thread that does not own it counts as live until its owner has taken
 * it back, which it does when it needs blocks; `remote` tells how many such there are. */
#ifndef OURO_ALLOC_STATS_H
#define OURO_ALLOC_STATS_H

#include "alloc/sizeclass.h"

OURO_EXTERN_C_BEGIN

/* Blocks, and their bytes as they are stored: rounded up, headers included. */
struct ouro_stats_count {
    uint64_t blocks, bytes;
};

struct ouro_stats {
    uint64_t mapped;                      /* bytes of address space taken from the supply */
    uint64_t peak_mapped;                 /* the greatest `mapped` so far */
    uint64_t used;                        /* of it in pages and large blocks: the limit's figure */
    uint64_t peak_used;                   /* the greatest `used` so far */
    uint64_t limit;                       /* 0: none */
    uint64_t idle;                        /* bytes that wait for their purge: in no page or block */
    uint64_t chunks;                      /* of 4 MiB */
    uint64_t pages;                       /* cut into blocks of one size */
    uint64_t heaps;                       /* the most threads that had one at a time so far */
    uint64_t threads;                     /* that have a heap now */
    uint64_t failed;                      /* allocations that gave NULL, injected faults included */
    uint64_t remote;                      /* blocks freed by others that are on their way home */
    uint64_t foreign;                     /* bytes that the program declared (orc/foreign.h) */
    struct ouro_stats_count raw, counted; /* live blocks, by kind; the large ones included */
    struct ouro_stats_count large;        /* live blocks of both kinds above 64 KiB */
    struct {
        uint64_t size;         /* of a block */
        uint64_t raw, counted; /* live blocks */
        uint64_t pages;
    } by_class[OURO__CLASSES];
};

/* Fills in *stats (borrowed) for the runtime that the calling thread is in. Takes home first what
 * other threads freed of the calling thread's and of ended ones'. Any thread; allocates nothing but
 * the thread's heap, on its first touch; O(pages) with the lock that guards pages. With a supply
 * that passes blocks on (`system`) there are no pages: all live blocks are told under `raw`. */
OURO_API void ouro_stats_get(struct ouro_stats *stats);

/* Writes the figures of ouro_stats_get as one JSON object into `room` (borrowed, `size` bytes; may
 * be NULL if size is 0), cut to fit, with a NUL. Returns the length of the whole without the NUL.
 * Classes that have no page are left out. Otherwise as ouro_stats_get. */
OURO_API size_t ouro_stats_json(char *room, size_t size);

OURO_EXTERN_C_END

#endif
