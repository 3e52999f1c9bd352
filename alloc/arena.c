/* SPDX-License-Identifier: MIT */
/* arena.c: chunks of slices, spans of slices, huge blocks, and the map from addresses to them.
 *
 * One lock guards all of it. It is taken once per page of 64 KiB or more, never per block.
 *
 * Invariants, under the lock:
 *  R1  A bit of chunk->free is set exactly for the slices that are described as UNUSED; slice 0
 *      never is.
 *  R2  dirty is a part of free: slices that may still hold memory.
 *  R3  A chunk is in the list `open` exactly while free is not 0.
 *  R4  used = bytes of all slices in use + bytes of all huge blocks; used <= limit after each take.
 *  R5  The map tells for each 4 MiB of addresses: nothing, a chunk, or a huge block. It is read
 *      without the lock; entries are published by release, and an address that a caller may ask
 *      about is in use, so its entry does not change meanwhile.
 */
#include "alloc/heap.h"
#include "alloc/options.h"
#include "alloc/os.h"
#include "alloc/pool.h"

struct ouro__chunk {
    struct ouro__chunk *next, *prev; /* in `open` */
    struct ouro__chunk *all_next, *all_prev;
    uint64_t free, dirty;
    int64_t dirty_since;
};
OURO_STATIC_ASSERT(sizeof(struct ouro__chunk) <= sizeof(struct ouro__page), "slice 0's description");

struct ouro__huge {
    char *base;
    size_t mapped; /* bytes of the mapping, a multiple of 4096 */
    unsigned tag;
    struct ouro__huge *next, *prev;
};

#define MAP_LEAF_SHIFT 12
#define MAP_ROOT       ((size_t)1 << (47 - OURO__CHUNK_SHIFT - MAP_LEAF_SHIFT))
#define MAP_HUGE       ((ouro_word)1)

static struct {
    ouro__mutex lock;
    struct ouro__chunk *open, *chunks;
    struct ouro__huge *huges, *huge_spares;
    size_t limit, used, peak, mapped, chunk_count;
    ouro_memory_callback *callback;
    void *callback_arg;
    int64_t purge_at; /* 0: nothing is dirty */
    char *meta, *meta_end;
} arena = {.lock = OURO__MUTEX_INIT};

static ouro_word map_root[MAP_ROOT];

/* -- the map ----------------------------------------------------------------------------------- */

static ouro_word map_get(const void *p)
{
    uintptr_t chunk = (uintptr_t)p >> OURO__CHUNK_SHIFT;
    if (chunk >> MAP_LEAF_SHIFT >= MAP_ROOT)
        return 0;
    const ouro_word *leaf = (const ouro_word *)ouro__load_acquire(&map_root[chunk >> MAP_LEAF_SHIFT]);
    if (!leaf)
        return 0;
    return ouro__load_acquire(&leaf[chunk & (((uintptr_t)1 << MAP_LEAF_SHIFT) - 1)]);
}

static bool map_set(const char *base, size_t size, ouro_word what)
{
    for (size_t at = 0; at < size; at += OURO__CHUNK_SIZE) {
        uintptr_t chunk = (uintptr_t)(base + at) >> OURO__CHUNK_SHIFT;
        if (chunk >> MAP_LEAF_SHIFT >= MAP_ROOT)
            return false;
        ouro_word *root = &map_root[chunk >> MAP_LEAF_SHIFT];
        ouro_word *leaf = (ouro_word *)ouro__load(root);
        if (!leaf) {
            leaf = ouro__os_map(NULL, sizeof(ouro_word) << MAP_LEAF_SHIFT, OURO__OS_PAGE);
            if (!leaf)
                return false;
            ouro__store_release(root, (ouro_word)leaf);
        }
        ouro__store_release(&leaf[chunk & (((uintptr_t)1 << MAP_LEAF_SHIFT) - 1)], what);
    }
    return true;
}

/* -- limits ------------------------------------------------------------------------------------ */

