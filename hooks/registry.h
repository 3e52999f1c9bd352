/* SPDX-License-Identifier: MIT */
/* registry.h: Internal to hooks and orc. The type table and what registration works out.
 *
 * A type has a number from 1 on, its index in the table. The header of an object has 16 bits for
 * it: OURO__WIDE_TYPE stands for all numbers from there on; such an object keeps the address of its
 * descriptor beside its header (orc/birth.c), so that there is no limit on the number of types.
 *
 * `counts` of a registered type is not 0. It is stored (release) after everything else but
 * `birth`, which comes last: whoever loads either and finds it set may read the rest. */
#ifndef OURO_HOOKS_REGISTRY_H
#define OURO_HOOKS_REGISTRY_H

#include "alloc/atomic.h"
#include "hooks/type.h"

#define OURO__WIDE_TYPE  0xFFFFu
#define OURO__TYPE_SHIFT 16   /* of the type's number in ouro_type.birth */
#define OURO__REFS_MAX   1024 /* strong references beyond which a type gets no table of offsets */

/* "Inside" means through nested values, arrays, optionals, unions and sequences. */
enum ouro__type_state {
    OURO__TYPE_FLAT = 1u << 0,   /* SLOTS, and destroy acts on nothing else */
    OURO__TYPE_PLAIN = 1u << 1,  /* destroy does nothing at all */
    OURO__TYPE_TRACED = 1u << 2, /* has at least one strong reference, or a written trace, inside */
    OURO__TYPE_ALIGNED = 1u << 3,   /* objects are aligned to more than 16: born out of line */
    OURO__TYPE_DESTROY = 1u << 4,   /* a written destroy hook, here or inside */
    OURO__TYPE_SLOTS = 1u << 5,     /* `refs`, and those of a tail, are all that trace reports */
    OURO__TYPE_HOOKED = 1u << 6,    /* a written hook but destroy and trace, here or inside */
    OURO__TYPE_SINKS = 1u << 7,     /* a written sink, here or in nested values and arrays */
    OURO__TYPE_LINKS = 1u << 8,     /* a weak or a borrowed reference inside */
    OURO__TYPE_TAGGED = 1u << 9,    /* an optional or a union in it */
    OURO__TYPE_DEEP = 1u << 10,     /* a sequence in it whose elements are not plain */
    OURO__TYPE_LARGE = 1u << 11,    /* set by orc: some object of it does not fit a small block */
    OURO__TYPE_TAILED = 1u << 12,   /* has a tail */
    OURO__TYPE_FILTERED = 1u << 13, /* some of `refs` go through `filter` */
    OURO__TYPE_LEAVING = 1u << 14,  /* about to be unregistered (unregister.c) */
    /* What its objects own may not be of their own region: a written destroy or trace, strings,
     * sequences, weak handles, or references to what any thread may have, or to any type. */
    OURO__TYPE_OUTWARD = 1u << 15
};

/* Entries are written before the type is born from, and NULL again when it is unregistered: with
 * the registration lock, while others load them. So both are atomic, through these three.
 * Relaxed where an object of the type was got from where the type was registered; who looks at what
 * may be a freed one, and finds the descriptor still there, is waited for before it changes
 * (unregister.c). */
extern const struct ouro_type *ouro__types[OURO__WIDE_TYPE];

OURO_INLINE const struct ouro_type *ouro__type_numbered(unsigned id)
{
    return (const struct ouro_type *)ouro__load((const ouro_word *)(const void *)&ouro__types[id]);
}
/* For who has the number from an object that nobody handed to him: acquires what ouro__type_number
 * releases, the descriptor. */
OURO_INLINE const struct ouro_type *ouro__type_met(unsigned id)
{
    return (const struct ouro_type *)ouro__load_acquire(
        (const ouro_word *)(const void *)&ouro__types[id]);
}
OURO_INLINE void ouro__type_number(unsigned id, const struct ouro_type *type)
{
    ouro__store_release((ouro_word *)(void *)&ouro__types[id], (ouro_word)type);
}

/* Sets bits of `state` that are for the layer above, such as OURO__TYPE_LARGE. Any thread. */
void ouro__type_set_state(struct ouro_type *type, uint32_t bits);

/* The registration lock. Nothing outside this layer is called under it. */
void ouro__types_lock(void);
void ouro__types_unlock(void);
/* With the lock. A type's number may be used again. */
void ouro__type_number_back(uint32_t id);
/* With the lock. What registration wrote into a descriptor goes; the block to be freed, or NULL. */
void *ouro__type_forget(struct ouro_type *type);
/* With the lock. `by` more fields, or fewer, nest what those of `type` nest, itself left out. */
void ouro__type_count_users(const struct ouro_type *type, int by);

/* Around a fork, so that the child finds the table whole. */
void ouro__types_before_fork(void);
void ouro__types_after_fork(bool child);

/* Whether the type is registered; then what registration wrote may be read. */
OURO_INLINE bool ouro__type_known(const struct ouro_type *type)
{
    /* Acquire: pairs with the release in registration. */
    return ouro__load_acquire((const ouro_word *)&type->counts) != 0;
}

/* OURO_OK if the type is registered or could be now. */
ouro_status ouro__type_register_now(const struct ouro_type *type);
uint32_t ouro__type_state_now(const struct ouro_type *type);

OURO_INLINE ouro_status ouro__type_check(const struct ouro_type *type)
{
    return OURO_LIKELY(ouro__type_known(type)) ? OURO_OK : ouro__type_register_now(type);
}

/* The state bits, registering the type if need be. If that finds no memory, bits that promise
 * nothing; a refused type counts as plain. */
OURO_INLINE uint32_t ouro__type_state(const struct ouro_type *type)
{
    return OURO_LIKELY(ouro__type_known(type)) ? ouro__half_load(&type->state)
                                               : ouro__type_state_now(type);
}

#endif
