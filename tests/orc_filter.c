/* SPDX-License-Identifier: MIT */
/* Slots whose words are references only sometimes: through stores, drops, collections and deep
 * copies. White-box: looks at cells. */
#include "orc_kit.h"

#include <string.h>

/* References as they are, small integers with a low bit; and boxes in NaNs. */
static const struct ouro_filter tagged = OURO_FILTER_TAG(7, 0);
static const struct ouro_filter boxed = OURO_FILTER_BOX(0xFFFC);

#define BOX(object) (((uint64_t)0xFFFC << 48) | (uint64_t)(uintptr_t)(object))

struct cons {
    uint64_t car, cdr;
};
extern struct ouro_type cons_type, mixed_type, box_type;
static const struct ouro_field cons_fields[] = {OURO_FILTERED(struct cons, car, &tagged, NULL),
                                                OURO_FILTERED(struct cons, cdr, &tagged, NULL)};
struct ouro_type cons_type = OURO_TYPE(struct cons, cons_fields);
static const struct ouro_field box_fields[] = {OURO_FILTERED(struct cons, car, &boxed, NULL),
                                               OURO_FILTERED(struct cons, cdr, &boxed, NULL)};
struct ouro_type box_type = OURO_TYPE(struct cons, box_fields);
/* Two filters in one type: walked by the field table. */
static const struct ouro_field mixed_fields[] = {OURO_FILTERED(struct cons, car, &tagged, NULL),
                                                 OURO_FILTERED(struct cons, cdr, &boxed, NULL)};
struct ouro_type mixed_type = OURO_TYPE(struct cons, mixed_fields);

static const struct flavour {
    struct ouro_type *type;
    const struct ouro_filter *car, *cdr;
} flavours[] = {
    {&cons_type, &tagged, &tagged}, {&box_type, &boxed, &boxed}, {&mixed_type, &tagged, &boxed}};

static uint64_t word_of(const struct ouro_filter *filter, void *object)
{
    return object ? ouro_filter_word(filter, filter->value, object) : filter->empty;
}

static void filters_tell_references_from_data(void **state)
{
    (void)state;
    struct leaf *x = leaf_new(1);
    assert_ptr_equal(ouro_filter_object(&tagged, (uint64_t)(uintptr_t)x), x);
    assert_null(ouro_filter_object(&tagged, (uint64_t)(uintptr_t)x | 1));
    assert_null(ouro_filter_object(&tagged, 0));
    assert_ptr_equal(ouro_filter_object(&boxed, BOX(x)), x);
    double numbers[] = {0.0, -0.0, 1.5, -1e308, 1.0 / 3};
    for (size_t i = 0; i < OURO_COUNT_OF(numbers); i++) {
        uint64_t bits;
        memcpy(&bits, &numbers[i], sizeof bits);
        assert_null(ouro_filter_object(&boxed, bits));
    }
    assert_null(ouro_filter_object(&boxed, BOX(NULL)));
    struct ouro_filter statics = tagged;
    statics.first = (uint64_t)(uintptr_t)x;
    statics.span = 16;
    assert_null(ouro_filter_object(&statics, (uint64_t)(uintptr_t)x));
    assert_null(ouro_filter_object(&statics, (uint64_t)(uintptr_t)x + 8));
    assert_non_null(ouro_filter_object(&statics, (uint64_t)(uintptr_t)x + 16));
    assert_non_null(ouro_filter_object(&statics, (uint64_t)(uintptr_t)x - 8));
    ouro_decref(x);
}

static void filtered_slots_own_what_they_stand_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < OURO_COUNT_OF(flavours); i++) {
        const struct flavour *f = &flavours[i];
        kit_destroyed = 0;
        struct cons *c = ouro_new(f->type, sizeof *c);
        struct leaf *x = leaf_new(1);
        ouro_slot_copy_word(c, &c->car, word_of(f->car, x), f->car);
        assert_int_equal(ouro_count(x), 2);
        ouro_slot_copy_word(c, &c->car, c->car, f->car); /* its own contents */
        ouro_decref(x);
        assert_int_equal(ouro_count(x), 1);
        uint64_t word = ouro_slot_move_word(c, &c->car, f->car);
        assert_int_equal(c->car, f->car->empty);
        assert_int_equal(ouro_slot_exchange_word(c, &c->cdr, 0x1230 | 1, f->cdr), 0);
        assert_int_equal(ouro_slot_exchange_word(c, &c->car, word, f->car), f->car->empty);
        ouro_slot_store_word(c, &c->car, 0x55 << 3 | 5, f->car); /* data over a reference */
        assert_int_equal(kit_destroyed, 1);
        assert_int_equal(c->cdr, 0x1231);
        ouro_slot_store_word(c, &c->cdr, word_of(f->cdr, leaf_new(2)), f->cdr);
        ouro_check_heap();
        ouro_decref(c);
        assert_int_equal(kit_destroyed, 2);
    }
}

