/* SPDX-License-Identifier: MIT */
/* chunk.c: the chunks of an arena, and spare ones of the process.
 *
 * A runtime that ends gives its chunks to the process, which keeps a few of them for the next one
 * to start: mapping 4 MiB, touching them and unmapping them again costs more than all else that a
 * small runtime does. A spare chunk keeps the memory of its first slices, where a small runtime has
 * its pages; the rest is purged.
 *
 *  K1  A spare chunk is in no map entry and no arena; `dirty` and `soiled` say of it what they say
 *      of any (R2), its other descriptions are what they were.
 *  K2  Only chunks of the process's supply are kept. */
#include "alloc/arena.h"

#define SPARES     4  /* chunks kept at most */
#define KEPT_FIRST 16 /* slices of each that may keep their memory */

static struct {
    ouro__mutex lock;
    struct ouro__chunk *first;
    unsigned count;
} spares = {.lock = OURO__MUTEX_INIT};

static void spares_lock(void)
{
    ouro__lock_unless(ouro__own.arena_forks, &spares.lock);
}
static void spares_unlock(void)
{
    ouro__unlock_unless(ouro__own.arena_forks, &spares.lock);
}

void ouro__spares_before_fork(void)
{
    ouro__lock(&spares.lock);
}
void ouro__spares_after_fork(bool child)
{
    ouro__mutex_after_fork(&spares.lock, child);
}

/* -- lists ------------------------------------------------------------------------------------- */

static void open_insert(struct ouro__chunk *chunk, unsigned what)
{
    struct ouro__arena *arena = chunk->arena;
    unsigned longest = chunk->in[what].longest;
    struct ouro__chunk **list = &arena->open[what][longest];
    chunk->in[what].prev = NULL;
    chunk->in[what].next = *list;
    if (*list)
        (*list)->in[what].prev = chunk;
    *list = chunk;
    arena->open_lists[what] |= (uint64_t)1 << longest;
}

static void open_remove(struct ouro__chunk *chunk, unsigned what)
{
    struct ouro__arena *arena = chunk->arena;
    struct ouro__chunk *next = chunk->in[what].next, *prev = chunk->in[what].prev;
    struct ouro__chunk **list = &arena->open[what][chunk->in[what].longest];
    if (next)
        next->in[what].prev = prev;
    if (prev)
        prev->in[what].next = next;
    else
        *list = next;
    if (!*list)
        arena->open_lists[what] &= ~((uint64_t)1 << chunk->in[what].longest);
}

/* The length of the longest run of ones. runs[k]: where runs of 2^k begin. Those of the longest are
 * found by adding the powers of two from the largest down. */
static unsigned longest_run(uint64_t bits)
{
    uint64_t runs[6] = {bits}, at;
    int k = 0;
    for (; k < 5 && (at = runs[k] & runs[k] >> (1u << k)) != 0; k++)
        runs[k + 1] = at;
    at = runs[k];
    unsigned len = bits ? 1u << k : 0;
    while (--k >= 0) {
        uint64_t longer = at & runs[k] >> len;
        if (longer) {
            at = longer;
            len += 1u << k;
        }
    }
    return len;
}

/* The slices that are FREE, or DIRTY, are these now. */
static void set_open(struct ouro__chunk *chunk, unsigned what, uint64_t bits)
{
    unsigned longest = longest_run(bits);
    *(what == OURO__FREE ? &chunk->free : &chunk->dirty) = bits;
    if (chunk->in[what].longest == longest)
        return;
    if (chunk->in[what].longest > 0)
        open_remove(chunk, what);
    chunk->in[what].longest = longest;
    if (longest > 0)
        open_insert(chunk, what);
}

static void link_in(struct ouro__chunk *chunk)
{
    struct ouro__arena *arena = chunk->arena;
    chunk->all_prev = NULL;
    chunk->all_next = arena->chunks;
    if (arena->chunks)
        arena->chunks->all_prev = chunk;
    arena->chunks = chunk;
    ouro__arena_mapped(arena, OURO__CHUNK_SIZE);
    arena->chunk_count++;
    set_open(chunk, OURO__FREE, ~(uint64_t)1);
}

static void chunk_unlink(struct ouro__chunk *chunk)
{
    struct ouro__arena *arena = chunk->arena;
    for (unsigned what = 0; what < OURO__OPEN; what++) {
        if (chunk->in[what].longest > 0)
            open_remove(chunk, what); /* R3 */
    }
    if (chunk->all_next)
        chunk->all_next->all_prev = chunk->all_prev;
    if (chunk->all_prev)
        chunk->all_prev->all_next = chunk->all_next;
    else
        arena->chunks = chunk->all_next;
    ouro__map_set((char *)chunk, OURO__CHUNK_SIZE, 0);
    arena->mapped -= OURO__CHUNK_SIZE;
    arena->dirty_slices -= (size_t)__builtin_popcountll(chunk->dirty);
    arena->chunk_count--;
}

void ouro__slices_out(struct ouro__chunk *chunk, uint64_t mask)
{
    chunk->arena->dirty_slices -= (size_t)__builtin_popcountll(chunk->dirty & mask);
    set_open(chunk, OURO__FREE, chunk->free & ~mask);
    set_open(chunk, OURO__DIRTY, chunk->dirty & ~mask);
}

void ouro__slices_in(struct ouro__chunk *chunk, uint64_t mask)
{
    set_open(chunk, OURO__FREE, chunk->free | mask);
}

