/* SPDX-License-Identifier: MIT */
/* Hooks, the memory callback and handlers of failures that leave by longjmp: what becomes of what
 * the library was at (docs/edges.md). White-box: see orc_kit.h. */
#include "orc_kit.h"

#include "orc/weak.h"

#include <pthread.h>
#include <setjmp.h>
#include <string.h>

static jmp_buf place;
static struct ouro_mark mark;
static volatile int jumps;

/* Runs act(arg), which may jump, and unwinds each time, until nothing jumps any more. */
static void run(void (*act)(void *), void *arg)
{
    mark = ouro_frame_mark();
    jumps = 0;
    if (setjmp(place) == 0) {
        act(arg);
        return;
    }
    jumps++;
    ouro_frame_unwind(&mark); /* hooks that it runs may jump here again */
    KIT_CHECK(!ouro__self->releasing && !ouro__self->visited.collecting);
    KIT_CHECK(!ouro__self->at_hand && !ouro__self->pending && !ouro__own.pleading);
}

static void decref(void *object)
{
    ouro_decref(object);
}
static void collect(void *arg)
{
    (void)arg;
    ouro_collect(NULL);
}

/* -- destroy ----------------------------------------------------------------------------------- */

static int64_t leaver; /* whose hook leaves, having dropped its fields; -1: all */

static void leave_if_it_is_him(struct hooked *dying)
{
    if (dying->id != leaver && leaver >= 0)
        return;
    ouro_lifted_destroy(dying, &hooked_type);
    longjmp(place, 1);
}

static struct hooked *chain(int64_t n)
{
    struct hooked *first = NULL;
    for (int64_t i = n; i > 0; i--) {
        struct hooked *h = hooked_new(i);
        h->a = first;
        first = h;
    }
    return first;
}

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

static struct hooked *ring_of(int64_t n)
{
    struct hooked *first = hooked_new(1), *last = first;
    for (int64_t i = 2; i <= n; i++) {
        last->a = hooked_new(i);
        last = last->a;
    }
    last->a = first;
    kit_touch(first);
    return first;
}

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

/* -- hooks of values --------------------------------------------------------------------------- */

struct jumpy {
    void *ref;
    int number;
};
static enum { NONE, DESTROY, WAS_MOVED, SINK, COPY, DUP, DEEPCOPY } jumpy_leaves;
static void leave_from(int hook)
{
    if ((int)jumpy_leaves == hook)
        longjmp(place, 1);
}
static void jumpy_destroy(void *value, const struct ouro_type *type)
{
    ouro_lifted_destroy(value, type);
    leave_from(DESTROY);
}
static void jumpy_was_moved(void *value, const struct ouro_type *type)
{
    leave_from(WAS_MOVED);
    ouro_lifted_was_moved(value, type);
}
static void jumpy_sink(void *to, void *from, const struct ouro_type *type)
{
    leave_from(SINK);
    ouro_lifted_sink(to, from, type);
}
static ouro_status jumpy_dup(void *fresh, const void *from, const struct ouro_type *type)
{
    leave_from(DUP);
    return ouro_lifted_dup(fresh, from, type);
}
static ouro_status jumpy_copy(void *to, const void *from, const struct ouro_type *type)
{
    leave_from(COPY);
    return ouro_lifted_copy(to, from, type);
}
static ouro_status jumpy_deepcopy(void *fresh, const void *from, const struct ouro_type *type,
                                  struct ouro_memo *memo)
{
    leave_from(DEEPCOPY);
    return ouro_lifted_deepcopy(fresh, from, type, memo);
}
static const struct ouro_field jumpy_fields[] = {OURO_REF(struct jumpy, ref, NULL)};
static struct ouro_type jumpy_type = {.size = sizeof(struct jumpy),
                                      .name = "jumpy",
                                      .fields = jumpy_fields,
                                      .field_count = 1,
                                      .hooks = {.destroy = jumpy_destroy,
                                                .was_moved = jumpy_was_moved,
                                                .sink = jumpy_sink,
                                                .copy = jumpy_copy,
                                                .dup = jumpy_dup,
                                                .deepcopy = jumpy_deepcopy}};

static struct jumpy a, b;
static void sink_it(void *arg)
{
    (void)arg;
    ouro_sink(&b, &a, &jumpy_type);
}
static void copy_it(void *arg)
{
    (void)arg;
    (void)ouro_copy(&b, &a, &jumpy_type);
}
static void dup_it(void *arg)
{
    (void)arg;
    (void)ouro_dup(&b, &a, &jumpy_type);
}
static void deepcopy_it(void *arg)
{
    (void)arg;
    (void)ouro_deepcopy_value(&b, &a, &jumpy_type);
}
static void destroy_it(void *arg)
{
    (void)arg;
    ouro_destroy_value(&a, &jumpy_type);
}

