/* SPDX-License-Identifier: MIT */
/* rc_biased.h: the owner counts plainly, all others atomically (Choi, Shull, Torrellas, PACT 2018;
 * the protocol and where it departs: docs/counts.md).
 *
 * For every function: `object` may be NULL (nothing happens). incref and decref never fail; any
 * thread that has a reference; objects born in any mode. An object whose last reference another
 * thread drops is destroyed by its owner at the owner's next slow path, or at once by the dropper
 * if the owner is parked or has ended. incref runs nothing; decref may run destroy hooks and a
 * collection. No error can come of either: where there is no memory for what a drop needs, the
 * object dies later, or stays. Without threads (OURO_THREADS 0) these are the local functions. */
#ifndef OURO_ORC_RC_BIASED_H
#define OURO_ORC_RC_BIASED_H

#include "orc/rc_local.h"

/* One reference more. The owner: two loads, an addition, a test, a store; no atomic operation. */
OURO_INLINE void ouro_incref_biased(void *object)
{
    if (!OURO_THREADS) {
        ouro_incref_local(object);
        return;
    }
    if (OURO_UNLIKELY(object == NULL))
        return;
    struct ouro_header *h = ouro__header(object);
    ouro_half n = ouro__half_load(&h->local) + OURO__LOCAL_UNIT;
    if (OURO_LIKELY((n & ouro__context.counts) == 0))
        ouro__half_store(&h->local, n);
    else
        ouro__incref_out(object);
}

/* One reference less. The owner: no atomic operation unless the object is shared. */
OURO_INLINE void ouro_decref_biased(void *object)
{
    if (!OURO_THREADS) {
        ouro_decref_local(object);
        return;
    }
    if (OURO_UNLIKELY(object == NULL))
        return;
    struct ouro_header *h = ouro__header(object);
    ouro_half n = ouro__half_load(&h->local) - OURO__LOCAL_UNIT;
    if (OURO_LIKELY((n & ouro__context.counts) == 0)) {
        ouro__half_store(&h->local, n);
        if (OURO_UNLIKELY(ouro__half_load(&h->visited) == 0))
            ouro__candidate(object);
    } else {
        ouro__decref_out(object);
    }
}

/* The same for an object whose type is known to be acyclic. */
OURO_INLINE void ouro_decref_acyclic_biased(void *object)
{
    if (!OURO_THREADS) {
        ouro_decref_acyclic_local(object);
        return;
    }
    if (OURO_UNLIKELY(object == NULL))
        return;
    struct ouro_header *h = ouro__header(object);
    ouro_half n = ouro__half_load(&h->local) - OURO__LOCAL_UNIT;
    if (OURO_LIKELY((n & ouro__context.counts) == 0))
        ouro__half_store(&h->local, n);
    else
        ouro__decref_out(object);
}

#endif
