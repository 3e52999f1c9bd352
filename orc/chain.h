/* SPDX-License-Identifier: MIT */
/* chain.h: Internal to orc. How dead objects are linked: what release.c and flat.c share. */
#ifndef OURO_ORC_CHAIN_H
#define OURO_ORC_CHAIN_H

#include "orc/state.h"

/* The first half of the header as one word. It belongs to its owner, or to who destroys it. */
typedef uint64_t ouro__first_half __attribute__((may_alias));
#define OURO__AWAY_HALF ((uint64_t)OURO__LOCAL_AWAY)

/* An address has 47 bits, the lowest four zero: turned by 28 these meet the top of the local word
 * (D2). */
OURO_INLINE void ouro__link_set(struct ouro_header *h, const void *next)
{
    uint64_t a = (uint64_t)(uintptr_t)next;
    *(ouro__first_half *)h = (a << 28 | a >> 36) | OURO__AWAY_HALF;
}

OURO_INLINE void *ouro__link_get(const struct ouro_header *h)
{
    uint64_t a = *(const ouro__first_half *)h & ~OURO__AWAY_HALF;
    return (void *)(uintptr_t)(a >> 28 | a << 36);
}

/* Destroys `object`, dead and of a type that is nothing but references, and at most budget - 1 of
 * what dies of it and comes next; returns how many. What is left is pending. */
size_t ouro__release_flat(struct ouro__thread *me, char *object, const struct ouro_type *type,
                          size_t budget);

#endif
