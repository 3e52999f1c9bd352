/* SPDX-License-Identifier: MIT */
/* hooks_written.c: white-box tests of written hooks: called in place, once, and in field order. */
#include "hooks_mock.h"

#include <stdio.h>
#include <string.h>

/* A value that logs what is done to it. */
struct loud {
    char name[8];
    void *ref;
};
static ouro_status refusal; /* what the next dup, copy or deepcopy answers */
static const char *refuses; /* the name of the value whose hooks refuse */

static void log_hook(const char *hook, const struct loud *loud)
{
    char text[32];
    snprintf(text, sizeof text, "%s:%s", hook, loud->name);
    mock_log(text);
}

static ouro_status refuse(const struct loud *loud)
{
    return refuses != NULL && strcmp(refuses, loud->name) == 0 ? refusal : OURO_OK;
}

static void loud_destroy(void *value, const struct ouro_type *type)
{
    log_hook("destroy", value);
    ouro_lifted_destroy(value, type);
}
static void loud_was_moved(void *value, const struct ouro_type *type)
{
    log_hook("moved", value);
    ouro_lifted_was_moved(value, type);
}
static void loud_sink(void *to, void *from, const struct ouro_type *type)
{
    log_hook("sink", from);
    ouro_lifted_sink(to, from, type);
}
static ouro_status loud_copy(void *to, const void *from, const struct ouro_type *type)
{
    log_hook("copy", from);
    ouro_status status = refuse(from);
    return status == OURO_OK ? ouro_lifted_copy(to, from, type) : status;
}
static ouro_status loud_dup(void *fresh, const void *from, const struct ouro_type *type)
{
    log_hook("dup", from);
    ouro_status status = refuse(from);
    return status == OURO_OK ? ouro_lifted_dup(fresh, from, type) : status;
}
static void loud_trace(void *value, const struct ouro_type *type, struct ouro_visitor *visitor)
{
    log_hook("trace", value);
    ouro_lifted_trace(value, type, visitor);
}
static ouro_status loud_deepcopy(void *fresh, const void *from, const struct ouro_type *type,
                                 struct ouro_memo *memo)
{
    log_hook("deepcopy", from);
    ouro_status status = refuse(from);
    return status == OURO_OK ? ouro_lifted_deepcopy(fresh, from, type, memo) : status;
}

static const struct ouro_field loud_fields[] = {OURO_REF(struct loud, ref, NULL)};
#define LOUD                                                                                       \
    .size = sizeof(struct loud), .align = 8, .name = "loud", .fields = loud_fields, .field_count = 1
static struct ouro_type loud = {LOUD, .hooks = {loud_destroy, loud_was_moved, loud_sink, loud_copy,
                                                loud_dup, loud_trace, loud_deepcopy}};
static struct ouro_type quiet = {LOUD};

struct group {
    struct loud value;
    int8_t has;
    int32_t tag;
    struct loud array[2];
    ouro_seq seq;
    struct loud option;
    struct loud chosen;
};
static const struct ouro_field chosen_case[] = {OURO_VALUE(struct group, chosen, &loud)};
static const struct ouro_case group_cases[] = {{"chosen", 1, 1, chosen_case, 1}};
static const struct ouro_field group_fields[] = {
    OURO_VALUE(struct group, value, &loud),
    OURO_ARRAY(struct group, array, 2, &loud),
    OURO_SEQ(struct group, seq, &loud),
    OURO_OPTION(struct group, option, has, &loud),
    OURO_UNION(struct group, chosen, tag, group_cases),
};
static struct ouro_type group_type = OURO_TYPE(struct group, group_fields);

static void *target; /* of all references */

static struct loud make_loud(const char *name)
{
    struct loud value = {"", mock_incref(target)};
    strcpy(value.name, name);
    return value;
}

static struct group make_group(void)
{
    struct group g = {.value = make_loud("v"),
                      .has = 1,
                      .tag = 1,
                      .array = {make_loud("a0"), make_loud("a1")},
                      .option = make_loud("o"),
                      .chosen = make_loud("c")};
    assert_int_equal(ouro_seq_reserve(&g.seq, &loud, 2), OURO_OK);
    ((struct loud *)ouro_seq_data(&g.seq))[0] = make_loud("s0");
    ((struct loud *)ouro_seq_data(&g.seq))[1] = make_loud("s1");
    g.seq.len = 2;
    return g;
}
enum { GROUP_REFS = 7 };

static int setup(void **state)
{
    mock_setup(state);
    target = mock_new(&quiet);
    refuses = NULL;
    return 0;
}

static int teardown(void **state)
{
    if (mock_count(target) != 1)
        return -1;
    mock_drop(target);
    return mock_teardown(state);
}

static void destroy_calls_in_field_order(void **state)
{
    (void)state;
    struct group g = make_group();
    ouro_destroy_value(&g, &group_type);
    assert_log("destroy:v destroy:a0 destroy:a1 destroy:s0 destroy:s1 destroy:o destroy:c");
}

