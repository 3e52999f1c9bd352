/* SPDX-License-Identifier: MIT */
/* layout.h: what the inlined paths see of heaps and pages.
 *
 * A *chunk* is 4 MiB, aligned to its size, and consists of 64 *slices* of 64 KiB. Slice 0 holds the
 * descriptions of the others: the description of slice i stands at byte 128 * i. A *page* is one or
 * more slices cut into blocks of one class. A *heap* belongs to one thread and owns pages. The
 * *cell* of a block is the address its client gets: the block's start in raw pages, 16 bytes into
 * it in pages of counted objects, where a header stands first. Free lists link cells through their
 * first word, so the header of a freed object stays as death left it.
 *
 * Invariants of a page that a heap owns:
 *  A1  Every block that was ever cut (`capacity` of them) is live, or in `free`, or in the heap's
 *      ready list (of counted ones: the current page's only; of raw ones any page's, H1 of heap.c),
 *      or on its way home through remote lists; a raw one that another thread freed may be in the
 *      ready list of that one.
 *  A2  countdown + rest = capacity - (blocks in `free`). Between operations countdown is 0 only in
 *      a page of which no block is out.
 *  A3  Only the owner's thread touches `free`, `countdown` and `rest`. Others hand cells in through
 *      the heap's remote list.
 *  A4  `owner` is the heap that owns the page, and 0 in every other description: in the inner
 *      slices of a page, in single-block spans, in unused slices. It changes from one heap to
 *      another by one store, while others load it: whoever holds a block of the page sees the owner
 *      or one that it had, never 0. They ask only whether it is theirs; who it is else they read
 *      from a copy in another line (`owner_too`, M4 of remote.c).
 * The inlined free counts frees only (countdown): taking a cell counts nothing. So a page is known
 * to be empty when all it gave out came back since it last gave (Leijen et al. 2019 count both).
 */
#ifndef OURO_ALLOC_LAYOUT_H
#define OURO_ALLOC_LAYOUT_H

#include "alloc/atomic.h"
#include "alloc/sizeclass.h"

OURO_EXTERN_C_BEGIN

#define OURO__CHUNK_SHIFT 22
#define OURO__CHUNK_SIZE  ((size_t)1 << OURO__CHUNK_SHIFT)
#define OURO__SLICE_SHIFT 16
#define OURO__SLICE_SIZE  ((size_t)1 << OURO__SLICE_SHIFT)
#define OURO__SLICES      64
#define OURO__PAGE_SHIFT  7 /* log2 of the size of a description */

/* What a page's blocks are for: raw bytes, or counted objects with a header before the cell. */
enum { OURO__RAW = 0, OURO__COUNTED = 1, OURO__TAGS = 2 };
#define OURO__CELL_OFFSET 16 /* of counted cells */

struct ouro_page {
    ouro_word owner;    /* A4: a struct ouro_heap *; the inlined free compares it with its own */
    void *free;         /* cells freed by the owner since they were last taken */
    uint32_t countdown; /* frees until the slow path wants to hear of one */
    uint32_t rest;      /* blocks still out when that happens */
    /* the rest: alloc/heap.h */
};

struct ouro_heap {
    uint32_t watched; /* nonzero: every operation goes out of line (pool.h) */
    uint32_t mark;    /* what a birth writes into its header for the layer above: an owner token */
    uint32_t born;    /* the same less one: what it adds to `counts` of its type */
    void *ready[OURO__TAGS][OURO__CLASSES]; /* cells to give out; all NULL while watched */
};

/* What inlined paths read of the calling thread. */
struct ouro_context {
    struct ouro_heap *heap; /* never NULL: a thread that has none sees an empty one */
    uint32_t counts,
        slots; /* masks of the layer above (orc/header.h); all ones till it sets them */
};
extern OURO_API OURO_TLS struct ouro_context ouro__context;

/* The description of the slice that `p` lies in. Only for addresses inside chunks. */
OURO_INLINE struct ouro_page *ouro__page_of(const void *p)
{
    uintptr_t a = (uintptr_t)p;
    uintptr_t index = (a >> (OURO__SLICE_SHIFT - OURO__PAGE_SHIFT)) &
                      ((uintptr_t)(OURO__SLICES - 1) << OURO__PAGE_SHIFT);
    return (struct ouro_page *)((a & ~(uintptr_t)(OURO__CHUNK_SIZE - 1)) + index);
}

/* Out of line: a cell in a block of `size` bytes in all (header included), the cell aligned to
 * `align`, a power of two of 16 at least; NULL: no memory. A counted cell with an alignment above
 * 16 has 32 bytes to spare between its block's start and its header. */
OURO_API void *ouro__cell_alloc(unsigned tag, size_t size, size_t align);
/* Out of line: gives any cell back, whoever owns it, of whatever size; tag and align as it was
 * made. */
OURO_API void ouro__cell_free(void *cell, unsigned tag, size_t align);
/* Out of line: a page's countdown reached zero. */
OURO_API void ouro__page_notice(struct ouro_page *page);

/* A cell of a class that is known when compiling; NULL: ask ouro__cell_alloc. */
OURO_INLINE void *ouro__cell_take(struct ouro_heap *heap, unsigned tag, unsigned cls)
{
    void *cell = heap->ready[tag][cls];
    if (OURO_LIKELY(cell != NULL))
        heap->ready[tag][cls] = *(void **)cell;
    return cell;
}

/* Gives back a cell whose block is known to be of at most OURO__SMALL_MAX_SIZE bytes, if `heap`,
 * that of the calling thread, owns its page; else false. */
OURO_INLINE bool ouro__cell_back(struct ouro_heap *heap, void *cell)
{
    if (OURO_UNLIKELY(heap->watched))
        return false;
    struct ouro_page *page = ouro__page_of(cell);
    if (OURO_UNLIKELY(ouro__load(&page->owner) != (ouro_word)heap))
        return false;
    *(void **)cell = page->free;
    page->free = cell;
    if (OURO_UNLIKELY(--page->countdown == 0))
        ouro__page_notice(page);
    return true;
}

/* The same, whoever owns it. */
OURO_INLINE void ouro__cell_give(void *cell, unsigned tag)
{
    if (OURO_UNLIKELY(!ouro__cell_back(ouro__context.heap, cell)))
        ouro__cell_free(cell, tag, 16);
}

OURO_EXTERN_C_END

#endif
