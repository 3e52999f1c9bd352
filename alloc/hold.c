/* SPDX-License-Identifier: MIT */
/* hold.c: what is given back while somebody looks (R6 of arena.h), and blocks of a supply that has
 * them. */
#include "alloc/arena.h"

static struct ouro__arena *const arena = &ouro__arena;

void ouro__arena_hold(void)
{
    ouro__arena_lock();
    arena->walkers++;
    ouro__arena_unlock();
}

void ouro__held_slices_in(void)
{
    int64_t now = ouro__os_milliseconds();
    for (struct ouro__chunk *chunk = arena->chunks; chunk; chunk = chunk->all_next) {
        if (chunk->later)
            ouro__dirty_in(chunk, chunk->later, now);
        chunk->later = 0;
    }
}

/* With the lock: whether that was the last who looked; then `held` is the caller's. */
static bool release_locked(void **held)
{
    if (arena->walkers == 0 || --arena->walkers > 0) /* 0: in a fork's child */
        return false;
    ouro__held_slices_in();
    *held = arena->held;
    arena->held = NULL;
    return true;
}

void ouro__arena_release(void)
{
    void *block = NULL;
    ouro__arena_lock();
    bool last = release_locked(&block);
    ouro__arena_unlock();
    while (block) {
        void *next = *(void **)block;
        ouro__held_free(block);
        block = next;
    }
    if (last)
        ouro__huge_sweep();
}

/* R6. With the lock. */
static bool hold_locked(void *block)
{
    if (arena->walkers == 0)
        return false;
    *(void **)block = arena->held;
    arena->held = block;
    return true;
}

bool ouro__hold_block(void *block)
{
    ouro__arena_lock();
    bool held = hold_locked(block);
    ouro__arena_unlock();
    return held;
}

void *ouro__system_take(size_t size, size_t align)
{
    /* Counted before it is there, lest others pass the limit meanwhile. */
    ouro__arena_lock();
    bool fits = ouro__arena_fits(size);
    if (fits)
        ouro__arena_count(size);
    ouro__arena_unlock();
    if (!fits)
        return NULL;
    void *block = ouro__supply()->block(size, align);
    size_t got = block ? ouro__supply()->block_size(block) : 0;
    ouro__arena_lock();
    ouro__arena_count(got - size); /* less, if there is none: the sum wraps to what is right */
    arena->system_blocks += block != NULL;
    ouro__arena_unlock();
    return block;
}

void ouro__system_give(void *block)
{
    size_t got = ouro__supply()->block_size(block);
    ouro__arena_lock();
    arena->used -= got;
    arena->system_blocks--;
    bool later = got >= sizeof(void *) && hold_locked(block);
    ouro__arena_unlock();
    if (!later)
        ouro__supply()->block_free(block);
}
