/* SPDX-License-Identifier: MIT */
/* fields.c: the walk over the leaves of a value (see fields.h). */
#include "hooks/fields.h"

const struct ouro_case *ouro__case(const void *base, const struct ouro_field *field)
{
    int64_t tag = ouro__tag(base, field);
    for (size_t i = 0; i < field->count; i++)
        if (field->cases[i].first <= tag && tag <= field->cases[i].last)
            return &field->cases[i];
    if (OURO_UNLIKELY(field->closed && tag != 0))
        ouro_fail(OURO_FAIL_BAD_TAG, base, NULL, field->name);
    return NULL;
}

static enum ouro__step emit(struct ouro__walker *w, void *slot, enum ouro_field_kind kind,
                            const struct ouro_type *type)
{
    if (w->resume != NULL) {
        /* No two leaves of a value stand at one address, so the slot alone identifies it. */
        if (w->resume == slot)
            w->resume = NULL;
        return OURO__NEXT;
    }
    enum ouro__step step = w->leaf(w, slot, kind, type);
    if (step != OURO__NEXT) {
        w->slot = slot;
        w->type = type;
    }
    return step;
}

static enum ouro__step walk_fields(struct ouro__walker *w, char *base,
                                   const struct ouro_field *fields, uint32_t count);

static enum ouro__step walk_value(struct ouro__walker *w, char *value, const struct ouro_type *type)
{
    /* The way back to where a walk left off leads through fields, whatever `take` says by now. */
    switch (w->resume != NULL ? OURO__AS_FIELDS : w->take(w, value, type)) {
    case OURO__AS_NOTHING:
        return OURO__NEXT;
    case OURO__AS_LEAF:
        return emit(w, value, OURO_FIELD_VALUE, type);
    default:
        return walk_fields(w, value, type->fields, type->field_count);
    }
}

static enum ouro__step walk_array(struct ouro__walker *w, char *first, size_t count,
                                  const struct ouro_type *type)
{
    size_t i = 0;
    if (w->resume != NULL) {
        if ((const char *)w->resume < first)
            return OURO__NEXT;
        i = (size_t)((const char *)w->resume - first) / type->size;
    } else if (w->take(w, first, type) == OURO__AS_NOTHING) {
        return OURO__NEXT;
    }
    for (; i < count; i++) {
        enum ouro__step step = walk_value(w, first + i * type->size, type);
        if (step != OURO__NEXT)
            return step;
    }
    return OURO__NEXT;
}

static enum ouro__step walk_field(struct ouro__walker *w, char *base,
                                  const struct ouro_field *field)
{
    const struct ouro_case *selected;
    switch (field->kind) {
    case OURO_FIELD_VALUE:
        return walk_array(w, base + field->offset, 1, field->type);
    case OURO_FIELD_ARRAY:
        return walk_array(w, base + field->offset, field->count, field->type);
    case OURO_FIELD_OPTION:
        if (ouro__tag(base, field) == 0)
            return OURO__NEXT;
        return walk_array(w, base + field->offset, 1, field->type);
    case OURO_FIELD_UNION:
        selected = ouro__case(base, field);
        if (selected == NULL)
            return OURO__NEXT;
        return walk_fields(w, base, selected->fields, selected->field_count);
    case OURO_FIELD_TAIL:
        return walk_array(w, base + field->offset, ouro__tail_count(base, field), field->type);
    case OURO_FIELD_FILTERED:
        w->filter = field->filter;
        return emit(w, base + field->offset, OURO_FIELD_FILTERED, field->type);
    case OURO_FIELD_CLOSURE:
        return emit(w, base + field->offset + offsetof(ouro_closure, env), OURO_FIELD_REF, NULL);
    case OURO_FIELD_INTERIOR:
        return emit(w, base + field->offset + offsetof(ouro_interior, object), OURO_FIELD_INTERIOR,
                    field->type);
    default:
        return emit(w, base + field->offset, field->kind, field->type);
    }
}

static enum ouro__step walk_fields(struct ouro__walker *w, char *base,
                                   const struct ouro_field *fields, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        enum ouro__step step = walk_field(w, base, &fields[i]);
        if (step != OURO__NEXT)
            return step;
    }
    return OURO__NEXT;
}

/* The sequence that a mirrored one is a copy of, or the sequence itself. */
static const ouro_seq *measure(const struct ouro__walker *w, const ouro_seq *seq)
{
    return w->source != NULL ? (const ouro_seq *)seq->len : seq;
}

static void push(struct ouro__walker *w, ouro_seq *seq, const struct ouro_type *type)
{
    if (w->source != NULL) {
        const ouro_seq *from = (const void *)(w->source + ((char *)seq - w->base));
        seq->len = (size_t)from;
        w->source = ouro_seq_data(from);
    }
    seq->payload->capacity = (size_t)w->frame;
    seq->payload->reserved = (size_t)type;
    w->frame = seq;
    w->base = ouro_seq_data(seq);
}

/* Leaves the innermost sequence: back to the element, or the root, that it stands in. */
static void pop(struct ouro__walker *w, char *root, const char *root_source)
{
    ouro_seq *seq = w->frame, *parent = ouro__frame_parent(seq);
    w->leave(w, seq, ouro__frame_type(seq));
    w->frame = parent;
    w->resume = seq;
    if (parent == NULL) {
        w->base = root;
        w->source = root_source;
        return;
    }
    size_t offset = ouro__frame_index(parent, seq) * ouro__frame_type(parent)->size;
    w->base = ouro__at(ouro_seq_data(parent), offset);
    if (w->source != NULL)
        w->source = ouro__at(ouro_seq_data(measure(w, parent)), offset);
}

bool ouro__walk(struct ouro__walker *w, void *root, const struct ouro_field *fields, uint32_t count)
{
    const char *root_source = w->source;
    w->base = root;
    w->frame = NULL;
    w->resume = NULL;
    for (;;) {
        enum ouro__step step = w->frame == NULL
                                   ? walk_fields(w, w->base, fields, count)
                                   : walk_value(w, w->base, ouro__frame_type(w->frame));
        if (step == OURO__STOP)
            return false;
        if (step == OURO__ENTER) {
            push(w, w->slot, w->type);
            continue;
        }
        if (w->frame == NULL)
            return true;
        size_t size = ouro__frame_type(w->frame)->size;
        w->base += size;
        w->source = w->source != NULL ? w->source + size : NULL;
        if (ouro__frame_index(w->frame, w->base) == measure(w, w->frame)->len)
            pop(w, root, root_source);
    }
}

void ouro__walk_value(struct ouro__walker *w, void *value, const struct ouro_type *type)
{
    w->base = value;
    w->resume = NULL;
    (void)walk_value(w, value, type);
}
