/* SPDX-License-Identifier: MIT */
/* count.c: the out-of-line halves of counting: every object, in every state, from every thread.
 *
 * The protocol is docs/counts.md. In short: who holds the owner's token writes `local`; all others
 * do RMWs on the shared word; what they may not subtract they give to the owner's queue.
 *
 * Departures from Choi et al. 2018 beside those named there: a foreign drop of an object that can
 * be part of a cycle is queued once per capture even where it could be subtracted (a *notice*: T
 * goes from clear to set), so that the owner learns of the candidate root; and such an object is
 * never merged: what others counted becomes local instead (FOLD). Model: notice.pml. One that is
 * merged from birth (atomic mode, prompt types) is remembered by who drops it: Q is set and the
 * candidate entry owns the reference, until the next capture or until it is the only one left. */
#include "alloc/fail.h"
#include "alloc/heap.h"
#include "alloc/runtime.h"
#include "alloc/valgrind.h"
#include "orc/checked.h"
#include "orc/rc_biased.h"
#include "orc/state.h"

/* -- the owner --------------------------------------------------------------------------------- */

/* References that the shared word counts become the owner's: `local` first (I7), so that the sum is
 * never too small. An object that can be in a cycle stays with its owner this way, who can collect
 * it; another one if so many are left that they may well be the owner's (models: counts.pml,
 * notice.pml and saturate.pml, FOLD). */
bool ouro__fold(struct ouro_header *h, ouro_word *b)
{
    int64_t n = ouro__part_of(ouro__count_of(*b));
    ouro__half_store(&h->local, ouro__owned_local(*b, n));
    if (ouro__cas_full(&h->shared, b, *b - (ouro_word)n * OURO__UNIT))
        return true;
    ouro__half_store(&h->local, ouro__owned_local(*b, 0)); /* a drain may be next, and adds it up */
    return false;
}

/* The other way, where the local word is full: the shared one first. Full: the store of `local` may
 * not pass it; pairs with the fence in drop_as_other (untyped.c). */
static bool spill(struct ouro_header *h)
{
    ouro_word was = ouro__fetch_add_full(&h->shared, OURO__LOCAL_PART * OURO__UNIT);
    int32_t n = ouro__local_count(ouro__half_load(&h->local)) - OURO__LOCAL_PART;
    ouro__half_store(&h->local, ouro__owned_local(was, n));
    return ouro__count_of(was) + OURO__LOCAL_PART < OURO__COUNT_LIMIT;
}

bool ouro__local_incref(struct ouro_header *h)
{
    if (ouro__local_count(ouro__half_load(&h->local)) >= OURO__LOCAL_MOST && !spill(h))
        return false;
    ouro_half local = ouro__half_load(&h->local);
    ouro_word owner = local & OURO__OWNER_MASK;
    ouro__half_store(&h->local, ouro__owned_local(owner, ouro__local_count(local) + 1));
    return true;
}

/* The owner's plain count reached zero (counts.md, zero drop); true: the object is dead. */
static bool zero_drop(struct ouro__thread *me, struct ouro_header *h, void *object)
{
    /* Acquire: pairs with the release of every foreign decref. */
    ouro_word b = ouro__load_acquire(&h->shared);
    ouro__half_store(&h->local, ouro__owned_local(b, 0));
    for (;;) {
        if (b & (OURO__QUEUED | OURO__IMMORTAL))
            return false; /* the drain decides */
        if (ouro__count_of(b) == 0 && !(b & OURO__WEAK))
            return true; /* no RMW was made */
        ouro__note_rmw(me);
        ouro__tool_release(object);
        if (ouro__count_of(b) >= (ouro__can_cycle(h) ? 1 : OURO__LOCAL_PART)) {
            if (!ouro__fold(h, &b))
                continue;
            if (ouro__half_load(&h->visited) == 0)
                ouro__candidate(object);
            return false;
        }
        ouro__half_store(&h->local, OURO__LOCAL_AWAY);
        ouro_word next = (b & ~(OURO__OWNER_MASK | OURO__TOUCHED)) | OURO__MERGE;
        if (ouro__cas_full(&h->shared, &b, next))
            return ouro__count_of(b) == 0;
        ouro__half_store(&h->local, ouro__owned_local(b, 0));
    }
}

/* -- the others -------------------------------------------------------------------------------- */

void ouro__over_release(const void *object, ouro_word b)
{
    struct ouro__thread *me = ouro__self;
    if (me && me->whole) {
        ouro__wrong_found(object, b, "dropped, but no reference is left");
        return;
    }
    ouro_fail(OURO_FAIL_OVER_RELEASE, object, ouro__type_name(object, b),
              "dropped, but no reference is left");
}

/* A decref of a merged object, with its count b as last read; true: the object is dead. The fence:
 * a death that ended in another life wrote the visited word before the count that shows it
 * (release.c, ouro__resurrected), and b was read relaxed. */
