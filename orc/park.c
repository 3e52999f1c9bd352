/* SPDX-License-Identifier: MIT */
/* park.c: while a thread says that it will not count, others settle for it (token.c, T4). */
#include "alloc/heap.h"
#include "alloc/valgrind.h"
#include "orc/state.h"
#include "orc/thread.h"

/* Waits for at most one hold: WANT keeps a second merger out. */
void ouro__run_again(struct ouro__thread *me)
{
    if (ouro__load(&me->state) == OURO__RUNNING)
        return; /* for a fork, whose handlers may end the park */
    ouro__fetch_or_full(&me->state, OURO__WANT);
    for (;;) {
        ouro_word parked = OURO__PARKED | OURO__WANT;
        /* Acquire: pairs with the release of the merger that left (counts.md, c). */
        if (ouro__cas_full(&me->state, &parked, OURO__RUNNING)) {
            ouro__tool_acquire(&me->state);
            return;
        }
        ouro__os_yield();
    }
}

void ouro__enter_park(struct ouro__thread *me)
{
    for (;;) {
        ouro__poll_turning(me);
        ouro__tool_release(&me->state);
        ouro__exchange_full(&me->state, OURO__PARKED);
        if (!ouro__anything_queued(me))
            return;
        ouro__run_again(me);
    }
}

void ouro_park(void)
{
    struct ouro__thread *me = ouro__self;
    if (!me || me->park_depth++ > 0)
        return;
    struct ouro__heap *heap = ouro__heap_mine();
    ouro__remote_flush(heap);
    /* A merger allocates nothing: room for what it may remember. */
    if (me->visited.capacity - me->visited.count < 2 * OURO__MERGE_MOST)
        ouro__visited_grow(&me->visited);
    ouro__enter_park(me);
}

void ouro__unpark_to(struct ouro__thread *me, uint32_t depth)
{
    if (me->park_depth <= depth)
        return;
    me->park_depth = depth;
    if (depth == 0)
        ouro__run_again(me);
}

void ouro_unpark(void)
{
    struct ouro__thread *me = ouro__self;
    if (!me || me->park_depth == 0 || --me->park_depth > 0)
        return;
    ouro__run_again(me);
    ouro__poll_tokens(me);
}

void ouro_poll(void)
{
    struct ouro__thread *me = ouro__me();
    if (!me)
        return;
    ouro__poll_tokens(me);
    ouro__release_noted(me, SIZE_MAX);
    struct ouro__heap *heap = ouro__heap_mine();
    ouro__remote_flush(heap);
    if (ouro__remote_pending(heap))
        ouro__remote_drain(heap, heap);
}
