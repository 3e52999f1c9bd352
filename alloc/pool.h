/* SPDX-License-Identifier: MIT */
/* pool.h: raw memory from per-thread pools.
 *
 * Two families. The malloc-shaped one takes and gives blocks of any size. The sized one is inlined:
 * where the size is a constant, taking a block is four instructions and giving it back about ten,
 * without a call; the same size must be passed to both. Blocks of the two families may not be mixed
 * except that ouro_free takes any block.
 *
 * A block may be given back on any thread. Every block is aligned to 16. A thread that Ouro did not
 * start works on first touch; its memory is taken over by others when it ends.
 *
 * With the `system` supply (the default under Valgrind and in AddressSanitizer builds) every block
 * is one of libc's. Heaps are then *watched*, as while faults are injected: inlined paths find
 * nothing ready and go out of line.
 *
 * For every function: any thread; no destroy hook runs; not async-signal-safe. Whatever allocates
 * may ask the memory callback. Taking and giving back are O(1) but for pages that come from the
 * system or go back to it, and now and then for what a thread has ready of a size: 64 KiB, or what
 * one page gave. Leijen, Zorn and de Moura, *Mimalloc: free list sharding in action*
 * (2019). */
#ifndef OURO_ALLOC_POOL_H
#define OURO_ALLOC_POOL_H

#include "alloc/context.h"
#include "alloc/status.h"

OURO_EXTERN_C_BEGIN

/* `size` bytes (0 counts as 1), aligned to 16, contents undefined; NULL when there is no memory.
 * Owned by the caller until ouro_free. errno is ENOMEM when NULL. */
OURO_API void *ouro_malloc(size_t size) OURO_MALLOC_LIKE;

/* count * size bytes, zeroed, aligned to 16, owned by the caller until ouro_free; a product of 0
 * counts as 1. NULL (errno ENOMEM) when the product overflows or there is no memory. O(bytes), but
 * fresh large blocks are not touched. */
OURO_API void *ouro_calloc(size_t count, size_t size) OURO_MALLOC_LIKE;

/* Makes the block `p` (owned; may be NULL) at least `size` bytes and returns where it is now, the
 * common part unchanged. NULL (errno ENOMEM) when there is no memory: `p` is then as it was; not
 * when it gets smaller. size 0 counts as 1. The result is aligned to 16 where it is another block
 * than `p`. O(common part) where it moves. A `p` that is no block: as ouro_free. */
OURO_API void *ouro_realloc(void *p, size_t size) OURO_MUST_CHECK;

/* `size` bytes (0 counts as 1) aligned to `alignment`, a power of two, and to 16; owned by the
 * caller until ouro_free. NULL when it is not one (errno is EINVAL), and when size plus alignment
 * overflows or there is no memory (ENOMEM). */
OURO_API void *ouro_aligned_alloc(size_t alignment, size_t size) OURO_MALLOC_LIKE;

/* Gives back a block of any function here (owned; may be NULL), on any thread; errno stays. A
 * pointer that is no block of Ouro's is a programmer's error (OURO_FAIL_FOREIGN_POINTER), so is an
 * interior one, and a block freed twice where that shows: at once, or if it was large. */
OURO_API void ouro_free(void *p);

/* The bytes that may be used at `p` (borrowed; NULL gives 0), at least what was asked for. A `p`
 * that is no block: as ouro_free. O(1). */
OURO_API size_t ouro_usable_size(const void *p);

/* Gives back at once what empty pages hold, and free blocks of 8 KiB and more in other pages, of
 * this thread and of ended ones; returns how many bytes. O(pages and free blocks of these threads),
 * and a call of the system for each such block. */
OURO_API size_t ouro_trim(void);

/* `size` bytes (0 counts as 1), aligned to 16, contents undefined, owned by the caller until
 * ouro_free_sized or ouro_free; inlined when `size` is a constant. NULL: no memory, or the size is
 * more than any machine has; errno is left alone. */
OURO_INLINE void *ouro_alloc_sized(size_t size)
{
    if (size <= OURO__SMALL_MAX_SIZE) {
        void *cell = ouro__cell_take(ouro__context.heap, OURO__RAW, ouro__class_of(size));
        if (OURO_LIKELY(cell != NULL))
            return cell;
    }
    return ouro__cell_alloc(OURO__RAW, size, 16);
}

/* Gives back a block of ouro_alloc_sized (owned, not NULL) of that size in bytes, on any thread.
 * Where it is inlined nothing is checked. */
OURO_INLINE void ouro_free_sized(void *p, size_t size)
{
    if (size <= OURO__SMALL_MAX_SIZE)
        ouro__cell_give(p, OURO__RAW);
    else
        ouro__cell_free(p, OURO__RAW, 16);
}

/* The out-of-line halves of the two that follow. */
OURO_API void *ouro__alloc_in_out(struct ouro_context *context, size_t size);
OURO_API void ouro__free_in_out(struct ouro_context *context, void *p, size_t size);

/* The same two with the calling thread's context (borrowed, not NULL; alloc/context.h). */
OURO_INLINE void *ouro_alloc_sized_in(struct ouro_context *context, size_t size)
{
    if (size <= OURO__SMALL_MAX_SIZE) {
        void *cell = ouro__cell_take(context->heap, OURO__RAW, ouro__class_of(size));
        if (OURO_LIKELY(cell != NULL))
            return cell;
    }
    return ouro__alloc_in_out(context, size);
}
OURO_INLINE void ouro_free_sized_in(struct ouro_context *context, void *p, size_t size)
{
    if (OURO_UNLIKELY(size > OURO__SMALL_MAX_SIZE || !ouro__cell_back(context->heap, p)))
        ouro__free_in_out(context, p, size);
}

/* Called with the bytes asked for when a limit or the supply refuses, on the refused thread, before
 * NULL is returned, after Ouro gave back what it could. It may free memory and return true to have
 * the allocation tried again (and to be asked again, if that is refused too). What it allocates
 * itself may be refused, and then it is not asked. It must return. */
typedef bool ouro_memory_callback(size_t bytes, void *arg);

/* Limits what Ouro takes from its supply, in bytes; 0: no limit. The limit counts whole slices of
 * 64 KiB and whole large blocks; what is over it already stays. callback (may be NULL) and arg
 * (borrowed; may be NULL) hold from now on, for all threads, in the runtime that the calling one is
 * in. Allocates nothing. O(1). */
OURO_API void ouro_set_limit(size_t bytes, ouro_memory_callback *callback, void *arg);

/* From the n-th allocation on this thread from now (1: the next) one fails, or with `for_good` all
 * from there on; n 0 ends it. Blocks, objects and what Ouro allocates for itself all count. For
 * tests of exhaustion. The heap is watched meanwhile. On a thread's first touch this makes its
 * heap; if there is no memory for that, nothing is injected. O(1). */
OURO_API void ouro_fail_nth_alloc(size_t n, bool for_good);

OURO_EXTERN_C_END

#endif
