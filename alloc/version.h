/* SPDX-License-Identifier: MIT */
/* version.h: which Ouro is linked, as opposed to which was compiled against (OURO_VERSION). */
#ifndef OURO_ALLOC_VERSION_H
#define OURO_ALLOC_VERSION_H

#include "alloc/platform.h"

OURO_EXTERN_C_BEGIN

/* The version of the linked library, "major.minor.patch". Static storage; any thread;
 * async-signal-safe; O(1). */
OURO_API const char *ouro_version(void);

OURO_EXTERN_C_END

#endif
