/* SPDX-License-Identifier: MIT */
/* huge.c: blocks that have a mapping of their own: how they are taken, grow and are given back.
 * Those between two uses: kept.c. Their records are the process's (meta.c).
 *
 * A block may have less than its mapping: what lies behind it is for its growth. A block that
 * replaces a smaller one is likely to grow again: it gets address room for that, which costs
 * nothing until it is touched, or the largest mapping that is kept. So a vector that grows by a
 * constant factor is copied once in a while, and touches each page of its last size once. Where
 * address space is limited there is no such room: others in the process map memory too. What is
 * kept and too small for a block is enlarged for it: only what it lacks is new memory.
 *
 * All that is for the mmap supply: other supplies see each block come and go. Some keep memory
 * themselves, and only private anonymous mappings may be cut, enlarged and moved. */
#include "alloc/arena.h"

/* Room for growth: so many times the block, and so many bytes at most. */
#define AHEAD_TIMES 3
#define AHEAD_MOST  ((size_t)256 << 20)

static struct ouro__pool records = {NULL, sizeof(struct ouro__huge),
                                    offsetof(struct ouro__huge, next)};

static ouro_word immovable; /* the system refused to move memory */

static void link_in(struct ouro__arena *arena, struct ouro__huge *huge)
{
    huge->arena = arena;
    huge->gone = false;
    huge->prev = NULL;
    huge->next = arena->huges;
    if (arena->huges)
        arena->huges->prev = huge;
    arena->huges = huge;
}

static void unlink_it(struct ouro__huge *huge)
{
    if (huge->next)
        huge->next->prev = huge->prev;
    if (huge->prev)
        huge->prev->next = huge->next;
    else
        huge->arena->huges = huge->next;
}

static size_t up_to(size_t bytes, size_t unit)
{
    return (bytes + unit - 1) & ~(unit - 1);
}

/* -- taking ------------------------------------------------------------------------------------ */

/* The bytes to map for a block that may grow; at most so much that the sum stays a size. */
static size_t room_ahead(size_t mapped)
{
    size_t ahead = mapped < AHEAD_MOST / AHEAD_TIMES ? AHEAD_TIMES * mapped : AHEAD_MOST;
    if (ouro__os_space_is_limited())
        ahead = 0;
    return mapped < SIZE_MAX / 2 ? up_to(mapped + ahead, OURO__CHUNK_SIZE) : mapped;
}

static bool map_it(struct ouro__arena *arena, struct ouro__huge *huge, size_t room, size_t align)
{
    const struct ouro_supply *supply = ouro__regions_of(arena);
    align = align > OURO__CHUNK_SIZE ? align : OURO__CHUNK_SIZE;
    huge->base = ouro__region_map(supply, room, align);
    if (!huge->base)
        return false;
    huge->room = room;
    huge->dirty = 0;
    huge->since = 0;
    ouro__store(&huge->soiled, 0);
    ouro__arena_mapped(arena, room);
    return true;
}

static void cut(struct ouro__arena *arena, struct ouro__huge *huge, size_t room)
{
    ouro__os_unmap(huge->base + room, huge->room - room);
    arena->mapped -= huge->room - room;
    huge->room = room;
}

static struct ouro__huge *map_fresh(struct ouro__arena *arena, size_t mapped, size_t align,
                                    bool grows)
{
    struct ouro__huge *huge = ouro__pool_take(&records);
    if (!huge)
        return NULL;
    bool ahead = grows && ouro__is_elastic(arena) && !ouro__os_fills_maps();
    if (ahead && map_it(arena, huge, room_ahead(mapped), align))
        return huge;
    if (map_it(arena, huge, mapped, align))
        return huge;
    ouro__pool_give(&records, huge);
    return NULL;
}

/* Unmaps what is in no list, without the lock. */
void ouro__huge_unmap(const struct ouro__arena *arena, struct ouro__huge *huge)
{
    char *base = huge->base;
    size_t room = huge->room;
    ouro__pool_give(&records, huge);
    ouro__region_unmap(ouro__regions_of(arena), base, room);
}

static char *room_for_move(size_t room)
{
    return ouro__os_fills_maps() ? NULL : ouro_supply_mmap.map(room, OURO__CHUNK_SIZE);
}

/* A mapping goes into the place of the one at `to`, and is as large; false: it is as it was, and
 * that is gone. */
static bool move_pages(struct ouro__arena *arena, struct ouro__huge *huge, char *to, size_t room)
{
    const uint64_t mark = (uint64_t)(uintptr_t)huge ^ 0x9E3779B97F4A7C15u;
    memcpy(to, &mark, sizeof mark);
    if (!ouro__os_move(huge->base, huge->room, to, room)) {
        /* Some refusals come after it was unmapped: then it may be another's by now. Where the mark
         * still stands it is not. Once is enough. */
        if (ouro__os_holds(to, mark))
            ouro__os_unmap(to, room);
        ouro__store(&immovable, 1);
        return false;
    }
    ouro__arena_mapped(arena, room - huge->room);
    huge->base = to;
    huge->room = room;
    return true;
}

