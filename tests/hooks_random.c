/* SPDX-License-Identifier: MIT */
/* hooks_random.c: white-box; random descriptors, random values, random hooks, with and without
 * memory. After each step the counts of all objects are what a plain recursive walk counts, and a
 * refused hook has changed nothing. Prints its seed; takes --seed N or OURO_TEST_SEED, and
 * --seconds N. */
#include "hooks_random.h"

#include <stdio.h>
#include <time.h>

enum { VARIABLES = 6 };

/* Variables. */

static struct {
    struct ouro_type *type;
    _Alignas(16) char value[4096];
} variables[VARIABLES];
static size_t traced;

static void trace_slot(struct ouro_visitor *visitor, void **slot, const struct ouro_type *type)
{
    (void)visitor;
    (void)type;
    assert_non_null(*slot);
    traced++;
}

/* The counts of all objects are those of a plain walk over everything. */
static void check_balance(void)
{
    struct ouro_visitor visitor = {trace_slot};
    int64_t strong = 0;
    counted_resources = 0;
    traced = 0;
    for (struct mock *m = mock_world.all; m != NULL; m = m->next)
        m->expected = 0;
    for (size_t i = 0; i < object_count; i++)
        mock_of(objects[i])->expected++;
    for (size_t i = 0; i < VARIABLES; i++)
        if (variables[i].type != NULL) {
            print_of(variables[i].value, variables[i].type);
            ouro_trace(variables[i].value, variables[i].type, &visitor);
        }
    for (struct mock *m = mock_world.all; m != NULL; m = m->next) {
        print_of(m + 1, m->type);
        ouro_trace(m + 1, m->type, &visitor);
    }
    for (struct mock *m = mock_world.all; m != NULL; m = m->next) {
        if (m->count != m->expected)
            fail_msg("seed %llu: count %lld, expected %lld", (unsigned long long)seed,
                     (long long)m->count, (long long)m->expected);
        strong += m->expected;
    }
    assert_int_equal(strong, traced + object_count);
    assert_int_equal(counted_resources, resources);
}

static size_t some_variable(bool full)
{
    size_t found = VARIABLES, seen = 0;
    for (size_t i = 0; i < VARIABLES; i++)
        if ((variables[i].type != NULL) == full && one_in(++seen))
            found = i;
    return found;
}

/* Another variable of the type of `i`, or i itself. */
static size_t partner_of(size_t i)
{
    size_t start = below(VARIABLES);
    for (size_t k = 0; k < VARIABLES; k++)
        if (variables[(start + k) % VARIABLES].type == variables[i].type)
            return (start + k) % VARIABLES;
    return i;
}

static void make_variable(void)
{
    size_t i = some_variable(false);
    if (i == VARIABLES)
        return;
    struct ouro_type *type = &family->types[below(TYPES)];
    if (type->size > sizeof variables[i].value)
        return;
    fill(variables[i].value, type);
    variables[i].type = type;
}

/* dup or deepcopy into an empty variable. */
static void duplicate(size_t i, bool deep)
{
    size_t to = some_variable(false);
    if (to == VARIABLES)
        return;
    struct ouro_type *type = variables[i].type;
    uint64_t before = print_of(variables[i].value, type);
    if (one_in(2))
        ouro_fail_nth_alloc(1 + below(20), one_in(2));
    memset(variables[to].value, 0x55, type->size);
    ouro_status status = deep ? ouro_deepcopy_value(variables[to].value, variables[i].value, type)
                              : ouro_dup(variables[to].value, variables[i].value, type);
    ouro_fail_nth_alloc(0, false);
    assert_true(print_of(variables[i].value, type) == before);
    if (status != OURO_OK) {
        assert_int_equal(status, OURO_NO_MEMORY);
        return;
    }
    variables[to].type = type;
    assert_true(deep || print_of(variables[to].value, type) == before);
}

