/* SPDX-License-Identifier: MIT */
/* raw.h: Internal to alloc. Raw blocks of a class, taken and given back inline: what ouro_malloc
 * and malloc share, and ouro_free and free.
 *
 * Who gives back a block of at most OURO__SMALL_MAX_SIZE bytes proves first that one begins there,
 * with one multiplication and one comparison. Let b be the bytes of a block, o < 2^16 the offset in
 * the page, q and r < b quotient and remainder of o by b. With factor = 2^32 / b (rounded down) + 1
 * and e = factor * b - 2^32, 1 <= e <= b, is o * factor = q * 2^32 + (q * e + r * factor). The
 * bracket is less than 2^32, because (q + 1) * e <= 2^16 + b < factor for all b <= 2^13. So it is
 * what the multiplication gives in 32 bits: less than capacity * e exactly when r is 0 and q less
 * than capacity, since capacity * e <= 2^16 < factor. That bound is the page's `reach`; it is 0 in
 * all other pages.
 *
 * In libouro-malloc.so a cell that lies in its page's free list, or in a ready list, is marked: its
 * second word is its address and that of its page's description, by exclusive or. So what was
 * copied from elsewhere is no mark, nor what a page of other cells left there. Who gives out a cell
 * unmarks it. A marked one that is given back is looked for in those lists (pool.c), if they are
 * the caller's; else it is free: only a program that reads freed blocks could have put
 * that there. */
#ifndef OURO_ALLOC_RAW_H
#define OURO_ALLOC_RAW_H

#include "alloc/harden.h"
#include "alloc/heap.h"

#define OURO__FACTOR(bytes) ((uint32_t)(((uint64_t)1 << 32) / (bytes)) + 1)
#define OURO__REACH(page)   ((page)->capacity * ((page)->factor * (page)->bytes))

/* Which word of a heap is the ready list for blocks of 16 * i bytes, and of less, down to the one
 * before. */
#define OURO__FIRST_LIST (offsetof(struct ouro_heap, ready) / sizeof(void *))
extern const uint8_t ouro__list_by_16[OURO__CLASS_MAX_SIZE / 16 + 1];
/* And how many words further its `room` is. */
#define OURO__ROOM_AT                                                                              \
    ((offsetof(struct ouro__heap, room) - offsetof(struct ouro_heap, ready)) / sizeof(intptr_t))

/* -- marks ------------------------------------------------------------------------------------- */

OURO_INLINE void ouro__raw_mark(const struct ouro__page *page, void *cell)
{
    if (OURO_FRONT)
        ((uintptr_t *)cell)[1] = (uintptr_t)page ^ (uintptr_t)cell;
}
OURO_INLINE void ouro__raw_unmark(void *cell)
{
    if (OURO_FRONT)
        ((uintptr_t *)cell)[1] = 0;
}
OURO_INLINE bool ouro__is_marked(const struct ouro__page *page, const void *cell)
{
    return OURO_FRONT ? ((const uintptr_t *)cell)[1] == ((uintptr_t)page ^ (uintptr_t)cell)
                      : page->pub.free == cell;
}

/* -- taking and giving back -------------------------------------------------------------------- */

/* A block, aligned to 16; NULL: ask ouro__cell_alloc. */
OURO_INLINE void *ouro__raw_take(struct ouro_heap *heap, size_t size)
{
    if (OURO_UNLIKELY(size > OURO__CLASS_MAX_SIZE))
        return NULL;
    void **list = (void **)(void *)heap + ouro__list_by_16[(size + 15) >> 4];
    void *cell = *list;
    if (OURO_UNLIKELY(cell == NULL))
        return NULL;
    void *next = *(void **)cell;
    *list = next;
    __builtin_prefetch(next, 1); /* it will be read by the next call, which would wait for it */
    ((intptr_t *)(void *)list)[OURO__ROOM_AT]++;
    ouro__raw_unmark(cell);
    return cell;
}

/* The page of `heap`, the calling thread's, in which a small raw block begins at `p`, which may be
 * any word; NULL: there is none, or this way does not tell. What is compared with `heap` lies where
 * its owner seldom writes. */
OURO_INLINE struct ouro__page *ouro__own_page(const struct ouro_heap *heap, const void *p)
{
    uintptr_t a = (uintptr_t)p;
    if (OURO_UNLIKELY(ouro__load(ouro__chunk_seen(a)) != (a & ~(OURO__CHUNK_SIZE - 1))))
        return NULL;
    struct ouro__page *page = ouro__page_whole(ouro__page_of(p));
    if (OURO_UNLIKELY(ouro__load(&page->owner_too) != (ouro_word)heap))
        return NULL;
    uint32_t offset = (uint32_t)a & (uint32_t)(OURO__SLICE_SIZE - 1);
    return OURO_LIKELY(offset * page->factor < page->reach) ? page : NULL;
}

