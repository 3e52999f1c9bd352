/* SPDX-License-Identifier: MIT */
/* malloc_c.c: malloc and its kin, on raw blocks of the default runtime.
 *
 * Nothing that a block is taken or given back by calls what may allocate: libc's allocations come
 * here. What is done once is done when the library is loaded, if nobody allocates before: so that
 * Ouro's fork handlers are among the first, and its locks the last to be taken before a fork. */
#include "alloc/front.h"
#include "alloc/arena.h"
#include "alloc/os.h"
#include "alloc/pool.h"
#include "alloc/raw.h"

OURO_AT_LOAD static void begin(void)
{
    ouro__set_up();
    ouro__report_begin();
}

/* -- taking ------------------------------------------------------------------------------------ */

static OURO_NOINLINE void *take_slowly(size_t size)
{
    void *p = ouro__cell_alloc(OURO__RAW, size ? size : 1, 16);
    if (OURO_UNLIKELY(!p))
        ouro__os_no_memory();
    return p;
}

void *malloc(size_t size)
{
    void *p = ouro__raw_take(ouro__context.heap, size);
    return OURO_LIKELY(p != NULL) ? p : take_slowly(size);
}

void *calloc(size_t count, size_t size)
{
    return ouro_calloc(count, size);
}

/* glibc's: what is no power of two is rounded up. */
void *memalign(size_t alignment, size_t size)
{
    if (alignment > SIZE_MAX / 2 + 1) {
        ouro__os_bad_argument();
        return NULL;
    }
    size_t power = 16;
    while (power < alignment)
        power *= 2;
    return ouro_aligned_alloc(power, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return ouro_aligned_alloc(alignment, size);
}

int posix_memalign(void **p, size_t alignment, size_t size)
{
    if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0)
        return EINVAL;
    int was = ouro__os_errno();
    void *fresh = ouro_aligned_alloc(alignment, size);
    ouro__os_set_errno(was);
    if (!fresh)
        return ENOMEM;
    *p = fresh;
    return 0;
}

void *valloc(size_t size)
{
    return ouro_aligned_alloc(ouro__os_page(), size);
}

void *pvalloc(size_t size)
{
    size_t page = ouro__os_page(), whole;
    if (__builtin_add_overflow(size, page - 1, &whole)) {
        ouro__os_no_memory();
        return NULL;
    }
    whole &= ~(page - 1);
    return ouro_aligned_alloc(page, whole ? whole : page);
}

/* -- giving back ------------------------------------------------------------------------------- */

OURO_NOINLINE void ouro__give_slowly(void *p)
{
    if (!p || OURO_LIKELY(ouro__raw_give_elsewhere(ouro__context.heap, p)))
        return;
    int was = ouro__os_errno(); /* a thread's first touch may be refused a heap */
    ouro__cell_free(p, OURO__RAW, 16);
    ouro__os_set_errno(was);
}

void free(void *p)
{
    if (OURO_UNLIKELY(!ouro__raw_give(ouro__context.heap, p)))
        ouro__give_slowly(p);
}

void cfree(void *p)
{
    free(p);
}

void free_sized(void *p, size_t size)
{
    (void)size;
    free(p);
}

void free_aligned_sized(void *p, size_t alignment, size_t size)
{
    (void)alignment;
    (void)size;
    free(p);
}

/* -- both -------------------------------------------------------------------------------------- */

/* glibc's: 0 bytes of what there was are none. */
void *realloc(void *p, size_t size)
{
    if (OURO_UNLIKELY(size == 0 && p)) {
        free(p);
        return NULL;
    }
    return ouro_realloc(p, size);
}

void *reallocarray(void *p, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        ouro__os_no_memory();
        return NULL;
    }
    return realloc(p, bytes);
}

/* BSD's: what cannot grow is given back. */
void *reallocf(void *p, size_t size)
{
    void *fresh = realloc(p, size);
    if (!fresh && size > 0)
        free(p);
    return fresh;
}

size_t malloc_usable_size(void *p)
{
    return ouro_usable_size(p);
}

/* -- glibc's second names ---------------------------------------------------------------------- */

void *__libc_malloc(size_t size)
{
    return malloc(size);
}
void __libc_free(void *p)
{
    free(p);
}
void *__libc_calloc(size_t count, size_t size)
{
    return calloc(count, size);
}
void *__libc_realloc(void *p, size_t size)
{
    return realloc(p, size);
}
void *__libc_reallocarray(void *p, size_t count, size_t size)
{
    return reallocarray(p, count, size);
}
void *__libc_memalign(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}
void *__libc_valloc(size_t size)
{
    return valloc(size);
}
void *__libc_pvalloc(size_t size)
{
    return pvalloc(size);
}
