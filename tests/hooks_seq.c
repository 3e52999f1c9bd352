/* SPDX-License-Identifier: MIT */
/* hooks_seq.c: white-box tests of sequences and strings. */
#include "hooks_mock.h"

#include <string.h>

static struct ouro_type number_type = OURO_PLAIN_TYPE(int64_t);
static struct ouro_type target_type = {.size = 8, .name = "target"};

static void zero_is_an_empty_sequence_and_string(void **state)
{
    (void)state;
    ouro_seq seq = {0, NULL};
    ouro_string s = {0, NULL};
    int64_t n;
    assert_null(ouro_seq_data(&seq));
    assert_string_equal(ouro_string_data(&s), "");
    assert_int_equal(ouro_seq_pop(&seq, &number_type, &n), OURO_BAD_ARGUMENT);
    ouro_seq_truncate(&seq, &number_type, 0);
    ouro_seq_destroy(&seq, &number_type);
    ouro_string_destroy(&s);
    assert_int_equal(ouro_string_append(&s, NULL, 0), OURO_OK);
    assert_null(s.payload);
}

static void pushes_come_back_in_reverse(void **state)
{
    (void)state;
    ouro_seq seq = {0, NULL};
    for (int64_t i = 0; i < 1000; i++) {
        int64_t n = i;
        assert_int_equal(ouro_seq_push(&seq, &number_type, &n), OURO_OK);
        assert_int_equal(n, i); /* a number stays what it was */
    }
    assert_int_equal(seq.len, 1000);
    assert_int_equal((uintptr_t)ouro_seq_data(&seq) % 16, 0);
    for (int64_t i = 1000; i-- > 0;) {
        int64_t n;
        assert_int_equal(ouro_seq_pop(&seq, &number_type, &n), OURO_OK);
        assert_int_equal(n, i);
    }
    ouro_seq_destroy(&seq, &number_type);
    assert_null(seq.payload);
}

static void growth_is_amortized(void **state)
{
    (void)state;
    ouro_seq seq = {0, NULL};
    ouro_string s = {0, NULL};
    size_t seq_moves = 0, string_moves = 0, capacity = 0, room = 0;
    for (int64_t n = 0; n < 100000; n++) {
        assert_int_equal(ouro_seq_push(&seq, &number_type, &n), OURO_OK);
        assert_int_equal(ouro_string_append(&s, "x", 1), OURO_OK);
        seq_moves += seq.payload->capacity != capacity;
        string_moves += s.payload->capacity != room;
        capacity = seq.payload->capacity;
        room = s.payload->capacity;
    }
    assert_true(seq_moves < 40 && string_moves < 40);
    assert_true(capacity < 160000 && room < 160000);
    ouro_seq_destroy(&seq, &number_type);
    ouro_string_destroy(&s);
}

static void reserve_makes_room_once(void **state)
{
    (void)state;
    ouro_seq seq = {0, NULL};
    assert_int_equal(ouro_seq_reserve(&seq, &number_type, 100), OURO_OK);
    void *data = ouro_seq_data(&seq);
    assert_true(seq.payload->capacity >= 100);
    assert_int_equal(seq.len, 0);
    for (int64_t i = 0; i < 100; i++)
        assert_int_equal(ouro_seq_push(&seq, &number_type, &(int64_t){i}), OURO_OK);
    assert_ptr_equal(ouro_seq_data(&seq), data);
    assert_int_equal(ouro_seq_reserve(&seq, &number_type, 1), OURO_OK);
    assert_ptr_equal(ouro_seq_data(&seq), data);
    ouro_seq_destroy(&seq, &number_type);
}

static void an_element_of_the_sequence_itself_can_be_pushed(void **state)
{
    (void)state;
    ouro_seq seq = {0, NULL};
    for (size_t i = 0; i < 100; i++) {
        ouro_string text = mock_string("again");
        if (i == 0)
            assert_int_equal(ouro_seq_push(&seq, &ouro_string_type, &text), OURO_OK);
        else
            ouro_string_destroy(&text);
        ouro_string *last = (ouro_string *)ouro_seq_data(&seq) + i;
        assert_string_equal(ouro_string_data(last), "again");
        assert_int_equal(ouro_seq_push(&seq, &ouro_string_type, last), OURO_OK);
        last = (ouro_string *)ouro_seq_data(&seq) + i;
        assert_null(last->payload);
    }
    assert_int_equal(seq.len, 101);
    ouro_seq_destroy(&seq, &ouro_string_type);
}

static void truncate_destroys_the_rest(void **state)
{
    (void)state;
    ouro_seq seq = {0, NULL};
    void *target = mock_new(&target_type);
    for (int i = 0; i < 10; i++) {
        void *ref = mock_incref(target);
        assert_int_equal(ouro_seq_push(&seq, &ouro_ref_type, &ref), OURO_OK);
    }
    ouro_seq_truncate(&seq, &ouro_ref_type, 20);
    assert_int_equal(mock_count(target), 11);
    ouro_seq_truncate(&seq, &ouro_ref_type, 3);
    assert_int_equal(mock_count(target), 4);
    assert_int_equal(seq.len, 3);
    void *ref;
    assert_int_equal(ouro_seq_pop(&seq, &ouro_ref_type, &ref), OURO_OK);
    assert_int_equal(mock_count(target), 4);
    mock_drop(ref);
    ouro_seq_destroy(&seq, &ouro_ref_type);
    assert_int_equal(mock_count(target), 1);
    mock_drop(target);
}