/* What is kept, but too small, with more room: the memory that it has need not be asked for again.
 * Nobody knows of it (T1), so it may move. */
static struct ouro__huge *enlarge_kept(struct ouro__arena *arena, size_t mapped, size_t align)
{
    if (align > OURO__CHUNK_SIZE || !ouro__is_elastic(arena) || ouro__load(&immovable))
        return NULL;
    struct ouro__huge *huge = ouro__kept_take_part(arena, mapped);
    if (!huge)
        return NULL;
    if (ouro__os_enlarge(huge->base, huge->room, mapped)) {
        ouro__arena_mapped(arena, mapped - huge->room);
        huge->room = mapped;
        return huge;
    }
    char *to = room_for_move(mapped);
    if (to && move_pages(arena, huge, to, mapped))
        return huge;
    arena->mapped -= huge->room;
    ouro__huge_unmap(arena, huge);
    return NULL;
}

static struct ouro__huge *take_locked(struct ouro__arena *arena, size_t mapped, size_t align,
                                      bool grows)
{
    if (!ouro__arena_fits(arena, mapped))
        return NULL;
    struct ouro__huge *huge = ouro__kept_take(arena, mapped, align, grows);
    if (!huge && !grows)
        huge = enlarge_kept(arena, mapped, align);
    if (!huge)
        huge = map_fresh(arena, mapped, align, grows);
    if (!huge)
        return NULL;
    ouro__store(&huge->mapped, mapped);
    if (ouro__map_set(huge->base, huge->room, (ouro_word)huge | OURO__MAP_HUGE)) {
        link_in(arena, huge);
        ouro__kept_count(huge, true);
        ouro__arena_count(arena, mapped);
        return huge;
    }
    ouro__map_set(huge->base, huge->room, 0);
    arena->mapped -= huge->room;
    ouro__huge_unmap(arena, huge);
    return NULL;
}

void *ouro__huge_take(struct ouro__arena *arena, size_t bytes, size_t align, unsigned tag,
                      bool grows)
{
    size_t offset = ouro__aligned_offset(tag, align);
    size_t mapped = up_to(bytes + offset, OURO__OS_PAGE);
    ouro__arena_lock(arena);
    struct ouro__huge *huge = take_locked(arena, mapped, align, grows);
    if (huge) {
        huge->tag = tag;
        huge->cell_at = offset;
        if (ouro__load(&huge->soiled) > 0)
            memset(huge->base, 0, ouro__cell_offset(tag)); /* no header yet, for walks */
    }
    bool purge = ouro__kept_due(arena, ouro__os_milliseconds());
    ouro__arena_unlock(arena);
    if (OURO_UNLIKELY(purge))
        ouro__arena_purge(arena, false);
    return huge ? huge->base + offset : NULL;
}

/* -- growing ----------------------------------------------------------------------------------- */

/* Makes the mapping larger where it is. */
static bool enlarge(struct ouro__arena *arena, struct ouro__huge *huge, size_t mapped)
{
    size_t room = up_to(mapped, OURO__CHUNK_SIZE);
    if (!ouro__is_elastic(arena) || !ouro__os_enlarge(huge->base, huge->room, room))
        return false;
    if (!ouro__map_set(huge->base, room, (ouro_word)huge | OURO__MAP_HUGE)) {
        ouro__map_set(huge->base, room, 0);
        ouro__map_set(huge->base, huge->room, (ouro_word)huge | OURO__MAP_HUGE);
        ouro__os_unmap(huge->base + huge->room, room - huge->room);
        return false;
    }
    ouro__arena_mapped(arena, room - huge->room);
    huge->room = room;
    return true;
}

/* Moves the mapping to where there is room. Nobody looks, and nobody begins to before the lock is
 * free: a walk finds it in its new place (R8). */
static bool move(struct ouro__arena *arena, struct ouro__huge *huge, size_t mapped)
{
    size_t room = room_ahead(mapped), was = huge->room;
    char *from = huge->base, *to = room_for_move(room);
    if (!to)
        return false;
    if (!ouro__map_set(to, room, 0)) { /* the entries first, for which there may be no memory */
        ouro__os_unmap(to, room);
        return false;
    }
    if (!move_pages(arena, huge, to, room))
        return false;
    ouro__map_set(from, was, 0);
    ouro__map_set(to, room, (ouro_word)huge | OURO__MAP_HUGE);
    return true;
}

