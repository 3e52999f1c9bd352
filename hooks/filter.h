/* SPDX-License-Identifier: MIT */
/* filter.h: words that are references only sometimes.
 *
 * Dynamic languages put numbers, characters and references into one word: by tag bits below or
 * above (Gudeman, *Representing type information in dynamically typed languages*, 1993), by the
 * numbers that are not numbers of IEEE 754, by addresses that lie among static data. A filter tells
 * which words of a slot are references, and to what. The usual encodings are two masks, inlined:
 *
 *     low bits 000 are a reference, all else is not          OURO_FILTER_TAG(7, 0)
 *     low bit 1 is a reference                               OURO_FILTER_TAG(1, 1)
 *     boxed in a NaN: the top 16 bits are 0xFFFC             OURO_FILTER_BOX(0xFFFC)
 *
 * and beside them a range of addresses whose objects are not counted. Others are a pair of
 * functions. A word of 0 is never a reference. Filters are static data of the program, never
 * changed. */
#ifndef OURO_HOOKS_FILTER_H
#define OURO_HOOKS_FILTER_H

#include "alloc/status.h"

OURO_EXTERN_C_BEGIN

struct ouro_filter {
    /* A word is a reference if it has `value` under `mask`; its object is at the bits of `address`
     * unless that is 0, or one of the `span` addresses from `first` on. */
    uint64_t mask, value, address;
    uint64_t first, span;
    uint64_t empty; /* the word that stands for nothing: what moves leave behind; no reference */
    /* Written ones; both or none. The object (borrowed) of a word, NULL: it has none; and the word
     * that stands for `object` (not NULL) where `word` stood for another. They run in the middle of
     * collections: they look at their arguments alone, and call nothing. */
    void *(*object)(const struct ouro_filter *filter, uint64_t word);
    uint64_t (*word)(const struct ouro_filter *filter, uint64_t word, void *object);
};

#define OURO_FILTER_TAG(bits, tag)                                                                 \
    {                                                                                              \
        (bits), (tag), ~(uint64_t)(bits), 0, 0, 0, NULL, NULL                                      \
    }
#define OURO_FILTER_BOX(top)                                                                       \
    {                                                                                              \
        (uint64_t)0xFFFF << 48, (uint64_t)(top) << 48, ((uint64_t)1 << 48) - 1, 0, 0, 0, NULL,     \
            NULL                                                                                   \
    }

/* The object (borrowed) that a word stands for, or NULL. `filter` borrowed, not NULL; where it is a
 * static const one in sight, this is two ANDs and two tests. Any thread; async-signal-safe; O(1).
 */
OURO_INLINE void *ouro_filter_object(const struct ouro_filter *filter, uint64_t word)
{
    if (OURO_UNLIKELY(filter->object != NULL))
        return filter->object(filter, word);
    uint64_t at = word & filter->address;
    bool counted = (word & filter->mask) == filter->value && at - filter->first >= filter->span;
    return counted ? (void *)(uintptr_t)at : NULL;
}

/* The word that stands for `object` (borrowed, not NULL) in the same way as `word`, which stands
 * for another one or is a pattern with the tag alone. Otherwise as above. */
OURO_INLINE uint64_t ouro_filter_word(const struct ouro_filter *filter, uint64_t word, void *object)
{
    if (OURO_UNLIKELY(filter->word != NULL))
        return filter->word(filter, word, object);
    return (word & ~filter->address) | (uint64_t)(uintptr_t)object;
}

OURO_EXTERN_C_END

#endif
