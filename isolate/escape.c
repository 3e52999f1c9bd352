/* SPDX-License-Identifier: MIT */
/* escape.c: the path by which a graph's root leads to an object.
 *
 * Breadth first, so that it is a shortest one; each object that is found is remembered with the one
 * that led to it. The fields are found afterwards, by looking for the slots on the path. It runs
 * where isolation was refused, and the graph is as it was: others may be changing what they share
 * of it, so objects of other threads are named and not looked into. */
#include "isolate/escape.h"
#include "alloc/text.h"
#include "hooks/copying.h"
#include "orc/state.h"

struct search {
    struct ouro_visitor visitor;
    struct ouro_memo found; /* object, and the one that led to it: itself, of the root */
    void *from;
    const void *goal;
    bool failed, reached;
};

static const struct ouro_type *type_of(const void *object)
{
    return ouro__type_of(object, ouro__load(&ouro__header(object)->shared));
}

/* -- the search -------------------------------------------------------------------------------- */

static void found(struct ouro_visitor *self, void *object)
{
    struct search *s = (struct search *)(void *)self;
    if (s->reached || s->failed || ouro__memo_find(&s->found, object))
        return;
    s->failed = ouro__memo_reserve(&s->found) != OURO_OK;
    if (s->failed)
        return;
    ouro__memo_add(&s->found, (struct ouro__memo_entry){object, s->from, NULL});
    s->reached = object == s->goal;
}

OURO__DEFINE_VISIT(visit_slot, found)

static bool may_look_into(const struct ouro__thread *me, const void *object)
{
    ouro_word b = ouro__load(&ouro__header(object)->shared);
    const struct ouro_type *type = ouro__type_of(object, b);
    return type && !(b & OURO__IMMORTAL) && ((b & OURO__MERGED) || ouro__holds(me, b)) &&
           !(type->flags & (OURO_SHARED | OURO_IMMUTABLE | OURO_BARE));
}

static void look(struct search *s, void *root)
{
    s->from = root;
    found(&s->visitor, root);
    for (size_t i = 0; i < s->found.count && !s->reached && !s->failed; i++) {
        s->from = (void *)(uintptr_t)s->found.entries[i].object;
        if (may_look_into(ouro__self, s->from))
            ouro__each_ref(s->from, type_of(s->from), &s->visitor, found);
    }
}

/* -- words ------------------------------------------------------------------------------------- */

struct slot_search {
    struct ouro_visitor visitor;
    const void *object;
    const char *slot; /* the first that leads to it */
};

static void visit_for_slot(struct ouro_visitor *self, void **slot, const struct ouro_type *target)
{
    struct slot_search *s = (struct slot_search *)(void *)self;
    (void)target;
    if (!s->slot && ouro__slot_load(slot) == s->object)
        s->slot = (const char *)slot;
}

static size_t bytes_of(const struct ouro_field *field)
{
    switch (field->kind) {
    case OURO_FIELD_VALUE:
    case OURO_FIELD_OPTION:
        return field->type->size;
    case OURO_FIELD_ARRAY:
        return field->count * field->type->size;
    case OURO_FIELD_CLOSURE:
    case OURO_FIELD_INTERIOR:
        return 2 * sizeof(void *);
    case OURO_FIELD_TAIL:
        return SIZE_MAX / 2;
    default:
        return sizeof(void *);
    }
}

/* Whether the slot lies in the field, or in the elements of a sequence there. */
static bool has_slot(const char *value, const struct ouro_field *field, const char *slot)
{
    const char *at = value + field->offset;
    if (field->kind == OURO_FIELD_SEQ) {
        const ouro_seq *seq = (const ouro_seq *)(const void *)at;
        const char *data = ouro__is_open(seq) ? ouro_seq_data(seq) : NULL;
        return data && slot >= data && slot < data + seq->len * field->type->size;
    }
    return slot >= at && slot < at + bytes_of(field);
}

/* ".field", or ".case.field"; "" where a trace hook reports what no field has. */
static void name_field(struct ouro__text *t, const char *value, const struct ouro_field *fields,
                       uint32_t count, const char *slot)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct ouro_field *field = &fields[i];
        const struct ouro_case *one =
            field->kind == OURO_FIELD_UNION ? ouro__case(value, field) : NULL;
        if (one)
            name_field(t, value, one->fields, one->field_count, slot);
        if (field->kind == OURO_FIELD_UNION || !has_slot(value, field, slot))
            continue;
        ouro__text_add(t, ".");
        ouro__text_add(t, field->name ? field->name : "?");
        if (field->kind == OURO_FIELD_VALUE)
            name_field(t, value + field->offset, field->type->fields, field->type->field_count,
                       slot);
        return;
    }
}

static void name_object(struct ouro__text *t, const void *object)
{
    const struct ouro_type *type = type_of(object);
    ouro__text_add(t, type && type->name ? type->name : "object");
}

static void name_step(struct ouro__text *t, void *from, const void *to)
{
    const struct ouro_type *type = type_of(from);
    struct slot_search s = {{visit_for_slot}, to, NULL};
    name_object(t, from);
    ouro_trace(from, type, &s.visitor);
    if (s.slot)
        name_field(t, from, type->fields, type->field_count, s.slot);
    ouro__text_add(t, " -> ");
}

/* The path is followed from its end: the objects on it are put in order in the memo's entries. */
static void name_path(struct ouro__text *t, struct search *s, const void *goal)
{
    size_t steps = 0;
    const void *root = s->found.entries[0].object;
    for (const void *at = goal; at != root; at = ouro__memo_find(&s->found, at))
        steps++;
    for (size_t i = 0; i < steps; i++) { /* quadratic, and at most as long as the text has room */
        const void *to = goal;
        for (size_t k = i + 1; k < steps; k++)
            to = ouro__memo_find(&s->found, to);
        name_step(t, ouro__memo_find(&s->found, to), to);
        if (t->len + 1 >= t->size)
            return;
    }
    name_object(t, goal);
}

void ouro__escape_path(char *path, size_t size, void *root, const void *object, const char *slot)
{
    struct ouro__text t = {path, size, 0};
    struct search s = {.visitor = {visit_slot}, .goal = object};
    path[0] = '\0';
    look(&s, root);
    const struct ouro_type *type = s.reached && slot ? type_of(object) : NULL;
    if (s.reached)
        name_path(&t, &s, object);
    if (type)
        name_field(&t, object, type->fields, type->field_count, slot);
    if (!s.reached)
        name_object(&t, root);
    if (t.len + 1 >= t.size)
        ouro__text_end(&t, " ...");
    ouro__memo_end(&s.found);
}
