/* SPDX-License-Identifier: MIT */
/* queue.c: deaths and notices that other threads hand to the owner.
 *
 * Whoever drops a reference that it may not subtract (docs/counts.md, foreign decref) sets Q and
 * gives the reference to the queue of the owner's token. Entries travel in segments: one thread
 * fills one for one token, after it has been pushed, so that a push is one uncontended RMW and the
 * owner reads entries in a row.
 *
 *  Q1  Q is set on x exactly while one entry for x is in queue[owner(x)] or on its way there.
 *  Q2  An entry is published by the RMW on `state` that counts it; only the filler writes entries.
 *  Q3  CLOSED is set by the RMW that reads the count: what is counted before is taken, nothing is
 *      added after.
 *  Q4  A segment's memory goes to whoever comes second: the filler sets LEFT when it will not touch
 *      it again, the drainer sets DONE when it has read it.
 *  Q5  An append needs no nudge: the nudge that followed its segment's push found somebody who will
 *      look at the queue; until that look the segment is in the list, after it it is CLOSED. Who
 *      puts segments back (a hold takes 64 entries) looks again.
 * Model: tests/models/segments.pml (QUIET, BACK).
 *
 * What is done where there is no memory for a segment stands in exhaust.c. */
#include "alloc/fail.h"
#include "alloc/heap.h"
#include "alloc/pool.h"
#include "alloc/valgrind.h"
#include "orc/state.h"

#define TYPE_BITS ((ouro_word)0xFFFF << OURO__TYPE_SHIFT)

#define SEGMENT_CLOSED ((ouro_word)1 << 16)
#define SEGMENT_LEFT   ((ouro_word)1 << 17)
#define SEGMENT_DONE   ((ouro_word)1 << 18)
#define SEGMENT_COUNT  ((ouro_word)0xFFFF)

/* -- segments ---------------------------------------------------------------------------------- */

static void segment_leave(struct ouro__open *open)
{
    if (!open->segment)
        return;
    if (ouro__fetch_or_full(&open->segment->state, SEGMENT_LEFT) & SEGMENT_DONE)
        ouro_free(open->segment);
    *open = (struct ouro__open){0};
}

void ouro__segments_leave(struct ouro__thread *me)
{
    for (unsigned i = 0; i < OURO__SEGMENTS; i++)
        segment_leave(&me->open[i]);
    if (me->reserve)
        ouro_free(me->reserve);
    me->reserve = NULL;
}

static void push_segment(struct ouro__token *token, struct ouro__segment *segment)
{
    ouro_word head = ouro__load(&token->queue);
    do {
        segment->next = (struct ouro__segment *)head;
    } while (!ouro__cas_full(&token->queue, &head, (ouro_word)segment));
}

/* Adds an entry to the open segment for t, if there is one with room. */
static bool append(struct ouro__open *open, void *object, unsigned t)
{
    struct ouro__segment *segment = open->segment;
    if (!segment || open->token != t || open->count == OURO__SEGMENT_ROOM)
        return false;
    segment->entries[open->count] = object;
    ouro_word state = open->count;
    if (!ouro__cas_full(&segment->state, &state, state + 1))
        return false; /* CLOSED */
    open->count++;
    return true;
}

size_t ouro__queued_bytes(unsigned t)
{
    size_t bytes = 0;
    /* Only the holder takes segments out: the list behind the head that it reads stays. */
    const struct ouro__segment *segment =
        (const struct ouro__segment *)ouro__load_acquire(&ouro__tokens[t].queue);
    for (; segment; segment = segment->next) {
        unsigned n = (unsigned)(ouro__load_acquire(&segment->state) & SEGMENT_COUNT);
        for (unsigned i = 0; i < n; i++)
            bytes += ouro__block_bytes(segment->entries[i]);
    }
    void *spilled = (void *)ouro__load_acquire(&ouro__tokens[t].spilled);
    for (; spilled; spilled = ouro__spilled_next(spilled))
        bytes += ouro__block_bytes(spilled);
    return bytes;
}

