/* SPDX-License-Identifier: MIT */
/* rc.h: the default count mode. Define OURO_RC before including it to choose another.
 *
 * The names without a suffix forward to those of the mode; all modes may be used in one program,
 * and each object may be handled by the functions of any mode, but for the local ones, which only
 * the thread that made it may call, while nobody else can reach it.
 *
 * Objects, parameters, errors, threads and cost: as for the function of the mode (rc_local.h,
 * rc_atomic.h, rc_biased.h; births: object.h). */
#ifndef OURO_ORC_RC_H
#define OURO_ORC_RC_H

#include "orc/rc_atomic.h"
#include "orc/rc_biased.h"
#include "orc/rc_local.h"
#include "orc/object.h"

#define OURO_RC_LOCAL  1
#define OURO_RC_ATOMIC 2
#define OURO_RC_BIASED 3
#ifndef OURO_RC
#define OURO_RC OURO_RC_BIASED
#endif

#if OURO_RC == OURO_RC_LOCAL
#define OURO__MODE(name) name##_local
#elif OURO_RC == OURO_RC_ATOMIC
#define OURO__MODE(name) name##_atomic
#elif OURO_RC == OURO_RC_BIASED
#define OURO__MODE(name) name##_biased
#else
#error "OURO_RC is OURO_RC_LOCAL, OURO_RC_ATOMIC or OURO_RC_BIASED"
#endif

/* One reference more. */
OURO_INLINE void ouro_incref(void *object)
{
    OURO__MODE(ouro_incref)(object);
}
/* One reference (owned) less; the last one destroys. May run destroy hooks and a collection. */
OURO_INLINE void ouro_decref(void *object)
{
    OURO__MODE(ouro_decref)(object);
}
/* The same for an object whose type is known to be acyclic; a wrong use leaks cycles. */
OURO_INLINE void ouro_decref_acyclic(void *object)
{
    OURO__MODE(ouro_decref_acyclic)(object);
}
/* A new object, zeroed, with one reference that the caller owns; NULL: no memory, or a bad type. */
OURO_INLINE void *ouro_new(struct ouro_type *type, size_t size)
{
    return OURO__MODE(ouro_new)(type, size);
}
/* The same without zeroing. */
OURO_INLINE void *ouro_new_uninit(struct ouro_type *type, size_t size)
{
    return OURO__MODE(ouro_new_uninit)(type, size);
}

/* A new object, zeroed, whose tail has `count` elements; otherwise as ouro_new. */
OURO_INLINE void *ouro_new_tail(struct ouro_type *type, size_t count)
{
    return OURO__MODE(ouro_new_tail)(type, count);
}
/* The same without zeroing. */
OURO_INLINE void *ouro_new_tail_uninit(struct ouro_type *type, size_t count)
{
    return OURO__MODE(ouro_new_tail_uninit)(type, count);
}

/* A new zeroed object of C type T, described by *type (borrowed, not NULL), as a T *; NULL as
 * ouro_new. */
#define OURO_NEW(T, type) ((T *)ouro_new((type), sizeof(T)))

#endif
