/* SPDX-License-Identifier: MIT */
/* orphan.c: what an ended thread leaves: candidates that wait for a thread that may look at them.
 *
 * Of each runtime one array of references, after its first entry: trial says for how many there is
 * room, link how many there are. Claimed entries are as they were; bare ones have the index LEFT;
 * any other owns a reference.
 *
 *  O1  The array, and the index of a bare entry in it, belong to who has orphans_lock.
 *  O2  When there is no room left, what is GONE meanwhile gives its memory back, and the array that
 *      follows has twice the room of what remains: so what is gone and waits is no more than what
 *      was left, and each entry is looked at a bounded number of times. */
#include "alloc/pool.h"
#include "orc/index.h"

/* T is cleared, so that whoever drops the object next tells its owner (N1). Pairs with the RMWs of
 * those drops, on the same word; its order against others does not matter. */
static void untouch(struct ouro_header *h)
{
    ouro_word b = ouro__load(&h->shared);
    while (!ouro__cas_full(&h->shared, &b, b & ~OURO__TOUCHED))
        continue;
}

static bool entry_is_gone(const struct ouro__entry *entry)
{
    return (entry->link & OURO__ENTRY_BARE) && ouro__index_is_gone(entry->object);
}

/* Room for one entry more; false: no memory. With the lock. *old: what is left of the array before,
 * where there is a new one: NULL, or gone. */
static bool room_for_one(struct ouro__orc *orc, struct ouro__entry **old)
{
    struct ouro__entry *list = orc->orphans;
    uint32_t have = list ? list->link : 0, kept = 0;
    if (list && have < (uint32_t)list->trial)
        return true;
    for (uint32_t i = 1; i <= have; i++)
        kept += !entry_is_gone(&list[i]);
    uint32_t room = kept > 15 ? kept * 2 : 31;
    struct ouro__entry *fresh = ouro__realloc_alone(NULL, (room + 1) * sizeof *fresh);
    if (!fresh)
        return false;
    *fresh = (struct ouro__entry){NULL, (int32_t)room, 0};
    for (uint32_t i = 1; i <= have; i++) {
        if (entry_is_gone(&list[i]))
            continue;
        fresh[++fresh->link] = list[i];
        list[i].object = NULL;
    }
    orc->orphans = fresh;
    *old = list;
    return true;
}

/* Without the lock. */
static void free_what_is_gone(struct ouro__entry *old)
{
    for (uint32_t i = 1; old && i <= old->link; i++) {
        if (old[i].object)
            ouro__index_free_gone(old[i].object);
    }
    ouro_free(old);
}

/* Leaves one reference to others, which pins what is neither claimed nor bare; false: no memory. */
static bool leave_orphan(struct ouro__orc *orc, struct ouro__entry entry)
{
    struct ouro__entry *old = NULL;
    ouro__orc_lock(&orc->orphans_lock);
    bool room = room_for_one(orc, &old);
    if (room) {
        if (!entry.link) { /* the entry owns a reference from now on */
            struct ouro_header *h = ouro__header(entry.object);
            if (!ouro__local_incref(h))
                ouro__saturate(entry.object);
        }
        orc->orphans[++orc->orphans->link] = entry;
    }
    ouro__orc_unlock(&orc->orphans_lock);
    free_what_is_gone(old);
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
    struct ouro__entry entry = {object, 0, OURO__ENTRY_BARE};
    if (!ouro__index_move(object, OURO__LEFT) || leave_orphan(me->orc, entry))
        return;
    if (ouro__index_move(object, OURO__LOST))
        ouro__lost_set(me->orc);
}

static bool is_bare(const struct ouro__entry *entry)
{
    return entry->object && !(entry->link & OURO__ENTRY_CLAIMED) &&
           ouro__is_traced_bare(ouro__load(&ouro__header(entry->object)->shared));
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

/* What the entries owned is the thread's: they become its candidates. */
static void take_entries(struct ouro__thread *me, struct ouro__entry *entries)
{
    bool quiet = me->quiet, releasing = me->releasing;
    me->quiet = true;     /* what local mode counted on ended threads is among it */
    me->releasing = true; /* a hook might leave: a death is only chained */
    for (uint32_t i = 1; entries && i <= entries->link; i++) {
        void *object = entries[i].object;
        if (entries[i].link & OURO__ENTRY_BARE)
            ouro__remember_again(me, object);
        else if (!(entries[i].link & OURO__ENTRY_CLAIMED))
            ouro__decref_out(object);
        else if (!ouro__remember(me, object, true) && ouro__unclaim(object))
            ouro__die(me, object);
    }
    ouro_free(entries);
    me->quiet = quiet;
    me->releasing = releasing;
    ouro__release_some(me, SIZE_MAX);
}

void ouro__orphans_take(struct ouro__thread *me)
{
    struct ouro__orc *orc = me->orc;
    ouro__orc_lock(&orc->orphans_lock);
    struct ouro__entry *entries = orc->orphans;
    orc->orphans = NULL;
    ouro__orc_unlock(&orc->orphans_lock);
    take_entries(me, entries);
}

/* Bare ones stay: what they reach may be anybody's. */
static bool may_take(const struct ouro__thread *me, const struct ouro__entry *entry)
{
    if (entry->link & OURO__ENTRY_BARE)
        return false;
    return (entry->link & OURO__ENTRY_CLAIMED) ||
           ouro__holds(me, ouro__load(&ouro__header(entry->object)->shared));
}

bool ouro__orphans_take_held(struct ouro__thread *me)
{
    struct ouro__orc *orc = me->orc;
    struct ouro__entry *mine = NULL;
    ouro__orc_lock(&orc->orphans_lock);
    struct ouro__entry *list = orc->orphans;
    uint32_t have = list ? list->link : 0, count = 0;
    for (uint32_t i = 1; i <= have; i++)
        count += may_take(me, &list[i]);
    if (count > 0)
        mine = ouro__realloc_alone(NULL, (count + 1) * sizeof *mine);
    if (mine) {
        *mine = (struct ouro__entry){NULL, (int32_t)count, 0};
        list->link = 0;
        for (uint32_t i = 1; i <= have; i++) {
            struct ouro__entry *to = may_take(me, &list[i]) ? mine : list;
            to[++to->link] = list[i];
        }
    }
    ouro__orc_unlock(&orc->orphans_lock);
    if (mine)
        take_entries(me, mine);
    return mine != NULL;
}
