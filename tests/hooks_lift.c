/* SPDX-License-Identifier: MIT */
/* hooks_lift.c: white-box tests of the lifted hooks, every kind of field against every hook. */
#include "hooks_zoo.h"
#include "hooks/walk.h"

#include <stdlib.h>
#include <string.h>

static const int16_t tags[] = {ZOO_NOTHING, ZOO_NUMBER, ZOO_REF, ZOO_REF + 2, ZOO_LEAFY, 99};

static void destroy_drops_each_reference_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < OURO_COUNT_OF(tags); i++) {
        void *target = mock_new(&target_type);
        struct zoo zoo = make_zoo(target, tags[i]);
        assert_int_equal(mock_count(target), 1 + zoo_refs(&zoo));
        assert_int_equal(mock_weak_count(zoo.value.weak), zoo_weaks(&zoo));
        ouro_destroy_value(&zoo, &zoo_type);
        assert_int_equal(mock_count(target), 1);
        assert_int_equal(mock_world.weaks, 0);
        mock_drop(target);
    }
}

static void an_absent_option_is_left_alone(void **state)
{
    (void)state;
    void *target = mock_new(&target_type);
    struct zoo zoo = make_zoo(target, ZOO_NOTHING), copy;
    ouro_destroy_value(&zoo.option, &leafy_type);
    zoo.has = 0;
    memset(&zoo.option, 0xAA, sizeof zoo.option);
    assert_int_equal(ouro_dup(&copy, &zoo, &zoo_type), OURO_OK);
    assert_int_equal(mock_count(target), 1 + 2 * zoo_refs(&zoo));
    assert_same_zoo(&zoo, &copy);
    ouro_destroy_value(&zoo, &zoo_type);
    ouro_was_moved(&copy.option, &leafy_type);
    ouro_destroy_value(&copy, &zoo_type);
    assert_int_equal(mock_count(target), 1);
    mock_drop(target);
}

static void destroy_does_nothing_to_a_moved_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < OURO_COUNT_OF(tags); i++) {
        void *target = mock_new(&target_type);
        struct zoo zoo = make_zoo(target, tags[i]), moved = zoo;
        ouro_was_moved(&moved, &zoo_type);
        assert_int_equal(moved.value.plain, 11);
        assert_int_equal(moved.has, 0);
        assert_int_equal(moved.tag, tags[i]);
        assert_null(moved.value.back);
        ouro_destroy_value(&moved, &zoo_type);
        assert_int_equal(mock_count(target), 1 + zoo_refs(&zoo));
        ouro_destroy_value(&zoo, &zoo_type);
        mock_drop(target);
    }
}

static void written_was_moved(void *value, const struct ouro_type *type)
{
    (void)type;
    *(int64_t *)value = -1;
}

/* Types that are flat for destroy, and still have more to clear than references. */
static void was_moved_clears_more_than_destroy_needs(void **state)
{
    (void)state;
    struct flat {
        void *ref;
        void *back;
        int64_t has;
        int64_t number;
        int64_t handle;
    };
    static struct ouro_type number = {.size = 8, .name = "number"};
    static struct ouro_type handle = {
        .size = 8, .name = "handle", .hooks = {.was_moved = written_was_moved}};
    static const struct ouro_field fields[] = {
        OURO_REF(struct flat, ref, NULL), OURO_BORROW(struct flat, back),
        OURO_OPTION(struct flat, number, has, &number), OURO_VALUE(struct flat, handle, &handle)};
    for (size_t i = 1; i < 4; i++) {
        static struct ouro_field some[4][2];
        static struct ouro_type types[4];
        struct ouro_type *type = &types[i];
        some[i][0] = fields[0];
        some[i][1] = fields[i];
        *type = (struct ouro_type){
            .size = sizeof(struct flat), .name = "flat", .fields = some[i], .field_count = 2};
        struct flat value = {&value, &value, 1, 2, 3};
        assert_int_equal(ouro_type_register(type, NULL), OURO_OK);
        assert_true(type->state & OURO__TYPE_FLAT);
        ouro_was_moved(&value, type);
        assert_null(value.ref);
        assert_ptr_equal(value.back, i == 1 ? NULL : &value);
        assert_int_equal(value.has, i == 2 ? 0 : 1);
        assert_int_equal(value.handle, i == 3 ? -1 : 3);
    }
}

