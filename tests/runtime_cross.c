/* SPDX-License-Identifier: MIT */
/* White-box: see orc_kit.h. References from one runtime to another, on one thread: it is to the
 * other runtime just another thread. */
#include "orc_kit.h"

static struct ouro_runtime *a;

static void in_a(void)
{
    assert_int_equal(ouro_runtime_enter(a), OURO_OK);
}
static void out_of_a(void)
{
    ouro_runtime_leave(a);
}

static int begin(void **state)
{
    kit_setup(state);
    return ouro_runtime_new(NULL, &a) != OURO_OK;
}

static int end(void **state)
{
    bool fine = ouro_runtime_current() == ouro_runtime_default();
    in_a();
    size_t alive = heapcheck_alive();
    out_of_a();
    fine = fine && alive == 0 && ouro_runtime_destroy(a, NULL) == OURO_OK;
    return kit_teardown(state) || !fine;
}

/* The counts of most of these tests are the default mode's: local ones stay in their runtime. */
static void counts_from_outside_are_foreign_ones(void **state)
{
    (void)state;
    in_a();
    struct hooked *h = hooked_new(1);
    out_of_a();
    for (int i = 0; i < 1000; i++)
        ouro_incref_biased(h);
    for (int i = 0; i < 1000; i++)
        ouro_decref_biased(h);
    assert_int_equal(ouro_count(h), 1);
    in_a();
    ouro_decref(h);
    ouro_poll();
    out_of_a();
    assert_int_equal(kit_destroyed, 1);
}

static struct ouro_runtime *destroyed_in;
static void note_runtime(struct hooked *dying)
{
    (void)dying;
    destroyed_in = ouro_runtime_current();
}

static void the_last_drop_from_outside_destroys_in_the_objects_runtime(void **state)
{
    (void)state;
    kit_on_destroy = note_runtime;
    for (int atomic = 0; atomic < 2; atomic++) {
        in_a();
        struct hooked *h = hooked_new(1);
        struct leaf *l = atomic ? leaf_new_merged(2) : leaf_new(2);
        out_of_a();
        ouro_word before = kit_destroyed;
        ouro_decref_biased(h);
        ouro_decref_biased(l);
        assert_int_equal(kit_destroyed, before + 2); /* its thread left it: others settle for it */
        assert_ptr_equal(destroyed_in, a);
    }
}

static void an_inner_runtime_drops_what_the_outer_one_made(void **state)
{
    (void)state;
    kit_on_destroy = note_runtime;
    struct hooked *h = hooked_new(1);
    in_a();
    ouro_decref_biased(h);
    out_of_a();
    ouro_poll();
    assert_int_equal(kit_destroyed, 1);
    assert_ptr_equal(destroyed_in, ouro_runtime_default());
}

static void drop_chain_of_runtimes(struct hooked *dying)
{
    if (dying->id > 0) {
        struct ouro_runtime *other = dying->id % 2 ? a : ouro_runtime_default();
        KIT_CHECK(ouro_runtime_enter(other) == OURO_OK);
        struct hooked *next = hooked_new(dying->id - 1);
        ouro_runtime_leave(other);
        ouro_decref_biased(next);
    }
}

static void hooks_may_turn_to_other_runtimes(void **state)
{
    (void)state;
    kit_on_destroy = drop_chain_of_runtimes;
    struct hooked *h = hooked_new(200);
    ouro_decref(h);
    for (int i = 0; i < 300; i++) {
        ouro_poll();
        in_a();
        ouro_poll();
        out_of_a();
    }
    assert_int_equal(kit_destroyed, 201);
}

static void lists_that_alternate_between_runtimes_die_whole(void **state)
{
    (void)state;
    size_t length = kit_scaled(20000);
    struct hooked *list = NULL;
    for (size_t i = 0; i < length; i++) {
        if (i % 2)
            in_a();
        struct hooked *h = hooked_new((int64_t)i);
        if (i % 2)
            out_of_a();
        h->a = list;
        list = h;
    }
    ouro_decref_biased(list);
    for (int i = 0; i < 4; i++) {
        in_a();
        ouro_poll();
        out_of_a();
        ouro_poll();
    }
    assert_int_equal(kit_destroyed, length);
}

static void weak_handles_cross(void **state)
{
    (void)state;
    in_a();
    struct hooked *h = hooked_new(1);
    out_of_a();
    struct ouro_weak *weak = ouro_weak_new(h);
    assert_non_null(weak);
    assert_true(!heapcheck_can_walk() || ouro__runtime_of(weak) == a);
    in_a();
    struct ouro_weak *again = ouro_weak_new(h);
    assert_ptr_equal(again, weak);
    out_of_a();
    struct hooked *strong = ouro_weak_upgrade(weak);
    assert_ptr_equal(strong, h);
    ouro_decref_biased(strong);
    ouro_decref_biased(h);
    in_a();
    ouro_poll();
    out_of_a();
    assert_int_equal(kit_destroyed, 1);
    assert_null(ouro_weak_upgrade(weak));
    ouro_weak_decref(weak);
    ouro_weak_decref(again);
}

