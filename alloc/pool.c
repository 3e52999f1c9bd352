/* SPDX-License-Identifier: MIT */
/* pool.c: cells of every size, out of line, and the malloc-shaped calls on top of them. */
#include "alloc/pool.h"
#include "alloc/fail.h"
#include "alloc/arena.h"
#include "alloc/os.h"

#define SPAN_MAX_SIZE ((size_t)2 << 20)
#define MOST          ((size_t)1 << 47) /* what a process can address; sums below cannot overflow */

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
    watched = watched || OURO_CHECKED || heap->unready || heap->fail_in || ouro__supply()->block ||
              ouro__tools;
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
    struct ouro__heap *heap = ouro__heap_if_any();
    if (!heap)
        return;
    heap->fail_in = n;
    heap->fail_for_good = for_good;
    ouro__heap_watch(heap, n > 0);
}

/* A cell of a class; the rest of the list it came with becomes the ready list. The callback for
 * refusals may allocate and free, so nothing is remembered across it. */
static void *class_take(struct ouro__heap *heap, unsigned tag, unsigned cls)
{
    for (unsigned attempt = 0;; attempt++) {
        void **list = heap->pub.watched ? &heap->hidden[tag][cls] : &heap->pub.ready[tag][cls];
        if (!*list)
            *list = ouro__heap_refill(heap, tag, cls);
        void *cell = *list;
        if (OURO_LIKELY(cell != NULL)) {
            *list = *(void **)cell;
            return cell;
        }
        if (!ouro__refused(heap, OURO__SLICE_SIZE, attempt))
            return NULL;
    }
}

/* A block of its own slices, or of its own mapping. */
static void *span_take(struct ouro__heap *heap, size_t size, size_t align, unsigned tag)
{
    size_t at = ouro__aligned_offset(tag, align);
    size_t slices = (size + at + OURO__SLICE_SIZE - 1) >> OURO__SLICE_SHIFT;
    bool huge = align > OURO__SLICE_SIZE || slices > SPAN_MAX_SIZE >> OURO__SLICE_SHIFT;
    for (unsigned attempt = 0;; attempt++) {
        void *cell = NULL;
        if (huge) {
            cell = ouro__huge_take(&heap->runtime->arena, size, align, tag, heap->grows);
        } else {
            struct ouro__page *page =
                ouro__span_take(&heap->runtime->arena, (unsigned)slices, at, tag);
            cell = page ? page->start + at : NULL;
        }
        if (cell)
            heap->bytes_taken += size;
        if (cell || !ouro__refused(heap, size, attempt))
            return cell;
    }
}

static void *system_take(struct ouro__heap *heap, unsigned tag, size_t size, size_t align)
{
    size_t at = ouro__aligned_offset(tag, align);
    if (at > OURO__CELL_OFFSET)
        size += at;
    for (unsigned attempt = 0;; attempt++) {
        char *block = ouro__system_take(heap->runtime, size, align, tag, at);
        if (block) {
            heap->bytes_taken += size;
            return block + at;
        }
        if (!ouro__refused(heap, size, attempt))
            return NULL;
    }
}

/* A counted cell at an address that its class alone does not give. */
static void *counted_aligned(struct ouro__heap *heap, size_t room, size_t align)
{
    char *cell = class_take(heap, OURO__COUNTED, ouro__class_of(room));
    if (!cell)
        return NULL;
    struct ouro__page *page = ouro__place_of(cell).page;
    if (!page->aligned)
        page->aligned = 1;
    uintptr_t least = (uintptr_t)cell + OURO__SPARE;
    return (void *)((least + align - 1) & ~(uintptr_t)(align - 1));
}

static void *take(struct ouro__heap *heap, unsigned tag, size_t size, size_t align)
{
    if (OURO_UNLIKELY(ouro__supply()->block != NULL))
        return system_take(heap, tag, size, align);
    if (tag == OURO__COUNTED && size < 32)
        size = 32;
    size_t room = size;
    if (align > 16 && tag == OURO__COUNTED)
        room = size + align + OURO__SPARE;
    else if (align > 16) /* a class that holds a multiple of align is itself one (sizeclass.h) */
        room = (size + align - 1) & ~(align - 1);
    if (room > OURO__CLASS_MAX_SIZE || align > OURO__SLICE_SIZE)
        return span_take(heap, size, align, tag);
    if (align > 16 && tag == OURO__COUNTED)
        return counted_aligned(heap, room, align);
    return class_take(heap, tag, ouro__class_of(room));
}

