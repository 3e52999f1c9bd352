/* SPDX-License-Identifier: MIT */
/* valgrind.h: Internal to alloc and orc. Valgrind's client requests, nothing where its headers are
 * absent. */
#ifndef OURO_ALLOC_VALGRIND_H
#define OURO_ALLOC_VALGRIND_H

#include "alloc/platform.h"

#if OURO_HAVE_VALGRIND
#include <valgrind/helgrind.h>
#include <valgrind/valgrind.h>
static inline bool ouro__on_valgrind(void)
{
    return RUNNING_ON_VALGRIND != 0;
}
#else
static inline bool ouro__on_valgrind(void)
{
    return false;
}
#endif

#endif
