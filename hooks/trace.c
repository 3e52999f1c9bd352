/* SPDX-License-Identifier: MIT */
/* trace.c: trace, lifted over field tables. What a slot reports is counted (lift.c, H4). */
#include "alloc/own.h"
#include "hooks/edit.h"
#include "hooks/fields.h"
#include "hooks/walk.h"

struct tracer {
    struct ouro__walker walker;
    struct ouro_visitor *visitor;
};

static void trace_refs(struct ouro_visitor *visitor, void **slots, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (ouro__slot_load(&slots[i]) != NULL)
            visitor->visit(visitor, &slots[i], NULL);
    }
}

/* The visitor sees a slot with the bare reference; what it writes there is brought back. */
static void trace_filtered(struct ouro_visitor *visitor, void **slot,
                           const struct ouro_filter *filter, const struct ouro_type *target)
{
    uint64_t word = (uint64_t)(uintptr_t)ouro__slot_load(slot);
    void *object = ouro_filter_object(filter, word), *seen = object;
    if (object == NULL)
        return;
    visitor->visit(visitor, &seen, target);
    if (OURO_UNLIKELY(seen != object))
        *slot = (void *)(uintptr_t)(seen ? ouro_filter_word(filter, word, seen) : filter->empty);
}

static void trace_interior(struct ouro_visitor *visitor, void **slot,
                           const struct ouro_type *target)
{
    void *object = ouro__slot_load(slot);
    if (object == NULL)
        return;
    visitor->visit(visitor, slot, target);
    ouro__interior_moved(slot, object, *slot);
}

static enum ouro__step trace_leaf(struct ouro__walker *w, void *slot, enum ouro_field_kind kind,
                                  const struct ouro_type *type)
{
    struct ouro_visitor *visitor = OURO_CONTAINER_OF(w, struct tracer, walker)->visitor;
    ouro_seq *seq = slot;
    if (kind == OURO_FIELD_REF) {
        if (ouro__slot_load(slot) != NULL)
            visitor->visit(visitor, slot, type);
    } else if (kind == OURO_FIELD_FILTERED) {
        trace_filtered(visitor, slot, w->filter, type);
    } else if (kind == OURO_FIELD_INTERIOR) {
        trace_interior(visitor, slot, type);
    } else if (kind == OURO_FIELD_VALUE) {
        ouro_trace(slot, type, visitor);
    } else if (kind == OURO_FIELD_SEQ && ouro__is_open(seq)) {
        uint32_t state = ouro__type_state(type);
        if (!(state & OURO__TYPE_TRACED))
            return OURO__NEXT;
        if ((state & OURO__TYPE_DEEP) && seq->payload->reserved == 0) /* a seal stays */
            return OURO__ENTER;
        if (type == &ouro_ref_type) {
            trace_refs(visitor, ouro_seq_data(seq), seq->len);
            return OURO__NEXT;
        }
        char *element = ouro_seq_data(seq);
        for (size_t i = 0; i < seq->len; i++, element += type->size)
            ouro_trace(element, type, visitor);
    }
    return OURO__NEXT;
}

static enum ouro__as trace_take(struct ouro__walker *w, const void *value,
                                const struct ouro_type *type)
{
    (void)w;
    (void)value;
    if (!(ouro__type_state(type) & OURO__TYPE_TRACED))
        return OURO__AS_NOTHING;
    return type->hooks.trace != NULL ? OURO__AS_LEAF : OURO__AS_FIELDS;
}

enum ouro__as ouro__take_fields(struct ouro__walker *w, const void *value,
                                const struct ouro_type *type)
{
    (void)w;
    (void)value;
    return ouro__type_state(type) & OURO__TYPE_PLAIN ? OURO__AS_NOTHING : OURO__AS_FIELDS;
}

void ouro__leave_restored(struct ouro__walker *w, ouro_seq *seq, const struct ouro_type *type)
{
    (void)w;
    seq->payload->capacity = ouro__seq_capacity(seq->payload, type->size);
    seq->payload->reserved = 0;
}

void ouro_lifted_trace(void *value, const struct ouro_type *type, struct ouro_visitor *visitor)
{
    if (!(ouro__type_state(type) & OURO__TYPE_TRACED))
        return;
    struct tracer tracer = {{.leaf = trace_leaf, .take = trace_take, .leave = ouro__leave_restored},
                            visitor};
    (void)ouro__walk(&tracer.walker, value, type->fields, type->field_count);
}

void ouro_trace(void *value, const struct ouro_type *type, struct ouro_visitor *visitor)
{
    if (type->hooks.trace != NULL) {
        ouro__own.must_return++; /* orc/unwind.c tells of one that does not */
        type->hooks.trace(value, type, visitor);
        ouro__own.must_return--;
    } else {
        ouro_lifted_trace(value, type, visitor);
    }
}