static void was_moved_calls_what_is_there(void **state)
{
    (void)state;
    struct group g = make_group(), moved = g;
    ouro_was_moved(&moved, &group_type);
    /* What is in the sequence, or in an optional, has moved as it is. */
    assert_log("moved:v moved:a0 moved:a1 moved:c");
    moved.tag = 0;
    ouro_destroy_value(&moved, &group_type);
    assert_log("destroy:v destroy:a0 destroy:a1");
    ouro_destroy_value(&g, &group_type);
    assert_log("destroy:v destroy:a0 destroy:a1 destroy:s0 destroy:s1 destroy:o destroy:c");
}

static void dup_calls_in_field_order(void **state)
{
    (void)state;
    struct group g = make_group(), copy;
    assert_int_equal(ouro_dup(&copy, &g, &group_type), OURO_OK);
    assert_log("dup:v dup:a0 dup:a1 dup:s0 dup:s1 dup:o dup:c");
    assert_int_equal(mock_count(target), 1 + 2 * GROUP_REFS);
    ouro_destroy_value(&g, &group_type);
    ouro_destroy_value(&copy, &group_type);
    mock_forget_log();
}

static void copy_dups_then_destroys(void **state)
{
    (void)state;
    struct group g = {.value = make_loud("x")}, from = {.value = make_loud("y")};
    assert_int_equal(ouro_copy(&g, &from, &group_type), OURO_OK);
    assert_log("dup:y dup: dup: destroy:x destroy: destroy:");
    ouro_destroy_value(&g, &group_type);
    ouro_destroy_value(&from, &group_type);
    assert_log("destroy:y destroy: destroy: destroy:y destroy: destroy:");
}

static void a_refused_dup_destroys_what_was_made(void **state)
{
    (void)state;
    static const struct {
        const char *name, *log;
    } cases[] = {
        {"v", "dup:v"},
        {"a1", "dup:v dup:a0 dup:a1 destroy:v destroy:a0"},
        {"s1", "dup:v dup:a0 dup:a1 dup:s0 dup:s1 destroy:s0 destroy:v destroy:a0 destroy:a1"},
        {"c", "dup:v dup:a0 dup:a1 dup:s0 dup:s1 dup:o dup:c destroy:v destroy:a0 destroy:a1 "
              "destroy:s0 destroy:s1 destroy:o"},
    };
    struct group g = make_group(), copy;
    refusal = OURO_BUSY;
    for (size_t i = 0; i < OURO_COUNT_OF(cases); i++) {
        refuses = cases[i].name;
        assert_int_equal(ouro_dup(&copy, &g, &group_type), OURO_BUSY);
        assert_log(cases[i].log);
        assert_int_equal(mock_count(target), 1 + GROUP_REFS);
    }
    ouro_destroy_value(&g, &group_type);
    mock_forget_log();
}

static void count_slot(struct ouro_visitor *visitor, void **slot, const struct ouro_type *type)
{
    (void)visitor;
    (void)type;
    assert_ptr_equal(*slot, target);
}

static void trace_calls_in_field_order(void **state)
{
    (void)state;
    struct group g = make_group();
    struct ouro_visitor visitor = {count_slot};
    ouro_trace(&g, &group_type, &visitor);
    assert_log("trace:v trace:a0 trace:a1 trace:s0 trace:s1 trace:o trace:c");
    ouro_destroy_value(&g, &group_type);
    mock_forget_log();
}

static void deepcopy_calls_in_field_order(void **state)
{
    (void)state;
    quiet.flags = OURO_SHARED;
    struct group g = make_group(), copy;
    assert_int_equal(ouro_deepcopy_value(&copy, &g, &group_type), OURO_OK);
    assert_log("deepcopy:v deepcopy:a0 deepcopy:a1 deepcopy:s0 deepcopy:s1 deepcopy:o deepcopy:c");
    assert_int_equal(mock_count(target), 1 + 2 * GROUP_REFS);
    ouro_destroy_value(&g, &group_type);
    ouro_destroy_value(&copy, &group_type);
    quiet.flags = 0;
    mock_forget_log();
}

static void sink_calls_written_sinks_in_place(void **state)
{
    (void)state;
    struct group to = make_group(), from = make_group();
    strcpy(from.value.name, "w");
    ouro_sink(&to, &from, &group_type);
    /* Sinks of fields that are always there; what is there only sometimes is destroyed and moved.
     */
    assert_log("sink:w moved:w destroy:v sink:a0 moved:a0 destroy:a0 sink:a1 moved:a1 destroy:a1 "
               "destroy:s0 destroy:s1 destroy:o destroy:c moved:w moved:a0 moved:a1 moved:c");
    assert_string_equal(to.value.name, "w");
    assert_int_equal(mock_count(target), 1 + GROUP_REFS);
    assert_true(from.value.ref == NULL && from.array[1].ref == NULL && from.seq.len == 0);
    ouro_destroy_value(&to, &group_type);
    ouro_destroy_value(&from, &group_type);
    mock_forget_log();
}

/* Hooks that stand in for each other. */

