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
    printf("static, own malloc, ouro %s\n", ouro_version());
    return strcmp(ouro_version(), OURO_VERSION) == 0 ? 0 : 1;
}
