/* SPDX-License-Identifier: MIT */
/* registry.h: Internal to hooks and orc. The type table and what registration works out.
 *
 * A type has a number from 1 on, its index in the table. The header of an object has 16 bits for
 * it: OURO__WIDE_TYPE stands for all numbers from there on; such an object keeps the address of its
 * descriptor in the last word of its block, so that there is no limit on the number of types. */
#ifndef OURO_HOOKS_REGISTRY_H
#define OURO_HOOKS_REGISTRY_H

#include "hooks/type.h"

#define OURO__WIDE_TYPE 0xFFFFu
#define OURO__TYPE_SHIFT 16 /* of the type's number in ouro_type.birth */

enum ouro__type_state {
    OURO__TYPE_FLAT = 1u << 0,    /* all that destroy acts on are the `refs`; trace likewise */
    OURO__TYPE_PLAIN = 1u << 1,   /* destroy does nothing at all */
    OURO__TYPE_TRACED = 1u << 2,  /* has at least one strong reference somewhere */
    OURO__TYPE_ALIGNED = 1u << 3, /* objects need more than 16: born and freed out of line */
    OURO__TYPE_DESTROY = 1u << 4  /* a written destroy hook, here or in a nested value */
};

/* Numbers below OURO__WIDE_TYPE; entries are written once, before the type is born from. */
extern const struct ouro_type *ouro__types[OURO__WIDE_TYPE];

/* The bytes that an object of the type needs behind its header: size, and for a wide type the
 * word at the end, already rounded so that it is aligned. */
size_t ouro__type_room(const struct ouro_type *type, size_t size);

#endif