static bool fits(size_t bytes)
{
    return arena.limit == 0 || (bytes <= arena.limit && arena.used <= arena.limit - bytes);
}

static void count_used(size_t bytes)
{
    arena.used += bytes;
    if (arena.used > arena.peak)
        arena.peak = arena.used;
}

/* Asks the program for memory, without the lock; true: try once more. */
static bool plead(size_t bytes)
{
    ouro__lock(&arena.lock);
    ouro_memory_callback *callback = arena.callback;
    void *arg = arena.callback_arg;
    ouro__unlock(&arena.lock);
    return callback && callback(bytes, arg);
}

void ouro_set_limit(size_t bytes, ouro_memory_callback *callback, void *arg)
{
    ouro_option_set("limit", bytes > INT64_MAX ? INT64_MAX : (int64_t)bytes);
    ouro__lock(&arena.lock);
    arena.callback = callback;
    arena.callback_arg = arg;
    ouro__unlock(&arena.lock);
}

void ouro__arena_limit_changed(void)
{
    size_t limit = (size_t)ouro_option_get(OURO_OPTION_limit);
    ouro__lock(&arena.lock);
    arena.limit = limit;
    ouro__unlock(&arena.lock);
}

/* -- chunks ------------------------------------------------------------------------------------ */

static void open_insert(struct ouro__chunk *chunk)
{
    chunk->prev = NULL;
    chunk->next = arena.open;
    if (arena.open)
        arena.open->prev = chunk;
    arena.open = chunk;
}

static void open_remove(struct ouro__chunk *chunk)
{
    if (chunk->next)
        chunk->next->prev = chunk->prev;
    if (chunk->prev)
        chunk->prev->next = chunk->next;
    else
        arena.open = chunk->next;
}

static struct ouro__chunk *chunk_make(void)
{
    char *base = ouro__supply()->map(OURO__CHUNK_SIZE, OURO__CHUNK_SIZE);
    if (!base)
        return NULL;
    if (!map_set(base, OURO__CHUNK_SIZE, (ouro_word)base)) {
        ouro__supply()->unmap(base, OURO__CHUNK_SIZE);
        return NULL;
    }
    struct ouro__chunk *chunk = (struct ouro__chunk *)base;
    chunk->free = ~(uint64_t)1;
    chunk->all_prev = NULL;
    chunk->all_next = arena.chunks;
    if (arena.chunks)
        arena.chunks->all_prev = chunk;
    arena.chunks = chunk;
    arena.mapped += OURO__CHUNK_SIZE;
    arena.chunk_count++;
    open_insert(chunk);
    return chunk;
}

static void chunk_drop(struct ouro__chunk *chunk)
{
    open_remove(chunk);
    if (chunk->all_next)
        chunk->all_next->all_prev = chunk->all_prev;
    if (chunk->all_prev)
        chunk->all_prev->all_next = chunk->all_next;
    else
        arena.chunks = chunk->all_next;
    map_set((char *)chunk, OURO__CHUNK_SIZE, 0);
    arena.mapped -= OURO__CHUNK_SIZE;
    arena.chunk_count--;
    ouro__supply()->unmap(chunk, OURO__CHUNK_SIZE);
}

/* Index of the first run of n free slices, or -1. */
static int find_run(uint64_t free, unsigned n)
{
    for (unsigned have = 1; have < n && free;) {
        unsigned step = n - have < have ? n - have : have;
        free &= free >> step;
        have += step;
    }
    return free ? __builtin_ctzll(free) : -1;
}

static uint64_t run_mask(unsigned at, unsigned n)
{
    return (n >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << n) - 1) << at;
}

/* -- purging ----------------------------------------------------------------------------------- */

