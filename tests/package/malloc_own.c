/* SPDX-License-Identifier: MIT */
/* A program that brings the whole of malloc itself: a bump allocator that frees nothing. A
 * preloaded malloc must not come between: each block, libc's own included, lies in its arena. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static _Alignas(64) char arena[4 << 20];
static size_t used;

void *memalign(size_t alignment, size_t size);
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *block, size_t size);
void *aligned_alloc(size_t alignment, size_t size);
int posix_memalign(void **block, size_t alignment, size_t size);
void free(void *block);

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
void *calloc(size_t count, size_t size)
{
    return memalign(16, count * size);
}
void *realloc(void *block, size_t size)
{
    char *fresh = malloc(size);
    size_t rest = block ? (size_t)(arena + sizeof arena - (char *)block) : 0;
    return fresh ? memmove(fresh, block ? block : fresh, size < rest ? size : rest) : NULL;
}
void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}
int posix_memalign(void **block, size_t alignment, size_t size)
{
    *block = memalign(alignment, size);
    return *block ? 0 : ENOMEM;
}
void free(void *block)
{
    if (block && ((char *)block < arena || (char *)block >= arena + sizeof arena))
        __builtin_trap();
}

int main(void)
{
    char *text = strdup("a string that libc allocates");
    int good = text >= arena && text < arena + sizeof arena;
    free(text);
    puts(good ? "own malloc" : "not the program's own malloc");
    return !good;
}
