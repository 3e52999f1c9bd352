/* SPDX-License-Identifier: MIT */
/* Destroy and trace hooks that leave by longjmp, in a release and in a collection: what becomes of
 * what the library was at (docs/edges.md). White-box: see orc_kit.h. */
#include "jumps.h"

#include "orc/weak.h"

#include <string.h>

/* -- destroy ----------------------------------------------------------------------------------- */

static void what_waits_dies_though_a_hook_left(void **state)
{
    (void)state;
    kit_on_destroy = leave_if_it_is_him;
    leaver = 1000;
    struct hooked *root = hooked_new(1);
    root->a = hooked_new(1000); /* leaves; what it holds goes with it */
    root->b = chain(20);
    root->b->id = 100;
    run(decref, root);
    assert_int_equal(jumps, 1);
    assert_int_equal(kit_destroyed, 22);
    assert_int_equal(heapcheck_count(&hooked_type), 0);
}

static void hooks_that_all_leave_run_once_each(void **state)
{
    (void)state;
    kit_on_destroy = leave_if_it_is_him;
    leaver = -1;
    struct hooked *all[10];
    for (int64_t i = 0; i < 10; i++)
        all[i] = hooked_new(i);
    struct node *root = node_new(1);
    root->a = (struct node *)(void *)all[0];
    run(decref, root);
    assert_int_equal(jumps, 1);
    for (int i = 1; i < 10; i++) {
        run(decref, all[i]);
        assert_int_equal(jumps, 1);
    }
    assert_int_equal(kit_destroyed, 10);
    assert_int_equal(heapcheck_count(NULL), 0);
}

/* Frames above the mark have hooks that leave as well: each unwinding goes on. */
static void own_many_and_jump(void *arg)
{
    (void)arg;
    for (int64_t i = 1; i <= 10; i++)
        KIT_CHECK(ouro_frame_own(hooked_new(i)) == OURO_OK);
    longjmp(place, 1);
}

static void unwinding_goes_on_where_a_hook_left_it(void **state)
{
    (void)state;
    kit_on_destroy = leave_if_it_is_him;
    leaver = -1;
    run(own_many_and_jump, NULL);
    assert_int_equal(jumps, 11);
    assert_int_equal(kit_destroyed, 10);
    for (int i = 0; i < 10; i++)
        assert_int_equal(kit_log[i], 10 - i);
    assert_int_equal(heapcheck_count(NULL), 0);
}

static struct hooked *saved;
static void save_and_leave(struct hooked *dying)
{
    saved = dying;
    ouro_incref(dying);
    longjmp(place, 1);
}

static void who_is_saved_by_a_hook_that_leaves_lives(void **state)
{
    (void)state;
    kit_on_destroy = save_and_leave;
    run(decref, hooked_new(1));
    assert_int_equal(jumps, 1);
    assert_int_equal(ouro_count(saved), 1);
    ouro_decref(saved);
    assert_int_equal(kit_destroyed, 1);
    assert_int_equal(heapcheck_count(NULL), 0);
}

/* A hook may jump within itself: the release around it goes on. */
static struct hooked *inner, *leaving;
static void jump_inside(struct hooked *dying)
{
    if (dying == leaving)
        longjmp(place, 1);
    if (!inner)
        return;
    struct hooked *volatile mine = leaving = inner;
    inner = NULL;
    struct ouro_mark here = ouro_frame_mark();
    KIT_CHECK(ouro_frame_own(hooked_new(50)) == OURO_OK);
    jmp_buf back;
    memcpy(&back, &place, sizeof back);
    if (setjmp(place) == 0) {
        if (OURO_CHECKED)
            leaving = NULL;    /* there no cell is used again: it dies later */
        ouro_drop_reuse(mine); /* its hook leaves */
        KIT_CHECK(OURO_CHECKED);
        longjmp(place, 1);
    }
    leaving = NULL;
    ouro_frame_unwind(&here);
    memcpy(&place, &back, sizeof back);
    KIT_CHECK(ouro__self->releasing);
}

static void a_hook_may_unwind_within_itself(void **state)
{
    (void)state;
    kit_on_destroy = jump_inside;
    inner = hooked_new(2);
    struct hooked *root = chain(5);
    run(decref, root);
    assert_int_equal(jumps, 0);
    assert_int_equal(kit_destroyed, 7);
}

static void drop_for_reuse(void *object)
{
    ouro_reuse token = ouro_drop_reuse(object);
    ouro_reuse_free(token);
}

static void leave_at_once(struct hooked *dying)
{
    (void)dying;
    kit_on_destroy = NULL;
    longjmp(place, 1);
}

/* Nor is what it held dropped: nobody knows how far it came. */
static void a_cell_whose_hook_left_is_no_token(void **state)
{
    (void)state;
    kit_on_destroy = leave_at_once;
    struct hooked *root = chain(3), *held = root->a;
    run(drop_for_reuse, root);
    assert_int_equal(jumps, 1);
    assert_int_equal(kit_destroyed, 1);
    assert_int_equal(ouro_count(held), 1);
    ouro_decref(held);
    assert_int_equal(kit_destroyed, 3);
}

static uint64_t blocks(void)
{
    struct ouro_stats stats;
    ouro_stats_get(&stats);
    return stats.counted.blocks;
}

/* What hung on it dies after its contents are gone, and before the caller has the token. */
static void no_cell_is_lost_if_the_hook_of_what_hung_on_it_leaves(void **state)
{
    (void)state;
    kit_on_destroy = leave_if_it_is_him;
    leaver = 3;
    for (int flat = 0; flat < 2; flat++) {
        uint64_t before = blocks();
        struct hooked *held = chain(3), *root = NULL;
        struct node *node = NULL;
        if (flat)
            (node = node_new(1))->a = (struct node *)(void *)held;
        else
            (root = hooked_new(1))->a = held;
        run(drop_for_reuse, flat ? (void *)node : (void *)root);
        assert_int_equal(jumps, 1);
        if (!OURO_CHECKED && heapcheck_can_walk()) /* it keeps freed objects */
            assert_int_equal(blocks(), before);
    }
}

