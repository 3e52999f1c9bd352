/* SPDX-License-Identifier: MIT */
/* supply.h: where memory comes from, as a value.
 *
 * A supply either maps regions, from which Ouro cuts its chunks and large blocks, or passes every
 * block to another allocator. Its functions are called on any thread, with a lock of Ouro's held or
 * without: they must not call Ouro, and must return. Sizes and alignments are in bytes. */
#ifndef OURO_ALLOC_SUPPLY_H
#define OURO_ALLOC_SUPPLY_H

#include "alloc/status.h"

OURO_EXTERN_C_BEGIN

struct ouro_supply {
    const char *name;
    /* `size` bytes of zeroes aligned to `align`, a power of two; both are multiples of the largest
     * page that the machine may have (4 KiB on x86-64, 64 KiB on aarch64). NULL: refused. */
    void *(*map)(size_t size, size_t align);
    void (*unmap)(void *p, size_t size);
    /* Gives back the memory of a part of a mapped region, whose contents may be lost. Returns
     * whether it reads as zeroes now. */
    bool (*purge)(void *p, size_t size);
    /* All three (the others may then be NULL), or none: every block comes from here and map is
     * never called. block_size tells the usable bytes. */
    void *(*block)(size_t size, size_t align);
    void (*block_free)(void *p);
    size_t (*block_size)(const void *p);
};

/* mmap: the default. system: every block from libc, for tools that must see each block. */
extern OURO_API const struct ouro_supply ouro_supply_mmap;
extern OURO_API const struct ouro_supply ouro_supply_system;

/* Chooses the supply (borrowed for the rest of the process) in place of the option `supply`.
 * OURO_BAD_ARGUMENT: it is NULL, or lacks functions; OURO_TOO_LATE: once anything was allocated.
 * Before other threads use Ouro; allocates nothing; O(1). */
OURO_API ouro_status ouro_supply_use(const struct ouro_supply *supply);
/* The supply in force (borrowed). From the first call on it stays. Any thread; O(1). */
OURO_API const struct ouro_supply *ouro_supply_get(void);

OURO_EXTERN_C_END

#endif
