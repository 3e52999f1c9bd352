/* SPDX-License-Identifier: MIT */
/* hooks_registry.c: white-box tests of type registration. */
#include "hooks_mock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct inner {
    void *a;
    int64_t n;
    void *b;
};
static const struct ouro_field inner_fields[] = {
    OURO_REF(struct inner, a, NULL),
    OURO_REF(struct inner, b, NULL),
};
#define INNER OURO_TYPE(struct inner, inner_fields)

static void a_flat_type_gets_the_offsets_of_nested_references(void **state)
{
    (void)state;
    static struct ouro_type inner = INNER;
    struct outer {
        int64_t n;
        void *ref;
        struct inner value;
        struct inner array[2];
        void *back;
    };
    static const struct ouro_field fields[] = {
        OURO_REF(struct outer, ref, NULL),
        OURO_VALUE(struct outer, value, &inner),
        OURO_ARRAY(struct outer, array, 2, &inner),
        OURO_BORROW(struct outer, back),
    };
    static struct ouro_type outer = OURO_TYPE(struct outer, fields);
    const char *why = "unset";
    assert_int_equal(ouro_type_register(&outer, &why), OURO_OK);
    assert_null(why);
    const uint32_t offsets[] = {8, 16, 32, 40, 56, 64, 80};
    assert_int_equal(outer.ref_count, 7);
    assert_memory_equal(outer.refs, offsets, sizeof offsets);
    assert_int_equal(outer.state,
                     OURO__TYPE_FLAT | OURO__TYPE_TRACED | OURO__TYPE_SLOTS | OURO__TYPE_LINKS);
    assert_int_equal(outer.birth, (uint64_t)outer.id << OURO__TYPE_SHIFT);
    assert_int_equal(outer.counts, 1);
    assert_ptr_equal(ouro__types[outer.id], &outer);
    assert_ptr_equal(ouro__types[inner.id], &inner);
    uint32_t id = outer.id;
    assert_int_equal(ouro_type_register(&outer, NULL), OURO_OK);
    assert_int_equal(outer.id, id);
}

static void a_type_without_references_is_plain_and_acyclic(void **state)
{
    (void)state;
    static struct ouro_type plain = {.size = 24, .name = "plain"};
    assert_int_equal(ouro_type_register(&plain, NULL), OURO_OK);
    assert_int_equal(plain.state, OURO__TYPE_FLAT | OURO__TYPE_PLAIN | OURO__TYPE_SLOTS);
    assert_int_equal(plain.counts, 0xFFFFFFFF00000001u);
    static struct ouro_type marked = INNER;
    marked.flags = OURO_ACYCLIC;
    assert_int_equal(ouro_type_register(&marked, NULL), OURO_OK);
    assert_int_equal(marked.counts, 0xFFFFFFFF00000001u);
    static struct ouro_type empty = {.name = "empty"};
    assert_int_equal(ouro_type_register(&empty, NULL), OURO_OK);
}

static void a_recursive_sequence_of_strings_is_acyclic(void **state)
{
    (void)state;
    struct tree {
        ouro_string name;
        ouro_seq children;
    };
    static struct ouro_type tree;
    static const struct ouro_field fields[] = {
        OURO_STRING(struct tree, name),
        OURO_SEQ(struct tree, children, &tree),
    };
    tree = (struct ouro_type)OURO_TYPE(struct tree, fields);
    assert_int_equal(ouro_type_register(&tree, NULL), OURO_OK);
    assert_int_equal(tree.state, OURO__TYPE_DEEP | OURO__TYPE_SLOTS);
    assert_int_equal(tree.counts >> 32, UINT32_MAX);
}

static void facts_travel_through_sequences_that_contain_each_other(void **state)
{
    (void)state;
    struct one {
        ouro_seq others;
    };
    struct two {
        ouro_seq ones;
        void *ref;
    };
    static struct ouro_type one, two;
    static const struct ouro_field one_fields[] = {OURO_SEQ(struct one, others, &two)};
    static const struct ouro_field two_fields[] = {OURO_SEQ(struct two, ones, &one),
                                                   OURO_REF(struct two, ref, NULL)};
    one = (struct ouro_type)OURO_TYPE(struct one, one_fields);
    two = (struct ouro_type)OURO_TYPE(struct two, two_fields);
    assert_int_equal(ouro_type_register(&one, NULL), OURO_OK);
    assert_int_equal(one.state, OURO__TYPE_DEEP | OURO__TYPE_TRACED);
    assert_int_equal(two.state, OURO__TYPE_DEEP | OURO__TYPE_TRACED);
    assert_int_not_equal(two.id, 0);
}

