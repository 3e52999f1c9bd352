/* SPDX-License-Identifier: MIT */
/* Strings: each operation against a model of plain bytes, copies that share until one is edited,
 * literals, and what happens when memory is refused. */
#include "orc_kit.h"

#include <string.h>

static ouro_string make(const char *text)
{
    ouro_string s;
    assert_int_equal(ouro_string_make(&s, text, strlen(text)), OURO_OK);
    return s;
}
static ouro_string share(const ouro_string *s)
{
    ouro_string copy;
    assert_int_equal(ouro_dup(&copy, s, &ouro_string_type), OURO_OK);
    return copy;
}
static void holds(const ouro_string *s, const char *text)
{
    assert_int_equal(s->len, strlen(text));
    assert_string_equal(ouro_string_data(s), text);
}

/* -- sharing ----------------------------------------------------------------------------------- */

static void copies_share_until_one_is_edited(void **state)
{
    (void)state;
    ouro_string a = make("to be shared"), b = share(&a);
    assert_ptr_equal(a.payload, b.payload);
    assert_int_equal(ouro_string_add(&b, '!'), OURO_OK);
    assert_ptr_not_equal(a.payload, b.payload);
    holds(&a, "to be shared");
    holds(&b, "to be shared!");
    ouro_string_destroy(&a);
    ouro_string_destroy(&b);
}

static void the_last_of_the_copies_is_edited_in_place(void **state)
{
    (void)state;
    ouro_string a = make("mine"), b = share(&a);
    const void *payload = a.payload;
    ouro_string_destroy(&a);
    assert_int_equal(ouro_string_add_bytes(&b, " again", 6), OURO_OK);
    assert_ptr_equal(b.payload, payload);
    assert_true(b.payload->capacity >= b.len);
    holds(&b, "mine again");
    ouro_string_destroy(&b);
}

static void every_edit_leaves_the_other_copy_alone(void **state)
{
    (void)state;
    for (int op = 0; op < 8; op++) {
        ouro_string a = make("abcdef"), b = share(&a);
        char *bytes;
        switch (op) {
        case 0:
            assert_int_equal(ouro_string_append(&b, ouro_string_data(&a), 3), OURO_OK);
            break;
        case 1:
            assert_int_equal(ouro_string_set_len(&b, 3), OURO_OK);
            break;
        case 2:
            assert_int_equal(ouro_string_set_len(&b, 30), OURO_OK);
            break;
        case 3:
            assert_int_equal(ouro_string_splice(&b, 1, 2, "XX", 2), OURO_OK);
            break;
        case 4:
            assert_int_equal(ouro_string_splice(&b, 0, 6, NULL, 0), OURO_OK);
            break;
        case 5:
            assert_int_equal(ouro_string_edit(&b, &bytes), OURO_OK);
            bytes[0] = 'Z';
            break;
        case 6:
            assert_int_equal(ouro_string_reserve(&b, 100), OURO_OK);
            assert_int_equal(ouro_string_shrink(&b), OURO_OK);
            break;
        default:
            ouro_string_destroy(&b);
            break;
        }
        holds(&a, "abcdef");
        assert_ptr_not_equal(a.payload, b.payload);
        ouro_string_destroy(&a);
        ouro_string_destroy(&b);
    }
}

OURO_STRING_LITERAL(hello, "hello");
static const ouro_string greeting = OURO_OF_LITERAL(hello);
OURO_SEQ_LITERAL(primes, int64_t, 4, {2, 3, 5, 7});

