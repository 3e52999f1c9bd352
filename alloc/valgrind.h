/* SPDX-License-Identifier: MIT */
/* valgrind.h: Internal to alloc and orc. What tools are told: Valgrind's client requests, nothing
 * where its headers are absent. */
#ifndef OURO_ALLOC_VALGRIND_H
#define OURO_ALLOC_VALGRIND_H

#include "alloc/platform.h"

#if OURO_HAVE_VALGRIND
#include <valgrind/helgrind.h>
#include <valgrind/memcheck.h>
#include <valgrind/valgrind.h>
static inline bool ouro__on_valgrind(void)
{
    return RUNNING_ON_VALGRIND != 0;
}
#define OURO__VALGRIND(request) ((void)(request))
#else
static inline bool ouro__on_valgrind(void)
{
    return false;
}
#define OURO__VALGRIND(request) ((void)0)
#endif

/* Nobody may touch these bytes until they are given out again, or made readable. */
static inline void ouro__tool_forbidden(const void *p, size_t bytes)
{
    OURO__VALGRIND(VALGRIND_MAKE_MEM_NOACCESS(p, bytes));
    (void)p, (void)bytes;
}
static inline void ouro__tool_readable(const void *p, size_t bytes)
{
    OURO__VALGRIND(VALGRIND_MAKE_MEM_DEFINED(p, bytes));
    (void)p, (void)bytes;
}

#endif