void ouro__slices_dirty(struct ouro__chunk *chunk, uint64_t mask)
{
    chunk->arena->dirty_slices += (size_t)__builtin_popcountll(mask & ~chunk->dirty);
    set_open(chunk, OURO__DIRTY, chunk->dirty | mask);
}

/* -- spare chunks ------------------------------------------------------------------------------ */

static bool keeps_spares(const struct ouro__arena *arena)
{
    return ouro__regions_of(arena) == ouro__supply();
}

static struct ouro__chunk *pop_spare(void)
{
    spares_lock();
    struct ouro__chunk *chunk = spares.first;
    if (chunk) {
        spares.first = chunk->in[0].next;
        spares.count--;
    }
    spares_unlock();
    return chunk;
}

/* A spare chunk as if it were fresh; NULL: there is none. */
static struct ouro__chunk *take_spare(const struct ouro__arena *arena)
{
    if (!keeps_spares(arena))
        return NULL;
    struct ouro__chunk *chunk = pop_spare();
    if (!chunk)
        return NULL;
    uint64_t dirty = chunk->dirty, soiled = chunk->soiled;
    memset(chunk, 0, (size_t)OURO__SLICES << OURO__PAGE_SHIFT);
    chunk->dirty = dirty;
    chunk->soiled = soiled;
    return chunk;
}

/* Purges what a spare chunk need not keep. */
static void make_spare(struct ouro__chunk *chunk)
{
    const uint64_t far = ~(uint64_t)0 << (KEPT_FIRST + 1);
    uint64_t holds = (~chunk->free | chunk->dirty) & ~(uint64_t)1;
    chunk->soiled |= holds;
    if (holds & far) {
        size_t size = (OURO__SLICES - KEPT_FIRST - 1) * OURO__SLICE_SIZE;
        char *from = (char *)chunk + (KEPT_FIRST + 1) * OURO__SLICE_SIZE;
        if (ouro__supply()->purge(from, size))
            chunk->soiled &= ~far;
        holds &= ~far;
    }
    chunk->dirty = holds;
}

/* Whether the process keeps it. */
static bool give_spare(struct ouro__chunk *chunk)
{
    spares_lock();
    bool room = spares.count < SPARES;
    spares.count += room;
    spares_unlock();
    if (!room)
        return false;
    make_spare(chunk);
    spares_lock();
    chunk->in[0].next = spares.first;
    spares.first = chunk;
    spares_unlock();
    return true;
}

size_t ouro__spares_drop(void)
{
    size_t bytes = 0;
    for (;;) {
        struct ouro__chunk *chunk = pop_spare();
        if (!chunk)
            return bytes;
        bytes += (size_t)__builtin_popcountll(chunk->dirty) * OURO__SLICE_SIZE;
        ouro__region_unmap(ouro__supply(), chunk, OURO__CHUNK_SIZE);
    }
}

/* -- chunks ------------------------------------------------------------------------------------ */

static void let_go(struct ouro__arena *arena, struct ouro__chunk *chunk)
{
    if (!keeps_spares(arena) || !give_spare(chunk))
        ouro__region_unmap(ouro__regions_of(arena), chunk, OURO__CHUNK_SIZE);
}

struct ouro__chunk *ouro__chunk_make(struct ouro__arena *arena)
{
    struct ouro__chunk *chunk = take_spare(arena);
    if (!chunk)
        chunk = ouro__region_map(ouro__regions_of(arena), OURO__CHUNK_SIZE, OURO__CHUNK_SIZE);
    if (!chunk)
        return NULL;
    if (!ouro__map_set((char *)chunk, OURO__CHUNK_SIZE, (ouro_word)arena)) {
        ouro__region_unmap(ouro__regions_of(arena), chunk, OURO__CHUNK_SIZE);
        return NULL;
    }
    ouro__tool_words(chunk, OURO__SLICE_SIZE); /* descriptions */
    chunk->arena = arena;
    link_in(chunk);
    if (chunk->dirty) {
        uint64_t dirty = chunk->dirty;
        chunk->dirty = 0;
        ouro__dirty_in(chunk, dirty, ouro__os_milliseconds());
    }
    return chunk;
}

struct ouro__chunk *ouro__chunk_spare(struct ouro__arena *arena)
{
    struct ouro__chunk *spare = NULL;
    struct ouro__chunk *chunk = arena->walkers ? NULL : arena->open[OURO__FREE][OURO__WHOLE];
    for (; chunk; chunk = chunk->in[OURO__FREE].next) {
        if (chunk->dirty)
            continue;
        if (spare) {
            if (ouro__anybody_looks())
                return NULL; /* R7 */
            chunk_unlink(chunk);
            return chunk;
        }
        spare = chunk;
    }
    return NULL;
}

static struct ouro__chunk *unlink_empty(struct ouro__arena *arena)
{
    struct ouro__chunk *chunk = arena->open[OURO__FREE][OURO__WHOLE];
    if (!chunk || arena->walkers > 0 || ouro__anybody_looks()) /* R7 */
        return NULL;
    chunk_unlink(chunk);
    return chunk;
}

void ouro__chunks_refused(struct ouro__arena *arena)
{
    for (;;) {
        ouro__arena_lock(arena);
        struct ouro__chunk *chunk = unlink_empty(arena);
        ouro__arena_unlock(arena);
        if (!chunk)
            return;
        ouro__region_unmap(ouro__regions_of(arena), chunk, OURO__CHUNK_SIZE);
    }
}

void ouro__chunks_drop(struct ouro__arena *arena)
{
    for (struct ouro__chunk *chunk; (chunk = arena->chunks) != NULL;) {
        chunk_unlink(chunk);
        let_go(arena, chunk);
    }
}
