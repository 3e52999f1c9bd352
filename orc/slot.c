/* SPDX-License-Identifier: MIT */
/* slot.c: stores into slots of objects that the thread does not own.
 *
 * A foreign store says so before it stores and while it does: one CAS sets T and S, a fence orders
 * it before the store (docs/cycles.md M2), S is cleared by release afterwards (M3). T is set only
 * with a notice, or while the owner is to be told anyway: the store brings a reference of its own
 * to the container into the owner's queue (count.c). */
#include "orc/slot.h"
#include "alloc/heap.h"
#include "alloc/runtime.h"
#include "orc/checked.h"
#include "orc/state.h"

/* What is due after a store: nothing, an entry with a reference of its own, or, where there is no
 * memory for one, a mark. */
enum due { NOTHING, ENTRY, MARK };

static enum due store_begins(struct ouro__thread *me, struct ouro_header *h)
{
    ouro_word b = ouro__load(&h->shared);
    for (;;) {
        enum due due = NOTHING;
        if (!(b & (OURO__TOUCHED | OURO__QUEUED | OURO__MERGED)))
            due = ouro__entry_secured(me, h + 1) ? ENTRY : MARK; /* before Q is set (E1) */
        ouro_word next = b | OURO__STORING | OURO__TOUCHED;
        if (due == ENTRY)
            next = (next | OURO__QUEUED) + OURO__UNIT;
        ouro__store(&me->storing, (ouro_word)h); /* before S: a fork's child clears it there */
        if (b & OURO__STORING) { /* another store is under way: this one goes after it */
            ouro__os_yield();
            b = ouro__load(&h->shared);
        } else if (ouro__cas_full(&h->shared, &b, next)) {
            ouro__note_abroad(me); /* not before: who looked before this mark must see a new note */
            ouro__fence_release();
            return due;
        }
    }
}

static void store_ends(struct ouro__thread *me, void *container, enum due due)
{
    struct ouro_header *h = ouro__header(container);
    ouro_word b = ouro__load(&h->shared);
    unsigned t = (unsigned)(b & OURO__OWNER_MASK);
    while (!ouro__cas_release(&h->shared, &b, b & ~OURO__STORING))
        continue;
    ouro__store(&me->storing, 0);
    if (due == ENTRY)
        ouro__enqueue(me, container, t);
    else if (OURO_UNLIKELY(due == MARK))
        ouro__mark(me, t);
}

static ouro_word exchange_plain(ouro_word *slot, ouro_word word)
{
    ouro_word old = ouro__load(slot);
    ouro__store(slot, word);
    return old;
}

/* A reference moved into the object, which this thread holds, or nobody (a merged one). */
static void become_candidate(struct ouro__thread *me, void *container)
{
    struct ouro_header *h = ouro__header(container);
    ouro_word b = ouro__load(&h->shared);
    if (!(b & OURO__MERGED)) {
        if (ouro__half_load(&h->visited) == 0)
            ouro__remember(me, container, false);
        return;
    }
    while (!(b & (OURO__QUEUED | OURO__IMMORTAL))) {
        if (!ouro__cas_full(&h->shared, &b, (b | OURO__QUEUED) + OURO__UNIT))
            continue;
        if (!ouro__remember(me, container, true) && ouro__unclaim(container))
            ouro__die(me, container);
        return;
    }
}

void ouro__slot_moved(void *container)
{
    struct ouro__thread *me = OURO_THREADS ? ouro__self : ouro__me();
    if (!me)
        return;
    /* Without threads the words do not tell whose it is: its runtime may be another one. */
    if (!OURO_THREADS && OURO_UNLIKELY(!ouro__is_of(me->orc, container)))
        ouro_slot_moved_into(container);
    else
        ouro__remember(me, container, false);
}

/* In the container's runtime: what is due after the store is for its threads alone. Without memory
 * to go there a collection is told all the same (T), but no owner: it may leak. */
static OURO_NOINLINE uint64_t exchange_elsewhere(void *container, uint64_t *at, uint64_t word,
                                                 void *object, bool moved)
{
    struct ouro_runtime *there = ouro__visit(container);
    if (!there) {
        ouro__fetch_or_full(&ouro__header(container)->shared, OURO__TOUCHED);
        return exchange_plain((ouro_word *)at, word);
    }
    uint64_t old = ouro__slot_exchange_word_out(container, at, word, object, moved);
    ouro_runtime_leave(there);
    return old;
}

void *ouro__slot_exchange_out(void *container, void **slot, void *value, bool moved)
{
    return (void *)ouro__slot_exchange_word_out(container, (uint64_t *)(void *)slot,
                                                (uint64_t)(uintptr_t)value, value, moved);
}

uint64_t ouro__slot_exchange_word_out(void *container, uint64_t *at, uint64_t word, void *object,
                                      bool moved)
{
    ouro_word *slot = (ouro_word *)at;
    ouro__check_alive(container, "a slot in it was used, but it is gone");
    if (OURO_CHECKED && object)
        ouro__checked_store(container, object);
    struct ouro_header *h = ouro__header(container);
    ouro_word b =
        ouro__load_acquire(&h->shared); /* before `visited`, as in merged_decref (count.c) */
    struct ouro__thread *me = ouro__me();
    if (!me || (b & OURO__IMMORTAL) || !ouro__can_cycle(h))
        return exchange_plain(slot, word);
    if (ouro__is_elsewhere(me, container, b))
        return exchange_elsewhere(container, at, word, object, moved);
    if (!OURO_THREADS || (b & OURO__MERGED) || ouro__holds(me, b)) {
        ouro_word old = exchange_plain(slot, word);
        if (moved && object)
            become_candidate(me, container);
        return old;
    }
    enum due due = store_begins(me, h);
    ouro_word old = exchange_plain(slot, word);
    store_ends(me, container, due);
    return old;
}

void *ouro__slot_exchange_in_out(struct ouro_context *context, void *container, void **slot,
                                 void *value, bool moved)
{
    if (OURO_CHECKED)
        ouro__context_check(context);
    return ouro__slot_exchange_out(container, slot, value, moved);
}

uint64_t ouro__slot_exchange_word_in_out(struct ouro_context *context, void *container,
                                         uint64_t *slot, uint64_t word, void *object, bool moved)
{
    if (OURO_CHECKED)
        ouro__context_check(context);
    return ouro__slot_exchange_word_out(container, slot, word, object, moved);
}

void ouro_slot_moved_into(void *object)
{
    ouro__check_alive(object, "something was moved into it, but it is gone");
    struct ouro_header *h = ouro__header(object);
    ouro_word b =
        ouro__load_acquire(&h->shared); /* before `visited`, as in merged_decref (count.c) */
    struct ouro__thread *me = ouro__me();
    if (!me || (b & OURO__IMMORTAL) || !ouro__can_cycle(h))
        return;
    if (ouro__is_elsewhere(me, object, b)) {
        struct ouro_runtime *there = ouro__visit(object);
        if (!there)
            return;
        ouro_slot_moved_into(object);
        ouro_runtime_leave(there);
        return;
    }
    if (!OURO_THREADS || (b & OURO__MERGED) || ouro__holds(me, b)) {
        become_candidate(me, object);
        return;
    }
    store_ends(me, object, store_begins(me, h));
}