static void copy_alone_also_makes_dups(void **state)
{
    (void)state;
    static struct ouro_type type = {LOUD, .hooks = {.copy = loud_copy}};
    struct loud a = make_loud("a"), b;
    assert_int_equal(ouro_dup(&b, &a, &type), OURO_OK);
    assert_log("copy:a");
    assert_int_equal(mock_count(target), 3);
    assert_int_equal(ouro_copy(&b, &b, &type), OURO_OK);
    assert_log("");
    ouro_destroy_value(&a, &type);
    ouro_destroy_value(&b, &type);
}

static void dup_alone_also_makes_copies_and_deepcopies(void **state)
{
    (void)state;
    static struct ouro_type type = {LOUD, .hooks = {.dup = loud_dup}};
    struct loud a = make_loud("a"), b = make_loud("b"), c;
    assert_int_equal(ouro_copy(&b, &a, &type), OURO_OK);
    assert_log("dup:a");
    assert_int_equal(ouro_deepcopy_value(&c, &a, &type), OURO_OK);
    assert_log("dup:a");
    assert_int_equal(mock_count(target), 4);
    ouro_destroy_value(&a, &type);
    ouro_destroy_value(&b, &type);
    ouro_destroy_value(&c, &type);
}

static void a_destroy_around_written_sinks_is_called(void **state)
{
    (void)state;
    struct outer {
        struct loud inner;
        char name[8];
    };
    static const struct ouro_field fields[] = {OURO_VALUE(struct outer, inner, &loud)};
    static struct ouro_type outer = OURO_TYPE(struct outer, fields);
    outer.hooks.destroy = ouro_lifted_destroy;
    struct outer a = {make_loud("a"), ""}, b = {make_loud("b"), ""};
    ouro_sink(&a, &b, &outer);
    assert_log("moved:b destroy:a");
    ouro_destroy_value(&a, &outer);
    assert_log("destroy:b");
}

/* A value that only its hooks know how to handle: a descriptor without fields. */
struct handle {
    int64_t resource;
};
static int64_t resources;

static void handle_destroy(void *value, const struct ouro_type *type)
{
    (void)type;
    resources -= ((struct handle *)value)->resource != 0;
}
static void handle_was_moved(void *value, const struct ouro_type *type)
{
    (void)type;
    ((struct handle *)value)->resource = 0;
}
static ouro_status handle_dup(void *fresh, const void *from, const struct ouro_type *type)
{
    (void)type;
    *(struct handle *)fresh = *(const struct handle *)from;
    resources += ((struct handle *)fresh)->resource != 0;
    return OURO_OK;
}
static struct ouro_type handle_type = {
    .size = sizeof(struct handle),
    .align = 8,
    .name = "handle",
    .hooks = {.destroy = handle_destroy, .was_moved = handle_was_moved, .dup = handle_dup}};

struct owner {
    struct handle one, many[3];
    ouro_seq more;
};
static const struct ouro_field owner_fields[] = {OURO_VALUE(struct owner, one, &handle_type),
                                                 OURO_ARRAY(struct owner, many, 3, &handle_type),
                                                 OURO_SEQ(struct owner, more, &handle_type)};
static struct ouro_type owner_type = OURO_TYPE(struct owner, owner_fields);

static ouro_status attempt_owner(void *arg)
{
    struct owner *owner = arg, copy = {0};
    int64_t before = resources;
    ouro_status status = ouro_dup(&copy, owner, &owner_type);
    if (status == OURO_OK) {
        assert_int_equal(resources, 2 * before);
        ouro_destroy_value(&copy, &owner_type);
    }
    assert_int_equal(resources, before);
    return status;
}

static void resources_without_fields_are_handled(void **state)
{
    (void)state;
    resources = 6;
    struct owner a = {{1}, {{2}, {3}, {0}}, {0, NULL}}, b = {0};
    for (int64_t i = 0; i < 3; i++) {
        struct handle handle = {7 + i};
        assert_int_equal(ouro_seq_push(&a.more, &handle_type, &handle), OURO_OK);
        assert_int_equal(handle.resource, 0);
    }
    mock_fail_everywhere(attempt_owner, &a);
    assert_int_equal(ouro_copy(&b, &a, &owner_type), OURO_OK);
    assert_int_equal(resources, 12);
    ouro_sink(&b, &a, &owner_type);
    assert_int_equal(resources, 6);
    assert_int_equal(a.one.resource, 0);
    ouro_destroy_value(&a, &owner_type);
    ouro_destroy_value(&b, &owner_type);
    assert_int_equal(resources, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(destroy_calls_in_field_order),
        T(was_moved_calls_what_is_there),
        T(dup_calls_in_field_order),
        T(copy_dups_then_destroys),
        T(a_refused_dup_destroys_what_was_made),
        T(trace_calls_in_field_order),
        T(deepcopy_calls_in_field_order),
        T(sink_calls_written_sinks_in_place),
        T(copy_alone_also_makes_dups),
        T(dup_alone_also_makes_copies_and_deepcopies),
        T(a_destroy_around_written_sinks_is_called),
        T(resources_without_fields_are_handled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
