/* SPDX-License-Identifier: MIT */
/* runtime_end.c: how runtimes end (docs/adr/0012): they are closed, what threads left in them is
 * ended as their exits would have ended it, then all objects, then the memory. N1 to N5: there; N6
 * to N8: runtime.c. */
#include "alloc/turn.h"
#include "alloc/valgrind.h"

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
    if (ouro__is_inside(runtime))
        *why = "the calling thread is in the runtime";
    else if (inside == ouro__load(&runtime->aparts))
        *why = "the runtime has regions that were not ended";
    else
        *why = "a thread is in the runtime";
    return OURO_BUSY;
}

/* Takes the closing back. By an RMW, for somebody may be counting himself out (count_in); its
 * release pairs with the RMW of who closes it next, to whom `closer` belongs then. */
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
    struct ouro__heap *mine = ouro__heap_here(), *there = ouro__heap_in(runtime);
    if (!upper || (there && there->record))
        return true;
    ouro__point_to(runtime, there);
    upper->entering(NULL);
    bool prepared = upper->prepare(runtime);
    ouro__point_to(here, mine);
    upper->entering(mine ? mine->record : NULL);
    return prepared;
}

/* Both under the list's lock: a thread that ends meanwhile, and must not wait for what may open
 * again (enter_elsewhere), waits for this. */
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
 * its thread, which cannot come back. But for `mine`. Relaxed loads: the CAS of close_it acquired
 * what they did. */
static void end_threads(struct ouro_runtime *runtime, const struct ouro__heap *mine)
{
    for (struct ouro__heap *heap = ouro__heaps_of(runtime); heap; heap = heap->next_heap) {
        if (heap == mine || ouro__load(&heap->thread) == 0 ||
            ouro__load(&heap->state) != OURO__HEAP_OWNED)
            continue;
        ouro__store(&heap->thread, (ouro_word)&ouro__own); /* N8 */
        ouro__point_to(runtime, heap);
        if (ouro__upper())
            ouro__upper()->entering(heap->record);
        ouro__end_here(false);
    }
}

/* All that was alive in the current runtime ends. false: there is no memory to collect its cycles;
 * then it is as if its threads had ended. The limit stands no more in the way. */
static bool end_objects(struct ouro_runtime *runtime)
{
    const struct ouro__upper *upper = ouro__upper();
    struct ouro__heap *mine = ouro__heap_in(runtime);
    end_threads(runtime, mine);
    ouro__point_to(runtime, mine);
    if (!upper)
        return true;
    upper->entering(mine ? mine->record : NULL);
    ouro__arena_lock(&runtime->arena);
    runtime->arena.limit = 0;
    ouro__arena_unlock(&runtime->arena);
    return upper->closing(runtime, runtime->run_hooks);
}

/* For tools: what was still given out comes back (pool.c, tell_born). libc's own raw blocks are
 * seen as they are. */
static void tell_gone(const struct ouro__place *place, void *arg)
{
    (void)arg;
    if (place->tag == OURO__RAW && ouro__supply()->block)
        return;
    bool anywhere = place->page && place->page->aligned;
    for (size_t i = 0; i < place->blocks; i++) {
        char *cell = place->block + i * place->bytes + place->cell_at;
        size_t room = place->bytes - place->cell_at;
        ouro__tool_gone(cell, anywhere ? room : 1, 16);
    }
}

static void give_memory(struct ouro_runtime *runtime)
{
    if (OURO_UNLIKELY(ouro__tools)) {
        ouro__runtime_each(runtime, OURO__RAW, tell_gone, NULL);
        ouro__runtime_each(runtime, OURO__COUNTED, tell_gone, NULL);
    }
    ouro__held_forget(runtime);
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
    if (!ouro__entry_push(NULL))
        return OURO_NO_MEMORY;
    ouro_status status = begin_end(runtime, why);
    if (status != OURO_OK) {
        ouro__entry_drop();
        return status;
    }
    ouro__fetch_add_full(&runtime->inside, 1); /* for the way back */
    ouro__turn_to(runtime, NULL);
    bool ended = end_objects(runtime);
    if (ended)
        ouro__end_here(false);
    ouro__turn_back(runtime);
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
