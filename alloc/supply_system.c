/* SPDX-License-Identifier: MIT */
/* The system supply: every block is one of libc's, for tools that must see each block. */
#include "alloc/os.h"
#include "alloc/supply.h"
#include "alloc/valgrind.h"

#include <malloc.h>

/* Where more is asked for Valgrind ends the program. */
#define MOST_OF_VALGRIND ((size_t)16 << 20)

static void *block(size_t size, size_t align)
{
    void *p = NULL;
    if (align > MOST_OF_VALGRIND && ouro__on_valgrind())
        return NULL;
    return posix_memalign(&p, align, size) == 0 ? p : NULL;
}

static size_t block_size(const void *p)
{
    return malloc_usable_size((void *)(uintptr_t)p);
}

const struct ouro_supply ouro_supply_system = {
    .name = "system", .block = block, .block_free = free, .block_size = block_size};
