/* SPDX-License-Identifier: MIT */
/* A static program with a malloc of its own: a bump allocator that frees nothing. Had libouro.a a
 * malloc, this would not link; had it taken over, the blocks would lie elsewhere. */
#include <ouro.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Alignas(64) char arena[1 << 20];
static size_t used;

void *memalign(size_t alignment, size_t size);
size_t malloc_usable_size(void *block);

void *memalign(size_t alignment, size_t size)
{
    size_t start = (used + alignment - 1) & ~(alignment - 1);
    if (start > sizeof arena || size > sizeof arena - start) {
        errno = ENOMEM;
        return NULL;
    }
    used = start + size;
    return arena + start;
}

void *malloc(size_t size)
{
    return memalign(16, size);
}

/* The whole family that glibc's manual asks of a replacement, as the system supply uses it. */
void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    *block = memalign(alignment, size);
    return *block ? 0 : ENOMEM;
}

size_t malloc_usable_size(void *block)
{
    (void)block;
    return 0;
}

void free(void *block)
{
    (void)block;
}

void *calloc(size_t count, size_t size)
{
    return malloc(count * size); /* the arena is zero and used once */
}

void *realloc(void *block, size_t size)
{
    char *fresh = malloc(size);
    if (fresh && block) {
        size_t rest = (size_t)(arena + sizeof arena - (char *)block);
        memmove(fresh, block, size < rest ? size : rest);
    }
    return fresh;
}

int main(void)
{
    char *volatile block = malloc(100);
    if (block < arena || block >= arena + sizeof arena) {
        puts("malloc is not ours");
        return 1;
    }
    void *pooled = ouro_malloc(100);
    if (!pooled || ((char *)pooled >= arena && (char *)pooled < arena + sizeof arena)) {
        puts("ouro_malloc has no memory of its own");
        return 1;
    }
    ouro_free(pooled);
    printf("static, own malloc, ouro %s\n", ouro_version());
    return strcmp(ouro_version(), OURO_VERSION) == 0 ? 0 : 1;
}
