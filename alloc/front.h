/* SPDX-License-Identifier: MIT */
/* front.h: Internal to alloc. What libouro-malloc.so shows: malloc and its kin, as glibc and POSIX
 * have them; and what its files share. glibc's header is not asked: another libc may lack some of
 * them, or declare them in another way. */
#ifndef OURO_ALLOC_FRONT_H
#define OURO_ALLOC_FRONT_H

#include "alloc/platform.h"

#include <stdio.h>
#include <stdlib.h>

/* glibc's struct mallinfo and struct mallinfo2. */
#define OURO__MALLINFO(name, type)                                                                 \
    struct name {                                                                                  \
        type arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks,          \
            keepcost;                                                                              \
    }
OURO__MALLINFO(mallinfo, int);
OURO__MALLINFO(mallinfo2, size_t);

/* -- malloc_c.c -------------------------------------------------------------------------------- */

OURO_API void *malloc(size_t size);
OURO_API void free(void *p);
OURO_API void *calloc(size_t count, size_t size);
OURO_API void *realloc(void *p, size_t size);
OURO_API void *reallocarray(void *p, size_t count, size_t size);
OURO_API void *reallocf(void *p, size_t size);
OURO_API void *aligned_alloc(size_t alignment, size_t size);
OURO_API int posix_memalign(void **p, size_t alignment, size_t size);
OURO_API void *memalign(size_t alignment, size_t size);
OURO_API void *valloc(size_t size);
OURO_API void *pvalloc(size_t size);
OURO_API void cfree(void *p);
OURO_API size_t malloc_usable_size(void *p);
OURO_API void free_sized(void *p, size_t size);
OURO_API void free_aligned_sized(void *p, size_t alignment, size_t size);
OURO_API void *__libc_malloc(size_t size);
OURO_API void __libc_free(void *p);
OURO_API void *__libc_calloc(size_t count, size_t size);
OURO_API void *__libc_realloc(void *p, size_t size);
OURO_API void *__libc_reallocarray(void *p, size_t count, size_t size);
OURO_API void *__libc_memalign(size_t alignment, size_t size);
OURO_API void *__libc_valloc(size_t size);
OURO_API void *__libc_pvalloc(size_t size);

/* What ouro__raw_give does not take; NULL too. */
void ouro__give_slowly(void *p);

/* -- malloc_info.c ----------------------------------------------------------------------------- */

OURO_API struct mallinfo mallinfo(void);
OURO_API struct mallinfo2 mallinfo2(void);
OURO_API int malloc_info(int options, FILE *stream);
OURO_API void malloc_stats(void);
OURO_API int malloc_trim(size_t pad);
OURO_API int mallopt(int what, int value);
OURO_API struct mallinfo __libc_mallinfo(void);
OURO_API int __libc_mallopt(int what, int value);
struct ouro__text;
/* The figures as lines of text, with a line for each size if `all`. */
void ouro__front_describe(struct ouro__text *t, bool all);

/* -- report.c ---------------------------------------------------------------------------------- */

/* When the library is loaded: reads what is to be told at the end. */
void ouro__report_begin(void);
/* A file of that name, empty, by its descriptor; -1: there can be none, which was said. */
int ouro__report_file(const char *name);

#endif
