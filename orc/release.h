/* SPDX-License-Identifier: MIT */
/* release.h: dropping large structures in steps.
 *
 * Release is iterative: dead objects are chained through their own headers, so a list of any length
 * is freed on any stack, without allocating. Order: a parent's destroy hook runs before those of
 * its children; children in field order, depth first. A parent's memory is gone when its children's
 * hooks run. */
#ifndef OURO_ORC_RELEASE_H
#define OURO_ORC_RELEASE_H

#include "alloc/platform.h"

OURO_EXTERN_C_BEGIN

/* Like a decref of `object` (owned; may be NULL), but a death is only noted; ouro_release_pending
 * carries it out, or ouro_poll and ouro_collect, or slow paths of births on this thread, about a
 * thousand objects each. A decref that ends another object leaves it alone. Any thread; runs no
 * hook, but from inside one it is a decref; O(1). */
OURO_API void ouro_decref_later(void *object);

/* Destroys at most `budget` noted objects, those included that fall on the way; returns how many it
 * destroyed. Fewer than `budget`: nothing is pending any more; 0 from inside a destroy hook. Looks
 * at what the calling thread noted. Runs destroy hooks; allocates nothing; O(destroyed). */
OURO_API size_t ouro_release_pending(size_t budget);

OURO_EXTERN_C_END

#endif
