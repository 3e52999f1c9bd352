/* SPDX-License-Identifier: MIT */
/* Hooks of bare objects that leave a collection by longjmp: nothing is lost but what their fields
 * held, the others run once each, and what was a candidate still is. White-box: see orc_kit.h. */
#include "orc/index.h"

#include "bare_kit.h"
#include "jumps.h"

#include <pthread.h>

/* Bytes of raw blocks: what the library took for the collection is among them. 0 where objects that
 * are kept for a while may be, too. */
static uint64_t raw_bytes(void)
{
    struct ouro_stats stats;
    if (OURO_CHECKED)
        return 0;
    ouro_stats_get(&stats);
    return stats.raw.bytes;
}

/* Its slots are empty: with its leaf it drops all that it holds. */
static void leave_if_its_turn(struct bnode *dying)
{
    KIT_CHECK(dying->a == NULL && dying->b == NULL);
    if (dying->id != leaver && leaver >= 0)
        return;
    bleaf_drop(dying->leaf);
    longjmp(place, 1);
}

/* Each with a leaf; the ids are in the order of destruction. */
static void drop_ring(size_t n)
{
    struct bnode *ring = bnode_ring(n), *at = ring;
    for (size_t i = 0; i < n; i++, at = at->a)
        at->leaf = ouro_new_bare(24, 8);
    bnode_drop(ring);
}

static void check_order(size_t n)
{
    assert_int_equal(bnode_destroyed, n);
    for (size_t i = 0; i < n && i < OURO_COUNT_OF(bnode_log); i++)
        assert_int_equal(bnode_log[i], i);
}

/* Whoever leaves, and if all do; in Nim's order, before the jump and after. */
static void a_collection_goes_on_where_a_hook_left_it(void **state)
{
    (void)state;
    const int64_t sizes[] = {1, 2, 7, 300};
    bnode_on_destroy = leave_if_its_turn;
    for (int round = 0; round < 2; round++) { /* the first one makes the arrays that stay */
        uint64_t blocks = bare_blocks(), raw = raw_bytes();
        for (size_t k = 0; k < OURO_COUNT_OF(sizes); k++) {
            int64_t n = sizes[k];
            for (leaver = n - 1; leaver >= -1; leaver -= n > 10 && leaver > 37 ? 37 : 1) {
                bnode_destroyed = 0;
                drop_ring((size_t)n);
                run(collect, NULL);
                assert_int_equal(jumps, leaver < 0 ? n : 1);
                check_order((size_t)n);
                assert_int_equal(ouro_candidates(), 0);
                assert_int_equal(bare_blocks(), blocks);
            }
        }
        assert_true(round == 0 || raw_bytes() == raw);
    }
    bnode_on_destroy = NULL;
    bnode_drop(bnode_ring(4)); /* and the next one is as ever */
    assert_int_equal(ouro_collect(NULL), 4);
}

/* What a hook makes lies in the cells of those that have gone; the dead that come later still have
 * slots that lead there. */
static struct bnode *kept[64];
static size_t kept_count;
static void keep_some_and_leave(struct bnode *dying)
{
    KIT_CHECK(dying->a == NULL && dying->b == NULL);
    if (dying->id < leaver || kept_count == OURO_COUNT_OF(kept))
        return;
    struct bnode *fresh = kept[kept_count++] = bnode_new(-1);
    bnode_drop(bare_share(fresh)); /* of a known type */
    ouro_incref(fresh);
    ouro_incref(fresh);
    longjmp(place, 1);
}