static void assign(size_t i, size_t from)
{
    struct ouro_type *type = variables[i].type;
    uint64_t to_before = print_of(variables[i].value, type);
    uint64_t from_before = print_of(variables[from].value, type);
    if (one_in(2))
        ouro_fail_nth_alloc(1 + below(10), one_in(2));
    ouro_status status = ouro_copy(variables[i].value, variables[from].value, type);
    ouro_fail_nth_alloc(0, false);
    assert_true(print_of(variables[from].value, type) == from_before);
    uint64_t after = print_of(variables[i].value, type);
    assert_true(after == (status == OURO_OK ? from_before : to_before));
}

static void move(size_t i, size_t from)
{
    uint64_t before = print_of(variables[from].value, variables[i].type);
    ouro_sink(variables[i].value, variables[from].value, variables[i].type);
    assert_true(print_of(variables[i].value, variables[i].type) == before);
}

/* Pushes a whole variable into a sequence, and takes it out again or destroys it there. */
static void through_sequence(size_t i)
{
    struct ouro_type *type = variables[i].type;
    ouro_seq seq = {0, NULL};
    assert_int_equal(ouro_seq_push(&seq, type, variables[i].value), OURO_OK);
    size_t n = below(3);
    for (size_t k = 0; k < n; k++) {
        _Alignas(16) char value[4096];
        fill(value, type);
        assert_int_equal(ouro_seq_push(&seq, type, value), OURO_OK);
    }
    ouro_destroy_value(variables[i].value, type);
    ouro_seq_truncate(&seq, type, 1 + below(n + 1));
    assert_int_equal(ouro_seq_pop(&seq, type, variables[i].value), OURO_OK);
    ouro_seq_destroy(&seq, type);
}

static void step(void)
{
    size_t i = some_variable(true);
    if (i == VARIABLES || one_in(6)) {
        make_variable();
        return;
    }
    switch (below(8)) {
    case 0:
    case 1:
        duplicate(i, false);
        break;
    case 2:
        duplicate(i, true);
        break;
    case 3:
    case 4:
        assign(i, partner_of(i));
        break;
    case 5:
        move(i, partner_of(i));
        break;
    case 6:
        through_sequence(i);
        break;
    default:
        ouro_destroy_value(variables[i].value, variables[i].type);
        variables[i].type = NULL;
        break;
    }
}

static void one_world(void)
{
    make_types();
    object_count = 0;
    for (size_t i = 0; i < OBJECTS; i++) {
        struct ouro_type *type = &family->types[below(TYPES)];
        type->flags = one_in(6) ? OURO_SHARED : 0;
        objects[i] = mock_new(type);
        fill(objects[i], type);
        object_count++;
    }
    for (size_t i = 0; i < 60; i++) {
        step();
        check_balance();
    }
    for (size_t i = 0; i < VARIABLES; i++)
        if (variables[i].type != NULL) {
            ouro_destroy_value(variables[i].value, variables[i].type);
            variables[i].type = NULL;
        }
    while (object_count > 0)
        mock_drop(objects[--object_count]);
    assert_int_equal(mock_world.live, 0);
    assert_int_equal(mock_world.weaks, 0);
    assert_int_equal(resources, 0);
}

static double seconds = 1;

static void random_hooks_on_random_values_balance(void **state)
{
    (void)state;
    clock_t end = clock() + (clock_t)(seconds * CLOCKS_PER_SEC);
    size_t worlds = 0;
    for (; worlds < 1 || clock() < end; worlds++) {
        random_state = seed + 0x9E3779B97F4A7C15u * (worlds + 1);
        one_world();
    }
    print_message("%zu worlds\n", worlds);
}

int main(int argc, char **argv)
{
    const char *given = getenv("OURO_TEST_SEED");
    seed = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    for (int i = 1; i + 1 < argc; i += 2)
        if (strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[i + 1], NULL, 0);
        else if (strcmp(argv[i], "--seconds") == 0)
            seconds = strtod(argv[i + 1], NULL);
    printf("--seed %llu\n", (unsigned long long)seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(random_hooks_on_random_values_balance, mock_setup,
                                        mock_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