static void rings_through_filters_are_collected(void **state)
{
    (void)state;
    for (size_t i = 0; i < OURO_COUNT_OF(flavours); i++) {
        const struct flavour *f = &flavours[i];
        kit_destroyed = 0;
        struct cons *a = ouro_new(f->type, sizeof *a), *b = ouro_new(f->type, sizeof *b);
        ouro_slot_store_word(a, &a->car, word_of(f->car, leaf_new(1)), f->car);
        ouro_slot_store_word(b, &b->car, (uint64_t)77 << 3 | 1, f->car);
        ouro_incref(b);
        ouro_slot_store_word(a, &a->cdr, word_of(f->cdr, b), f->cdr);
        ouro_slot_store_word(b, &b->cdr, word_of(f->cdr, a), f->cdr); /* the last one moves in */
        assert_int_equal(ouro_collect(NULL), 0);                      /* b is held */
        struct cons *copy;
        assert_int_equal(ouro_deepcopy_value(&copy, &b, &ouro_ref_type), OURO_OK);
        assert_int_equal(copy->car, (uint64_t)77 << 3 | 1);
        struct cons *a2 = ouro_filter_object(f->cdr, copy->cdr);
        assert_ptr_not_equal(a2, a);
        assert_ptr_equal(ouro_filter_object(f->cdr, a2->cdr), copy);
        assert_ptr_not_equal(ouro_filter_object(f->car, a2->car),
                             ouro_filter_object(f->car, a->car));
        ouro_decref(copy);
        ouro_decref(b);
        assert_int_equal(ouro_collect(NULL), 4);
        assert_int_equal(kit_destroyed, 2);
    }
}

static void drop_long_filtered_lists(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < OURO_COUNT_OF(flavours); i++) {
        const struct flavour *f = &flavours[i];
        struct cons *list = NULL;
        for (size_t k = 0; k < kit_scaled(300000); k++) {
            struct cons *c = ouro_new(f->type, sizeof *c);
            bool left = k % 5 == 0;
            uint64_t number = (k << 4) | 1;
            ouro_slot_init(c, (void **)(left ? &c->car : &c->cdr),
                           (void *)(uintptr_t)word_of(left ? f->car : f->cdr, list));
            *(left ? &c->cdr : &c->car) = number;
            list = c;
        }
        ouro_decref(list);
    }
}

static void lists_through_filters_need_no_stack(void **state)
{
    (void)state;
    kit_on_small_stack(drop_long_filtered_lists, NULL);
}

/* A filter of two functions: the object's address, shifted down, above a kind. */
static void *shifted_object(const struct ouro_filter *filter, uint64_t word)
{
    (void)filter;
    return (word & 3) == 2 ? (void *)(uintptr_t)(word >> 2) : NULL;
}
static uint64_t shifted_word(const struct ouro_filter *filter, uint64_t word, void *object)
{
    (void)filter;
    return (uint64_t)(uintptr_t)object << 2 | (word & 3);
}
static const struct ouro_filter shifted = {
    .value = 2, .object = shifted_object, .word = shifted_word};
static const struct ouro_field shifted_fields[] = {OURO_FILTERED(struct cons, car, &shifted, NULL),
                                                   OURO_REF(struct cons, cdr, NULL)};
static struct ouro_type shifted_type = OURO_TYPE(struct cons, shifted_fields);

static void a_written_filter_works_beside_plain_slots(void **state)
{
    (void)state;
    struct cons *c = ouro_new(&shifted_type, sizeof *c), *copy;
    ouro_slot_store_word(c, &c->car, shifted_word(&shifted, 2, leaf_new(1)), &shifted);
    ouro_slot_copy(c, (void **)(void *)&c->cdr, c);
    assert_int_equal(ouro_deepcopy_value(&copy, &c, &ouro_ref_type), OURO_OK);
    assert_ptr_equal((void *)(uintptr_t)copy->cdr, copy);
    assert_int_equal(copy->car & 3, 2);
    ouro_decref(copy);
    ouro_decref(c);
    assert_int_equal(ouro_collect(NULL), 2);
    assert_int_equal(kit_destroyed, 2);
}

/* An array of boxes, as a dynamic language has it. */
struct vector {
    int64_t len;
    uint64_t items[];
};
static const struct ouro_field value_fields[] = {
    {.name = "value", .kind = OURO_FIELD_FILTERED, .filter = &boxed}};
static struct ouro_type value_type = {.size = 8,
                                      .align = 8,
                                      .name = "value",
                                      .fields = value_fields,
                                      .field_count = OURO_COUNT_OF(value_fields)};
static const struct ouro_field vector_fields[] = {
    OURO_TAIL(struct vector, items, len, &value_type)};
static struct ouro_type vector_type = OURO_TYPE(struct vector, vector_fields);

static void tails_of_boxes_are_traced_and_dropped(void **state)
{
    (void)state;
    struct vector *v = ouro_new_tail(&vector_type, 50);
    for (int64_t i = 0; i < v->len; i += 2)
        ouro_slot_store_word(v, (uint64_t *)&v->items[i], BOX(leaf_new(i)), &boxed);
    for (int64_t i = 1; i < v->len; i += 2) {
        double number = (double)i;
        memcpy(&v->items[i], &number, sizeof number);
    }
    ouro_slot_copy_word(v, &v->items[48], BOX(v), &boxed);
    assert_int_equal(kit_destroyed, 1);
    struct vector *copy;
    assert_int_equal(ouro_deepcopy_value(&copy, &v, &ouro_ref_type), OURO_OK);
    assert_int_equal(copy->items[1], v->items[1]);
    assert_int_equal(copy->items[48], BOX(copy));
    ouro_decref(v);
    ouro_decref(copy);
    assert_int_equal(ouro_collect(NULL), 2);
    assert_int_equal(kit_destroyed, 1 + 2 * 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(filters_tell_references_from_data),
        kit_test(filtered_slots_own_what_they_stand_for),
        kit_test(rings_through_filters_are_collected),
        kit_test(lists_through_filters_need_no_stack),
        kit_test(a_written_filter_works_beside_plain_slots),
        kit_test(tails_of_boxes_are_traced_and_dropped),
    };
    return kit_run(tests);
}
