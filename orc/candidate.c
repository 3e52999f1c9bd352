/* SPDX-License-Identifier: MIT */
/* candidate.c: the candidate roots of a thread (Bacon and Rajan 2001, "possible roots").
 *
 * They stand in the visited array, where a capture goes on from: entry i holds the object whose
 * visited word is i + 1. Places of candidates that died are linked and used again.
 *
 *  C1  Between collections, entry i < count is a candidate with visited == i + 1, or a free place.
 *  C2  An entry that is CLAIMED is a merged object with Q set; it owns one reference. Any other is
 *      held by this thread and owns none: it is forgotten before the object dies or is merged.
 *  C3  Only this thread, or who has it in MERGING, touches the array. */
#include "alloc/pool.h"
#include "orc/state.h"

bool ouro__visited_grow(struct ouro__visited *v)
{
    uint32_t capacity = v->capacity ? v->capacity * 2 : 256;
    if (capacity > OURO__ENTRY_INDEX)
        return false;
    struct ouro__entry *entries = ouro_realloc(v->entries, capacity * sizeof *entries);
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
    while (!ouro__cas_full(&h->shared, &b, (b & ~OURO__QUEUED) - OURO__UNIT))
        continue;
    return ouro__count_of(b) == 1;
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
        return false;
    }
    v->entries[place - 1] =
        (struct ouro__entry){object, 0, claimed ? OURO__ENTRY_CLAIMED : 0};
    v->live_places++;
    v->claimed += claimed;
    ouro__half_store(&ouro__header(object)->visited, place);
    return true;
}

static void free_place(struct ouro__visited *v, uint32_t place)
{
    struct ouro__entry *entry = &v->entries[place - 1];
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
    ouro_half place = ouro__half_load(&h->visited);
    struct ouro__visited *v = &me->visited;
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

void ouro__forget_token(struct ouro__thread *me, unsigned t)
{
    struct ouro__visited *v = &me->visited;
    for (uint32_t i = 0; i < v->count && v->live_places; i++) {
        void *object = v->entries[i].object;
        if (!object || (v->entries[i].link & OURO__ENTRY_CLAIMED))
            continue;
        struct ouro_header *h = ouro__header(object);
        if ((ouro__load(&h->shared) & OURO__OWNER_MASK) == t)
            ouro__forget(me, h);
    }
}

void ouro__candidates_end(struct ouro__thread *me)
{
    struct ouro__visited *v = &me->visited;
    for (uint32_t i = 0; i < v->count && v->live_places; i++) {
        void *object = v->entries[i].object;
        if (!object)
            continue;
        bool claimed = v->entries[i].link & OURO__ENTRY_CLAIMED;
        ouro__forget(me, ouro__header(object));
        if (claimed && ouro__unclaim(object))
            ouro__die(me, object);
    }
    ouro_free(v->entries);
    v->entries = NULL;
    v->count = v->capacity = v->free_place = 0;
}

size_t ouro_candidates(void)
{
    return ouro__self ? ouro__self->visited.live_places : 0;
}
