/* SPDX-License-Identifier: MIT */
/* arena.c: spans of slices, limits, purging. The invariants (R) stand in arena.h.
 *
 * Whoever takes or gives slices sees to what is due. Purging happens outside the lock: a run of
 * dirty slices is taken out of `free`, purged, and put back. So giving memory back to the system
 * delays nobody but the one who does it.
 *
 * Memory order: the lock orders all of it but
 *   the map       R5. Entries are stored by release after what they point to is filled in, and
 *                 loaded by acquire (ouro__map_get). Who asks about an address that is in use has
 *                 it from somebody who saw the entry; the acquire is for who asks about any word.
 *   descriptions  are written here with the lock while no block of the page is out, and again by
 *                 ouro__slices_give when none is any more. In between others read them without the
 *                 lock, each having been handed a block (M4 of remote.c); owner is told to them by
 *                 all_insert. So the store of 0 to `owner` is relaxed: who could read it holds no
 *                 block, and is in error. It is atomic so that such an error stays a wrong pointer.
 *   capacity      grows without the lock; walks read it with a fence (page_cut and walk.c).
 *   options       purge_delay is a relaxed word: any value of it is right. The limit is read from
 *                 its word with the lock after each change, so the last change is what stays in
 *                 force. */
#include "alloc/arena.h"
#include "alloc/raw.h"

/* -- limits ------------------------------------------------------------------------------------ */

bool ouro__arena_fits(const struct ouro__arena *arena, size_t bytes)
{
    size_t used = arena->used + ouro__load(&arena->foreign);
    return arena->limit == 0 || (bytes <= arena->limit && used <= arena->limit - bytes);
}

bool ouro__foreign_take(size_t bytes)
{
    struct ouro__arena *arena = ouro__arena_mine();
    ouro__arena_lock(arena);
    ouro_word most = PTRDIFF_MAX; /* so that sums with it do not overflow */
    bool fits = bytes <= most - ouro__load(&arena->foreign) && ouro__arena_fits(arena, bytes);
    if (fits)
        ouro__fetch_add(&arena->foreign, bytes);
    ouro__arena_unlock(arena);
    return fits;
}

OURO_READS_RACY static size_t used_now(const volatile struct ouro__arena *arena)
{
    return arena->used;
}

size_t ouro__arena_in_use(void)
{
    struct ouro__arena *arena = ouro__arena_mine();
    ouro__tool_words(&arena->used, sizeof arena->used);
    return used_now(arena);
}

bool ouro__foreign_give(size_t bytes)
{
    struct ouro__arena *arena = ouro__arena_mine();
    ouro_word have = ouro__load(&arena->foreign);
    while (have >= bytes) {
        if (ouro__cas_full(&arena->foreign, &have, have - bytes))
            return true;
    }
    return false;
}

size_t ouro__foreign_bytes(void)
{
    return ouro__load(&ouro__arena_mine()->foreign);
}

void ouro__arena_count(struct ouro__arena *arena, size_t bytes)
{
    arena->used += bytes;
    if (arena->used > arena->peak)
        arena->peak = arena->used;
}

static bool plead(struct ouro__arena *arena, size_t bytes)
{
    ouro__arena_lock(arena);
    ouro_memory_callback *callback = arena->callback;
    void *arg = arena->callback_arg;
    ouro__arena_unlock(arena);
    if (!callback || ouro__own.pleading)
        return false;
    ouro__own.pleading = true;
    bool again = callback(bytes, arg);
    ouro__own.pleading = false;
    return again;
}

bool ouro__refused(struct ouro__heap *heap, size_t bytes, unsigned attempt)
{
    struct ouro__arena *arena = &heap->runtime->arena;
    ouro__arena_lock(arena);
    bool limit = !ouro__arena_fits(arena, bytes);
    ouro__arena_unlock(arena);
    /* What is kept is in no limit. The system may ask for more than the sum says: then for all. */
    if (attempt > !limit && !plead(arena, bytes))
        return false;
    if (!ouro__supply()->block) {
        size_t want = attempt == 0 ? bytes + 2 * OURO__CHUNK_SIZE : SIZE_MAX;
        if (!limit)
            want -= ouro__kept_refused(arena, want);
        if (!limit && want > 0 && heap->runtime != &ouro__default_runtime)
            ouro__kept_refused(&ouro__default_runtime.arena, want);
        ouro__heaps_reclaim(heap, NULL);
        if (!limit) {
            ouro__chunks_refused(arena);
            ouro__spares_drop();
        }
    }
    return true;
}

void ouro_set_limit(size_t bytes, ouro_memory_callback *callback, void *arg)
{
    struct ouro__arena *arena = ouro__arena_mine();
    ouro__arena_lock(arena);
    arena->callback = callback;
    arena->callback_arg = arg;
    ouro__arena_unlock(arena);
    ouro_option_set("limit", bytes > INT64_MAX ? INT64_MAX : (int64_t)bytes);
}

