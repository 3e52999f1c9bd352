/* SPDX-License-Identifier: MIT */
/* doc_hooks.c: the code of docs/hooks.md, literally, run. White-box: on objects of hooks_mock.h. */
#include "hooks_mock.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* clang-format off */
/* [descriptor] */
struct person {
    ouro_string name;
    struct person *friend;      /* counted */
    struct person *introduced;  /* counts nothing */
    ouro_seq nicknames;         /* of ouro_string */
    int32_t age;
};

extern struct ouro_type person_type;
static const struct ouro_field person_fields[] = {
    OURO_STRING(struct person, name),
    OURO_REF(struct person, friend, &person_type),
    OURO_BORROW(struct person, introduced),
    OURO_SEQ(struct person, nicknames, &ouro_string_type),
};
struct ouro_type person_type = OURO_TYPE(struct person, person_fields);
/* [descriptor] */

/* [union] */
struct json {
    int32_t kind; /* 0 null, 1 number, 2 text, 3 list */
    union {
        double number;
        ouro_string text;
        ouro_seq list;
    } u;
};

extern struct ouro_type json_type;
static const struct ouro_field json_text[] = {OURO_STRING(struct json, u.text)};
static const struct ouro_field json_list[] = {OURO_SEQ(struct json, u.list, &json_type)};
static const struct ouro_case json_cases[] = {
    {"text", 2, 2, json_text, 1},
    {"list", 3, 3, json_list, 1},
};
static const struct ouro_field json_fields[] = {
    OURO_UNION(struct json, u, kind, json_cases),
};
struct ouro_type json_type = OURO_TYPE(struct json, json_fields);
/* [union] */

/* [written] */
struct file {
    ouro_string path;
    int fd; /* -1: none */
};

static void file_destroy(void *value, const struct ouro_type *type)
{
    struct file *file = value;
    if (file->fd >= 0)
        close(file->fd);
    ouro_lifted_destroy(value, type); /* path */
}

static void file_was_moved(void *value, const struct ouro_type *type)
{
    ((struct file *)value)->fd = -1;
    ouro_lifted_was_moved(value, type);
}

static ouro_status file_dup(void *fresh, const void *from, const struct ouro_type *type)
{
    int fd = ((const struct file *)from)->fd;
    if (fd >= 0 && (fd = dup(fd)) < 0)
        return OURO_BUSY;
    ouro_status status = ouro_lifted_dup(fresh, from, type);
    if (status == OURO_OK)
        ((struct file *)fresh)->fd = fd;
    else if (fd >= 0)
        close(fd);
    return status;
}

static const struct ouro_field file_fields[] = {OURO_STRING(struct file, path)};
static struct ouro_type file_type = {
    .size = sizeof(struct file),
    .align = _Alignof(struct file),
    .name = "file",
    .fields = file_fields,
    .field_count = OURO_COUNT_OF(file_fields),
    .hooks = {.destroy = file_destroy, .was_moved = file_was_moved, .dup = file_dup},
};
/* [written] */

/* [deepcopy_hook] */
struct cache {
    struct person *owner;
    void *index; /* counted; made again on demand */
};

static ouro_status cache_deepcopy(void *fresh, const void *from, const struct ouro_type *type,
                                  struct ouro_memo *memo)
{
    struct cache *copy = fresh;
    (void)type;
    copy->index = NULL;
    return ouro_deepcopy_ref((void **)&copy->owner, ((const struct cache *)from)->owner, memo);
}
/* [deepcopy_hook] */
/* clang-format on */

static void a_descriptor_can_be_registered(void **state)
{
    (void)state;
    /* [register] */
    const char *why;
    if (ouro_type_register(&json_type, &why) != OURO_OK)
        fprintf(stderr, "%s\n", why); /* "json.u: two cases have a tag in common" */
    /* [register] */
    assert_null(why);
}

static void what_the_register_snippet_quotes_is_said(void **state)
{
    (void)state;
    const struct ouro_case cases[] = {json_cases[0], json_cases[0]};
    struct ouro_field field = json_fields[0];
    field.cases = cases;
    struct ouro_type json = {
        .size = sizeof(struct json), .name = "json", .fields = &field, .field_count = 1};
    const char *why = NULL;
    assert_int_equal(ouro_type_register(&json, &why), OURO_BAD_TYPE);
    assert_string_equal(why, "json.u: two cases have a tag in common");
}

