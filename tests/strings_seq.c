/* SPDX-License-Identifier: MIT */
/* Sequences: each operation against a model of plain numbers, with elements that are bytes, that
 * are strings, and that are references; copies that share; refusals; and boxes that are
 * unshared. */
#include "orc_kit.h"

#include <string.h>

static struct ouro_type number_type = OURO_PLAIN_TYPE(int64_t);

/* How an element of each kind is made of a number, and read; the kinds own nothing, bytes behind a
 * payload that may be shared, and counted objects. */
struct kind {
    const struct ouro_type *type;
    void (*make)(void *element, int64_t number);
    int64_t (*read)(const void *element);
};
static void make_number(void *element, int64_t number)
{
    memcpy(element, &number, sizeof number);
}
static int64_t read_number(const void *element)
{
    return *(const int64_t *)element;
}
static void make_string(void *element, int64_t number)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%lld", (long long)number);
    assert_int_equal(ouro_string_make(element, text, (size_t)len), OURO_OK);
}
static int64_t read_string(const void *element)
{
    return strtoll(ouro_string_data(element), NULL, 10);
}
static void make_ref(void *element, int64_t number)
{
    *(void **)element = leaf_new(number);
}
static int64_t read_ref(const void *element)
{
    return (*(struct leaf *const *)element)->id;
}
static const struct kind kinds[] = {{&number_type, make_number, read_number},
                                    {&ouro_string_type, make_string, read_string},
                                    {&ouro_ref_type, make_ref, read_ref}};

enum { MOST = 60, SEQS = 3, ROOM = 4 * MOST };
struct model {
    int64_t numbers[ROOM];
    size_t len;
};

static void same(const ouro_seq *seq, const struct model *m, const struct kind *kind)
{
    assert_int_equal(seq->len, m->len);
    for (size_t i = 0; i < m->len; i++)
        assert_int_equal(kind->read((char *)ouro_seq_data(seq) + i * kind->type->size),
                         m->numbers[i]);
}

static void model_splice(struct model *m, size_t from, size_t count, const int64_t *with, size_t n)
{
    int64_t aside[ROOM];
    if (n != 0)
        memcpy(aside, with, n * sizeof *aside);
    memmove(m->numbers + from + n, m->numbers + from + count,
            (m->len - from - count) * sizeof *aside);
    memcpy(m->numbers + from, aside, n * sizeof *aside);
    m->len = m->len - count + n;
}

/* One element more or less. */
static void step_one(uint64_t *seed, const struct kind *kind, ouro_seq *seq, struct model *m)
{
    _Alignas(16) char element[16];
    int64_t number = (int64_t)(kit_random(seed) % 1000), first;
    size_t at = kit_random(seed) % (m->len + 1), other = m->len ? at % m->len : 0;
    switch (kit_random(seed) % 7) {
    case 0:
        kind->make(element, number);
        assert_int_equal(ouro_seq_push(seq, kind->type, element), OURO_OK);
        model_splice(m, m->len, 0, &number, 1);
        break;
    case 1:
        kind->make(element, number); /* first: the place is written before anything is called */
        memcpy(ouro_seq_add(seq, kind->type, kind->type->size), element, kind->type->size);
        model_splice(m, m->len, 0, &number, 1);
        break;
    case 2:
        kind->make(element, number);
        assert_int_equal(ouro_seq_insert(seq, kind->type, at, element), OURO_OK);
        model_splice(m, at, 0, &number, 1);
        break;
    default:
        if (m->len == 0)
            return;
        first = m->numbers[other];
        if (kit_random(seed) % 3 == 0) {
            assert_int_equal(ouro_seq_pop(seq, kind->type, element), OURO_OK);
            first = m->numbers[--m->len];
        } else if (kit_random(seed) % 2) {
            assert_int_equal(ouro_seq_remove(seq, kind->type, other, element), OURO_OK);
            model_splice(m, other, 1, NULL, 0);
        } else {
            assert_int_equal(ouro_seq_remove_swap(seq, kind->type, other, element), OURO_OK);
            m->numbers[other] = m->numbers[--m->len];
        }
        assert_int_equal(kind->read(element), first);
        ouro_destroy_value(element, kind->type);
    }
}

