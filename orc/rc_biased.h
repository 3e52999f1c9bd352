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

/* The one body of all forms. `in`: the caller gave the context, and is told so out of line. */
OURO_INLINE void ouro__incref_biased(struct ouro_context *context, void *object, bool in)
{
    if (OURO_UNLIKELY(object == NULL))
        return;
    struct ouro_header *h = ouro__header(object);
    ouro_half n = ouro__half_load(&h->local) + OURO__LOCAL_UNIT;
    if (OURO_LIKELY((n & context->counts) == 0))
        ouro__half_store(&h->local, n);
    else if (in)
        ouro__incref_in_out(context, object);
    else
        ouro__incref_out(object);
}
OURO_INLINE void ouro__decref_biased(struct ouro_context *context, void *object, bool acyclic,
                                     bool in)
{
    if (OURO_UNLIKELY(object == NULL))
        return;
    struct ouro_header *h = ouro__header(object);
    ouro_half n = ouro__half_load(&h->local) - OURO__LOCAL_UNIT;
    if (OURO_LIKELY((n & context->counts) == 0)) {
        ouro__half_store(&h->local, n);
        if (!acyclic && OURO_UNLIKELY(ouro__half_load(&h->visited) == 0))
            ouro__candidate(object);
    } else if (in) {
        ouro__decref_in_out(context, object);
    } else {
        ouro__decref_out(object);
    }
}

/* One reference more. The owner: two loads, an addition, a test, a store; no atomic operation. */
OURO_INLINE void ouro_incref_biased(void *object)
{
    if (OURO_THREADS)
        ouro__incref_biased(&ouro__context, object, false);
    else
        ouro_incref_local(object);
}

/* One reference less. The owner: no atomic operation unless the object is shared. */
OURO_INLINE void ouro_decref_biased(void *object)
{
    if (OURO_THREADS)
        ouro__decref_biased(&ouro__context, object, false, false);
    else
        ouro_decref_local(object);
}

/* The same for an object whose type is known to be acyclic. */
OURO_INLINE void ouro_decref_acyclic_biased(void *object)
{
    if (OURO_THREADS)
        ouro__decref_biased(&ouro__context, object, true, false);
    else
        ouro_decref_acyclic_local(object);
}

/* The same three with the calling thread's context (borrowed, not NULL; alloc/context.h). */
OURO_INLINE void ouro_incref_in_biased(struct ouro_context *context, void *object)
{
    if (OURO_THREADS)
        ouro__incref_biased(context, object, true);
    else
        ouro_incref_local(object);
}
OURO_INLINE void ouro_decref_in_biased(struct ouro_context *context, void *object)
{
    if (OURO_THREADS)
        ouro__decref_biased(context, object, false, true);
    else
        ouro_decref_local(object);
}
OURO_INLINE void ouro_decref_acyclic_in_biased(struct ouro_context *context, void *object)
{
    if (OURO_THREADS)
        ouro__decref_biased(context, object, true, true);
    else
        ouro_decref_acyclic_local(object);
}

#endif
