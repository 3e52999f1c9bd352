/* SPDX-License-Identifier: MIT */
/* Views: what they show, that they cost nothing that is left behind, and, in the checked library,
 * that a change or an end beneath a live one is named. */
#include "orc_kit.h"

#include <setjmp.h>
#include <string.h>

static struct ouro_type number_type = OURO_PLAIN_TYPE(int64_t);
struct list {
    ouro_seq lists; /* of lists: a sequence that walks enter */
    struct node *node;
};
extern struct ouro_type list_type;
static const struct ouro_field list_fields[] = {
    OURO_SEQ(struct list, lists, &list_type),
    OURO_REF(struct list, node, &node_type),
};
struct ouro_type list_type = OURO_TYPE(struct list, list_fields);

static ouro_string text, other;
static ouro_seq numbers;

static void make_all(void)
{
    KIT_CHECK(ouro_string_make(&text, "some text that is viewed", 24) == OURO_OK);
    KIT_CHECK(ouro_string_make(&other, "other", 5) == OURO_OK);
    for (int64_t i = 0; i < 4; i++)
        KIT_CHECK(ouro_seq_push(&numbers, &number_type, &(int64_t){i}) == OURO_OK);
}
static void end_all(void)
{
    ouro_string_destroy(&text);
    ouro_string_destroy(&other);
    ouro_seq_destroy(&numbers, &number_type);
}

static void views_show_a_part(void **state)
{
    (void)state;
    make_all();
    ouro_view a = ouro_string_view(&text, 5, 4), all = ouro_string_view(&text, 0, 24);
    ouro_view none = ouro_string_view(&text, 24, 0), n = ouro_seq_view(&numbers, 1, 2, 8);
    assert_memory_equal(a.data, "text", 4);
    assert_ptr_equal(all.data, ouro_string_data(&text));
    assert_int_equal(none.len, 0);
    assert_int_equal(((const int64_t *)n.data)[1], 2);
    ouro_string moved = text, empty = {0, NULL}; /* the value may move */
    text = empty;
    ouro_view_end(&a);
    ouro_view_end(&all);
    ouro_view_end(&none);
    ouro_view_end(&n);
    ouro_view_end(&n);
    assert_int_equal(n.len, 0);
    assert_int_equal(ouro_string_add(&moved, '!'), OURO_OK);
    assert_int_equal(moved.len, 25);
    ouro_view of_empty = ouro_string_view(&empty, 0, 0);
    ouro_view_end(&of_empty);
    ouro_string_destroy(&moved);
    end_all();
}

static void after_its_views_a_string_is_edited_in_place(void **state)
{
    (void)state;
    make_all();
    const void *payload = text.payload;
    for (int i = 0; i < 3; i++) {
        ouro_view a = ouro_string_view(&text, 0, 1), b = ouro_string_view(&text, 1, 1);
        ouro_view_end(&a);
        ouro_view_end(&b);
        assert_int_equal(ouro_string_add(&text, '.'), OURO_OK);
        assert_ptr_equal(text.payload, payload);
    }
    end_all();
}

/* -- misuse ------------------------------------------------------------------------------------ */

static void view_past_end(void *arg)
{
    switch ((intptr_t)arg) {
    case 0:
        (void)ouro_string_view(&text, 25, 0);
        break;
    case 1:
        (void)ouro_string_view(&text, 20, 5);
        break;
    case 2:
        (void)ouro_string_view(&text, 1, SIZE_MAX);
        break;
    default:
        (void)ouro_seq_view(&numbers, 2, 3, 8);
        break;
    }
}

static void a_view_past_its_end_is_named(void **state)
{
    (void)state;
    make_all();
    for (intptr_t i = 0; i < 4; i++)
        assert_int_equal(kit_failure_of(view_past_end, (void *)i), OURO_FAIL_MISUSE);
    end_all();
}

enum { CHANGES = 17 };
static void change(intptr_t i)
{
    char *bytes;
    void *data;
    int64_t number = 1;
    switch (i) {
    case 0:
        KIT_CHECK(ouro_string_add(&text, 'x') == OURO_OK);
        break;
    case 1:
        KIT_CHECK(ouro_string_add_bytes(&text, "xy", 2) == OURO_OK);
        break;
    case 2:
        KIT_CHECK(ouro_string_append(&text, "x", 1) == OURO_OK);
        break;
    case 3:
        KIT_CHECK(ouro_string_splice(&text, 0, 1, "x", 1) == OURO_OK);
        break;
    case 4:
        KIT_CHECK(ouro_string_set_len(&text, 1) == OURO_OK);
        break;
    case 5:
        KIT_CHECK(ouro_string_edit(&text, &bytes) == OURO_OK);
        break;
    case 6:
        ouro_string_destroy(&text);
        break;
    case 7:
        ouro_sink(&text, &other, &ouro_string_type);
        break;
    case 8:
        KIT_CHECK(ouro_string_reserve(&text, 1000) == OURO_OK);
        break;
    case 9:
        KIT_CHECK(ouro_string_shrink(&text) == OURO_OK);
        break;
    case 10:
        KIT_CHECK(ouro_seq_push(&numbers, &number_type, &number) == OURO_OK);
        break;
    case 11:
        KIT_CHECK(ouro_seq_add(&numbers, &number_type, 8) != NULL);
        break;
    case 12:
        KIT_CHECK(ouro_seq_pop(&numbers, &number_type, &number) == OURO_OK);
        break;
    case 13:
        ouro_seq_truncate(&numbers, &number_type, 1);
        break;
    case 14:
        KIT_CHECK(ouro_seq_edit(&numbers, &number_type, &data) == OURO_OK);
        break;
    case 15:
        ouro_seq_destroy(&numbers, &number_type);
        break;
    default:
        KIT_CHECK(ouro_string_splice(&text, 0, 0, ouro_string_data(&text), 3) == OURO_OK);
        break;
    }
}