void ouro__arena_limit_changed(struct ouro_runtime *runtime)
{
    struct ouro__arena *arena = &runtime->arena;
    ouro__arena_lock(arena);
    arena->limit = (size_t)ouro__load(&runtime->options[OURO_OPTION_limit]);
    ouro__arena_unlock(arena);
}

/* -- runs -------------------------------------------------------------------------------------- */

static uint64_t run_mask(unsigned at, unsigned n)
{
    return (n >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << n) - 1) << at;
}

/* How many ones there are in `bits` from that one on. */
static unsigned run_at(uint64_t bits, unsigned at)
{
    return (unsigned)__builtin_ctzll(~(bits >> at)); /* slice 0 is never free */
}

/* Where the shortest run of n or more of these slices begins; there is one. */
static unsigned best_run(uint64_t free, unsigned n)
{
    unsigned best = 0, length = OURO__SLICES;
    for (unsigned at, have; free && length > n; free &= ~run_mask(at, have)) {
        at = (unsigned)__builtin_ctzll(free);
        have = run_at(free, at);
        if (have >= n && have < length) {
            best = at;
            length = have;
        }
    }
    return best;
}

static int64_t purge_delay(struct ouro__arena *arena)
{
    const struct ouro_runtime *runtime = ouro__arena_runtime(arena);
    return (int64_t)ouro__load(&runtime->options[OURO_OPTION_purge_delay]);
}

void ouro__dirty_in(struct ouro__chunk *chunk, uint64_t mask, int64_t now)
{
    struct ouro__arena *arena = chunk->arena;
    if (chunk->dirty == 0)
        chunk->dirty_since = now;
    ouro__slices_in(chunk, mask);
    ouro__slices_dirty(chunk, mask);
    int64_t due = chunk->dirty_since + purge_delay(arena);
    if (arena->purge_at == 0 || due < arena->purge_at)
        arena->purge_at = due;
}

/* -- purging ----------------------------------------------------------------------------------- */

struct run {
    struct ouro__chunk *chunk;
    unsigned at, n;
};

/* With the lock. Takes out a run of slices that has been dirty for long enough. */
static bool pick_dirty(struct ouro__arena *arena, struct run *run, bool all, int64_t now)
{
    int64_t delay = purge_delay(arena);
    arena->purge_at = 0;
    struct ouro__chunk *chunk = ouro__chunk_open(arena, OURO__DIRTY, OURO__WHOLE);
    for (; chunk; chunk = ouro__chunk_next(chunk, OURO__DIRTY)) {
        int64_t due = chunk->dirty_since + delay;
        if (!all && due > now) {
            arena->purge_at = arena->purge_at == 0 || due < arena->purge_at ? due : arena->purge_at;
            continue;
        }
        unsigned at = (unsigned)__builtin_ctzll(chunk->dirty), n = 1;
        while (at + n < OURO__SLICES && (chunk->dirty >> (at + n) & 1))
            n++;
        ouro__slices_out(chunk, run_mask(at, n));
        *run = (struct run){chunk, at, n};
        return true;
    }
    return false;
}

/* Whether more is dirty than so many eighths of what may be. */
static bool too_dirty(const struct ouro__arena *arena, size_t eighths)
{
    return arena->dirty_slices * OURO__SLICE_SIZE > ouro__idle_most(arena) / 8 * eighths;
}

void ouro__arena_purge(struct ouro__arena *arena, bool all)
{
    int64_t now = ouro__os_milliseconds();
    size_t bytes = 0;
    struct ouro__chunk *empty;
    struct run run;
    ouro__arena_lock(arena);
    bool much = too_dirty(arena, 8); /* then an eighth of it, and not a little each time */
    while (pick_dirty(arena, &run, all || (much && too_dirty(arena, 7)), now)) {
        ouro__arena_unlock(arena);
        size_t size = run.n * OURO__SLICE_SIZE;
        bool zero =
            ouro__regions_of(arena)->purge((char *)run.chunk + run.at * OURO__SLICE_SIZE, size);
        bytes += size;
        ouro__arena_lock(arena);
        if (zero)
            run.chunk->soiled &= ~run_mask(run.at, run.n);
        ouro__slices_in(run.chunk, run_mask(run.at, run.n));
    }
    while ((empty = ouro__chunk_spare(arena)) != NULL) {
        ouro__arena_unlock(arena);
        ouro__region_unmap(ouro__regions_of(arena), empty, OURO__CHUNK_SIZE);
        ouro__arena_lock(arena);
    }
    bool gone = arena->gone > 0, kept = all || ouro__kept_due(arena, now);
    ouro__arena_unlock(arena);
    if (gone)
        ouro__huge_sweep(arena);
    if (kept)
        bytes += ouro__kept_purge(arena, all);
    ouro__own.purged += bytes;
}

/* -- slices ------------------------------------------------------------------------------------ */

