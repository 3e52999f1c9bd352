/* SPDX-License-Identifier: MIT */
/* raw.c: the malloc-shaped calls. */
#include "alloc/pool.h"
#include "alloc/arena.h"
#include "alloc/harden.h"
#include "alloc/os.h"
#include "alloc/profile.h"
#include "alloc/raw.h"

/* As ouro__class_of, for a size that is a multiple of 16 and a constant; and as a heap's list. */
#define TOP(size) (63 - __builtin_clzl((size)-1))
#define CLASS(size)                                                                                \
    (size) == 0      ? 0                                                                           \
    : (size) <= 128  ? ((size)-1) >> 4                                                             \
    : (size) <= 256  ? 4 + (((size)-1) >> 5)                                                       \
    : (size) <= 8192 ? 12 + (TOP(size) - 8) * 8 + (((size)-1) >> (TOP(size) - 3) & 7)              \
                     : 52 + (TOP(size) - 13) * 4 + (((size)-1) >> (TOP(size) - 2) & 3)
#define LIST(size)    OURO__FIRST_LIST + (CLASS((size_t)(size)))
#define LISTS_4(size) LIST(size), LIST((size) + 16), LIST((size) + 32), LIST((size) + 48)
#define LISTS_16(size)                                                                             \
    LISTS_4(size), LISTS_4((size) + 64), LISTS_4((size) + 128), LISTS_4((size) + 192)
#define LISTS_64(size)                                                                             \
    LISTS_16(size), LISTS_16((size) + 256), LISTS_16((size) + 512), LISTS_16((size) + 768)
#define LISTS_256(size)                                                                            \
    LISTS_64(size), LISTS_64((size) + 1024), LISTS_64((size) + 2048), LISTS_64((size) + 3072)

#define LISTS_1024(size)                                                                           \
    LISTS_256(size), LISTS_256((size) + 4096), LISTS_256((size) + 8192), LISTS_256((size) + 12288)

const uint8_t ouro__list_by_16[OURO__CLASS_MAX_SIZE / 16 + 1] = {
    LISTS_1024(0), LISTS_1024(16384), LISTS_1024(32768), LISTS_1024(49152),
    LIST(OURO__CLASS_MAX_SIZE)};

void *ouro_malloc(size_t size)
{
    void *p = ouro__raw_take(ouro__context.heap, size);
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
    soiled = soiled > place.cell_at ? soiled - place.cell_at : 0;
    return soiled < size ? soiled : size;
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

bool ouro__free_once(void *p)
{
    const struct ouro_heap *heap = ouro__context.heap;
    const struct ouro__page *page = heap->watched ? NULL : ouro__own_page(heap, p);
    if (page && page->pub.free == p)
        return false;
    ouro_free(p);
    return true;
}

void ouro_free(void *p)
{
    struct ouro_heap *heap = ouro__context.heap;
    if (OURO_LIKELY(!heap->watched) &&
        (OURO_LIKELY(ouro__raw_give(heap, p)) || ouro__raw_give_elsewhere(heap, p)))
        return;
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
    if (!ouro__check_start(p, &place, "its size was asked for"))
        return 0;
    if (OURO__HARD)
        return ouro__hard_size(&place, p);
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

/* With the memory that it has, if it has a mapping of its own. */
static void *grown_with_memory(void *p, size_t size)
{
    void *sample = OURO__PROFILED ? ouro__profile_lift(p) : NULL;
    void *fresh = ouro__cell_grow(p, size, true);
    if (OURO__PROFILED)
        ouro__profile_land(sample, fresh, size);
    return fresh;
}

/* Whether it shows that `p`, a block's start, is free. `own`: its page, if that is small and the
 * calling thread's; NULL: it is looked up. */
static bool freed_before(const struct ouro__page *own, const void *p)
{
    struct ouro__heap *mine = ouro__heap_if_any();
    struct ouro__place place = {.page = NULL};
    if (!own)
        place = ouro__place_of(p);
    if (!own && place.kind == OURO__PAGE_BLOCKS && ouro__page_owner(place.page) == mine)
        own = place.page;
    if (OURO_LIKELY(!own || !ouro__is_marked(own, p)) || !ouro__is_free(own, mine, p))
        return false;
    ouro__misused(OURO_FAIL_USE_AFTER_FREE, p, "it was given to realloc, but is free");
    return true;
}

/* Whether a block of `old` bytes is made one of `size` where it is. */
static bool stays(void *p, size_t size, size_t old)
{
    if (OURO__HARD)
        return ouro__hard_resize(p, size);
    if (size < old && old > OURO__CLASS_MAX_SIZE && ouro__cell_shrink(p, size))
        return true;
    return size <= old && size >= old / 2;
}

void *ouro_realloc(void *p, size_t size)
{
    if (!p)
        return ouro_malloc(size);
    const struct ouro_heap *heap = ouro__context.heap;
    const struct ouro__page *own = heap->watched ? NULL : ouro__own_page(heap, p);
    size_t old = own ? own->bytes : ouro_usable_size(p);
    if (OURO_FRONT && !OURO__HARD && old > 0 && OURO_UNLIKELY(freed_before(own, p)))
        old = 0;
    if (OURO__PASSES_OVER && OURO_UNLIKELY(old == 0)) { /* it is no block */
        ouro__os_no_memory();
        return NULL;
    }
    if (stays(p, size, old))
        return p;
    void *fresh = size > old && !own && !OURO__HARD ? grown_with_memory(p, size) : NULL;
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