/* Ranges. */
static void step_range(uint64_t *seed, const struct kind *kind, ouro_seq *seq, ouro_seq *other,
                       struct model *m, const struct model *of)
{
    _Alignas(16) char elements[5][16];
    int64_t numbers[5];
    size_t from = kit_random(seed) % (m->len + 1), count = kit_random(seed) % (m->len - from + 1);
    size_t n = kit_random(seed) % 6;
    void *data;
    switch (kit_random(seed) % 6) {
    case 0:
        for (size_t i = 0; i < n; i++) {
            numbers[i] = (int64_t)(kit_random(seed) % 1000);
            kind->make((char *)elements + i * kind->type->size, numbers[i]);
        }
        assert_int_equal(ouro_seq_splice(seq, kind->type, from, count, elements, n), OURO_OK);
        model_splice(m, from, count, numbers, n);
        break;
    case 1:
        assert_int_equal(ouro_seq_append(seq, kind->type, other), OURO_OK);
        model_splice(m, m->len, 0, of->numbers, of->len);
        break;
    case 2:
        if (seq == other)
            return;
        ouro_seq_destroy(seq, kind->type);
        *m = (struct model){.len = 0};
        assert_int_equal(ouro_seq_append(seq, kind->type, other), OURO_OK);
        model_splice(m, 0, 0, of->numbers, of->len);
        break;
    case 3:
        ouro_seq_truncate(seq, kind->type, from);
        m->len = from;
        break;
    case 4:
        assert_int_equal(ouro_seq_shrink(seq, kind->type), OURO_OK);
        assert_int_equal(ouro_seq_reserve(seq, kind->type, from + 3), OURO_OK);
        break;
    default:
        assert_int_equal(ouro_seq_edit(seq, kind->type, &data), OURO_OK);
        assert_true(m->len == 0 || data == ouro_seq_data(seq));
        break;
    }
}

static void any_steps_agree_with_plain_numbers(void **state)
{
    (void)state;
    uint64_t seed = kit_seed(20261122);
    for (size_t k = 0; k < OURO_COUNT_OF(kinds); k++) {
        static struct model models[SEQS];
        ouro_seq all[SEQS] = {{0, NULL}};
        memset(models, 0, sizeof models);
        for (size_t n = kit_scaled(6000); n > 0; n--) {
            size_t i = kit_random(&seed) % SEQS, o = kit_random(&seed) % SEQS;
            if (kit_random(&seed) % 3)
                step_one(&seed, &kinds[k], &all[i], &models[i]);
            else
                step_range(&seed, &kinds[k], &all[i], &all[o], &models[i], &models[o]);
            if (models[i].len > MOST) {
                ouro_seq_truncate(&all[i], kinds[k].type, 3);
                models[i].len = 3;
            }
            same(&all[i], &models[i], &kinds[k]);
            same(&all[o], &models[o], &kinds[k]);
        }
        for (size_t i = 0; i < SEQS; i++)
            ouro_seq_destroy(&all[i], kinds[k].type);
    }
}

/* -- copies ------------------------------------------------------------------------------------ */

struct box {
    ouro_seq numbers; /* shared by copies */
    ouro_seq names;   /* copied, its strings are shared */
};
static const struct ouro_field box_fields[] = {
    OURO_SEQ(struct box, numbers, &number_type),
    OURO_SEQ(struct box, names, &ouro_string_type),
};
static struct ouro_type box_type = OURO_TYPE(struct box, box_fields);

static void fill(struct box *box)
{
    *box = (struct box){{0, NULL}, {0, NULL}};
    for (int64_t i = 0; i < 5; i++) {
        ouro_string name;
        make_string(&name, i);
        int64_t number = i;
        assert_int_equal(ouro_seq_push(&box->numbers, &number_type, &number), OURO_OK);
        assert_int_equal(ouro_seq_push(&box->names, &ouro_string_type, &name), OURO_OK);
    }
}