static void slot_stores_cross(void **state)
{
    (void)state;
    in_a();
    struct hooked *h = hooked_new(1);
    out_of_a();
    struct hooked *mine = hooked_new(2);
    for (int i = 0; i < 100; i++) {
        ouro_slot_copy(h, (void **)&h->a, mine);
        ouro_slot_store(h, (void **)&h->b, ouro_slot_move(h, (void **)&h->a));
    }
    ouro_slot_moved_into(h);
    ouro_decref(mine);
    assert_int_equal(kit_destroyed, 0);
    ouro_decref_biased(h);
    in_a();
    ouro_poll();
    ouro_collect(NULL);
    out_of_a();
    ouro_poll();
    assert_int_equal(kit_destroyed, 2);
}

static void collections_stop_at_other_runtimes(void **state)
{
    (void)state;
    in_a();
    struct node *outside = node_new(1);
    out_of_a();
    struct node *ring = kit_ring(5);
    ring->b = outside; /* the only reference */
    kit_touch(ring);
    struct node *next = ring->a;
    kit_touch(next);
    assert_int_equal(ouro_collect(NULL), 5);
    in_a();
    ouro_poll();
    assert_int_equal(heapcheck_can_walk() ? heapcheck_count(NULL) : 0, 0);
    out_of_a();
}

static void merged_objects_are_collected_by_their_runtime(void **state)
{
    (void)state;
    in_a();
    struct node *x = node_new_merged(1), *y = node_new_merged(2);
    x->a = y;
    y->a = x;
    ouro_incref(x);
    out_of_a();
    ouro_decref_biased(x); /* a candidate of the other runtime */
    ouro_collect(NULL);
    in_a();
    if (kit_alone())
        ouro_collect(NULL);
    out_of_a();
}

static void a_cycle_through_two_runtimes_lives_until_it_is_broken(void **state)
{
    (void)state;
    in_a();
    struct node *x = node_new(1);
    out_of_a();
    struct node *y = node_new(2);
    x->a = y;
    y->a = x;
    kit_touch(y);
    assert_int_equal(ouro_collect(NULL), 0);
    in_a();
    kit_touch(x);
    assert_int_equal(ouro_collect(NULL), 0);
    ouro_slot_store(x, (void **)&x->a, NULL);
    out_of_a();
    ouro_poll();
    in_a();
    ouro_poll();
    ouro_collect(NULL);
    out_of_a();
}

static void blocks_are_freed_from_anywhere(void **state)
{
    (void)state;
    static const size_t sizes[] = {16, 700, 9000, 70000, 5 << 20};
    for (size_t s = 0; s < OURO_COUNT_OF(sizes); s++) {
        void *blocks[40];
        for (int i = 0; i < 40; i++) {
            if (i % 2)
                in_a();
            blocks[i] = ouro_malloc(sizes[s]);
            assert_non_null(blocks[i]);
            if (i % 2)
                out_of_a();
        }
        for (int i = 0; i < 40; i++) {
            if (i % 4 < 2)
                in_a();
            blocks[i] = ouro_realloc(blocks[i], sizes[s] * 3);
            ouro_free(blocks[i]);
            if (i % 4 < 2)
                out_of_a();
        }
    }
    struct ouro_stats stats;
    in_a();
    ouro_stats_get(&stats);
    out_of_a();
    assert_int_equal(stats.raw.blocks, heapcheck_can_walk() ? stats.raw.blocks : 0);
}

static void nothing_is_reused_across_runtimes(void **state)
{
    (void)state;
    in_a();
    struct leaf *l = leaf_new(1), *m = leaf_new(2);
    ouro_reuse token = ouro_drop_reuse(m);
    out_of_a();
    ouro_reuse_free(token); /* but given back from anywhere */
    if (OURO_THREADS)
        assert_null(ouro_take_reuse(l, &leaf_type).cell);
    token = ouro_drop_reuse(l);
    assert_null(token.cell);
    assert_int_equal(kit_destroyed, 2);
}

#define cross_test(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cross_test(counts_from_outside_are_foreign_ones),
        cross_test(the_last_drop_from_outside_destroys_in_the_objects_runtime),
        cross_test(an_inner_runtime_drops_what_the_outer_one_made),
        cross_test(hooks_may_turn_to_other_runtimes),
        cross_test(lists_that_alternate_between_runtimes_die_whole),
        cross_test(weak_handles_cross),
        cross_test(slot_stores_cross),
        cross_test(collections_stop_at_other_runtimes),
        cross_test(merged_objects_are_collected_by_their_runtime),
        cross_test(a_cycle_through_two_runtimes_lives_until_it_is_broken),
        cross_test(blocks_are_freed_from_anywhere),
        cross_test(nothing_is_reused_across_runtimes),
    };
    return kit_run(tests);
}
