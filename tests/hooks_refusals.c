/* SPDX-License-Identifier: MIT */
/* hooks_refusals.c: white-box; descriptors that contradict themselves are refused, by name. */
#include "hooks_mock.h"

struct inner {
    void *a;
    int64_t n;
    void *b;
};
static const struct ouro_field inner_fields[] = {
    OURO_REF(struct inner, a, NULL),
    OURO_REF(struct inner, b, NULL),
};
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
static struct ouro_type inner_type = OURO_TYPE(struct inner, inner_fields);
static struct ouro_type self_type;
static struct ouro_type empty_type = {.name = "empty"};
static struct ouro_type wide_type = {.size = 32, .align = 32, .name = "wide"};
static struct ouro_type odd_type = {.size = 12, .align = 8, .name = "odd"};
static struct ouro_type bad_type = {.size = 3, .align = 3, .name = "bad"};
static const struct ouro_field ref_case[] = {OURO_REF(struct box, u.ref, NULL)};
static const struct ouro_field low_case[] = {OURO_REF(struct box, a, NULL)};
static const struct ouro_field seq_case[] = {OURO_SEQ(struct box, u.inner, &inner_type)};

static void *first_object(const struct ouro_filter *filter, uint64_t word)
{
    (void)filter;
    return (void *)(uintptr_t)(word + 16);
}
static uint64_t first_word(const struct ouro_filter *filter, uint64_t word, void *object)
{
    (void)filter;
    return word + (uint64_t)(uintptr_t)object;
}
static const struct ouro_filter low_bit = OURO_FILTER_TAG(1, 1);
static const struct ouro_filter half_written = {.object = first_object};
static const struct ouro_filter takes_all = {
    .object = first_object, .word = first_word, .empty = (uint64_t)-16};
static const struct ouro_filter full_of_empty = {
    .mask = 1, .value = 1, .address = ~(uint64_t)1, .empty = 17};
static const struct ouro_field tailed_fields[] = {
    {.name = "tail", .kind = OURO_FIELD_TAIL, .offset = 8, .tag_size = 8, .type = &inner_type}};
static struct ouro_type tailed_type = {
    .size = 8, .name = "tailed", .fields = tailed_fields, .field_count = 1};
static const struct ouro_field tail_case[] = {{.name = "u",
                                               .kind = OURO_FIELD_TAIL,
                                               .offset = offsetof(struct box, u),
                                               .tag_size = 8,
                                               .type = &inner_type}};

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
    {"box.x: is of no known kind", {F("x", OURO_FIELD_TAIL + 1)}},
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
    {"box.x: has no filter", {F("x", OURO_FIELD_FILTERED)}},
    {"box.x: is not aligned", {F("x", OURO_FIELD_FILTERED, .offset = 4, .filter = &low_bit)}},
    {"box.x: its filter has one of two functions",
     {F("x", OURO_FIELD_FILTERED, .filter = &half_written)}},
    {"box.x: its filter takes the empty word for a reference",
     {F("x", OURO_FIELD_FILTERED, .filter = &full_of_empty)}},
    {"box.x: its filter takes 0 for a reference",
     {F("x", OURO_FIELD_FILTERED, .filter = &takes_all)}},
    {"box.x: reaches beyond the value", {F("x", OURO_FIELD_CLOSURE, .offset = 56)}},
    {"box.y: overlaps another field",
     {F("x", OURO_FIELD_INTERIOR), F("y", OURO_FIELD_REF, .offset = 8)}},
    {"box.x: has no type", {F("x", OURO_FIELD_TAIL, .offset = 8, .tag_size = 8)}},
    {"box.x: a tag has 1, 2, 4 or 8 bytes",
     {F("x", OURO_FIELD_TAIL, .offset = 8, .type = &inner_type)}},
    {"box.x: its tag lies in a field",
     {F("x", OURO_FIELD_TAIL, .offset = 8, .type = &inner_type, .tag_size = 8, .tag_offset = 8)}},
    {"box.x: reaches beyond the value",
     {F("x", OURO_FIELD_TAIL, .offset = 72, .type = &inner_type, .tag_size = 8)}},
    {"box.x: a tail is the last field of an object",
     {F("x", OURO_FIELD_TAIL, .offset = 8, .type = &inner_type, .tag_size = 8),
      F("y", OURO_FIELD_REF, .offset = 16)}},
    {"box.u: a tail is the last field of an object",
     {F("u", OURO_FIELD_UNION, U, TAG, CASES({"c", 1, 1, tail_case, 1}))}},
    {"box.x: the elements' size is no multiple of their alignment",
     {F("x", OURO_FIELD_TAIL, .offset = 8, .type = &odd_type, .tag_size = 8)}},
    {"box.x: a value with a tail cannot be nested",
     {F("x", OURO_FIELD_VALUE, .type = &tailed_type)}},
    {"box.x: a value with a tail cannot be nested", {F("x", OURO_FIELD_SEQ, .type = &tailed_type)}},
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
    static struct ouro_type ring_types[2];
    static const struct ouro_field ring_fields[] = {
        {.name = "base", .kind = OURO_FIELD_VALUE, .type = &ring_types[0]},
        {.name = "base", .kind = OURO_FIELD_VALUE, .type = &ring_types[1]}};
    for (size_t i = 0; i < 2; i++)
        ring_types[i] = (struct ouro_type){.size = 16,
                                           .name = i == 0 ? "r0" : "r1",
                                           .base = &ring_types[1 - i],
                                           .fields = &ring_fields[1 - i],
                                           .field_count = 1};
    const char *chain = NULL;
    assert_int_equal(ouro_type_register(&ring_types[0], &chain), OURO_BAD_TYPE);
    assert_string_equal(chain, "r0: its chain of bases comes back to it");
    static const struct {
        struct ouro_type type;
        const char *why;
    } bad[] = {
        {{.size = SIZE_MAX, .name = "t"}, "t: is larger than any memory"},
        {{.size = 8, .align = 12, .name = "t"}, "t: its alignment is no power of two"},
        {{.size = 8, .flags = 1u << 30}, "?: has unknown flags"},
        {{.size = 8, .field_count = 1, .name = "t"}, "t: has no fields"},
        {{.size = 16, .base = &inner_type, .name = "t"}, "t: its first field is not its base"},
        {{.size = 64, .base = &inner_type, .fields = ref_case, .field_count = 1, .name = "t"},
         "t: its first field is not its base"},
        {{.size = 16, .base = &ring_types[0], .name = "t"},
         "t: has more than 255 bases, or they form a cycle"},
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
    assert_int_equal(box.state,
                     OURO__TYPE_TRACED | OURO__TYPE_TAGGED | OURO__TYPE_DEEP | OURO__TYPE_OUTWARD);
    ouro__types[box.id] = NULL; /* it stands on the stack */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_field_is_refused_by_name),
        cmocka_unit_test(a_bad_type_is_refused_by_name),
        cmocka_unit_test(fields_that_only_touch_are_accepted_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
