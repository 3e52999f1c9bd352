/* SPDX-License-Identifier: MIT */
/* What a compiler hands over: tails, closures, interior pointers, subtypes; through births, drops,
 * collections and deep copies. White-box: looks at cells. */
#include "orc_kit.h"

#include <string.h>

/* -- tails ------------------------------------------------------------------------------------- */

struct array {
    struct array *other;
    uint32_t len;
    void *items[];
};
extern struct ouro_type array_type;
static const struct ouro_field array_fields[] = {
    OURO_REF(struct array, other, &array_type),
    OURO_TAIL(struct array, items, len, &ouro_ref_type)};
struct ouro_type array_type = OURO_TYPE(struct array, array_fields);

static struct array *array_new(uint32_t len)
{
    struct array *a = ouro_new_tail(&array_type, len);
    KIT_CHECK(a && a->len == len);
    return a;
}

static void put(struct array *a, uint32_t i, void *value)
{
    ouro_slot_store(a, &a->items[i], value);
}

static void a_tail_is_born_whole_and_empty(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {0, 1, 2, 7, 100, 1000, 9000, 200000};
    for (size_t i = 0; i < OURO_COUNT_OF(lengths); i++) {
        struct array *a = array_new(lengths[i]);
        assert_int_equal(ouro_object_size(a), sizeof *a + lengths[i] * sizeof(void *));
        for (uint32_t k = 0; k < a->len; k++)
            assert_null(a->items[k]);
        for (uint32_t k = 0; k < a->len; k += 1 + a->len / 9)
            put(a, k, leaf_new(k));
        ouro_check_heap();
        ouro_decref(a);
    }
    struct array *raw = ouro_new_tail_uninit(&array_type, 3);
    assert_int_equal(raw->len, 3);
    raw->other = NULL;
    memset(raw->items, 0, 3 * sizeof(void *));
    ouro_decref(raw);
}

static void rings_through_tails_are_collected(void **state)
{
    (void)state;
    for (uint32_t len = 1; len < 70; len += 7) {
        kit_destroyed = 0;
        struct array *a = array_new(len), *b = array_new(2);
        put(a, len - 1, b);
        put(b, 0, leaf_new(1));
        ouro_slot_copy(b, &b->items[1], a);
        ouro_decref(a);
        assert_int_equal(ouro_collect(NULL), 2);
        assert_int_equal(kit_destroyed, 1);
    }
}

static void what_a_tail_keeps_lives(void **state)
{
    (void)state;
    struct array *a = array_new(5), *b = array_new(1);
    ouro_incref(b);
    put(a, 4, b);
    ouro_slot_copy(b, &b->items[0], a);
    kit_touch(a);
    assert_int_equal(ouro_collect(NULL), 0);
    ouro_decref(a);
    assert_int_equal(ouro_collect(NULL), 0);
    assert_ptr_equal(b->items[0], a);
    ouro_decref(b);
    assert_int_equal(ouro_collect(NULL), 2);
}

static void drop_a_long_list_of_tails(void *arg)
{
    (void)arg;
    struct array *list = NULL;
    for (size_t i = 0; i < kit_scaled(300000); i++) {
        struct array *a = array_new(1 + i % 3);
        put(a, (uint32_t)(i % 3), list);
        list = a;
    }
    ouro_decref(list);
}

static void lists_through_tails_need_no_stack(void **state)
{
    (void)state;
    kit_on_small_stack(drop_a_long_list_of_tails, NULL);
}

static void tails_are_copied_deeply(void **state)
{
    (void)state;
    struct array *a = array_new(100), *b = array_new(2);
    for (uint32_t i = 0; i < 100; i += 2)
        ouro_slot_copy(a, &a->items[i], b);
    ouro_decref(b);
    ouro_slot_copy(b, &b->items[1], a);
    struct array *copy = NULL;
    assert_int_equal(ouro_deepcopy_value(&copy, &a, &ouro_ref_type), OURO_OK);
    assert_ptr_not_equal(copy, a);
    assert_int_equal(copy->len, 100);
    struct array *other = copy->items[98];
    assert_ptr_equal(copy->items[0], other);
    assert_null(copy->items[1]);
    assert_ptr_equal(other->items[1], copy);
    assert_int_equal(ouro_count(other), 50);
    ouro_decref(copy);
    ouro_decref(a);
    assert_int_equal(ouro_collect(NULL), 4);
}

static ouro_status copy_without_memory(struct array *a, size_t nth)
{
    struct array *copy = NULL;
    ouro_fail_nth_alloc(nth, true);
    ouro_status status = ouro_deepcopy_value(&copy, &a, &ouro_ref_type);
    ouro_fail_nth_alloc(0, false);
    if (status == OURO_OK)
        ouro_decref(copy);
    return status;
}

