/* SPDX-License-Identifier: MIT */
/* runtime.c: threads turn from one runtime to another, and runtimes end (docs/adr/0012). How they begin:
 * runtimes.c.
 *
 *  N6  ouro__own.runtime is the runtime that the thread is in; ouro__context.heap is its heap there, or
 *      nobody's; the layer above has its record there, or none.
 *  N7  `inside` counts the frames of all threads that name a runtime, that is, entries that were not
 *      left. It goes from 0 to CLOSED by compare-and-swap, and from then on nobody enters but `closer`.
 *      The default runtime's is not counted. One that opens again, because there was no memory for its
 *      end, is as if its threads had ended: whoever passed over it meanwhile left nothing in it.
 *  N8  The heaps of a thread are found by `thread`, which only the thread itself sets to its address
 *      (or who destroys the runtime, while the thread is in none of it).
 *
 * Memory order: `inside` changes by full RMWs: what a thread did in a runtime comes before its leave,
 * and that before the CAS of who destroys it. */
#include "alloc/runtime.h"
#include "alloc/arena.h"

/* Where a thread came from, outermost first. */
#define FRAMES 28
struct ouro__entered {
    struct ouro__entered *before;
    size_t count;
    struct frame {
        struct ouro_runtime *runtime;
        struct ouro__heap *heap;
    } frames[FRAMES];
};
static struct ouro__pool frame_pool = {NULL, sizeof(struct ouro__entered),
                                       offsetof(struct ouro__entered, before)};

/* -- turning ----------------------------------------------------------------------------------- */

/* The calling thread's heap in a runtime, or NULL. `recent` is stored by release and loaded by acquire:
 * who finds a heap by it finds all that its maker wrote. `thread` is relaxed: only this thread makes it
 * equal to `me`. */
static struct ouro__heap *my_heap(struct ouro_runtime *runtime)
{
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

static void point_to(struct ouro_runtime *runtime, struct ouro__heap *heap)
{
    ouro__own.runtime = runtime;
    ouro__context.heap = heap ? &heap->pub : &ouro__nobody.pub;
}

static struct ouro__heap *heap_here(void)
{
    struct ouro__heap *heap = ouro__heap_whole(ouro__context.heap);
    return heap != &ouro__nobody ? heap : NULL;
}

/* N6. */
static void turn_to(struct ouro_runtime *runtime, struct ouro__heap *heap)
{
    const struct ouro__upper *upper = ouro__upper();
    if (upper)
        upper->leaving();
    if (heap_here())
        ouro__remote_flush(heap_here());
    point_to(runtime, heap);
    if (upper)
        upper->entering(heap ? heap->record : NULL);
}

/* -- frames ------------------------------------------------------------------------------------ */

static bool frame_push(void)
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
    block->frames[block->count++] = (struct frame){ouro__own.runtime, heap_here()};
    return true;
}

/* The block that is left empty stays, if it is the last. */
static struct frame frame_pop(void)
{
    struct ouro__entered *block = ouro__own.frames;
    struct frame frame = block->frames[--block->count];
    if (block->count == 0 && block->before) {
        ouro__own.frames = block->before;
        ouro__pool_give(&frame_pool, block);
    }
    return frame;
}

static bool inside_any(void)
{
    return ouro__own.frames && ouro__own.frames->count > 0;
}

/* Takes back an entry (N7). */
static void count_out(struct ouro_runtime *runtime)
{
    if (runtime != &ouro__default_runtime)
        ouro__fetch_add_full(&runtime->inside, (ouro_word)-1);
}

static bool count_in(struct ouro_runtime *runtime)
{
    if (runtime == &ouro__default_runtime)
        return true;
    if (!(ouro__fetch_add_full(&runtime->inside, 1) & OURO__CLOSED) ||
        ouro__load(&runtime->closer) == (ouro_word)&ouro__own)
        return true; /* relaxed: only this thread stores its own address, and takes it away */
    count_out(runtime);
    return false;
}

ouro_status ouro_runtime_enter(struct ouro_runtime *runtime)
{
    if (!runtime)
        return OURO_BAD_ARGUMENT;
    ouro__set_up();
    if (!frame_push())
        return OURO_NO_MEMORY;
    if (!count_in(runtime)) {
        frame_pop();
        ouro_fail(OURO_FAIL_MISUSE, runtime, NULL, "a destroyed runtime was entered");
    }
    if (runtime != ouro__own.runtime)
        turn_to(runtime, my_heap(runtime));
    return OURO_OK;
}

