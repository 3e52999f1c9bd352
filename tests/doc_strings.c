/* SPDX-License-Identifier: MIT */
/* doc_strings.c: the code of docs/strings.md, literally, run. */
#include "ouro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

/* clang-format off */
/* [append] */
static ouro_status spell(ouro_string *s, uint64_t number) /* "n = 42;" at the end of s */
{
    char digits[20];
    size_t n = sizeof digits;
    do
        digits[--n] = (char)('0' + number % 10);
    while (number /= 10);
    ouro_status status = ouro_string_add_bytes(s, "n = ", 4); /* inlined: a constant length */
    if (status == OURO_OK)
        status = ouro_string_append(s, digits + n, sizeof digits - n);
    if (status == OURO_OK)
        status = ouro_string_add(s, ';'); /* inlined: one byte */
    return status;
}
/* [append] */

/* [literal] */
OURO_STRING_LITERAL(unknown, "unknown");
static const ouro_string no_name = OURO_OF_LITERAL(unknown);

static ouro_status name_of(ouro_string *fresh, const ouro_string *name)
{
    return ouro_dup(fresh, name ? name : &no_name, &ouro_string_type); /* shares: no allocation */
}
/* [literal] */

/* [concat] */
static ouro_status full_name(ouro_string *fresh, const ouro_string *first, const ouro_string *last)
{
    ouro_view pieces[] = {ouro_string_view(first, 0, first->len), ouro_view_of(" ", 1),
                          ouro_string_view(last, 0, last->len)};
    ouro_status status = ouro_string_concat(fresh, pieces, 3); /* one allocation */
    ouro_view_end(&pieces[2]);
    ouro_view_end(&pieces[0]);
    return status;
}
/* [concat] */

/* [edit] */
static ouro_status shout(ouro_string *s)
{
    char *bytes;
    ouro_status status = ouro_string_edit(s, &bytes); /* ours alone from here on */
    for (size_t i = 0; status == OURO_OK && i < s->len; i++)
        if ('a' <= bytes[i] && bytes[i] <= 'z')
            bytes[i] = (char)(bytes[i] - 'a' + 'A');
    return status;
}
/* [edit] */

/* [add] */
struct point {
    double x, y;
};
static struct ouro_type point_type = OURO_PLAIN_TYPE(struct point);

static ouro_status add_point(ouro_seq *points, double x, double y)
{
    struct point *p = ouro_seq_add(points, &point_type, sizeof *p); /* inlined */
    if (p == NULL)
        return OURO_NO_MEMORY;
    *p = (struct point){x, y};
    return OURO_OK;
}
/* [add] */

/* [unshare] */
struct document {
    ouro_seq lines; /* of strings: elements that own something are not shared by copies */
};
static const struct ouro_field document_fields[] = {
    OURO_SEQ(struct document, lines, &ouro_string_type),
};
static struct ouro_type document_type = OURO_TYPE(struct document, document_fields);

static ouro_status add_line(struct document **mine, ouro_string *line) /* line: owned */
{
    ouro_status status = ouro_unshare((void **)mine); /* copies, if others have it too */
    if (status == OURO_OK)
        status = ouro_seq_push(&(*mine)->lines, &ouro_string_type, line);
    return status;
}
/* [unshare] */
/* clang-format on */

static void numbers_are_spelled(void **state)
{
    (void)state;
    ouro_string s = {0, NULL};
    assert_int_equal(spell(&s, 42), OURO_OK);
    assert_int_equal(spell(&s, 0), OURO_OK);
    assert_string_equal(ouro_string_data(&s), "n = 42;n = 0;");
    ouro_string_destroy(&s);
}

static void names_are_joined_and_shouted(void **state)
{
    (void)state;
    ouro_string first, last, full;
    assert_int_equal(name_of(&first, NULL), OURO_OK);
    assert_int_equal(ouro_string_make(&last, "soldier", 7), OURO_OK);
    assert_int_equal(full_name(&full, &first, &last), OURO_OK);
    assert_int_equal(shout(&first), OURO_OK);
    assert_string_equal(ouro_string_data(&full), "unknown soldier");
    assert_string_equal(ouro_string_data(&first), "UNKNOWN");
    assert_string_equal(ouro_string_data(&no_name), "unknown");
    ouro_string_destroy(&first);
    ouro_string_destroy(&last);
    ouro_string_destroy(&full);
}

static void points_are_added(void **state)
{
    (void)state;
    ouro_seq points = {0, NULL};
    for (int i = 0; i < 100; i++)
        assert_int_equal(add_point(&points, i, -i), OURO_OK);
    assert_true(((struct point *)ouro_seq_data(&points))[99].y == -99);
    ouro_seq_destroy(&points, &point_type);
}

static void a_document_is_copied_when_it_is_shared(void **state)
{
    (void)state;
    struct document *yours = OURO_NEW(struct document, &document_type), *mine = yours;
    ouro_string line;
    assert_non_null(yours);
    ouro_incref(yours);
    assert_int_equal(ouro_string_make(&line, "a line", 6), OURO_OK);
    assert_int_equal(add_line(&mine, &line), OURO_OK);
    assert_ptr_not_equal(mine, yours);
    assert_int_equal(mine->lines.len, 1);
    assert_int_equal(yours->lines.len, 0);
    ouro_decref(mine);
    ouro_decref(yours);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_spelled),
        cmocka_unit_test(names_are_joined_and_shouted),
        cmocka_unit_test(points_are_added),
        cmocka_unit_test(a_document_is_copied_when_it_is_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
