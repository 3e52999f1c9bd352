/* SPDX-License-Identifier: MIT */
/* pool.c: cells of every size, out of line, and the malloc-shaped calls on top of them. */
#include "alloc/pool.h"
#include "alloc/fail.h"
#include "alloc/heap.h"
#include "alloc/os.h"

#define SPAN_MAX_SIZE ((size_t)2 << 20)

/* -- taking ------------------------------------------------------------------------------------ */

/* Fault injection: whether this allocation is the one to fail. */
static bool must_fail(struct ouro__heap *heap)
{
    if (heap->fail_in == 0 || (heap->fail_in > 1 && heap->fail_in--))
        return false;
    if (!heap->fail_for_good)
        ouro_fail_nth_alloc(0, false);
    return true;
}

void ouro__heap_watch(struct ouro__heap *heap, bool watched)
{
    watched = watched || heap->unready || heap->fail_in || ouro__supply()->block;
    if (watched == (heap->pub.watched != 0))
        return;
    void **from = watched ? &heap->pub.ready[0][0] : &heap->hidden[0][0];
    void **to = watched ? &heap->hidden[0][0] : &heap->pub.ready[0][0];
    heap->pub.watched = watched;
    for (unsigned i = 0; i < OURO__TAGS * OURO__CLASSES; i++) {
        to[i] = from[i];
        from[i] = NULL;
    }
}

void ouro_fail_nth_alloc(size_t n, bool for_good)
{
    struct ouro__heap *heap = ouro__heap_mine();
    if (!heap)
        return;
    heap->fail_in = n;
    heap->fail_for_good = for_good;
    ouro__heap_watch(heap, n > 0);
}

/* A cell of a class; the rest of the list it came with becomes the ready list. */
static void *class_take(struct ouro__heap *heap, unsigned tag, unsigned cls)
{
    void **list = heap->pub.watched ? &heap->hidden[tag][cls] : &heap->pub.ready[tag][cls];
    if (!*list && !(*list = ouro__heap_refill(heap, tag, cls)))
        return NULL;
    void *cell = *list;
    *list = *(void **)cell;
    return cell;
}

/* A block of its own slices. Its cell is aligned by moving it up; the header is right before it. */
static void *span_take(struct ouro__heap *heap, size_t size, size_t align, unsigned tag)
{
    heap->bytes_taken += size;
    size_t offset = ouro__aligned_offset(tag, align);
    size_t slices = (size + offset + OURO__SLICE_SIZE - 1) >> OURO__SLICE_SHIFT;
    if (align > OURO__SLICE_SIZE || slices > SPAN_MAX_SIZE >> OURO__SLICE_SHIFT)
        return ouro__huge_take(size, align, tag);
    struct ouro__page *page = ouro__slices_take((unsigned)slices);
    if (!page)
        return NULL;
    page->tag = (uint8_t)tag;
    return page->start + offset;
}

static void *system_take(struct ouro__heap *heap, unsigned tag, size_t size, size_t align)
{
    size_t offset = ouro__cell_offset(tag);
    if (align > 16 && offset)
        offset = align;
    char *block = ouro__supply()->block(offset > 16 ? size + offset : size, align);
    if (!block)
        return NULL;
    heap->watched_blocks++;
    return block + offset;
}

void *ouro__cell_alloc(unsigned tag, size_t size, size_t align)
{
    struct ouro__heap *heap = ouro__heap_mine();
    if (!heap || size > (size_t)PTRDIFF_MAX - align || must_fail(heap))
        return NULL;
    if (OURO_UNLIKELY(ouro__supply()->block != NULL))
        return system_take(heap, tag, size, align);
    if (tag == OURO__COUNTED && size < 32)
        size = 32;
    size_t spare = tag == OURO__COUNTED ? OURO__SPARE : 0;
    size_t room = align > 16 ? size + align + spare : size;
    if (room > OURO__CLASS_MAX_SIZE)
        return span_take(heap, size, align, tag);
    char *cell = class_take(heap, tag, ouro__class_of(room));
    if (!cell || align <= 16)
        return cell;
    uintptr_t aligned = ((uintptr_t)cell + spare + align - 1) & ~(uintptr_t)(align - 1);
    ouro__place_of(cell).page->aligned = 1;
    return (void *)aligned;
}

/* -- giving back ------------------------------------------------------------------------------- */

