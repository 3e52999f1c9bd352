/* SPDX-License-Identifier: MIT */
/* remote.c: blocks freed by threads that do not own them.
 *
 * A thread gathers such cells per destination heap (Liétar et al. 2019 batch them likewise) and
 * pushes each batch as one chain onto the destination's list. The destination takes the whole list
 * by one exchange, polled by a plain load when it needs cells. Heaps are type-stable: their number
 * only grows, to the greatest number of threads that ever ran at once.
 *
 *  F1  A cell is in exactly one of: a page's free list, a ready list, a batch, a remote list, a
 *      quarantine (S5 of harden.c), what is held back while others look (R7), or the hands of a
 *      thread that moves it between those.
 *  F2  Nothing is forgotten: a remote list is empty, or its heap is OWNED by a running thread,
 *      which polls, or somebody is inside push or exit and looks at the state after the last push.
 *  F3  The state leaves ABANDONED by compare-and-swap only; whoever wins serves the heap alone.
 *  F4  Serving one heap may push to another that wants serving too. That one is remembered (`owes`)
 *      and served after, by the same call: batches never nest, and the stack only where cells are
 *      pushed one by one (`mine` NULL), once for each heap at most.
 *
 *  F5  A batch has cells of heaps of its own runtime alone; cells of others are pushed one by one,
 *      so that nothing of a runtime waits in another (N2 of docs/adr/0012).
 *
 *  F6  A cell's second word leads, if the library is not the checked one, to the cell that was put
 *      into the batch OURO__LEAD after it. It is a hint, read for a prefetch alone: whoever drains
 *      waits for some lines at a time that the freer's core has, not for one after the other. In
 *      the last cells of a batch it is the last one, in one that was pushed alone what the program
 *      left there.
 *
 * A page may change its heap while a chain with its cells is under way to the old one. Whoever
 * drains that list sees that the page is not the list's heap's and passes the cell on.
 *
 * Memory order (that of `state` itself is E1 in thread.c):
 *  M1  Push: the links of the chain are plain stores before the CAS on `remote`, whose release half
 *      publishes them, and with them the end of the freer's use of the blocks. Drain: the exchange
 *      takes all; its acquire half pairs with every push in the list, not only with the last: all
 *      writes of `remote` are RMWs, so each push continues the release sequences of those before.
 *      There is no ABA: a push does not care what the head was, and nothing is popped singly.
 *  M2  The poll is relaxed. It decides only whether to drain; nothing is read through what it saw.
 *  M3  F2 is a store-then-load pair. Pusher: RMW on `remote`, then load of `state`. Who leaves
 *      (exit, ouro__remote_leave, serve_one): RMW on `state`, then load of `remote`. Acquire and
 *      release would let both loads read the old values, the chain would stay in a list that nobody
 *      looks at. Both RMWs are full and both loads ouro__load_seq, so that one of the two sees the
 *      other: the pusher sees ABANDONED and serves, or the leaver sees the chain and serves. If
 *      both do, F3 lets one in. The loser may go: its load of `state` saw a value from before the
 *      winner's next leaving, so by the same pair the winner's look after that leaving sees the
 *      loser's push. A load of `state` that sees OWNED needs nothing more: that owner will poll, or
 *      leave.
 *  M4  The owner of a page: store-release in all_insert (heap.c), load-acquire in ouro__page_owner,
 *      so that the remote list of a heap that is newer than the block is seen initialized. The
 *      value may be old. A thread that reads its own heap there, even relaxed, as the inlined free
 *      does, reads what is so: a page leaves a heap only by who serves it, and that is this thread
 *      since it took the heap by E1, which ordered all servings before. A thread that reads any
 *      other heap pushes to it, and the drain passes the cell on. The drain compares with the heap
 *      that it serves, of which the same holds.
 *      `kind`, `bytes`, `start`, `inverse`, `factor`, `cls`, `tag` and an inner slice's `first` are
 *      plain: constant while the page has a live block, and older than any. `capacity` and `reach`
 *      are loaded relaxed, and late enough to count the block. Whoever frees a block was handed it,
 *      in order, by the program, after it was cut.
 *  M5  `avail_bits` is relaxed: a hint whether a claim pays. The queues are read after the CAS
 *      (E1).
 *  M6  `pushed` grows before the push, `drained` is stored by release after the drain, and is read
 *      first, by acquire (stats.c): what is counted as drained is counted as pushed, so their
 *      difference is not below zero.
 *
 * Model: tests/models/remote.pml. What it does in one step more or in another place:
 *   - it claims right after the push, the code may owe the claim (F4). Only the steps of this
 *     thread come in between, and none of them ends before the claim is tried: any schedule in
 *     which the pusher sleeps between push and claim is in the model.
 *   - it puts a cell of a heap that the draining thread also serves into its page; the code puts
 *     only cells of the heap that is drained, and pushes the others, its own home's included.
 *   - LATE there are threads without a heap here (`mine` NULL).
 *   - a cell that is kept (raw.h) is in its ready list as if the program had it; the model has
 *     nothing of that.
 */
