/* SPDX-License-Identifier: MIT */
/* lift.c: destroy, wasMoved and sink, lifted over field tables (Nim's lifted hooks, for tables in
 * place of generated code). The others: dup.c, trace.c, deepcopy.c.
 *
 * Invariants:
 *  H1  A value may be moved by memcpy. The lifted hooks move values only so.
 *  H2  The wasMoved state: references and payloads NULL, lengths 0, optionals absent; other bytes
 *      as they were. Destroy does nothing to it. All bytes zero is such a state too, unless a hook
 *      is written that thinks otherwise.
 *  H3  A written hook of a nested value is called once for each such value, in field order.
 *  H4  Whenever anything is called that may run a collection (a hook, a drop, an allocation), the
 *      value can be traced: what its slots report is counted. Not reporting a counted reference for
 *      a while is harmless, the collector then takes its target to be held from outside. So slots
 *      are NULL before their references are dropped, and sequences that are being destroyed or
 *      filled report nothing (payload->reserved is not 0). */
#include "hooks/edit.h"
#include "alloc/own.h"
#include "hooks/fields.h"
#include "hooks/refops.h"
#include "hooks/walk.h"

#include <string.h>

/* Destroy. */

static void drop(void **slot)
{
    void *dropped = ouro__slot_load(slot);
    if (dropped == NULL)
        return;
    *slot = NULL; /* H4 */
    ouro__refops->decref(dropped);
}

static void drop_weak(void **slot)
{
    void *dropped = *slot;
    *slot = NULL;
    if (dropped != NULL)
        ouro__refops->weak_decref(dropped);
}

static void drop_filtered(void **slot, const struct ouro_filter *filter)
{
    void *dropped = ouro_filter_object(filter, (uint64_t)(uintptr_t)ouro__slot_load(slot));
    if (dropped == NULL)
        return;
    *slot = (void *)(uintptr_t)filter->empty; /* H4 */
    ouro__refops->decref(dropped);
}

enum ouro__step ouro__destroy_leaf(struct ouro__walker *w, void *slot, enum ouro_field_kind kind,
                                   const struct ouro_type *type)
{
    switch (kind) {
    case OURO_FIELD_REF:
    case OURO_FIELD_INTERIOR:
        drop(slot);
        break;
    case OURO_FIELD_FILTERED:
        drop_filtered(slot, w->filter);
        break;
    case OURO_FIELD_WEAK:
        drop_weak(slot);
        break;
    case OURO_FIELD_STRING:
        ouro_string_destroy(slot);
        break;
    case OURO_FIELD_SEQ:
        ouro__payload_check(((ouro_seq *)slot)->payload);
        if (((ouro_seq *)slot)->len != 0 && (ouro__type_state(type) & OURO__TYPE_DEEP))
            return OURO__ENTER;
        ouro_seq_destroy(slot, type);
        break;
    case OURO_FIELD_VALUE:
        ouro_destroy_value(slot, type);
        break;
    default: /* borrowed */
        break;
    }
    return OURO__NEXT;
}

static enum ouro__as destroy_take(struct ouro__walker *w, const void *value,
                                  const struct ouro_type *type)
{
    (void)w;
    (void)value;
    if (ouro__type_state(type) & OURO__TYPE_PLAIN)
        return OURO__AS_NOTHING;
    return type->hooks.destroy != NULL ? OURO__AS_LEAF : OURO__AS_FIELDS;
}

static void destroy_leave(struct ouro__walker *w, ouro_seq *seq, const struct ouro_type *type)
{
    (void)w;
    (void)type;
    ouro__refops->payload_free(seq->payload);
    *seq = (ouro_seq){0, NULL};
}

static void destroy_fields(void *value, const struct ouro_field *fields, uint32_t count)
{
    struct ouro__walker w = {
        .leaf = ouro__destroy_leaf, .take = destroy_take, .leave = destroy_leave};
    (void)ouro__walk(&w, value, fields, count);
}

/* The references at fixed places. */
static void drop_refs(void *value, const struct ouro_type *type)
{
    for (uint32_t i = 0; i < type->ref_count; i++) {
        uint32_t ref = type->refs[i];
        if (ref & OURO__REF_FILTERED)
            drop_filtered(ouro__ref_slot(value, ref), type->filter);
        else
            drop(ouro__ref_slot(value, ref));
    }
}

