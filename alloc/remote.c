/* SPDX-License-Identifier: MIT */
/* remote.c: blocks freed by threads that do not own them.
 *
 * A thread gathers such cells per destination heap (Liétar et al. 2019 batch them likewise) and
 * pushes each batch as one chain onto the destination's list. The destination takes the whole list
 * by one exchange, polled by a plain load when it needs cells. Heaps are type-stable: their number
 * only grows, to the greatest number of threads that ever ran at once.
 *
 *  F1  A cell is in exactly one of: a page's free list, a ready list, a batch, a remote list, or
 *      the hands of a thread that moves it between those.
 *  F2  Nothing is forgotten: a remote list is empty, or its heap is OWNED by a running thread, which
 *      polls, or somebody is inside push or exit and looks at the state after the last push.
 *  F3  The state leaves ABANDONED by compare-and-swap only; whoever wins serves the heap alone.
 *
 * F2 rests on a store-then-load pair, both sequentially consistent: push (RMW on `remote`), then
 * load of `state`; and on exit RMW of `state` to ABANDONED, then load of `remote`. Model:
 * tests/models/remote.pml.
 *
 * A page may change its heap while a chain with its cells is under way to the old one. Whoever
 * drains that list sees that the page is not the list's heap's and passes the cell on.
 */
#include "alloc/heap.h"
#include "alloc/os.h"

/* Serves an abandoned heap until its list stays empty, then leaves it to others. */
void ouro__remote_serve(struct ouro__heap *heap, struct ouro__heap *mine)
{
    for (;;) {
        ouro_word state = OURO__HEAP_ABANDONED;
        if (!ouro__cas_full(&heap->state, &state, OURO__HEAP_OWNED))
            return; /* taken by another, who looks again as we would */
        ouro__remote_drain(heap, mine);
        ouro__exchange_full(&heap->state, OURO__HEAP_ABANDONED);
        if (ouro__load_seq(&heap->remote) == 0)
            return;
    }
}

void ouro__remote_leave(struct ouro__heap *heap, struct ouro__heap *mine)
{
    ouro__exchange_full(&heap->state, OURO__HEAP_ABANDONED);
    if (ouro__load_seq(&heap->remote) != 0)
        ouro__remote_serve(heap, mine);
}

static void push_chain(struct ouro__heap *to, struct ouro__heap *mine, void *first, void *last)
{
    ouro_word head = ouro__load(&to->remote);
    do {
        *(void **)last = (void *)head;
    } while (!ouro__cas_full(&to->remote, &head, (ouro_word)first));
    if (OURO_UNLIKELY(ouro__load_seq(&to->state) == OURO__HEAP_ABANDONED))
        ouro__remote_serve(to, mine);
}

static void batch_flush(struct ouro__heap *mine, struct ouro__batch *batch)
{
    if (batch->count == 0)
        return;
    struct ouro__batch full = *batch;
    *batch = (struct ouro__batch){0};
    push_chain(full.to, mine, full.first, full.last);
}

void ouro__remote_flush(struct ouro__heap *mine)
{
    for (unsigned i = 0; i < OURO__BATCHES; i++)
        batch_flush(mine, &mine->batches[i]);
}

static unsigned batch_of(const struct ouro__heap *to)
{
    return (unsigned)(((uintptr_t)to >> 6) * 0x9E3779B97F4A7C15u >> 60);
}
OURO_STATIC_ASSERT(OURO__BATCHES == 16, "batch_of gives four bits");

void ouro__remote_free(struct ouro__heap *mine, struct ouro__heap *to, void *cell, size_t bytes)
{
    if (OURO_UNLIKELY(ouro__load(&to->state) == OURO__HEAP_FROZEN))
        return; /* in a fork's child: the heap of a thread that is not there leaks */
    struct ouro__batch *batch = &mine->batches[batch_of(to)];
    if (batch->to != to) {
        batch_flush(mine, batch);
        batch->to = to;
        batch->last = cell;
    }
    *(void **)cell = batch->first;
    batch->first = cell;
    batch->bytes += (uint32_t)bytes;
    if (++batch->count >= OURO__BATCH_CELLS || batch->bytes >= OURO__BATCH_BYTES)
        batch_flush(mine, batch);
}

void ouro__remote_drain(struct ouro__heap *heap, struct ouro__heap *mine)
{
    void *cell = (void *)ouro__exchange_full(&heap->remote, 0);
    while (cell) {
        void *next = *(void **)cell;
        OURO_PREFETCH(next);
        struct ouro__place place = ouro__place_of(cell);
        if (OURO_LIKELY(place.page->heap == heap))
            ouro__page_free(place.page, cell);
        else
            ouro__remote_free(mine, place.page->heap, cell, place.bytes);
        cell = next;
    }
}

bool ouro__remote_adopt(struct ouro__heap *mine, unsigned tag, unsigned cls)
{
    bool any = false;
    unsigned tries = 4;
    for (struct ouro__heap *heap = ouro__heaps_first(); heap && tries; heap = heap->next_heap) {
        if (ouro__load(&heap->state) != OURO__HEAP_ABANDONED)
            continue;
        if (!ouro__remote_pending(heap) && !heap->avail_first[tag][cls])
            continue;
        ouro_word state = OURO__HEAP_ABANDONED;
        if (!ouro__cas_full(&heap->state, &state, OURO__HEAP_OWNED))
            continue;
        tries--;
        ouro__remote_drain(heap, mine);
        any = ouro__heap_steal(heap, mine, tag, cls) || any;
        ouro__remote_leave(heap, mine);
        if (any)
            break;
    }
    return any;
}
