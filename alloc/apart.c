/* SPDX-License-Identifier: MIT */
/* apart.c: heaps of no thread, which one thread at a time is in (docs/adr/0019).
 *
 * A heap apart has pages of its own and, of the layer above, a record of its own. Who enters it
 * turns to it as to another runtime (runtime.c): what the thread makes until it leaves lies in
 * these pages. So a graph that was built in it changes threads with it, untouched, and its pages
 * can go as a whole. It is what regions are made of (isolate/region.h).
 *
 *  A1  `inside` is the struct ouro__own of who is in it, taken by compare-and-swap from 0 and left
 *      by a release; but for `remote`, nobody else touches the heap. Between two threads that are
 *      in it one after the other whatever handed it on, and this pair, order all.
 *  A2  Nothing but what was born in it lies in its counted pages: it takes no pages over, and
 *      nobody takes its own. What others free of it they hand over one by one: when all is drained
 *      there is no cell of it in any batch.
 *  A3  Inlined births find nothing ready, so the layer above sees each birth. It marks pages as odd
 *      (`odd`, which any thread may set and nobody clears) that hold what must not go unseen.
 *  A4  Whoever forks is meanwhile in all of them that nobody is in, so that the child finds them
 *      whole and can enter them; who comes in between waits. In a child those that others were in
 *      are frozen, as these threads' own heaps are.
 *  A5  Each keeps its runtime open (N7 of runtime.c) until its end. Raw blocks are the process's,
 *      whoever made them where: when the heap ends the pages that are left go to a heap of the
 *      thread, and this one waits, empty, for the next to be asked for. A cell that comes in late
 *      waits in it that long. */
#include "alloc/harden.h"
#include "alloc/turn.h"
#include "alloc/valgrind.h"

ouro_word ouro__apart_exist;

/* One that waits; not one that a fork froze. */
static struct ouro__heap *take_spare(struct ouro_runtime *runtime)
{
    ouro__arena_lock(&runtime->arena);
    struct ouro__heap *heap = runtime->spare;
    while (heap && ouro__load(&heap->state) != OURO__HEAP_OWNED)
        heap = heap->next_spare;
    runtime->spare = heap ? heap->next_spare : NULL;
    ouro__arena_unlock(&runtime->arena);
    return heap;
}

static void give_spare(struct ouro__heap *heap)
{
    struct ouro_runtime *runtime = heap->runtime;
    ouro__arena_lock(&runtime->arena);
    heap->next_spare = runtime->spare;
    runtime->spare = heap;
    ouro__arena_unlock(&runtime->arena);
}

struct ouro__heap *ouro__apart_new(void)
{
    struct ouro_runtime *runtime = ouro__own.runtime;
    ouro__set_up();
    if (!ouro__count_in(runtime)) /* A5 */
        return NULL;
    struct ouro__heap *heap = take_spare(runtime);
    if (heap)
        ouro__remote_drain(heap, heap);
    else
        heap = ouro__heap_fresh(runtime, true);
    if (!heap) {
        ouro__count_out(runtime);
        return NULL;
    }
    ouro__heap_watch_first(heap);
    ouro__store(&heap->deaths, 0); /* of those that went with its pages it hears no more */
    ouro__fetch_add(&runtime->aparts, 1);
    ouro__fetch_add(&ouro__apart_exist, 1);
    return heap;
}

/* The struct ouro__own of a thread that forks, and is in all heaps apart that nobody is in; or
 * 0. */
static ouro_word forking;

/* Whether `who` is in the heap, and not only for a fork, which ends without a hook: that is waited
 * for. */
static bool is_taken(const struct ouro__heap *heap, ouro_word who)
{
    /* Acquire: pairs with the release before the claims. A fork that has ended meanwhile has left
     * the heap before it said so. */
    bool forks = who == ouro__load_acquire(&forking);
    if (!forks && ouro__load_acquire(&heap->inside) == who)
        return true;
    ouro__os_yield();
    return false;
}

bool ouro__apart_is_free(const struct ouro__heap *heap)
{
    ouro_word who;
    while ((who = ouro__load_acquire(&heap->inside)) != 0) { /* A1 */
        if (who == (ouro_word)&ouro__own || is_taken(heap, who))
            return false;
    }
    return ouro__load(&heap->state) == OURO__HEAP_OWNED;
}

/* A1. Frozen ones first: a thread of this process may have the address of one that is not there. */
static bool claim(struct ouro__heap *heap)
{
    const ouro_word me = (ouro_word)&ouro__own;
    ouro_word who = 0;
    if (ouro__load(&heap->state) != OURO__HEAP_OWNED)
        return false;
    if (ouro__load(&heap->inside) == me) /* only this thread stores it */
        return true;
    while (!ouro__cas_full(&heap->inside, &who, me)) {
        if (is_taken(heap, who))
            return false;
        who = 0;
    }
    ouro__tool_acquire(&heap->inside);
    heap->next_inside = ouro__own.apart;
    ouro__own.apart = heap;
    return true;
}

