/* SPDX-License-Identifier: MIT */
/* Internal to alloc. jemalloc under a prefix: ouro_je_mallocx and its kin.
 *
 * cmake/OuroJemalloc.cmake renames the archive's symbols to match, so that linking jemalloc does
 * not replace the program's malloc. Nothing else may include <jemalloc/jemalloc.h>. */
#ifndef OURO_ALLOC_JEMALLOC_PREFIX_H
#define OURO_ALLOC_JEMALLOC_PREFIX_H

#define JEMALLOC_NO_RENAME
#define je_mallocx            ouro_je_mallocx
#define je_rallocx            ouro_je_rallocx
#define je_xallocx            ouro_je_xallocx
#define je_sallocx            ouro_je_sallocx
#define je_dallocx            ouro_je_dallocx
#define je_sdallocx           ouro_je_sdallocx
#define je_nallocx            ouro_je_nallocx
#define je_mallctl            ouro_je_mallctl
#define je_mallctlnametomib   ouro_je_mallctlnametomib
#define je_mallctlbymib       ouro_je_mallctlbymib
#define je_malloc_stats_print ouro_je_malloc_stats_print
#include <jemalloc/jemalloc.h>

#endif
