/* SPDX-License-Identifier: MIT */
/* release.c: destruction, without recursion and without allocating.
 *
 * Dead objects are chained through the first half of their headers, which means nothing any more;
 * the shared word says DYING, so that counts and weak upgrades meet a dead end. One loop pops an
 * object, runs its written hook or drops its references, gives its memory back, and puts the objects
 * that died of it in front: parents before children, children in field order, depth first.
 *
 *  D1  An object is chained once: by whoever decided its death (I6).
 *  D2  While it is chained its local word is negative, so that local-mode paths go out of line.
 *  D3  A written hook runs once in an object's life, on the thread that carries the death out.
 *
 * Resurrection. While dying an object's shared count still counts, out of line. If it is above zero
 * after the hook, somebody took a reference: the object lives on, merged, emptied of whatever its
 * hook destroyed, and its hook will not run again (OURO__SPENT). */
#include "orc/release.h"
#include "alloc/fail.h"
#include "hooks/value.h"
#include "orc/checked.h"
#include "orc/state.h"

/* -- chains ------------------------------------------------------------------------------------ */

/* 44 bits of an aligned address fit beside the sign of the local word. */
static void link_set(struct ouro_header *h, const void *next)
{
    uintptr_t a = (uintptr_t)next >> 4;
    h->visited = (ouro_half)a;
    ouro__half_store(&h->local, OURO__LOCAL_OUT | (ouro_half)(a >> 32));
}

static void *link_get(const struct ouro_header *h)
{
    uintptr_t high = ouro__half_load(&h->local) & ~OURO__LOCAL_OUT;
    return (void *)((high << 32 | h->visited) << 4);
}

static void chain_push(struct ouro__chain *chain, void *object)
{
    link_set(ouro__header(object), NULL);
    if (chain->last)
        link_set(ouro__header(chain->last), object);
    else
        chain->first = object;
    chain->last = object;
}

static void *chain_pop(struct ouro__chain *chain)
{
    void *object = chain->first;
    chain->first = link_get(ouro__header(object));
    if (!chain->first)
        chain->last = NULL;
    return object;
}

void ouro__chain_append(struct ouro__chain *chain, const struct ouro__chain *more)
{
    if (!more->first)
        return;
    if (chain->last)
        link_set(ouro__header(chain->last), more->first);
    else
        chain->first = more->first;
    chain->last = more->last;
}

/* -- dying ------------------------------------------------------------------------------------- */

void ouro__mark_dying(struct ouro_header *h)
{
    ouro_word b = ouro__load(&h->shared);
    bool merged = b & OURO__MERGED;
    int64_t count = ouro__count_of(b) + (merged ? 0 : ouro__local_count(ouro__half_load(&h->local)));
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
        ouro__weak_clear(object);
    bool spent = ouro__is_spent(h);
    ouro__mark_dying(h);
    /* The hook of an object that dies again is not to be found any more: S, else unused by now. */
    if (OURO_UNLIKELY(spent))
        ouro__store(&h->shared, ouro__load(&h->shared) | OURO__STORING);
    chain_push(chain, object);
}

void ouro__die_later(struct ouro__thread *holder, struct ouro__chain *chain, void *object)
{
    begin_death(holder, chain, object);
}

void ouro__die(struct ouro__thread *me, void *object)
{
    begin_death(me, &me->born_dead, object);
    if (me->releasing)
        return;
    ouro__release_some(me, SIZE_MAX);
}

bool ouro__resurrected(void *object)
{
    struct ouro_header *h = ouro__header(object);
    ouro_word b = ouro__load_acquire(&h->shared);
    while (ouro__count_of(b) > 0) {
        ouro__half_store(&h->local, OURO__SPENT);
        h->visited = OURO__ACYCLIC; /* its fields are gone: it can be part of no cycle */
        ouro_word alive = b & ~(OURO__IMMORTAL | OURO__QUEUED | OURO__STORING);
        if (ouro__cas_full(&h->shared, &b, alive))
            return true;
    }
    return false;
}