static size_t purge_chunk(struct ouro__chunk *chunk)
{
    size_t bytes = 0;
    while (chunk->dirty) {
        unsigned at = (unsigned)__builtin_ctzll(chunk->dirty), n = 1;
        while (at + n < OURO__SLICES && (chunk->dirty >> (at + n) & 1))
            n++;
        ouro__supply()->purge((char *)chunk + at * OURO__SLICE_SIZE, n * OURO__SLICE_SIZE);
        chunk->dirty &= ~run_mask(at, n);
        bytes += n * OURO__SLICE_SIZE;
    }
    return bytes;
}

/* With the lock. Purges what has been dirty for long enough; keeps one empty chunk. */
static size_t purge_locked(bool all, int64_t now)
{
    int64_t delay = ouro_option_get(OURO_OPTION_purge_delay);
    size_t bytes = 0;
    bool spare = false;
    arena.purge_at = 0;
    for (struct ouro__chunk *chunk = arena.open, *next; chunk; chunk = next) {
        next = chunk->next;
        if (chunk->dirty && (all || chunk->dirty_since + delay <= now))
            bytes += purge_chunk(chunk);
        if (chunk->dirty) {
            int64_t due = chunk->dirty_since + delay;
            arena.purge_at = arena.purge_at == 0 || due < arena.purge_at ? due : arena.purge_at;
        } else if (chunk->free == ~(uint64_t)1) {
            if (spare)
                chunk_drop(chunk);
            spare = true;
        }
    }
    return bytes;
}

size_t ouro__arena_purge(bool all)
{
    int64_t now = ouro__os_milliseconds();
    ouro__lock(&arena.lock);
    size_t bytes = purge_locked(all, now);
    ouro__unlock(&arena.lock);
    return bytes;
}

/* -- slices ------------------------------------------------------------------------------------ */

static struct ouro__page *describe(struct ouro__chunk *chunk, unsigned at, unsigned n)
{
    struct ouro__page *page = (struct ouro__page *)((char *)chunk + ((size_t)at << OURO__PAGE_SHIFT));
    memset(page, 0, sizeof *page);
    page->start = (char *)chunk + at * OURO__SLICE_SIZE;
    page->slices = (uint8_t)n;
    page->kind = OURO__PAGE_SPAN;
    page->bytes = n * OURO__SLICE_SIZE;
    for (unsigned i = 1; i < n; i++) {
        struct ouro__page *inner =
            (struct ouro__page *)((char *)chunk + ((size_t)(at + i) << OURO__PAGE_SHIFT));
        memset(inner, 0, sizeof *inner);
        inner->kind = OURO__PAGE_INNER;
        inner->first = (uint8_t)at;
    }
    return page;
}

static struct ouro__page *take_locked(unsigned n)
{
    size_t bytes = n * OURO__SLICE_SIZE;
    if (!fits(bytes))
        return NULL;
    struct ouro__chunk *chunk = arena.open;
    int at = -1;
    while (chunk && (at = find_run(chunk->free, n)) < 0)
        chunk = chunk->next;
    if (!chunk) {
        chunk = chunk_make();
        if (!chunk)
            return NULL;
        at = find_run(chunk->free, n);
    }
    uint64_t mask = run_mask((unsigned)at, n);
    chunk->free &= ~mask;
    chunk->dirty &= ~mask;
    if (chunk->free == 0)
        open_remove(chunk);
    count_used(bytes);
    return describe(chunk, (unsigned)at, n);
}

struct ouro__page *ouro__slices_take(unsigned slices)
{
    for (;;) {
        ouro__lock(&arena.lock);
        struct ouro__page *page = take_locked(slices);
        ouro__unlock(&arena.lock);
        if (page || !plead(slices * OURO__SLICE_SIZE))
            return page;
    }
}

