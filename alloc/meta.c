/* SPDX-License-Identifier: MIT */
/* meta.c: the process's metadata: heaps, records of threads, of huge blocks, of runtimes.
 *
 * None of it goes back to the system, and what was of one kind stays of that kind (N4 of
 * docs/adr/0012): a thread that reads a record late finds another there, not something else. Pools
 * have what is not in use. The lock is a leaf. */
#include "alloc/arena.h"

static struct {
    ouro__mutex lock;
    char *at, *end;
} meta = {.lock = OURO__MUTEX_INIT};

static void lock(void)
{
    ouro__lock_unless(ouro__own.arena_forks, &meta.lock);
}
static void unlock(void)
{
    ouro__unlock_unless(ouro__own.arena_forks, &meta.lock);
}

static void *take_locked(size_t bytes)
{
    bytes = (bytes + 63) & ~(size_t)63;
    if ((size_t)(meta.end - meta.at) < bytes) {
        const size_t usual = (size_t)64 << 10;
        size_t room = bytes > usual ? (bytes + OURO__OS_PAGE - 1) & ~(OURO__OS_PAGE - 1) : usual;
        char *fresh = ouro__os_map(NULL, room, OURO__OS_PAGE);
        if (!fresh)
            return NULL;
        OURO__ROOTS(fresh, room);
        meta.at = fresh;
        meta.end = fresh + room;
    }
    char *p = meta.at;
    meta.at += bytes;
    return p;
}

void *ouro__meta_take(size_t bytes)
{
    lock();
    void *p = take_locked(bytes);
    unlock();
    return p;
}

static void **link_of(const struct ouro__pool *pool, void *p)
{
    return (void **)(void *)((char *)p + pool->link);
}

void *ouro__pool_take(struct ouro__pool *pool)
{
    lock();
    void *p = pool->first;
    if (p)
        pool->first = *link_of(pool, p);
    else
        p = take_locked(pool->bytes);
    unlock();
    return p;
}

void ouro__pool_give(struct ouro__pool *pool, void *p)
{
    lock();
    *link_of(pool, p) = pool->first;
    pool->first = p;
    unlock();
}

void ouro__meta_before_fork(void)
{
    ouro__lock(&meta.lock);
}
void ouro__meta_after_fork(bool child)
{
    ouro__mutex_after_fork(&meta.lock, child);
}