static void dup_makes_an_equal_value_of_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < OURO_COUNT_OF(tags); i++) {
        void *target = mock_new(&target_type);
        struct zoo zoo = make_zoo(target, tags[i]), copy;
        memset(&copy, 0xEE, sizeof copy);
        assert_int_equal(ouro_dup(&copy, &zoo, &zoo_type), OURO_OK);
        assert_same_zoo(&zoo, &copy);
        assert_int_equal(mock_count(target), 1 + 2 * zoo_refs(&zoo));
        assert_int_equal(mock_weak_count(zoo.value.weak), 2 * zoo_weaks(&zoo));
        ouro_destroy_value(&zoo, &zoo_type);
        assert_int_equal(mock_count(target), 1 + zoo_refs(&copy));
        ouro_destroy_value(&copy, &zoo_type);
        mock_drop(target);
    }
}

static void copy_replaces_any_state_by_any_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < OURO_COUNT_OF(tags); i++) {
        for (size_t j = 0; j < OURO_COUNT_OF(tags); j++) {
            void *old = mock_new(&target_type), *new = mock_new(&target_type);
            struct zoo to = make_zoo(old, tags[i]), from = make_zoo(new, tags[j]);
            assert_int_equal(ouro_copy(&to, &from, &zoo_type), OURO_OK);
            assert_same_zoo(&to, &from);
            assert_int_equal(mock_count(old), 1);
            assert_int_equal(mock_count(new), 1 + 2 * zoo_refs(&from));
            ouro_sink(&to, &from, &zoo_type);
            assert_int_equal(mock_count(new), 1 + zoo_refs(&to));
            ouro_destroy_value(&from, &zoo_type);
            ouro_destroy_value(&to, &zoo_type);
            mock_drop(old);
            mock_drop(new);
        }
    }
}

static void assigning_to_itself_changes_nothing(void **state)
{
    (void)state;
    void *target = mock_new(&target_type);
    struct zoo zoo = make_zoo(target, ZOO_LEAFY), before = zoo;
    assert_int_equal(ouro_copy(&zoo, &zoo, &zoo_type), OURO_OK);
    ouro_sink(&zoo, &zoo, &zoo_type);
    assert_memory_equal(&zoo, &before, sizeof zoo);
    assert_int_equal(mock_count(target), 1 + zoo_refs(&zoo));
    ouro_destroy_value(&zoo, &zoo_type);
    mock_drop(target);
}

static void sink_moves_without_counting(void **state)
{
    (void)state;
    void *target = mock_new(&target_type);
    struct leafy from = make_leafy(target), before = from, to = {0};
    ouro_sink(&to, &from, &leafy_type);
    assert_memory_equal(&to, &before, sizeof to);
    assert_int_equal(mock_count(target), 1 + LEAFY_REFS);
    assert_true(from.ref == NULL && from.weak == NULL && from.back == NULL);
    assert_true(from.text.payload == NULL && from.refs.payload == NULL && from.refs.len == 0);
    assert_int_equal(from.plain, 11);
    ouro_destroy_value(&to, &leafy_type);
    mock_drop(target);
}

/* Trace. */

struct seen {
    struct ouro_visitor visitor;
    const struct ouro_type *target;
    int64_t count;
    void *object;
};

static void see(struct ouro_visitor *visitor, void **slot, const struct ouro_type *target)
{
    struct seen *seen = OURO_CONTAINER_OF(visitor, struct seen, visitor);
    assert_ptr_equal(*slot, seen->object);
    assert_true(target == NULL || target == &target_type);
    seen->target = target;
    seen->count++;
}

static void trace_reports_each_strong_reference_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < OURO_COUNT_OF(tags); i++) {
        void *target = mock_new(&target_type);
        struct zoo zoo = make_zoo(target, tags[i]), before = zoo;
        struct seen seen = {{see}, NULL, 0, target};
        ouro_trace(&zoo, &zoo_type, &seen.visitor);
        assert_int_equal(seen.count, zoo_refs(&zoo));
        assert_memory_equal(&zoo, &before, sizeof zoo);
        ouro_was_moved(&zoo, &zoo_type);
        ouro_trace(&zoo, &zoo_type, &seen.visitor);
        assert_int_equal(seen.count, zoo_refs(&before));
        ouro_destroy_value(&before, &zoo_type);
        mock_drop(target);
    }
}

static void trace_tells_the_fields_type(void **state)
{
    (void)state;
    void *target = mock_new(&target_type);
    struct leafy leafy = {.ref = target};
    struct seen seen = {{see}, NULL, 0, target};
    ouro_trace(&leafy, &leafy_type, &seen.visitor);
    assert_ptr_equal(seen.target, &target_type);
    assert_int_equal(seen.count, 1);
    mock_drop(target);
}

