/* SPDX-License-Identifier: MIT */
/* What the tests of alloc share: cmocka, a seeded generator, filled blocks, the resident set. */
#ifndef TESTS_ALLOC_UTIL_H
#define TESTS_ALLOC_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc/fail.h"
#include "alloc/options.h"
#include "alloc/pool.h"
#include "alloc/stats.h"
#include "alloc/supply.h"

#define KIB    ((size_t)1 << 10)
#define MIB    ((size_t)1 << 20)
#define UNUSED __attribute__((unused))

/* xorshift64* */
static UNUSED uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545F4914F6CDD1Du;
}

/* Sizes as programs have them: mostly small, now and then huge. */
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
static UNUSED int is_filled(const void *p, size_t size)
{
    const unsigned char *s = p;
    unsigned char mark = mark_of(p, size);
    for (size_t i = 0; i < size; i++) {
        if (s[i] != mark)
            return 0;
    }
    return 1;
}

/* Bytes resident now. */
static UNUSED size_t resident(void)
{
    unsigned long total = 0, pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%lu %lu", &total, &pages) != 2)
        pages = 0;
    if (f)
        fclose(f);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static UNUSED int on_valgrind(void)
{
    const char *preloaded = getenv("LD_PRELOAD");
    return preloaded && strstr(preloaded, "valgrind");
}

/* Under a sanitizer or Valgrind: figures of the process say nothing, and everything is slow. */
static UNUSED int is_slow(void)
{
    return OURO_ASAN || OURO_TSAN || getenv("OURO_TEST_SLOW") || access("/proc/self/statm", R_OK) ||
           on_valgrind();
}

/* Runs `body` in a child whose standard error goes to `text`; returns the wait status. */
static UNUSED int run_in_child(void (*body)(void *), void *arg, char *text, size_t size)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 2);
        close(ends[0]);
        close(ends[1]);
        body(arg);
        _exit(0);
    }
    close(ends[1]);
    size_t len = 0;
    for (ssize_t n; (n = read(ends[0], text + len, size - 1 - len)) > 0 && len < size - 1;)
        len += (size_t)n;
    text[len] = '\0';
    close(ends[0]);
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}

/* Ends a forked child: one that is well by a signal, so that no tool looks for leaks in it. */
static UNUSED void end_child(int status)
{
    if (status == 0)
        kill(getpid(), SIGKILL);
    _exit(status);
}
static UNUSED bool ended_well(int status)
{
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* Pages and figures are looked at with the supply that has them, under every tool. */
static UNUSED int use_mmap(void **state)
{
    (void)state;
    return ouro_supply_use(&ouro_supply_mmap) == OURO_OK ? 0 : -1;
}

#endif