static void back(struct ouro_runtime *runtime)
{
    struct frame frame = frame_pop();
    if (frame.runtime != runtime)
        turn_to(frame.runtime, frame.heap ? frame.heap : my_heap(frame.runtime));
    count_out(runtime);
}

void ouro_runtime_leave(struct ouro_runtime *runtime)
{
    if (!inside_any() || runtime != ouro__own.runtime)
        ouro_fail(OURO_FAIL_MISUSE, runtime, NULL,
                  "a runtime was left that is not the one entered last");
    back(runtime);
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
}

/* -- threads that end -------------------------------------------------------------------------- */

void ouro__elsewhere_each(void (*fn)(void *record))
{
    struct ouro_runtime *here = ouro__own.runtime;
    struct ouro__heap *mine = heap_here();
    struct ouro_runtime *other = ouro__own.elsewhere ? &ouro__default_runtime : NULL;
    for (; other; other = other->next) {
        struct ouro__heap *heap = other != here ? my_heap(other) : NULL;
        if (!heap || !heap->record)
            continue;
        point_to(other, heap);
        fn(heap->record);
    }
    point_to(here, mine);
}

/* Enters some other runtime where the thread has a heap, for its end. */
static struct ouro_runtime *enter_elsewhere(void)
{
    ouro__runtimes_lock();
    struct ouro_runtime *other = ouro__default_runtime.next;
    while (other && !(my_heap(other) && count_in(other)))
        other = other->next;
    ouro__runtimes_unlock();
    if (other)
        turn_to(other, my_heap(other));
    return other;
}

/* What the thread has in the current runtime is given up. */
static void end_here(bool ended)
{
    if (ouro__upper())
        ouro__upper()->thread_exit(ended);
    if (heap_here())
        ouro__heap_abandon(heap_here());
}

bool ouro__leave_all(void)
{
    bool any = false;
    while (inside_any())
        back(ouro__own.runtime);
    if (ouro__own.frames)
        ouro__pool_give(&frame_pool, ouro__own.frames);
    ouro__own.frames = NULL;
    struct ouro_runtime *other;
    while (ouro__own.elsewhere && (other = enter_elsewhere()) != NULL) {
        any = true;
        end_here(true);
        turn_to(&ouro__default_runtime, my_heap(&ouro__default_runtime));
        count_out(other);
    }
    ouro__own.elsewhere = false;
    return any;
}

/* -- the end ----------------------------------------------------------------------------------- */

/* Whether the calling thread is in it. Its last frame may be that of its end: where it is anyway. */
static bool am_inside(const struct ouro_runtime *runtime)
{
    bool inside = ouro__own.runtime == runtime;
    for (const struct ouro__entered *block = ouro__own.frames; block; block = block->before) {
        for (size_t i = 0; i < block->count; i++)
            inside |= block->frames[i].runtime == runtime;
    }
    return inside;
}

static ouro_status may_end(const struct ouro_runtime *runtime, const char **why)
{
    if (!runtime || runtime == &ouro__default_runtime) {
        *why = runtime ? "the default runtime cannot be destroyed" : "no runtime";
        return OURO_BAD_ARGUMENT;
    }
    if (ouro__own.arena_forks) {
        *why = "a fork is under way";
        return OURO_BUSY;
    }
    return OURO_OK;
}

/* Closes it to all but this thread (N7); else says why not. */
static ouro_status close_it(struct ouro_runtime *runtime, const char **why)
{
    ouro_word inside = 0;
    if (ouro__cas_full(&runtime->inside, &inside, OURO__CLOSED)) {
        ouro__store(&runtime->closer, (ouro_word)&ouro__own);
        return OURO_OK;
    }
    if (inside & OURO__CLOSED) {
        *why = "the runtime was destroyed before";
        return OURO_BAD_ARGUMENT;
    }
    *why =
        am_inside(runtime) ? "the calling thread is in the runtime" : "a thread is in the runtime";
    return OURO_BUSY;
}

/* Takes the closing back. By an RMW, for somebody may be counting himself out (count_in); its release
 * pairs with the RMW of who closes it next, to whom `closer` belongs then. */