/* For tools: what the client gets is a block. Of a counted one the header stays ours, and nothing
 * behind the object may be touched; of a raw one all may be used that ouro_usable_size promises.
 * libc's own raw blocks are seen as they are. */
static void tell_born(const char *cell, unsigned tag, size_t size, size_t align)
{
    size_t at = ouro__aligned_offset(tag, align), room;
    if (ouro__supply()->block) {
        if (tag == OURO__RAW)
            return;
        room = ouro__supply()->block_size(cell - at) - at;
    } else {
        struct ouro__place place = ouro__place_of(cell);
        at = (size_t)(cell - place.block);
        room = place.bytes - at;
    }
    if (tag == OURO__COUNTED) {
        ouro__tool_readable(cell - at, at);
        ouro__tool_forbidden(cell, room);
        room = size - OURO__CELL_OFFSET;
    }
    ouro__tool_born(cell, room);
}

/* It comes back. A free list goes through its first word. */
static void tell_dead(const char *cell, unsigned tag)
{
    bool ours = !ouro__supply()->block;
    if (ours || tag == OURO__COUNTED)
        ouro__tool_dead(cell);
    if (ours)
        ouro__tool_writable(cell, sizeof(void *));
}

void *ouro__cell_alloc(unsigned tag, size_t size, size_t align)
{
    if (size > MOST || align > MOST)
        return NULL;
    struct ouro__heap *heap = ouro__heap_enter();
    if (!heap)
        return NULL;
    void *cell = must_fail(heap) ? NULL : take(heap, tag, size, align);
    if (OURO_UNLIKELY(!cell))
        ouro__store(&heap->failed, heap->failed + 1);
    else if (OURO_UNLIKELY(ouro__tools))
        tell_born(cell, tag, size, align);
    ouro__heap_leave(heap);
    return cell;
}

/* -- giving back ------------------------------------------------------------------------------- */

static OURO_COLD void freed_twice(const void *cell)
{
    ouro_fail(OURO_FAIL_DOUBLE_FREE, cell, NULL, "it was freed before, and nobody has it");
}

/* The checked library: a free raw block reads as POISON behind the word that links it. One that does
 * is looked for among the free ones, if they are the calling thread's; `mine`: NULL if not. */
#define POISON ((uint64_t)0xDDDDDDDDDDDDDDDD)

static bool is_listed(const void *list, const void *cell)
{
    while (list && list != cell)
        list = *(void *const *)list;
    return list != NULL;
}

static void poison(const struct ouro__place *place, const struct ouro__heap *mine, void *cell)
{
    uint64_t *words = cell;
    if (OURO_UNLIKELY(words[1] == POISON) && mine &&
        (is_listed(place->page->pub.free, cell) ||
         is_listed(mine->hidden[OURO__RAW][place->page->cls], cell)))
        freed_twice(cell);
    for (size_t i = 1; i < place->bytes / sizeof *words; i++)
        words[i] = POISON;
}

static void free_in_place(const struct ouro__place *place, const void *freed)
{
    if (place->huge) {
        ouro__huge_give(place->huge);
        return;
    }
    if (place->kind == OURO__PAGE_SPAN) {
        ouro__slices_give(place->page);
        return;
    }
    struct ouro__heap *mine = ouro__heap_if_any(), *owner = ouro__page_owner(place->page);
    char *cell = place->block + place->cell_at;
    if (owner == mine && OURO_UNLIKELY(place->page->pub.free == cell))
        freed_twice(freed);
    if (OURO_CHECKED && place->tag == OURO__RAW && !ouro__tools)
        poison(place, owner == mine ? mine : NULL, cell);
    if (owner == mine)
        ouro__page_free(place->page, cell);
    else
        ouro__remote_free(mine, owner, cell, place->bytes);
}

static void check_start(const void *cell, const struct ouro__place *place, const char *what)
{
    if (OURO_UNLIKELY(place->kind == OURO__PAGE_UNUSED))
        ouro_fail(OURO_FAIL_FOREIGN_POINTER, cell, NULL, "no block of Ouro's is there");
    size_t at = (size_t)((const char *)cell - place->block);
    if (OURO_LIKELY(at == place->cell_at))
        return;
    bool aligned = place->kind == OURO__PAGE_BLOCKS && place->page->aligned;
    if (!aligned || at < place->cell_at || ((uintptr_t)cell & 31) != 0)
        ouro_fail(OURO_FAIL_INTERIOR_POINTER, cell, NULL, what);
}