/* Q was set by the caller, and the memory secured before (E1). */
void ouro__enqueue(struct ouro__thread *me, void *object, unsigned t)
{
    struct ouro__open *open = &me->open[ouro__open_place(t)];
    if (OURO_LIKELY(append(open, object, t)))
        return; /* Q5 */
    segment_leave(open);
    struct ouro__segment *segment = me->reserve;
    me->reserve = NULL;
    if (OURO_LIKELY(segment != NULL)) {
        ouro__tool_words(segment, sizeof *segment);
        segment->entries[0] = object;
        segment->state = 1;
        *open = (struct ouro__open){segment, t, 1};
        push_segment(&ouro__tokens[t], segment);
    } else {
        ouro__spill(object, t);
    }
    ouro__nudge(me, t);
}

/* -- settling ---------------------------------------------------------------------------------- */

/* What becomes of x when n references remain, and count is what the shared word b has. One that can
 * be in a cycle is never merged: it stays with its owner, who can collect it. */
static ouro_word settled(struct ouro_header *h, ouro_half local, ouro_word b, int64_t n)
{
    int64_t count = ouro__count_of(b);
    bool has_own = ouro__local_count(local) > 0;
    ouro_word low = b & ~OURO__QUEUED & (OURO__UNIT - 1);
    int64_t folded = ouro__can_cycle(h) ? 1 : OURO__LOCAL_PART;
    if (n > 0 && count <= 0) { /* fold: the bias stays */
        ouro__half_store(&h->local, ouro__owned_local(b, n));
        return low;
    }
    if (n >= folded && !has_own) { /* the same, as far as they have room */
        int64_t part = ouro__part_of(n);
        ouro__half_store(&h->local, ouro__owned_local(b, part));
        return low | (ouro_word)(n - part) << OURO__COUNT_SHIFT;
    }
    if (n > 0 && has_own) {                 /* the deferred subtraction */
        ouro__half_store(&h->local, local); /* written back: an earlier turn may have folded */
        return low | (ouro_word)(count - 1) << OURO__COUNT_SHIFT;
    }
    ouro__half_store(&h->local, OURO__LOCAL_AWAY);
    low = (low & ~(OURO__OWNER_MASK | OURO__TOUCHED)) | OURO__MERGE;
    return low | (ouro_word)n << OURO__COUNT_SHIFT;
}

/* The verdict on one entry of x, which `holder` holds: the entry's reference goes. Returns
 * whether x died.
 * Invariants I4 to I7; the load of B is acquire (counts.md, a), the CAS acq_rel, `local` is written
 * before it (I7). */
static bool settle(struct ouro__thread *holder, void *object)
{
    struct ouro_header *h = ouro__header(object);
    ouro_half local = ouro__half_load(&h->local);
    ouro_half visited = ouro__half_load(&h->visited);
    ouro__tool_acquire(object);
    ouro__tool_release(object);
    ouro_word b = ouro__load_acquire(&h->shared), next;
    int64_t n;
    do {
        n = (int64_t)ouro__local_count(local) + ouro__count_of(b) - 1;
        if (OURO_LIKELY(n == 0 && !(b & (OURO__WEAK | OURO__IMMORTAL)))) {
            /* The entry's reference was the last: nobody can change the word any more. */
            ouro__store(&h->shared, (b & TYPE_BITS) | OURO__MERGE);
            return true;
        }
        if (b & OURO__IMMORTAL) {
            next = (b & ~(OURO__QUEUED | OURO__OWNER_MASK)) | OURO__MERGE;
        } else if (OURO_UNLIKELY(n < 0)) {
            next = ouro__set_aside(holder, h, b);
        } else {
            next = settled(h, local, b, n);
        }
    } while (!ouro__cas_full(&h->shared, &b, next));
    if (OURO_UNLIKELY(n < 0 && !(b & OURO__IMMORTAL))) {
        ouro__wrong_found(object, b, "more references were dropped than there were");
        return false;
    }
    if ((b & OURO__IMMORTAL) || n == 0 || visited == OURO__ACYCLIC)
        return n == 0 && !(b & OURO__IMMORTAL);
    if (ouro__half_load(&h->visited) == 0)
        ouro__remember(holder, object, false);
    return false;
}

