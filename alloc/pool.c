/* SPDX-License-Identifier: MIT */
/* pool.c: cells of every size, out of line. */
#include "alloc/pool.h"
#include "alloc/fail.h"
#include "alloc/arena.h"
#include "alloc/harden.h"
#include "alloc/os.h"
#include "alloc/profile.h"
#include "alloc/raw.h"
#include "alloc/text.h"

#define SPAN_MAX_SIZE ((size_t)31 << OURO__SLICE_SHIFT) /* a chunk has room for two at least */
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
              ouro__tools || OURO__ASIDE;
    if (watched == (heap->pub.watched != 0))
        return;
    void **from = watched ? &heap->pub.ready[0][0] : &heap->hidden[0][0];
    void **to = watched ? &heap->hidden[0][0] : &heap->pub.ready[0][0];
    heap->pub.watched = watched;
    memset(heap->room, 0, sizeof heap->room);
    for (unsigned i = 0; i < (heap->apart ? OURO__COUNTED : OURO__TAGS) * OURO__CLASSES; i++) {
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
void *ouro__class_take(struct ouro__heap *heap, unsigned tag, unsigned cls)
{
    for (unsigned attempt = 0;; attempt++) {
        void **list = ouro__ready_of(heap, tag, cls);
        if (!*list)
            *list = ouro__heap_refill(heap, tag, cls);
        void *cell = *list;
        if (OURO_LIKELY(cell != NULL)) {
            *list = ouro__next_free(cell);
            if (tag == OURO__RAW && !heap->pub.watched)
                heap->room[cls]++;
            if (!OURO__HARD)
                ouro__raw_unmark(cell);
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
    char *cell = ouro__class_take(heap, OURO__COUNTED, ouro__class_of(room));
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
    if (OURO__HARD)
        return ouro__hard_take(heap, size, align);
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
    return ouro__class_take(heap, tag, ouro__class_of(room));
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
    if (OURO__PROFILED && cell)
        ouro__profile_born(cell, size);
    ouro__heap_leave(heap);
    return cell;
}

/* -- giving back ------------------------------------------------------------------------------- */

OURO_COLD void ouro__freed_twice(const void *cell)
{
    ouro__misused(OURO_FAIL_DOUBLE_FREE, cell, "it was freed before, and nobody has it");
}

static bool is_listed(const void *list, const void *cell)
{
    while (list && list != cell)
        list = *(void *const *)list;
    return list != NULL;
}

bool ouro__is_free(const struct ouro__page *page, struct ouro__heap *heap, const void *cell)
{
    return is_listed(page->pub.free, cell) ||
           is_listed(*ouro__ready_of(heap, page->tag, page->cls), cell);
}

/* Whether a cell is free already, where that shows. The lists of others are not looked at: there
 * the mark alone tells (raw.h). `own`: its page is the calling thread's. */
static bool shows_free(const struct ouro__page *page, struct ouro__heap *mine, const void *cell,
                       bool own)
{
    if (!OURO_FRONT)
        return own && page->pub.free == cell;
    return ouro__is_marked(page, cell) && (!own || ouro__is_free(page, mine, cell));
}

/* The checked library: a free raw block reads as POISON behind the word that links it. One that
 * does is looked for among the free ones, if they are the calling thread's; `mine`: NULL if not. */
#define POISON ((uint64_t)0xDDDDDDDDDDDDDDDD)

static void poison(const struct ouro__place *place, const struct ouro__heap *mine, void *cell)
{
    uint64_t *words = cell;
    if (OURO_UNLIKELY(words[1] == POISON) && mine &&
        (is_listed(place->page->pub.free, cell) ||
         is_listed(mine->hidden[OURO__RAW][place->page->cls], cell)))
        ouro__freed_twice(cell);
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
    if (OURO_UNLIKELY(shows_free(place->page, mine, cell, owner == mine))) {
        ouro__freed_twice(freed);
        return;
    }
    if (OURO_CHECKED && place->tag == OURO__RAW && !ouro__tools)
        poison(place, owner == mine ? mine : NULL, cell);
    if (owner == mine)
        ouro__page_free(place->page, cell);
    else
        ouro__remote_free(mine, owner, cell, place->bytes);
}

/* Of a place that is used. */
static bool is_start(const void *cell, const struct ouro__place *place)
{
    size_t at = (size_t)((const char *)cell - place->block);
    if (OURO_LIKELY(at == place->cell_at))
        return true;
    bool aligned = place->kind == OURO__PAGE_BLOCKS && place->page->aligned;
    return aligned && at >= place->cell_at && ((uintptr_t)cell & 31) == 0;
}

static OURO_COLD void inside(const void *cell, const struct ouro__place *place, const char *what)
{
    char room[160];
    struct ouro__text t = {room, sizeof room, 0};
    const char *start = place->block + place->cell_at;
    ouro__text_add(&t, what);
    if ((const char *)cell < start) {
        ouro__text_add(&t, ", but is before the block at ");
    } else {
        ouro__text_add(&t, ", but is ");
        ouro__text_decimal(&t, (uint64_t)((const char *)cell - start));
        ouro__text_add(&t, " bytes inside a block: that begins at ");
    }
    ouro__text_hex(&t, (uintptr_t)start);
    ouro__misused(OURO_FAIL_INTERIOR_POINTER, cell, room);
}

bool ouro__check_start(const void *cell, const struct ouro__place *place, const char *what)
{
    if (OURO_UNLIKELY(place->kind == OURO__PAGE_UNUSED)) {
        ouro__misused(OURO_FAIL_FOREIGN_POINTER, cell, "no block of Ouro's is there");
        return false;
    }
    if (OURO_LIKELY(is_start(cell, place)))
        return true;
    inside(cell, place, what);
    return false;
}

bool ouro__cell_was_freed(const void *cell)
{
    if (ouro__supply()->block)
        return false;
    struct ouro__place place = ouro__place_of(cell);
    if (place.kind == OURO__PAGE_UNUSED || !is_start(cell, &place))
        return true;
    return place.kind == OURO__PAGE_BLOCKS && ouro__page_owner(place.page) == ouro__heap_if_any() &&
           place.page->pub.free == place.block + place.cell_at;
}

void ouro__cell_free(void *cell, unsigned tag, size_t align)
{
    const struct ouro_supply *supply = ouro__supply();
    if (OURO_UNLIKELY(!supply)) {
        ouro__misused(OURO_FAIL_FOREIGN_POINTER, cell, "nothing was allocated yet");
        return;
    }
    if (OURO_UNLIKELY(supply->block != NULL)) {
        if (OURO_UNLIKELY(ouro__tools))
            tell_dead(cell, tag);
        ouro__system_give(cell, ouro__aligned_offset(tag, align));
        return;
    }
    struct ouro__place place = ouro__place_of(cell);
    if (!ouro__check_start(cell, &place, "it was freed"))
        return;
    if (OURO__PROFILED)
        ouro__profile_dead(cell);
    if (OURO_UNLIKELY(ouro__tools))
        tell_dead(cell, place.tag);
    /* Another object of that block may have its header elsewhere. */
    bool elsewhere = tag == OURO__COUNTED && align > 16 && place.kind == OURO__PAGE_BLOCKS;
    if (OURO_UNLIKELY(elsewhere) && ouro__hold_block(place.block))
        return;
    if (OURO__HARD)
        ouro__hard_free(&place, cell);
    else
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

/* -- growing ----------------------------------------------------------------------------------- */

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

bool ouro__cell_shrink(void *cell, size_t size)
{
    if (size <= SPAN_MAX_SIZE || ouro__supply()->block)
        return false;
    struct ouro__place place = ouro__place_of(cell);
    return place.huge && ouro__huge_shrink(place.huge, size);
}

void ouro__cell_replaces(bool smaller)
{
    struct ouro__heap *heap = ouro__heap_if_any();
    if (heap)
        heap->grows = smaller;
}
