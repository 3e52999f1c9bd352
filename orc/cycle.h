/* SPDX-License-Identifier: MIT */
/* cycle.h: collection of cycles, as a program sees it. How it works, and what it is made after
 * (Lins; Bacon and Rajan 2001): docs/cycles.md.
 *
 * For every function: any thread, about its own objects alone; none fails. */
#ifndef OURO_ORC_CYCLE_H
#define OURO_ORC_CYCLE_H

#include "alloc/status.h"

OURO_EXTERN_C_BEGIN

/* What one collection, or all of this thread's so far, did. Times in nanoseconds. */
struct ouro_collection {
    uint64_t collections; /* how many are summed here */
    uint64_t candidates;  /* candidate roots looked at */
    uint64_t captured;    /* objects visited */
    uint64_t freed;       /* objects freed */
    uint64_t live;        /* captured objects that proved live */
    uint64_t abandoned;   /* collections given up for want of memory or because of other threads */
    uint64_t nanoseconds;
};

/* Collects the cycles that this thread owns, now, even while paused, after all deaths that
 * ouro_decref_later noted; then those that only the dead kept, in eight rounds at most (what hooks
 * make anew could go on for ever; the next call takes the rest). Returns how many objects of cycles
 * it freed. Runs destroy hooks. From inside a hook or a collection it does nothing and returns 0.
 * `result` (borrowed; may be NULL) tells of all rounds. Allocates; without memory it gives up
 * (`abandoned`) and has changed nothing. O(objects reachable from candidates);
 * where threads have ended that left candidates it waits up to 20 ms for them to be gone. */
OURO_API size_t ouro_collect(struct ouro_collection *result);

/* Pauses and resumes the triggers of this thread; nests, and a resume without a pause does nothing.
 * Candidates go on being remembered. Run nothing; O(1). */
OURO_API void ouro_collect_pause(void);
OURO_API void ouro_collect_resume(void);

/* What this thread's collections did so far, into *total (borrowed; may be NULL). O(1). */
OURO_API void ouro_collect_stats(struct ouro_collection *total);
/* How many candidate roots this thread remembers. O(1). */
OURO_API size_t ouro_candidates(void);

OURO_EXTERN_C_END

#endif