void ouro__apart_left(struct ouro__heap *heap)
{
    if (--heap->depth > 0)
        return;
    struct ouro__heap **at = &ouro__own.apart;
    while (*at != heap)
        at = &(*at)->next_inside;
    *at = heap->next_inside;
    ouro__tool_release(&heap->inside);
    ouro__store_release(&heap->inside, 0); /* A1: pairs with the CAS of claim */
}

ouro_status ouro__apart_enter(struct ouro__heap *heap)
{
    if (!ouro__heap_mine())
        return OURO_NO_MEMORY;
    if (!claim(heap))
        return OURO_BUSY;
    heap->depth++;
    if (!ouro__entry_push(heap)) {
        ouro__apart_left(heap);
        return OURO_NO_MEMORY;
    }
    (void)ouro__count_in(heap->runtime); /* it is open: A5 */
    if (heap != ouro__heap_here())
        ouro__turn_to(heap->runtime, heap);
    return OURO_OK;
}

static void enter_for_fork(struct ouro_runtime *runtime, void *arg)
{
    (void)arg;
    for (struct ouro__heap *heap = ouro__heaps_of(runtime); heap; heap = heap->next_heap) {
        if (!heap->apart || ouro__load(&heap->inside) != 0 || !claim(heap))
            continue;
        heap->depth = 1;
        heap->for_fork = true;
    }
}

void ouro__apart_tell(void)
{
    ouro__tool_words(&forking, sizeof forking);
    ouro__tool_words(&ouro__apart_exist, sizeof ouro__apart_exist);
}

void ouro__apart_before_fork(void)
{
    ouro__store_release(&forking, (ouro_word)&ouro__own);
    ouro__runtimes_each(enter_for_fork, NULL);
}

void ouro__apart_after_fork(void)
{
    for (struct ouro__heap *heap = ouro__own.apart, *next; heap; heap = next) {
        next = heap->next_inside;
        if (heap->for_fork) {
            heap->for_fork = false;
            ouro__apart_left(heap);
        }
    }
    ouro__store_release(&forking, 0);
}

bool ouro__apart_leave(struct ouro__heap *heap)
{
    if (ouro__heap_here() != heap || ouro__entered_last() != heap)
        return false;
    ouro__turn_back(heap->runtime);
    return true;
}

bool ouro__page_make_odd(const void *cell)
{
    if (ouro__supply()->block)
        return false;
    struct ouro__page *page = ouro__place_of(cell).page;
    if (!page || page->kind != OURO__PAGE_BLOCKS)
        return false;
    /* Relaxed: whoever ends the region was told of the object by who made it odd. */
    if (!ouro__half_load(&page->odd))
        ouro__half_store(&page->odd, 1);
    return true;
}

/* The heap in whose page a counted cell lies; NULL: none. */
static struct ouro__heap *owner_of(const void *cell)
{
    if (ouro__supply()->block)
        return NULL;
    const struct ouro__page *page = ouro__place_of(cell).page;
    return page && page->kind == OURO__PAGE_BLOCKS ? ouro__page_owner(page) : NULL;
}

bool ouro__lies_in_out(const struct ouro__heap *heap, const void *cell)
{
    return owner_of(cell) == heap;
}

static struct ouro__heap *apart_of(const void *cell)
{
    struct ouro__heap *owner = owner_of(cell);
    return owner && owner->apart ? owner : NULL;
}

bool ouro__is_sealed(const void *cell)
{
    const struct ouro__heap *heap = apart_of(cell);
    return heap && ouro__half_load(&heap->sealed);
}

void ouro__apart_dies(const void *cell, ouro_word by)
{
    struct ouro__heap *heap = apart_of(cell);
    if (heap && heap != ouro__heap_here())
        ouro__fetch_add(&heap->deaths, by);
}

void ouro__apart_drop_pages(struct ouro__heap *heap)
{
    ouro__remote_drain(heap, heap);
    ouro__remote_flush(heap);
    ouro__heap_drop_counted(heap);
}

void ouro__apart_end(struct ouro__heap *heap)
{
    struct ouro_runtime *runtime = heap->runtime;
    if (ouro__upper())
        ouro__upper()->thread_exit(false);
    if (OURO__HARD)
        ouro__quarantine_empty(heap);
    ouro__remote_drain(heap, heap);
    ouro__remote_flush(heap);
    ouro__heap_settle(heap);
    heap->record = heap->of = NULL;
    heap->fail_in = 0;
    heap->unready = false;
    ouro__point_to(runtime, ouro__heap_in(runtime));
    struct ouro__heap *mine = ouro__heap_mine();
    if (mine)
        ouro__heap_take_all(heap, mine);
    ouro__point_to(runtime, heap);
    ouro__turn_back(runtime);
    if (mine) {
        give_spare(heap);
    } else {
        heap->apart = false;
        ouro__heap_give_up(heap); /* as a thread's that has ended */
    }
    ouro__fetch_add(&runtime->aparts, (ouro_word)-1);
    ouro__fetch_add(&ouro__apart_exist, (ouro_word)-1);
    ouro__count_out(runtime); /* A5 */
}