static void a_copy_without_memory_leaves_nothing(void **state)
{
    (void)state;
    struct array *a = array_new(10);
    for (uint32_t i = 0; i < 10; i++) {
        struct array *b = array_new(i);
        put(a, i, b);
        if (i > 0)
            put(b, i - 1, leaf_new(i));
    }
    size_t n = 1;
    while (copy_without_memory(a, n) != OURO_OK) {
        n++;
        ouro_check_heap();
    }
    assert_true(n > 3);
    ouro_decref(a);
    ouro_collect(NULL);
}

/* -- closures and interior pointers ------------------------------------------------------------ */

struct counter_env {
    ouro_closure again; /* itself: a recursive closure */
    ouro_interior place;
    int64_t count;
};
extern struct ouro_type counter_env_type;
static const struct ouro_field counter_env_fields[] = {
    OURO_CLOSURE(struct counter_env, again), OURO_INTERIOR(struct counter_env, place, NULL)};
struct ouro_type counter_env_type = OURO_TYPE(struct counter_env, counter_env_fields);

static int64_t count_up(void *env)
{
    struct counter_env *e = env;
    return ++e->count;
}

static ouro_closure closure_new(void)
{
    struct counter_env *env = OURO_NEW(struct counter_env, &counter_env_type);
    KIT_CHECK(env != NULL);
    ouro_closure closure = {(ouro_code *)count_up, env};
    return closure;
}

static int64_t call(ouro_closure closure)
{
    return ((int64_t(*)(void *))closure.code)(closure.env);
}

static void a_closure_that_holds_itself_is_collected(void **state)
{
    (void)state;
    ouro_closure c = closure_new(), twin, moved;
    struct counter_env *env = c.env;
    assert_int_equal(call(c), 1);
    assert_int_equal(ouro_dup(&env->again, &c, &ouro_closure_type), OURO_OK);
    assert_int_equal(ouro_count(env), 2);
    assert_int_equal(ouro_deepcopy_value(&twin, &c, &ouro_closure_type), OURO_OK);
    assert_int_equal(call(twin), 2);
    assert_int_equal(call(((struct counter_env *)twin.env)->again), 3);
    assert_int_equal(call(c), 2);
    memset(&moved, 0, sizeof moved);
    ouro_sink(&moved, &c, &ouro_closure_type);
    assert_true(c.code == NULL && c.env == NULL);
    assert_int_equal(call(moved), 3);
    ouro_destroy_value(&moved, &ouro_closure_type);
    ouro_destroy_value(&twin, &ouro_closure_type);
    ouro_destroy_value(&c, &ouro_closure_type);
    assert_int_equal(ouro_collect(NULL), 2);
}

static void closures_stand_in_sequences(void **state)
{
    (void)state;
    ouro_seq seq = {0, NULL}, copy;
    for (int i = 0; i < 9; i++) {
        ouro_closure c = closure_new();
        assert_int_equal(ouro_seq_push(&seq, &ouro_closure_type, &c), OURO_OK);
        assert_true(c.code == NULL && c.env == NULL);
    }
    static const struct ouro_field fields[] = {
        {.name = "s", .kind = OURO_FIELD_SEQ, .type = &ouro_closure_type}};
    static struct ouro_type seq_type = {
        .size = sizeof(ouro_seq), .align = 8, .name = "s", .fields = fields, .field_count = 1};
    assert_int_equal(ouro_dup(&copy, &seq, &seq_type), OURO_OK);
    ouro_closure *all = ouro_seq_data(&copy);
    assert_int_equal(call(all[8]), 1);
    assert_int_equal(ouro_count(all[8].env), 2);
    ouro_destroy_value(&copy, &seq_type);
    ouro_destroy_value(&seq, &seq_type);
}

static void an_interior_pointer_keeps_its_object(void **state)
{
    (void)state;
    struct array *a = array_new(4);
    ouro_interior in = ouro_interior_of(a, &a->items[2]), other, moved = {NULL, NULL};
    put(a, 2, leaf_new(5));
    assert_int_equal(ouro_dup(&other, &in, &ouro_interior_type), OURO_OK);
    assert_int_equal(ouro_count(a), 2);
    ouro_sink(&moved, &other, &ouro_interior_type);
    assert_true(other.at == NULL && other.object == NULL);
    assert_ptr_equal(moved.at, &a->items[2]);
    ouro_destroy_value(&in, &ouro_interior_type);
    assert_int_equal((*(struct leaf **)moved.at)->id, 5);
    ouro_interior deep;
    assert_int_equal(ouro_deepcopy_value(&deep, &moved, &ouro_interior_type), OURO_OK);
    struct array *copy = deep.object;
    assert_ptr_not_equal(copy, a);
    assert_ptr_equal(deep.at, &copy->items[2]);
    ouro_destroy_value(&moved, &ouro_interior_type);
    ouro_destroy_value(&deep, &ouro_interior_type);
    assert_int_equal(kit_destroyed, 2);
    ouro_interior fixed = {&array_type, NULL}; /* static data: nothing to keep */
    assert_int_equal(ouro_deepcopy_value(&deep, &fixed, &ouro_interior_type), OURO_OK);
    assert_ptr_equal(deep.at, &array_type);
}

