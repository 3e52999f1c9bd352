/* SPDX-License-Identifier: MIT */
/* stress.h: Internal to stress. What its kinds have in common. */
#ifndef OURO_STRESS_STRESS_H
#define OURO_STRESS_STRESS_H

#include "ouro.h"

#include <stdio.h>
#include <stdlib.h>

#define ALIVE 0xA11FEu

/* Objects that count: one birth each, and one death. */
extern size_t births, deaths;
static inline void count_birth(void)
{
    __atomic_fetch_add(&births, 1, __ATOMIC_RELAXED);
}
/* `alive` of an object whose hook runs. */
static inline void count_death(uint32_t *alive)
{
    if (__atomic_exchange_n(alive, 0, __ATOMIC_SEQ_CST) != ALIVE) {
        fprintf(stderr, "ouro-stress: a hook ran twice, or on an object that never was\n");
        abort();
    }
    __atomic_fetch_add(&deaths, 1, __ATOMIC_RELAXED);
}
static inline void must_live(const uint32_t *alive)
{
    if (__atomic_load_n(alive, __ATOMIC_SEQ_CST) != ALIVE) {
        fprintf(stderr, "ouro-stress: an object that somebody refers to is gone\n");
        abort();
    }
}

static inline uint64_t draw_from(uint64_t *random, uint64_t n)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random % n;
}

/* The choices of thread `i` in a round. */
static inline uint64_t random_of(uint64_t seed, uint64_t round, uint64_t i)
{
    return ((seed * 1000003 + round) * 1000003 + i) * 0x9E3779B97F4A7C15u | 1;
}

#define THREADS_MOST 64

/* One round of isolated graphs (graphs.c): threads work, end, and drop what they have. */
void run_graphs(uint64_t seed, uint64_t round, unsigned threads);
/* Whether the library has what that needs. */
bool graphs_exist(void);

#endif
