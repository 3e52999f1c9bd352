/* SPDX-License-Identifier: MIT */
/* guard.h: data that is reached only with its lock.
 *
 * A guarded location is a pointer and the lock that guards what it leads to, and the pointer
 * itself: it opens only while the calling thread holds the lock. What it gives is borrowed until
 * the lock is left, paused, or waited with (condition.h). The pointer may own a reference to a
 * counted graph: it keeps the graph alive as any other pointer of the program's does, and is given
 * and taken by ouro_guard_exchange. (The idea: `guard` of Nim, where a compiler proves it.)
 *
 * Before the process has its second thread no lock is needed, as at Nim's top level: an opening
 * without the lock is then fine. Where the C library does not keep whether there was one (musl,
 * ThreadSanitizer), "before" is: while there is none. Without threads no lock is ever needed.
 *
 * `site`, and what errors do, as in lock.h. No call here waits, allocates or, but where it says so,
 * runs hooks. */
#ifndef OURO_ISOLATE_GUARD_H
#define OURO_ISOLATE_GUARD_H

#include "isolate/lock.h"

OURO_EXTERN_C_BEGIN

/* To be placed by the program. Several may have one lock. */
struct ouro_guarded {
    struct ouro_lock *lock; /* borrowed, for good */
    void *pointer;          /* may be NULL; reached by the functions below */
};
#define OURO_GUARDED_INIT(lock, pointer)                                                           \
    {                                                                                              \
        (lock), (pointer)                                                                          \
    }

/* What an opening gave, and when. Its members are Ouro's. */
struct ouro_opening {
    void *pointer;
    const struct ouro_guarded *guarded;
    uint64_t section; /* of the lock; 0: opened without it */
    const char *site;
};

/* For any location that a lock guards, where it is reached: the calling thread must hold `lock`
 * (borrowed, not NULL), or there has been no other thread. Else OURO_FAIL_NOT_HELD, in both
 * libraries. A load and a compare for the lock that was taken last; O(locks held). */
OURO_API void ouro_guard_check(const struct ouro_lock *lock, const char *site) OURO_REQUIRES(lock);

/* What `guarded` (borrowed, not NULL) leads to: borrowed, until the lock is left. `opening` (may be
 * NULL) is written: what ouro_opening_pointer looks at. Errors, cost: as ouro_guard_check. */
OURO_API void *ouro_guard_open(const struct ouro_guarded *guarded, struct ouro_opening *opening,
                               const char *site) OURO_REQUIRES(guarded->lock);

/* The pointer of an opening (borrowed, not NULL), once more. The checked library looks whether it
 * still holds: that the lock was not left since, and the location has not changed; else
 * OURO_FAIL_NOT_HELD, with the places of both. The release library just gives it. */
OURO_API void *ouro_opening_pointer(const struct ouro_opening *opening, const char *site);

/* Puts `pointer` (may be NULL) in, and gives what was there: each owned as the program has it.
 * Openings of before are void. Errors, cost: as ouro_guard_check. */
OURO_API void *ouro_guard_exchange(struct ouro_guarded *guarded, void *pointer, const char *site)
    OURO_REQUIRES(guarded->lock);

/* Puts `object` (owned; counted; may be NULL) in, and drops what was there, a counted object or
 * NULL, as ouro_decref: may run destroy hooks, with the lock held. To have them run without it,
 * exchange, leave the lock, and drop. */
OURO_API void ouro_guard_set(struct ouro_guarded *guarded, void *object, const char *site)
    OURO_REQUIRES(guarded->lock);

OURO_EXTERN_C_END

#endif
