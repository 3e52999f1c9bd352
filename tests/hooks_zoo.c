/* SPDX-License-Identifier: MIT */
/* hooks_zoo.c: see hooks_zoo.h. White-box. */
#include "hooks_zoo.h"

#include <string.h>

static const struct ouro_field leafy_fields[] = {
    OURO_REF(struct leafy, ref, &target_type),
    OURO_WEAK(struct leafy, weak),
    OURO_BORROW(struct leafy, back),
    OURO_STRING(struct leafy, text),
    OURO_SEQ(struct leafy, refs, &ouro_ref_type),
};
struct ouro_type leafy_type = OURO_TYPE(struct leafy, leafy_fields);

static const struct ouro_field ref_case[] = {OURO_REF(struct zoo, u.ref, &target_type)};
static const struct ouro_field leafy_case[] = {OURO_VALUE(struct zoo, u.leafy, &leafy_type)};
static const struct ouro_case zoo_cases[] = {
    {"number", ZOO_NUMBER, ZOO_NUMBER, NULL, 0},
    {"ref", ZOO_REF, ZOO_REF + 2, ref_case, 1},
    {"leafy", ZOO_LEAFY, ZOO_LEAFY, leafy_case, 1},
};
static const struct ouro_field zoo_fields[] = {
    OURO_VALUE(struct zoo, value, &leafy_type), OURO_ARRAY(struct zoo, array, 2, &leafy_type),
    OURO_SEQ(struct zoo, leafies, &leafy_type), OURO_OPTION(struct zoo, option, has, &leafy_type),
    OURO_UNION(struct zoo, u, tag, zoo_cases),  OURO_SEQ(struct zoo, texts, &ouro_string_type),
};
struct ouro_type zoo_type = OURO_TYPE(struct zoo, zoo_fields);
struct ouro_type target_type = OURO_PLAIN_TYPE(int64_t);

struct leafy make_leafy(void *target)
{
    struct leafy leafy = {.plain = 11,
                          .ref = mock_incref(target),
                          .weak = mock_weak_of(target),
                          .back = target,
                          .text = mock_string("leaf")};
    for (int i = 0; i < LEAFY_REFS - 1; i++) {
        void *ref = mock_incref(target);
        assert_int_equal(ouro_seq_push(&leafy.refs, &ouro_ref_type, &ref), OURO_OK);
        assert_null(ref);
    }
    return leafy;
}

struct zoo make_zoo(void *target, int16_t tag)
{
    struct zoo zoo;
    memset(&zoo, 0, sizeof zoo);
    zoo.value = make_leafy(target);
    zoo.has = 1;
    zoo.array[0] = make_leafy(target);
    zoo.array[1] = make_leafy(target);
    zoo.option = make_leafy(target);
    zoo.tag = tag;
    if (tag == ZOO_NUMBER)
        zoo.u.number = 42;
    else if (tag == ZOO_LEAFY)
        zoo.u.leafy = make_leafy(target);
    else if (ZOO_REF <= tag && tag <= ZOO_REF + 2)
        zoo.u.ref = mock_incref(target);
    for (int i = 0; i < 3; i++) {
        struct leafy leafy = make_leafy(target);
        ouro_string text = mock_string("text");
        assert_int_equal(ouro_seq_push(&zoo.leafies, &leafy_type, &leafy), OURO_OK);
        assert_int_equal(ouro_seq_push(&zoo.texts, &ouro_string_type, &text), OURO_OK);
    }
    return zoo;
}

static int64_t leafies(const struct zoo *zoo)
{
    return 3 + (int64_t)zoo->leafies.len + (zoo->has != 0) + (zoo->tag == ZOO_LEAFY);
}

int64_t zoo_refs(const struct zoo *zoo)
{
    return leafies(zoo) * LEAFY_REFS + (ZOO_REF <= zoo->tag && zoo->tag <= ZOO_REF + 2);
}

int64_t zoo_weaks(const struct zoo *zoo)
{
    return leafies(zoo);
}

static void assert_same_string(const ouro_string *a, const ouro_string *b)
{
    assert_int_equal(a->len, b->len);
    /* One payload for two strings is marked as shared. */
    assert_true(a->payload == NULL || a->payload != b->payload || a->payload->capacity == 0);
    assert_string_equal(ouro_string_data(a), ouro_string_data(b));
}

static void assert_same_leafy(const struct leafy *a, const struct leafy *b)
{
    assert_int_equal(a->plain, b->plain);
    assert_ptr_equal(a->ref, b->ref);
    assert_ptr_equal(a->weak, b->weak);
    assert_ptr_equal(a->back, b->back);
    assert_same_string(&a->text, &b->text);
    assert_int_equal(a->refs.len, b->refs.len);
    assert_true(a->refs.payload == NULL || a->refs.payload != b->refs.payload);
    if (a->refs.len != 0)
        assert_memory_equal(ouro_seq_data(&a->refs), ouro_seq_data(&b->refs),
                            a->refs.len * sizeof(void *));
}

void assert_same_zoo(const struct zoo *a, const struct zoo *b)
{
    assert_same_leafy(&a->value, &b->value);
    assert_same_leafy(&a->array[0], &b->array[0]);
    assert_same_leafy(&a->array[1], &b->array[1]);
    assert_int_equal(a->has, b->has);
    if (a->has)
        assert_same_leafy(&a->option, &b->option);
    assert_int_equal(a->tag, b->tag);
    if (a->tag == ZOO_LEAFY)
        assert_same_leafy(&a->u.leafy, &b->u.leafy);
    else
        assert_int_equal(a->u.number, b->u.number);
    assert_int_equal(a->leafies.len, b->leafies.len);
    assert_int_equal(a->texts.len, b->texts.len);
    for (size_t i = 0; i < a->leafies.len; i++) {
        assert_same_leafy((struct leafy *)ouro_seq_data(&a->leafies) + i,
                          (struct leafy *)ouro_seq_data(&b->leafies) + i);
        assert_same_string((ouro_string *)ouro_seq_data(&a->texts) + i,
                           (ouro_string *)ouro_seq_data(&b->texts) + i);
    }
}
