/* SPDX-License-Identifier: MIT */
/* map.c: from an address to the arena or huge block that it lies in (R5), and on to its block. */
#include "alloc/arena.h"

ouro_word ouro__map_root[OURO__MAP_ROOT];

/* No chunk begins at 1; the first entry is where addresses below 4 MiB belong, NULL among them. */
#define NO_CHUNK ((ouro_word)1)
ouro_word ouro__chunks_seen[(size_t)1 << OURO__SEEN_BITS] = {NO_CHUNK};

/* Relaxed: who has a block of a chunk was handed it after this; who finds another's number there
 * asks the map. */
static void see_chunk(const char *base, ouro_word what)
{
    ouro_word *seen = ouro__chunk_seen((uintptr_t)base);
    if (what != 0 && !(what & OURO__MAP_HUGE))
        ouro__store(seen, (ouro_word)base);
    else if (ouro__load(seen) == (ouro_word)base)
        ouro__store(seen, NO_CHUNK);
}

/* Two arenas may need the same leaf at the same time. */
static ouro_word *leaf_make(ouro_word *branch)
{
    const size_t bytes = sizeof(ouro_word) << OURO__LEAF_SHIFT;
    ouro_word *leaf = ouro__os_map(NULL, bytes, OURO__OS_PAGE), was = 0;
    if (!leaf)
        return NULL;
    ouro__tool_words(leaf, bytes);
    if (ouro__cas_full(branch, &was, (ouro_word)leaf))
        return leaf;
    ouro__os_unmap(leaf, bytes);
    return (ouro_word *)was;
}

bool ouro__map_set(const char *base, size_t size, ouro_word what)
{
    for (size_t at = 0; at < size; at += OURO__CHUNK_SIZE) {
        uintptr_t chunk = (uintptr_t)(base + at) >> OURO__CHUNK_SHIFT;
        if (chunk >> OURO__LEAF_SHIFT >= OURO__MAP_ROOT)
            return false;
        ouro_word *branch = &ouro__map_root[chunk >> OURO__LEAF_SHIFT];
        ouro_word *leaf = (ouro_word *)ouro__load(branch);
        if (!leaf) {
            leaf = leaf_make(branch);
            if (!leaf)
                return false;
        }
        /* Release: pairs with the acquires of ouro__map_get: who finds an entry finds what the
         * arena or huge block says of itself. */
        ouro__store_release(&leaf[chunk & OURO__LEAF_MASK], what);
        see_chunk(base + at, what);
    }
    return true;
}

static struct ouro__place place_in_page(struct ouro__page *page, const char *p)
{
    struct ouro__place place = {.kind = OURO__PAGE_UNUSED};
    if (page->kind == OURO__PAGE_INNER)
        page = ouro__page_first(page);
    if (page->kind == OURO__PAGE_UNUSED)
        return place;
    place.page = page;
    place.tag = page->tag;
    place.bytes = page->bytes;
    if (page->kind == OURO__PAGE_SPAN) {
        place.block = page->start;
        place.cell_at = page->cell_at;
    } else {
        size_t index = ouro__block_index(page, p);
        if (index >= ouro__half_load(&page->capacity))
            return place;
        place.block = page->start + index * page->bytes;
        place.cell_at = ouro__cell_offset(page->tag);
    }
    place.kind = (enum ouro__page_kind)page->kind;
    return place;
}

struct ouro__place ouro__place_of(const void *p)
{
    struct ouro__place place = {.kind = OURO__PAGE_UNUSED};
    ouro_word what = ouro__map_get(p);
    if (what & OURO__MAP_HUGE) {
        struct ouro__huge *huge = (struct ouro__huge *)(what & ~OURO__MAP_HUGE);
        if ((const char *)p >= huge->base + ouro__load(&huge->mapped))
            return place;
        return (struct ouro__place){.kind = OURO__PAGE_SPAN,
                                    .huge = huge,
                                    .block = huge->base,
                                    .bytes = ouro__load(&huge->mapped),
                                    .tag = huge->tag,
                                    .cell_at = huge->cell_at};
    }
    if (!what || ((uintptr_t)p & (OURO__CHUNK_SIZE - 1)) < OURO__SLICE_SIZE)
        return place;
    return place_in_page(ouro__page_whole(ouro__page_of(p)), p);
}

struct ouro_runtime *ouro__runtime_of(const void *p)
{
    ouro_word what = ouro__map_get(p);
    if (OURO_UNLIKELY(what == 0))
        return ouro__block_runtime(p);
    if (what & OURO__MAP_HUGE)
        return ouro__arena_runtime(((struct ouro__huge *)(what & ~OURO__MAP_HUGE))->arena);
    return ouro__arena_runtime((struct ouro__arena *)what);
}
