/* SPDX-License-Identifier: MIT */
/* aside.c: a collection of a part of a thread's bare candidates: the others are set aside
 * meanwhile, with the index KEPT (orc/index.h). */
#include "alloc/pool.h"
#include "orc/cycle.h"
#include "orc/index.h"

/* Entries `from` .. of an array of candidates get the indices at `first` ..; those that other
 * threads disposed of are left out. Returns how many there are. */
static uint32_t index_all(struct ouro__entry *from, uint32_t count, uint32_t first)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (ouro__index_move(from[i].object, first + kept + 1))
            from[kept++] = from[i];
    }
    return kept;
}

/* Others know nothing of KEPT when they are dropped. */
static bool are_bare(const struct ouro__entry *entries, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const void *object = entries[i].object;
        if (!ouro__is_traced_bare(ouro__load(&ouro__header(object)->shared)))
            return false;
    }
    return true;
}

static void set_aside(struct ouro__visited *v, uint32_t limit)
{
    struct ouro__entry *aside = ouro__realloc_alone(NULL, limit * sizeof *aside);
    if (!aside)
        return;
    for (uint32_t i = 0; i < limit; i++) {
        aside[i] = v->entries[i];
        if (!ouro__index_move(aside[i].object, OURO__KEPT))
            aside[i].object = NULL;
    }
    v->aside = aside;
    v->aside_count = limit;
    memmove(v->entries, v->entries + limit, (v->count - limit) * sizeof *v->entries);
    v->count = v->live_places = index_all(v->entries, v->count - limit, 0);
}

/* In front of what came since. */
static void put_back(struct ouro__thread *me, struct ouro__entry *aside, uint32_t limit)
{
    struct ouro__visited *v = &me->visited;
    uint32_t newer = v->count, kept = 0;
    for (uint32_t i = 0; i < limit; i++) {
        if (!aside[i].object)
            continue;
        uint32_t before = v->live_places;
        ouro__remember_again(me, aside[i].object);
        if (v->live_places > before)
            aside[kept++] = aside[i];
    }
    if (v->free_place || v->count != newer + kept)
        return; /* in another order, for want of memory */
    memmove(v->entries + kept, v->entries, newer * sizeof *v->entries);
    memcpy(v->entries, aside, kept * sizeof *aside);
    v->count = v->live_places = index_all(v->entries, newer + kept, 0);
}

/* Runs no code of the program's, so that nothing leaves here. */
void ouro__aside_back(struct ouro__thread *me)
{
    struct ouro__visited *v = &me->visited;
    if (!v->aside)
        return;
    put_back(me, v->aside, v->aside_count);
    ouro_free(v->aside);
    v->aside = NULL;
}

/* What is aside stands in the record: a hook may leave (unwind.c). */
void ouro__collect_above(struct ouro__thread *me, uint32_t limit)
{
    struct ouro__visited *v = &me->visited;
    if (v->live_places <= limit)
        return;
    bool in_order = v->free_place == 0 && v->claimed == 0 && !v->collecting;
    bool apart = limit > 0 && in_order && !v->aside && are_bare(v->entries, limit);
    if (apart)
        set_aside(v, limit);
    (void)ouro_collect(NULL);
    if (apart)
        ouro__aside_back(me);
}
