/* SPDX-License-Identifier: MIT */
/* version.h: which Ouro is linked, as opposed to which was compiled against (OURO_VERSION). */
#ifndef OURO_ALLOC_VERSION_H
#define OURO_ALLOC_VERSION_H

#include "alloc/status.h"

OURO_EXTERN_C_BEGIN

/* The version of the linked library, "major.minor.patch". Static storage; any thread;
 * async-signal-safe; O(1). */
OURO_API const char *ouro_version(void);

/* The number of the ABI that the linked library has; what a program was compiled against is
 * OURO_ABI. For those who load it at run time. Any thread; async-signal-safe; O(1). */
OURO_API unsigned ouro_abi(void);

/* Whether code made for the ABI of that number, as generated code is, may run on the linked
 * library: OURO_OK, or OURO_WRONG_ABI, and *why (`why` may be NULL) says which it has; else *why is
 * NULL. Static storage; any thread; async-signal-safe; O(1). */
OURO_API ouro_status ouro_abi_require(unsigned number, const char **why);

OURO_EXTERN_C_END

#endif
