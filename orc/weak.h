/* SPDX-License-Identifier: MIT */
/* weak.h: references that do not keep an object alive.
 *
 * A weak handle is counted itself and may be used on any thread. The first one of an object sets a
 * sticky flag in its shared word; from then on its death goes through the table of weak cells
 * (docs/counts.md, weak references). */
#ifndef OURO_ORC_WEAK_H
#define OURO_ORC_WEAK_H

#include "alloc/status.h"

OURO_EXTERN_C_BEGIN

struct ouro_weak;

/* A weak handle (owned) for `object` (borrowed, not NULL; the caller has a strong reference); NULL:
 * no memory. All handles of one object share one cell. O(1) expected; takes a bucket's lock. */
OURO_API struct ouro_weak *ouro_weak_new(void *object);
/* Another strong reference (owned) to the object, or NULL if it is gone. `weak` borrowed, may be
 * NULL. Never blocks for longer than a bucket's lock is held. */
OURO_API void *ouro_weak_upgrade(struct ouro_weak *weak);
/* One handle more, one less. `weak` may be NULL. */
OURO_API void ouro_weak_incref(struct ouro_weak *weak);
OURO_API void ouro_weak_decref(struct ouro_weak *weak);

OURO_EXTERN_C_END

#endif