/* The usual case of a free: a block of a small page of the calling thread. The owner is checked
 * before anything else of the page is believed (A4). */
OURO_INLINE bool free_own(struct ouro_heap *heap, void *cell)
{
    ouro_word what = ouro__map_get(cell);
    if (what == 0 || (what & OURO__MAP_HUGE))
        return false;
    struct ouro__page *page = ouro__page_whole(ouro__page_of(cell));
    if (ouro__load(&page->pub.owner) != (ouro_word)heap)
        return false;
    size_t index = ouro__block_index(page, cell);
    if (page->start + index * page->bytes + ouro__cell_offset(page->tag) != (char *)cell ||
        index >= page->capacity)
        return false;
    if (OURO_UNLIKELY(page->pub.free == cell))
        freed_twice(cell);
    ouro__page_free(page, cell);
    return true;
}

void ouro__cell_free(void *cell, unsigned tag, size_t align)
{
    const struct ouro_supply *supply = ouro__supply();
    if (OURO_UNLIKELY(!supply))
        ouro_fail(OURO_FAIL_FOREIGN_POINTER, cell, NULL, "nothing was allocated yet");
    if (OURO_UNLIKELY(supply->block != NULL)) {
        if (OURO_UNLIKELY(ouro__tools))
            tell_dead(cell, tag);
        ouro__system_give((char *)cell - ouro__aligned_offset(tag, align));
        return;
    }
    struct ouro__place place = ouro__place_of(cell);
    check_start(cell, &place, "it was freed, but is inside a block");
    if (OURO_UNLIKELY(ouro__tools))
        tell_dead(cell, place.tag);
    /* Another object of that block may have its header elsewhere. */
    bool elsewhere = tag == OURO__COUNTED && align > 16 && place.kind == OURO__PAGE_BLOCKS;
    if (OURO_UNLIKELY(elsewhere) && ouro__hold_block(place.block))
        return;
    free_in_place(&place, cell);
}

void ouro__held_free(void *block)
{
    if (ouro__supply()->block) {
        ouro__supply()->block_free(block);
        return;
    }
    struct ouro__place place = ouro__place_of(block);
    free_in_place(&place, block);
}

void *ouro__alloc_in_out(struct ouro_context *context, size_t size)
{
    if (OURO_CHECKED)
        ouro__context_check(context);
    return ouro__cell_alloc(OURO__RAW, size, 16);
}

void ouro__free_in_out(struct ouro_context *context, void *p, size_t size)
{
    (void)size;
    if (OURO_CHECKED)
        ouro__context_check(context);
    ouro__cell_free(p, OURO__RAW, 16);
}

/* -- the malloc-shaped calls ------------------------------------------------------------------- */

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

void ouro_free(void *p)
{
    struct ouro_heap *heap = ouro__context.heap;
    if (p && (OURO_UNLIKELY(heap->watched) || !free_own(heap, p)))
        ouro__cell_free(p, OURO__RAW, 16);
}

size_t ouro_usable_size(const void *p)
{
    if (!p)
        return 0;
    if (OURO_UNLIKELY(ouro__supply() && ouro__supply()->block != NULL))
        return ouro__supply()->block_size(p);
    struct ouro__place place = ouro__place_of(p);
    check_start(p, &place, "its size was asked for, but it is inside a block");
    return (size_t)(place.block + place.bytes - (const char *)p);
}

void *ouro__cell_grow(void *cell, size_t size, bool may_move)
{
    struct ouro__heap *heap = ouro__heap_if_any();
    if (size > MOST || !heap || heap->fail_in > 0 || ouro__supply()->block)
        return NULL; /* a fault that is injected comes as ever */
    struct ouro__place place = ouro__place_of(cell);
    void *grown = place.huge ? ouro__huge_grow(place.huge, size, may_move) : NULL;
    if (grown)
        heap->bytes_taken += size - (place.bytes - place.cell_at);
    return grown;
}

void ouro__cell_replaces(bool smaller)
{
    struct ouro__heap *heap = ouro__heap_if_any();
    if (heap)
        heap->grows = smaller;
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
    size_t old = ouro_usable_size(p);
    if (size <= old && size >= old / 2)
        return p;
    void *fresh = size > old ? ouro__cell_grow(p, size, true) : NULL;
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