static void literals_need_no_memory_and_are_copied_by_edits(void **state)
{
    (void)state;
    struct ouro_stats before, after;
    ouro_stats_get(&before);
    ouro_string a = ouro_string_of_literal(&hello.payload, 5), b = share(&greeting);
    ouro_string_destroy(&b);
    b = a;
    ouro_stats_get(&after);
    assert_int_equal(before.counted.blocks, after.counted.blocks);
    holds(&greeting, "hello");
    assert_true(ouro_string_equal(&a, &greeting));
    assert_int_equal(ouro_string_add(&a, '!'), OURO_OK);
    holds(&a, "hello!");
    holds(&b, "hello");
    ouro_string_destroy(&a);
    ouro_string_destroy(&b);
    ouro_view view = ouro_string_view(&greeting, 1, 3);
    assert_memory_equal(view.data, "ell", 3);
    ouro_view_end(&view);

    struct ouro_type number_type = OURO_PLAIN_TYPE(int64_t);
    static struct ouro_type int_type;
    int_type = number_type;
    ouro_seq numbers = OURO_OF_SEQ_LITERAL(primes);
    assert_int_equal(ouro_seq_push(&numbers, &int_type, &(int64_t){11}), OURO_OK);
    assert_int_equal(((int64_t *)ouro_seq_data(&numbers))[4], 11);
    assert_int_equal(primes.elements[3], 7);
    ouro_seq_destroy(&numbers, &int_type);
}

/* -- questions --------------------------------------------------------------------------------- */

static void strings_are_ordered_by_bytes_then_length(void **state)
{
    (void)state;
    const char *sorted[] = {"", "a", "aa", "ab", "b", "\x7f", "\x80", "\xff"};
    for (size_t i = 0; i < OURO_COUNT_OF(sorted); i++)
        for (size_t k = 0; k < OURO_COUNT_OF(sorted); k++) {
            ouro_string a = make(sorted[i]), b = make(sorted[k]);
            int order = ouro_string_compare(&a, &b);
            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
            assert_int_equal(ouro_string_equal(&a, &b), i == k);
            ouro_string_destroy(&a);
            ouro_string_destroy(&b);
        }
}

static void bytes_are_found(void **state)
{
    (void)state;
    ouro_string s = make("banana"), none = {0, NULL};
    assert_int_equal(ouro_string_find(&s, 0, 'a'), 1);
    assert_int_equal(ouro_string_find(&s, 2, 'a'), 3);
    assert_true(ouro_string_find(&s, 6, 0) == OURO_NOT_FOUND);
    assert_true(ouro_string_find(&s, SIZE_MAX, 'a') == OURO_NOT_FOUND);
    assert_true(ouro_string_find(&none, 0, 'a') == OURO_NOT_FOUND);
    ouro_string_destroy(&s);
}

static void hashes_are_those_of_xxh3(void **state)
{
    (void)state;
#if OURO_TEST_HASH
    ouro_string none = {0, NULL}, a = make("abc"), b = make("ab");
    /* From xxHash's own tables: XXH3_64bits of nothing, and of "abc", with seed 0. */
    assert_true(ouro_string_hash(&none, 0) == 0x2D06800538D394C2u);
    assert_true(ouro_string_hash(&a, 0) == 0x78AF5F94892F3950u);
    assert_int_equal(ouro_string_add(&b, 'c'), OURO_OK);
    assert_true(ouro_string_hash(&a, 7) == ouro_string_hash(&b, 7));
    assert_true(ouro_string_hash(&a, 7) != ouro_string_hash(&a, 8));
    ouro_string_destroy(&a);
    ouro_string_destroy(&b);
#else
    skip(); /* the library was built without xxHash's header */
#endif
}

/* -- against a model --------------------------------------------------------------------------- */

enum { STRINGS = 6, MOST = 300 };
struct model {
    char bytes[4 * MOST];
    size_t len;
};

static void same(const ouro_string *s, const struct model *m)
{
    assert_int_equal(s->len, m->len);
    assert_memory_equal(ouro_string_data(s), m->bytes, m->len);
    assert_int_equal(ouro_string_data(s)[m->len], 0);
    assert_true(s->payload == NULL || s->payload->capacity == 0 || s->payload->capacity >= s->len);
}

static void model_splice(struct model *m, size_t from, size_t count, const char *bytes, size_t len)
{
    char aside[4 * MOST];
    memcpy(aside, bytes, len);
    memmove(m->bytes + from + len, m->bytes + from + count, m->len - from - count);
    memcpy(m->bytes + from, aside, len);
    m->len = m->len - count + len;
}

