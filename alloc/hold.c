/* SPDX-License-Identifier: MIT */
/* hold.c: looks (R6, R7 of arena.h): while a thread follows pointers that others may empty, or
 * walks pages, what they lead to stays mapped.
 *
 * An arena counts those who look in it. The process counts all, in two counts that take turns: who
 * must outlast everybody who looks now makes newcomers use the other one, and waits until this one
 * is 0 (as sleepable read-copy-update does: McKenney 2006). Looks run no code of the program's.
 *
 *  L1  A thread that looks is in one of the two counts, the one that own.parity names, once.
 *  L2  Before a turn the count that newcomers will use is 0: turns wait for each other.
 *  L3  `held` is empty unless somebody looks.
 *  L4  Blocks of a runtime that ends are taken out of `held`, and then everybody who looks is
 *      outlasted: so nobody frees one later, from there or from a list that was taken out before.
 *
 * Memory order: all of it stands under one lock. Who begins to look after a turn, or after somebody
 * found that nobody looks, finds what was taken away before that; what those before read, they read
 * before. */
#include "alloc/arena.h"

static struct {
    ouro__mutex lock;
    unsigned parity; /* of newcomers */
    size_t counts[2];
    ouro_word held; /* blocks, linked through their first words: the next one's address + 1; or 1 */
} looks = {.lock = OURO__MUTEX_INIT, .held = 1};
static ouro__mutex turns = OURO__MUTEX_INIT;

static void lock(void)
{
    ouro__lock_unless(ouro__own.arena_forks, &looks.lock);
}
static void unlock(void)
{
    ouro__unlock_unless(ouro__own.arena_forks, &looks.lock);
}

bool ouro__anybody_looks(void)
{
    lock();
    bool any = looks.counts[0] + looks.counts[1] > 0;
    unlock();
    return any;
}

/* -- looking ----------------------------------------------------------------------------------- */

void ouro__hold(struct ouro__arena *arena)
{
    ouro__arena_lock(arena);
    arena->walkers++;
    ouro__arena_unlock(arena);
    if (ouro__own.holds++ > 0)
        return;
    lock();
    ouro__own.parity = looks.parity;
    looks.counts[looks.parity]++;
    unlock();
}

/* With the lock: what is held, if this thread is the last who looks; it is nobody's list then. */
static ouro_word held_by_last(void)
{
    if (looks.counts[0] + looks.counts[1] > 1)
        return 1;
    ouro_word blocks = looks.held;
    looks.held = 1;
    return blocks;
}

/* What was held may go, if this thread is the last who looks. It counts as looking until that has
 * gone (L4). */
static void end_look(void)
{
    const unsigned parity = ouro__own.parity; /* this thread may look again while it frees */
    lock();
    for (ouro_word held; (held = held_by_last()) != 1;) {
        unlock();
        while (held != 1) {
            void *block = (void *)(held - 1);
            held = *(ouro_word *)block;
            ouro__held_free(block);
        }
        lock();
    }
    looks.counts[parity]--;
    unlock();
}

void ouro__held_slices_in(struct ouro__arena *arena)
{
    int64_t now = ouro__os_milliseconds();
    for (struct ouro__chunk *chunk = arena->chunks; chunk; chunk = chunk->all_next) {
        if (chunk->later)
            ouro__dirty_in(chunk, chunk->later, now);
        chunk->later = 0;
    }
}

void ouro__release(struct ouro__arena *arena)
{
    ouro__arena_lock(arena);
    bool last = arena->walkers > 0 && --arena->walkers == 0; /* 0: in a fork's child */
    if (last)
        ouro__held_slices_in(arena);
    bool gone = arena->gone > 0;
    ouro__arena_unlock(arena);
    if (ouro__own.holds > 0 && --ouro__own.holds == 0)
        end_look();
    if (last && gone)
        ouro__huge_sweep(arena);
}

void ouro__arena_hold(void)
{
    ouro__hold(ouro__arena_mine());
}
void ouro__arena_release(void)
{
    ouro__release(ouro__arena_mine());
}

void ouro__looks_over(void)
{
    if (ouro__own.arena_forks)
        return; /* nobody looks in the middle of a fork: they would have the arenas' locks */
    ouro__lock(&turns);
    lock();
    unsigned before = looks.parity;
    looks.parity ^= 1;
    size_t left = looks.counts[before];
    unlock();
    while (left > 0) {
        ouro__os_yield();
        lock();
        left = looks.counts[before];
        unlock();
    }
    ouro__unlock(&turns);
}

/* -- holding ----------------------------------------------------------------------------------- */

bool ouro__hold_block(void *block)
{
    lock();
    bool held = looks.counts[0] + looks.counts[1] > 0;
    if (held) {
        /* Relaxed: a walk may be reading what was there. Odd: it takes that for no distance
         * (ouro__header_within). */
        ouro__store((ouro_word *)block, looks.held);
        looks.held = (ouro_word)block + 1;
    }
    unlock();
    return held;
}

/* Nothing is freed in that runtime any more. */
void ouro__held_forget(const struct ouro_runtime *runtime)
{
    if (ouro__supply()->block)
        return; /* its rows are gone: libc gets the block from whoever looks last */
    lock();
    for (ouro_word *at = &looks.held; *at != 1;) {
        ouro_word *block = (ouro_word *)(*at - 1);
        if (ouro__runtime_of(block) == runtime)
            *at = *block;
        else
            at = block;
    }
    unlock();
}

void ouro__holds_before_fork(void)
{
    ouro__lock(&looks.lock);
}

/* In the child nobody looks but this thread. */
void ouro__holds_after_fork(bool child)
{
    if (!child) {
        ouro__unlock(&looks.lock);
        return;
    }
    looks.counts[0] = looks.counts[1] = 0;
    looks.counts[ouro__own.parity] = ouro__own.holds > 0;
    ouro__mutex_reset(&looks.lock);
    ouro__mutex_reset(&turns);
}
