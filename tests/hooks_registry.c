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
    assert_int_equal(outer.state, OURO__TYPE_FLAT | OURO__TYPE_TRACED | OURO__TYPE_SLOTS |
                                      OURO__TYPE_LINKS | OURO__TYPE_OUTWARD);
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
    assert_int_equal(tree.state, OURO__TYPE_DEEP | OURO__TYPE_SLOTS | OURO__TYPE_OUTWARD);
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
    assert_int_equal(one.state, OURO__TYPE_DEEP | OURO__TYPE_TRACED | OURO__TYPE_OUTWARD);
    assert_int_equal(two.state, OURO__TYPE_DEEP | OURO__TYPE_TRACED | OURO__TYPE_OUTWARD);
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
    assert_int_equal(named.state, OURO__TYPE_TRACED | OURO__TYPE_SLOTS | OURO__TYPE_OUTWARD);
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
    assert_int_equal(outer.state, OURO__TYPE_DESTROY | OURO__TYPE_TRACED | OURO__TYPE_SLOTS |
                                      OURO__TYPE_OUTWARD);
    static struct ouro_type traced = {.size = 8, .name = "traced"};
    traced.hooks.trace = no_trace;
    assert_int_equal(ouro_type_register(&traced, NULL), OURO_OK);
    assert_int_equal(traced.state, OURO__TYPE_TRACED | OURO__TYPE_PLAIN | OURO__TYPE_OUTWARD);
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
    assert_int_equal(many.state, OURO__TYPE_TRACED | OURO__TYPE_OUTWARD);
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

/* Of what objects own that need not be of their region. */
static void what_may_be_owned_outside_shows(void **state)
{
    (void)state;
    struct cell {
        struct cell *next;
        void *back;
        int64_t tag;
        struct cell *maybe;
    };
    static struct ouro_type cell, common = {.size = 8, .name = "common", .flags = OURO_SHARED};
    static const struct ouro_field maybe_fields[] = {OURO_REF(struct cell, maybe, &cell)};
    static const struct ouro_case cases[] = {{"one", 1, 1, maybe_fields, 1}};
    static const struct ouro_field fields[] = {OURO_REF(struct cell, next, &cell),
                                               OURO_BORROW(struct cell, back),
                                               OURO_UNION(struct cell, maybe, tag, cases)};
    cell = (struct ouro_type)OURO_TYPE(struct cell, fields);
    assert_int_equal(ouro_type_register(&cell, NULL), OURO_OK);
    assert_false(cell.state & OURO__TYPE_OUTWARD);
    static const struct ouro_field holder_fields[] = {OURO_REF(struct cell, next, &common)};
    static struct ouro_type holder = OURO_TYPE(struct cell, holder_fields);
    assert_int_equal(ouro_type_register(&holder, NULL), OURO_OK);
    assert_true(holder.state & OURO__TYPE_OUTWARD);
    static const struct ouro_field nested_fields[] = {
        {.name = "in", .kind = OURO_FIELD_VALUE, .type = &holder}};
    static struct ouro_type outer = OURO_TYPE(struct cell, nested_fields);
    assert_int_equal(ouro_type_register(&outer, NULL), OURO_OK);
    assert_true(outer.state & OURO__TYPE_OUTWARD);
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
        cmocka_unit_test(what_may_be_owned_outside_shows),
        cmocka_unit_test(a_sink_in_an_optional_is_not_called_in_place),
        cmocka_unit_test(long_arrays_of_bytes_cost_nothing),
        cmocka_unit_test(without_memory_nothing_is_registered),
        cmocka_unit_test(threads_may_register_at_once),
        cmocka_unit_test(types_beyond_the_table_still_register),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
