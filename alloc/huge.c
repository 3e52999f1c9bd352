/* SPDX-License-Identifier: MIT */
/* huge.c: blocks that have a mapping of their own. Their records are the process's (meta.c). */
#include "alloc/arena.h"

static struct ouro__pool records = {NULL, sizeof(struct ouro__huge),
                                    offsetof(struct ouro__huge, next)};

static void link_in(struct ouro__arena *arena, struct ouro__huge *huge)
{
    huge->arena = arena;
    huge->gone = false;
    huge->prev = NULL;
    huge->next = arena->huges;
    if (arena->huges)
        arena->huges->prev = huge;
    arena->huges = huge;
    arena->mapped += huge->mapped;
}

static void unlink_it(struct ouro__huge *huge)
{
    if (huge->next)
        huge->next->prev = huge->prev;
    if (huge->prev)
        huge->prev->next = huge->next;
    else
        huge->arena->huges = huge->next;
    huge->arena->mapped -= huge->mapped;
}

static struct ouro__huge *take_locked(struct ouro__arena *arena, size_t mapped, size_t align)
{
    if (!ouro__arena_fits(arena, mapped))
        return NULL;
    struct ouro__huge *huge = ouro__pool_take(&records);
    if (!huge)
        return NULL;
    const struct ouro_supply *supply = ouro__regions_of(arena);
    align = align > OURO__CHUNK_SIZE ? align : OURO__CHUNK_SIZE;
    huge->base = ouro__region_map(supply, mapped, align);
    huge->mapped = mapped;
    if (huge->base && ouro__map_set(huge->base, mapped, (ouro_word)huge | OURO__MAP_HUGE)) {
        link_in(arena, huge);
        ouro__arena_count(arena, mapped);
        return huge;
    }
    if (huge->base) {
        ouro__map_set(huge->base, mapped, 0);
        ouro__region_unmap(supply, huge->base, mapped);
    }
    ouro__pool_give(&records, huge);
    return NULL;
}

void *ouro__huge_take(struct ouro__arena *arena, size_t bytes, size_t align, unsigned tag)
{
    size_t offset = ouro__aligned_offset(tag, align);
    size_t mapped = (bytes + offset + OURO__OS_PAGE - 1) & ~(OURO__OS_PAGE - 1);
    ouro__arena_lock(arena);
    struct ouro__huge *huge = take_locked(arena, mapped, align);
    if (huge) {
        huge->tag = tag;
        huge->cell_at = offset;
    }
    ouro__arena_unlock(arena);
    return huge ? huge->base + offset : NULL;
}

/* Unlinks a block that nobody looks at and gives its mapping back, with the lock and without. */
static void unmap_unlocking(struct ouro__arena *arena, struct ouro__huge *huge)
{
    char *base = huge->base;
    size_t mapped = huge->mapped;
    unlink_it(huge);
    ouro__arena_unlock(arena);
    ouro__pool_give(&records, huge);
    ouro__region_unmap(ouro__regions_of(arena), base, mapped);
}

void ouro__huge_give(struct ouro__huge *huge)
{
    struct ouro__arena *arena = huge->arena;
    ouro__arena_lock(arena);
    ouro__map_set(huge->base, huge->mapped, 0);
    arena->used -= huge->mapped;
    if (ouro__anybody_looks()) { /* R7 */
        huge->gone = true;
        arena->gone++;
        ouro__arena_unlock(arena);
        return;
    }
    bool others = arena->gone > 0;
    unmap_unlocking(arena, huge);
    if (others)
        ouro__huge_sweep(arena);
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
    for (;;) {
        ouro__arena_lock(arena);
        struct ouro__huge *huge = arena->huges;
        if (!huge) {
            ouro__arena_unlock(arena);
            return;
        }
        if (!huge->gone)
            ouro__map_set(huge->base, huge->mapped, 0);
        unmap_unlocking(arena, huge);
    }
}
