/* SPDX-License-Identifier: MIT */
/* rc_atomic.h: counts that every thread changes by atomic operations.
 *
 * For every function: `object` may be NULL (nothing happens). incref and decref never fail; any
 * thread that has a reference. Works on objects born in any mode (those that are not merged go out
 * of line). Whoever drops the last reference destroys; an object that can be part of a cycle may
 * wait for the next collection of a thread that dropped another reference before (docs/counts.md,
 * decref, merged). incref runs nothing; decref may run destroy hooks and a collection. No error can
 * come of either. Without threads (OURO_THREADS 0) these are the local functions. */
#ifndef OURO_ORC_RC_ATOMIC_H
#define OURO_ORC_RC_ATOMIC_H

#include "orc/rc_local.h"

/* One reference more. One atomic addition. */
OURO_INLINE void ouro_incref_atomic(void *object)
{
    if (!OURO_THREADS) {
        ouro_incref_local(object);
        return;
    }
    if (OURO_UNLIKELY(object == NULL))
        return;
    struct ouro_header *h = ouro__header(object);
    ouro_word b = ouro__load(&h->shared);
    /* Relaxed: the caller's own reference keeps the object alive (docs/counts.md, f). */
    if (OURO_LIKELY((b & OURO__INLINED) == OURO__MERGED && ouro__count_of(b) < OURO__COUNT_LIMIT))
        ouro__fetch_add(&h->shared, OURO__UNIT);
    else
        ouro__incref_out(object);
}

/* One reference less. One atomic subtraction, if the object is acyclic or already a candidate. */
OURO_INLINE void ouro_decref_atomic(void *object)
{
    if (!OURO_THREADS) {
        ouro_decref_local(object);
        return;
    }
    if (OURO_UNLIKELY(object == NULL))
        return;
    struct ouro_header *h = ouro__header(object);
    ouro_word b = ouro__load(&h->shared);
    ouro_half visited = ouro__half_load(&h->visited);
    bool simple = (b & OURO__QUEUED) || visited == OURO__ACYCLIC;
    if (OURO_LIKELY((b & OURO__INLINED) == OURO__MERGED && simple)) {
        /* Releases the caller's use of the object to whoever destroys it, and acquires that
         * of all others if it is the last (pairs with every other decref). */
        ouro_word was = ouro__fetch_add_acq_rel(&h->shared, -OURO__UNIT);
        if (ouro__count_of(was) == 1)
            ouro__merged_zero(object);
        else if (OURO_UNLIKELY(ouro__count_of(was) == 2 && (was & OURO__QUEUED)))
            ouro__merged_one(object, visited);
    } else {
        ouro__decref_out(object);
    }
}

/* The same for an object whose type is known to be acyclic. */
OURO_INLINE void ouro_decref_acyclic_atomic(void *object)
{
    if (!OURO_THREADS) {
        ouro_decref_acyclic_local(object);
        return;
    }
    if (OURO_UNLIKELY(object == NULL))
        return;
    struct ouro_header *h = ouro__header(object);
    ouro_word b = ouro__load(&h->shared);
    if (OURO_LIKELY((b & OURO__INLINED) == OURO__MERGED)) {
        ouro_word was = ouro__fetch_add_acq_rel(&h->shared, -OURO__UNIT); /* as above */
        if (ouro__count_of(was) == 1)
            ouro__merged_zero(object);
    } else {
        ouro__decref_out(object);
    }
}

#endif
