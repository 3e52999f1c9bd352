/* SPDX-License-Identifier: MIT */
/* runtime.c: threads turn from one runtime to another (docs/adr/0012). How runtimes begin:
 * runtimes.c; how they end: runtime_end.c.
 *
 *  N6  ouro__own.runtime is the runtime that the thread is in; ouro__context.heap is its heap
 *      there, or nobody's; the layer above has its record there, or none.
 *  N7  `inside` counts the frames of all threads that name a runtime, that is, entries that were
 *      not left. It goes from 0 to CLOSED by compare-and-swap, and from then on nobody enters but
 *      `closer`. Heaps apart count too (apart.c). The default runtime's is not counted. One that
 *      opens again, because there was no memory for its end, is as if its threads had ended:
 *      whoever passed over it meanwhile left nothing in it.
 *  N8  The heaps of a thread are found by `thread`, which only the thread itself sets to its
 *      address (or who destroys the runtime, while the thread is in none of it). Of heaps apart it
 *      is 0: who is in them turns back by its frames.
 *
 * Memory order: `inside` changes by full RMWs: what a thread did in a runtime comes before its
 * leave, and that before the CAS of who destroys it. */
#include "alloc/turn.h"

/* Where a thread came from, outermost first. */
#define FRAMES 28
struct ouro__entered {
    struct ouro__entered *before;
    size_t count;
    struct frame {
        struct ouro_runtime *runtime;
        struct ouro__heap *heap;
        struct ouro__heap *apart; /* what was entered, if that is a heap apart */
    } frames[FRAMES];
};
static struct ouro__pool frame_pool = {NULL, sizeof(struct ouro__entered),
                                       offsetof(struct ouro__entered, before)};

/* -- turning ----------------------------------------------------------------------------------- */

/* `recent` is stored by release and loaded by acquire: who finds a heap by it finds all that its
 * maker wrote. `thread` is relaxed: only this thread makes it equal to `me`. */
struct ouro__heap *ouro__heap_in(struct ouro_runtime *runtime)
{
    if (runtime == &ouro__default_runtime)
        return ouro__own.heap;
    const ouro_word me = (ouro_word)&ouro__own;
    struct ouro__heap *heap = (struct ouro__heap *)ouro__load_acquire(&runtime->recent);
    if (heap && ouro__load(&heap->thread) == me)
        return heap;
    heap = ouro__heaps_of(runtime);
    while (heap && ouro__load(&heap->thread) != me)
        heap = heap->next_heap;
    if (heap)
        ouro__store_release(&runtime->recent, (ouro_word)heap);
    return heap;
}

void ouro__point_to(struct ouro_runtime *runtime, struct ouro__heap *heap)
{
    ouro__own.runtime = runtime;
    ouro__context.heap = heap ? &heap->pub : &ouro__nobody.pub;
}

struct ouro__heap *ouro__heap_here(void)
{
    struct ouro__heap *heap = ouro__heap_whole(ouro__context.heap);
    return heap != &ouro__nobody ? heap : NULL;
}

void ouro__turn_to(struct ouro_runtime *runtime, struct ouro__heap *heap)
{
    const struct ouro__upper *upper = ouro__upper();
    if (upper)
        upper->leaving();
    if (ouro__heap_here())
        ouro__remote_flush(ouro__heap_here());
    ouro__point_to(runtime, heap);
    if (upper)
        upper->entering(heap ? heap->record : NULL);
}

/* -- frames ------------------------------------------------------------------------------------ */

bool ouro__entry_push(struct ouro__heap *apart)
{
    struct ouro__entered *block = ouro__own.frames;
    if (!block || block->count == FRAMES) {
        struct ouro__entered *fresh = ouro__pool_take(&frame_pool);
        if (!fresh)
            return false;
        fresh->before = block;
        fresh->count = 0;
        ouro__own.frames = block = fresh;
    }
    block->frames[block->count++] = (struct frame){ouro__own.runtime, ouro__heap_here(), apart};
    return true;
}

/* The block that is left empty stays, if it is the last. */
static struct frame entry_pop(void)
{
    struct ouro__entered *block = ouro__own.frames;
    struct frame frame = block->frames[--block->count];
    if (block->count == 0 && block->before) {
        ouro__own.frames = block->before;
        ouro__pool_give(&frame_pool, block);
    }
    return frame;
}

void ouro__entry_drop(void)
{
    (void)entry_pop();
}

bool ouro__is_inside(const struct ouro_runtime *runtime)
{
    bool inside = ouro__own.runtime == runtime;
    for (const struct ouro__entered *block = ouro__own.frames; block; block = block->before) {
        for (size_t i = 0; i < block->count; i++)
            inside |= block->frames[i].runtime == runtime;
    }
    return inside;
}

static bool inside_any(void)
{
    return ouro__own.frames && ouro__own.frames->count > 0;
}

/* Takes back an entry (N7). */
void ouro__count_out(struct ouro_runtime *runtime)
{
    if (runtime != &ouro__default_runtime)
        ouro__fetch_add_full(&runtime->inside, (ouro_word)-1);
}

bool ouro__count_in(struct ouro_runtime *runtime)
{
    if (runtime == &ouro__default_runtime)
        return true;
    if (!(ouro__fetch_add_full(&runtime->inside, 1) & OURO__CLOSED) ||
        ouro__load(&runtime->closer) == (ouro_word)&ouro__own)
        return true; /* relaxed: only this thread stores its own address, and takes it away */
    ouro__count_out(runtime);
    return false;
}