static void strings_do_not_make_trace_slow(void **state)
{
    (void)state;
    struct named {
        ouro_string name;
        void *ref;
    };
    static const struct ouro_field fields[] = {OURO_STRING(struct named, name),
                                               OURO_REF(struct named, ref, NULL)};
    static struct ouro_type named = OURO_TYPE(struct named, fields);
    assert_int_equal(ouro_type_register(&named, NULL), OURO_OK);
    assert_int_equal(named.state, OURO__TYPE_TRACED | OURO__TYPE_SLOTS);
    assert_int_equal(named.ref_count, 1);
}

static void births_that_need_more_go_out_of_line(void **state)
{
    (void)state;
    static struct ouro_type prompt = {.flags = OURO_PROMPT, .size = 8, .name = "prompt"};
    static struct ouro_type aligned = {.size = 64, .align = 64, .name = "aligned"};
    assert_int_equal(ouro_type_register(&prompt, NULL), OURO_OK);
    assert_int_equal(ouro_type_register(&aligned, NULL), OURO_OK);
    assert_int_equal(prompt.birth, 0);
    assert_int_equal(aligned.birth, 0);
    assert_true(aligned.state & OURO__TYPE_ALIGNED);
    assert_true(ouro__type_known(&prompt) && ouro__type_known(&aligned));
}

static void nothing(void *value, const struct ouro_type *type)
{
    (void)value;
    (void)type;
}
static void no_trace(void *value, const struct ouro_type *type, struct ouro_visitor *visitor)
{
    (void)value;
    (void)type;
    (void)visitor;
}

static void nothing_to_sink(void *to, void *from, const struct ouro_type *type)
{
    (void)to;
    (void)from;
    (void)type;
}

static void written_hooks_show_in_the_types_around_them(void **state)
{
    (void)state;
    static struct ouro_type inner = INNER;
    inner.hooks.destroy = nothing;
    struct outer {
        struct inner value;
    };
    static const struct ouro_field fields[] = {OURO_VALUE(struct outer, value, &inner)};
    static struct ouro_type outer = OURO_TYPE(struct outer, fields);
    assert_int_equal(ouro_type_register(&outer, NULL), OURO_OK);
    assert_int_equal(outer.state, OURO__TYPE_DESTROY | OURO__TYPE_TRACED | OURO__TYPE_SLOTS);
    static struct ouro_type traced = {.size = 8, .name = "traced"};
    traced.hooks.trace = no_trace;
    assert_int_equal(ouro_type_register(&traced, NULL), OURO_OK);
    assert_int_equal(traced.state, OURO__TYPE_TRACED | OURO__TYPE_PLAIN);
    assert_int_equal(traced.counts, 1);
}

static void too_many_references_get_no_table(void **state)
{
    (void)state;
    static const struct ouro_field fields[] = {{.name = "refs",
                                                .kind = OURO_FIELD_ARRAY,
                                                .count = OURO__REFS_MAX + 1,
                                                .type = &ouro_ref_type}};
    static struct ouro_type many = {.size = (OURO__REFS_MAX + 1) * sizeof(void *),
                                    .name = "many",
                                    .fields = fields,
                                    .field_count = 1};
    assert_int_equal(ouro_type_register(&many, NULL), OURO_OK);
    assert_int_equal(many.state, OURO__TYPE_TRACED);
    assert_null(many.refs);
}

