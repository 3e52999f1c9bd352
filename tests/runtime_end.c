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

/* -- what they hold of other runtimes ---------------------------------------------------------- */

struct pair {
    ouro_string name;
    struct ouro_weak *weak;
    void *ref;
    ouro_seq names; /* of strings */
};
static const struct ouro_field pair_fields[] = {
    OURO_STRING(struct pair, name),
    OURO_WEAK(struct pair, weak),
    OURO_REF(struct pair, ref, NULL),
    OURO_SEQ(struct pair, names, &ouro_string_type),
};
static struct ouro_type pair_type = OURO_TYPE(struct pair, pair_fields);

struct holder {
    struct pair pair;
    ouro_seq pairs;
    ouro_seq bytes;
    uint8_t has, kind;
    struct pair maybe; /* if `has` */
    ouro_string one;   /* if `kind` is 1 */
    size_t count;
    struct pair tail[];
};
static struct ouro_type byte_type = OURO_PLAIN_TYPE(uint8_t);
static const struct ouro_field holder_one[] = {OURO_STRING(struct holder, one)};
static const struct ouro_case holder_cases[] = {{"one", 1, 1, holder_one, 1}};
static const struct ouro_field holder_fields[] = {
    OURO_VALUE(struct holder, pair, &pair_type),
    OURO_SEQ(struct holder, pairs, &pair_type),
    OURO_SEQ(struct holder, bytes, &byte_type),
    OURO_OPTION(struct holder, maybe, has, &pair_type),
    OURO_UNION(struct holder, one, kind, holder_cases),
    OURO_TAIL(struct holder, tail, count, &pair_type),
};
static void end_holder(void *value, const struct ouro_type *type)
{
    ended++;
    ouro_lifted_destroy(value, type);
}
#define HOLDER_TYPE(called, hook)                                                                  \
    {                                                                                              \
        .size = sizeof(struct holder), .align = 8, .name = (called), .fields = holder_fields,      \
        .field_count = OURO_COUNT_OF(holder_fields), .hooks = {                                    \
            .destroy = (hook)                                                                      \
        }                                                                                          \
    }
static struct ouro_type holder_types[] = {HOLDER_TYPE("holder", NULL),
                                          HOLDER_TYPE("hooked holder", end_holder)};

/* Where each part is made: in the runtime, or outside, by the bits of `where`. */
struct makes {
    struct ouro_runtime *runtime;
    struct node *node;
    ouro_string shared;
    unsigned where, turn;
};

static void turn_in(struct makes *m)
{
    struct ouro_runtime *next =
        m->where >> (m->turn++ % 7) & 1 ? m->runtime : ouro_runtime_default();
    assert_int_equal(ouro_runtime_enter(next), OURO_OK);
}

static void turn_out(void)
{
    ouro_runtime_leave(ouro_runtime_current());
}

static void make_string(struct makes *m, ouro_string *fresh)
{
    static char text[3000];
    static const size_t lengths[] = {5, 100, 3000};
    turn_in(m);
    if (m->turn % 4 == 0)
        assert_int_equal(ouro_dup(fresh, &m->shared, &ouro_string_type), OURO_OK);
    else
        assert_int_equal(ouro_string_make(fresh, text, lengths[m->turn % 3]), OURO_OK);
    turn_out();
}

static void make_strings(struct makes *m, ouro_seq *fresh)
{
    turn_in(m);
    assert_int_equal(ouro_seq_reserve(fresh, &ouro_string_type, 3), OURO_OK);
    turn_out();
    for (unsigned i = 0; i < 3; i++) {
        ouro_string s;
        make_string(m, &s);
        assert_int_equal(ouro_seq_push(fresh, &ouro_string_type, &s), OURO_OK);
    }
}

static void make_pair(struct makes *m, struct pair *pair)
{
    make_string(m, &pair->name);
    pair->weak = ouro_weak_new(m->node);
    pair->ref = m->node;
    ouro_incref_biased(m->node);
    make_strings(m, &pair->names);
}

/* An object of the runtime that holds of both. */
static void leave_holder(struct makes *m, struct ouro_type *type)
{
    assert_int_equal(ouro_runtime_enter(m->runtime), OURO_OK);
    struct holder *h = ouro_new_tail_biased(type, 2);
    assert_non_null(h);
    turn_out();
    make_pair(m, &h->pair);
    make_pair(m, &h->maybe);
    make_pair(m, &h->tail[0]);
    make_pair(m, &h->tail[1]);
    make_string(m, &h->one);
    h->has = h->kind = 1;
    turn_in(m);
    assert_int_equal(ouro_seq_reserve(&h->pairs, &pair_type, 2), OURO_OK);
    turn_out();
    for (unsigned i = 0; i < 2; i++) {
        struct pair pair = {.ref = NULL};
        make_pair(m, &pair);
        assert_int_equal(ouro_seq_push(&h->pairs, &pair_type, &pair), OURO_OK);
    }
    turn_in(m);
    assert_int_equal(ouro_seq_set_len(&h->bytes, &byte_type, 200), OURO_OK);
    turn_out();
}

static uint64_t raw_blocks(void)
{
    struct ouro_stats stats;
    ouro_poll();
    ouro_collect(NULL);
    ouro_stats_get(&stats);
    return heapcheck_can_walk() ? stats.raw.blocks : 0;
}

static void what_is_left_gives_up_what_it_holds_elsewhere(void **state)
{
    (void)state;
    static const struct ouro_option_value quiet = {"leaks", 0};
    assert_int_equal(ouro_type_register(&holder_types[0], NULL), OURO_OK);
    assert_int_equal(ouro_type_register(&holder_types[1], NULL), OURO_OK);
    size_t alive = heapcheck_count(NULL);
    uint64_t raw = 0;
    for (unsigned i = 0; i < 4 * 128; i++) {
        struct ouro_runtime_config config = {
            .options = &quiet, .option_count = 1, .run_hooks = i / 128 % 2 != 0};
        struct makes m = {.where = i % 128, .node = node_new(1)};
        assert_int_equal(ouro_string_make(&m.shared, "shared by all", 13), OURO_OK);
        assert_int_equal(ouro_runtime_new(&config, &m.runtime), OURO_OK);
        ended = 0;
        leave_holder(&m, &holder_types[i / 256]);
        leave_holder(&m, &holder_types[i / 256]);
        assert_int_equal(ouro_runtime_destroy(m.runtime, NULL), OURO_OK);
        assert_int_equal(ended, config.run_hooks && i / 256 ? 2 : 0);
        ouro_string_destroy(&m.shared);
        ouro_poll();
        assert_int_equal(ouro_count(m.node), 1);
        ouro_decref(m.node);
        assert_int_equal(heapcheck_count(NULL), alive);
        if (i == 0)
            raw = raw_blocks(); /* the thread has what it keeps for itself */
        assert_int_equal(raw_blocks(), raw);
    }
}

/* -- handles ----------------------------------------------------------------------------------- */

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
        kit_test(what_is_left_gives_up_what_it_holds_elsewhere),
        kit_test(handles_of_what_is_left_are_closed),
    };
    return kit_run(tests);
}
