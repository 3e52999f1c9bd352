/* SPDX-License-Identifier: MIT */
/* hooks_random.c: white-box; random descriptors, random values, random hooks, with and without
 * memory. After each step the counts of all objects are what a plain recursive walk counts, and a
 * refused hook has changed nothing. Prints its seed; takes --seed N or OURO_TEST_SEED, and
 * --seconds N. */
#include "hooks_mock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    TYPES = 8,
    VARIABLES = 6,
    OBJECTS = 12,
    FIELDS_MAX = 6,
    CASES_MAX = 3,
    DEPTH_MAX = 2,
    SIZE_ENOUGH = 200
};

static uint64_t seed, random_state;

static uint64_t next_random(void)
{
    /* xorshift64*, Vigna 2016 */
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545F4914F6CDD1Du;
}
static size_t below(size_t n)
{
    return (size_t)(next_random() >> 33) % n;
}
static bool one_in(size_t n)
{
    return below(n) == 0;
}

/* Types. Type i nests types below it by value, and any type in sequences. A *resource* is a word
 * that written hooks count: `user` tells its offset, plus one. */

static struct family {
    struct ouro_type types[TYPES];
    struct ouro_field fields[TYPES][FIELDS_MAX];
    struct ouro_case cases[TYPES][FIELDS_MAX][CASES_MAX];
    struct ouro_field case_fields[TYPES][FIELDS_MAX][CASES_MAX][2];
    struct family *before; /* types stay registered */
} * family;
static int64_t resources;

static int64_t *resource_of(const void *value, const struct ouro_type *type)
{
    return (int64_t *)(void *)((char *)(uintptr_t)value + (uintptr_t)type->user - 1);
}
static void resource_destroy(void *value, const struct ouro_type *type)
{
    resources -= *resource_of(value, type);
    ouro_lifted_destroy(value, type);
}
static void resource_was_moved(void *value, const struct ouro_type *type)
{
    *resource_of(value, type) = 0;
    ouro_lifted_was_moved(value, type);
}
static ouro_status resource_dup(void *fresh, const void *from, const struct ouro_type *type)
{
    ouro_status status = ouro_lifted_dup(fresh, from, type);
    if (status == OURO_OK)
        resources += *resource_of(from, type);
    return status;
}
static ouro_status resource_copy(void *to, const void *from, const struct ouro_type *type)
{
    ouro_status status = ouro_lifted_copy(to, from, type);
    if (status == OURO_OK)
        resources += *resource_of(to, type); /* destroy has seen to the old one */
    return status;
}
static void resource_sink(void *to, void *from, const struct ouro_type *type)
{
    ouro_lifted_sink(to, from, type);
}
static ouro_status resource_deepcopy(void *fresh, const void *from, const struct ouro_type *type,
                                     struct ouro_memo *memo)
{
    ouro_status status = ouro_lifted_deepcopy(fresh, from, type, memo);
    if (status == OURO_OK)
        resources += *resource_of(from, type);
    return status;
}

static size_t align_up(size_t n, size_t align)
{
    return (n + align - 1) & ~(align - 1);
}

static size_t leaf_size(enum ouro_field_kind kind)
{
    return kind == OURO_FIELD_SEQ || kind == OURO_FIELD_STRING ? 16 : 8;
}

/* A random field at *at or behind it, in type i; moves *at behind it. */
static struct ouro_field random_field(size_t i, size_t *at, bool in_case)
{
    struct ouro_field f = {.name = "f"};
    *at = align_up(*at, 8);
    size_t kinds = i == 0 ? 5 : in_case ? 7 : 8;
    switch (below(kinds)) {
    case 0:
        f.kind = OURO_FIELD_REF;
        break;
    case 1:
        f.kind = OURO_FIELD_WEAK;
        break;
    case 2:
        f.kind = OURO_FIELD_BORROW;
        break;
    case 3:
        f.kind = OURO_FIELD_STRING;
        break;
    case 4:
        f.kind = OURO_FIELD_SEQ;
        f.type = one_in(3) ? &ouro_ref_type : &family->types[one_in(2) ? i : below(TYPES)];
        break;
    case 5:
        f.kind = OURO_FIELD_VALUE;
        f.type = &family->types[below(i)];
        break;
    case 6:
        f.kind = OURO_FIELD_ARRAY;
        f.type = &family->types[below(i)];
        f.count = 1 + below(3);
        break;
    default:
        f.kind = OURO_FIELD_OPTION;
        f.type = &family->types[below(i)];
        f.tag_size = 1u << below(4);
        f.tag_offset = *at;
        *at += 8;
        break;
    }
    f.offset = *at;
    size_t size = f.kind == OURO_FIELD_ARRAY ? f.count * f.type->size
                  : f.kind == OURO_FIELD_VALUE || f.kind == OURO_FIELD_OPTION ? f.type->size
                                                                              : leaf_size(f.kind);
    *at += size;
    return f;
}