void ouro__free_object(void *object, const struct ouro_type *type)
{
    struct ouro_header *h = ouro__header(object);
    ouro__half_store(&h->local, OURO__LOCAL_OUT);
    ouro__store(&h->shared, (ouro__load(&h->shared) & ((ouro_word)0xFFFF << OURO__TYPE_SHIFT)) |
                                OURO__DYING | -OURO__UNIT);
    if (OURO_CHECKED)
        ouro__checked_free(object, type);
    else if (OURO_LIKELY(type && !(type->state & (OURO__TYPE_ALIGNED | OURO__TYPE_LARGE))))
        ouro__cell_give(object, OURO__COUNTED);
    else
        ouro__free_odd(object, type);
}

/* -- the loop ---------------------------------------------------------------------------------- */

/* Drops one reference of a dead object; the common death is decided here: the owner's last one. */
static inline void drop_child(struct ouro__thread *me, void *child, ouro_word home)
{
    struct ouro_header *h = ouro__header(child);
    ouro_word b = ouro__load(&h->shared);
    /* Count, flags and owner at once: nothing but the type may differ from a plain local object. */
    if (OURO_LIKELY((b & ~((ouro_word)0xFFFF << OURO__TYPE_SHIFT)) == home)) {
        ouro_half n = ouro__half_load(&h->local) - 1;
        if (n == 0) {
            /* Acquire: pairs with the release of foreign decrefs (counts.md 6 a). */
            ouro__fence_acquire();
            if (OURO_UNLIKELY(h->visited != 0 && h->visited != OURO__ACYCLIC))
                ouro__forget(me, h);
            ouro__store(&h->shared, (b & ~OURO__OWNER_MASK) | OURO__DYING);
            chain_push(&me->born_dead, child);
            return;
        }
        if (OURO_LIKELY((int32_t)n > 0)) {
            ouro__half_store(&h->local, n);
            if (h->visited == 0)
                ouro__remember(me, child, false);
            return;
        }
    }
    ouro__decref_out(child);
}

static void drop_refs(struct ouro__thread *me, char *object, const struct ouro_type *type)
{
    ouro_word home = me->home;
    const uint32_t *offset = type->refs;
    for (uint32_t n = type->ref_count; n > 0; n--, offset++) {
        void *child = *(void **)(void *)(object + *offset);
        if (child)
            drop_child(me, child, home);
    }
}

/* The contents of a dying object go; false: it lives on. */
static bool destroy_contents(struct ouro__thread *me, void *object, const struct ouro_type *type)
{
    bool spent = ouro__load(&ouro__header(object)->shared) & OURO__STORING;
    if (OURO_LIKELY(type->state & OURO__TYPE_FLAT)) {
        drop_refs(me, object, type);
        return true;
    }
    if (type->hooks.destroy && !spent) {
        type->hooks.destroy(object, type);
        return !ouro__resurrected(object);
    }
    bool dropping = me->dropping;
    me->dropping = true;
    ouro_lifted_destroy(object, type);
    me->dropping = dropping;
    return true;
}

/* Objects that died of the last one go first. */
static void take_born_dead(struct ouro__thread *me)
{
    struct ouro__chain first = me->born_dead;
    me->born_dead = (struct ouro__chain){NULL, NULL};
    ouro__chain_append(&first, &me->pending);
    me->pending = first;
}

size_t ouro__release_some(struct ouro__thread *me, size_t budget)
{
    if (me->releasing)
        return 0;
    me->releasing = true;
    take_born_dead(me);
    size_t n = 0;
    for (; n < budget && me->pending.first; n++) {
        void *object = chain_pop(&me->pending);
        OURO_PREFETCH(ouro__header(me->pending.first));
        const struct ouro_type *type =
            ouro__type_of(object, ouro__load(&ouro__header(object)->shared));
        if (!type || destroy_contents(me, object, type))
            ouro__free_object(object, type);
        if (me->born_dead.first)
            take_born_dead(me);
    }
    me->releasing = false;
    return n;
}

/* -- in steps ---------------------------------------------------------------------------------- */

void ouro_decref_later(void *object)
{
    struct ouro__thread *me = ouro__me();
    if (!object || !me)
        return;
    bool was = me->releasing;
    me->releasing = true; /* a death is only chained */
    ouro__decref_out(object);
    me->releasing = was;
    if (!was && me->born_dead.first) {
        ouro__chain_append(&me->pending, &me->born_dead);
        me->born_dead = (struct ouro__chain){NULL, NULL};
    }
}

size_t ouro_release_pending(size_t budget)
{
    struct ouro__thread *me = ouro__self;
    return me ? ouro__release_some(me, budget) : 0;
}