static void a_sink_in_an_optional_is_not_called_in_place(void **state)
{
    (void)state;
    struct outer {
        int64_t tag;
        struct inner value;
    };
    static struct ouro_type inner = INNER;
    static const struct ouro_field there[] = {OURO_VALUE(struct outer, value, &inner)};
    static const struct ouro_field maybe[] = {OURO_OPTION(struct outer, value, tag, &inner)};
    static struct ouro_type always = OURO_TYPE(struct outer, there);
    static struct ouro_type sometimes = OURO_TYPE(struct outer, maybe);
    inner.hooks.sink = nothing_to_sink;
    assert_int_equal(ouro_type_register(&always, NULL), OURO_OK);
    assert_int_equal(ouro_type_register(&sometimes, NULL), OURO_OK);
    assert_true(always.state & OURO__TYPE_SINKS);
    assert_false(sometimes.state & OURO__TYPE_SINKS);
    assert_true(always.state & OURO__TYPE_HOOKED && sometimes.state & OURO__TYPE_HOOKED);
}

static void long_arrays_of_bytes_cost_nothing(void **state)
{
    (void)state;
    static struct ouro_type byte = {.size = 8, .name = "byte"};
    static const struct ouro_field fields[] = {
        {.name = "bytes", .kind = OURO_FIELD_ARRAY, .count = (size_t)1 << 58, .type = &byte}};
    static struct ouro_type all = {
        .size = (size_t)1 << 61, .name = "all", .fields = fields, .field_count = 1};
    static const struct ouro_field link[] = {{.name = "back", .kind = OURO_FIELD_BORROW}};
    static struct ouro_type linked = {
        .size = 8, .name = "linked", .fields = link, .field_count = 1};
    static const struct ouro_field backs[] = {
        {.name = "backs", .kind = OURO_FIELD_ARRAY, .count = (size_t)1 << 58, .type = &linked}};
    static struct ouro_type more = {
        .size = (size_t)1 << 61, .name = "more", .fields = backs, .field_count = 1};
    assert_int_equal(ouro_type_register(&more, NULL), OURO_OK);
    assert_int_equal(ouro_type_register(&all, NULL), OURO_OK);
    assert_true(all.state & OURO__TYPE_PLAIN);
    struct ouro_visitor visitor = {NULL};
    ouro_trace(&all, &all, &visitor);
    ouro_destroy_value(&all, &all);
    ouro_lifted_was_moved(&all, &all);
}

/* Descriptors that are refused, by what is said about them. */

struct box {
    void *a;
    union {
        void *ref;
        int64_t n;
        struct inner inner;
    } u;
    int32_t tag;
    ouro_seq seq;
};
static struct ouro_type inner_type = INNER;
static struct ouro_type self_type;
static struct ouro_type empty_type = {.name = "empty"};
static struct ouro_type wide_type = {.size = 32, .align = 32, .name = "wide"};
static struct ouro_type odd_type = {.size = 12, .align = 8, .name = "odd"};
static struct ouro_type bad_type = {.size = 3, .align = 3, .name = "bad"};
static const struct ouro_field ref_case[] = {OURO_REF(struct box, u.ref, NULL)};
static const struct ouro_field low_case[] = {OURO_REF(struct box, a, NULL)};
static const struct ouro_field seq_case[] = {OURO_SEQ(struct box, u.inner, &inner_type)};

/* A union in a case of a union: with its tag in front of it, or in front of the outer one. */
static const struct ouro_case nested_cases[] = {{"n", 5, 6, NULL, 0}};
static const struct ouro_field inner_tag_case[] = {{.name = "nested",
                                                    .kind = OURO_FIELD_UNION,
                                                    .tag_size = 8,
                                                    .offset = offsetof(struct box, u) + 8,
                                                    .tag_offset = offsetof(struct box, u),
                                                    .cases = nested_cases,
                                                    .count = 1}};
static const struct ouro_field outer_tag_case[] = {{.name = "nested",
                                                    .kind = OURO_FIELD_UNION,
                                                    .tag_size = 4,
                                                    .offset = offsetof(struct box, u),
                                                    .tag_offset = 4,
                                                    .cases = nested_cases,
                                                    .count = 1}};

#define F(NAME, KIND, ...)                                                                         \
    {                                                                                              \
        .name = NAME, .kind = KIND, __VA_ARGS__                                                    \
    }