static void large_garbage_goes_on_in_blocks(void **state)
{
    (void)state;
    uint64_t before = bare_blocks();
    size_t n = kit_instrumented() ? 66000 : 200000;
    bnode_on_destroy = keep_some_and_leave;
    for (leaver = 0; leaver < 1000; leaver += 300) {
        bnode_destroyed = kept_count = 0;
        ouro_collect_pause();
        struct bnode *ring = bnode_ring(n), *at = ring, *second = ring->a;
        for (size_t i = 0; i < n; i++, at = at->a) /* back to the first ones */
            at->b = bare_share(i % 2 ? ring : second);
        bnode_drop(ring);
        run(collect, NULL);
        ouro_collect_resume();
        assert_int_equal(bnode_destroyed, n);
        assert_int_equal(jumps, OURO_COUNT_OF(kept));
        for (size_t i = 0; i < kept_count; i++) {
            assert_int_equal(ouro_count(kept[i]), 3);
            bnode_drop(kept[i]);
            bnode_drop(kept[i]);
            bnode_drop(kept[i]);
        }
        assert_int_equal(bnode_destroyed, n + kept_count);
    }
    assert_int_equal(bare_blocks(), before);
}

static struct bnode *rescued;
static void save_the_second_and_leave(struct bnode *dying)
{
    if (dying->id != 1)
        return;
    rescued = bare_share(dying);
    dying->magic = BNODE_LIVES;
    longjmp(place, 1);
}

static void who_is_saved_by_a_hook_that_leaves_lives(void **state)
{
    (void)state;
    bnode_on_destroy = save_the_second_and_leave;
    bnode_drop(bnode_ring(3));
    run(collect, NULL);
    bnode_on_destroy = NULL;
    assert_int_equal(jumps, 1);
    assert_int_equal(bnode_destroyed, 3);
    assert_int_equal(ouro_count(rescued), 1);
    bnode_drop(rescued);
    assert_int_equal(bnode_destroyed, 4);
}

static void leave_with_the_first_hooked(struct hooked *dying)
{
    kit_on_destroy = NULL;
    ouro_lifted_destroy(dying, &hooked_type);
    longjmp(place, 1);
}

/* One bare object that leaves, then one of the others. */
static void ordinary_garbage_goes_as_well(void **state)
{
    (void)state;
    if (OURO_TSAN && KIT_ATOMIC)
        skip();
    bnode_on_destroy = leave_if_its_turn;
    kit_on_destroy = leave_with_the_first_hooked;
    leaver = 2;
    drop_ring(5);
    ring_of(4);
    kit_garbage_ring(3);
    run(collect, NULL);
    assert_int_equal(jumps, 2);
    check_order(5);
    assert_int_equal(kit_destroyed, 4);
    assert_int_equal(ouro_candidates(), 0);
}

/* -- a part of the candidates ------------------------------------------------------------------ */

#define MANY 10
static uint32_t limit;
static void collect_above(void *unused)
{
    (void)unused;
    ouro__collect_above(ouro__self, limit);
}

static struct bnode *many[MANY]; /* borrowed */

/* Rings of one, garbage, each a candidate, in this order. */
static void make_candidates(void)
{
    bnode_destroyed = 0;
    for (int64_t i = 0; i < MANY; i++) {
        many[i] = bnode_new(i);
        many[i]->a = bare_share(many[i]);
        bnode_drop(many[i]);
    }
}

static void check_candidates(int64_t first, uint32_t n)
{
    const struct ouro__visited *v = &ouro__self->visited;
    assert_int_equal(ouro_candidates(), n);
    for (uint32_t i = 0; i < n; i++) {
        struct bnode *node = v->entries[i].object;
        assert_int_equal(node->id, first + i);
        assert_int_equal(ouro__header(node)->visited, i + 1);
    }
}

static void candidates_set_aside_are_candidates_again(void **state)
{
    (void)state;
    make_candidates();
    ouro_collect(NULL);
    bnode_on_destroy = leave_if_its_turn;
    uint64_t blocks = bare_blocks(), raw = raw_bytes();
    for (limit = 1; limit < MANY; limit++) {
        for (leaver = MANY - 1; leaver >= -1; leaver--) {
            make_candidates();
            run(collect_above, NULL);
            assert_int_equal(jumps, leaver < 0 ? MANY - limit : leaver >= limit);
            assert_int_equal(bnode_destroyed, MANY - limit);
            check_candidates(0, limit);
            bnode_destroyed = 0;
            run(collect, NULL);
            check_order(limit);
            assert_int_equal(bare_blocks(), blocks);
            assert_true(raw_bytes() == raw);
        }
    }
}