/* -- over-releases ----------------------------------------------------------------------------- */

void ouro__wrong_found(const void *object, ouro_word shared, const char *detail)
{
    struct ouro__thread *me = ouro__self;
    if (!me->wrong.object)
        me->wrong = (struct ouro__wrong){object, ouro__type_name(object, shared), detail};
}

void ouro__wrong_report(struct ouro__thread *me)
{
    struct ouro__wrong wrong = me->wrong;
    if (OURO_LIKELY(!wrong.object) || me->releasing || me->visited.collecting)
        return;
    me->wrong.object = NULL;
    ouro_fail(OURO_FAIL_OVER_RELEASE, wrong.object, wrong.type_name, wrong.detail);
}

ouro_word ouro__set_aside(struct ouro__thread *holder, struct ouro_header *h, ouro_word b)
{
    ouro__forget(holder, h);
    ouro__half_store(&h->local, OURO__LOCAL_AWAY);
    return (b & ~(OURO__QUEUED | OURO__TOUCHED | OURO__OWNER_MASK)) | OURO__MERGE | OURO__IMMORTAL;
}

/* -- the queue --------------------------------------------------------------------------------- */

/* Settles a segment's entries. One that is to be freed is put on `spent`. */
static unsigned take_segment(struct ouro__thread *holder, struct ouro__segment *segment,
                             struct ouro__chain *dead, struct ouro__segment **spent)
{
    unsigned n = (unsigned)(ouro__fetch_or_full(&segment->state, SEGMENT_CLOSED) & SEGMENT_COUNT);
    for (unsigned i = 0; i < n && i < 8; i++)
        OURO_PREFETCH(ouro__header(segment->entries[i]));
    for (unsigned i = 0; i < n; i++) {
        if (i + 8 < n)
            OURO_PREFETCH(ouro__header(segment->entries[i + 8]));
        if (settle(holder, segment->entries[i]))
            ouro__die_later(holder, dead, segment->entries[i]);
    }
    if (ouro__fetch_or_full(&segment->state, SEGMENT_DONE) & SEGMENT_LEFT) {
        segment->next = *spent;
        *spent = segment;
    }
    return n;
}

/* Settles the objects that are entries themselves. */
static void take_spilled(struct ouro__thread *holder, unsigned t, struct ouro__chain *dead)
{
    void *object = (void *)ouro__exchange_full(&ouro__tokens[t].spilled, 0);
    while (object) {
        void *next = ouro__spilled_next(object); /* before it dies */
        if (settle(holder, object))
            ouro__die_later(holder, dead, object);
        object = next;
    }
}

struct ouro__segment *ouro__drain(struct ouro__thread *holder, unsigned t, unsigned most,
                                  struct ouro__chain *dead)
{
    struct ouro__token *token = &ouro__tokens[t];
    if (OURO_UNLIKELY(ouro__load(&token->marked)) && ouro__exchange_full(&token->marked, 0))
        ouro__look_for_marked(holder, t, dead);
    if (OURO_UNLIKELY(ouro__load(&token->spilled)))
        take_spilled(holder, t, dead);
    if (ouro__load(&token->queue) == 0)
        return NULL;
    struct ouro__segment *segment = (struct ouro__segment *)ouro__exchange_full(&token->queue, 0);
    struct ouro__segment *spent = NULL;
    unsigned taken = 0;
    while (segment) {
        struct ouro__segment *next = segment->next;
        if (taken < most)
            taken += take_segment(holder, segment, dead, &spent);
        else
            push_segment(token, segment);
        segment = next;
    }
    return spent;
}

void ouro__after_drain(struct ouro__thread *me, struct ouro__segment *spent,
                       struct ouro__chain *dead)
{
    while (spent) {
        struct ouro__segment *next = spent->next;
        if (me->reserve)
            ouro_free(spent);
        else
            me->reserve = spent;
        spent = next;
    }
    ouro__release_chain(me, dead);
}
