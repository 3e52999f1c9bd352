/* SPDX-License-Identifier: MIT */
/* thread.h: what threads tell Ouro. None of it is needed for correctness.
 *
 * A thread that will block for long declares it, so that others may settle for it what they drop
 * meanwhile; else such objects die when it comes back. */
#ifndef OURO_ORC_THREAD_H
#define OURO_ORC_THREAD_H

#include "alloc/platform.h"

OURO_EXTERN_C_BEGIN

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

OURO_EXTERN_C_END

#endif
