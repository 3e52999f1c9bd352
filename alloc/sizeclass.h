/* SPDX-License-Identifier: MIT */
/* sizeclass.h: block sizes. Part of the inlined paths: with a constant size all of it folds away.
 *
 * Classes 0..7 are 16, 32, .. 128; then four a doubling up to 64 KiB. So a block is at most a
 * quarter larger than asked for, and every block size is a multiple of 16. */
#ifndef OURO_ALLOC_SIZECLASS_H
#define OURO_ALLOC_SIZECLASS_H

#include "alloc/platform.h"

#define OURO__CLASSES        44
#define OURO__CLASS_MAX_SIZE ((size_t)65536)
#define OURO__SMALL_MAX_SIZE ((size_t)8192) /* up to here a page is one slice */

OURO_STATIC_ASSERT(OURO__CLASSES == 8 + 4 * 9, "nine doublings from 128 to 65536");

/* The class of a block of `size` bytes, 0 <= size <= OURO__CLASS_MAX_SIZE. */
OURO_INLINE unsigned ouro__class_of(size_t size)
{
    if (size <= 128)
        return size == 0 ? 0 : (unsigned)((size - 1) >> 4);
    unsigned top = 63u - (unsigned)__builtin_clzl(size - 1);
    return 8 + (top - 7) * 4 + (unsigned)(((size - 1) >> (top - 2)) & 3);
}

/* The size of the blocks of a class. */
OURO_INLINE size_t ouro__class_size(unsigned cls)
{
    if (cls < 8)
        return ((size_t)cls + 1) << 4;
    unsigned k = cls - 8;
    return ((size_t)(k & 3) + 5) << (k / 4 + 5);
}

#endif