void ouro__slices_give(struct ouro__page *page)
{
    struct ouro__chunk *chunk =
        (struct ouro__chunk *)((uintptr_t)page & ~(uintptr_t)(OURO__CHUNK_SIZE - 1));
    unsigned at = (unsigned)(((uintptr_t)page - (uintptr_t)chunk) >> OURO__PAGE_SHIFT);
    unsigned n = page->slices;
    int64_t now = ouro__os_milliseconds();
    ouro__lock(&arena.lock);
    for (unsigned i = 0; i < n; i++) {
        struct ouro__page *slice =
            (struct ouro__page *)((char *)chunk + ((size_t)(at + i) << OURO__PAGE_SHIFT));
        slice->pub.owner = NULL;
        slice->kind = OURO__PAGE_UNUSED;
    }
    if (chunk->free == 0)
        open_insert(chunk);
    if (chunk->dirty == 0)
        chunk->dirty_since = now;
    chunk->free |= run_mask(at, n);
    chunk->dirty |= run_mask(at, n);
    arena.used -= n * OURO__SLICE_SIZE;
    int64_t due = chunk->dirty_since + ouro_option_get(OURO_OPTION_purge_delay);
    if (arena.purge_at == 0 || due < arena.purge_at)
        arena.purge_at = due;
    if (arena.purge_at <= now)
        purge_locked(false, now);
    ouro__unlock(&arena.lock);
}

/* -- huge blocks ------------------------------------------------------------------------------- */

static void *meta_take_locked(size_t bytes);

static struct ouro__huge *huge_record(void)
{
    struct ouro__huge *huge = arena.huge_spares;
    if (huge)
        arena.huge_spares = huge->next;
    else
        huge = meta_take_locked(sizeof *huge);
    return huge;
}

static struct ouro__huge *huge_take_locked(size_t mapped, size_t align, unsigned tag)
{
    if (!fits(mapped))
        return NULL;
    struct ouro__huge *huge = huge_record();
    if (!huge)
        return NULL;
    huge->base = ouro__supply()->map(mapped, align > OURO__CHUNK_SIZE ? align : OURO__CHUNK_SIZE);
    if (!huge->base || !map_set(huge->base, mapped, (ouro_word)huge | MAP_HUGE)) {
        if (huge->base) {
            map_set(huge->base, mapped, 0);
            ouro__supply()->unmap(huge->base, mapped);
        }
        huge->next = arena.huge_spares;
        arena.huge_spares = huge;
        return NULL;
    }
    huge->mapped = mapped;
    huge->tag = tag;
    huge->prev = NULL;
    huge->next = arena.huges;
    if (arena.huges)
        arena.huges->prev = huge;
    arena.huges = huge;
    arena.mapped += mapped;
    count_used(mapped);
    return huge;
}

void *ouro__huge_take(size_t bytes, size_t align, unsigned tag)
{
    size_t offset = ouro__aligned_offset(tag, align);
    if (bytes > SIZE_MAX / 4 || align > SIZE_MAX / 4)
        return NULL;
    size_t mapped = (bytes + offset + OURO__OS_PAGE - 1) & ~(OURO__OS_PAGE - 1);
    for (;;) {
        ouro__lock(&arena.lock);
        struct ouro__huge *huge = huge_take_locked(mapped, align, tag);
        ouro__unlock(&arena.lock);
        if (huge)
            return huge->base + offset;
        if (!plead(mapped))
            return NULL;
    }
}

void ouro__huge_give(struct ouro__huge *huge)
{
    ouro__lock(&arena.lock);
    map_set(huge->base, huge->mapped, 0);
    char *base = huge->base;
    size_t mapped = huge->mapped;
    arena.used -= mapped;
    arena.mapped -= mapped;
    if (huge->next)
        huge->next->prev = huge->prev;
    if (huge->prev)
        huge->prev->next = huge->next;
    else
        arena.huges = huge->next;
    huge->next = arena.huge_spares;
    arena.huge_spares = huge;
    ouro__unlock(&arena.lock);
    ouro__supply()->unmap(base, mapped);
}

/* -- places ------------------------------------------------------------------------------------ */

