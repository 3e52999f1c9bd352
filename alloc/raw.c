/* SPDX-License-Identifier: MIT */
/* raw.c: the malloc-shaped calls. */
#include "alloc/pool.h"
#include "alloc/arena.h"
#include "alloc/os.h"

void *ouro_malloc(size_t size)
{
    void *p = NULL;
    if (size <= OURO__SMALL_MAX_SIZE)
        p = ouro__cell_take(ouro__context.heap, OURO__RAW, ouro__class_of(size));
    if (OURO_UNLIKELY(!p))
        p = ouro__cell_alloc(OURO__RAW, size ? size : 1, 16);
    if (OURO_UNLIKELY(!p))
        ouro__os_no_memory();
    return p;
}

/* How many bytes of a fresh block are not known to read as zeroes. */
static size_t not_zeroed(const void *p, size_t size)
{
    if (size <= OURO__CLASS_MAX_SIZE || ouro__supply()->block)
        return size;
    struct ouro__place place = ouro__place_of(p);
    if (!place.huge)
        return place.kind == OURO__PAGE_SPAN && place.page->zeroed ? 0 : size;
    size_t soiled = ouro__load(&place.huge->soiled);
    return soiled < size ? soiled : size; /* a raw one's cell is where it begins */
}

void *ouro_calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        ouro__os_no_memory();
        return NULL;
    }
    void *p = ouro_malloc(bytes);
    if (p) {
        size_t first = not_zeroed(p, bytes);
        memset(p, 0, first);
        ouro__tool_readable((char *)p + first, bytes - first);
    }
    return p;
}

void *ouro_aligned_alloc(size_t alignment, size_t size)
{
    if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
        ouro__os_bad_argument();
        return NULL;
    }
    if (alignment <= 16)
        return ouro_malloc(size);
    void *p = ouro__cell_alloc(OURO__RAW, size ? size : 1, alignment);
    if (!p)
        ouro__os_no_memory();
    return p;
}

/* The small page of the calling thread that has this block; else NULL. The owner is checked before
 * anything else of the page is believed (A4). */
OURO_INLINE struct ouro__page *own_page(const struct ouro_heap *heap, void *cell)
{
    ouro_word what = ouro__map_get(cell);
    if (what == 0 || (what & OURO__MAP_HUGE))
        return NULL;
    struct ouro__page *page = ouro__page_whole(ouro__page_of(cell));
    if (ouro__load(&page->owner_too) != (ouro_word)heap)
        return NULL;
    size_t index = ouro__block_index(page, cell);
    if (page->start + index * page->bytes + ouro__cell_offset(page->tag) != (char *)cell ||
        index >= page->capacity)
        return NULL;
    return page;
}

/* The usual case of a free; *twice: it was freed before, and is left alone. */
OURO_INLINE bool free_own(const struct ouro_heap *heap, void *cell, bool *twice)
{
    struct ouro__page *page = own_page(heap, cell);
    if (!page)
        return false;
    if (OURO_UNLIKELY(page->pub.free == cell))
        *twice = true;
    else
        ouro__page_free(page, cell);
    return true;
}

bool ouro__free_once(void *p)
{
    struct ouro_heap *heap = ouro__context.heap;
    bool twice = false;
    if (p && (OURO_UNLIKELY(heap->watched) || !free_own(heap, p, &twice)))
        ouro__cell_free(p, OURO__RAW, 16);
    return !twice;
}

void ouro_free(void *p)
{
    struct ouro_heap *heap = ouro__context.heap;
    bool twice = false;
    if (p && (OURO_UNLIKELY(heap->watched) || !free_own(heap, p, &twice)))
        ouro__cell_free(p, OURO__RAW, 16);
    if (OURO_UNLIKELY(twice))
        ouro__freed_twice(p);
}

size_t ouro_usable_size(const void *p)
{
    if (!p)
        return 0;
    if (OURO_UNLIKELY(ouro__supply() && ouro__supply()->block != NULL))
        return ouro__supply()->block_size(p);
    struct ouro__place place = ouro__place_of(p);
    ouro__check_start(p, &place, "its size was asked for, but it is inside a block");
    return (size_t)(place.block + place.bytes - (const char *)p);
}

/* Where what grew goes to. */
static void *grown_elsewhere(size_t size)
{
    ouro__cell_replaces(true);
    void *fresh = ouro_malloc(size);
    ouro__cell_replaces(false);
    return fresh;
}

void *ouro_realloc(void *p, size_t size)
{
    if (!p)
        return ouro_malloc(size);
    const struct ouro_heap *heap = ouro__context.heap;
    const struct ouro__page *own = heap->watched ? NULL : own_page(heap, p);
    size_t old = own ? own->bytes - ouro__cell_offset(own->tag) : ouro_usable_size(p);
    if (size <= old && size >= old / 2)
        return p;
    void *fresh = size > old && !own ? ouro__cell_grow(p, size, true) : NULL;
    if (fresh)
        return fresh;
    int was = ouro__os_errno();
    fresh = size > old ? grown_elsewhere(size) : ouro_malloc(size);
    if (!fresh && size <= old) { /* larger than need be, but nothing is lost */
        ouro__os_set_errno(was);
        return p;
    }
    if (!fresh)
        return NULL;
    memcpy(fresh, p, old < size ? old : size);
    ouro_free(p);
    return fresh;
}

size_t ouro_trim(void)
{
    struct ouro__heap *heap = ouro__heap_enter();
    if (!heap)
        return 0;
    bool pages = ouro__supply()->block == NULL;
    if (pages)
        ouro__heaps_reclaim(heap);
    ouro__heap_leave(heap);
    return pages ? ouro__arena_purge(ouro__arena_mine(), true) + ouro__spares_drop() : 0;
}
