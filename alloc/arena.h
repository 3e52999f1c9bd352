/* SPDX-License-Identifier: MIT */
/* arena.h: Internal to alloc. What the files of the arena share: arena.c (chunks, slices, purging,
 * limits), huge.c (blocks with mappings of their own), map.c (from addresses to both), walk.c.
 *
 * One lock guards all of it. It is taken once per page of 64 KiB or more, never per block.
 *
 * Invariants, under the lock:
 *  R1  A bit of chunk->free is set exactly for the slices that are described as UNUSED, are not
 *      being purged and are not in `later`; slice 0 never is.
 *  R2  dirty is a part of free: slices that may still hold memory. soiled: slices of which it is
 *      not known that they read as zeroes; every dirty one is.
 *  R3  A chunk is in the list `open` exactly while free is not 0.
 *  R4  used = bytes of all slices in use + bytes of all huge blocks; used + foreign <= limit after
 *      each take.
 *  R5  The map tells for each 4 MiB of addresses: nothing, a chunk, or a huge block. It is read
 *      without the lock; entries are published by release, and an address that a caller may ask
 *      about is in use, so its entry does not change meanwhile.
 *  R6  While `walkers` is not 0, what is given back stays as it is, and is not used again: slices
 *      are in `later` and not in `free`, huge blocks are marked `gone`; blocks of a supply that has
 *      them, and of small over-aligned objects, are in `held`; no chunk is unlinked. The last walker
 *      sees to all of it.
 */
#ifndef OURO_ALLOC_ARENA_H
#define OURO_ALLOC_ARENA_H

#include "alloc/heap.h"
#include "alloc/own.h"
#include "alloc/pool.h"

struct ouro__chunk {
    struct ouro__chunk *next, *prev; /* in `open` */
    struct ouro__chunk *all_next, *all_prev;
    uint64_t free, dirty, soiled, later;
    int64_t dirty_since;
};
OURO_STATIC_ASSERT(sizeof(struct ouro__chunk) <= sizeof(struct ouro__page),
                   "slice 0's description");

struct ouro__huge {
    char *base;
    size_t mapped; /* bytes of the mapping, a multiple of OURO__OS_PAGE */
    size_t cell_at;
    unsigned tag;
    bool gone;
    struct ouro__huge *next, *prev;
};

struct ouro__arena {
    ouro__mutex lock;
    struct ouro__chunk *open, *chunks;
    struct ouro__huge *huges, *huge_spares;
    unsigned walkers;
    void *held; /* linked through their first words */
    size_t limit, used, peak, mapped, chunk_count, system_blocks;
    ouro_word foreign; /* bytes that the program declared; grows with the lock, shrinks without */
    ouro_memory_callback *callback;
    void *callback_arg;
    int64_t purge_at; /* 0: nothing is dirty */
    char *meta, *meta_end;
};
extern struct ouro__arena ouro__arena;

OURO_INLINE void ouro__arena_lock(void)
{
    ouro__lock_unless(ouro__own.arena_forks, &ouro__arena.lock);
}
OURO_INLINE void ouro__arena_unlock(void)
{
    ouro__unlock_unless(ouro__own.arena_forks, &ouro__arena.lock);
}

/* With the lock. Slices of which memory may be given back to the system come in. */
void ouro__dirty_in(struct ouro__chunk *chunk, uint64_t mask, int64_t now);
/* With the lock, nobody looking any more: held slices come in. */
void ouro__held_slices_in(void);
/* With the lock. false: no memory for the map, of which a part may have been set. */
bool ouro__map_set(const char *base, size_t size, ouro_word what);

/* With the lock: whether `bytes` more stay in the limit; counts them. */
bool ouro__arena_fits(size_t bytes);
void ouro__arena_count(size_t bytes);
void *ouro__meta_take_locked(size_t bytes);

/* After the last walk: unmaps what was given back meanwhile. */
void ouro__huge_sweep(void);

/* A region of the supply's, whose bytes tools know: zeroes, and nobody's when it goes back. */
OURO_INLINE void *ouro__region_map(size_t size, size_t align)
{
    void *p = ouro__supply()->map(size, align);
    if (p)
        ouro__tool_readable(p, size);
    return p;
}
OURO_INLINE void ouro__region_unmap(void *p, size_t size)
{
    ouro__tool_writable(p, size);
    ouro__supply()->unmap(p, size);
}

OURO_INLINE struct ouro__page *ouro__description(struct ouro__chunk *chunk, unsigned slice)
{
    return (struct ouro__page *)(void *)((char *)chunk + ((size_t)slice << OURO__PAGE_SHIFT));
}

#endif