/* -- collections ------------------------------------------------------------------------------- */

static void a_collection_goes_on_where_a_hook_left_it(void **state)
{
    (void)state;
    if (OURO_TSAN && KIT_ATOMIC)
        skip();
    kit_on_destroy = leave_if_it_is_him;
    for (leaver = 3; leaver >= -1; leaver -= 4) {
        kit_destroyed = 0;
        struct hooked *ring = ring_of(6);
        struct ouro_weak *weak = ouro_weak_new(ring);
        run(collect, NULL);
        assert_int_equal(jumps, leaver < 0 ? 6 : 1);
        assert_int_equal(kit_destroyed, 6);
        assert_null(ouro_weak_upgrade(weak));
        ouro_weak_decref(weak);
        assert_int_equal(heapcheck_count(NULL), 0);
    }
    kit_on_destroy = NULL;
    ring_of(4); /* and the next one is as ever */
    assert_int_equal(ouro_collect(NULL), 4);
}

static void save_the_first_and_leave(struct hooked *dying)
{
    if (dying->id != 1)
        return;
    saved = dying;
    ouro_incref(dying);
    ouro_lifted_destroy(dying, &hooked_type);
    longjmp(place, 1);
}

static void who_is_saved_from_a_collection_that_is_left_lives(void **state)
{
    (void)state;
    if (OURO_TSAN && KIT_ATOMIC)
        skip();
    kit_on_destroy = save_the_first_and_leave;
    struct hooked *ring = ring_of(3);
    run(collect, NULL);
    assert_int_equal(jumps, 1);
    assert_int_equal(kit_destroyed, 3);
    assert_ptr_equal(saved, ring);
    assert_int_equal(ouro_count(saved), 1);
    assert_int_equal(heapcheck_count(NULL), heapcheck_can_walk());
    ouro_decref(saved);
}

static void candidates_from_a_hook_that_left_are_collected(void **state)
{
    (void)state;
    if (OURO_TSAN && KIT_ATOMIC)
        skip();
    kit_on_destroy = leave_if_it_is_him;
    leaver = 2;
    struct hooked *ring = ring_of(2);
    struct node *other = kit_ring(3); /* held by the ring's second */
    ring->b = (struct hooked *)(void *)other;
    ouro_incref(other);
    run(collect, NULL);
    ouro_collect(NULL);
    assert_int_equal(kit_destroyed, 2);
    assert_int_equal(heapcheck_count(NULL), 0);
}

/* -- hooks of traversals ----------------------------------------------------------------------- */

struct traced {
    struct traced *self;
};
static bool trace_leaves;
static void traced_trace(void *value, const struct ouro_type *type, struct ouro_visitor *visitor)
{
    if (trace_leaves)
        longjmp(place, 1);
    ouro_lifted_trace(value, type, visitor);
}
static struct ouro_type traced_type;
static const struct ouro_field traced_fields[] = {OURO_REF(struct traced, self, &traced_type)};
static struct ouro_type traced_type = {.size = sizeof(struct traced),
                                       .name = "traced",
                                       .fields = traced_fields,
                                       .field_count = 1,
                                       .hooks = {.trace = traced_trace}};

static struct traced *traced_ring(void)
{
    struct traced *t = OURO_NEW(struct traced, &traced_type);
    KIT_CHECK(t != NULL);
    ouro_slot_copy(t, (void **)&t->self, t);
    ouro_decref(t);
    return t;
}

static jmp_buf outer;
static void leave_the_failure(const struct ouro_failure *failure, void *arg)
{
    *(ouro_failure_kind *)arg = failure->kind;
    longjmp(outer, 1);
}

static void a_trace_hook_that_leaves_is_named_and_the_collection_taken_back(void **state)
{
    (void)state;
    if (OURO_TSAN && KIT_ATOMIC)
        skip();
    traced_ring();
    struct hooked *ring = ring_of(3);
    struct ouro_weak *weak = ouro_weak_new(ring);
    ouro_failure_kind kind = OURO_FAIL_COUNT;
    ouro_set_fail_handler(leave_the_failure, &kind);
    trace_leaves = true;
    if (setjmp(outer) == 0)
        run(collect, NULL);
    trace_leaves = false;
    ouro_set_fail_handler(NULL, NULL);
    assert_int_equal(kind, OURO_FAIL_MISUSE);
    assert_int_equal(kit_destroyed, 0);
    assert_int_equal(ouro_collect(NULL), 4); /* nothing was forgotten, no lock is held */
    assert_int_equal(kit_destroyed, 3);
    assert_null(ouro_weak_upgrade(weak));
    ouro_weak_decref(weak);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(what_waits_dies_though_a_hook_left),
        kit_test(hooks_that_all_leave_run_once_each),
        kit_test(unwinding_goes_on_where_a_hook_left_it),
        kit_test(who_is_saved_by_a_hook_that_leaves_lives),
        kit_test(a_hook_may_unwind_within_itself),
        kit_test(a_cell_whose_hook_left_is_no_token),
        kit_test(no_cell_is_lost_if_the_hook_of_what_hung_on_it_leaves),
        kit_test(a_collection_goes_on_where_a_hook_left_it),
        kit_test(who_is_saved_from_a_collection_that_is_left_lives),
        kit_test(candidates_from_a_hook_that_left_are_collected),
        kit_test(a_trace_hook_that_leaves_is_named_and_the_collection_taken_back),
    };
    return kit_run(tests);
}