static void open_again(struct ouro_runtime *runtime)
{
    ouro__store(&runtime->closer, 0);
    ouro__fetch_and_full(&runtime->inside, ~OURO__CLOSED);
    ouro__arena_limit_changed(runtime);
}

/* The thread gets now what the end needs: a heap and a record in the runtime, unless it has them.
 * Runs nothing, and swaps as ouro__elsewhere_each does. false: there is no memory. */
static bool prepare(struct ouro_runtime *runtime)
{
    const struct ouro__upper *upper = ouro__upper();
    struct ouro_runtime *here = ouro__own.runtime;
    struct ouro__heap *mine = heap_here(), *there = my_heap(runtime);
    if (!upper || (there && there->record))
        return true;
    point_to(runtime, there);
    upper->entering(NULL);
    bool prepared = upper->prepare(runtime);
    point_to(here, mine);
    upper->entering(mine ? mine->record : NULL);
    return prepared;
}

/* Both under the list's lock: a thread that ends meanwhile, and must not wait for what may open again
 * (enter_elsewhere), waits for this. */
static ouro_status begin_end(struct ouro_runtime *runtime, const char **why)
{
    ouro__runtimes_lock();
    ouro_status status = close_it(runtime, why);
    if (status == OURO_OK && !prepare(runtime)) {
        open_again(runtime);
        *why = "no memory";
        status = OURO_NO_MEMORY;
    }
    ouro__runtimes_unlock();
    return status;
}

/* Ends what threads left behind in the current runtime, as their exits would have: each was left by
 * its thread, which cannot come back. But for `mine`. Relaxed loads: the CAS of close_it acquired what
 * they did. */
static void end_threads(struct ouro_runtime *runtime, const struct ouro__heap *mine)
{
    for (struct ouro__heap *heap = ouro__heaps_of(runtime); heap; heap = heap->next_heap) {
        if (heap == mine || ouro__load(&heap->thread) == 0 ||
            ouro__load(&heap->state) != OURO__HEAP_OWNED)
            continue;
        ouro__store(&heap->thread, (ouro_word)&ouro__own); /* N8 */
        point_to(runtime, heap);
        if (ouro__upper())
            ouro__upper()->entering(heap->record);
        end_here(false);
    }
}

/* All that was alive in the current runtime ends. false: there is no memory to collect its cycles; then
 * it is as if its threads had ended. The limit stands no more in the way. */
static bool end_objects(struct ouro_runtime *runtime)
{
    const struct ouro__upper *upper = ouro__upper();
    struct ouro__heap *mine = my_heap(runtime);
    end_threads(runtime, mine);
    point_to(runtime, mine);
    if (!upper)
        return true;
    upper->entering(mine ? mine->record : NULL);
    ouro__arena_lock(&runtime->arena);
    runtime->arena.limit = 0;
    ouro__arena_unlock(&runtime->arena);
    return upper->closing(runtime, runtime->run_hooks);
}

static void give_memory(struct ouro_runtime *runtime)
{
    ouro__looks_over(); /* N5 */
    if (ouro__upper())
        ouro__upper()->closed(runtime);
    ouro__runtime_unlist(runtime);
    ouro__store(&runtime->closer, 0);
    ouro__blocks_drop(runtime);
    ouro__huges_drop(&runtime->arena);
    ouro__chunks_drop(&runtime->arena);
    ouro__heaps_drop(runtime);
    ouro__runtime_give(runtime);
}

static ouro_status end_runtime(struct ouro_runtime *runtime, const char **why)
{
    *why = "no memory";
    if (!frame_push())
        return OURO_NO_MEMORY;
    ouro_status status = begin_end(runtime, why);
    if (status != OURO_OK) {
        frame_pop();
        return status;
    }
    ouro__fetch_add_full(&runtime->inside, 1); /* for `back` */
    turn_to(runtime, NULL);
    bool ended = end_objects(runtime);
    if (ended)
        end_here(false);
    back(runtime);
    if (!ended) {
        open_again(runtime);
        *why = "no memory to collect its cycles";
        return OURO_NO_MEMORY;
    }
    give_memory(runtime);
    *why = NULL;
    return OURO_OK;
}

ouro_status ouro_runtime_destroy(struct ouro_runtime *runtime, const char **why)
{
    const char *reason = NULL;
    ouro_status status = may_end(runtime, &reason);
    if (status == OURO_OK)
        status = end_runtime(runtime, &reason);
    if (why)
        *why = reason;
    return status;
}
