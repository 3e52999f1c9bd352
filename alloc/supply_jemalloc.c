/* SPDX-License-Identifier: MIT */
/* The jemalloc supply, in a library of its own (cmake/OuroJemalloc.cmake): Ouro's regions are large
 * allocations in an arena that nothing else uses, so that their alignment wastes no small runs and
 * their decay can be set.
 *
 * Lock order: Ouro's arena lock, then jemalloc's. jemalloc registers its fork handlers when it is
 * loaded, Ouro on first use; handlers that go before a fork run last registered first: same order.
 */
#include "alloc/supply_jemalloc.h"
#include "alloc/jemalloc_prefix.h"
#include "alloc/once.h"
#include "alloc/options.h"

#include <stdio.h>

static ouro_word made;
static int flags = MALLOCX_TCACHE_NONE; /* and the arena, once there is one */

static void set_decay(unsigned arena, const char *which, ssize_t milliseconds)
{
    char name[64];
    snprintf(name, sizeof name, "arena.%u.%s_decay_ms", arena, which);
    ouro_je_mallctl(name, NULL, NULL, &milliseconds, sizeof milliseconds);
}

/* Without an arena of its own (jemalloc has a bound) it takes the automatic ones. */
static void make_arena(void)
{
    unsigned arena;
    size_t size = sizeof arena;
    if (!ouro__once_enter(&made))
        return;
    if (ouro_je_mallctl("arenas.create", &arena, &size, NULL, 0) == 0) {
        set_decay(arena, "dirty", (ssize_t)ouro_option_get(OURO_OPTION_purge_delay));
        set_decay(arena, "muzzy", 0);
        flags |= MALLOCX_ARENA(arena);
    }
    ouro__once_done(&made);
}

static void *map(size_t size, size_t align)
{
    make_arena();
    return ouro_je_mallocx(size, flags | MALLOCX_ALIGN(align) | MALLOCX_ZERO);
}

/* Not sdallocx: it would have to be told the alignment that the region was made with. */
static void unmap(void *p, size_t size)
{
    (void)size;
    ouro_je_dallocx(p, MALLOCX_TCACHE_NONE);
}

/* Decay is for whole extents. A part of one that is in use is purged past jemalloc, whose extents
 * are anonymous private mappings; they read as zeroes then. */
static bool purge(void *p, size_t size)
{
    return ouro__os_purge(p, size);
}

const struct ouro_supply ouro_supply_jemalloc = {
    .name = "jemalloc", .map = map, .unmap = unmap, .purge = purge};
