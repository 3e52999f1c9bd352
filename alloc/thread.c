/* SPDX-License-Identifier: MIT */
/* thread.c: threads get a heap on first touch and leave it behind when they end.
 *
 * A thread that starts takes over a heap that another left, pages and all, or a fresh one; so there
 * are never more heaps than threads that ran at once. The heap's state word says who serves it
 * (remote.c, F2, F3).
 *
 * Exit order: what the layer above asks for, then batches are handed over, own lists settled, the
 * heap is abandoned. A thread that allocates later still, in the destructor of another library's
 * thread-local data, gets a heap again, and exits again.
 */
#include "alloc/heap.h"
#include "alloc/options.h"
#include "alloc/os.h"
#include "alloc/valgrind.h"

/* What a thread without a heap sees: nothing ready, owner of nothing, watched. */
static struct ouro__heap nobody = {.pub = {.watched = 1}};

OURO_TLS struct ouro_heap *ouro__heap = &nobody.pub;

static ouro_word heaps; /* the list of all heaps; only grows */
static ouro_word ready; /* 0 nothing yet, 1 being set up, 2 done */
static ouro__exit_key exit_key;
static const struct ouro_supply *supply;
static ouro_word upper_word; /* const struct ouro__upper *, or 0 */

struct ouro__heap *ouro__heaps_first(void)
{
    return (struct ouro__heap *)ouro__load_acquire(&heaps);
}

bool ouro__heaps_exist(void)
{
    return ouro__load_acquire(&ready) != 0;
}

void ouro__upper_install(const struct ouro__upper *above)
{
    ouro__store_release(&upper_word, (ouro_word)above);
}

static const struct ouro__upper *upper(void)
{
    return (const struct ouro__upper *)ouro__load_acquire(&upper_word);
}

/* -- exit -------------------------------------------------------------------------------------- */

static void abandon(struct ouro__heap *heap)
{
    ouro__remote_flush(heap);
    ouro__remote_drain(heap, heap);
    ouro__remote_flush(heap);
    ouro__heap_settle(heap);
    for (;;) {
        ouro__exchange_full(&heap->state, OURO__HEAP_ABANDONED);
        if (ouro__load_seq(&heap->remote) == 0)
            return;
        ouro_word state = OURO__HEAP_ABANDONED;
        if (!ouro__cas_full(&heap->state, &state, OURO__HEAP_OWNED))
            return;
        ouro__remote_drain(heap, heap);
        ouro__remote_flush(heap);
        ouro__heap_settle(heap);
    }
}

static void thread_exit(void *arg)
{
    (void)arg;
    if (upper())
        upper()->thread_exit();
    struct ouro__heap *heap = ouro__heap_whole(ouro__heap);
    if (heap == &nobody)
        return;
    ouro__heap = &nobody.pub;
    abandon(heap);
}

/* -- fork -------------------------------------------------------------------------------------- */

static void before_fork(void)
{
    if (upper())
        upper()->before_fork();
    ouro__arena_before_fork();
}

static void parent_after_fork(void)
{
    ouro__arena_after_fork(false);
    if (upper())
        upper()->after_fork(false);
}

/* Other threads are not there: their heaps may be half way through anything and are left alone. */
static void child_after_fork(void)
{
    ouro__arena_after_fork(true);
    for (struct ouro__heap *heap = ouro__heaps_first(); heap; heap = heap->next_heap) {
        if (&heap->pub != ouro__heap && ouro__load(&heap->state) == OURO__HEAP_OWNED)
            ouro__store(&heap->state, OURO__HEAP_FROZEN);
    }
    if (upper())
        upper()->after_fork(true);
}

/* -- first touch ------------------------------------------------------------------------------- */

static const struct ouro_supply *choose_supply(void)
{
    switch (ouro_option_get(OURO_OPTION_supply)) {
    case 1:
        return &ouro_supply_mmap;
    case 2:
        return &ouro_supply_system;
    default:
        return OURO_ASAN || ouro__on_valgrind() ? &ouro_supply_system : &ouro_supply_mmap;
    }
}

static void set_up(void)
{
    ouro_word was = 0;
    if (ouro__cas_full(&ready, &was, 1)) {
        if (!supply)
            supply = choose_supply();
        ouro__exit_key_make(&exit_key, thread_exit);
        ouro__os_at_fork(before_fork, parent_after_fork, child_after_fork);
        ouro__arena_limit_changed();
        ouro__store_release(&ready, 2);
    }
    while (ouro__load_acquire(&ready) != 2)
        ouro__os_yield();
}

const struct ouro_supply *ouro__supply(void)
{
    return supply;
}

ouro_status ouro_supply_use(const struct ouro_supply *chosen)
{
    if (!chosen || !chosen->map != !chosen->unmap || (!chosen->map && !chosen->block))
        return OURO_BAD_ARGUMENT;
    if (ouro__heaps_exist())
        return OURO_TOO_LATE;
    supply = chosen;
    return OURO_OK;
}

const struct ouro_supply *ouro_supply_get(void)
{
    if (ouro__load_acquire(&ready) != 2)
        set_up();
    return supply;
}

static struct ouro__heap *take_over(void)
{
    for (struct ouro__heap *heap = ouro__heaps_first(); heap; heap = heap->next_heap) {
        ouro_word state = OURO__HEAP_ABANDONED;
        if (ouro__load(&heap->state) == OURO__HEAP_ABANDONED &&
            ouro__cas_full(&heap->state, &state, OURO__HEAP_OWNED))
            return heap;
    }
    return NULL;
}

static struct ouro__heap *fresh_heap(void)
{
    struct ouro__heap *heap = ouro__meta_take(sizeof *heap);
    if (!heap)
        return NULL;
    heap->state = OURO__HEAP_OWNED;
    ouro_word first = ouro__load(&heaps);
    do {
        heap->next_heap = (struct ouro__heap *)first;
    } while (!ouro__cas_full(&heaps, &first, (ouro_word)heap));
    return heap;
}

struct ouro__heap *ouro__heap_mine(void)
{
    if (OURO_LIKELY(ouro__heap != &nobody.pub))
        return ouro__heap_whole(ouro__heap);
    if (ouro__load_acquire(&ready) != 2)
        set_up();
    struct ouro__heap *heap = take_over();
    if (!heap)
        heap = fresh_heap();
    if (!heap)
        return NULL;
    heap->pub.watched = supply->block != NULL;
    ouro__heap = &heap->pub;
    ouro__exit_key_arm(exit_key, heap);
    return heap;
}
