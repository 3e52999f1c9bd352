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

void ouro__remember_again(struct ouro__thread *me, void *object)
{
    struct ouro__visited *v = &me->visited;
    v->bare = true;
    uint32_t place = place_for(me);
    if (!ouro__index_move(object, place ? place : OURO__LOST))
        object = NULL;
    if (place == 0) {
        v->lost = true;
        ouro__lost_set(me->orc);
    } else if (object) {
        v->entries[place - 1] = (struct ouro__entry){object, 0, 0};
        v->live_places++;
    } else if (place == v->count) {
        v->count--;
    } else {
        v->entries[place - 1] = (struct ouro__entry){NULL, 0, v->free_place};
        v->free_place = place;
    }
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
 * last one takes the place that is free. False: it is to be linked. */
static bool last_takes(struct ouro__visited *v, uint32_t place)
{
    if (!v->bare || v->collecting || v->free_place || v->claimed > 0)
        return false;
    v->live_places--;
    if (OURO_UNLIKELY(ouro__load(&ouro__many_threads))) {
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
    if (place == OURO__LOST)
        ouro__half_store(&h->visited, 0);
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

/* -- what an ended thread leaves --------------------------------------------------------------- */

/* Of each runtime: arrays of references, each linked through its first entry: object is the next
 * array, link the number of entries, trial how many there is room for. Claimed entries are as they
 * were; any other owns a reference now. */

/* T is cleared, so that whoever drops the object next tells its owner (N1). Pairs with the RMWs of
 * those drops, on the same word; its order against others does not matter. */
static void untouch(struct ouro_header *h)
{
    ouro_word b = ouro__load(&h->shared);
    while (!ouro__cas_full(&h->shared, &b, b & ~OURO__TOUCHED))
        continue;
}

/* Room for `count` entries more in the newest array; false: no memory. With the lock. */
static bool orphans_room(struct ouro__orc *orc, uint32_t count)
{
    struct ouro__entry *first = orc->orphans;
    uint32_t have = first ? first->link : 0;
    if (first && have + count <= (uint32_t)first->trial)
        return true;
    uint32_t room = have + count > 31 ? (have + count) * 2 : 31;
    struct ouro__entry *fresh = ouro__realloc_alone(NULL, (room + 1) * sizeof *fresh);
    if (!fresh)
        return false;
    *fresh = (struct ouro__entry){first, (int32_t)room, 0};
    orc->orphans = fresh;
    return true;
}

/* Leaves one reference to others, which pins what is not claimed; false: no memory. */
static bool leave_orphan(struct ouro__orc *orc, struct ouro__entry entry)
{
    ouro__orc_lock(&orc->orphans_lock);
    bool room = orphans_room(orc, 1);
    if (room) {
        if (!entry.link) { /* the entry owns a reference from now on */
            struct ouro_header *h = ouro__header(entry.object);
            if (!ouro__local_incref(h))
                ouro__saturate(entry.object);
        }
        orc->orphans[++orc->orphans->link] = entry;
    }
    ouro__orc_unlock(&orc->orphans_lock);
    return room;
}

/* A candidate that this thread gives up waits for another; without memory it is lost for now. */
static void give_away(struct ouro__thread *me, struct ouro__entry entry)
{
    ouro__forget(me, ouro__header(entry.object));
    entry.link &= OURO__ENTRY_CLAIMED;
    if (!entry.link)
        untouch(ouro__header(entry.object));
    if (leave_orphan(me->orc, entry))
        return;
    if (entry.link && ouro__unclaim(entry.object))
        ouro__die(me, entry.object);
    ouro__lost_set(me->orc);
}

/* A bare candidate waits, with its index in the list (docs/adr/0015): what it reaches may be
 * another thread's by now. */
static void leave_bare(struct ouro__thread *me, void *object)
{
    ouro__orc_lock(&me->orc->orphans_lock);
    bool room = orphans_room(me->orc, 1);
    struct ouro__entry *list = me->orc->orphans;
    if (ouro__index_move(object, room ? OURO__LEFT : OURO__LOST) && room)
        list[++list->link] = (struct ouro__entry){object, 0, OURO__ENTRY_BARE};
    ouro__orc_unlock(&me->orc->orphans_lock);
    if (!room)
        ouro__lost_set(me->orc);
}

static bool is_bare(const struct ouro__entry *entry)
{
    return entry->object && !(entry->link & OURO__ENTRY_CLAIMED) &&
           ouro__is_traced_bare(entry->object, ouro__load(&ouro__header(entry->object)->shared));
}

void ouro__candidates_leave_bare(struct ouro__thread *me)
{
    struct ouro__visited *v = &me->visited;
    for (uint32_t i = 0; i < v->count && v->bare; i++) {
        if (!is_bare(&v->entries[i]))
            continue;
        leave_bare(me, v->entries[i].object);
        v->entries[i].object = NULL;
        v->live_places--;
    }
    ouro__relink_free_places(v);
}

void ouro__forget_token(struct ouro__thread *me, unsigned t)
{
    struct ouro__visited *v = &me->visited;
    for (uint32_t i = 0; i < v->count && v->live_places > 0; i++) {
        struct ouro__entry entry = v->entries[i];
        if (!entry.object || (entry.link & OURO__ENTRY_CLAIMED) || is_bare(&entry))
            continue;
        struct ouro_header *h = ouro__header(entry.object);
        if ((ouro__load(&h->shared) & OURO__OWNER_MASK) != t)
            continue;
        give_away(me, entry);
    }
}

void ouro__candidates_end(struct ouro__thread *me)
{
    struct ouro__visited *v = &me->visited;
    ouro__candidates_leave_bare(me);
    for (uint32_t i = 0; i < v->count && v->live_places > 0; i++) {
        if (v->entries[i].object)
            give_away(me, v->entries[i]);
    }
    if (v->lost)
        ouro__lost_set(me->orc);
    ouro_free(v->entries);
    v->entries = NULL;
    v->count = v->capacity = v->free_place = v->live_places = v->claimed = 0;
}

bool ouro__orphans_exist(struct ouro__orc *orc)
{
    ouro__orc_lock(&orc->orphans_lock);
    bool any = orc->orphans != NULL;
    ouro__orc_unlock(&orc->orphans_lock);
    return any;
}

void ouro__orphans_take(struct ouro__thread *me)
{
    struct ouro__orc *orc = me->orc;
    ouro__orc_lock(&orc->orphans_lock);
    struct ouro__entry *entries = orc->orphans;
    orc->orphans = NULL;
    ouro__orc_unlock(&orc->orphans_lock);
    bool quiet = me->quiet, releasing = me->releasing;
    me->quiet = true;     /* what local mode counted on ended threads is among it */
    me->releasing = true; /* a hook might leave: a death is only chained */
    while (entries) {
        struct ouro__entry *next = entries[0].object;
        for (uint32_t i = 1; i <= entries[0].link; i++) {
            void *object = entries[i].object;
            if (entries[i].link & OURO__ENTRY_BARE)
                ouro__remember_again(me, object);
            else if (!(entries[i].link & OURO__ENTRY_CLAIMED))
                ouro__decref_out(object);
            else if (!ouro__remember(me, object, true) && ouro__unclaim(object))
                ouro__die(me, object);
        }
        ouro_free(entries);
        entries = next;
    }
    me->quiet = quiet;
    me->releasing = releasing;
    ouro__release_some(me, SIZE_MAX);
}

size_t ouro_candidates(void)
{
    return ouro__self ? ouro__self->visited.live_places : 0;
}