static struct ouro_field random_union(size_t i, size_t k, size_t *at)
{
    struct ouro_field f = {.name = "u", .kind = OURO_FIELD_UNION, .cases = family->cases[i][k]};
    *at = align_up(*at, 8);
    f.tag_size = 1u << below(4);
    f.tag_offset = *at;
    f.offset = *at += 8;
    f.count = 1 + below(CASES_MAX);
    size_t end = f.offset;
    for (size_t c = 0; c < f.count; c++) {
        size_t inner = f.offset;
        struct ouro_field *table = family->case_fields[i][k][c];
        uint32_t n = (uint32_t)below(3);
        for (uint32_t m = 0; m < n; m++)
            table[m] = random_field(i, &inner, true);
        family->cases[i][k][c] =
            (struct ouro_case){"c", (int64_t)(2 * c), (int64_t)(2 * c + 1), table, n};
        end = inner > end ? inner : end;
    }
    *at = end;
    return f;
}

static void make_type(size_t i)
{
    struct ouro_type *type = &family->types[i];
    size_t at = 0;
    *type = (struct ouro_type){.align = 8, .name = "random", .fields = family->fields[i]};
    type->field_count = (uint32_t)below(FIELDS_MAX + 1);
    bool resource = one_in(3);
    if (resource) {
        type->user = (void *)(at + 1);
        at += 8;
    }
    for (size_t k = 0; k < type->field_count; k++) {
        if (at > SIZE_ENOUGH) {
            type->field_count = (uint32_t)k;
            break;
        }
        family->fields[i][k] = one_in(5) ? random_union(i, k, &at) : random_field(i, &at, false);
    }
    type->size = align_up(at + (one_in(10) ? 300 : 8 * below(2)), 8);
    type->size = type->size != 0 ? type->size : 8;
    if (!resource)
        return;
    type->hooks.destroy = resource_destroy;
    type->hooks.was_moved = resource_was_moved;
    type->hooks.dup = resource_dup;
    type->hooks.copy = one_in(2) ? resource_copy : NULL;
    type->hooks.sink = one_in(2) ? resource_sink : NULL;
    type->hooks.deepcopy = one_in(2) ? resource_deepcopy : NULL;
}

static void make_types(void)
{
    struct family *next = calloc(1, sizeof *next);
    assert_non_null(next);
    next->before = family;
    family = next;
    for (size_t i = 0; i < TYPES; i++)
        make_type(i);
    for (size_t i = TYPES; i-- > 0;) {
        const char *why = NULL;
        if (ouro_type_register(&family->types[i], &why) != OURO_OK)
            fail_msg("seed %llu: %s", (unsigned long long)seed, why);
    }
}

/* Objects that references point to: object i refers to those below it, so there are no cycles. */

static void *objects[OBJECTS];
static struct ouro_type *object_types[OBJECTS];
static size_t object_count;

static int64_t read_tag(const char *base, const struct ouro_field *f)
{
    int64_t tag = 0;
    memcpy(&tag, base + f->tag_offset, f->tag_size);
    return tag;
}

/* A plain recursive walk, to fill and to count by. */
struct plain {
    void (*slot)(void **slot, enum ouro_field_kind kind);
    void (*text)(ouro_string *s);
    void (*seq)(ouro_seq *seq, const struct ouro_type *type, size_t depth);
    void (*tag)(char *base, const struct ouro_field *f);
    void (*resource)(int64_t *resource);
};

static void plain_value(const struct plain *p, char *value, const struct ouro_type *type,
                        size_t depth);

