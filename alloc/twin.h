/* SPDX-License-Identifier: MIT */
/* twin.h: Internal to alloc, hooks and orc. Exported functions beside inline ones.
 *
 * Code generators, JITs and other languages cannot include the headers. For them each inline
 * function has a *twin* in the library, with the same name and semantics. In C the name is taken by
 * the inline one, so the twin has another there, and only its symbol has that name. It is called
 * like any function, so it never goes by an address that a compiler kept of another thread's
 * context. */
#ifndef OURO_ALLOC_TWIN_H
#define OURO_ALLOC_TWIN_H

#include "alloc/platform.h"

/* The twin of `result ouro_NAME parameters`. For procedures the result is void. */
#define OURO__TWIN(result, name, parameters, arguments)                                            \
    OURO_API result ouro__twin_##name parameters __asm__("ouro_" #name);                           \
    result ouro__twin_##name parameters                                                            \
    {                                                                                              \
        return ouro_##name arguments;                                                              \
    }

#endif