static bool grow_locked(struct ouro__arena *arena, struct ouro__huge *huge, size_t mapped,
                        bool may_move)
{
    size_t more = mapped - huge->mapped;
    if (mapped <= huge->mapped || !ouro__arena_fits(arena, more))
        return false;
    may_move &= ouro__is_elastic(arena) && !ouro__load(&immovable) && !ouro__anybody_looks();
    if (mapped > huge->room && !enlarge(arena, huge, mapped) &&
        !(may_move && move(arena, huge, mapped)))
        return false;
    ouro__kept_count(huge, false);
    ouro__store(&huge->mapped, mapped);
    ouro__kept_count(huge, true);
    ouro__arena_count(arena, more);
    return true;
}

void *ouro__huge_grow(struct ouro__huge *huge, size_t bytes, bool may_move)
{
    struct ouro__arena *arena = huge->arena;
    size_t mapped = up_to(bytes + huge->cell_at, OURO__OS_PAGE);
    ouro__arena_lock(arena);
    bool grown = grow_locked(arena, huge, mapped, may_move);
    ouro__arena_unlock(arena);
    return grown ? huge->base + huge->cell_at : NULL;
}

bool ouro__huge_shrink(struct ouro__huge *huge, size_t bytes)
{
    struct ouro__arena *arena = huge->arena;
    size_t mapped = up_to(bytes + huge->cell_at, OURO__OS_PAGE);
    if (!ouro__is_elastic(arena))
        return false;
    ouro__arena_lock(arena);
    if (mapped < huge->mapped) {
        ouro__kept_count(huge, false);
        if (huge->dirty < huge->mapped)
            huge->dirty = huge->mapped;
        if (huge->soiled < huge->mapped)
            ouro__store(&huge->soiled, huge->mapped);
        huge->since = ouro__os_milliseconds();
        arena->used -= huge->mapped - mapped;
        ouro__store(&huge->mapped, mapped);
        ouro__kept_count(huge, true);
    }
    ouro__arena_unlock(arena);
    return true;
}

void ouro__huge_cut(struct ouro__arena *arena, struct ouro__huge *huge)
{
    size_t mapped = huge->mapped, left = up_to(mapped, OURO__CHUNK_SIZE);
    if (!ouro__is_elastic(arena) || huge->gone || huge->room == mapped)
        return;
    ouro__kept_count(huge, false);
    if (huge->room > left)
        ouro__map_set(huge->base + left, huge->room - left, 0);
    cut(arena, huge, mapped);
    if (huge->dirty > mapped)
        huge->dirty = mapped;
    if (huge->soiled > mapped)
        ouro__store(&huge->soiled, mapped);
    ouro__kept_count(huge, true);
}

/* -- giving back ------------------------------------------------------------------------------- */

/* With the lock, nobody looking: what is in the list of blocks goes, with the lock free
 * meanwhile. */
static void unmap_unlocking(struct ouro__arena *arena, struct ouro__huge *huge)
{
    unlink_it(huge);
    arena->mapped -= huge->room;
    ouro__arena_unlock(arena);
    ouro__huge_unmap(arena, huge);
}

void ouro__huge_give(struct ouro__huge *huge)
{
    struct ouro__arena *arena = huge->arena;
    int64_t now = ouro__os_milliseconds();
    ouro__arena_lock(arena);
    ouro__map_set(huge->base, huge->room, 0);
    ouro__kept_count(huge, false);
    arena->used -= huge->mapped;
    if (ouro__anybody_looks()) { /* R7 */
        huge->gone = true;
        arena->gone++;
        ouro__arena_unlock(arena);
        return;
    }
    bool others = arena->gone > 0;
    if (ouro__kept_wants(arena, huge)) {
        unlink_it(huge);
        ouro__kept_give(arena, huge, now);
        others |= ouro__kept_due(arena, now);
        ouro__arena_unlock(arena);
    } else {
        unmap_unlocking(arena, huge);
    }
    if (OURO_UNLIKELY(others))
        ouro__arena_purge(arena, false);
}

void ouro__huge_sweep(struct ouro__arena *arena)
{
    for (;;) {
        ouro__arena_lock(arena);
        struct ouro__huge *huge = arena->gone > 0 && !ouro__anybody_looks() ? arena->huges : NULL;
        while (huge && !huge->gone)
            huge = huge->next;
        if (!huge) {
            ouro__arena_unlock(arena);
            return;
        }
        arena->gone--;
        unmap_unlocking(arena, huge);
    }
}

void ouro__huges_drop(struct ouro__arena *arena)
{
    ouro__kept_purge(arena, true);
    for (;;) {
        ouro__arena_lock(arena);
        struct ouro__huge *huge = arena->huges;
        if (!huge) {
            ouro__arena_unlock(arena);
            return;
        }
        if (!huge->gone) {
            ouro__map_set(huge->base, huge->room, 0);
            ouro__kept_count(huge, false);
        }
        unmap_unlocking(arena, huge);
    }
}
