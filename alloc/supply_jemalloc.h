/* SPDX-License-Identifier: MIT */
/* supply_jemalloc.h: chunks and large blocks from jemalloc, for programs that tune it, or whose
 * memory is to show in its statistics and profiles. Link ouro::jemalloc as well and call
 *
 *     ouro_supply_use(&ouro_supply_jemalloc);
 *
 * before anything else of Ouro. The program's own malloc stays what it is: this jemalloc is a copy
 * of its own (which reads the environment's MALLOC_CONF as any jemalloc does). */
#ifndef OURO_ALLOC_SUPPLY_JEMALLOC_H
#define OURO_ALLOC_SUPPLY_JEMALLOC_H

#include "alloc/supply.h"

OURO_EXTERN_C_BEGIN

/* Regions are extents of one jemalloc arena of their own. What Ouro gives back decays there: the
 * memory returns to the system after the option `purge_delay` (as it is at the first region). */
extern OURO_API const struct ouro_supply ouro_supply_jemalloc;

OURO_EXTERN_C_END

#endif