static void free_in_place(const struct ouro__place *place, struct ouro__heap *mine)
{
    struct ouro__page *page = place->page;
    if (place->huge) {
        ouro__huge_give(place->huge);
    } else if (place->kind == OURO__PAGE_SPAN) {
        ouro__slices_give(page);
    } else {
        char *cell = place->block + ouro__cell_offset(place->tag);
        if (page->pub.owner == &mine->pub)
            ouro__page_free(page, cell);
        else
            ouro__remote_free(mine, page->heap, cell, place->bytes);
    }
}

static void check_start(const void *cell, const struct ouro__place *place)
{
    if (place->kind == OURO__PAGE_UNUSED)
        ouro_fail(OURO_FAIL_FOREIGN_POINTER, cell, NULL, "freed, but no block of Ouro's is there");
    if ((const char *)cell == place->block + ouro__cell_offset(place->tag))
        return;
    bool may_be_aligned = place->huge || place->kind == OURO__PAGE_SPAN || place->page->aligned;
    if (!may_be_aligned || ((uintptr_t)cell & 31) != 0)
        ouro_fail(OURO_FAIL_INTERIOR_POINTER, cell, NULL, "freed, but it is inside a block");
}

void ouro__cell_free(void *cell, unsigned tag, size_t align)
{
    struct ouro__heap *heap = ouro__heap_mine();
    if (OURO_UNLIKELY(ouro__supply()->block != NULL)) {
        if (heap)
            heap->watched_blocks--;
        size_t offset = ouro__cell_offset(tag);
        ouro__supply()->block_free((char *)cell - (align > 16 && offset ? align : offset));
        return;
    }
    struct ouro__place place = ouro__place_of(cell);
    check_start(cell, &place);
    if (heap)
        free_in_place(&place, heap);
}

/* -- the malloc-shaped calls ------------------------------------------------------------------- */

void *ouro_malloc(size_t size)
{
    void *p = NULL;
    if (size <= OURO__SMALL_MAX_SIZE)
        p = ouro__cell_take(ouro__heap, OURO__RAW, ouro__class_of(size));
    if (OURO_UNLIKELY(!p))
        p = ouro__cell_alloc(OURO__RAW, size ? size : 1, 16);
    if (OURO_UNLIKELY(!p))
        ouro__os_no_memory();
    return p;
}

void *ouro_calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        ouro__os_no_memory();
        return NULL;
    }
    void *p = ouro_malloc(bytes);
    if (p)
        memset(p, 0, bytes);
    return p;
}

void *ouro_aligned_alloc(size_t alignment, size_t size)
{
    if (alignment == 0 || (alignment & (alignment - 1)) != 0 || alignment > (size_t)PTRDIFF_MAX / 2)
        return NULL;
    if (alignment <= 16)
        return ouro_malloc(size);
    void *p = ouro__cell_alloc(OURO__RAW, size ? size : 1, alignment);
    if (!p)
        ouro__os_no_memory();
    return p;
}

void ouro_free(void *p)
{
    if (p)
        ouro__cell_free(p, OURO__RAW, 16);
}

size_t ouro_usable_size(const void *p)
{
    if (!p)
        return 0;
    if (OURO_UNLIKELY(ouro__supply() && ouro__supply()->block != NULL))
        return ouro__supply()->block_size(p);
    struct ouro__place place = ouro__place_of(p);
    if (place.kind == OURO__PAGE_UNUSED)
        ouro_fail(OURO_FAIL_FOREIGN_POINTER, p, NULL, "asked for its size, but no block is there");
    return (size_t)(place.block + place.bytes - (const char *)p);
}

void *ouro_realloc(void *p, size_t size)
{
    if (!p)
        return ouro_malloc(size);
    size_t old = ouro_usable_size(p);
    if (size <= old && size >= old / 2)
        return p;
    void *fresh = ouro_malloc(size);
    if (!fresh)
        return NULL;
    memcpy(fresh, p, old < size ? old : size);
    ouro_free(p);
    return fresh;
}

size_t ouro_trim(void)
{
    struct ouro__heap *heap = ouro__heap_mine();
    if (!heap || ouro__supply()->block)
        return 0;
    ouro__remote_flush(heap);
    ouro__remote_drain(heap, heap);
    ouro__remote_flush(heap);
    ouro__heap_settle(heap);
    for (struct ouro__heap *other = ouro__heaps_first(); other; other = other->next_heap) {
        ouro_word state = OURO__HEAP_ABANDONED;
        if (ouro__load(&other->state) != OURO__HEAP_ABANDONED ||
            !ouro__cas_full(&other->state, &state, OURO__HEAP_OWNED))
            continue;
        ouro__remote_drain(other, heap);
        ouro__heap_settle(other);
        ouro__remote_leave(other, heap);
    }
    return ouro__arena_purge(true);
}
