/* SPDX-License-Identifier: MIT */
/* The default supply: anonymous mappings. Regions of a chunk are asked for next to the last one, so
 * that they come aligned without trimming. */
#include "alloc/heap.h"
#include "alloc/os.h"

static ouro_word hint;

static void *map(size_t size, size_t align)
{
    if (align < OURO__OS_PAGE)
        align = OURO__OS_PAGE;
    void *p = ouro__os_map((void *)ouro__load(&hint), size, align);
    if (p && align == OURO__CHUNK_SIZE && size == OURO__CHUNK_SIZE)
        ouro__store(&hint, (ouro_word)p - size);
    return p;
}

const struct ouro_supply ouro_supply_mmap = {
    .name = "mmap", .map = map, .unmap = ouro__os_unmap, .purge = ouro__os_purge};