static bool merged_decref(struct ouro__thread *me, struct ouro_header *h, void *object, ouro_word b)
{
    ouro__fence_acquire();
    ouro_half visited = ouro__half_load(&h->visited);
    ouro__tool_release(object);
    for (;;) {
        int64_t count = ouro__count_of(b);
        if (OURO_UNLIKELY(count <= 0)) {
            ouro__over_release(object, b);
            return false;
        }
        bool claim = count > 1 && visited != OURO__ACYCLIC && !(b & OURO__QUEUED);
        ouro_word next = claim ? b | OURO__QUEUED : b - OURO__UNIT;
        if (OURO_UNLIKELY(ouro__is_walked(b)))
            next |= OURO__TOUCHED;
        if (!ouro__cas_full(&h->shared, &b, next))
            continue;
        if (claim)
            return !ouro__remember(me, object, true) && ouro__unclaim(object);
        if (count == 2 && (b & OURO__QUEUED))
            ouro__merged_one(object, visited);
        return count == 1;
    }
}

/* The dropped reference goes to the owner's queue or, where there is no memory, is subtracted for
 * the owner to find by T (exhaust.c); false: *b was not the word any more. */
static bool drop_by_entry(struct ouro__thread *me, struct ouro_header *h, ouro_word *b,
                          ouro_word touched)
{
    unsigned t = (unsigned)(*b & OURO__OWNER_MASK);
    bool room = ouro__entry_secured(me, h + 1); /* before Q is set (E1) */
    ouro_word next = room ? *b | OURO__QUEUED | touched : (*b - OURO__UNIT) | OURO__TOUCHED;
    if (!ouro__cas_full(&h->shared, b, next))
        return false;
    if (OURO_LIKELY(room))
        ouro__enqueue(me, h + 1, t);
    else
        ouro__mark(me, t);
    return true;
}

/* A decref by a thread that does not hold the owner's token; true: dead. */
static bool foreign_decref(struct ouro__thread *me, struct ouro_header *h, void *object)
{
    ouro_word b = ouro__load(&h->shared);
    ouro__note_abroad(me);
    ouro__note_rmw(me);
    ouro__tool_release(object);
    for (;;) {
        if (b & OURO__IMMORTAL)
            return false;
        if (b & OURO__MERGED)
            return merged_decref(me, h, object, b);
        ouro_word touched = ouro__can_cycle(h) ? OURO__TOUCHED : 0;
        bool notice = touched && !(b & OURO__TOUCHED);
        if (!(b & OURO__QUEUED) && (ouro__count_of(b) <= 0 || notice)) {
            if (drop_by_entry(me, h, &b, touched))
                return false;
        } else if (ouro__cas_release(&h->shared, &b, (b - OURO__UNIT) | touched)) {
            return false;
        }
    }
}

/* -- dying and immortal objects ---------------------------------------------------------------- */

/* The object has the flag I: immortal, dying or gone. Returns whether that was all. */
static void count_on_immortal(void *object, ouro_word b, int direction)
{
    if (!ouro__is_dying(b))
        return;
    if (ouro__is_freed(b)) {
        if (direction > 0)
            ouro_fail(OURO_FAIL_USE_AFTER_FREE, object, ouro__type_name(object, b),
                      "counted, but it is gone");
        ouro__over_release(object, b);
        return;
    }
    struct ouro__thread *me = ouro__self;
    if (me && me->dropping)
        return;
    if (ouro__count_of(b) >= OURO__COUNT_LIMIT)
        return; /* more than the word can count: it says nothing */
    ouro_word change = direction > 0 ? OURO__UNIT : -OURO__UNIT;
    ouro_word was = ouro__fetch_add_full(&ouro__header(object)->shared, change);
    if (direction < 0 && ouro__count_of(was) <= 0) {
        ouro__fetch_add(&ouro__header(object)->shared, OURO__UNIT);
        ouro__over_release(object, was);
    }
}

void ouro__saturate(void *object)
{
    struct ouro_header *h = ouro__header(object);
    if (!(ouro__fetch_or_full(&h->shared, OURO__IMMORTAL) & OURO__IMMORTAL))
        ouro__warn_object("a count saturated; the object will never be freed; its type is ",
                          object);
}

bool ouro_thread_counted(struct ouro_counted *counted)
{
    *counted = OURO_CHECKED && ouro__self ? ouro__self->counted : (struct ouro_counted){0, 0};
    return OURO_CHECKED && OURO_THREADS;
}

/* -- the calls --------------------------------------------------------------------------------- */

void ouro__incref_out(void *object)
{
    if (!object)
        return;
    struct ouro_header *h = ouro__header(object);
    ouro_word b = ouro__load(&h->shared);
    if (OURO_UNLIKELY(b & OURO__IMMORTAL)) {
        count_on_immortal(object, b, 1);
        return;
    }
    struct ouro__thread *me = ouro__me();
    if (OURO_CHECKED && me)
        ouro__checked_touch(object, me);
    if (me && ouro__holds(me, b)) {
        ouro__note_plain(me);
        if (!ouro__local_incref(h))
            ouro__saturate(object);
        return;
    }
    /* Relaxed: the caller's own reference keeps the object alive (counts.md, f). */
    ouro_word was = ouro__fetch_add(&h->shared, OURO__UNIT);
    ouro__note_abroad(me);
    ouro__note_rmw(me);
    if (OURO_UNLIKELY(ouro__count_of(was) >= OURO__COUNT_LIMIT))
        ouro__saturate(object);
}

