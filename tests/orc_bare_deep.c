/* SPDX-License-Identifier: MIT */
/* Destroy hooks that nest a million deep, on large stacks and small ones. White-box: see
 * bare_kit.h. */
#include "bare_kit.h"

#include <pthread.h>

static size_t many(void)
{
    return kit_scaled(1000000);
}

static struct bnode *list_of(size_t n)
{
    struct bnode *list = NULL;
    for (size_t i = 0; i < n; i++) {
        struct bnode *next = bnode_new((int64_t)i);
        next->a = list;
        list = next;
    }
    return list;
}

static struct bnode *tree_of(size_t depth)
{
    struct bnode *n = bnode_new((int64_t)depth);
    if (depth > 1) {
        n->a = tree_of(depth - 1);
        n->b = tree_of(depth - 1);
    }
    n->leaf = ouro_new_bare(8, 8);
    return n;
}

static void drop_list(void *arg)
{
    (void)arg;
    bnode_drop(list_of(many()));
    KIT_CHECK(bnode_destroyed == many());
}

/* Both slots deep: `b` of each leads to a list of its own. */
static void drop_comb(void *arg)
{
    (void)arg;
    struct bnode *comb = NULL;
    size_t n = many() / 100 + 1, teeth = 50;
    for (size_t i = 0; i < n; i++) {
        struct bnode *next = list_of(1);
        next->a = list_of(teeth);
        next->b = comb;
        comb = next;
    }
    bnode_drop(comb);
    KIT_CHECK(bnode_destroyed == n * (teeth + 1));
}

static void drop_tree(void *arg)
{
    (void)arg;
    size_t depth = kit_instrumented() ? 10 : 17;
    bnode_drop(tree_of(depth));
    KIT_CHECK(bnode_destroyed == ((size_t)1 << depth) - 1);
}

/* Every node is a candidate when it dies. */
static void drop_list_of_candidates(void *arg)
{
    (void)arg;
    ouro_collect_pause();
    struct bnode *list = list_of(many());
    for (struct bnode *n = list; n; n = n->a)
        bnode_drop(bare_share(n));
    KIT_CHECK(ouro_candidates() == many());
    bnode_drop(list);
    KIT_CHECK(bnode_destroyed == many() && ouro_candidates() == 0);
    ouro_collect_resume();
}

/* Garbage of one ring, whose hooks drop what is not of it. */
static void collect_deep(void *arg)
{
    (void)arg;
    struct bnode *x = bnode_new(1), *living = bnode_new(2);
    x->a = bare_share(x);
    x->leaf = ouro_new_bare(8, 8);
    bnode_drop(x);
    size_t freed = ouro_collect(NULL);
    KIT_CHECK(freed == 1);
    bnode_drop(bnode_ring(many()));
    bnode_drop(living);
    ouro_collect(NULL);
    KIT_CHECK(bnode_destroyed == many() + 2);
}

static struct bnode *saved_list;
static void drop_saved(struct bnode *dying)
{
    struct bnode *list = saved_list;
    (void)dying;
    saved_list = NULL;
    bnode_drop(list);
}
/* A long list dies in the hook of a ring. */
static void drop_list_in_a_collection(void *arg)
{
    (void)arg;
    saved_list = list_of(many());
    bnode_on_destroy = drop_saved;
    bnode_drop(bnode_ring(3));
    ouro_collect(NULL);
    bnode_on_destroy = NULL;
    KIT_CHECK(bnode_destroyed == many() + 3);
}

static void *with_stack(void *fn_at)
{
    void (*fn)(void *);
    memcpy(&fn, fn_at, sizeof fn);
    fn(NULL);
    return NULL;
}

static void on_stacks(void (*fn)(void *))
{
    uint64_t before = bare_blocks();
    fn(NULL);
    assert_int_equal(bare_blocks(), before);
    if (!OURO_THREADS)
        return;
    bnode_destroyed = 0;
    kit_on_small_stack(fn, NULL);
    assert_int_equal(bare_blocks(), before);
    static const size_t sizes[] = {256 << 10, 1 << 20, 64 << 20};
    for (size_t i = 0; i < OURO_COUNT_OF(sizes) && !kit_instrumented(); i++) {
        pthread_attr_t attr;
        pthread_t thread;
        bnode_destroyed = 0;
        KIT_CHECK(pthread_attr_init(&attr) == 0 &&
                  pthread_attr_setstacksize(&attr, sizes[i]) == 0 &&
                  pthread_create(&thread, &attr, with_stack, (void *)&fn) == 0 &&
                  pthread_join(thread, NULL) == 0);
        pthread_attr_destroy(&attr);
        assert_int_equal(bare_blocks(), before);
    }
}

static void long_lists_are_dropped(void **state)
{
    (void)state;
    on_stacks(drop_list);
}
static void long_combs_are_dropped(void **state)
{
    (void)state;
    on_stacks(drop_comb);
}
static void trees_are_dropped(void **state)
{
    (void)state;
    on_stacks(drop_tree);
}
static void long_lists_of_candidates_are_dropped(void **state)
{
    (void)state;
    on_stacks(drop_list_of_candidates);
}
static void long_rings_are_collected(void **state)
{
    (void)state;
    on_stacks(collect_deep);
}
static void long_lists_die_in_collections(void **state)
{
    (void)state;
    on_stacks(drop_list_in_a_collection);
}

static void drop_given(void *list)
{
    bnode_drop(list);
}

/* Made by another thread: each drop goes out of line. */
static void long_lists_of_others_are_dropped(void **state)
{
    (void)state;
    if (!OURO_THREADS)
        skip();
    uint64_t before = bare_blocks();
    struct bnode *list = list_of(many());
    ouro_collect_pause();
    for (struct bnode *n = list; n; n = n->a)
        bnode_drop(bare_share(n)); /* as a loop over it does */
    ouro_collect_resume();
    kit_on_small_stack(drop_given, list);
    assert_int_equal(bnode_destroyed, many());
    ouro_collect(NULL);
    assert_int_equal(ouro_candidates(), 0);
    assert_int_equal(bare_blocks(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        bare_test(long_lists_are_dropped),
        bare_test(long_combs_are_dropped),
        bare_test(trees_are_dropped),
        bare_test(long_lists_of_candidates_are_dropped),
        bare_test(long_rings_are_collected),
        bare_test(long_lists_die_in_collections),
        bare_test(long_lists_of_others_are_dropped),
    };
    return kit_run(tests);
}
