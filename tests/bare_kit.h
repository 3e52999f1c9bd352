/* SPDX-License-Identifier: MIT */
/* bare_kit.h: what the tests of bare objects share: a type as a compiler that inlines destructors
 * writes it. Nothing is cleared by its hook: who destroys an object twice drops its fields twice.
 * */
#ifndef OURO_TESTS_BARE_KIT_H
#define OURO_TESTS_BARE_KIT_H

#include "orc_kit.h"
#include "alloc/stats.h"
#include "orc/bare.h"

#include <string.h>

struct bnode {
    struct bnode *a, *b;
    void *leaf; /* untyped, in no cycle: trace does not tell of it */
    int64_t id;
    uint64_t magic;
};
#define BNODE_LIVES 0x4556494C41u
#define BNODE_DEAD  0x44414544u

static void (*bnode_on_destroy)(struct bnode *dying); /* may be NULL; before the fields go */
static void (*bnode_on_trace)(struct bnode *traced);  /* may be NULL; before its slots are read */
static int64_t bnode_log[512];                        /* ids in the order of destruction */
static ouro_word bnode_destroyed;
static struct ouro_type bnode_type;

static inline void bleaf_drop(void *leaf)
{
    if (ouro_decref_is_last(leaf))
        ouro_dispose(leaf, 8);
}
static inline void bnode_destroy(struct bnode *n);
static inline void bnode_drop(struct bnode *n)
{
    if (ouro_decref_is_last_of(n, &bnode_type)) {
        bnode_destroy(n);
        ouro_dispose(n, _Alignof(struct bnode));
    }
}
static inline void bnode_destroy(struct bnode *n)
{
    KIT_CHECK(n->magic == BNODE_LIVES);
    n->magic = BNODE_DEAD;
    size_t at = ouro__fetch_add_full(&bnode_destroyed, 1);
    if (at < OURO_COUNT_OF(bnode_log))
        bnode_log[at] = n->id;
    if (bnode_on_destroy)
        bnode_on_destroy(n);
    bnode_drop(n->a);
    bnode_drop(n->b);
    bleaf_drop(n->leaf);
}
static void bnode_destroy_hook(void *value, const struct ouro_type *type)
{
    (void)type;
    bnode_destroy(value);
}
static void bnode_trace(void *value, const struct ouro_type *type, struct ouro_visitor *visitor)
{
    struct bnode *n = value;
    (void)type;
    if (bnode_on_trace)
        bnode_on_trace(n);
    visitor->visit(visitor, (void **)(void *)&n->a, &bnode_type);
    visitor->visit(visitor, (void **)(void *)&n->b, &bnode_type);
}
static struct ouro_type bnode_type = {
    .size = sizeof(struct bnode),
    .name = "bnode",
    .flags = OURO_BARE,
    .hooks = {.destroy = bnode_destroy_hook, .trace = bnode_trace},
};

static inline struct bnode *bnode_new(int64_t id)
{
    struct bnode *n = ouro_new_bare(sizeof *n, _Alignof(struct bnode));
    KIT_CHECK(n != NULL && !n->a && !n->b && !n->leaf && !n->id);
    n->id = id;
    n->magic = BNODE_LIVES;
    return n;
}
/* One reference more. */
static inline void *bare_share(void *object)
{
    ouro_incref(object);
    return object;
}
/* Writes a slot: the value comes owned. */
static inline void bnode_store(struct bnode **slot, struct bnode *value)
{
    struct bnode *old = *slot;
    *slot = value;
    bnode_drop(old);
}
/* A ring of n through `a`; the caller owns a reference to the first. */
static inline struct bnode *bnode_ring(size_t n)
{
    struct bnode *first = bnode_new(0), *last = first;
    for (size_t i = 1; i < n; i++)
        last = last->a = bnode_new((int64_t)i);
    last->a = bare_share(first);
    return first;
}

/* Blocks of counted objects in use; 0 where freed ones are kept for a while, and without pages. */
static inline uint64_t bare_blocks(void)
{
    struct ouro_stats stats;
    if (OURO_CHECKED)
        return 0;
    ouro_stats_get(&stats);
    return stats.counted.blocks;
}

static inline int bare_setup(void **state)
{
    bnode_on_destroy = NULL;
    bnode_on_trace = NULL;
    bnode_destroyed = 0;
    return kit_setup(state);
}
#define bare_test(name) cmocka_unit_test_setup_teardown(name, bare_setup, kit_teardown)

#endif
