/* SPDX-License-Identifier: MIT */
/* hooks_deep.c: white-box tests of values nested as deep as their data, on a small stack. */
#include "hooks_mock.h"

#include <string.h>

/* A tree of values as JSON has it: a node is nothing, a string, a reference or a list of nodes. */
enum { NOTHING, TEXT, REF, LIST };
struct json {
    int32_t kind;
    union {
        ouro_string text;
        void *ref;
        ouro_seq list;
    } u;
    void *back;
};
extern struct ouro_type json_type;
static const struct ouro_field text_case[] = {OURO_STRING(struct json, u.text)};
static const struct ouro_field ref_case[] = {OURO_REF(struct json, u.ref, NULL)};
static const struct ouro_field list_case[] = {OURO_SEQ(struct json, u.list, &json_type)};
static const struct ouro_case cases[] = {{"text", TEXT, TEXT, text_case, 1},
                                         {"ref", REF, REF, ref_case, 1},
                                         {"list", LIST, LIST, list_case, 1}};
static const struct ouro_field json_fields[] = {OURO_UNION(struct json, u, kind, cases),
                                                OURO_BORROW(struct json, back)};
struct ouro_type json_type = OURO_TYPE(struct json, json_fields);

static struct ouro_type target_type = {.size = 8, .name = "target"};

static struct json text(void)
{
    struct json json = {.kind = TEXT};
    json.u.text = mock_string("text");
    return json;
}

static struct json ref(void *target)
{
    struct json json = {.kind = REF};
    json.u.ref = mock_incref(target);
    return json;
}

/* [text, ref, [text, ref, [.. ], ref], ref]: `depth` lists, two references in each. */
static struct json make_deep(void *target, size_t depth)
{
    struct json inner = {.kind = NOTHING};
    for (size_t i = 0; i < depth; i++) {
        struct json outer = {.kind = LIST}, parts[] = {text(), ref(target), inner, ref(target)};
        for (size_t k = 0; k < 4; k++)
            assert_int_equal(ouro_seq_push(&outer.u.list, &json_type, &parts[k]), OURO_OK);
        inner = outer;
    }
    return inner;
}

static struct json *inside(struct json *json)
{
    return json->kind == LIST ? (struct json *)ouro_seq_data(&json->u.list) + 2 : NULL;
}

static size_t depth_of(struct json *json)
{
    size_t depth = 0;
    while ((json = inside(json)) != NULL)
        depth++;
    return depth;
}

/* Whether every payload's header is as it was before it was walked. */
static void assert_unmarked(struct json *json)
{
    for (; json->kind == LIST; json = inside(json)) {
        const struct ouro_payload *payload = json->u.list.payload;
        assert_int_equal(json->u.list.len, 4);
        assert_int_equal(payload->reserved, 0);
        assert_int_equal(payload->capacity,
                         (ouro__refops->payload_room(payload) - sizeof *payload) / sizeof *json);
    }
}

enum { DEEP = 100000 };

struct counter {
    struct ouro_visitor visitor;
    size_t count;
};
static void count(struct ouro_visitor *visitor, void **slot, const struct ouro_type *type)
{
    (void)slot;
    (void)type;
    OURO_CONTAINER_OF(visitor, struct counter, visitor)->count++;
}

static void use_deep(void *arg)
{
    (void)arg;
    void *target = mock_new(&target_type);
    struct json json = make_deep(target, DEEP), copy;
    struct counter counter = {{count}, 0};
    ouro_trace(&json, &json_type, &counter.visitor);
    assert_int_equal(counter.count, 2 * DEEP);
    assert_unmarked(&json);
    assert_int_equal(ouro_dup(&copy, &json, &json_type), OURO_OK);
    assert_int_equal(mock_count(target), 1 + 4 * DEEP);
    assert_int_equal(depth_of(&copy), DEEP);
    assert_unmarked(&copy);
    assert_int_equal(ouro_copy(&json, inside(&json), &json_type), OURO_OK);
    assert_int_equal(mock_count(target), 1 + 4 * DEEP - 2);
    ouro_destroy_value(&json, &json_type);
    ouro_fail_nth_alloc(DEEP, true);
    assert_int_equal(ouro_dup(&json, &copy, &json_type), OURO_NO_MEMORY);
    ouro_fail_nth_alloc(0, false);
    assert_int_equal(mock_count(target), 1 + 2 * DEEP);
    ouro_destroy_value(&copy, &json_type);
    mock_drop(target);
}

