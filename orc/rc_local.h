/* SPDX-License-Identifier: MIT */
/* rc_local.h: counts of objects that one thread alone touches. Plain loads and stores.
 *
 * For every function: `object` may be NULL (nothing happens). incref and decref never fail. Only on
 * the thread that made the object, and only while no other thread can reach it; the checked library
 * reports anything else. A decref may run destroy hooks and, for types that can be cyclic, a
 * collection; neither allocates from the caller's point of view: no error can come of it.
 * The local word of an object that its owner made immortal, or that is so from the start, has `out`
 * set, and is never written. */
#ifndef OURO_ORC_RC_LOCAL_H
#define OURO_ORC_RC_LOCAL_H

#include "orc/header.h"

/* One reference more. O(1): a load, an addition, a store and two predicted branches. */
OURO_INLINE void ouro_incref_local(void *object)
{
    if (OURO_UNLIKELY(object == NULL))
        return;
    struct ouro_header *h = ouro__header(object);
    ouro_half n = ouro__half_load(&h->local) + OURO__LOCAL_UNIT;
    if (OURO_LIKELY((n & OURO__LOCAL_OUT) == 0))
        ouro__half_store(&h->local, n);
    else
        ouro__incref_local_out(object);
}

/* One reference less; the last one destroys (iteratively). */
OURO_INLINE void ouro_decref_local(void *object)
{
    if (OURO_UNLIKELY(object == NULL))
        return;
    struct ouro_header *h = ouro__header(object);
    ouro_half n = ouro__half_load(&h->local) - OURO__LOCAL_UNIT;
    if (OURO_LIKELY((n & OURO__LOCAL_OUT) == 0)) {
        ouro__half_store(&h->local, n);
        if (OURO_UNLIKELY(ouro__half_load(&h->visited) == 0))
            ouro__candidate(object);
    } else {
        ouro__decref_local_out(object);
    }
}

/* The same for an object whose type is known to be acyclic: does not look at the visited word. */
OURO_INLINE void ouro_decref_acyclic_local(void *object)
{
    if (OURO_UNLIKELY(object == NULL))
        return;
    struct ouro_header *h = ouro__header(object);
    ouro_half n = ouro__half_load(&h->local) - OURO__LOCAL_UNIT;
    if (OURO_LIKELY((n & OURO__LOCAL_OUT) == 0))
        ouro__half_store(&h->local, n);
    else
        ouro__decref_local_out(object);
}

#endif
