/* SPDX-License-Identifier: MIT */
/* weak.h: references that do not keep an object alive.
 *
 * A weak handle is counted itself and may be used on any thread. The first one of an object sets a
 * sticky flag in its shared word; from then on its death goes through the table of weak cells
 * (docs/counts.md, Weak).
 *
 * For every function: any thread; no hook runs; O(1) expected and amortized, with one of 32 locks
 * of the runtime: whoever makes the handle that is one too many for the lists under a lock sorts
 * what is there into four times as many. */
#ifndef OURO_ORC_WEAK_H
#define OURO_ORC_WEAK_H

#include "alloc/status.h"

OURO_EXTERN_C_BEGIN

struct ouro_weak;

/* A weak handle (owned) for `object` (borrowed; the caller has a strong reference); NULL: no
 * memory, or `object` is NULL. All handles of one object share one cell. Allocates. An object that
 * is gone is a programmer's error (OURO_FAIL_USE_AFTER_FREE). */
OURO_API struct ouro_weak *ouro_weak_new(void *object);
/* Another strong reference (owned) to the object, or NULL if it is gone, or `weak` (borrowed) is
 * NULL, or there is no memory for a thread's first touch. */
OURO_API void *ouro_weak_upgrade(struct ouro_weak *weak);
/* One handle more. `weak` (borrowed) may be NULL. Takes no lock. */
OURO_API void ouro_weak_incref(struct ouro_weak *weak);
/* One handle less. `weak` (owned) may be NULL. */
OURO_API void ouro_weak_decref(struct ouro_weak *weak);

OURO_EXTERN_C_END

#endif