#define TAG .tag_offset = offsetof(struct box, tag), .tag_size = 4
#define U   .offset = offsetof(struct box, u)
#define CASES(...)                                                                                 \
    .cases = (const struct ouro_case[]){__VA_ARGS__},                                              \
    .count = sizeof((struct ouro_case[]){__VA_ARGS__}) / sizeof(struct ouro_case)

static const struct refusal {
    const char *why;
    struct ouro_field fields[3];
} refusals[] = {
    {"box.x: is of no known kind", {F("x", 0)}},
    {"box.x: is of no known kind", {F("x", OURO_FIELD_UNION + 1)}},
    {"box.x: is not aligned", {F("x", OURO_FIELD_REF, .offset = 4)}},
    {"box.x: is not aligned", {F("x", OURO_FIELD_SEQ, .offset = 12, .type = &inner_type)}},
    {"box.x: is not aligned", {F("x", OURO_FIELD_VALUE, .offset = 4, .type = &inner_type)}},
    {"box.x: reaches beyond the value", {F("x", OURO_FIELD_REF, .offset = sizeof(struct box))}},
    {"box.x: reaches beyond the value", {F("x", OURO_FIELD_WEAK, .offset = SIZE_MAX - 7)}},
    {"box.x: reaches beyond the value", {F("x", OURO_FIELD_STRING, .offset = 56)}},
    {"box.x: reaches beyond the value",
     {F("x", OURO_FIELD_ARRAY, .count = SIZE_MAX / 16, .type = &inner_type)}},
    {"box.y: overlaps another field", {F("x", OURO_FIELD_STRING), F("y", OURO_FIELD_REF)}},
    {"box.y: overlaps another field",
     {F("x", OURO_FIELD_REF, .offset = 8), F("y", OURO_FIELD_STRING)}},
    {"box.z: overlaps another field",
     {F("x", OURO_FIELD_VALUE, .offset = 16, .type = &inner_type), F("y", OURO_FIELD_REF),
      F("z", OURO_FIELD_REF, .offset = 24)}},
    {"box.nested: its tag lies in a field",
     {F("u", OURO_FIELD_UNION, U, TAG, CASES({"c", 1, 1, outer_tag_case, 1})),
      F("y", OURO_FIELD_REF)}},
    {"box.x: has no type", {F("x", OURO_FIELD_VALUE)}},
    {"box.x: has no type", {F("x", OURO_FIELD_SEQ)}},
    {"self.me: the value would contain itself", {F("x", OURO_FIELD_VALUE, .type = &self_type)}},
    {"box.x: a value of size 0 cannot be nested", {F("x", OURO_FIELD_VALUE, .type = &empty_type)}},
    {"box.x: needs more alignment than its type has",
     {F("x", OURO_FIELD_VALUE, .type = &wide_type)}},
    {"box.x: elements of a sequence are aligned to 16 at most",
     {F("x", OURO_FIELD_SEQ, .type = &wide_type)}},
    {"box.x: the elements' size is no multiple of their alignment",
     {F("x", OURO_FIELD_ARRAY, .count = 1, .type = &odd_type)}},
    {"bad: its alignment is no power of two", {F("x", OURO_FIELD_VALUE, .type = &bad_type)}},
    {"bad: its alignment is no power of two", {F("x", OURO_FIELD_SEQ, .type = &bad_type)}},
    {"box.x: a tag has 1, 2, 4 or 8 bytes",
     {F("x", OURO_FIELD_OPTION, .tag_offset = 32, .tag_size = 3, .type = &inner_type)}},
    {"box.x: its tag reaches beyond the value",
     {F("x", OURO_FIELD_OPTION, .tag_offset = 60, .tag_size = 8, .type = &inner_type)}},
    {"box.x: its tag lies in a field",
     {F("x", OURO_FIELD_OPTION, .tag_offset = 4, .tag_size = 4, .type = &inner_type)}},
    {"box.u: has no cases", {F("u", OURO_FIELD_UNION, U, TAG, .count = 1)}},
    {"box.u: a case ends before it begins",
     {F("u", OURO_FIELD_UNION, U, TAG, CASES({"c", 2, 1, NULL, 0}))}},
    {"box.u: two cases have a tag in common",
     {F("u", OURO_FIELD_UNION, U, TAG, CASES({"c", 1, 3, NULL, 0}, {"d", 3, 4, NULL, 0}))}},
    {"box.u: a case has no fields",
     {F("u", OURO_FIELD_UNION, U, TAG, CASES({"c", 1, 3, NULL, 1}))}},
    {"box.a: stands before its union",
     {F("u", OURO_FIELD_UNION, U, TAG, CASES({"c", 1, 3, low_case, 1}))}},
    {"box.y: overlaps another field",
     {F("u", OURO_FIELD_UNION, U, TAG, CASES({"c", 1, 1, ref_case, 1}, {"d", 2, 2, seq_case, 1})),
      F("y", OURO_FIELD_REF, .offset = 16)}},
};