/* A hook that runs after the collection, in the release of what died of it, or inside another
 * release, in which no collection runs. */
static void drop_in_a_release(struct hooked *dying)
{
    ouro_lifted_destroy(dying, &hooked_type);
    collect_above(NULL);
    longjmp(place, 1);
}

static void leave_after(struct bnode *dying)
{
    if (dying->id == MANY - 1)
        ouro_decref(hooked_new(1));
}

static void a_hook_may_leave_a_release_meanwhile(void **state)
{
    (void)state;
    limit = 4;
    bnode_on_destroy = leave_after;
    kit_on_destroy = leave_with_the_first_hooked;
    make_candidates();
    run(collect_above, NULL);
    assert_int_equal(jumps, 1);
    check_candidates(0, limit);
    assert_int_equal(bnode_destroyed, MANY - limit);
    bnode_on_destroy = NULL;
    kit_on_destroy = drop_in_a_release;
    run(decref, hooked_new(2));
    assert_int_equal(jumps, 1);
    check_candidates(0, limit);
}

/* Who makes a mark inside, and is unwound to that, leaves nothing. */
static struct leaf *spared;
static void jump_inside(struct bnode *dying)
{
    struct ouro_mark here = ouro_frame_mark();
    struct bnode *volatile mine = dying;
    jmp_buf back;
    if (setjmp(back) == 0) {
        KIT_CHECK(ouro_frame_own(bare_share(spared)) == OURO_OK);
        longjmp(back, 1);
    }
    ouro_frame_unwind(&here);
    KIT_CHECK(ouro__self->visited.collecting && mine->magic == BNODE_DEAD);
    KIT_CHECK(ouro_candidates() < 4 + MANY - limit);
}

static void a_mark_inside_is_no_reason_to_put_them_back(void **state)
{
    (void)state;
    limit = 4;
    spared = leaf_new(1);
    make_candidates();
    bnode_on_destroy = jump_inside;
    run(collect_above, NULL);
    bnode_on_destroy = NULL;
    assert_int_equal(jumps, 0);
    check_candidates(0, limit);
    assert_int_equal(ouro_count(spared), 1);
    ouro_decref(spared);
}

/* Between the jump and the unwinding the program goes on: it drops some that are set aside, and
 * makes new ones. */
static void what_happens_before_the_unwinding_counts(void **state)
{
    (void)state;
    limit = 6;
    leaver = 7;
    make_candidates();
    struct bnode *loose = many[2]->a; /* its own reference, which it does not hold any more */
    many[2]->a = NULL;
    bnode_on_destroy = leave_if_its_turn;
    mark = ouro_frame_mark();
    if (setjmp(place) == 0) {
        collect_above(NULL);
        fail();
    }
    bnode_drop(loose);
    struct bnode *newer = bnode_new(20);
    bnode_drop(bare_share(newer));
    ouro_frame_unwind(&mark);
    bnode_on_destroy = NULL;
    assert_int_equal(ouro_candidates(), limit - 1 + 1);
    assert_ptr_equal(ouro__self->visited.entries[limit - 1].object, newer);
    bnode_drop(newer);
    assert_int_equal(ouro_collect(NULL), limit - 1);
    assert_int_equal(bnode_destroyed, MANY + 1);
}

/* -- deep in the stack, where the runtime runs the hook ---------------------------------------- */

/* Not by a variable's address: a sanitizer may put that elsewhere. A frame's own address may be its
 * lowest, so a page deeper than need be. */
static void drop_deep(void *n)
{
    volatile char frame[1024];
    frame[0] = 1;
    if ((uintptr_t)__builtin_frame_address(0) + 4096 <= ouro__deep)
        bnode_drop(n);
    else
        drop_deep(n);
    frame[1] = frame[0];
}