static void a_deep_value_needs_no_stack(void **state)
{
    (void)state;
    mock_on_small_stack(use_deep, NULL);
}

static void deepcopy_deep(void *arg)
{
    (void)arg;
    void *target = mock_new(&target_type);
    struct json json = make_deep(target, DEEP), copy;
    struct json *innermost = &json;
    for (struct json *at = &json; at != NULL; at = inside(at))
        innermost = at;
    innermost->back = target;
    assert_int_equal(ouro_deepcopy_value(&copy, &json, &json_type), OURO_OK);
    void *copied = ((struct json *)ouro_seq_data(&copy.u.list))[1].u.ref;
    assert_true(copied != target);
    assert_int_equal(mock_count(copied), 2 * DEEP);
    for (struct json *at = &copy; at != NULL; at = inside(at))
        innermost = at;
    assert_ptr_equal(innermost->back, copied);
    assert_unmarked(&copy);
    ouro_destroy_value(&copy, &json_type);
    ouro_destroy_value(&json, &json_type);
    mock_drop(target);
}

static void a_deep_value_is_deepcopied_without_stack(void **state)
{
    (void)state;
    mock_on_small_stack(deepcopy_deep, NULL);
}

static ouro_status attempt(void *arg)
{
    struct json *json = arg, copy;
    void *target = ((struct json *)ouro_seq_data(&json->u.list))[1].u.ref;
    int64_t before = mock_count(target);
    ouro_status status = ouro_dup(&copy, json, &json_type);
    if (status == OURO_OK)
        ouro_destroy_value(&copy, &json_type);
    assert_int_equal(mock_count(target), before);
    assert_unmarked(json);
    return status;
}

static void a_refusal_at_any_depth_leaves_nothing(void **state)
{
    (void)state;
    void *target = mock_new(&target_type);
    struct json json = make_deep(target, 12);
    mock_fail_everywhere(attempt, &json);
    ouro_destroy_value(&json, &json_type);
    mock_drop(target);
}

/* While something is called from inside a walk, the value can be traced: it never reports a
 * reference that is not counted. */

struct held {
    void *first;
    struct json json;
    void *last;
};
static const struct ouro_field held_fields[] = {OURO_REF(struct held, first, NULL),
                                                OURO_VALUE(struct held, json, &json_type),
                                                OURO_REF(struct held, last, NULL)};
static struct ouro_type held_type = OURO_TYPE(struct held, held_fields);

static struct held *watched;
static void *watched_target;
static int64_t others; /* references to the target that are not the watched value's */
static size_t looks;

static void look(void)
{
    struct counter counter = {{count}, 0};
    ouro_trace(watched, &held_type, &counter.visitor);
    assert_true((int64_t)counter.count <= mock_count(watched_target) - others);
    looks++;
}

static const struct ouro_refops *installed;
static struct ouro_refops looking;
static void looking_decref(void *object)
{
    look();
    installed->decref(object);
    look();
}
static void looking_incref(void *object)
{
    look();
    installed->incref(object);
    look();
}

static void values_can_be_traced_whenever_something_is_called(void **state)
{
    (void)state;
    void *target = mock_new(&target_type);
    struct held held = {mock_incref(target), make_deep(target, 6), mock_incref(target)};
    struct held copy = {0};
    installed = ouro__refops;
    looking = *installed;
    looking.decref = looking_decref;
    looking.incref = looking_incref;
    ouro__refops_install(&looking);
    watched_target = target;
    watched = &copy;
    others = mock_count(target);
    looks = 0;

    assert_int_equal(ouro_dup(&copy, &held, &held_type), OURO_OK);
    assert_int_equal(looks, 28);
    ouro_destroy_value(&copy, &held_type);
    assert_int_equal(looks, 56);
    memset(&copy, 0, sizeof copy);
    ouro_fail_nth_alloc(4, true); /* the strings in it are shared: only sequences allocate */
    assert_int_equal(ouro_dup(&copy, &held, &held_type), OURO_NO_MEMORY);
    ouro_fail_nth_alloc(0, false);
    assert_true(looks > 56 + 4);
    ouro__refops_install(installed);
    ouro_destroy_value(&held, &held_type);
    mock_drop(target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)
        T(a_deep_value_needs_no_stack),
        T(a_deep_value_is_deepcopied_without_stack),
        T(a_refusal_at_any_depth_leaves_nothing),
        T(values_can_be_traced_whenever_something_is_called),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
