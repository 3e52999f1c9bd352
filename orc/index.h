/* SPDX-License-Identifier: MIT */
/* index.h: Internal to orc. Who has the index of a bare object (orc/bare.h): docs/adr/0015, pins;
 * model: bare.pml.
 *
 *  B1  Of a bare object that has an index the memory stays until the index is taken back: by the
 *      thread whose array it is in, by whoever takes the list of what ended threads left, or by the
 *      thread that disposes of it, if it is its own.
 *  B2  Taking back and GONE are exchanges of the visited word. GONE is written after the header
 *      says that the object is gone; whoever comes second gives the memory back.
 *  B3  One that is larger than a small block has W set, so that no inlined path ends it. */
#ifndef OURO_ORC_INDEX_H
#define OURO_ORC_INDEX_H

#include "orc/bare.h"
#include "orc/state.h"

#define OURO__LEFT       ((ouro_half)0xFFFFFFFEu) /* in a list that an ended thread left */
#define OURO__GONE_INDEX ((ouro_half)0xFFFFFFFDu)
#define OURO__KEPT       ((ouro_half)0xFFFFFFFCu) /* set aside by ouro__collect_above */
#define OURO__LOST       ((ouro_half)0xFFFFFFFBu) /* a candidate that no memory could be had for */

OURO_INLINE bool ouro__is_bare_type(const struct ouro_type *type)
{
    return type && (type->flags & OURO_BARE);
}
/* The same of what a visitor is told: it may be an address that only stands for a type. */
OURO_INLINE bool ouro__is_told_bare(const struct ouro_type *told)
{
    return ((uintptr_t)told & 1) || ouro__is_bare_type(told);
}
/* Of a type that was told, so that it can be traced. */
OURO_INLINE bool ouro__is_traced_bare(const void *object, ouro_word shared)
{
    return (shared & OURO__TYPE_MASK) && ouro__is_bare_type(ouro__type_of(object, shared));
}

/* The type that a visitor was told of an object, maybe by OURO_TYPE_LATER; NULL: it cannot be told.
 * */
struct ouro_type *ouro__resolve(const void *object, const struct ouro_type *later);

/* Whether its references can be told: not of a bare object whose type was not. */
OURO_INLINE bool ouro__can_trace(const void *object, ouro_word shared)
{
    const struct ouro_type *type = ouro__type_of(object, shared);
    return type && (!(type->flags & OURO_BARE) || type->hooks.trace);
}

/* Whether it may be a candidate that was not remembered. Bare ones say so: one that its caller is
 * destroying looks as if it lived, and its slots may dangle. */
OURO_INLINE bool ouro__may_be_lost(const void *object, ouro_word shared)
{
    ouro_half visited = ouro__half_load(&ouro__header(object)->visited);
    return visited == (ouro__is_traced_bare(object, shared) ? OURO__LOST : 0) &&
           ouro__can_trace(object, shared);
}
/* A bare candidate of this thread that has no index. */
void ouro__remember_bare(struct ouro__thread *me, void *object);

/* The index of a bare object becomes `next`; false: it was disposed of, and its memory is given
 * back. Full: pairs with ouro__dispose_out. */
bool ouro__index_exchange(void *object, ouro_half next);
/* Remembers the type of a bare object in its header; *shared is what that is now. False: the type
 * cannot be registered, or its number is too large. */
bool ouro__stamp_out(void *object, ouro_word *shared, struct ouro_type *type);
OURO_INLINE bool ouro__stamp(void *object, ouro_word *shared, struct ouro_type *type)
{
    /* Acquire: pairs with registration. */
    ouro_word birth = ouro__load_acquire((const ouro_word *)&type->birth);
    if (OURO_LIKELY(birth != 0 && birth == (*shared & OURO__TYPE_MASK)))
        return true;
    const uint32_t odd = OURO__TYPE_LARGE | OURO__TYPE_ALIGNED;
    bool small = type->size + sizeof(struct ouro_header) <= OURO__SMALL_MAX_SIZE;
    if (OURO_UNLIKELY(birth == 0 || (*shared & OURO__TYPE_MASK) || (type->flags & OURO_ACYCLIC) ||
                      (type->state & odd) || !small))
        return ouro__stamp_out(object, shared, type);
    *shared |= birth; /* S: nobody else does anything to it */
    ouro__store(&ouro__header(object)->shared, *shared);
    return true;
}
/* Below the threshold only each so many candidates are reason to ask what memory is in use. */
#define OURO__LOOK 8