#include "alloc/harden.h"
#include "alloc/heap.h"
#include "alloc/os.h"
#include "alloc/raw.h"

/* Abandoned heaps that a search for pages looks at: it is on the way to a fresh page. */
#define ADOPT_LOOKS 32

/* -- serving heaps that nobody has ------------------------------------------------------------- */

/* Serves an abandoned heap until its list stays empty, then leaves it to others. */
static void serve_one(struct ouro__heap *heap, struct ouro__heap *mine)
{
    do {
        if (!ouro__heap_claim(heap))
            return; /* taken by another, who looks again as we would (M3) */
        ouro__remote_drain(heap, mine);
        ouro__heap_give_up(heap); /* E1, M3 */
    } while (ouro__load_seq(&heap->remote) != 0);
}

void ouro__remote_serve(struct ouro__heap *heap, struct ouro__heap *mine)
{
    if (!mine) { /* no batches: each cell is pushed alone, and nesting ends with the heaps */
        serve_one(heap, NULL);
        return;
    }
    if (mine->serving) {
        mine->owes = true;
        return;
    }
    mine->serving = true;
    serve_one(heap, mine);
    while (mine->owes) {
        mine->owes = false;
        for (heap = ouro__heaps_of(mine->runtime); heap; heap = heap->next_heap) {
            if (ouro__load(&heap->state) == OURO__HEAP_ABANDONED && ouro__remote_pending(heap))
                serve_one(heap, mine);
        }
    }
    mine->serving = false;
}

void ouro__remote_leave(struct ouro__heap *heap, struct ouro__heap *mine)
{
    ouro__heap_give_up(heap); /* E1, M3 */
    if (ouro__load_seq(&heap->remote) != 0)
        ouro__remote_serve(heap, mine);
}

/* -- handing over ------------------------------------------------------------------------------ */

static void push_chain(struct ouro__heap *to, struct ouro__heap *mine, void *first, void *last,
                       uint32_t count)
{
    ouro__fetch_add(&to->pushed, count); /* M6 */
    ouro_word head = ouro__load(&to->remote);
    do {
        ouro__lead_to(last, (void *)head);
        ouro__tool_release(&to->remote);
    } while (!ouro__cas_full(&to->remote, &head, (ouro_word)first)); /* M1, M3 */
    if (OURO_UNLIKELY(ouro__load_seq(&to->state) == OURO__HEAP_ABANDONED))
        ouro__remote_serve(to, mine);
}

/* Links the cells of a batch. They are not touched before: they are the cache's of whoever made
 * them or used them last, and all of them are asked for at once here. */
static void link_up(void **cells, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        ouro__tool_writable(cells[i], 2 * sizeof(void *));
        *(void **)cells[i] = i + 1 < count ? cells[i + 1] : NULL;
        if (!OURO_CHECKED) /* F6; the checked library has its poison there */
            ((void **)cells[i])[1] = cells[i + OURO__LEAD < count ? i + OURO__LEAD : count - 1];
    }
}

static OURO_COLD bool is_before(void *const *cells, uint32_t i)
{
    uint32_t first = 0;
    while (cells[first] != cells[i])
        first++;
    return first < i;
}

/* Of libouro-malloc.so: what stands in a batch twice was freed twice. How many are left. */
static uint32_t without_doubles(void **cells, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        void **second = (void **)cells[i] + 1;
        if (OURO_UNLIKELY(*second == cells) && is_before(cells, i)) {
            ouro__freed_twice(cells[i]);
            cells[i--] = cells[--count];
            continue;
        }
        *second = cells;
    }
    return count;
}

/* Puts `next`, with `cell` if it has one, in the batch's place and pushes what was in it. In this
 * order: pushing may serve a heap, which fills batches. */
static OURO_NOINLINE void batch_replace(struct ouro__heap *mine, unsigned at,
                                        struct ouro__batch next, void *cell)
{
    struct ouro__batch *batch = &mine->batches[at], full = *batch;
    void **cells = mine->batched[at];
    if (OURO_IN_FRONT(!OURO__HARD)) /* at other levels it is seen when it is freed */
        full.count = without_doubles(cells, full.count);
    link_up(cells, full.count);
    void *first = cells[0], *last = full.count > 0 ? cells[full.count - 1] : NULL;
    *batch = next;
    mine->batching |= next.count > 0;
    if (cell)
        cells[0] = cell;
    if (full.count > 0)
        push_chain(full.to, mine, first, last, full.count);
}