static ouro_status use(void)
{
    /* [use] */
    struct json list = {.kind = 3}, text = {.kind = 2}, copy;
    ouro_status status = ouro_string_make(&text.u.text, "hello", 5);
    if (status == OURO_OK)
        status = ouro_seq_push(&list.u.list, &json_type, &text); /* moves: text is empty now */
    if (status == OURO_OK)
        status = ouro_dup(&copy, &list, &json_type);
    if (status == OURO_OK)
        ouro_destroy_value(&copy, &json_type);
    ouro_destroy_value(&text, &json_type); /* whatever became of it, this is right */
    ouro_destroy_value(&list, &json_type);
    /* [use] */
    return status;
}

static ouro_status sequence(void)
{
    /* [sequence] */
    ouro_seq names = {0, NULL};
    ouro_string name = {0, NULL};
    ouro_status status = ouro_string_make(&name, "Ada", 3);
    if (status == OURO_OK)
        status = ouro_string_append(&name, " Lovelace", 9);
    if (status == OURO_OK)
        status = ouro_seq_push(&names, &ouro_string_type, &name);
    const ouro_string *all = ouro_seq_data(&names);
    for (size_t i = 0; i < names.len; i++)
        puts(ouro_string_data(&all[i]));
    ouro_seq_destroy(&names, &ouro_string_type);
    ouro_string_destroy(&name); /* empty, if it was pushed */
    /* [sequence] */
    return status;
}

static ouro_status attempt(void *arg)
{
    ouro_status (*snippet)(void) = *(ouro_status(**)(void))arg;
    return snippet();
}

static void the_snippets_leave_nothing_with_and_without_memory(void **state)
{
    (void)state;
    ouro_status (*snippets[])(void) = {use, sequence};
    for (size_t i = 0; i < OURO_COUNT_OF(snippets); i++)
        mock_fail_everywhere(attempt, &snippets[i]);
}

static void the_file_snippet_closes_what_it_opens(void **state)
{
    (void)state;
    int first = open("/dev/null", O_RDONLY);
    assert_true(first >= 0);
    struct file file = {mock_string("/dev/null"), first}, copy, moved = {{0, NULL}, -1};
    assert_int_equal(ouro_dup(&copy, &file, &file_type), OURO_OK);
    int second = copy.fd;
    assert_true(second != first && fcntl(second, F_GETFD) != -1);
    ouro_fail_nth_alloc(1, true); /* the path is shared: nothing is allocated */
    assert_int_equal(ouro_copy(&moved, &copy, &file_type), OURO_OK);
    ouro_fail_nth_alloc(0, false);
    int third = moved.fd;
    assert_true(third != second && fcntl(third, F_GETFD) != -1);
    ouro_sink(&moved, &copy, &file_type);
    assert_int_equal(fcntl(third, F_GETFD), -1);
    assert_int_equal(copy.fd, -1);
    ouro_destroy_value(&copy, &file_type);
    ouro_destroy_value(&moved, &file_type);
    ouro_destroy_value(&file, &file_type);
    assert_int_equal(fcntl(first, F_GETFD), -1);
    assert_int_equal(fcntl(second, F_GETFD), -1);
}

static void the_deepcopy_snippets_copy(void **state)
{
    (void)state;
    static struct ouro_type cache_type;
    static const struct ouro_field cache_fields[] = {OURO_REF(struct cache, owner, &person_type),
                                                     OURO_REF(struct cache, index, NULL)};
    cache_type = (struct ouro_type)OURO_TYPE(struct cache, cache_fields);
    cache_type.hooks.deepcopy = cache_deepcopy;
    struct person *somebody = mock_new(&person_type);
    somebody->introduced = somebody;
    somebody->name = mock_string("Ada");
    {
        /* [deepcopy] */
        struct person *copy = NULL;
        ouro_status status = ouro_deepcopy_value(&copy, &somebody, &ouro_ref_type);
        /* [deepcopy] */
        assert_int_equal(status, OURO_OK);
        assert_ptr_equal(copy->introduced, copy);
        mock_drop(copy);
    }
    struct cache cache = {mock_incref(somebody), mock_new(&json_type)}, copy;
    assert_int_equal(ouro_deepcopy_value(&copy, &cache, &cache_type), OURO_OK);
    assert_null(copy.index);
    assert_string_equal(ouro_string_data(&copy.owner->name), "Ada");
    ouro_destroy_value(&copy, &cache_type);
    ouro_destroy_value(&cache, &cache_type);
    mock_drop(somebody);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)
        T(a_descriptor_can_be_registered),
        T(what_the_register_snippet_quotes_is_said),
        T(the_snippets_leave_nothing_with_and_without_memory),
        T(the_file_snippet_closes_what_it_opens),
        T(the_deepcopy_snippets_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
