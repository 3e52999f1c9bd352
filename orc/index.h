/* SPDX-License-Identifier: MIT */
/* index.h: Internal to orc. Who has the index of a bare object (orc/bare.h): docs/adr/0015, pins;
 * model: bare.pml.
 *
 *  B1  Of a bare object that has an index the memory stays until the index is taken back: by the
 *      thread whose array it is in, by whoever takes the list of what ended threads left, or by the
 *      thread that disposes of it, if it is its own.
 *  B2  Taking back, a new place and GONE are RMWs of the visited word. GONE is written after the
 *      header says that the object is gone; whoever comes second gives the memory back.
 *  B3  One that is larger than a small block has W set, so that no inlined path ends it.
 * Where more than one thread was ever attached, a collection may run beside drops by others:
 *  B4  A drop that leaves references, of an object that is not in its thread's own array, adds
 *      HOLD, and to another's index MARK, before it writes a count, and takes HOLD off after the
 *      last one: its last access. The owner's drop of what has no index may instead give it one
 *      first. Only the thread whose index it is takes MARK off, where it shows no HOLD, before it
 *      reads the counts. So who judged an object and finds its index bare knows that no drop
 *      began meanwhile.
 *  B5  An index is given to an object that has none, and taken from one that proved live, by a
 *      compare-and-swap. An object that somebody holds is not captured; one that is marked stays a
 *      candidate. A type is stamped by compare-and-swap in a collection.
 *  B6  An index shows AWAY unless it is a candidate's of the owner's own array: what a collection
 *      reached, and what a drop takes over under another's index. So the owner's inlined drop,
 *      which marks nothing, finds either its own index, which no other thread touches, or asks. */
#ifndef OURO_ORC_INDEX_H
#define OURO_ORC_INDEX_H

#include "orc/bare.h"
#include "orc/state.h"

#define OURO__GONE_INDEX ((ouro_half)0xFFFFFFFDu)
/* With an index, or (HOLD) alone where nobody has one. */
#define OURO__HOLD  ((ouro_half)1 << 30) /* a drop is under way */
#define OURO__MARK  ((ouro_half)1 << 29) /* a drop began since the last capture by whose it is */
#define OURO__FLAGS (OURO__HOLD | OURO__MARK | OURO__AWAY)
/* Places that no array has; with flags, as any other. */
#define OURO__LEFT ((ouro_half)0x10000002u) /* in a list that an ended thread left */
#define OURO__KEPT ((ouro_half)0x10000001u) /* set aside by ouro__collect_above */
#define OURO__LOST ((ouro_half)0x10000000u) /* a candidate that no memory could be had for */
OURO_STATIC_ASSERT(OURO__ENTRY_INDEX < OURO__LOST, "an index is none of these");

/* The place that a visited word tells; 0: none. */
OURO_INLINE ouro_half ouro__place_in(ouro_half visited)
{
    return visited <= (OURO__FLAGS | OURO__LEFT) ? visited & ~OURO__FLAGS : 0;
}

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
OURO_INLINE bool ouro__is_traced_bare(ouro_word shared)
{
    unsigned number = shared >> OURO__TYPE_SHIFT & OURO__WIDE_TYPE; /* of bare types none is wide */
    return number != 0 && number != OURO__WIDE_TYPE &&
           ouro__is_bare_type(ouro__type_met(number)); /* the object may be anybody's */
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
    bool lost = ouro__is_traced_bare(shared) ? ouro__place_in(visited) == OURO__LOST : visited == 0;
    return lost && ouro__can_trace(object, shared);
}
/* A bare candidate of this thread that has no index. */
void ouro__remember_bare(struct ouro__thread *me, void *object);
/* One whose index the caller has, though in no array: it gets a place, unless it is gone. */
void ouro__remember_again(struct ouro__thread *me, void *object);
/* One that was lost: the same, unless another thread drops it last, or remembers it. */
void ouro__remember_lost(struct ouro__thread *me, void *object);
/* Whether that visited word is an index in this thread's array. */
bool ouro__has_entry(const struct ouro__thread *me, const void *object, ouro_half visited);

/* The index of a bare object that the caller has (B1) becomes `place`, and keeps the flags that it
 * has; false: it was disposed of, and its memory is given back. Full: pairs with
 * ouro__dispose_out. */
bool ouro__index_move(void *object, ouro_half place);
/* The same from the index `place`, if it shows neither HOLD nor MARK, to none. */
enum ouro__taken { OURO__TAKEN_BACK, OURO__TAKEN_GONE, OURO__TAKEN_MARKED /* it stays as it is */ };
enum ouro__taken ouro__index_take_back(void *object, ouro_half place);
/* Whether it was disposed of while somebody has the index; who has it gives the memory back. */
OURO_INLINE bool ouro__index_is_gone(const void *object)
{
    return ouro__half_load(&ouro__header(object)->visited) == OURO__GONE_INDEX;
}
void ouro__index_free_gone(void *object);
/* From LOST, which is in nobody's array, to `place`; 0: none, without flags. False: it is that no
 * more. */
bool ouro__index_find(struct ouro_header *h, ouro_half place);
/* Before a count of a bare object is written, for a drop (B4); `away`: AWAY, if it may take over
 * what has another's index (B6), or 0. False: its index is this thread's, or there was never
 * another thread. */
bool ouro__index_hold(const struct ouro__thread *me, struct ouro_header *h, ouro_half away);
/* After that; the last access. Nothing, if it is not held. */
void ouro__index_let_go(struct ouro_header *h);
/* The owner's candidate, taken over by another thread and back: no more AWAY. */
void ouro__index_own(struct ouro_header *h);
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

/* An object that has no index, held or not, becomes a candidate of the calling thread, if its type
 * (a bare one) allows. May collect. */
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

/* A drop, not the last, of an object that only the calling thread counts, and that is no candidate
 * of its own: it becomes one, if no other thread has the index. */
void ouro__candidate_beside(struct ouro__thread *me, void *object, struct ouro_type *type);
OURO_INLINE void ouro__candidate_dropped(struct ouro__thread *me, void *object,
                                         struct ouro_type *type)
{
    struct ouro_header *h = ouro__header(object);
    if (OURO_UNLIKELY(ouro__load(&ouro__many_threads))) {
        ouro__candidate_beside(me, object, type);
        return;
    }
    ouro__half_store(&h->local, ouro__half_load(&h->local) - OURO__LOCAL_UNIT);
    ouro__candidate_now(me, object, type);
}

/* Whether indices of objects that the caller does not count may be written plainly: no other thread
 * has anything, and none can come. */
OURO_INLINE bool ouro__plain_indices(void)
{
    return OURO_ONLY_THREAD() && !ouro__load(&ouro__many_threads);
}

/* Forgets a candidate of this thread where that is short: the last one takes its place, and no
 * other thread has disposed of that. False: it has its index still. */
OURO_INLINE bool ouro__forget_now(struct ouro__thread *me, struct ouro_header *h)
{
    struct ouro__visited *v = &me->visited;
    ouro_half place = ouro__half_load(&h->visited);
    if (OURO_UNLIKELY(place - 1 >= v->count || v->entries[place - 1].object != (void *)(h + 1) ||
                      v->collecting || v->free_place || v->claimed > 0 || !v->bare ||
                      !ouro__plain_indices()))
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
