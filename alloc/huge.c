/* SPDX-License-Identifier: MIT */
/* huge.c: blocks that have a mapping of their own. */
#include "alloc/arena.h"

static void link_in(struct ouro__huge *huge)
{
    struct ouro__arena *arena = &ouro__arena;
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
        ouro__arena.huges = huge->next;
}

static void record_give(struct ouro__huge *huge)
{
    huge->next = ouro__arena.huge_spares;
    ouro__arena.huge_spares = huge;
}

static struct ouro__huge *record_take(void)
{
    struct ouro__huge *huge = ouro__arena.huge_spares;
    if (huge)
        ouro__arena.huge_spares = huge->next;
    else
        huge = ouro__meta_take_locked(sizeof *huge);
    return huge;
}

static struct ouro__huge *take_locked(size_t mapped, size_t align)
{
    if (!ouro__arena_fits(mapped))
        return NULL;
    struct ouro__huge *huge = record_take();
    if (!huge)
        return NULL;
    huge->base = ouro__region_map(mapped, align > OURO__CHUNK_SIZE ? align : OURO__CHUNK_SIZE);
    huge->mapped = mapped;
    if (huge->base && ouro__map_set(huge->base, mapped, (ouro_word)huge | OURO__MAP_HUGE)) {
        link_in(huge);
        ouro__arena_count(mapped);
        return huge;
    }
    if (huge->base) {
        ouro__map_set(huge->base, mapped, 0);
        ouro__region_unmap(huge->base, mapped);
    }
    record_give(huge);
    return NULL;
}

void *ouro__huge_take(size_t bytes, size_t align, unsigned tag)
{
    size_t offset = ouro__aligned_offset(tag, align);
    size_t mapped = (bytes + offset + OURO__OS_PAGE - 1) & ~(OURO__OS_PAGE - 1);
    ouro__arena_lock();
    struct ouro__huge *huge = take_locked(mapped, align);
    if (huge) {
        huge->tag = tag;
        huge->cell_at = offset;
    }
    ouro__arena_unlock();
    return huge ? huge->base + offset : NULL;
}

void ouro__huge_give(struct ouro__huge *huge)
{
    struct ouro__arena *arena = &ouro__arena;
    ouro__arena_lock();
    char *base = huge->base;
    size_t mapped = huge->mapped;
    bool later = arena->walkers > 0; /* R6 */
    ouro__map_set(base, mapped, 0);
    arena->used -= mapped;
    if (later) {
        huge->gone = true;
    } else {
        unlink_it(huge);
        arena->mapped -= mapped;
        record_give(huge);
    }
    ouro__arena_unlock();
    if (!later)
        ouro__region_unmap(base, mapped);
}

/* Unmaps what was given back during a walk. */
void ouro__huge_sweep(void)
{
    struct ouro__arena *arena = &ouro__arena;
    for (;;) {
        ouro__arena_lock();
        struct ouro__huge *huge = arena->walkers ? NULL : arena->huges;
        while (huge && !huge->gone)
            huge = huge->next;
        if (!huge) {
            ouro__arena_unlock();
            return;
        }
        char *base = huge->base;
        size_t mapped = huge->mapped;
        unlink_it(huge);
        arena->mapped -= mapped;
        record_give(huge);
        ouro__arena_unlock();
        ouro__region_unmap(base, mapped);
    }
}
