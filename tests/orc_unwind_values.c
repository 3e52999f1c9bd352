/* SPDX-License-Identifier: MIT */
/* Hooks of values, the memory callback and handlers of failures that leave by longjmp: what becomes
 * of what the library was at (docs/edges.md). White-box: see orc_kit.h. */
#include "jumps.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(hooks_of_values_that_leave_have_not_happened),
        kit_test(the_source_of_a_dup_that_was_left_is_whole),
        kit_test(a_was_moved_hook_that_leaves_is_named),
        kit_test(the_memory_callback_may_leave),
        kit_test(the_memory_callback_may_leave_out_of_a_hook),
        kit_test(a_handler_may_leave_out_of_a_hook),
        kit_test(an_over_release_in_a_run_is_reported_when_it_is_done),
    };
    return kit_run(tests);
}
