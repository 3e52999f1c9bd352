/* SPDX-License-Identifier: MIT */
/* symbol.c: what other libraries of the process have. It belongs to os.h, and has a file of its own
 * because libc declares RTLD_NEXT for _GNU_SOURCE alone, and only libouro-malloc.so asks. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "alloc/os.h"

#include <dlfcn.h>

void *ouro__os_symbol(const char *library, const char *name)
{
    void *handle = library ? dlopen(library, RTLD_LAZY | RTLD_NOLOAD) : RTLD_NEXT;
    return handle ? dlsym(handle, name) : NULL;
}