/* An object that has no index becomes a candidate of the calling thread, if its type (a bare one)
 * allows. May collect. */
void ouro__candidate_slowly(struct ouro__thread *me, void *object, struct ouro_type *type);
OURO_INLINE void ouro__candidate_now(struct ouro__thread *me, void *object, struct ouro_type *type)
{
    struct ouro_header *h = ouro__header(object);
    ouro_word b = ouro__load(&h->shared);
    struct ouro__visited *v = &me->visited;
    if (OURO_UNLIKELY((type->flags & OURO_ACYCLIC) || !v->bare || v->free_place ||
                      v->count == v->capacity || !ouro__stamp(object, &b, type))) {
        ouro__candidate_slowly(me, object, type);
        return;
    }
    v->entries[v->count++] = (struct ouro__entry){object, 0, 0};
    ouro__half_store(&h->visited, v->count);
    v->live_places++;
    if (!v->paused && (v->live_places >= v->threshold || v->live_places % OURO__LOOK == 0))
        ouro__collect_if_due(me);
}

/* Forgets a candidate of this thread where that is short: the last one takes its place, and no
 * other thread has disposed of that. False: it has its index still. */
OURO_INLINE bool ouro__forget_now(struct ouro__thread *me, struct ouro_header *h)
{
    struct ouro__visited *v = &me->visited;
    ouro_half place = ouro__half_load(&h->visited);
    if (OURO_UNLIKELY(place - 1 >= v->count || v->entries[place - 1].object != (void *)(h + 1) ||
                      v->collecting || v->free_place || v->claimed > 0 || !v->bare ||
                      ouro__load(&ouro__many_threads)))
        return false;
    ouro__half_store(&h->visited, 0);
    v->live_places--;
    if (--v->count >= place) {
        struct ouro__entry last = v->entries[v->count];
        ouro__half_store(&ouro__header(last.object)->visited, place);
        v->entries[place - 1] = last;
    }
    return true;
}
/* Answers a drop of a candidate that only this thread counts, and that was the last: it is none any
 * more. False: nothing is dropped, and it is to be asked on. */
OURO_INLINE bool ouro__forget_last(void *object)
{
    struct ouro_header *h = ouro__header(object);
    ouro_half local = ouro__half_load(&h->local);
    struct ouro__thread *me = ouro__self;
    /* Acquire: as in ouro_decref_is_last. */
    return !OURO_CHECKED && me && local < OURO__LOCAL_UNIT &&
           ouro__is_plain(&ouro__context, local, ouro__load_acquire(&h->shared)) &&
           !ouro__is_deep(ouro__deep) && ouro__forget_now(me, h);
}

/* Whether it is a type that only says how an object lies in its block: none was told yet. */
bool ouro__is_carrier(const struct ouro_type *type);
/* Of those, the one of this alignment; NULL: no memory. */
struct ouro_type *ouro__carrier_of(size_t align);
/* A collection that leaves the first `limit` candidates of the thread for later. */
void ouro__collect_above(struct ouro__thread *me, uint32_t limit);
/* Those are candidates again, also when a hook has left that collection; nothing, if none wait. */
void ouro__aside_back(struct ouro__thread *me);

/* Garbage of which some is bare: its slots are emptied, its destroy hooks run, its memory goes. */
struct ouro__capture;
size_t ouro__sweep_bare(struct ouro__capture *c);
/* Goes on with that when a hook left. */
size_t ouro__sweep_bare_on(struct ouro__capture *c);

#endif
