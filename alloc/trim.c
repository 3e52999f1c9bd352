/* SPDX-License-Identifier: MIT */
/* trim.c: what is idle goes back to the system at once.
 *
 * Beside empty pages and kept mappings that is the memory inside free raw blocks that are larger
 * than a page of the system. Of such a block the first two words stay, which its list goes through;
 * nobody depends on what the rest reads as. Where a tool listens, in the checked library, or where
 * blocks are hardened, what is free has a content or a state: it stays as it is. And supplies but
 * mmap are asked to purge whole slices alone. */
#include "alloc/arena.h"
#include "alloc/harden.h"
#include "alloc/os.h"

/* Gives back what whole pages of the system, `unit` bytes each, there are in a free block. */
static void trim_block(struct ouro__arena *arena, char *cell, size_t bytes, size_t unit)
{
    uintptr_t from = ((uintptr_t)cell + 2 * sizeof(void *) + unit - 1) & ~(unit - 1);
    uintptr_t to = ((uintptr_t)cell + bytes) & ~(unit - 1);
    size_t present = from < to ? ouro__os_present((void *)from, to - from) : 0;
    if (present > 0 && ouro__regions_of(arena)->purge((void *)from, to - from))
        ouro__own.purged += present;
}

/* The caller serves the heap, all of whose free blocks are in their pages. */
static void trim_heap(struct ouro__heap *heap)
{
    struct ouro__arena *arena = &heap->runtime->arena;
    size_t unit = ouro__os_page();
    for (struct ouro__page *page = heap->all; page; page = page->all_next) {
        if (page->tag != OURO__RAW || page->bytes < 2 * unit)
            continue;
        for (char *cell = page->pub.free; cell; cell = ouro__next_free(cell))
            trim_block(arena, cell, page->bytes, unit);
    }
}

size_t ouro_trim(void)
{
    struct ouro__heap *heap = ouro__heap_enter();
    if (!heap)
        return 0;
    bool pages = ouro__supply()->block == NULL;
    size_t before = ouro__own.purged;
    bool inside = !OURO_CHECKED && !OURO__HARD && ouro__is_elastic(&heap->runtime->arena);
    if (pages)
        ouro__heaps_reclaim(heap, inside ? trim_heap : NULL);
    ouro__heap_leave(heap);
    if (!pages)
        return 0;
    ouro__arena_purge(ouro__arena_mine(), true);
    return ouro__own.purged - before + ouro__spares_drop();
}