static void view_and_change(void *arg)
{
    ouro_view a = ouro_string_view(&text, 0, 4), n = ouro_seq_view(&numbers, 0, 2, 8);
    ouro_view again = ouro_string_view(&text, 0, 4);
    ouro_view_end(&again);
    change((intptr_t)arg);
    ouro_view_end(&a);
    ouro_view_end(&n);
}
static void view_end_and_change(void *arg)
{
    ouro_view a = ouro_string_view(&text, 0, 4), n = ouro_seq_view(&numbers, 0, 2, 8);
    ouro_view_end(&a);
    ouro_view_end(&n);
    change((intptr_t)arg);
}
static void elsewhere(void *arg) /* the payloads are another thread's */
{
    kit_elsewhere(view_and_change, arg);
}

static void a_change_beneath_a_live_view_is_named(void **state)
{
    (void)state;
    make_all();
    int named = OURO_TEST_CHECKED ? OURO_FAIL_SEALED : -1;
    for (intptr_t i = 0; i < CHANGES; i++) {
        assert_int_equal(kit_failure_of(view_and_change, (void *)i), named);
        assert_int_equal(kit_failure_of(view_end_and_change, (void *)i), -1);
        if (OURO_THREADS && !OURO_TSAN) /* which has no threads in children */
            assert_int_equal(kit_failure_of(elsewhere, (void *)i), named);
    }
    end_all();
}

/* -- what a failure leaves --------------------------------------------------------------------- */

struct record {
    struct node *node;
    ouro_string name;
    ouro_seq names; /* of strings */
};
static const struct ouro_field record_fields[] = {
    OURO_REF(struct record, node, &node_type),
    OURO_STRING(struct record, name),
    OURO_SEQ(struct record, names, &ouro_string_type),
};
static struct ouro_type record_type = OURO_TYPE(struct record, record_fields);

static jmp_buf leaving;
static enum ouro_failure_kind left_with;
static void leave(const struct ouro_failure *failure, void *arg)
{
    (void)arg;
    left_with = failure->kind;
    longjmp(leaving, 1);
}

static struct record make_record(int64_t id)
{
    struct record r = {node_new(id), {0, NULL}, {0, NULL}};
    KIT_CHECK(ouro_string_make(&r.name, "name", 4) == OURO_OK);
    for (int i = 0; i < 3; i++) {
        ouro_string s;
        KIT_CHECK(ouro_string_make(&s, "inner", 5) == OURO_OK);
        KIT_CHECK(ouro_seq_push(&r.names, &ouro_string_type, &s) == OURO_OK);
    }
    return r;
}

static struct record to, from;
static void replace(int how)
{
    ouro_set_fail_handler(leave, NULL);
    if (setjmp(leaving) == 0) {
        if (how == 9)
            ouro_seq_truncate(&to.names, &ouro_string_type, 0);
        else if (how % 3 == 0)
            KIT_CHECK(ouro_copy(&to, &from, &record_type) == OURO_OK);
        else if (how % 3 == 1)
            ouro_sink(&to, &from, &record_type);
        else
            ouro_destroy_value(&to, &record_type);
    }
    ouro_set_fail_handler(NULL, NULL);
}

static void what_is_not_replaced_for_a_view_is_whole(void **state)
{
    (void)state;
    if (!OURO_TEST_CHECKED)
        skip();
    for (int how = 0; how < 10; how++) {
        to = make_record(1);
        from = make_record(2);
        struct record before[2] = {to, from};
        const ouro_string *inner = ouro_seq_data(&to.names);
        ouro_view view = how < 3   ? ouro_string_view(&to.name, 0, 4)
                         : how < 6 ? ouro_seq_view(&to.names, 0, 3, sizeof to.name)
                                   : ouro_string_view(&inner[1], 1, 3);
        left_with = OURO_FAIL_MISUSE;
        replace(how);
        assert_int_equal(left_with, OURO_FAIL_SEALED);
        assert_memory_equal(&before[0], &to, sizeof to);
        assert_memory_equal(&before[1], &from, sizeof from);
        assert_int_equal(ouro_count(to.node), 1);
        assert_int_equal(ouro_count(from.node), 1);
        ouro_view_end(&view);
        replace(how); /* now it may go */
        if (how == 9)
            assert_int_equal(to.names.len, 0);
        else if (how % 3 == 2)
            to = (struct record){NULL, {0, NULL}, {0, NULL}};
        else
            assert_int_equal(to.node->id, 2);
        ouro_destroy_value(&to, &record_type);
        ouro_destroy_value(&from, &record_type);
    }
}