static ouro_status refuse(const struct refusal *refusal, const char **why)
{
    struct ouro_type box = {.size = sizeof(struct box), .name = "box", .fields = refusal->fields};
    for (size_t i = 0; i < 3 && refusal->fields[i].name != NULL; i++)
        box.field_count++;
    ouro_status status = ouro_type_register(&box, why);
    assert_true(box.id == 0 && box.state == 0 && box.counts == 0 && box.refs == NULL);
    return status;
}

static void a_bad_field_is_refused_by_name(void **state)
{
    (void)state;
    static const struct ouro_field self_fields[] = {
        {.name = "me", .kind = OURO_FIELD_ARRAY, .count = 1, .type = &self_type}};
    self_type =
        (struct ouro_type){.size = 8, .name = "self", .fields = self_fields, .field_count = 1};
    for (size_t i = 0; i < OURO_COUNT_OF(refusals); i++) {
        const char *why = NULL;
        assert_int_equal(refuse(&refusals[i], &why), OURO_BAD_TYPE);
        assert_non_null(why);
        assert_string_equal(why, refusals[i].why);
        assert_int_equal(refuse(&refusals[i], NULL), OURO_BAD_TYPE);
        assert_true(self_type.state == 0 && bad_type.state == 0 && self_type.refs == NULL);
    }
}

static void a_bad_type_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        struct ouro_type type;
        const char *why;
    } bad[] = {
        {{.size = SIZE_MAX, .name = "t"}, "t: is larger than any memory"},
        {{.size = 8, .align = 12, .name = "t"}, "t: its alignment is no power of two"},
        {{.size = 8, .flags = 1u << 30}, "?: has unknown flags"},
        {{.size = 8, .field_count = 1, .name = "t"}, "t: has no fields"},
    };
    for (size_t i = 0; i < OURO_COUNT_OF(bad); i++) {
        struct ouro_type type = bad[i].type;
        const char *why = NULL;
        assert_int_equal(ouro_type_register(&type, &why), OURO_BAD_TYPE);
        assert_string_equal(why, bad[i].why);
    }
}

static void fields_that_only_touch_are_accepted_in_any_order(void **state)
{
    (void)state;
    const struct ouro_field fields[] = {
        F("u", OURO_FIELD_UNION, U, TAG,
          CASES({"c", 1, 1, ref_case, 1}, {"d", 2, 9, seq_case, 1},
                {"e", 10, 10, inner_tag_case, 1})),
        F("o", OURO_FIELD_OPTION, .offset = 40, .tag_offset = offsetof(struct box, tag),
          .tag_size = 4, .type = &ouro_ref_type),
        F("a", OURO_FIELD_REF),
    };
    struct ouro_type box = {.size = 48, .name = "box", .fields = fields, .field_count = 3};
    const char *why = NULL;
    ouro_status status = ouro_type_register(&box, &why);
    if (status != OURO_OK)
        print_message("%s\n", why);
    assert_int_equal(status, OURO_OK);
    assert_int_equal(box.state, OURO__TYPE_TRACED | OURO__TYPE_TAGGED | OURO__TYPE_DEEP);
    ouro__types[box.id] = NULL; /* it stands on the stack */
}

