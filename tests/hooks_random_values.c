/* SPDX-License-Identifier: MIT */
/* hooks_random_values.c: white-box; see hooks_random.h. */
#include "hooks_random.h"
#include "hooks/edit.h"

enum { DEPTH_MAX = 2 };

void *objects[OBJECTS];
size_t object_count;

static int64_t read_tag(const char *base, const struct ouro_field *f)
{
    int64_t tag = 0;
    memcpy(&tag, base + f->tag_offset, f->tag_size);
    return tag;
}

/* A plain recursive walk, to fill and to count by. */
struct plain {
    void (*slot)(void **slot, enum ouro_field_kind kind);
    void (*pair)(void **words, enum ouro_field_kind kind);
    void (*word)(uint64_t *word, const struct ouro_filter *filter);
    void (*text)(ouro_string *s);
    void (*seq)(ouro_seq *seq, const struct ouro_type *type, size_t depth);
    void (*tag)(char *base, const struct ouro_field *f);
    void (*resource)(int64_t *resource);
};

static void plain_value(const struct plain *p, char *value, const struct ouro_type *type,
                        size_t depth);

static void plain_fields(const struct plain *p, char *base, const struct ouro_field *f, uint32_t n,
                         size_t depth)
{
    for (; n > 0; n--, f++) {
        char *at = base + f->offset;
        if (f->tag_size != 0)
            p->tag(base, f);
        switch (f->kind) {
        case OURO_FIELD_SEQ: {
            p->seq((void *)at, f->type, depth);
            const ouro_seq *seq = (void *)at;
            for (size_t i = 0; i < seq->len; i++)
                plain_value(p, (char *)ouro_seq_data(seq) + i * f->type->size, f->type, depth + 1);
            break;
        }
        case OURO_FIELD_STRING:
            p->text((void *)at);
            break;
        case OURO_FIELD_ARRAY:
            for (size_t i = 0; i < f->count; i++)
                plain_value(p, at + i * f->type->size, f->type, depth);
            break;
        case OURO_FIELD_OPTION:
            if (read_tag(base, f) != 0)
                plain_value(p, at, f->type, depth);
            break;
        case OURO_FIELD_VALUE:
            plain_value(p, at, f->type, depth);
            break;
        case OURO_FIELD_UNION: {
            size_t c = (size_t)read_tag(base, f) / 2;
            if (c < f->count)
                plain_fields(p, base, f->cases[c].fields, f->cases[c].field_count, depth);
            break;
        }
        case OURO_FIELD_CLOSURE:
        case OURO_FIELD_INTERIOR:
            p->pair((void *)at, f->kind);
            break;
        case OURO_FIELD_FILTERED:
            p->word((void *)at, f->filter);
            break;
        default:
            p->slot((void *)at, f->kind);
            break;
        }
    }
}

static void plain_value(const struct plain *p, char *value, const struct ouro_type *type,
                        size_t depth)
{
    if (type->user != NULL)
        p->resource(resource_of(value, type));
    plain_fields(p, value, type->fields, type->field_count, depth);
}

/* Filling. */

static void fill_slot(void **slot, enum ouro_field_kind kind)
{
    if (object_count == 0 || one_in(3))
        return;
    void *object = objects[below(object_count)];
    *slot = kind == OURO_FIELD_REF    ? mock_incref(object)
            : kind == OURO_FIELD_WEAK ? mock_weak_of(object)
                                      : object;
}
static void fill_pair(void **words, enum ouro_field_kind kind)
{
    fill_slot(&words[1], OURO_FIELD_REF);
    words[0] = kind == OURO_FIELD_INTERIOR && words[1] != NULL ? (char *)words[1] + below(8)
                                                               : (void *)(1 + below(99));
}
static void fill_word(uint64_t *word, const struct ouro_filter *filter)
{
    void *object = NULL;
    fill_slot(&object, OURO_FIELD_REF);
    *word = object != NULL ? ouro_filter_word(filter, filter->value, object) : below(99) << 4;
}
static void fill_text(ouro_string *s)
{
    if (!one_in(3))
        *s = mock_string("some text that is long" + below(22));
}
static size_t budget; /* elements that one value may still get */

static void fill_seq(ouro_seq *seq, const struct ouro_type *type, size_t depth)
{
    size_t len = depth >= DEPTH_MAX ? 0 : below(4);
    len = len < budget ? len : budget;
    budget -= len;
    if (len == 0)
        return;
    assert_int_equal(ouro_seq_reserve(seq, type, len), OURO_OK);
    memset(ouro_seq_data(seq), 0, len * type->size);
    seq->len = len;
}
static void fill_tag(char *base, const struct ouro_field *f)
{
    base[f->tag_offset] = (char)below(f->kind == OURO_FIELD_OPTION ? 2 : 7);
}
static void fill_resource(int64_t *resource)
{
    *resource = 1;
    resources++;
}
static const struct plain filling = {fill_slot, fill_pair, fill_word,    fill_text,
                                     fill_seq,  fill_tag,  fill_resource};

void fill(void *value, const struct ouro_type *type)
{
    budget = 30;
    memset(value, 0, type->size);
    plain_value(&filling, value, type, 0);
}

/* Counting; and a fingerprint of all that a value holds. */

int64_t counted_resources;
static uint64_t print;

static void mix(uint64_t n)
{
    print = (print ^ n) * 0x9E3779B97F4A7C15u;
    print ^= print >> 29;
}
static void count_slot(void **slot, enum ouro_field_kind kind)
{
    mix((uint64_t)(uintptr_t)*slot);
    if (*slot != NULL && kind == OURO_FIELD_REF)
        mock_of(*slot)->expected++;
}
static void count_pair(void **words, enum ouro_field_kind kind)
{
    if (kind == OURO_FIELD_INTERIOR && words[1] != NULL)
        assert_true((size_t)((char *)words[0] - (char *)words[1]) < 8);
    mix((uint64_t)(uintptr_t)words[0]);
    count_slot(&words[1], OURO_FIELD_REF);
}
static void count_word(uint64_t *word, const struct ouro_filter *filter)
{
    void *object = ouro_filter_object(filter, *word);
    mix(*word);
    if (object != NULL)
        mock_of(object)->expected++;
}
static void count_text(ouro_string *s)
{
    const char *text = ouro_string_data(s);
    mix(s->len);
    for (size_t i = 0; i <= s->len; i++)
        mix((uint64_t)text[i]);
}
static void count_seq(ouro_seq *seq, const struct ouro_type *type, size_t depth)
{
    (void)depth;
    mix(seq->len);
    if (seq->payload != NULL) {
        assert_int_equal(seq->payload->reserved, 0);
        if (seq->payload->capacity == 0 && seq->len != 0) {
            assert_true(ouro__seq_shares(type)); /* P2 of payload.h */
            return;
        }
        assert_true(seq->len <= seq->payload->capacity);
        assert_int_equal(seq->payload->capacity,
                         (ouro__refops->payload_room(seq->payload) - sizeof *seq->payload) /
                             type->size);
    }
}
static void count_tag(char *base, const struct ouro_field *f)
{
    mix((uint64_t)read_tag(base, f));
}
static void count_resource(int64_t *resource)
{
    mix((uint64_t)*resource);
    counted_resources += *resource;
}
static const struct plain counting = {count_slot, count_pair, count_word,    count_text,
                                      count_seq,  count_tag,  count_resource};

uint64_t print_of(void *value, const struct ouro_type *type)
{
    print = 1;
    plain_value(&counting, value, type, 0);
    return print;
}
