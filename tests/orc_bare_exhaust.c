/* SPDX-License-Identifier: MIT */
/* Bare objects where every allocation fails, once and for good. White-box: see bare_kit.h. */
#include "bare_kit.h"

/* Then lost candidates are not looked for, and nobody can tell what is alive. */
static bool no_pages(void)
{
    bnode_drop(bnode_new(0));
    bnode_destroyed = 0;
    return !heapcheck_can_walk();
}

static void births_without_memory_give_null(void **state)
{
    (void)state;
    uint64_t before = bare_blocks();
    static const size_t sizes[] = {24, 100, 5000, 70000, 3 << 20};
    for (size_t i = 0; i < OURO_COUNT_OF(sizes); i++) {
        for (size_t align = 8; align <= 4096; align *= 8) {
            for (size_t nth = 1; nth < 4; nth++) {
                ouro_fail_nth_alloc(nth, true);
                void *objects[4000];
                size_t n = 0;
                while (n < OURO_COUNT_OF(objects) &&
                       (objects[n] = ouro_new_bare(sizes[i], align)) != NULL)
                    n++;
                ouro_fail_nth_alloc(0, false);
                assert_true(n < OURO_COUNT_OF(objects) || sizes[i] < 5000);
                while (n > 0) {
                    assert_true(ouro_decref_is_last(objects[--n]));
                    ouro_dispose(objects[n], align);
                }
            }
        }
    }
    assert_int_equal(bare_blocks(), before);
}

/* Rings, lists, and what lives, with whatever drops and collections come of it. */
static void some_work(struct bnode *keep)
{
    for (int i = 0; i < 40; i++) {
        struct bnode *x = ouro_new_bare(sizeof *x, 8);
        struct bnode *y = ouro_new_bare(sizeof *y, 16);
        if (x)
            x->magic = BNODE_LIVES;
        if (y)
            y->magic = BNODE_LIVES;
        if (x && y) {
            x->a = bare_share(y);
            y->a = bare_share(x);
            x->b = bare_share(keep);
            y->leaf = ouro_new_bare(70000, 8);
        }
        bnode_drop(x);
        bnode_drop(y);
        if (i % 15 == 0)
            ouro_collect(NULL);
    }
    ouro_collect(NULL);
}

static void every_failure_leaves_nothing_for_good(void **state)
{
    (void)state;
    if (no_pages())
        skip();
    for (int for_good = 0; for_good < 2; for_good++) {
        struct bnode *keep = bnode_new(1);
        some_work(keep);
        uint64_t before = bare_blocks();
        for (size_t nth = 1; nth < 60; nth++) {
            ouro_fail_nth_alloc(nth, for_good);
            some_work(keep);
            ouro_fail_nth_alloc(0, false);
            ouro_collect(NULL);
            ouro_collect(NULL);
            assert_int_equal(ouro_count(keep), 1);
            assert_int_equal(ouro_candidates(), 0);
            assert_int_equal(bare_blocks(), before);
        }
        bnode_drop(keep);
    }
}

static struct bnode **lose_candidates(size_t n)
{
    struct bnode **rings = malloc(n * sizeof *rings);
    for (size_t i = 0; i < n; i++)
        rings[i] = bnode_ring(2);
    ouro_collect_pause();
    ouro_fail_nth_alloc(1, true);
    for (size_t i = 0; i < n; i++)
        bnode_drop(rings[i]);
    ouro_fail_nth_alloc(0, false);
    ouro_collect_resume();
    return rings;
}

static size_t too_many(void)
{
    ouro_decref(node_new(1));
    return ouro_usable_size(ouro__self->visited.entries) / sizeof(struct ouro__entry) + 400;
}

static void lost_candidates_are_found(void **state)
{
    (void)state;
    if (no_pages())
        skip();
    bnode_drop(bnode_ring(1));
    ouro_collect(NULL);
    size_t n = too_many();
    free(lose_candidates(n));
    assert_true(ouro_candidates() < n);
    ouro_collect(NULL);
    assert_int_equal(bnode_destroyed, 2 * n + 1);
    assert_int_equal(ouro_candidates(), 0);
}

/* A destructor drops a field, which it does not empty, and then one that loses a candidate: the
 * next collection is not to look into what is half destroyed. */
static struct bnode *half;
static void lose_and_collect(struct bnode *dying)
{
    if (dying != half)
        return;
    bnode_on_destroy = NULL;
    bnode_drop(dying->a); /* the slot dangles from here on, as in compiled code */
    void *in_its_place = bnode_new(99);
    memset(in_its_place, 0x5A, sizeof(struct bnode));
    free(lose_candidates(too_many()));
    ouro_collect(NULL);
    dying->a = NULL;
    if (ouro_decref_is_last(in_its_place))
        ouro_dispose(in_its_place, 8);
}

static void what_is_half_destroyed_is_not_looked_into(void **state)
{
    (void)state;
    if (no_pages())
        skip();
    uint64_t before = bare_blocks();
    half = bnode_new(1);
    half->a = bnode_new(2);
    half->b = bnode_new(3);
    bnode_drop(bare_share(half)); /* its type is known */
    bnode_on_destroy = lose_and_collect;
    bnode_drop(half);
    ouro_collect(NULL);
    assert_int_equal(bare_blocks(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        bare_test(births_without_memory_give_null),
        bare_test(every_failure_leaves_nothing_for_good),
        bare_test(lost_candidates_are_found),
        bare_test(what_is_half_destroyed_is_not_looked_into),
    };
    return kit_run(tests);
}