static void see_object(struct ouro_visitor *self, void *object)
{
    see(self, &object, NULL);
}

static void the_inlined_walk_sees_what_trace_sees(void **state)
{
    (void)state;
    struct pair {
        void *one, *none;
        ouro_string text;
        void *two;
    };
    static const struct ouro_field fields[] = {
        OURO_REF(struct pair, one, NULL), OURO_REF(struct pair, none, NULL),
        OURO_STRING(struct pair, text), OURO_REF(struct pair, two, NULL)};
    static struct ouro_type type = OURO_TYPE(struct pair, fields);
    assert_int_equal(ouro_type_register(&type, NULL), OURO_OK);
    assert_true(type.state & OURO__TYPE_SLOTS);
    void *target = mock_new(&target_type);
    struct pair pair = {target, NULL, {0, NULL}, target};
    struct seen seen = {{see}, NULL, 0, target};
    ouro__each_ref(&pair, &type, &seen.visitor, see_object);
    assert_int_equal(seen.count, 2);
    struct zoo zoo = make_zoo(target, ZOO_LEAFY);
    assert_false(zoo_type.state & OURO__TYPE_SLOTS);
    seen.count = 0;
    ouro__each_ref(&zoo, &zoo_type, &seen.visitor, see_object);
    assert_int_equal(seen.count, zoo_refs(&zoo));
    seen.count = 0;
    ouro__each_ref(target, &target_type, &seen.visitor, see_object);
    assert_int_equal(seen.count, 0);
    ouro_destroy_value(&zoo, &zoo_type);
    mock_drop(target);
}

/* Without memory, and without a type. */

static void a_refused_type_is_told_and_not_acted_on(void **state)
{
    (void)state;
    static const struct ouro_field fields[] = {{.name = "x", .kind = OURO_FIELD_VALUE}};
    static struct ouro_type bad = {.size = 8, .name = "bad", .fields = fields, .field_count = 1};
    int64_t a = 1, b = 2;
    assert_int_equal(ouro_dup(&a, &b, &bad), OURO_BAD_TYPE);
    assert_int_equal(ouro_copy(&a, &b, &bad), OURO_BAD_TYPE);
    assert_int_equal(ouro_deepcopy_value(&a, &b, &bad), OURO_BAD_TYPE);
    ouro_destroy_value(&a, &bad);
    struct seen seen = {{see}, NULL, 0, NULL};
    ouro_trace(&a, &bad, &seen.visitor);
    assert_int_equal(seen.count, 0);
}

/* What destroy does must not depend on memory for registration. */
static void destroy_and_trace_need_no_memory(void **state)
{
    (void)state;
    static struct ouro_type fresh, element;
    void *target = mock_new(&target_type);
    struct zoo zoo = make_zoo(target, ZOO_LEAFY);
    /* The same tables in types that nobody has registered. */
    element = (struct ouro_type){.size = leafy_type.size,
                                 .align = 8,
                                 .name = "fresh leafy",
                                 .fields = leafy_type.fields,
                                 .field_count = leafy_type.field_count};
    struct ouro_field fields[6];
    memcpy(fields, zoo_type.fields, sizeof fields);
    for (size_t i = 0; i < 4; i++)
        fields[i].type = &element;
    fresh = (struct ouro_type){
        .size = zoo_type.size, .align = 8, .name = "fresh", .fields = fields, .field_count = 6};
    struct seen seen = {{see}, NULL, 0, target};
    ouro_fail_nth_alloc(1, true);
    ouro_trace(&zoo, &fresh, &seen.visitor);
    assert_int_equal(seen.count, zoo_refs(&zoo));
    ouro_destroy_value(&zoo, &fresh);
    ouro_fail_nth_alloc(0, false);
    assert_int_equal(mock_count(target), 1);
    mock_drop(target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)
        T(destroy_drops_each_reference_once),        T(an_absent_option_is_left_alone),
        T(destroy_does_nothing_to_a_moved_value),    T(was_moved_clears_more_than_destroy_needs),
        T(dup_makes_an_equal_value_of_its_own),      T(copy_replaces_any_state_by_any_other),
        T(assigning_to_itself_changes_nothing),      T(sink_moves_without_counting),
        T(trace_reports_each_strong_reference_once), T(trace_tells_the_fields_type),
        T(the_inlined_walk_sees_what_trace_sees),    T(a_refused_type_is_told_and_not_acted_on),
        T(destroy_and_trace_need_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
