/* SPDX-License-Identifier: MIT */
/* candidate.c: the candidate roots of a thread (Bacon and Rajan 2001, "possible roots").
 *
 * They stand in the visited array, where a capture goes on from: entry i holds the object whose
 * visited word is i + 1. Places of candidates that died are linked and used again.
 *
 *  C1  Between collections, entry i < count is a candidate with visited == i + 1, or a free place.
 *  C2  An entry that is CLAIMED is a merged object with Q set; it owns one reference. Any other is
 *      held by this thread and owns none: it is forgotten before the object dies or is merged.
 *      A thread that ends leaves its claims to whoever collects next.
 *  C3  Only this thread, or who has it in MERGING, touches the array. While it grows, and while
 *      what is in it is looked at, the memory callback is not called. */
#include "alloc/own.h"
#include "alloc/pool.h"
#include "orc/index.h"

void *ouro__realloc_alone(void *block, size_t size)
{
    bool pleading = ouro__own.pleading;
    ouro__own.pleading = true;
    void *fresh = ouro_realloc(block, size);
    ouro__own.pleading = pleading;
    return fresh;
}

bool ouro__visited_grow(struct ouro__visited *v)
{
    uint32_t capacity = v->capacity ? v->capacity * 2 : 256;
    if (capacity > OURO__ENTRY_INDEX)
        return false;
    struct ouro__entry *entries = ouro__realloc_alone(v->entries, capacity * sizeof *entries);
    if (!entries)
        return false;
    v->entries = entries;
    v->capacity = capacity;
    return true;
}

bool ouro__unclaim(void *object)
{
    struct ouro_header *h = ouro__header(object);
    ouro_word b = ouro__load(&h->shared);
    /* Full, as each decref of a merged object: pairs with all others (docs/counts.md, f). */
    while (!ouro__cas_full(&h->shared, &b, (b & ~OURO__QUEUED) - OURO__UNIT))
        continue;
    return ouro__count_of(b) == 1 && !(b & OURO__IMMORTAL);
}

static uint32_t place_for(struct ouro__thread *holder)
{
    struct ouro__visited *v = &holder->visited;
    if (v->free_place) {
        uint32_t place = v->free_place;
        v->free_place = v->entries[place - 1].link;
        return place;
    }
    if (v->count == v->capacity && (holder != ouro__self || !ouro__visited_grow(v)))
        return 0;
    return ++v->count;
}

bool ouro__remember(struct ouro__thread *holder, void *object, bool claimed)
{
    struct ouro__visited *v = &holder->visited;
    uint32_t place = place_for(holder);
    if (OURO_UNLIKELY(place == 0)) {
        v->lost = true;
        ouro__lost_set(holder->orc);
        return false;
    }
    v->entries[place - 1] = (struct ouro__entry){object, 0, claimed ? OURO__ENTRY_CLAIMED : 0};
    v->live_places++;
    v->claimed += claimed;
    ouro__half_store(&ouro__header(object)->visited, place);
    return true;
}

/* The object has its place; or, `gone`, it does not want that any more. */
static void fill_place(struct ouro__thread *me, uint32_t place, void *object, bool gone)
{
    struct ouro__visited *v = &me->visited;
    v->bare = true;
    if (place == 0) {
        v->lost = true;
        ouro__lost_set(me->orc);
    } else if (!gone) {
        v->entries[place - 1] = (struct ouro__entry){object, 0, 0};
        v->live_places++;
    } else if (place == v->count) {
        v->count--;
    } else {
        v->entries[place - 1] = (struct ouro__entry){NULL, 0, v->free_place};
        v->free_place = place;
    }
}

/* What another thread counts plainly has AWAY (B6). */
static ouro_half index_for(const struct ouro__thread *me, const void *object, uint32_t place)
{
    ouro_word owner = ouro__load(&ouro__header(object)->shared) & OURO__OWNER_MASK;
    bool away = owner != me->home && ouro__load(&ouro__many_threads);
    return (place ? place : OURO__LOST) | (away ? OURO__AWAY : 0);
}