/* What a copy, a dup, a deep copy or a sink that was left had not done yet is not done. */
static void hooks_of_values_that_leave_have_not_happened(void **state)
{
    (void)state;
    void (*const acts[])(void *) = {sink_it, copy_it, dup_it, deepcopy_it};
    const int hooks[] = {SINK, COPY, DUP, DEEPCOPY};
    a = (struct jumpy){leaf_new(1), 1};
    for (size_t i = 0; i < 4; i++) {
        b = (struct jumpy){NULL, 2};
        jumpy_leaves = hooks[i];
        run(acts[i], NULL);
        jumpy_leaves = NONE;
        assert_int_equal(jumps, 1);
        assert_true(a.ref != NULL && a.number == 1 && b.ref == NULL && b.number == 2);
        assert_int_equal(ouro_count(a.ref), 1);
    }
    jumpy_leaves = DESTROY;
    run(destroy_it, NULL);
    jumpy_leaves = NONE;
    assert_int_equal(kit_destroyed, 1);
}

/* In a sequence in a sequence: the source is whole, the copy is none. */
static ouro_seq rows, copied;
static struct ouro_type row_type;
static const struct ouro_field row_fields[] = {
    {.name = "row", .kind = OURO_FIELD_SEQ, .type = &jumpy_type}};
static struct ouro_type row_type = {
    .size = sizeof(ouro_seq), .name = "row", .fields = row_fields, .field_count = 1};
static const struct ouro_field table_fields[] = {
    {.name = "rows", .kind = OURO_FIELD_SEQ, .type = &row_type}};
static struct ouro_type table_type = {
    .size = sizeof(ouro_seq), .name = "table", .fields = table_fields, .field_count = 1};

static void dup_rows(void *arg)
{
    (void)arg;
    (void)ouro_dup(&copied, &rows, &table_type);
}

static void dup_rows_in_a_child(void)
{
    jumpy_leaves = DUP;
    run(dup_rows, NULL);
    jumpy_leaves = NONE;
    KIT_CHECK(jumps == 1);
    KIT_CHECK(rows.len == 3 && ((ouro_seq *)ouro_seq_data(&rows))[2].len == 1);
    ouro_destroy_value(&rows, &table_type);
    KIT_CHECK(kit_destroyed == 3);
    kit_child_ends(0);
}

static void the_source_of_a_dup_that_was_left_is_whole(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        ouro_seq row = {0, NULL};
        struct jumpy element = {leaf_new(i), i};
        assert_int_equal(ouro_seq_push(&row, &jumpy_type, &element), OURO_OK);
        assert_int_equal(ouro_seq_push(&rows, &row_type, &row), OURO_OK);
    }
    pid_t child = kit_fork(); /* what was made of the copy leaks */
    if (child == 0)
        dup_rows_in_a_child();
    assert_int_equal(kit_wait(child), 0);
    ouro_destroy_value(&rows, &table_type);
}

static void leave_was_moved(void *arg)
{
    (void)arg;
    a = (struct jumpy){NULL, 1};
    b = a;
    jumpy_leaves = WAS_MOVED;
    run(sink_it, NULL);
}

static void a_was_moved_hook_that_leaves_is_named(void **state)
{
    (void)state;
    assert_int_equal(kit_failure_of(leave_was_moved, NULL), OURO_FAIL_MISUSE);
}

/* -- the memory callback ----------------------------------------------------------------------- */

static bool leave_the_callback(size_t bytes, void *arg)
{
    (void)bytes;
    if (arg)
        ouro_decref(arg);
    longjmp(place, 1);
}

static void take_much(void *arg)
{
    (void)arg;
    KIT_CHECK(ouro_frame_own(hooked_new(1)) == OURO_OK);
    KIT_CHECK(ouro_malloc((size_t)1 << 30) == NULL);
}

static void the_memory_callback_may_leave(void **state)
{
    (void)state;
    for (int i = 1; i <= 3; i++) {
        struct hooked *cached = hooked_new(2);
        ouro_set_limit((size_t)1 << 29, leave_the_callback, cached);
        run(take_much, NULL);
        assert_int_equal(jumps, 1);
        assert_int_equal(kit_destroyed, 2 * i);
    }
    ouro_set_limit(0, NULL, NULL);
}

static void take_much_while_dying(struct hooked *dying)
{
    if (dying->id == 3)
        KIT_CHECK(ouro_malloc((size_t)1 << 30) == NULL);
}

static void the_memory_callback_may_leave_out_of_a_hook(void **state)
{
    (void)state;
    kit_on_destroy = take_much_while_dying;
    ouro_set_limit((size_t)1 << 29, leave_the_callback, NULL);
    struct hooked *root = hooked_new(1);
    root->a = hooked_new(3);
    root->b = chain(2);
    run(decref, root);
    ouro_set_limit(0, NULL, NULL);
    assert_int_equal(jumps, 1);
    assert_int_equal(kit_destroyed, 4);
    assert_int_equal(heapcheck_count(NULL), 0);
}

