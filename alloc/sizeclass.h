/* SPDX-License-Identifier: MIT */
/* sizeclass.h: block sizes. Part of the inlined paths: with a constant size all of it folds away.
 *
 * Classes 0..7 are 16, 32, .. 128; four more go to 256, eight a doubling from there to 8 KiB, four
 * a doubling to 64 KiB. So up to 8 KiB a block is at most 32 bytes or an eighth larger than asked
 * for, above that at most a quarter, and every block size is a multiple of 16. */
#ifndef OURO_ALLOC_SIZECLASS_H
#define OURO_ALLOC_SIZECLASS_H

#include "alloc/platform.h"

#define OURO__CLASSES        64
#define OURO__CLASS_MAX_SIZE ((size_t)65536)
#define OURO__SMALL_MAX_SIZE ((size_t)8192) /* up to here a page is one slice */

OURO_STATIC_ASSERT(OURO__CLASSES == 8 + 4 + 5 * 8 + 3 * 4, "doublings from 128, 256 and 8192");

/* The class of a block of `size` bytes, 0 <= size <= OURO__CLASS_MAX_SIZE. */
OURO_INLINE unsigned ouro__class_of(size_t size)
{
    if (size <= 128)
        return size == 0 ? 0 : (unsigned)((size - 1) >> 4);
    if (size <= 256)
        return 4 + (unsigned)((size - 1) >> 5);
    unsigned top = 63u - (unsigned)__builtin_clzl(size - 1);
    if (size <= 8192)
        return 12 + (top - 8) * 8 + (unsigned)(((size - 1) >> (top - 3)) & 7);
    return 52 + (top - 13) * 4 + (unsigned)(((size - 1) >> (top - 2)) & 3);
}

/* The size of the blocks of a class. */
OURO_INLINE size_t ouro__class_size(unsigned cls)
{
    if (cls < 8)
        return ((size_t)cls + 1) << 4;
    if (cls < 12)
        return ((size_t)cls - 3) << 5;
    if (cls < 52)
        return ((size_t)((cls - 12) & 7) + 9) << ((cls - 12) / 8 + 5);
    return ((size_t)((cls - 52) & 3) + 5) << ((cls - 52) / 4 + 11);
}

#endif
