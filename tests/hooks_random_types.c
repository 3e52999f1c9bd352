/* SPDX-License-Identifier: MIT */
/* hooks_random_types.c: white-box; see hooks_random.h. */
#include "hooks_random.h"

enum { SIZE_ENOUGH = 200 };

uint64_t seed, random_state;

uint64_t next_random(void)
{
    /* xorshift64*, Vigna 2016 */
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545F4914F6CDD1Du;
}
size_t below(size_t n)
{
    return (size_t)(next_random() >> 33) % n;
}
bool one_in(size_t n)
{
    return below(n) == 0;
}

struct family *family;
int64_t resources;
const struct ouro_filter random_filters[2] = {OURO_FILTER_TAG(7, 1), OURO_FILTER_BOX(0xFFFC)};

int64_t *resource_of(const void *value, const struct ouro_type *type)
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
    return kind == OURO_FIELD_SEQ || kind == OURO_FIELD_STRING || kind == OURO_FIELD_CLOSURE ||
                   kind == OURO_FIELD_INTERIOR
               ? 16
               : 8;
}

/* A random field at *at or behind it, in type i; moves *at behind it. */
static struct ouro_field random_field(size_t i, size_t *at, bool in_case)
{
    struct ouro_field f = {.name = "f"};
    *at = align_up(*at, 8);
    size_t kinds = i == 0 ? 8 : in_case ? 10 : 11;
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
        f.kind = OURO_FIELD_FILTERED;
        f.filter = &random_filters[below(2)];
        break;
    case 6:
        f.kind = OURO_FIELD_CLOSURE;
        break;
    case 7:
        f.kind = OURO_FIELD_INTERIOR;
        break;
    case 8:
        f.kind = OURO_FIELD_VALUE;
        f.type = &family->types[below(i)];
        break;
    case 9:
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

void make_types(void)
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
