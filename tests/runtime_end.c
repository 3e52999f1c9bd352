/* SPDX-License-Identifier: MIT */
/* White-box: see orc_kit.h. What is left in a runtime when it ends: strings that hooks edit, and
 * handles that are open. */
#include "orc_kit.h"

#include <string.h>

struct record {
    ouro_string text;
    ouro_seq parts; /* of strings */
};

static size_t ended;
static void (*on_end)(struct record *record); /* may be NULL */

static void end_record(void *value, const struct ouro_type *type)
{
    ended++;
    if (on_end)
        on_end(value);
    ouro_lifted_destroy(value, type);
}

static const struct ouro_field record_fields[] = {
    OURO_STRING(struct record, text),
    OURO_SEQ(struct record, parts, &ouro_string_type),
};
static struct ouro_type record_type = {.size = sizeof(struct record),
                                       .align = 8,
                                       .name = "record",
                                       .fields = record_fields,
                                       .field_count = OURO_COUNT_OF(record_fields),
                                       .hooks = {.destroy = end_record}};
static struct ouro_type note_type = {.size = 24, .align = 8, .name = "note"};

static struct ouro_runtime *begin(void)
{
    struct ouro_runtime_config config = {.run_hooks = true};
    struct ouro_runtime *runtime;
    assert_int_equal(ouro_runtime_new(&config, &runtime), OURO_OK);
    assert_int_equal(ouro_runtime_enter(runtime), OURO_OK);
    ended = 0;
    return runtime;
}

static void end(struct ouro_runtime *runtime)
{
    ouro_runtime_leave(runtime);
    assert_int_equal(ouro_runtime_destroy(runtime, NULL), OURO_OK);
}

/* Nobody has them when the runtime ends. */
static void leave_records(size_t n, size_t bytes)
{
    static char text[200000];
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < n; i++) {
        struct record *record = ouro_new(&record_type, sizeof *record);
        assert_non_null(record);
        assert_int_equal(ouro_string_make(&record->text, text, bytes), OURO_OK);
        for (size_t k = 0; k < 4; k++) {
            ouro_string part;
            assert_int_equal(ouro_string_make(&part, text, 10 + 20 * k), OURO_OK);
            assert_int_equal(ouro_seq_push(&record->parts, &ouro_string_type, &part), OURO_OK);
        }
    }
}

/* Frees payloads, and has others and objects born in their cells. */
static void edits(struct record *record)
{
    KIT_CHECK(ouro_string_append(&record->text, "more, so that it has to move", 28) == OURO_OK);
    ouro_seq_truncate(&record->parts, &ouro_string_type, 2);
    void *note = ouro_new(&note_type, 24);
    KIT_CHECK(note != NULL);
    memset(note, 0x5A, 24);
    if (ended % 2)
        ouro_decref(note);
    KIT_CHECK(ouro_string_shrink(&record->text) == OURO_OK);
}

static void hooks_of_what_is_left_may_edit_and_end_its_strings(void **state)
{
    (void)state;
    static const size_t bytes[] = {8, 40, 3000, 150000};
    for (size_t i = 0; i < OURO_COUNT_OF(bytes); i++) {
        size_t n = bytes[i] > 100000 ? 20 : 300;
        struct ouro_runtime *runtime = begin();
        leave_records(n, bytes[i]);
        end(runtime);
        assert_int_equal(ended, n);
        runtime = begin();
        leave_records(n, bytes[i]);
        on_end = edits;
        end(runtime);
        on_end = NULL;
        assert_int_equal(ended, n);
    }
}

static void count_handle(const struct ouro_open_handle *open, void *arg)
{
    (void)open;
    ++*(size_t *)arg;
}

static void close_handle(void *handle)
{
    ouro_handle_close(*(ouro_handle *)handle);
}

static void handles_of_what_is_left_are_closed(void **state)
{
    (void)state;
    struct node *outside = node_new(1);
    struct ouro_runtime *runtime = begin();
    struct node *inside = node_new(2);
    ouro_handle of_inside = ouro_handle_new(inside, "inside"),
                kept = ouro_handle_new(outside, "kept");
    ouro_decref(inside);
    end(runtime);
    size_t open = 0;
    assert_int_equal(ouro_list_handles(count_handle, &open), 1);
    assert_int_equal(open, 1);
    assert_int_equal(kit_failure_of(close_handle, &of_inside), OURO_FAIL_BAD_HANDLE);
    ouro_handle again = ouro_handle_new(outside, "again");
    assert_int_not_equal(again, of_inside);
    ouro_handle_close(again);
    ouro_handle_close(kept);
    ouro_decref(outside);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(hooks_of_what_is_left_may_edit_and_end_its_strings),
        kit_test(handles_of_what_is_left_are_closed),
    };
    return kit_run(tests);
}