static void destroy_flat(void *value, const struct ouro_type *type)
{
    drop_refs(value, type);
    if (OURO_LIKELY(type->tail == NULL))
        return;
    const struct ouro_type *of = type->tail->type;
    char *element = ouro__at(value, type->tail->offset);
    size_t n = of->ref_count != 0 ? ouro__tail_count(value, type->tail) : 0;
    for (; n > 0; n--, element += of->size)
        drop_refs(element, of);
}

/* Field by field, as most values are: the walk is for those that nest. */
static void destroy_each(void *value, const struct ouro_field *fields, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct ouro_field *field = &fields[i];
        void *at = ouro__at(value, field->offset);
        switch (field->kind) {
        case OURO_FIELD_REF:
            drop(at);
            break;
        case OURO_FIELD_WEAK:
            drop_weak(at);
            break;
        case OURO_FIELD_BORROW:
            break;
        case OURO_FIELD_STRING:
            ouro_string_destroy(at);
            break;
        case OURO_FIELD_SEQ:
            if (ouro__type_state(field->type) & OURO__TYPE_DEEP)
                destroy_fields(value, field, 1);
            else
                ouro_seq_destroy(at, field->type);
            break;
        default:
            destroy_fields(value, field, 1);
            break;
        }
    }
}

void ouro_lifted_destroy(void *value, const struct ouro_type *type)
{
    uint32_t state = ouro__type_state(type);
    if (state & OURO__TYPE_FLAT) {
        destroy_flat(value, type);
    } else if (!(state & OURO__TYPE_PLAIN)) {
        destroy_each(value, type->fields, type->field_count);
    }
}

static void destroy_parts(void *value, const struct ouro_type *type)
{
    ouro__value_check(value, type);
    ouro_lifted_destroy(value, type);
}

void ouro_destroy_value(void *value, const struct ouro_type *type)
{
    if (type->hooks.destroy != NULL)
        type->hooks.destroy(value, type);
    else if (!(ouro__type_state(type) & OURO__TYPE_PLAIN))
        destroy_parts(value, type);
}

/* wasMoved. Types nest to a bounded depth, so this recurses. */

/* Whether wasMoved writes anything into a value of the type. */
static bool moves(const struct ouro_type *type)
{
    const uint32_t more = OURO__TYPE_HOOKED | OURO__TYPE_LINKS | OURO__TYPE_TAGGED;
    return (ouro__type_state(type) & (more | OURO__TYPE_PLAIN)) != OURO__TYPE_PLAIN;
}

static void moved_array(char *first, const struct ouro_type *type, size_t count)
{
    if (!moves(type))
        return;
    for (size_t i = 0; i < count; i++)
        ouro_was_moved(first + i * type->size, type);
}

static void moved_fields(void *value, const struct ouro_field *fields, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct ouro_field *field = &fields[i];
        char *at = ouro__at(value, field->offset);
        const struct ouro_case *selected;
        switch (field->kind) {
        case OURO_FIELD_REF:
        case OURO_FIELD_WEAK:
        case OURO_FIELD_BORROW:
            memset(at, 0, sizeof(void *));
            break;
        case OURO_FIELD_SEQ:
        case OURO_FIELD_STRING:
        case OURO_FIELD_CLOSURE:
        case OURO_FIELD_INTERIOR:
            memset(at, 0, 2 * sizeof(void *)); /* all four are two words */
            break;
        case OURO_FIELD_FILTERED:
            memcpy(at, &field->filter->empty, sizeof(uint64_t));
            break;
        case OURO_FIELD_VALUE:
            moved_array(at, field->type, 1);
            break;
        case OURO_FIELD_ARRAY:
            moved_array(at, field->type, field->count);
            break;
        case OURO_FIELD_TAIL:
            moved_array(at, field->type, ouro__tail_count(value, field));
            break;
        case OURO_FIELD_OPTION:
            memset(ouro__at(value, field->tag_offset), 0, field->tag_size);
            break;
        case OURO_FIELD_UNION:
            selected = ouro__case(value, field);
            if (selected != NULL)
                moved_fields(value, selected->fields, selected->field_count);
            break;
        }
    }
}