static void copies_of_bytes_share_until_one_is_edited(void **state)
{
    (void)state;
    struct box a, b;
    void *data;
    fill(&a);
    assert_int_equal(ouro_dup(&b, &a, &box_type), OURO_OK);
    assert_ptr_equal(a.numbers.payload, b.numbers.payload);
    assert_ptr_not_equal(a.names.payload, b.names.payload);
    assert_ptr_equal(((ouro_string *)ouro_seq_data(&a.names))[3].payload,
                     ((ouro_string *)ouro_seq_data(&b.names))[3].payload);
    assert_true(ouro_seq_equal(&a.numbers, &b.numbers, &number_type));
    assert_int_equal(ouro_seq_edit(&b.numbers, &number_type, &data), OURO_OK);
    assert_ptr_not_equal(a.numbers.payload, b.numbers.payload);
    assert_true(ouro_seq_equal(&a.numbers, &b.numbers, &number_type));
    ((int64_t *)data)[2] = 22;
    assert_false(ouro_seq_equal(&a.numbers, &b.numbers, &number_type));
    assert_int_equal(((int64_t *)ouro_seq_data(&a.numbers))[2], 2);
    ouro_destroy_value(&a, &box_type);
    ouro_destroy_value(&b, &box_type);
}

static void a_pop_from_a_shared_payload_leaves_the_copy(void **state)
{
    (void)state;
    struct box a, b;
    int64_t last, added = 77;
    fill(&a);
    assert_int_equal(ouro_dup(&b, &a, &box_type), OURO_OK);
    assert_int_equal(ouro_seq_pop(&b.numbers, &number_type, &last), OURO_OK);
    assert_int_equal(ouro_seq_push(&b.numbers, &number_type, &added), OURO_OK);
    assert_int_equal(((int64_t *)ouro_seq_data(&a.numbers))[4], 4);
    assert_int_equal(((int64_t *)ouro_seq_data(&b.numbers))[4], 77);
    ouro_destroy_value(&a, &box_type);
    ouro_destroy_value(&b, &box_type);
}

static void added_elements_are_in_their_empty_state(void **state)
{
    (void)state;
    ouro_seq seq = {0, NULL};
    assert_int_equal(ouro_seq_set_len(&seq, &box_type, 40), OURO_OK);
    for (size_t i = 0; i < 40; i++)
        assert_null(((struct box *)ouro_seq_data(&seq))[i].names.payload);
    fill(ouro_seq_data(&seq));
    assert_int_equal(ouro_seq_set_len(&seq, &box_type, 1), OURO_OK);
    assert_int_equal(ouro_seq_set_len(&seq, &box_type, 0), OURO_OK);
    assert_int_equal(seq.len, 0);
    ouro_seq_destroy(&seq, &box_type);
}

/* -- refusals ---------------------------------------------------------------------------------- */

static void a_refusal_at_any_allocation_changes_nothing(void **state)
{
    (void)state;
    for (int op = 0; op < 3; op++) {
        struct box a;
        fill(&a);
        ouro_string extra[2];
        make_string(&extra[0], 100);
        make_string(&extra[1], 101);
        const ouro_string kept[2] = {extra[0], extra[1]};
        assert_int_equal(ouro_seq_shrink(&a.names, &ouro_string_type), OURO_OK);
        ouro_status status = OURO_NO_MEMORY;
        for (size_t n = 1; status != OURO_OK; n++) {
            size_t room = a.names.payload->capacity - a.names.len;
            for (; room > 0 && op != 2; room--) /* full, so that an allocation is needed */
                memset(ouro_seq_add(&a.names, &ouro_string_type, 16), 0, 16);
            ouro_seq before = a.names;
            ouro_fail_nth_alloc(n, false);
            status = op == 0   ? ouro_seq_splice(&a.names, &ouro_string_type, 1, 1, extra, 2)
                     : op == 1 ? ouro_seq_append(&a.names, &ouro_string_type, &a.names)
                               : ouro_seq_set_len(&a.names, &ouro_string_type, 500);
            ouro_fail_nth_alloc(0, false);
            if (status != OURO_OK)
                assert_memory_equal(&a.names, &before, sizeof before);
            if (status != OURO_OK || op != 0)
                assert_memory_equal(extra, kept, sizeof kept);
        }
        if (op == 0)
            assert_true(extra[0].payload == NULL && extra[1].payload == NULL);
        ouro_string_destroy(&extra[0]);
        ouro_string_destroy(&extra[1]);
        ouro_destroy_value(&a, &box_type);
    }
}