static struct ouro__page *describe(struct ouro__chunk *chunk, unsigned at, unsigned n)
{
    struct ouro__page *page = ouro__description(chunk, at);
    memset(page, 0, sizeof *page);
    page->start = (char *)chunk + at * OURO__SLICE_SIZE;
    page->slices = (uint8_t)n;
    for (unsigned i = 1; i < n; i++) { /* nobody reads more of them; their owner is 0 (A4) */
        struct ouro__page *inner = ouro__description(chunk, at + i);
        inner->kind = OURO__PAGE_INNER;
        inner->first = (uint8_t)at;
    }
    return page;
}

static struct ouro__page *take_locked(struct ouro__arena *arena, unsigned n)
{
    if (!ouro__arena_fits(arena, n * OURO__SLICE_SIZE))
        return NULL;
    struct ouro__chunk *chunk = ouro__chunk_with(arena, OURO__DIRTY, n);
    bool dirty = chunk != NULL; /* there is memory: that first */
    if (!chunk)
        chunk = ouro__chunk_with(arena, OURO__FREE, n);
    if (!chunk && !(chunk = ouro__chunk_make(arena)))
        return NULL;
    unsigned at = best_run(dirty ? chunk->dirty : chunk->free, n);
    uint64_t mask = run_mask(at, n);
    ouro__slices_out(chunk, mask);
    ouro__arena_count(arena, n * OURO__SLICE_SIZE);
    struct ouro__page *page = describe(chunk, at, n);
    page->zeroed = !(chunk->soiled & mask);
    chunk->soiled |= mask;
    return page;
}

/* With the lock: whether something is dirty for long enough. */
static bool purge_is_due(const struct ouro__arena *arena)
{
    if (arena->purge_at == 0 && arena->kept_at == 0)
        return false;
    int64_t now = ouro__os_milliseconds();
    return (arena->purge_at != 0 && arena->purge_at <= now) || ouro__kept_due(arena, now);
}

static struct ouro__page *unlock_and_purge(struct ouro__arena *arena, struct ouro__page *page)
{
    bool purge = purge_is_due(arena);
    ouro__arena_unlock(arena);
    if (OURO_UNLIKELY(purge))
        ouro__arena_purge(arena, false);
    return page;
}

void ouro__arena_tick(struct ouro__arena *arena)
{
    ouro__arena_lock(arena);
    unlock_and_purge(arena, NULL);
}

struct ouro__page *ouro__span_take(struct ouro__arena *arena, unsigned slices, size_t cell_at,
                                   unsigned tag)
{
    ouro__arena_lock(arena);
    struct ouro__page *page = take_locked(arena, slices);
    if (page) {
        page->kind = OURO__PAGE_SPAN;
        page->bytes = slices << OURO__SLICE_SHIFT;
        page->cell_at = (uint32_t)cell_at;
        page->tag = (uint8_t)tag;
        ouro__tool_writable(page->start, page->bytes);
        memset(page->start, 0, ouro__cell_offset(tag)); /* no header yet, for walks */
    }
    return unlock_and_purge(arena, page);
}

struct ouro__page *ouro__page_take(struct ouro__arena *arena, unsigned cls, unsigned tag)
{
    size_t bytes = ouro__class_size(cls);
    unsigned slices = bytes <= OURO__SMALL_MAX_SIZE ? 1 : 8;
    ouro__arena_lock(arena);
    struct ouro__page *page = take_locked(arena, slices);
    if (page) {
        page->kind = OURO__PAGE_BLOCKS;
        page->bytes = (uint32_t)bytes;
        page->inverse = bytes > 16 ? OURO__INVERSE(bytes) : 0;
        if (tag == OURO__RAW && bytes <= OURO__SMALL_MAX_SIZE)
            page->factor = OURO__FACTOR(bytes);
        page->limit = (uint32_t)(slices * OURO__SLICE_SIZE / bytes);
        page->cls = (uint8_t)cls;
        page->tag = (uint8_t)tag;
    }
    return unlock_and_purge(arena, page);
}

void ouro__slices_give(struct ouro__page *page)
{
    struct ouro__chunk *chunk =
        (struct ouro__chunk *)((uintptr_t)page & ~(uintptr_t)(OURO__CHUNK_SIZE - 1));
    unsigned at = (unsigned)(((uintptr_t)page - (uintptr_t)chunk) >> OURO__PAGE_SHIFT);
    unsigned n = page->slices;
    struct ouro__arena *arena = chunk->arena;
    int64_t now = ouro__os_milliseconds();
    ouro__arena_lock(arena);
    ouro__store(&page->pub.owner, 0);
    ouro__store(&page->owner_too, 0);
    for (unsigned i = 0; i < n; i++)
        ouro__description(chunk, at + i)->kind = OURO__PAGE_UNUSED;
    arena->used -= n * OURO__SLICE_SIZE;
    if (arena->walkers > 0)
        chunk->later |= run_mask(at, n); /* R6 */
    else
        ouro__dirty_in(chunk, run_mask(at, n), now);
    bool purge = (arena->purge_at != 0 && arena->purge_at <= now) || too_dirty(arena, 8) ||
                 ouro__kept_due(arena, now);
    ouro__arena_unlock(arena);
    if (purge)
        ouro__arena_purge(arena, false);
}