void ouro_lifted_was_moved(void *value, const struct ouro_type *type)
{
    const uint32_t more = OURO__TYPE_HOOKED | OURO__TYPE_LINKS | OURO__TYPE_TAGGED |
                          OURO__TYPE_FILTERED | OURO__TYPE_TAILED;
    uint32_t state = ouro__type_state(type);
    if ((state & OURO__TYPE_FLAT) && !(state & more)) {
        for (uint32_t i = 0; i < type->ref_count; i++)
            *ouro__ref_slot(value, type->refs[i]) = NULL;
        return;
    }
    moved_fields(value, type->fields, type->field_count);
}

void ouro_was_moved(void *value, const struct ouro_type *type)
{
    if (type->hooks.was_moved != NULL) {
        ouro__own.must_return++;
        type->hooks.was_moved(value, type);
        ouro__own.must_return--;
    } else {
        ouro_lifted_was_moved(value, type);
    }
}

/* Sink. */

/* Whether a sink of the type calls written ones. If a destroy hook is written around them, the
 * whole is destroyed by that and then moved. */
static bool sinks_by_parts(const struct ouro_type *type)
{
    return (ouro__type_state(type) & OURO__TYPE_SINKS) &&
           (type->hooks.sink != NULL || type->hooks.destroy == NULL);
}

/* For each nested value whose sink is written: calls it. The other fields of `to` are destroyed. */
static void sink_parts(char *to, char *from, const struct ouro_type *type);
/* Then, and without any call in between (H4): puts those values into `from` too, from where all of
 * it is moved at once. What they leave there is in its wasMoved state, and owns nothing. */
static void gather_parts(const char *to, char *from, const struct ouro_type *type);

static size_t values_in(const struct ouro_field *field)
{
    bool array = field->kind == OURO_FIELD_ARRAY;
    bool values = (array || field->kind == OURO_FIELD_VALUE) && sinks_by_parts(field->type);
    return !values ? 0 : array ? field->count : 1;
}

static void sink_parts(char *to, char *from, const struct ouro_type *type)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct ouro_field *field = &type->fields[i];
        size_t n = values_in(field), at = field->offset;
        if (n == 0)
            destroy_fields(to, field, 1);
        for (; n > 0; n--, at += field->type->size)
            if (field->type->hooks.sink != NULL)
                field->type->hooks.sink(to + at, from + at, field->type);
            else
                sink_parts(to + at, from + at, field->type);
    }
}

static void gather_parts(const char *to, char *from, const struct ouro_type *type)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct ouro_field *field = &type->fields[i];
        size_t n = values_in(field), at = field->offset;
        for (; n > 0; n--, at += field->type->size)
            if (field->type->hooks.sink != NULL)
                memcpy(from + at, to + at, field->type->size);
            else
                gather_parts(to + at, from + at, field->type);
    }
}

void ouro_lifted_sink(void *to, void *from, const struct ouro_type *type)
{
    _Alignas(16) char old[OURO_SINK_SAFE];
    if (to == from)
        return;
    const size_t size = ouro__value_size(from, type);
    if (OURO_UNLIKELY(size != ouro__value_size(to, type)))
        ouro_fail(OURO_FAIL_MISUSE, to, type->name, "sunk into from one with another tail");
    if (!(ouro__type_state(type) & OURO__TYPE_PLAIN))
        ouro__value_check(to, type);
    bool late = false;
    if (type->hooks.destroy == NULL && sinks_by_parts(type)) {
        sink_parts(to, from, type);
        gather_parts(to, from, type);
    } else if (!(ouro__type_state(type) & OURO__TYPE_PLAIN)) {
        late = size <= sizeof old && type->align <= 16;
        if (late)
            memcpy(old, to, size);
        else
            ouro_destroy_value(to, type);
    }
    memcpy(to, from, size);
    ouro_was_moved(from, type);
    /* Last of all, because `from` may be part of what goes with it. */
    if (late)
        ouro_destroy_value(old, type);
}

void ouro_sink(void *to, void *from, const struct ouro_type *type)
{
    if (type->hooks.sink != NULL)
        type->hooks.sink(to, from, type);
    else
        ouro_lifted_sink(to, from, type);
}