static void random_step(uint64_t *seed, ouro_string *all, struct model *models)
{
    size_t i = kit_random(seed) % STRINGS, k = kit_random(seed) % STRINGS;
    ouro_string *s = &all[i], *t = &all[k], part;
    struct model *m = &models[i];
    size_t from = m->len != 0 ? kit_random(seed) % (m->len + 1) : 0;
    size_t count = kit_random(seed) % (m->len - from + 1);
    size_t at = kit_random(seed) % (t->len + 1), len = kit_random(seed) % (t->len - at + 1);
    const char *bytes = ouro_string_data(t) + at; /* of itself, where i == k */
    char byte = (char)kit_random(seed), *edit;
    switch (kit_random(seed) % 11) {
    case 0:
        model_splice(m, m->len, 0, models[k].bytes + at, len);
        assert_int_equal(ouro_string_append(s, bytes, len), OURO_OK);
        break;
    case 1:
    case 2:
        model_splice(m, m->len, 0, &byte, 1);
        assert_int_equal(ouro_string_add(s, byte), OURO_OK);
        break;
    case 3:
        model_splice(m, m->len, 0, "constant", 8);
        assert_int_equal(ouro_string_add_bytes(s, "constant", 8), OURO_OK);
        break;
    case 4:
        model_splice(m, from, count, models[k].bytes + at, len);
        assert_int_equal(ouro_string_splice(s, from, count, bytes, len), OURO_OK);
        break;
    case 5:
        memset(m->bytes + m->len, 0, 20);
        m->len = kit_random(seed) % (m->len + 20);
        assert_int_equal(ouro_string_set_len(s, m->len), OURO_OK);
        break;
    case 6:
        assert_int_equal(ouro_copy(s, t, &ouro_string_type), OURO_OK);
        *m = models[k];
        break;
    case 7:
        assert_int_equal(ouro_string_sub(&part, s, from, count), OURO_OK);
        ouro_sink(s, &part, &ouro_string_type);
        memmove(m->bytes, m->bytes + from, count);
        m->len = count;
        break;
    case 8:
        assert_int_equal(kit_random(seed) % 2 ? ouro_string_reserve(s, from + 50)
                                              : ouro_string_shrink(s),
                         OURO_OK);
        break;
    case 9: {
        ouro_view pieces[] = {ouro_string_view(s, 0, from), ouro_string_view(t, at, len)};
        assert_int_equal(ouro_string_concat(&part, pieces, 2), OURO_OK);
        ouro_view_end(&pieces[1]);
        ouro_view_end(&pieces[0]);
        model_splice(m, from, m->len - from, models[k].bytes + at, len);
        ouro_sink(s, &part, &ouro_string_type);
        break;
    }
    default:
        assert_int_equal(ouro_string_edit(s, &edit), OURO_OK);
        if (m->len != 0)
            edit[from % m->len] = m->bytes[from % m->len] = byte;
        break;
    }
    if (m->len > MOST) {
        m->len = 5;
        assert_int_equal(ouro_string_set_len(s, 5), OURO_OK);
    }
}

static void any_steps_agree_with_plain_bytes(void **state)
{
    (void)state;
    static struct model models[STRINGS];
    ouro_string all[STRINGS] = {{0, NULL}};
    uint64_t seed = kit_seed(20261121);
    memset(models, 0, sizeof models);
    for (size_t n = kit_scaled(40000); n > 0; n--) {
        random_step(&seed, all, models);
        for (size_t i = 0; i < STRINGS; i++)
            same(&all[i], &models[i]);
    }
    for (size_t i = 0; i < STRINGS; i++)
        ouro_string_destroy(&all[i]);
}

/* -- refusals ---------------------------------------------------------------------------------- */

