/* SPDX-License-Identifier: MIT */
/* release.c: destruction, without recursion and without allocating.
 *
 * Dead objects are chained through the first half of their headers, which means nothing any more;
 * the shared word says DYING, so that counts and weak upgrades meet a dead end. One loop pops an
 * object, runs its written hook or drops its references, gives its memory back, and puts the
 * objects that died of it in front: parents before children, children in field order, depth first.
 *
 *  D1  An object is chained once: by whoever decided its death (I6).
 *  D2  While it is chained `out` is set in its local word, and stays so whatever one adds or takes
 *      off, so that inlined paths go out of line.
 *  D3  A written hook runs once in an object's life, on the thread that carries the death out.
 *
 *  D4  An object is at hand from before its hook until after it, so that a hook that leaves by a
 *      jump does not take it along (unwind.c); what waits stands in the record all the time.
 *
 * Resurrection. While dying an object's shared count still counts, out of line. If it is above zero
 * after the hook, somebody took a reference: the object lives on, merged, emptied of whatever its
 * hook destroyed, and its hook will not run again (OURO__SPENT). */
#include "orc/release.h"
#include "alloc/fail.h"
#include "alloc/heap.h"
#include "alloc/valgrind.h"
#include "hooks/value.h"
#include "orc/checked.h"
#include "orc/chain.h"
#include "orc/payload.h"
#include "orc/state.h"

/* -- chains ------------------------------------------------------------------------------------ */

static void chain_add(struct ouro__chain *chain, void *object)
{
    ouro__link_set(ouro__header(object), NULL);
    if (chain->first)
        ouro__link_set(ouro__header(chain->last), object);
    else
        chain->first = object;
    chain->last = object;
}

void ouro__release_chain(struct ouro__thread *me, const struct ouro__chain *dead)
{
    if (!dead->first)
        return;
    /* Not in front of the pending ones: the loop at work may have those in its hands (flat.c). */
    if (me->born_dead.first)
        ouro__link_set(ouro__header(me->born_dead.last), dead->first);
    else
        me->born_dead.first = dead->first;
    me->born_dead.last = dead->last;
    ouro__release_some(me, SIZE_MAX);
}

/* -- dying ------------------------------------------------------------------------------------- */

void ouro__mark_dying(struct ouro_header *h)
{
    ouro_word b = ouro__load(&h->shared);
    bool merged = b & OURO__MERGED;
    int64_t count =
        ouro__count_of(b) + (merged ? 0 : ouro__local_count(ouro__half_load(&h->local)));
    if (OURO_UNLIKELY(count > OURO__COUNT_LIMIT))
        count = OURO__COUNT_LIMIT; /* from here on it is not counted any more */
    ouro_word type = b & ((ouro_word)0xFFFF << OURO__TYPE_SHIFT);
    ouro__store(&h->shared, type | OURO__DYING | (ouro_word)count << OURO__COUNT_SHIFT);
}

static void begin_death(struct ouro__thread *holder, struct ouro__chain *chain, void *object)
{
    struct ouro_header *h = ouro__header(object);
    ouro_word b = ouro__load(&h->shared);
    if (h->visited != 0 && h->visited != OURO__ACYCLIC)
        ouro__forget(holder, h);
    if (OURO_UNLIKELY(b & OURO__WEAK))
        ouro__weak_clear(holder->orc, object);
    ouro__tool_acquire(object);
    if (OURO_UNLIKELY(ouro__load(&ouro__apart_exist) != 0))
        ouro__apart_dies(object, 1);
    bool spent = ouro__is_spent(h);
    ouro__mark_dying(h);
    /* The hook of an object that dies again is not to be found any more: S, else unused by now. */
    if (OURO_UNLIKELY(spent))
        ouro__store(&h->shared, ouro__load(&h->shared) | OURO__STORING);
    chain_add(chain, object);
}

void ouro__die_later(struct ouro__thread *holder, struct ouro__chain *chain, void *object)
{
    begin_death(holder, chain, object);
}

bool ouro__resurrected(void *object)
{
    struct ouro_header *h = ouro__header(object);
    ouro_word b = ouro__load_acquire(&h->shared);
    while (ouro__count_of(b) > 0) {
        ouro__half_store(&h->local, OURO__SPENT);
        h->visited = OURO__ACYCLIC; /* its fields are gone: it can be part of no cycle */
        /* With more references than can be counted it stays immortal. */
        ouro_word immortal = ouro__count_of(b) >= OURO__COUNT_LIMIT ? 0 : OURO__IMMORTAL;
        ouro_word alive = b & ~(immortal | OURO__OWNER_MASK | OURO__STORING);
        alive |= OURO__MERGED_OWNER;
        if (!ouro__cas_full(&h->shared, &b, alive))
            continue;
        if (OURO_UNLIKELY(ouro__load(&ouro__apart_exist) != 0))
            ouro__apart_dies(object, (ouro_word)-1);
        return true;
    }
    return false;
}

