/* SPDX-License-Identifier: MIT */
/* What the tests of libouro-malloc.so share. They include nothing of Ouro's: it has no names there.
 * glibc's <malloc.h> is not asked either; what a libc may lack is declared here. */
#ifndef TESTS_MALLOC_UTIL_H
#define TESTS_MALLOC_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define KIB    ((size_t)1 << 10)
#define MIB    ((size_t)1 << 20)
#define UNUSED __attribute__((unused))

struct mallinfo {
    int arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};
struct mallinfo2 {
    size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};
void *reallocarray(void *p, size_t count, size_t size);
void *reallocf(void *p, size_t size);
void *memalign(size_t alignment, size_t size);
void *valloc(size_t size);
void *pvalloc(size_t size);
void cfree(void *p);
size_t malloc_usable_size(void *p);
void free_sized(void *p, size_t size);
void free_aligned_sized(void *p, size_t alignment, size_t size);
struct mallinfo mallinfo(void);
struct mallinfo2 mallinfo2(void);
int malloc_info(int options, FILE *stream);
void malloc_stats(void);
int malloc_trim(size_t pad);
int mallopt(int what, int value);
void *__libc_malloc(size_t size);
void __libc_free(void *p);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_reallocarray(void *p, size_t count, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void *__libc_valloc(size_t size);
void *__libc_pvalloc(size_t size);

/* The level of hardening that the process runs at. */
static UNUSED int hardening(void)
{
    const char *level = getenv("OURO_HARDEN");
    return level ? atoi(level) : 1;
}

/* What a block above 8 KiB, and below 60 KiB, has at level 3, with its guard, of address space. */
#ifdef __x86_64__
#define GUARDED (64 * KIB)
#else /* a page may have 64 KiB */
#define GUARDED (128 * KIB)
#endif

/* What a block of `size` bytes takes: of a class, with a word behind it if hardened. */
static UNUSED size_t stored(size_t size)
{
    size_t room = hardening() >= 2 ? size + 8 : size, unit = 16;
    size_t steps = room > 256 && room <= 8192 ? 16 : 8;
    while (room > steps * unit)
        unit *= 2;
    return (room + unit - 1) / unit * unit;
}

/* xorshift64* */
static UNUSED uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545F4914F6CDD1Du;
}
static UNUSED size_t random_size(uint64_t *state)
{
    uint64_t r = next_random(state) >> 8;
    unsigned bits = r % 1000 < 900 ? 3 + r % 7 : r % 1000 < 990 ? 10 + r % 5 : 15 + r % 7;
    return (size_t)(next_random(state) >> 20) % ((size_t)1 << bits);
}

/* The bytes of a block told by its address and size: two blocks that overlap spoil each other. */
static UNUSED unsigned char mark_of(const void *p, size_t size)
{
    uint64_t x = ((uintptr_t)p ^ size * 31) * 0x9E3779B97F4A7C15u;
    return (unsigned char)(x >> 56);
}
static UNUSED void fill(void *p, size_t size)
{
    memset(p, mark_of(p, size), size);
}
static UNUSED bool holds(const void *p, unsigned char byte, size_t size)
{
    const unsigned char *s = p;
    for (size_t i = 0; i < size; i++) {
        if (s[i] != byte)
            return false;
    }
    return true;
}
static UNUSED bool is_filled(const void *p, size_t size)
{
    return holds(p, mark_of(p, size), size);
}

/* Under an emulator figures of the process say nothing, limits do not hold, everything is slow, and
 * nothing survives a fork beside running threads. */
static UNUSED bool is_slow(void)
{
    return OURO_TEST_EMULATED || getenv("OURO_TEST_SLOW");
}

/* Bytes resident now, read without allocating. */
static UNUSED size_t resident(void)
{
    char text[128] = "";
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f)
        return 0;
    setvbuf(f, NULL, _IONBF, 0);
    char *line = fgets(text, sizeof text, f);
    fclose(f);
    char *second = line ? strchr(line, ' ') : NULL;
    return second ? strtoul(second, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

/* Runs `body` in a child whose standard error goes to `text`; returns the wait status. */
static UNUSED int run_in_child(void (*body)(void *), void *arg, char *text, size_t size)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL); /* cmocka has a handler */
        dup2(ends[1], 2);
        close(ends[0]);
        close(ends[1]);
        body(arg);
        _exit(0);
    }
    close(ends[1]);
    size_t len = 0;
    for (ssize_t n; len < size - 1 && (n = read(ends[0], text + len, size - 1 - len)) > 0;)
        len += (size_t)n;
    text[len] = '\0';
    close(ends[0]);
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}

#endif
