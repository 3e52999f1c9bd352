/* SPDX-License-Identifier: MIT */
/* words.h: Internal to orc. What the two words of a header say, beyond what header.h tells the
 * inlined paths (docs/counts.md). */
#ifndef OURO_ORC_WORDS_H
#define OURO_ORC_WORDS_H

#include "hooks/registry.h"
#include "orc/header.h"

/* What merges an object: M, and nobody as its owner (I3). In the checked library that is a number
 * which is no token, has no holder, and sends inlined atomic counts out of line. */
#define OURO__MERGED_OWNER ((ouro_word)(OURO_CHECKED ? 0xFFFE : OURO__NOBODY))
#define OURO__MERGE        (OURO__MERGED | OURO__MERGED_OWNER)
/* The same while somebody proves that it is isolated: inlined counts go out of line, and drops set
 * T (proof.pml, MERGED). No token is of that number (ouro__next_token). */
#define OURO__WALKED_OWNER ((ouro_word)0xFFFC)
OURO_INLINE bool ouro__is_walked(ouro_word shared)
{
    return (shared & OURO__OWNER_MASK) == OURO__WALKED_OWNER && (shared & OURO__MERGED);
}

/* An owner that no immortal object has tells the dying from those. */
#define OURO__DYING (OURO__IMMORTAL | OURO__MERGED | OURO__NO_TOKEN)
OURO_INLINE bool ouro__is_dying(ouro_word shared)
{
    return (shared & OURO__DYING) == OURO__DYING;
}
/* Sets W, unless the object is immortal. Full: memory order g of counts.md. */
OURO_INLINE void ouro__weak_flag(struct ouro_header *h)
{
    ouro_word b = ouro__load(&h->shared);
    if (b & OURO__WEAK)
        return;
    if (!(b & OURO__IMMORTAL) || ouro__is_dying(b)) {
        ouro__page_make_odd(h + 1); /* G1 of apart.c */
        ouro__fetch_or_full(&h->shared, OURO__WEAK);
    }
}
OURO_INLINE bool ouro__is_freed(ouro_word shared)
{
    return ouro__is_dying(shared) && ouro__count_of(shared) < 0;
}
/* The header of an object that is gone. */
OURO_INLINE void ouro__mark_freed(struct ouro_header *h)
{
    ouro_word type = ouro__load(&h->shared) & ((ouro_word)0xFFFF << OURO__TYPE_SHIFT);
    ouro__half_store(&h->local, OURO__LOCAL_AWAY);
    ouro__store(&h->shared, type | OURO__DYING | -OURO__UNIT);
}
/* The local word of an object that lived on after its hook ran: the hook does not run again. */
#define OURO__SPENT (OURO__LOCAL_AWAY | 1)
OURO_INLINE bool ouro__is_spent(const struct ouro_header *h)
{
    return (ouro__load(&h->shared) & OURO__MERGED) && ouro__half_load(&h->local) == OURO__SPENT;
}

#define OURO__TYPE_POINTER ((((uintptr_t)1 << 48) - 1) & ~(uintptr_t)7)
OURO_INLINE const struct ouro_type *ouro__type_of(const void *object, ouro_word shared)
{
    unsigned id = (unsigned)(shared >> OURO__TYPE_SHIFT) & 0xFFFF;
    if (OURO_LIKELY(id != OURO__WIDE_TYPE))
        return ouro__type_numbered(id);
    return (const struct ouro_type *)(((const uintptr_t *)object)[-3] & OURO__TYPE_POINTER);
}
OURO_INLINE bool ouro__can_cycle(const struct ouro_header *h)
{
    return ouro__half_load(&h->visited) != OURO__ACYCLIC;
}
/* The most references that a local word counts. LOCAL_PART of them go over to the shared count when
 * it is full, and come back when it is empty. */
#define OURO__LOCAL_MOST (OURO_CHECKED ? 0x3FFE : 0x8000)
#define OURO__LOCAL_PART 0x2000

/* The references that a local word counts; none where it is nobody's. */
OURO_INLINE int32_t ouro__local_count(ouro_half local)
{
    ouro_half n = local / OURO__LOCAL_UNIT;
    return (int32_t)(local & OURO__LOCAL_OUT ? n & 0x3FFF : n + 1);
}
/* The local word that says n references, of an object with that owner; one is born with one. */
OURO_INLINE ouro_half ouro__owned_local(ouro_word shared, int64_t n)
{
    ouro_half owner = (ouro_half)(shared & OURO__OWNER_MASK);
    if (OURO_CHECKED || n == 0) /* every inlined path goes out of line */
        return owner | OURO__LOCAL_AWAY | (ouro_half)n * OURO__LOCAL_UNIT;
    return owner | (ouro_half)(n - 1) * OURO__LOCAL_UNIT;
}
/* The most that a fold makes local of n references. */
OURO_INLINE int64_t ouro__part_of(int64_t n)
{
    return n < OURO__LOCAL_PART ? n : OURO__LOCAL_PART;
}
/* The next number with as many bits set (Gosper); above 0xFFFF: there is none of 16 bits. */
OURO_INLINE uint32_t ouro__next_token(uint32_t t)
{
    uint32_t low = t & -t, sum = t + low;
    return sum | ((t ^ sum) / low) >> 2;
}

#endif