static void an_object_with_an_address_into_itself_is_collected(void **state)
{
    (void)state;
    ouro_closure c = closure_new();
    struct counter_env *env = c.env, *copy;
    ouro_incref(env);
    env->place = ouro_interior_of(env, &env->count);
    assert_int_equal(ouro_deepcopy_value(&copy, &env, &ouro_ref_type), OURO_OK);
    assert_ptr_equal(copy->place.at, &copy->count);
    ouro_decref(env);
    ouro_decref(copy);
    assert_int_equal(ouro_collect(NULL), 2);
}

/* -- subtypes ---------------------------------------------------------------------------------- */

struct animal {
    struct leaf *name;
};
struct dog {
    struct animal animal;
    struct node *owner;
};
static int64_t farewells;
static void farewell(void *value, const struct ouro_type *type)
{
    farewells++;
    ouro_lifted_destroy(value, type);
}
static const struct ouro_field animal_fields[] = {OURO_REF(struct animal, name, &leaf_type)};
static struct ouro_type animal_type = OURO_TYPE(struct animal, animal_fields);
static const struct ouro_field dog_fields[] = {OURO_VALUE(struct dog, animal, &animal_type),
                                               OURO_REF(struct dog, owner, &node_type)};
static struct ouro_type dog_type = OURO_SUBTYPE(struct dog, dog_fields, &animal_type);

static void a_subtype_is_its_bases(void **state)
{
    (void)state;
    animal_type.hooks.destroy = farewell;
    farewells = 0;
    struct dog *d = OURO_NEW(struct dog, &dog_type);
    struct animal *a = OURO_NEW(struct animal, &animal_type);
    assert_true(ouro_is_a(d, &dog_type) && ouro_is_a(d, &animal_type));
    assert_true(ouro_is_a(a, &animal_type) && !ouro_is_a(a, &dog_type));
    assert_false(ouro_is_a(d, &node_type));
    assert_false(ouro_is_a(NULL, &dog_type));
    assert_true(ouro_is_subtype(&dog_type, &animal_type));
    d->animal.name = leaf_new(1);
    d->owner = node_new(2);
    ouro_decref(d);
    ouro_decref(a);
    assert_int_equal(farewells, 2); /* the base's hook runs in the subtype too */
    assert_int_equal(kit_destroyed, 1);
}

static void a_test_of_a_long_chain_takes_no_walk(void **state)
{
    (void)state;
    enum { LONG = 256 };
    static struct ouro_type chain[LONG];
    static struct ouro_field fields[LONG];
    for (size_t i = 0; i < LONG; i++) {
        chain[i] = (struct ouro_type){.size = 16, .align = 8, .name = "link"};
        if (i == 0)
            continue;
        fields[i] =
            (struct ouro_field){.name = "base", .kind = OURO_FIELD_VALUE, .type = &chain[i - 1]};
        chain[i].fields = &fields[i];
        chain[i].field_count = 1;
        chain[i].base = &chain[i - 1];
    }
    const char *why = NULL;
    assert_int_equal(ouro_type_register(&chain[LONG - 1], &why), OURO_OK);
    for (size_t i = 0; i < LONG; i++) {
        assert_int_equal(chain[i].depth, i);
        for (size_t k = 0; k < LONG; k++)
            assert_int_equal(ouro_is_subtype(&chain[i], &chain[k]), k <= i);
    }
}

/* -- bad input --------------------------------------------------------------------------------- */

static struct ouro_type exact_type = {
    .size = 32, .name = "environment", .flags = OURO_EXACT | OURO_ACYCLIC};

static void birth(void *arg)
{
    ouro_decref(ouro_new(&exact_type, *(size_t *)arg));
}

struct small {
    int8_t len;
    char bytes[];
};
static struct ouro_type byte_type = OURO_PLAIN_TYPE(char);
static const struct ouro_field small_fields[] = {OURO_TAIL(struct small, bytes, len, &byte_type)};
static struct ouro_type small_type = OURO_TYPE(struct small, small_fields);