ouro_status ouro_runtime_enter(struct ouro_runtime *runtime)
{
    if (!runtime)
        return OURO_BAD_ARGUMENT;
    ouro__set_up();
    if (!ouro__entry_push(NULL))
        return OURO_NO_MEMORY;
    if (!ouro__count_in(runtime)) {
        entry_pop();
        ouro_fail(OURO_FAIL_MISUSE, runtime, NULL, "a destroyed runtime was entered");
    }
    if (runtime != ouro__own.runtime)
        ouro__turn_to(runtime, ouro__heap_in(runtime));
    return OURO_OK;
}

struct ouro__heap *ouro__entered_last(void)
{
    const struct ouro__entered *block = ouro__own.frames;
    return inside_any() ? block->frames[block->count - 1].apart : NULL;
}

void ouro__turn_back(struct ouro_runtime *runtime)
{
    struct frame frame = entry_pop();
    bool apart = frame.apart && ouro__heap_here() == frame.apart;
    if (frame.runtime != runtime || (apart && frame.heap != frame.apart))
        ouro__turn_to(frame.runtime, frame.heap ? frame.heap : ouro__heap_in(frame.runtime));
    if (frame.apart)
        ouro__apart_left(frame.apart);
    ouro__count_out(runtime);
}

void ouro_runtime_leave(struct ouro_runtime *runtime)
{
    if (!inside_any() || runtime != ouro__own.runtime || ouro__entered_last())
        ouro_fail(OURO_FAIL_MISUSE, runtime, NULL,
                  "a runtime was left that is not the one entered last");
    ouro__turn_back(runtime);
}

static bool is_open(const struct ouro_runtime *runtime)
{
    return runtime != &ouro__default_runtime && !(ouro__load(&runtime->inside) & OURO__CLOSED);
}

/* One that was being destroyed by a thread that is not there stays closed. */
void ouro__entered_recount(void)
{
    struct ouro_runtime *runtime = &ouro__default_runtime;
    for (; runtime; runtime = runtime->next) {
        if (is_open(runtime))
            ouro__store(&runtime->inside, 0);
    }
    struct ouro_runtime *entered = ouro__own.runtime;
    for (struct ouro__entered *block = ouro__own.frames; block; block = block->before) {
        for (size_t i = block->count; i-- > 0; entered = block->frames[i].runtime) {
            if (is_open(entered))
                ouro__store(&entered->inside, ouro__load(&entered->inside) + 1);
        }
    }
    for (runtime = &ouro__default_runtime; runtime; runtime = runtime->next) {
        if (is_open(runtime)) /* A5 of apart.c; those that others were in do not end */
            ouro__store(&runtime->inside,
                        ouro__load(&runtime->inside) + ouro__load(&runtime->aparts));
    }
}

/* -- threads that end -------------------------------------------------------------------------- */

static void call_there(struct ouro__heap *heap, void (*fn)(void *record))
{
    ouro__point_to(heap->runtime, heap);
    if (heap->record)
        fn(heap->record);
}

/* Heaps apart that the thread is in, but for `mine`, each once. */
static void each_apart(const struct ouro__heap *mine, void (*fn)(void *record))
{
    for (struct ouro__heap *heap = ouro__own.apart; heap; heap = heap->next_inside) {
        if (heap != mine)
            call_there(heap, fn);
    }
}

void ouro__elsewhere_each(void (*fn)(void *record))
{
    struct ouro_runtime *here = ouro__own.runtime;
    struct ouro__heap *mine = ouro__heap_here();
    struct ouro_runtime *other =
        ouro__own.elsewhere || ouro__own.apart ? &ouro__default_runtime : NULL;
    for (; other; other = other->next) {
        struct ouro__heap *heap = ouro__heap_in(other);
        if (heap && heap != mine)
            call_there(heap, fn);
    }
    each_apart(mine, fn);
    ouro__point_to(here, mine);
}

/* Enters some other runtime where the thread has a heap, for its end. */
static struct ouro_runtime *enter_elsewhere(void)
{
    ouro__runtimes_lock();
    struct ouro_runtime *other = ouro__default_runtime.next;
    while (other && !(ouro__heap_in(other) && ouro__count_in(other)))
        other = other->next;
    ouro__runtimes_unlock();
    if (other)
        ouro__turn_to(other, ouro__heap_in(other));
    return other;
}

void ouro__end_here(bool ended)
{
    if (ouro__upper())
        ouro__upper()->thread_exit(ended);
    if (ouro__heap_here())
        ouro__heap_abandon(ouro__heap_here());
}

void ouro__leave_entered(void)
{
    while (inside_any()) {
        if (ouro__apart_here() && ouro__upper())
            ouro__upper()->left(); /* nobody else comes to it before it is right again */
        ouro__turn_back(ouro__own.runtime);
    }
}

bool ouro__leave_all(void)
{
    bool any = false;
    ouro__leave_entered();
    if (ouro__own.frames)
        ouro__pool_give(&frame_pool, ouro__own.frames);
    ouro__own.frames = NULL;
    struct ouro_runtime *other;
    while (ouro__own.elsewhere && (other = enter_elsewhere()) != NULL) {
        any = true;
        ouro__end_here(true);
        ouro__turn_to(&ouro__default_runtime, ouro__heap_in(&ouro__default_runtime));
        ouro__count_out(other);
    }
    ouro__own.elsewhere = false;
    return any;
}