void ouro__free_object(void *object, const struct ouro_type *type)
{
    struct ouro_header *h = ouro__header(object);
    ouro_word b = ouro__load(&h->shared);
    ouro__tool_acquire(object);
    if (OURO_UNLIKELY(b & OURO__WEAK)) /* made by its hook: the cells of before are cleared */
        ouro__weak_clear(ouro__orc_of_object(object), object);
    if (OURO_UNLIKELY(ouro__load(&ouro__apart_exist) != 0) && ouro__is_dying(b))
        ouro__apart_dies(object, (ouro_word)-1);
    ouro__mark_freed(h);
    if (OURO_CHECKED)
        ouro__checked_free(object, type);
    else if (OURO_LIKELY(type && !(type->state & (OURO__TYPE_ALIGNED | OURO__TYPE_LARGE))))
        ouro__cell_give(object, OURO__COUNTED);
    else
        ouro__free_odd(object, type);
}

/* -- the loop ---------------------------------------------------------------------------------- */

void ouro__take_at_hand(struct ouro__thread *me, void *object)
{
    ouro__link_set(ouro__header(object), me->at_hand);
    me->at_hand = object;
}

void ouro__put_down(struct ouro__thread *me)
{
    struct ouro_header *h = ouro__header(me->at_hand);
    me->at_hand = ouro__link_get(h);
    *(ouro__first_half *)h = OURO__AWAY_HALF;
}

/* The contents of a dying object go. Returns whether a written hook ran. */
static bool destroy_contents(struct ouro__thread *me, void *object, const struct ouro_type *type)
{
    bool spent = ouro__load(&ouro__header(object)->shared) & OURO__STORING;
    bool dropping = me->dropping, hooks = (type->state & OURO__TYPE_DESTROY) && !spent;
    ouro__take_at_hand(me, object);
    if (hooks) { /* its own, or one of a value in it */
        me->dropping = false;
        ouro_destroy_value(object, type);
    } else {
        me->dropping = me->whole = true;
        ouro_lifted_destroy(object, type);
        me->whole = false;
    }
    ouro__put_down(me);
    me->dropping = dropping;
    return hooks;
}

void ouro__at_hand_left(struct ouro__thread *me, const void *until)
{
    bool releasing = me->releasing;
    me->releasing = true;
    while (me->at_hand && me->at_hand != until) {
        void *object = me->at_hand;
        ouro_word b = ouro__load(&ouro__header(object)->shared);
        const struct ouro_type *type = ouro__type_of(object, b);
        ouro__put_down(me);
        ouro__proxy_left(object, type);
        if (!ouro__resurrected(object))
            ouro__free_object(object, type);
    }
    me->releasing = releasing;
}

/* What died of the last object goes first. */
static void born_dead_first(struct ouro__thread *me)
{
    if (!me->born_dead.first)
        return;
    ouro__link_set(ouro__header(me->born_dead.last), me->pending);
    me->pending = me->born_dead.first;
    me->born_dead = (struct ouro__chain){NULL, NULL};
}

void ouro__release_together(struct ouro__thread *me, const struct ouro__chain *dying)
{
    bool releasing = me->releasing;
    struct ouro__chain gone = {NULL, NULL};
    me->releasing = true;
    ouro__own.must_return++;
    for (void *object = dying->first, *next; object; object = next) {
        next = ouro__link_get(ouro__header(object));
        (void)destroy_contents(me, object,
                               ouro__type_of(object, ouro__load(&ouro__header(object)->shared)));
        chain_add(&gone, object);
    }
    me->releasing = releasing;
    ouro__release_some(me, SIZE_MAX); /* what died of them may refer to them */
    ouro__own.must_return--;
    for (void *object = gone.first, *next; object; object = next) {
        next = ouro__link_get(ouro__header(object));
        ouro__free_object(object, ouro__type_of(object, ouro__load(&ouro__header(object)->shared)));
    }
}

static void release_one(struct ouro__thread *me, void *object, const struct ouro_type *type)
{
    if (!type || !destroy_contents(me, object, type) || !ouro__resurrected(object))
        ouro__free_object(object, type);
    born_dead_first(me);
}

static bool goes_flat(const struct ouro_type *type)
{
    uint32_t kind = OURO__TYPE_FLAT | OURO__TYPE_ALIGNED | OURO__TYPE_LARGE | OURO__TYPE_TAILED;
    return !OURO_CHECKED && type && (type->state & kind) == OURO__TYPE_FLAT &&
           !ouro__context.heap->watched;
}