static void a_refusal_changes_nothing(void **state)
{
    (void)state;
    for (int op = 0; op < 8; op++) {
        ouro_string a = make("0123456789012345678901234567890123456789"), b = share(&a), fresh;
        ouro_view pieces[] = {ouro_view_of("ab", 2), ouro_view_of("cd", 2)};
        char *bytes;
        ouro_string before = b;
        ouro_fail_nth_alloc(1, true);
        ouro_status refused[] = {op == 0 ? ouro_string_append(&b, "x", 1) : OURO_NO_MEMORY,
                                 op == 1 ? ouro_string_add(&b, 'x') : OURO_NO_MEMORY,
                                 op == 2 ? ouro_string_add_bytes(&b, "xy", 2) : OURO_NO_MEMORY,
                                 op == 3 ? ouro_string_splice(&b, 2, 1, ouro_string_data(&b), 9)
                                         : OURO_NO_MEMORY,
                                 op == 4 ? ouro_string_set_len(&b, 3) : OURO_NO_MEMORY,
                                 op == 5 ? ouro_string_edit(&b, &bytes) : OURO_NO_MEMORY,
                                 op == 6 ? ouro_string_reserve(&b, 1000) : OURO_NO_MEMORY,
                                 op == 7 ? ouro_string_concat(&fresh, pieces, 2) : OURO_NO_MEMORY};
        ouro_fail_nth_alloc(0, false);
        assert_int_equal(refused[op], OURO_NO_MEMORY);
        assert_memory_equal(&b, &before, sizeof b);
        holds(&a, "0123456789012345678901234567890123456789");
        ouro_string_destroy(&a);
        ouro_string_destroy(&b);
    }
}

static void what_is_beyond_the_end_or_too_large_is_refused(void **state)
{
    (void)state;
    ouro_string s = make("abc"), fresh;
    char *bytes;
    ouro_view bad = {NULL, 1, NULL}, much[] = {{"", SIZE_MAX, NULL}, {"", 2, NULL}};
    assert_int_equal(ouro_string_splice(&s, 4, 0, "x", 1), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_string_splice(&s, 2, 2, "x", 1), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_string_splice(&s, 2, 1, NULL, 1), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_string_splice(NULL, 0, 0, NULL, 0), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_string_sub(&fresh, &s, 2, 2), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_string_sub(&fresh, &s, SIZE_MAX, 2), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_string_sub(NULL, &s, 0, 0), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_string_concat(&fresh, &bad, 1), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_string_concat(&fresh, NULL, 1), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_string_concat(&fresh, much, 2), OURO_NO_MEMORY);
    assert_int_equal(ouro_string_set_len(&s, SIZE_MAX), OURO_NO_MEMORY);
    assert_int_equal(ouro_string_set_len(NULL, 1), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_string_shrink(NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_string_edit(&s, NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_string_edit(NULL, &bytes), OURO_BAD_ARGUMENT);
    holds(&s, "abc");
    ouro_string_destroy(&s);
}

static void appends_move_the_bytes_rarely(void **state)
{
    (void)state;
    ouro_string s = {0, NULL};
    size_t moves = 0, n = kit_scaled(300000);
    for (size_t i = 0; i < n; i++) {
        const void *before = s.payload;
        assert_int_equal(ouro_string_add(&s, (char)i), OURO_OK);
        moves += s.payload != before;
    }
    assert_true(moves < 40);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(ouro_string_data(&s)[i], (char)i);
    assert_int_equal(ouro_string_set_len(&s, 3), OURO_OK);
    assert_int_equal(ouro_string_shrink(&s), OURO_OK);
    assert_true(s.payload->capacity < 200);
    ouro_string_destroy(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(copies_share_until_one_is_edited),
        kit_test(the_last_of_the_copies_is_edited_in_place),
        kit_test(every_edit_leaves_the_other_copy_alone),
        kit_test(literals_need_no_memory_and_are_copied_by_edits),
        kit_test(strings_are_ordered_by_bytes_then_length),
        kit_test(bytes_are_found),
        kit_test(hashes_are_those_of_xxh3),
        kit_test(any_steps_agree_with_plain_bytes),
        kit_test(a_refusal_changes_nothing),
        kit_test(what_is_beyond_the_end_or_too_large_is_refused),
        kit_test(appends_move_the_bytes_rarely),
    };
    return kit_run(tests);
}