/* The owner's decref; true: dead. */
static bool own_decref(struct ouro__thread *me, struct ouro_header *h, void *object)
{
    ouro_half local = ouro__half_load(&h->local);
    int32_t n = ouro__local_count(local) - 1;
    if (n < 0) /* Q is set and the reference is counted in the shared word (I5) */
        return foreign_decref(me, h, object);
    ouro__note_plain(me);
    if (n == 0)
        return zero_drop(me, h, object);
    ouro__half_store(&h->local, local - OURO__LOCAL_UNIT);
    if (ouro__half_load(&h->visited) == 0)
        ouro__candidate(object);
    return false;
}

void ouro__decref_out(void *object)
{
    if (!object)
        return;
    struct ouro_header *h = ouro__header(object);
    struct ouro__thread *me = ouro__self;
    if (OURO_LIKELY(!OURO_CHECKED && me && ouro__half_load(&h->local) == me->home &&
                    (OURO_THREADS || ouro__is_of(me->orc, object)))) {
        if (zero_drop(me, h, object)) /* the last one of the owner */
            ouro__die(me, object);
        return;
    }
    ouro_word b = ouro__load(&h->shared);
    if (OURO_UNLIKELY(b & OURO__IMMORTAL)) {
        count_on_immortal(object, b, -1);
        return;
    }
    me = ouro__me();
    if (!me)
        return; /* no memory for a thread record: the object leaks rather than dies wrongly */
    if (OURO_CHECKED)
        ouro__checked_touch(object, me);
    bool mine = ouro__holds(me, b);
    if ((!OURO_THREADS || !mine) && ouro__is_elsewhere(me, object, b))
        ouro__visit_decref(object);
    else if (mine ? own_decref(me, h, object) : foreign_decref(me, h, object))
        ouro__die(me, object);
}

void ouro__incref_in_out(struct ouro_context *context, void *object)
{
    if (OURO_CHECKED)
        ouro__context_check(context);
    ouro__incref_out(object);
}

void ouro__decref_in_out(struct ouro_context *context, void *object)
{
    if (OURO_CHECKED)
        ouro__context_check(context);
    ouro__decref_out(object);
}

void ouro__incref_local_out(void *object)
{
    if (OURO_CHECKED)
        ouro__checked_local(object);
    ouro__incref_out(object);
}

void ouro__decref_local_out(void *object)
{
    if (OURO_CHECKED)
        ouro__checked_local(object);
    ouro__decref_out(object);
}

void ouro__merged_zero(void *object)
{
    struct ouro__thread *me = ouro__me();
    if (me && !ouro__is_elsewhere(me, object, ouro__load(&ouro__header(object)->shared))) {
        ouro__die(me, object);
        return;
    }
    struct ouro_runtime *there = me ? ouro__visit(object) : NULL;
    if (!there)
        return; /* no memory: it leaks rather than dies in the wrong runtime */
    ouro__die(ouro__self, object);
    ouro_runtime_leave(there);
}

/* The shared count went from 2 to 1 while Q was set: if the entry is this thread's, it is the last
 * reference. `visited` was read while the caller still had one; another thread's object may be gone
 * by now and is not touched. */
void ouro__merged_one(void *object, ouro_half visited)
{
    struct ouro__thread *me = ouro__self;
    if (!me || !ouro__is_claimed_by(me, object, visited))
        return;
    struct ouro_header *h = ouro__header(object);
    ouro_word b = ouro__load(&h->shared);
    while (ouro__count_of(b) == 1 && !(b & OURO__IMMORTAL)) {
        if (!ouro__cas_full(&h->shared, &b, (b & ~OURO__QUEUED) - OURO__UNIT))
            continue;
        ouro__forget(me, h);
        ouro__die(me, object);
        return;
    }
}

/* Without threads all count plainly, in whatever runtime they are. */
static OURO_NOINLINE void candidate_elsewhere(void *object)
{
    struct ouro_runtime *there = ouro__visit(object);
    if (!there)
        return;
    ouro__candidate(object);
    ouro_runtime_leave(there);
}

void ouro__candidate(void *object)
{
    struct ouro__thread *me = ouro__me();
    if (!me)
        return;
    if (!OURO_THREADS && OURO_UNLIKELY(!ouro__is_of(me->orc, object))) {
        candidate_elsewhere(object);
        return;
    }
    struct ouro__visited *v = &me->visited;
    if (OURO_LIKELY(v->free_place == 0 && v->count < v->capacity)) {
        v->entries[v->count++] = (struct ouro__entry){object, 0, 0};
        ouro__half_store(&ouro__header(object)->visited, v->count);
        v->live_places++;
    } else {
        ouro__remember(me, object, false);
    }
    if (v->live_places >= v->threshold || v->live_places % 64 == 0)
        ouro__collect_if_due(me);
}