/* An object that its home thread alone counted, of a type that flat.c destroys: it need not be
 * chained first. */
static void die_flat(struct ouro__thread *me, void *object, const struct ouro_type *type)
{
    struct ouro_header *h = ouro__header(object);
    if (h->visited != 0 && h->visited != OURO__ACYCLIC)
        ouro__forget(me, h);
    if (type->ref_count == 0) {
        *(ouro__first_half *)h = OURO__AWAY_HALF;
        ouro__mark_freed(h);
        ouro__cell_give(object, OURO__COUNTED);
        return;
    }
    me->releasing = me->whole = true;
    ouro__release_flat(me, object, type, SIZE_MAX);
    me->releasing = me->whole = false;
    if (OURO_UNLIKELY(me->pending || me->wrong.object))
        ouro__release_some(me, SIZE_MAX);
}

void ouro__die(struct ouro__thread *me, void *object)
{
    ouro_word b = ouro__load(&ouro__header(object)->shared);
    const ouro_word not_type = ~((ouro_word)0xFFFF << OURO__TYPE_SHIFT);
    if (OURO_LIKELY(!me->releasing && (b & not_type) == me->home)) {
        const struct ouro_type *type = ouro__type_of(object, b);
        if (OURO_LIKELY(goes_flat(type))) {
            die_flat(me, object, type);
            return;
        }
    }
    begin_death(me, &me->born_dead, object);
    ouro__release_some(me, SIZE_MAX);
}

size_t ouro__release_some(struct ouro__thread *me, size_t budget)
{
    if (me->releasing)
        return 0;
    me->releasing = true;
    born_dead_first(me);
    size_t n = 0;
    while (n < budget && me->pending) {
        void *object = me->pending;
        me->pending = ouro__link_get(ouro__header(object));
        const struct ouro_type *type =
            ouro__type_of(object, ouro__load(&ouro__header(object)->shared));
        if (OURO_LIKELY(goes_flat(type))) {
            if (OURO_UNLIKELY(ouro__load(&ouro__apart_exist) != 0))
                ouro__apart_dies(object, (ouro_word)-1);
            me->whole = true;
            n += ouro__release_flat(me, object, type, budget - n);
            me->whole = false;
        } else {
            release_one(me, object, type);
            n++;
        }
    }
    me->releasing = false;
    ouro__wrong_report(me);
    return n;
}

/* -- without hooks ----------------------------------------------------------------------------- */

bool ouro__release_hush(struct ouro__thread *me)
{
    if (me->releasing)
        return false;
    me->releasing = true;
    return true;
}

void ouro__release_plain(struct ouro__thread *me)
{
    void *object = me->born_dead.first;
    struct ouro__chain later = {NULL, NULL};
    me->born_dead = later;
    while (object) {
        void *next = ouro__link_get(ouro__header(object));
        const struct ouro_type *type =
            ouro__type_of(object, ouro__load(&ouro__header(object)->shared));
        if (type && (type->state & (OURO__TYPE_PLAIN | OURO__TYPE_DESTROY)) == OURO__TYPE_PLAIN)
            ouro__free_object(object, type);
        else
            chain_add(&later, object);
        object = next;
    }
    if (later.first) {
        ouro__link_set(ouro__header(later.last), me->noted);
        me->noted = later.first;
    }
    me->releasing = false;
}

/* -- in steps ---------------------------------------------------------------------------------- */

/* Noted deaths stand apart from those that are being carried out, which no budget holds up. */
void ouro_decref_later(void *object)
{
    struct ouro__thread *me = ouro__me();
    if (!object || !me)
        return;
    if (me->releasing) { /* from inside a hook: part of what is carried out there */
        ouro__decref_out(object);
        return;
    }
    me->releasing = true; /* a death is only chained */
    ouro__decref_out(object);
    me->releasing = false;
    if (!me->born_dead.first)
        return;
    ouro__link_set(ouro__header(me->born_dead.last), me->noted);
    me->noted = me->born_dead.first;
    me->born_dead = (struct ouro__chain){NULL, NULL};
}

size_t ouro__release_noted(struct ouro__thread *me, size_t budget)
{
    if (me->releasing || !me->noted)
        return 0;
    me->pending = me->noted;
    me->noted = NULL;
    size_t n = ouro__release_some(me, budget);
    me->noted = me->pending;
    me->pending = NULL;
    return n;
}

size_t ouro_release_pending(size_t budget)
{
    struct ouro__thread *me = ouro__self;
    return me ? ouro__release_noted(me, budget) : 0;
}