static struct ouro__place place_in_page(struct ouro__page *page, const char *p)
{
    struct ouro__place place = {.kind = OURO__PAGE_UNUSED};
    if (page->kind == OURO__PAGE_INNER)
        page -= (((uintptr_t)page >> OURO__PAGE_SHIFT) & (OURO__SLICES - 1)) - page->first;
    if (page->kind == OURO__PAGE_UNUSED)
        return place;
    place.page = page;
    place.tag = page->tag;
    place.bytes = page->bytes;
    size_t index = page->kind == OURO__PAGE_SPAN ? 0 : (size_t)(p - page->start) / page->bytes;
    if (page->kind == OURO__PAGE_BLOCKS && index >= page->capacity)
        return place;
    place.kind = (enum ouro__page_kind)page->kind;
    place.block = page->start + index * page->bytes;
    return place;
}

struct ouro__place ouro__place_of(const void *p)
{
    struct ouro__place place = {.kind = OURO__PAGE_UNUSED};
    ouro_word what = map_get(p);
    if (what & MAP_HUGE) {
        struct ouro__huge *huge = (struct ouro__huge *)(what & ~MAP_HUGE);
        if ((const char *)p >= huge->base + huge->mapped)
            return place;
        place.kind = OURO__PAGE_SPAN;
        place.huge = huge;
        place.block = huge->base;
        place.bytes = huge->mapped;
        place.tag = huge->tag;
        return place;
    }
    if (!what || ((uintptr_t)p & (OURO__CHUNK_SIZE - 1)) < OURO__SLICE_SIZE)
        return place;
    return place_in_page(ouro__page_whole(ouro__page_of(p)), p);
}

void ouro__arena_each(unsigned tag, void (*visit)(const struct ouro__place *place, void *arg),
                      void *arg)
{
    for (struct ouro__chunk *chunk = arena.chunks; chunk; chunk = chunk->all_next) {
        for (unsigned i = 1; i < OURO__SLICES; i++) {
            struct ouro__page *page =
                (struct ouro__page *)((char *)chunk + ((size_t)i << OURO__PAGE_SHIFT));
            if (chunk->free >> i & 1 || page->kind == OURO__PAGE_INNER || page->tag != tag)
                continue;
            struct ouro__place place = {(enum ouro__page_kind)page->kind, page, NULL, page->start,
                                        page->bytes, tag};
            visit(&place, arg);
        }
    }
    for (struct ouro__huge *huge = arena.huges; huge; huge = huge->next) {
        if (huge->tag != tag)
            continue;
        struct ouro__place place = {OURO__PAGE_SPAN, NULL, huge, huge->base, huge->mapped, tag};
        visit(&place, arg);
    }
}

/* -- metadata, figures, fork ------------------------------------------------------------------- */

static void *meta_take_locked(size_t bytes)
{
    bytes = (bytes + 63) & ~(size_t)63;
    if ((size_t)(arena.meta_end - arena.meta) < bytes) {
        size_t room = bytes > ((size_t)64 << 10) ? (bytes + 4095) & ~(size_t)4095 : (size_t)64 << 10;
        char *fresh = ouro__os_map(NULL, room, OURO__OS_PAGE);
        if (!fresh)
            return NULL;
        arena.meta = fresh;
        arena.meta_end = fresh + room;
    }
    char *p = arena.meta;
    arena.meta += bytes;
    return p;
}

void *ouro__meta_take(size_t bytes)
{
    ouro__lock(&arena.lock);
    void *p = meta_take_locked(bytes);
    ouro__unlock(&arena.lock);
    return p;
}

void ouro__arena_figures(struct ouro__arena_figures *figures)
{
    ouro__lock(&arena.lock);
    figures->mapped = arena.mapped;
    figures->used = arena.used;
    figures->peak_used = arena.peak;
    figures->chunks = arena.chunk_count;
    ouro__unlock(&arena.lock);
}

void ouro__arena_before_fork(void)
{
    ouro__lock(&arena.lock);
}

void ouro__arena_after_fork(bool child)
{
    if (child)
        ouro__mutex_reset(&arena.lock);
    else
        ouro__unlock(&arena.lock);
}