static void a_string_can_be_appended_to_itself(void **state)
{
    (void)state;
    ouro_string s = mock_string("ab");
    for (int i = 0; i < 10; i++)
        assert_int_equal(ouro_string_append(&s, ouro_string_data(&s), s.len), OURO_OK);
    assert_int_equal(s.len, 2048);
    for (size_t i = 0; i < s.len; i++)
        assert_int_equal(ouro_string_data(&s)[i], i % 2 == 0 ? 'a' : 'b');
    assert_int_equal(ouro_string_data(&s)[s.len], 0);
    assert_int_equal(ouro_string_append(&s, ouro_string_data(&s) + 2047, 1), OURO_OK);
    assert_int_equal(ouro_string_data(&s)[2048], 'b');
    ouro_string_destroy(&s);
}

static void strings_may_hold_any_bytes(void **state)
{
    (void)state;
    ouro_string s;
    assert_int_equal(ouro_string_make(&s, "a\0b", 3), OURO_OK);
    assert_memory_equal(ouro_string_data(&s), "a\0b", 4);
    assert_int_equal(ouro_string_append(&s, "\0c", 2), OURO_OK);
    assert_memory_equal(ouro_string_data(&s), "a\0b\0c", 6);
    ouro_string_destroy(&s);
    assert_int_equal(ouro_string_make(&s, NULL, 0), OURO_OK);
    assert_true(s.len == 0 && s.payload == NULL);
    assert_int_equal(ouro_string_make(&s, NULL, 1), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_string_append(&s, NULL, 1), OURO_BAD_ARGUMENT);
}

static void a_reserved_string_is_terminated(void **state)
{
    (void)state;
    ouro_string s = {0, NULL};
    assert_int_equal(ouro_string_reserve(&s, 50), OURO_OK);
    assert_string_equal(ouro_string_data(&s), "");
    assert_true(s.payload->capacity >= 50);
    ouro_string_destroy(&s);
}

static void what_overflows_is_refused(void **state)
{
    (void)state;
    ouro_seq seq = {0, NULL};
    ouro_string s = mock_string("x");
    assert_int_equal(ouro_seq_reserve(&seq, &number_type, SIZE_MAX), OURO_NO_MEMORY);
    assert_int_equal(ouro_seq_reserve(&seq, &number_type, SIZE_MAX / 8), OURO_NO_MEMORY);
    assert_int_equal(ouro_seq_reserve(&seq, &number_type, SIZE_MAX / 8 - 1), OURO_NO_MEMORY);
    assert_true(seq.len == 0 && seq.payload == NULL);
    assert_int_equal(ouro_string_reserve(&s, SIZE_MAX), OURO_NO_MEMORY);
    assert_int_equal(ouro_string_reserve(&s, SIZE_MAX - 16), OURO_NO_MEMORY);
    assert_int_equal(ouro_string_append(&s, "y", SIZE_MAX), OURO_NO_MEMORY);
    assert_int_equal(ouro_string_make(&s, ouro_string_data(&s), SIZE_MAX - 20), OURO_NO_MEMORY);
    assert_string_equal(ouro_string_data(&s), "x");
    ouro_string_destroy(&s);
}

static void elements_that_a_sequence_cannot_hold_are_refused(void **state)
{
    (void)state;
    static struct ouro_type wide = {.size = 64, .align = 64, .name = "wide"};
    static struct ouro_type empty = {.name = "empty"};
    ouro_seq seq = {0, NULL};
    assert_int_equal(ouro_seq_reserve(&seq, &wide, 1), OURO_BAD_TYPE);
    assert_int_equal(ouro_seq_push(&seq, &empty, &seq), OURO_BAD_TYPE);
    assert_null(seq.payload);
}

/* A refused push or append leaves both sides as they were. */

static ouro_status attempt_push(void *arg)
{
    ouro_seq *seq = arg;
    ouro_string text;
    if (ouro_string_make(&text, "ab", 2) != OURO_OK)
        return OURO_NO_MEMORY;
    ouro_string before = text;
    size_t len = seq->len;
    ouro_status status = ouro_seq_push(seq, &ouro_string_type, &text);
    if (status != OURO_OK) {
        assert_memory_equal(&text, &before, sizeof text);
        assert_int_equal(seq->len, len);
        ouro_string_destroy(&text);
    }
    return status;
}

static ouro_status attempt_append(void *arg)
{
    ouro_string *s = arg;
    char before[100];
    size_t len = s->len;
    strcpy(before, ouro_string_data(s));
    ouro_status status = ouro_string_append(s, "0123456789012345678901234567890123456789", 40);
    assert_int_equal(s->len, status == OURO_OK ? len + 40 : len);
    assert_memory_equal(ouro_string_data(s), before, len);
    return status;
}

static void a_refused_push_or_append_changes_nothing(void **state)
{
    (void)state;
    ouro_seq seq = {0, NULL};
    ouro_string s = mock_string("x");
    mock_fail_everywhere(attempt_push, &seq);
    mock_fail_everywhere(attempt_append, &s);
    assert_int_equal(seq.len, 2);
    assert_int_equal(s.len, 81);
    ouro_seq_destroy(&seq, &ouro_string_type);
    ouro_string_destroy(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)
        T(zero_is_an_empty_sequence_and_string),
        T(pushes_come_back_in_reverse),
        T(growth_is_amortized),
        T(reserve_makes_room_once),
        T(an_element_of_the_sequence_itself_can_be_pushed),
        T(truncate_destroys_the_rest),
        T(a_string_can_be_appended_to_itself),
        T(strings_may_hold_any_bytes),
        T(a_reserved_string_is_terminated),
        T(what_overflows_is_refused),
        T(elements_that_a_sequence_cannot_hold_are_refused),
        T(a_refused_push_or_append_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
