/* SPDX-License-Identifier: MIT */
/* fork.c: what happens around a fork. All locks are held over it, in this order: the list of
 * runtimes, the layer above's, the arenas' in the order of the list, and the leaves (own.h). */
#include "alloc/arena.h"

static void lock_arena(struct ouro_runtime *runtime, void *arg)
{
    (void)arg;
    ouro__lock(&runtime->arena.lock);
}

static void unlock_arena(struct ouro_runtime *runtime, void *arg)
{
    (void)arg;
    ouro__unlock(&runtime->arena.lock);
}

static void before_fork(void)
{
    ouro__runtimes_lock();
    ouro__apart_before_fork();
    if (ouro__upper())
        ouro__upper()->before_fork();
    ouro__runtimes_each(lock_arena, NULL);
    ouro__spares_before_fork();
    ouro__blocks_before_fork();
    ouro__holds_before_fork();
    ouro__meta_before_fork();
    ouro__own.arena_forks = true;
}

static void leaves_after_fork(bool child)
{
    ouro__own.arena_forks = false;
    ouro__meta_after_fork(child);
    ouro__holds_after_fork(child);
    ouro__blocks_after_fork(child);
    ouro__spares_after_fork(child);
}

static void parent_after_fork(void)
{
    leaves_after_fork(false);
    ouro__runtimes_each(unlock_arena, NULL);
    if (ouro__upper())
        ouro__upper()->after_fork(false);
    ouro__apart_after_fork();
    ouro__runtimes_unlock();
}

/* Other threads are not there: their heaps may be half way through anything and are left alone. */
static void arena_in_child(struct ouro_runtime *runtime, void *arg)
{
    (void)arg;
    ouro__mutex_reset(&runtime->arena.lock);
    runtime->arena.walkers = 0;
    ouro__held_slices_in(&runtime->arena);
    for (struct ouro__heap *heap = ouro__heaps_of(runtime); heap; heap = heap->next_heap) {
        bool mine = ouro__load(&heap->thread) == (ouro_word)&ouro__own ||
                    ouro__load(&heap->inside) == (ouro_word)&ouro__own;
        if (mine || ouro__load(&heap->state) != OURO__HEAP_OWNED)
            continue;
        ouro__store(&heap->state, OURO__HEAP_FROZEN);
        ouro__store(&heap->thread, 0); /* another thread may be given its address */
    }
}

static void child_after_fork(void)
{
    leaves_after_fork(true);
    ouro__runtimes_each(arena_in_child, NULL);
    ouro__entered_recount();
    if (ouro__upper())
        ouro__upper()->after_fork(true);
    ouro__apart_after_fork();
    ouro__runtimes_reset();
}

void ouro__fork_handlers(void)
{
    ouro__os_at_fork(before_fork, parent_after_fork, child_after_fork);
}