void ouro__remote_flush(struct ouro__heap *mine)
{
    while (mine->batching) {
        mine->batching = false; /* pushing may fill others */
        for (unsigned i = 0; i < OURO__BATCHES; i++) {
            if (mine->batches[i].count == 0)
                continue;
            batch_replace(mine, i, (struct ouro__batch){0}, NULL);
        }
    }
}

static unsigned batch_of(const struct ouro__heap *to)
{
    return (unsigned)(((uintptr_t)to >> 6) * 0x9E3779B97F4A7C15u >> 60);
}
OURO_STATIC_ASSERT(OURO__BATCHES == 16, "batch_of gives four bits");

/* The first of a batch. */
static OURO_NOINLINE void batch_begin(struct ouro__heap *mine, struct ouro__heap *to, void *cell,
                                      size_t bytes)
{
    if (OURO_UNLIKELY(ouro__load(&to->state) == OURO__HEAP_FROZEN))
        return; /* in a fork's child: the heap of a thread that is not there leaks */
    if (OURO_UNLIKELY(!mine || to->apart || mine->runtime != to->runtime)) /* F5, A2 of apart.c */
        push_chain(to, NULL, cell, cell, 1);
    else
        batch_replace(mine, batch_of(to), (struct ouro__batch){to, 1, (uint32_t)bytes}, cell);
}

void ouro__remote_free(struct ouro__heap *mine, struct ouro__heap *to, void *cell, size_t bytes)
{
    unsigned at = batch_of(to);
    struct ouro__batch *batch = mine ? &mine->batches[at] : NULL;
    if (OURO_UNLIKELY(!batch || batch->to != to)) {
        batch_begin(mine, to, cell, bytes);
        return;
    }
    mine->batched[at][batch->count++] = cell;
    batch->bytes += (uint32_t)bytes;
    if (OURO_UNLIKELY(batch->count >= OURO__BATCH_CELLS || batch->bytes >= OURO__BATCH_BYTES))
        batch_replace(mine, at, (struct ouro__batch){0}, NULL);
}

/* -- taking in --------------------------------------------------------------------------------- */

/* The first slice of a page tells its owner; the others none. */
static inline void take_home(struct ouro__heap *heap, struct ouro__heap *mine, void *cell,
                             bool hard)
{
    struct ouro__page *page = ouro__page_whole(ouro__page_of(cell));
    if (OURO_UNLIKELY(ouro__load(&page->owner_too) != (ouro_word)&heap->pub))
        page = ouro__place_of(cell).page;
    struct ouro__heap *owner = ouro__page_owner(page);
    if (OURO_UNLIKELY(owner != heap))
        ouro__remote_free(hard ? NULL : mine, owner, cell, page->bytes); /* S6 of harden.c */
    else if (OURO_IN_FRONT(hard))
        ouro__hard_push(page, cell);
    else if (OURO_IN_FRONT(OURO_UNLIKELY(ouro__is_marked(page, cell))) &&
             ouro__is_free(page, heap, cell))
        ouro__freed_twice(cell); /* while it was on its way */
    else
        ouro__page_push(page, cell);
}

void ouro__remote_drain(struct ouro__heap *heap, struct ouro__heap *mine)
{
    if (!ouro__remote_pending(heap))
        return;
    void *cell = (void *)ouro__exchange_full(&heap->remote, 0); /* M1 */
    ouro__tool_acquire(&heap->remote);
    ouro_word n = 0;
    const bool hard = OURO__HARD;
    while (cell) {
        void *next = OURO_IN_FRONT(hard) ? ouro__hard_next(cell) : *(void **)cell;
        OURO_PREFETCH(next);               /* of cells that were pushed one by one */
        OURO_PREFETCH(((void **)cell)[1]); /* F6 */
        take_home(heap, mine, cell, hard);
        cell = next;
        n++;
    }
    ouro__store_release(&heap->drained, heap->drained + n); /* M6 */
}

/* Whether `heap` looks as if it were worth claiming for pages of this class. */
static bool promises(const struct ouro__heap *heap, unsigned tag, unsigned cls)
{
    return ouro__load(&heap->state) == OURO__HEAP_ABANDONED &&
           (ouro__remote_pending(heap) || (ouro__load(&heap->avail_bits[tag]) >> cls & 1));
}

bool ouro__remote_adopt(struct ouro__heap *mine, unsigned tag, unsigned cls)
{
    struct ouro__heap *heap = mine->adopt_at;
    bool any = false;
    for (unsigned looks = ADOPT_LOOKS; looks && !any; looks--) {
        if (!heap)
            heap = ouro__heaps_of(mine->runtime);
        if (promises(heap, tag, cls) && ouro__heap_claim(heap)) {
            ouro__remote_drain(heap, mine);
            any = ouro__heap_steal(heap, mine, tag, cls);
            ouro__remote_leave(heap, mine);
        }
        heap = heap->next_heap;
        if (heap == mine->adopt_at)
            break;
    }
    mine->adopt_at = heap;
    return any;
}