struct huge {
    int64_t len;
    int64_t items[][8];
};
static struct ouro_type eight_type = {.size = 64, .name = "eight", .flags = OURO_ACYCLIC};
static const struct ouro_field huge_fields[] = {OURO_TAIL(struct huge, items, len, &eight_type)};
static struct ouro_type huge_type = OURO_TYPE(struct huge, huge_fields);

static void birth_of_small(void *arg)
{
    ouro_decref(ouro_new_tail(&small_type, *(size_t *)arg));
}
static void birth_without_tail(void *arg)
{
    ouro_decref(ouro_new_tail(&exact_type, *(size_t *)arg));
}

static void births_of_a_wrong_size_are_named(void **state)
{
    (void)state;
    size_t size = 32;
    assert_int_equal(kit_failure_of(birth, &size), -1);
    size = 24;
    assert_int_equal(kit_failure_of(birth, &size), OURO_FAIL_MISUSE);
    size = 48;
    assert_int_equal(kit_failure_of(birth, &size), OURO_FAIL_MISUSE);
    size = 127;
    assert_int_equal(kit_failure_of(birth_of_small, &size), -1);
    size = 128;
    assert_int_equal(kit_failure_of(birth_of_small, &size), OURO_FAIL_MISUSE);
    assert_int_equal(kit_failure_of(birth_without_tail, &size), OURO_FAIL_MISUSE);
    assert_null(ouro_new_tail(&huge_type, SIZE_MAX / 32)); /* its bytes overflow */
}

static void lengthen(void *arg)
{
    struct array *a = arg;
    a->len = 1000;
    if (OURO_TEST_CHECKED)
        ouro_incref(a);
    else
        ouro_check_heap();
}

static void a_tail_beyond_its_block_is_named(void **state)
{
    (void)state;
    if (ouro_supply_get()->block)
        return; /* the tool that the supply is for sees the read */
    struct array *a = array_new(2);
    assert_int_equal(kit_failure_of(lengthen, a), OURO_FAIL_CORRUPT);
    ouro_decref(a);
}

struct shape {
    int32_t kind;
    union {
        struct leaf *leaf;
        double number;
    } u;
};
static const struct ouro_field leaf_case[] = {OURO_REF(struct shape, u.leaf, &leaf_type)};
static const struct ouro_case shape_cases[] = {{"leaf", 1, 1, leaf_case, 1},
                                               {"number", 2, 3, NULL, 0}};
static const struct ouro_field shape_fields[] = {
    OURO_CLOSED_UNION(struct shape, u, kind, shape_cases)};
static struct ouro_type shape_type = OURO_TYPE(struct shape, shape_fields);

static void drop_a_shape(void *kind)
{
    struct shape *s = OURO_NEW(struct shape, &shape_type);
    s->kind = *(int32_t *)kind;
    ouro_decref(s);
}

static void an_unknown_tag_is_named(void **state)
{
    (void)state;
    for (int32_t kind = 0; kind < 4; kind++)
        drop_a_shape(&kind);
    int32_t kind = 4;
    assert_int_equal(kit_failure_of(drop_a_shape, &kind), OURO_FAIL_BAD_TAG);
    kind = -1;
    assert_int_equal(kit_failure_of(drop_a_shape, &kind), OURO_FAIL_BAD_TAG);
}

static void values_with_other_tails_are_not_assigned(void **state)
{
    (void)state;
    struct array *a = array_new(2), *b = array_new(3), *c = array_new(3);
    put(b, 1, leaf_new(1));
    assert_int_equal(ouro_copy(a, b, &array_type), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_copy(c, b, &array_type), OURO_OK);
    assert_ptr_equal(c->items[1], b->items[1]);
    assert_int_equal(ouro_count(b->items[1]), 2);
    ouro_sink(c, b, &array_type);
    assert_int_equal(ouro_count(c->items[1]), 1);
    assert_null(b->items[1]);
    ouro_decref(a);
    ouro_decref(b);
    ouro_decref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(a_tail_is_born_whole_and_empty),
        kit_test(rings_through_tails_are_collected),
        kit_test(what_a_tail_keeps_lives),
        kit_test(lists_through_tails_need_no_stack),
        kit_test(tails_are_copied_deeply),
        kit_test(a_copy_without_memory_leaves_nothing),
        kit_test(a_closure_that_holds_itself_is_collected),
        kit_test(closures_stand_in_sequences),
        kit_test(an_interior_pointer_keeps_its_object),
        kit_test(an_object_with_an_address_into_itself_is_collected),
        kit_test(a_subtype_is_its_bases),
        kit_test(a_test_of_a_long_chain_takes_no_walk),
        kit_test(births_of_a_wrong_size_are_named),
        kit_test(a_tail_beyond_its_block_is_named),
        kit_test(an_unknown_tag_is_named),
        kit_test(values_with_other_tails_are_not_assigned),
    };
    return kit_run(tests);
}