static void leave_deep(void *n)
{
    struct bnode *top = bnode_new(-1);
    bnode_drop(top); /* the first drop finds out where the stack lies */
    KIT_CHECK(ouro__deep != UINTPTR_MAX);
    leaver = 50;
    bnode_on_destroy = leave_if_its_turn;
    run(drop_deep, n ? n : bnode_new(50));
    KIT_CHECK(jumps == 1);
    bnode_on_destroy = NULL;
}
static void leave_deep_with_a_candidate(void *unused)
{
    struct bnode *n = bnode_new(50);
    (void)unused;
    bnode_drop(bare_share(n));
    leave_deep(n);
    ouro_collect(NULL);
    KIT_CHECK(ouro_candidates() == 0);
}

static void what_a_hook_leaves_deep_in_the_stack_goes(void **state)
{
    (void)state;
    bnode_drop(bnode_new(0));
    uint64_t blocks = bare_blocks();
    leave_deep(NULL);
    leave_deep_with_a_candidate(NULL);
    assert_int_equal(bare_blocks(), blocks);
    if (!OURO_THREADS)
        return;
    kit_on_small_stack(leave_deep, NULL);
    kit_on_small_stack(leave_deep_with_a_candidate, NULL);
    assert_int_equal(bare_blocks(), blocks);
    struct bnode *mine = bnode_new(50); /* of which another thread has the index */
    bnode_drop(bare_share(mine));
    bnode_destroyed = 0;
    kit_on_small_stack(leave_deep, mine);
    assert_int_equal(bnode_destroyed, 2);
    ouro_collect(NULL);
    assert_int_equal(ouro_candidates(), 0);
    assert_int_equal(bare_blocks(), blocks);
}

/* -- a thread's end ---------------------------------------------------------------------------- */

static void end_the_thread(struct bnode *dying)
{
    bnode_on_destroy = NULL;
    bleaf_drop(dying->leaf);
    pthread_exit(NULL);
}
static void collect_and_end(void *above)
{
    bnode_on_destroy = end_the_thread;
    limit = 4;
    make_candidates();
    if (above)
        collect_above(NULL);
    else
        collect(NULL);
}
static void *thread(void *above)
{
    collect_and_end(above);
    return NULL;
}

static void a_thread_may_end_in_a_hook(void **state)
{
    (void)state;
    if (!OURO_THREADS)
        skip();
    bnode_drop(bnode_new(0)); /* from here on this thread is one of Ouro's */
    uint64_t blocks = bare_blocks();
    for (int above = 0; above < 2; above++) {
        pthread_t t;
        KIT_CHECK(pthread_create(&t, NULL, thread, above ? &limit : NULL) == 0);
        pthread_join(t, NULL);
        if (above) /* what the thread set aside is left to a thread that is alone */
            assert_int_equal(bnode_destroyed, MANY - limit);
        if (OURO_TSAN)
            continue;
        bool alone = kit_alone();
        ouro_collect(NULL);
        if (alone) {
            assert_int_equal(bnode_destroyed, MANY);
            assert_int_equal(bare_blocks(), blocks);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        bare_test(a_collection_goes_on_where_a_hook_left_it),
        bare_test(who_is_saved_by_a_hook_that_leaves_lives),
        bare_test(ordinary_garbage_goes_as_well),
        bare_test(candidates_set_aside_are_candidates_again),
        bare_test(a_hook_may_leave_a_release_meanwhile),
        bare_test(a_mark_inside_is_no_reason_to_put_them_back),
        bare_test(what_happens_before_the_unwinding_counts),
        bare_test(what_a_hook_leaves_deep_in_the_stack_goes),
        bare_test(a_thread_may_end_in_a_hook),
        bare_test(large_garbage_goes_on_in_blocks),
    };
    return kit_run(tests);
}
