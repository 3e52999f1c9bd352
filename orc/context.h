/* SPDX-License-Identifier: MIT */
/* context.h: counts, births and slots with an explicit thread context, for fibers that resume on
 * another OS thread (alloc/context.h tells why, docs/abi.md shows it; orc/rc_biased.h and
 * alloc/pool.h have the rest).
 *
 * For every function: `context` is that of the calling thread (borrowed, not NULL): what
 * ouro_context_here() answered on it. All else, errors, threads and cost, is as for the function of
 * the same name without `_in`. Local and atomic counts read no context; their forms are here so
 * that a program can choose by OURO_RC. */
#ifndef OURO_ORC_CONTEXT_H
#define OURO_ORC_CONTEXT_H

#include "alloc/context.h"
#include "orc/slot.h"

OURO_EXTERN_C_BEGIN

OURO_INLINE void ouro_incref_in_local(struct ouro_context *context, void *object)
{
    (void)context;
    ouro_incref_local(object);
}
OURO_INLINE void ouro_decref_in_local(struct ouro_context *context, void *object)
{
    (void)context;
    ouro_decref_local(object);
}
OURO_INLINE void ouro_decref_acyclic_in_local(struct ouro_context *context, void *object)
{
    (void)context;
    ouro_decref_acyclic_local(object);
}
OURO_INLINE void ouro_incref_in_atomic(struct ouro_context *context, void *object)
{
    (void)context;
    ouro_incref_atomic(object);
}
OURO_INLINE void ouro_decref_in_atomic(struct ouro_context *context, void *object)
{
    (void)context;
    ouro_decref_atomic(object);
}
OURO_INLINE void ouro_decref_acyclic_in_atomic(struct ouro_context *context, void *object)
{
    (void)context;
    ouro_decref_acyclic_atomic(object);
}

/* -- births ------------------------------------------------------------------------------------ */

OURO_INLINE void *ouro_new_in_local(struct ouro_context *context, struct ouro_type *type,
                                    size_t size)
{
    return ouro__new_in(context, type, size, OURO__BORN_LOCAL_MODE | OURO__BORN_ZEROED);
}
OURO_INLINE void *ouro_new_in_biased(struct ouro_context *context, struct ouro_type *type,
                                     size_t size)
{
    return ouro__new_in(context, type, size, OURO__BORN_BIASED | OURO__BORN_ZEROED);
}
OURO_INLINE void *ouro_new_in_atomic(struct ouro_context *context, struct ouro_type *type,
                                     size_t size)
{
    unsigned mode = OURO_THREADS ? OURO__BORN_ATOMIC : OURO__BORN_LOCAL_MODE;
    return ouro__new_in(context, type, size, mode | OURO__BORN_ZEROED);
}
OURO_INLINE void *ouro_new_uninit_in_local(struct ouro_context *context, struct ouro_type *type,
                                           size_t size)
{
    return ouro__new_in(context, type, size, OURO__BORN_LOCAL_MODE);
}
OURO_INLINE void *ouro_new_uninit_in_biased(struct ouro_context *context, struct ouro_type *type,
                                            size_t size)
{
    return ouro__new_in(context, type, size, OURO__BORN_BIASED);
}
OURO_INLINE void *ouro_new_uninit_in_atomic(struct ouro_context *context, struct ouro_type *type,
                                            size_t size)
{
    return ouro__new_in(context, type, size,
                        OURO_THREADS ? OURO__BORN_ATOMIC : OURO__BORN_LOCAL_MODE);
}

OURO_INLINE ouro_reuse ouro_take_reuse_in(struct ouro_context *context, void *object,
                                          const struct ouro_type *type)
{
    return ouro__take_reuse(context, object, type, true);
}
OURO_INLINE void *ouro_new_reuse_in(struct ouro_context *context, ouro_reuse token,
                                    struct ouro_type *type, size_t size)
{
    return ouro__new_reuse(context, token, type, size, true);
}

/* -- the default mode (orc/rc.h) --------------------------------------------------------------- */

OURO_INLINE void ouro_incref_in(struct ouro_context *context, void *object)
{
    OURO__MODE(ouro_incref_in)(context, object);
}
OURO_INLINE void ouro_decref_in(struct ouro_context *context, void *object)
{
    OURO__MODE(ouro_decref_in)(context, object);
}
OURO_INLINE void ouro_decref_acyclic_in(struct ouro_context *context, void *object)
{
    OURO__MODE(ouro_decref_acyclic_in)(context, object);
}
OURO_INLINE void *ouro_new_in(struct ouro_context *context, struct ouro_type *type, size_t size)
{
    return OURO__MODE(ouro_new_in)(context, type, size);
}
OURO_INLINE void *ouro_new_uninit_in(struct ouro_context *context, struct ouro_type *type,
                                     size_t size)
{
    return OURO__MODE(ouro_new_uninit_in)(context, type, size);
}

/* -- slots (ouro_slot_init needs no context) --------------------------------------------------- */

OURO_INLINE void *ouro_slot_exchange_in(struct ouro_context *context, void *container, void **slot,
                                        void *value)
{
    return ouro__slot_swap(context, container, slot, value, true, true);
}
OURO_INLINE void ouro_slot_store_in(struct ouro_context *context, void *container, void **slot,
                                    void *value)
{
    void *old = ouro_slot_exchange_in(context, container, slot, value);
    ouro_decref_in(context, old);
}
OURO_INLINE void *ouro_slot_move_in(struct ouro_context *context, void *container, void **slot)
{
    return ouro__slot_swap(context, container, slot, NULL, false, true);
}
OURO_INLINE void ouro_slot_copy_in(struct ouro_context *context, void *container, void **slot,
                                   void *value)
{
    ouro_incref_in(context, value);
    void *old = ouro__slot_swap(context, container, slot, value, false, true);
    ouro_decref_in(context, old);
}

/* Filtered ones. */
OURO_INLINE uint64_t ouro_slot_exchange_word_in(struct ouro_context *context, void *container,
                                                uint64_t *slot, uint64_t word,
                                                const struct ouro_filter *filter)
{
    return ouro__slot_swap_word(context, container, slot, word, filter, true, true);
}
OURO_INLINE void ouro_slot_store_word_in(struct ouro_context *context, void *container,
                                         uint64_t *slot, uint64_t word,
                                         const struct ouro_filter *filter)
{
    uint64_t old = ouro_slot_exchange_word_in(context, container, slot, word, filter);
    ouro_decref_in(context, ouro_filter_object(filter, old));
}
OURO_INLINE uint64_t ouro_slot_move_word_in(struct ouro_context *context, void *container,
                                            uint64_t *slot, const struct ouro_filter *filter)
{
    return ouro__slot_swap_word(context, container, slot, filter->empty, filter, false, true);
}
OURO_INLINE void ouro_slot_copy_word_in(struct ouro_context *context, void *container,
                                        uint64_t *slot, uint64_t word,
                                        const struct ouro_filter *filter)
{
    ouro_incref_in(context, ouro_filter_object(filter, word));
    uint64_t old = ouro__slot_swap_word(context, container, slot, word, filter, false, true);
    ouro_decref_in(context, ouro_filter_object(filter, old));
}

OURO_EXTERN_C_END

#endif
