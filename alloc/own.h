/* SPDX-License-Identifier: MIT */
/* own.h: Internal to alloc, hooks, orc and isolate. What a thread knows of itself, with a heap or
 * without one.
 *
 * Locks and forks: a lock of the library is held from before a fork until after it, so that the
 * child finds what it guards whole. In between run handlers of others on the thread that forks: of
 * those that were registered before Ouro's, `prepare` comes after Ouro's own, `parent` and `child`
 * come before. They may call Ouro. So on that thread, which has the lock, taking it does nothing.
 * In the child that is right although no thread there took the lock, because there is no other. */
#ifndef OURO_ALLOC_OWN_H
#define OURO_ALLOC_OWN_H

#include "alloc/os.h"

struct ouro_runtime;
struct ouro__entered;
struct ouro__heap;

struct ouro__own {
    struct ouro_runtime *runtime; /* that the thread is in; never NULL */
    struct ouro__entered *frames; /* what it comes back to (runtime.c); NULL: it entered none */
    struct ouro__heap *heap;      /* its own, in the default runtime; NULL: none */
    struct ouro__heap *apart;     /* heaps of no thread that it is in (apart.c) */
    unsigned exits;               /* how often the thread gave its heap up (thread.c) */
    unsigned holds;               /* looks under way (hold.c), and the count that has them */
    unsigned parity;
    size_t purged;                 /* bytes that it gave back to the system */
    bool elsewhere;                /* it may have heaps in other runtimes than the default one */
    unsigned must_return;          /* hooks under way that must not be left (hooks/lift.c) */
    bool hushed;                   /* turns between runtimes run no hook (orc/payload.c) */
    bool pleading;                 /* inside the memory callback, or it must not be called */
    bool arena_forks, types_forks; /* holds the arena's lock, that of the types, for a fork */
    bool orc_forks;                /* holds all locks of orc for a fork (fork.c) */
    bool channels_fork;            /* holds the list of channels for a fork */
    bool tasks_fork;               /* holds all locks of tasks for a fork */
};
extern OURO_TLS struct ouro__own ouro__own;

/* Returns when all who looked (hold.c) when it was called have done so. Not from inside a look. */
void ouro__looks_over(void);
/* Before that, where the runtime ends: its blocks that are held until then go with its memory. */
void ouro__held_forget(const struct ouro_runtime *runtime);

/* Takes or leaves a lock, unless the thread holds it for a fork. */
static inline void ouro__lock_unless(bool forks, ouro__mutex *m)
{
    if (OURO_LIKELY(!forks))
        ouro__lock(m);
}
static inline void ouro__unlock_unless(bool forks, ouro__mutex *m)
{
    if (OURO_LIKELY(!forks))
        ouro__unlock(m);
}

/* After a fork that a lock was held over: in the child the thread that left it is another one. */
static inline void ouro__mutex_after_fork(ouro__mutex *m, bool child)
{
    if (child)
        ouro__mutex_reset(m);
    else
        ouro__unlock(m);
}

/* Before a fork and after it. `forks` is true in between, in the child too. */
static inline void ouro__lock_for_fork(bool *forks, ouro__mutex *m)
{
    ouro__lock(m);
    *forks = true;
}
static inline void ouro__unlock_after_fork(bool *forks, ouro__mutex *m, bool child)
{
    *forks = false;
    ouro__mutex_after_fork(m, child);
}

#endif