/* -- handlers of failures ---------------------------------------------------------------------- */

static void leave_by_handler(const struct ouro_failure *failure, void *arg)
{
    *(ouro_failure_kind *)arg = failure->kind;
    longjmp(place, 1);
}

static void fail_while_dying(struct hooked *dying)
{
    if (dying->id == 2)
        ouro_fail(OURO_FAIL_MISUSE, dying, "hooked", "a rule of the program's own");
}

static void a_handler_may_leave_out_of_a_hook(void **state)
{
    (void)state;
    ouro_failure_kind kind = OURO_FAIL_COUNT;
    ouro_set_fail_handler(leave_by_handler, &kind);
    kit_on_destroy = fail_while_dying;
    struct hooked *root = hooked_new(1);
    root->a = hooked_new(2);
    root->b = chain(1);
    run(decref, root);
    ouro_set_fail_handler(NULL, NULL);
    assert_int_equal(kind, OURO_FAIL_MISUSE);
    assert_int_equal(kit_destroyed, 3);
    assert_int_equal(heapcheck_count(NULL), 0);
}

/* In the middle of a run of flat objects: all the others go, then it is reported. */
static void an_over_release_in_a_run_is_reported_when_it_is_done(void **state)
{
    (void)state;
    if (!heapcheck_can_walk())
        skip();
    ouro_failure_kind kind = OURO_FAIL_COUNT;
    struct node *root = node_new(0), *last = root;
    struct leaf *gone = leaf_new_merged(1);
    for (int64_t i = 1; i < 100; i++) {
        last->a = node_new(i);
        last->b = i == 50 ? (struct node *)(void *)gone : (struct node *)(void *)leaf_new(i);
        last = last->a;
    }
    ouro_decref(gone);
    ouro_set_fail_handler(leave_by_handler, &kind);
    run(decref, root);
    ouro_set_fail_handler(NULL, NULL);
    assert_int_equal(jumps, 1);
    assert_int_equal(kind, OURO_FAIL_OVER_RELEASE);
    assert_int_equal(kit_destroyed, 99);
    assert_int_equal(heapcheck_count(NULL), 0);
}

/* -- threads ----------------------------------------------------------------------------------- */

/* 1 has 2 and 3; or a ring of 1 and 2. */
static OURO_NOINLINE struct hooked *a_few(bool ring)
{
    struct hooked *root = hooked_new(1);
    root->a = hooked_new(2);
    if (ring) {
        root->a->a = root;
        kit_touch(root);
    } else {
        root->b = hooked_new(3);
    }
    return root;
}

static void *jump_and_end(void *arg)
{
    struct hooked *root = a_few(arg != NULL);
    if (setjmp(place) == 0) {
        if (arg)
            ouro_collect(NULL);
        else
            ouro_decref(root);
    }
    return NULL; /* without unwinding */
}

static void the_end_of_a_thread_finishes_what_was_left(void **state)
{
    (void)state;
    if (!OURO_THREADS)
        skip();
    leaver = 2;
    for (int way = 0; way < (KIT_ATOMIC ? 1 : 2); way++) { /* merged garbage waits for others */
        kit_destroyed = 0;
        kit_on_destroy = leave_if_it_is_him;
        pthread_t thread;
        KIT_CHECK(pthread_create(&thread, NULL, jump_and_end, way ? &place : NULL) == 0);
        pthread_join(thread, NULL);
        assert_int_equal(kit_destroyed, way ? 2 : 3);
        assert_int_equal(heapcheck_count(&hooked_type), 0);
    }
}

static void exit_from_a_hook(struct hooked *dying)
{
    if (dying->id == 2)
        pthread_exit(NULL);
}

static void a_thread_may_end_in_a_hook(void **state)
{
    (void)state;
    if (!OURO_THREADS)
        skip();
    kit_on_destroy = exit_from_a_hook;
    pthread_t thread;
    KIT_CHECK(pthread_create(&thread, NULL, jump_and_end, NULL) == 0);
    pthread_join(thread, NULL);
    assert_int_equal(kit_destroyed, 3);
    assert_int_equal(heapcheck_count(&hooked_type), 0);
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
        kit_test(hooks_of_values_that_leave_have_not_happened),
        kit_test(the_source_of_a_dup_that_was_left_is_whole),
        kit_test(a_was_moved_hook_that_leaves_is_named),
        kit_test(the_memory_callback_may_leave),
        kit_test(the_memory_callback_may_leave_out_of_a_hook),
        kit_test(a_handler_may_leave_out_of_a_hook),
        kit_test(an_over_release_in_a_run_is_reported_when_it_is_done),
        kit_test(the_end_of_a_thread_finishes_what_was_left),
        kit_test(a_thread_may_end_in_a_hook),
    };
    return kit_run(tests);
}
