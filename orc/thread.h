/* SPDX-License-Identifier: MIT */
/* thread.h: what threads tell Ouro. None of it is needed for correctness.
 *
 * A thread is attached by its first touch of a counted object, whoever started it, and detached
 * when it ends. Threads that come and go between a runtime and others say so themselves.
 *
 * A thread that will block for long declares it, so that others may settle for it what they drop
 * meanwhile; else such objects die when it comes back. */
#ifndef OURO_ORC_THREAD_H
#define OURO_ORC_THREAD_H

#include "alloc/status.h"

OURO_EXTERN_C_BEGIN

/* Makes now what the first touch of a counted object would make: the calling thread's record and
 * heap, so that no later call fails for want of them. OURO_NO_MEMORY: there is none, or the thread
 * is past its end; nothing has changed. Attached already: OURO_OK. Any thread, also in destructors
 * of thread-local data. Allocates, but asks no callback; runs no hook; O(1). */
OURO_API ouro_status ouro_thread_attach(void);

/* Does now what the thread's end would do: settles what others dropped, collects, and leaves its
 * objects, and its token, to whoever needs them. The thread may go on, and is attached again by its
 * next touch of a counted object, or by ouro_thread_attach; marks (orc/frame.h) of before are void.
 * Not attached: nothing. A programmer's error (OURO_FAIL_MISUSE) from inside a hook, a collection
 * or the memory callback, while parked, and while frames own something; then nothing has changed.
 * Any thread; runs destroy hooks, which must not leave by a jump here; allocates nothing that it
 * needs; O(what waits + objects reachable from candidates). */
OURO_API void ouro_thread_detach(void);

/* Between park and unpark the calling thread must not touch counted objects. Pairs nest; an unpark
 * without a park does nothing. park settles what others dropped; unpark waits for at most one
 * foreign hold (64 merges), and settles again. Both may run destroy hooks and free, and do not
 * fail. O(what waits). */
OURO_API void ouro_park(void);
OURO_API void ouro_unpark(void);

/* Settles what other threads dropped of this thread's objects, hands freed blocks of others back,
 * and destroys what is pending. For loops that compute for long without allocating. Any thread;
 * runs destroy hooks; does not fail; O(what waits), a few loads if nothing does. */
OURO_API void ouro_poll(void);

/* Bytes of objects that other threads dropped and the calling thread has not settled yet: of their
 * whole blocks, header and inline tail included; 0 on a thread that has touched none. What a
 * dropper had no memory to queue is not among them. Any thread; runs no hook, allocates nothing;
 * does not fail; O(tokens held + objects that wait). */
OURO_API size_t ouro_queued_bytes(void);

/* How a thread counted so far. */
struct ouro_counted {
    uint64_t local;  /* counts that it wrote plainly, as the owner */
    uint64_t atomic; /* atomic read-modify-writes: counts on what others own, or nobody; and what
                        the owner's last drop needs where others counted, or a weak handle is */
};

/* Writes to *counted (not NULL) how the calling thread has counted since it was attached, in the
 * runtime that it is in: by the program's calls, in hooks, and for fields of what died. Immortal
 * and dying objects do not count. False: only the checked library keeps that, with threads; then
 * all is 0. Any thread; runs no hook, allocates nothing; O(1). */
OURO_API bool ouro_thread_counted(struct ouro_counted *counted);

OURO_EXTERN_C_END

#endif