static void bad_places_and_types_are_refused(void **state)
{
    (void)state;
    static struct ouro_type wide = {.name = "wide", .size = 32, .align = 32};
    ouro_seq seq = {0, NULL};
    int64_t number = 1;
    void *data;
    assert_null(ouro_seq_add(&seq, &wide, 32));
    assert_int_equal(ouro_seq_insert(&seq, &number_type, 1, &number), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_seq_remove(&seq, &number_type, 0, &number), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_seq_remove_swap(&seq, &number_type, 0, &number), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_seq_splice(&seq, &number_type, 0, 1, NULL, 0), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_seq_splice(&seq, &number_type, 1, 0, NULL, 0), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_seq_splice(&seq, &number_type, 0, 0, NULL, 1), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_seq_append(&seq, &number_type, NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_seq_append(NULL, &number_type, &seq), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_seq_set_len(&seq, NULL, 1), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_seq_set_len(&seq, &number_type, SIZE_MAX), OURO_NO_MEMORY);
    assert_int_equal(ouro_seq_set_len(&seq, &wide, 1), OURO_BAD_TYPE);
    assert_int_equal(ouro_seq_shrink(NULL, &number_type), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_seq_edit(&seq, &number_type, NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_seq_edit(&seq, &number_type, &data), OURO_OK);
    assert_null(data);
    assert_null(seq.payload);
}

static void an_element_of_the_sequence_is_inserted(void **state)
{
    (void)state;
    for (size_t at = 0; at <= 5; at++)
        for (size_t from = 0; from < 5; from++) {
            struct box box;
            fill(&box);
            ouro_string *names = ouro_seq_data(&box.names);
            const void *moved = names[from].payload;
            assert_int_equal(ouro_seq_shrink(&box.names, &ouro_string_type), OURO_OK);
            names = ouro_seq_data(&box.names);
            assert_int_equal(ouro_seq_insert(&box.names, &ouro_string_type, at, &names[from]),
                             OURO_OK);
            names = ouro_seq_data(&box.names);
            assert_ptr_equal(names[at].payload, moved);
            assert_null(names[from >= at ? from + 1 : from].payload);
            ouro_destroy_value(&box, &box_type);
        }
}

/* -- boxes ------------------------------------------------------------------------------------- */

static void a_shared_box_is_copied_before_it_is_edited(void **state)
{
    (void)state;
    struct box *a = OURO_NEW(struct box, &box_type), *b = a;
    struct node *holder = node_new(1);
    fill(a);
    assert_int_equal(ouro_unshare((void **)&b), OURO_OK);
    assert_ptr_equal(a, b); /* the only reference */
    ouro_incref(a);
    ouro_fail_nth_alloc(1, true);
    assert_int_equal(ouro_unshare((void **)&b), OURO_NO_MEMORY);
    ouro_fail_nth_alloc(0, false);
    assert_ptr_equal(a, b);
    assert_int_equal(ouro_unshare((void **)&b), OURO_OK);
    assert_ptr_not_equal(a, b);
    assert_int_equal(ouro_count(a), 1);
    assert_true(ouro_seq_equal(&a->numbers, &b->numbers, &number_type));
    ouro_incref(b);
    ouro_slot_store(holder, (void **)&holder->a, b);
    assert_int_equal(ouro_unshare_slot(holder, (void **)&holder->a), OURO_OK);
    assert_ptr_not_equal(holder->a, b);
    assert_int_equal(ouro_count(b), 1);
    void *none = NULL;
    assert_int_equal(ouro_unshare(&none), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_unshare(NULL), OURO_BAD_ARGUMENT);
    ouro_decref(holder);
    ouro_decref(a);
    ouro_decref(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(any_steps_agree_with_plain_numbers),
        kit_test(copies_of_bytes_share_until_one_is_edited),
        kit_test(a_pop_from_a_shared_payload_leaves_the_copy),
        kit_test(added_elements_are_in_their_empty_state),
        kit_test(a_refusal_at_any_allocation_changes_nothing),
        kit_test(bad_places_and_types_are_refused),
        kit_test(an_element_of_the_sequence_is_inserted),
        kit_test(a_shared_box_is_copied_before_it_is_edited),
    };
    return kit_run(tests);
}