/* A cell comes back to its page; the caller serves the heap that owns it. */
OURO_INLINE void ouro__page_push(struct ouro__page *page, void *cell)
{
    *(void **)cell = page->pub.free;
    ouro__raw_mark(page, cell);
    page->pub.free = cell;
    if (OURO_UNLIKELY(--page->pub.countdown == 0))
        ouro__page_notice(&page->pub);
}

/* Keeping. A raw block that is given back goes to the head of the list of what this thread gives
 * out next, while that is short: then it is in the cache when it serves again, and if its page is
 * another thread's, neither of the two waits for the other. To its page it is out as before. `room`
 * is how much longer the list may get: each block that is taken gives room for one, a refill sets a
 * limit (H3 of heap.c). So who takes few blocks of a size keeps few. Of its own pages a thread
 * keeps blocks in libouro-malloc.so alone: free lists of the other libraries have no marks. */
#define OURO__KEEP_BYTES ((size_t)65536) /* of a class, but for what one page gave */
OURO_INLINE void ouro__raw_keep(struct ouro__heap *mine, const struct ouro__page *page, void *cell)
{
    size_t cls = page->cls;
    *(void **)cell = mine->pub.ready[OURO__RAW][cls];
    ouro__raw_mark(page, cell);
    mine->pub.ready[OURO__RAW][cls] = cell;
    mine->room[cls]--;
}
OURO_INLINE bool ouro__raw_room(const struct ouro__heap *mine, const struct ouro__page *page)
{
    return mine->room[(size_t)page->cls] > 0;
}

/* Gives back a block of the calling thread's heap; false: ask
 * ouro__raw_give_elsewhere, then ouro__cell_free. */
OURO_INLINE bool ouro__raw_give(struct ouro_heap *heap, void *p)
{
    struct ouro__page *page = ouro__own_page(heap, p);
    if (OURO_UNLIKELY(!page) || OURO_UNLIKELY(ouro__is_marked(page, p)))
        return false;
    struct ouro__heap *mine = ouro__heap_whole(heap);
    if (OURO_IN_FRONT(OURO_LIKELY(ouro__raw_room(mine, page))))
        ouro__raw_keep(mine, page, p);
    else
        ouro__page_push(page, p);
    return true;
}

/* Whether a block of another thread's page may be kept. Small ones go home: kept, the two threads
 * would write to the same lines of the cache. */
#define OURO__KEEP_LEAST 128
OURO_INLINE bool ouro__may_keep(const struct ouro__heap *mine, const struct ouro__page *page)
{
    return page->bytes >= OURO__KEEP_LEAST && !ouro__load(&ouro__more_runtimes) &&
           ouro__raw_room(mine, page);
}

/* Whether a raw block of that page begins at `p`. `page`: the first description of the page or span
 * that `p` is in. */
OURO_INLINE bool ouro__raw_starts(const struct ouro__page *page, const void *p)
{
    if (OURO_LIKELY(page->factor != 0)) {
        uint32_t offset = (uint32_t)(uintptr_t)p & (uint32_t)(OURO__SLICE_SIZE - 1);
        return offset * page->factor < ouro__half_load(&page->reach);
    }
    size_t index = ouro__block_index(page, p);
    return page->tag == OURO__RAW && index < ouro__half_load(&page->capacity) &&
           page->start + index * page->bytes == (const char *)p && !OURO__ASIDE;
}

/* The same for a block of any heap, and in a page of several slices. */
OURO_INLINE bool ouro__raw_give_elsewhere(struct ouro_heap *heap, void *p)
{
    uintptr_t a = (uintptr_t)p;
    if (ouro__load(ouro__chunk_seen(a)) != (a & ~(OURO__CHUNK_SIZE - 1)))
        return false;
    struct ouro__page *page = ouro__page_whole(ouro__page_of(p));
    if (page->kind == OURO__PAGE_INNER)
        page = ouro__page_first(page);
    struct ouro__heap *owner = ouro__page_owner(page), *mine = ouro__heap_whole(heap);
    if (!owner || mine == &ouro__nobody || !ouro__raw_starts(page, p))
        return false;
    if ((OURO_FRONT || owner == mine) && OURO_UNLIKELY(ouro__is_marked(page, p)))
        return false; /* free already */
    if (owner == mine ? OURO_FRONT && ouro__raw_room(mine, page) : ouro__may_keep(mine, page))
        ouro__raw_keep(mine, page, p);
    else if (owner == mine)
        ouro__page_push(page, p);
    else
        ouro__remote_free(mine, owner, p, page->bytes);
    return true;
}

#endif