static void without_memory_nothing_is_registered(void **state)
{
    (void)state;
    static struct ouro_type inner = INNER;
    struct outer {
        struct inner value;
    };
    static const struct ouro_field fields[] = {OURO_VALUE(struct outer, value, &inner)};
    static struct ouro_type outer = OURO_TYPE(struct outer, fields);
    const char *why = NULL;
    ouro_fail_nth_alloc(1, true);
    assert_int_equal(ouro_type_register(&outer, &why), OURO_NO_MEMORY);
    assert_non_null(why);
    assert_true(outer.id == 0 && outer.counts == 0 && outer.state == 0 && outer.refs == NULL);
    assert_true(inner.id == 0 && inner.counts == 0 && inner.state == 0 && inner.refs == NULL);
    ouro_fail_nth_alloc(0, false);
    assert_int_equal(ouro_type_register(&outer, NULL), OURO_OK);
    assert_int_equal(outer.ref_count, 2);
}

/* All threads register the same types, in different orders, and look at what they find. */

#define SHARED_TYPES 200
static struct ouro_type shared_types[SHARED_TYPES];
static struct ouro_type shared_inner = INNER;
static const struct ouro_field shared_fields[] = {
    {.name = "value", .kind = OURO_FIELD_VALUE, .type = &shared_inner}};

static void *register_shared(void *arg)
{
    size_t start = (size_t)(uintptr_t)arg;
    for (size_t i = 0; i < SHARED_TYPES; i++) {
        struct ouro_type *type = &shared_types[(start + i) % SHARED_TYPES];
        if (!ouro__type_known(type) && ouro_type_register(type, NULL) != OURO_OK)
            return type;
        if (type->ref_count != 2 || type->refs[1] != 16 || type->id == 0)
            return type;
    }
    return NULL;
}

static void threads_may_register_at_once(void **state)
{
    (void)state;
    pthread_t threads[4];
    if (!OURO_THREADS)
        skip();
    for (size_t i = 0; i < SHARED_TYPES; i++)
        shared_types[i] = (struct ouro_type){.size = sizeof(struct inner),
                                             .name = "shared",
                                             .fields = shared_fields,
                                             .field_count = 1};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, register_shared, (void *)(i * 50)), 0);
    for (size_t i = 0; i < 4; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    for (size_t i = 1; i < SHARED_TYPES; i++)
        assert_ptr_equal(ouro__types[shared_types[i].id], &shared_types[i]);
}

/* The last one: leaves no room in the table. */
static void types_beyond_the_table_still_register(void **state)
{
    (void)state;
    enum { MANY = 200000 };
    struct ouro_type *types = calloc(MANY, sizeof *types);
    assert_non_null(types);
    for (size_t i = 0; i < MANY; i++) {
        types[i] = (struct ouro_type){.size = 8, .name = "many"};
        assert_int_equal(ouro_type_register(&types[i], NULL), OURO_OK);
        assert_true(i == 0 || types[i].id == types[i - 1].id + 1);
        assert_int_equal(types[i].birth,
                         types[i].id < OURO__WIDE_TYPE ? (uint64_t)types[i].id << 16 : 0);
    }
    assert_true(types[MANY - 1].id > OURO__WIDE_TYPE);
    memset(ouro__types, 0, sizeof ouro__types);
    free(types);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flat_type_gets_the_offsets_of_nested_references),
        cmocka_unit_test(a_type_without_references_is_plain_and_acyclic),
        cmocka_unit_test(a_recursive_sequence_of_strings_is_acyclic),
        cmocka_unit_test(facts_travel_through_sequences_that_contain_each_other),
        cmocka_unit_test(strings_do_not_make_trace_slow),
        cmocka_unit_test(births_that_need_more_go_out_of_line),
        cmocka_unit_test(written_hooks_show_in_the_types_around_them),
        cmocka_unit_test(too_many_references_get_no_table),
        cmocka_unit_test(a_sink_in_an_optional_is_not_called_in_place),
        cmocka_unit_test(long_arrays_of_bytes_cost_nothing),
        cmocka_unit_test(a_bad_field_is_refused_by_name),
        cmocka_unit_test(a_bad_type_is_refused_by_name),
        cmocka_unit_test(fields_that_only_touch_are_accepted_in_any_order),
        cmocka_unit_test(without_memory_nothing_is_registered),
        cmocka_unit_test(threads_may_register_at_once),
        cmocka_unit_test(types_beyond_the_table_still_register),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