static void plain_fields(const struct plain *p, char *base, const struct ouro_field *f, uint32_t n,
                         size_t depth)
{
    for (; n > 0; n--, f++) {
        char *at = base + f->offset;
        if (f->tag_size != 0)
            p->tag(base, f);
        switch (f->kind) {
        case OURO_FIELD_SEQ: {
            p->seq((void *)at, f->type, depth);
            const ouro_seq *seq = (void *)at;
            for (size_t i = 0; i < seq->len; i++)
                plain_value(p, (char *)ouro_seq_data(seq) + i * f->type->size, f->type, depth + 1);
            break;
        }
        case OURO_FIELD_STRING:
            p->text((void *)at);
            break;
        case OURO_FIELD_ARRAY:
            for (size_t i = 0; i < f->count; i++)
                plain_value(p, at + i * f->type->size, f->type, depth);
            break;
        case OURO_FIELD_OPTION:
            if (read_tag(base, f) != 0)
                plain_value(p, at, f->type, depth);
            break;
        case OURO_FIELD_VALUE:
            plain_value(p, at, f->type, depth);
            break;
        case OURO_FIELD_UNION: {
            size_t c = (size_t)read_tag(base, f) / 2;
            if (c < f->count)
                plain_fields(p, base, f->cases[c].fields, f->cases[c].field_count, depth);
            break;
        }
        default:
            p->slot((void *)at, f->kind);
            break;
        }
    }
}

static void plain_value(const struct plain *p, char *value, const struct ouro_type *type,
                        size_t depth)
{
    if (type->user != NULL)
        p->resource(resource_of(value, type));
    plain_fields(p, value, type->fields, type->field_count, depth);
}

/* Filling. */

static void fill_slot(void **slot, enum ouro_field_kind kind)
{
    if (object_count == 0 || one_in(3))
        return;
    void *object = objects[below(object_count)];
    *slot = kind == OURO_FIELD_REF    ? mock_incref(object)
            : kind == OURO_FIELD_WEAK ? mock_weak_of(object)
                                      : object;
}
static void fill_text(ouro_string *s)
{
    if (!one_in(3))
        *s = mock_string("some text that is long" + below(22));
}
static size_t budget; /* elements that one value may still get */

static void fill_seq(ouro_seq *seq, const struct ouro_type *type, size_t depth)
{
    size_t len = depth >= DEPTH_MAX ? 0 : below(4);
    len = len < budget ? len : budget;
    budget -= len;
    if (len == 0)
        return;
    assert_int_equal(ouro_seq_reserve(seq, type, len), OURO_OK);
    memset(ouro_seq_data(seq), 0, len * type->size);
    seq->len = len;
}
static void fill_tag(char *base, const struct ouro_field *f)
{
    base[f->tag_offset] = (char)below(f->kind == OURO_FIELD_OPTION ? 2 : 7);
}
static void fill_resource(int64_t *resource)
{
    *resource = 1;
    resources++;
}
static const struct plain filling = {fill_slot, fill_text, fill_seq, fill_tag, fill_resource};

static void fill(void *value, const struct ouro_type *type)
{
    budget = 30;
    memset(value, 0, type->size);
    plain_value(&filling, value, type, 0);
}

/* Counting; and a fingerprint of all that a value holds. */

static int64_t counted_resources;
static uint64_t print;

static void mix(uint64_t n)
{
    print = (print ^ n) * 0x9E3779B97F4A7C15u;
    print ^= print >> 29;
}
static void count_slot(void **slot, enum ouro_field_kind kind)
{
    mix((uint64_t)(uintptr_t)*slot);
    if (*slot != NULL && kind == OURO_FIELD_REF)
        mock_of(*slot)->expected++;
}
static void count_text(ouro_string *s)
{
    const char *text = ouro_string_data(s);
    mix(s->len);
    for (size_t i = 0; i <= s->len; i++)
        mix((uint64_t)text[i]);
}
static void count_seq(ouro_seq *seq, const struct ouro_type *type, size_t depth)
{
    (void)depth;
    mix(seq->len);
    if (seq->payload != NULL) {
        assert_int_equal(seq->payload->reserved, 0);
        assert_true(seq->len <= seq->payload->capacity);
        assert_int_equal(seq->payload->capacity,
                         (ouro_usable_size(seq->payload) - sizeof *seq->payload) / type->size);
    }
}
static void count_tag(char *base, const struct ouro_field *f)
{
    mix((uint64_t)read_tag(base, f));
}
static void count_resource(int64_t *resource)
{
    mix((uint64_t)*resource);
    counted_resources += *resource;
}
static const struct plain counting = {count_slot, count_text, count_seq, count_tag, count_resource};

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

static uint64_t print_of(void *value, const struct ouro_type *type)
{
    print = 1;
    plain_value(&counting, value, type, 0);
    return print;
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
        struct ouro_type *type = object_types[i] = &family->types[below(TYPES)];
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