static void edit_of_a_copy(void *arg)
{
    (void)arg;
    ouro_string copy;
    ouro_view view = ouro_string_view(&text, 0, 4);
    KIT_CHECK(ouro_dup(&copy, &text, &ouro_string_type) == OURO_OK);
    KIT_CHECK(ouro_string_add(&copy, 'x') == OURO_OK);
    KIT_CHECK(memcmp(view.data, "some", 4) == 0);
    ouro_string_destroy(&copy);
    KIT_CHECK(memcmp(view.data, "some", 4) == 0);
    ouro_view_end(&view);
}

static void an_edit_of_a_copy_leaves_the_view(void **state)
{
    (void)state;
    make_all();
    assert_int_equal(kit_failure_of(edit_of_a_copy, NULL), -1);
    end_all();
}

/* A walk through a sequence that is viewed neither loses the seal nor what it should report. */
static void a_viewed_sequence_is_traced(void **state)
{
    (void)state;
    struct list list = {{0, NULL}, NULL}, inner = {{0, NULL}, node_new(2)};
    struct node *node = inner.node;
    assert_int_equal(ouro_seq_push(&list.lists, &list_type, &inner), OURO_OK);
    ouro_view view = ouro_seq_view(&list.lists, 0, 1, sizeof inner);
    struct list copy;
    assert_int_equal(ouro_dup(&copy, &list, &list_type), OURO_OK);
    assert_int_equal(ouro_count(node), 2);
    ouro_destroy_value(&copy, &list_type);
    ouro_incref(node);
    ouro_decref(node);
    assert_int_equal(ouro_collect(NULL), 0);
    assert_int_equal(node->id, 2);
    ouro_view_end(&view);
    ouro_destroy_value(&list, &list_type);
}

/* A deep copy whose written hook begins a view: the walk that relinks it leaves the seal. */
struct friend
{
    struct node *of;
};
static const struct ouro_field friend_fields[] = {OURO_BORROW(struct friend, of)};
static struct ouro_type friend_type = OURO_TYPE(struct friend, friend_fields);
struct circle {
    struct node *node;
    ouro_seq friends;
};
static ouro_view begun;
static ouro_status copy_and_view(void *fresh, const void *source, const struct ouro_type *type,
                                 struct ouro_memo *memo)
{
    ouro_status status = ouro_lifted_deepcopy(fresh, source, type, memo);
    if (status == OURO_OK)
        begun = ouro_seq_view(&((struct circle *)fresh)->friends, 0, 2, sizeof(struct friend));
    return status;
}
static const struct ouro_field circle_fields[] = {
    OURO_REF(struct circle, node, &node_type),
    OURO_SEQ(struct circle, friends, &friend_type),
};
static struct ouro_type circle_type = {.size = sizeof(struct circle),
                                       .align = _Alignof(struct circle),
                                       .name = "circle",
                                       .fields = circle_fields,
                                       .field_count = 2,
                                       .hooks = {.deepcopy = copy_and_view}};

static void a_viewed_sequence_is_relinked(void **state)
{
    (void)state;
    struct circle circle = {node_new(1), {0, NULL}}, copy;
    struct friend friends[2] = {{circle.node}, {NULL}};
    for (int i = 0; i < 2; i++)
        assert_int_equal(ouro_seq_push(&circle.friends, &friend_type, &friends[i]), OURO_OK);
    assert_int_equal(ouro_deepcopy_value(&copy, &circle, &circle_type), OURO_OK);
    const struct friend *copied = ouro_seq_data(&copy.friends);
    assert_true(copy.node != circle.node);
    assert_ptr_equal(copied[0].of, copy.node);
    assert_null(copied[1].of);
    if (OURO_TEST_CHECKED) {
        ouro_set_fail_handler(leave, NULL);
        left_with = OURO_FAIL_MISUSE;
        if (setjmp(leaving) == 0)
            ouro_destroy_value(&copy, &circle_type);
        ouro_set_fail_handler(NULL, NULL);
        assert_int_equal(left_with, OURO_FAIL_SEALED);
    }
    ouro_view_end(&begun);
    ouro_destroy_value(&copy, &circle_type);
    ouro_destroy_value(&circle, &circle_type);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(views_show_a_part),
        kit_test(after_its_views_a_string_is_edited_in_place),
        kit_test(a_view_past_its_end_is_named),
        kit_test(a_change_beneath_a_live_view_is_named),
        kit_test(what_is_not_replaced_for_a_view_is_whole),
        kit_test(an_edit_of_a_copy_leaves_the_view),
        kit_test(a_viewed_sequence_is_traced),
        kit_test(a_viewed_sequence_is_relinked),
    };
    return kit_run(tests);
}
