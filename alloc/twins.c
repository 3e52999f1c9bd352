/* SPDX-License-Identifier: MIT */
/* twins.c: the inline functions of alloc, exported. */
#include "alloc/pool.h"
#include "alloc/twin.h"

OURO__TWIN(void *, alloc_sized, (size_t size), (size))
OURO__TWIN(void, free_sized, (void *p, size_t size), (p, size))
OURO__TWIN(void *, alloc_sized_in, (struct ouro_context * context, size_t size), (context, size))
OURO__TWIN(void, free_sized_in, (struct ouro_context * context, void *p, size_t size),
           (context, p, size))
