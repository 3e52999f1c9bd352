/* SPDX-License-Identifier: MIT */
/* region.h: graphs that are built apart, and move as a whole.
 *
 * A region has pages of its own and counts of its own. One thread at a time is in it, between enter
 * and leave; what it makes meanwhile is the region's, and its counts on that are plain. When nobody
 * is in it, handing the region to another thread is handing on a pointer, whatever its size: by any
 * means that orders what the two threads do. Isolated, it is a handle like that of any isolated
 * graph, for channels and tasks; and dropping that gives its pages back as they are, without a
 * visit to objects that own nothing outside of it. (The idea: regions of Verona and Pony, where
 * types tell what is in which; arenas of Gay and Aiken 1998.)
 *
 * Outside of it a region's objects are as another thread's that is parked: they may be read and
 * counted (atomically). Inside of it the same holds for all that the thread made elsewhere. What
 * the region may refer to outside is what an isolated graph may (isolate/isolated.h).
 *
 * Without threads, in the checked library, under tools that see each block, and if it has
 * objects of more than 32 KiB, bare ones, or such as are counted atomically and can be in
 * cycles, a region ends object by object. docs/regions.md. */
#ifndef OURO_ISOLATE_REGION_H
#define OURO_ISOLATE_REGION_H

#include "isolate/isolated.h"

OURO_EXTERN_C_BEGIN

struct ouro_region;

/* An empty region, in the runtime that the thread is in, which is not destroyed before the region
 * has ended. *region (not NULL) is the caller's. OURO_NO_MEMORY: also where there are some twelve
 * thousand already, which have all owner tokens; OURO_BAD_ARGUMENT: `region` is NULL; else it is
 * NULL afterwards. Any thread; runs no hook; allocates; O(threads). */
OURO_API ouro_status ouro_region_new(struct ouro_region **region);

/* The calling thread is in `region` (borrowed, not NULL), and in its runtime, until
 * ouro_region_leave. Pairs nest, with those of other regions and runtimes too. OURO_BUSY: another
 * thread is in it, or was when this process was forked.
 * OURO_NO_MEMORY (only where pairs nest deeper than before, and at a thread's first touch);
 * OURO_BAD_ARGUMENT: NULL. One that is isolated is a programmer's error (OURO_FAIL_MISUSE). Any
 * thread; may run destroy hooks of what others dropped; O(1) but for these. */
OURO_API ouro_status ouro_region_enter(struct ouro_region *region);
/* Back to where the thread was. Another region, or runtime, than the one that was entered last is a
 * programmer's error (OURO_FAIL_MISUSE). Cost as enter; does not fail. */
OURO_API void ouro_region_leave(struct ouro_region *region);

/* Isolates the region (owned, if the answer is OURO_OK; else still the caller's), whose root is
 * `root` (owned as the region is; an object of it). *handle (not NULL) is then the caller's: for
 * ouro_region_extract, ouro_extract or ouro_isolated_drop. `why` (may be NULL) is written where it
 * is not isolated.
 *
 * It is proved that nobody outside has a reference into it, and that what lives in it is reached
 * from the root and refers to nothing outside but what it may: in one walk, which moves nothing.
 * Statuses and conditions as for ouro_isolate; OURO_BUSY too where a thread is in it. Large
 * objects that the root does not reach are not seen, and live on by their counts. Any thread;
 * collects in the region, so it may run destroy hooks, which must not leave by a jump; allocates
 * meanwhile; O(objects and references). */
OURO_API ouro_status ouro_region_isolate(struct ouro_region *region, void *root,
                                         struct ouro_isolated **handle, struct ouro_escape *why);

/* The same for a caller who knows it: nothing is looked at. The checked library looks, and a region
 * that is not isolated is a programmer's error (OURO_FAIL_MISUSE); in the release library it is
 * undefined. OURO_BUSY: a thread is in it; OURO_BAD_ARGUMENT: NULL. Any thread; runs nothing,
 * allocates nothing; O(1). In the checked library all is as for ouro_region_isolate. */
OURO_API ouro_status ouro_region_isolate_unchecked(struct ouro_region *region, void *root,
                                                   struct ouro_isolated **handle);

/* The region of a handle (owned), which is the caller's from now on; *root (`root` may be NULL)
 * is its root, of which the region has the reference. NULL: `handle` is NULL or of no region,
 * and still the caller's. Any thread; runs nothing; O(1). */
OURO_API struct ouro_region *ouro_region_extract(struct ouro_isolated *handle, void **root);

/* Ends a region (owned) that is not isolated. What lives in it lives on, by its counts, as what
 * a thread leaves behind that ends: any thread counts on it atomically. OURO_BUSY: a thread is
 * in it, or another was when this process was forked; OURO_NO_MEMORY; OURO_BAD_ARGUMENT: NULL.
 * Then nothing has changed. Any thread; collects in it, so it may run destroy hooks, which must
 * not leave by a jump; O(pages, and what is collected). */
OURO_API ouro_status ouro_region_end(struct ouro_region *region);

/* Whether the calling thread is in a region, and in which (borrowed); NULL: in none. O(1). */
OURO_API struct ouro_region *ouro_region_current(void);

OURO_EXTERN_C_END

#endif
