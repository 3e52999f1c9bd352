/* SPDX-License-Identifier: MIT */
/* room.h: Internal to alloc and hooks. Raw blocks that grow, for those who use all of a block. */
#ifndef OURO_ALLOC_ROOM_H
#define OURO_ALLOC_ROOM_H

#include "alloc/platform.h"

/* A block of `size` bytes at least (ouro_free), with the first `used` bytes of `block` (owned; may
 * be NULL), which is freed. *room: its usable size. NULL: no memory, and `block` is as it was. */
void *ouro__block_grow(void *block, size_t used, size_t size, size_t *room);

#endif