void ouro__remember_again(struct ouro__thread *me, void *object)
{
    uint32_t place = place_for(me);
    bool gone = !ouro__index_move(object, index_for(me, object, place));
    fill_place(me, place, object, gone);
}

void ouro__remember_lost(struct ouro__thread *me, void *object)
{
    uint32_t place = place_for(me);
    bool gone = !ouro__index_find(ouro__header(object), index_for(me, object, place));
    fill_place(me, place, object, gone);
}

bool ouro__has_entry(const struct ouro__thread *me, const void *object, ouro_half visited)
{
    const struct ouro__visited *v = &me->visited;
    ouro_half place = ouro__place_in(visited);
    return place != 0 && place <= v->count && v->entries[place - 1].object == object;
}

void ouro__remember_bare(struct ouro__thread *me, void *object)
{
    me->visited.bare = true; /* before any is in the array */
    if (!ouro__remember(me, object, false))
        ouro__half_store(&ouro__header(object)->visited, OURO__LOST);
}

/* Another thread may dispose of what is in the array. */
static OURO_NOINLINE void last_takes_beside(struct ouro__visited *v, uint32_t place)
{
    while (v->count-- > place) {
        struct ouro__entry last = v->entries[v->count];
        if (ouro__index_move(last.object, place)) {
            v->entries[place - 1] = last;
            return;
        }
        v->live_places--;
    }
}

/* Bare candidates stay in the order in which Nim's collector keeps them, by which it destroys: the
 * last one takes the place that is free. False: it is to be linked. The last one may be another
 * thread's to drop: a look at many_threads is not enough, for that thread's attachment and drop fit
 * between it and a plain store (lone.pml, 13). */
static bool last_takes(struct ouro__visited *v, uint32_t place)
{
    if (!v->bare || v->collecting || v->free_place || v->claimed > 0)
        return false;
    v->live_places--;
    if (OURO_UNLIKELY(!ouro__plain_indices())) {
        last_takes_beside(v, place);
    } else if (v->count-- > place) {
        struct ouro__entry last = v->entries[v->count];
        ouro__half_store(&ouro__header(last.object)->visited, place);
        v->entries[place - 1] = last;
    }
    return true;
}

static void free_place(struct ouro__visited *v, uint32_t place)
{
    struct ouro__entry *entry = &v->entries[place - 1];
    if (last_takes(v, place))
        return;
    v->claimed -= (entry->link & OURO__ENTRY_CLAIMED) != 0;
    v->live_places--;
    *entry = (struct ouro__entry){NULL, 0, v->free_place};
    v->free_place = place;
    if (v->live_places == 0 && !v->collecting) {
        v->count = 0;
        v->free_place = 0;
    }
}

/* Links the free places again, after a capture that was abandoned. */
void ouro__relink_free_places(struct ouro__visited *v)
{
    v->free_place = 0;
    for (uint32_t i = v->count; i > 0; i--) {
        if (v->entries[i - 1].object)
            continue;
        v->entries[i - 1].link = v->free_place;
        v->free_place = i;
    }
}

void ouro__forget(struct ouro__thread *me, struct ouro_header *h)
{
    ouro_half place = ouro__place_in(ouro__half_load(&h->visited));
    struct ouro__visited *v = &me->visited;
    if (place == OURO__LOST && ouro__index_find(h, 0))
        return;
    if (place == 0 || place > v->count || v->entries[place - 1].object != (void *)(h + 1))
        return;
    ouro__half_store(&h->visited, 0);
    free_place(v, place);
}

bool ouro__is_claimed_by(const struct ouro__thread *me, const void *object, ouro_half visited)
{
    const struct ouro__visited *v = &me->visited;
    return visited != 0 && visited <= v->count && v->entries[visited - 1].object == object &&
           (v->entries[visited - 1].link & OURO__ENTRY_CLAIMED);
}

size_t ouro_candidates(void)
{
    return ouro__self ? ouro__self->visited.live_places : 0;
}
