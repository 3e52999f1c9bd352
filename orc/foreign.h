/* SPDX-License-Identifier: MIT */
/* foreign.h: bytes that Ouro does not see: textures, files, blocks of other libraries that live and
 * die with counted objects.
 *
 * A small object may keep much alive elsewhere. What a program declares here weighs like bytes of
 * its own: in the trigger of collections by bytes, in the limit (ouro_set_limit), in `foreign` of
 * the statistics, and in leak reports.
 *
 * For both functions: any thread; not async-signal-safe. */
#ifndef OURO_ORC_FOREIGN_H
#define OURO_ORC_FOREIGN_H

#include "alloc/status.h"

OURO_EXTERN_C_BEGIN

/* Adds `bytes` to the process's balance; a negative number takes off. OURO_NO_MEMORY: so many more
 * do not fit in the limit, after Ouro gave back what it could, the memory callback was asked, and
 * this thread's garbage was collected; nothing has changed. Adding may run destroy hooks, a
 * collection and the callback; taking off runs nothing, always succeeds, and may be done in hooks.
 * To take off more than there is is a programmer's error (OURO_FAIL_MISUSE). Allocates nothing but
 * the thread's record, on its first touch. O(1) with a short lock. */
OURO_API ouro_status ouro_foreign_add(ptrdiff_t bytes);

/* Says that `object` (borrowed, not NULL, of a type; the caller has a reference) keeps `bytes`
 * alive, in place of what was said before; 0: none. They are in the balance until it dies, and go
 * when its death is decided, before its hooks run; the list of what is alive tells them by type.
 * From the first time on the object counts as one that has had a weak handle: it is never unique
 * (ouro_is_unique). OURO_NO_MEMORY: as ouro_foreign_add, or for the entry; nothing has changed. An
 * object that is gone is a programmer's error (OURO_FAIL_USE_AFTER_FREE). Allocates. O(1) expected,
 * with a short lock. */
OURO_API ouro_status ouro_foreign_bytes(void *object, size_t bytes);

OURO_EXTERN_C_END

#endif
