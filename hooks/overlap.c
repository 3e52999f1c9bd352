/* SPDX-License-Identifier: MIT */
/* overlap.c: whether fields of a descriptor stand in each other's way.
 *
 * A scope is a table of fields: that of the type, or of one case of a union. Within a scope no two
 * fields overlap. A union reaches from its offset to where its longest case ends, a tail without
 * end. A tag may be shared by several optionals, unions and the tail of one scope, but lies in no
 * field of its scope, nor of the scopes around it but for the unions that it is in. */
#include "hooks/check.h"
#include "hooks/value.h"

struct scope {
    const struct ouro_field *fields;
    uint32_t count;
    const struct ouro_field *inside; /* the union of the outer scope that this is a case of */
    const struct scope *outer;
};

static size_t field_end(const struct ouro_field *field)
{
    size_t end = field->offset, inner;
    switch (field->kind) {
    case OURO_FIELD_VALUE:
    case OURO_FIELD_OPTION:
        return end + field->type->size;
    case OURO_FIELD_ARRAY:
        return end + field->count * field->type->size;
    case OURO_FIELD_SEQ:
    case OURO_FIELD_STRING:
    case OURO_FIELD_CLOSURE:
    case OURO_FIELD_INTERIOR:
        return end + 2 * sizeof(void *);
    case OURO_FIELD_TAIL: /* up to the end of all objects */
        return SIZE_MAX;
    case OURO_FIELD_UNION:
        for (size_t i = 0; i < field->count; i++)
            for (uint32_t k = 0; k < field->cases[i].field_count; k++) {
                const struct ouro_field *f = &field->cases[i].fields[k];
                inner = field_end(f);
                end = inner > end ? inner : end;
                if (!ouro__has_tag(f) || f->tag_offset < field->offset)
                    continue;
                inner = f->tag_offset + f->tag_size;
                end = inner > end ? inner : end;
            }
        return end;
    default:
        return end + sizeof(void *);
    }
}

static bool in_a_field(const struct scope *scope, const struct ouro_field *spared, size_t first,
                       size_t end)
{
    for (uint32_t i = 0; i < scope->count; i++) {
        const struct ouro_field *field = &scope->fields[i];
        if (field != spared && first < field_end(field) && field->offset < end)
            return true;
    }
    return false;
}

static bool tag_is_free(const struct scope *scope, const struct ouro_field *field)
{
    size_t first = field->tag_offset, end = first + field->tag_size;
    const struct ouro_field *spared = NULL;
    for (; scope != NULL; scope = scope->outer) {
        if (in_a_field(scope, spared, first, end))
            return false;
        spared = scope->inside;
    }
    return true;
}

static ouro_status check_scope(struct ouro__registration *r, const struct ouro_type *type,
                               const struct scope *scope)
{
    size_t reached = 0;
    for (uint32_t i = 0; i < scope->count; i++) {
        const struct ouro_field *field = &scope->fields[i];
        size_t end = field_end(field);
        /* In the usual order one comparison does; else each is compared with all before it. */
        struct scope before = {scope->fields, i, NULL, NULL};
        if (field->offset < reached && in_a_field(&before, NULL, field->offset, end))
            return ouro__refuse(r, type, field, "overlaps another field");
        reached = end > reached ? end : reached;
        if (ouro__has_tag(field) && !tag_is_free(scope, field))
            return ouro__refuse(r, type, field, "its tag lies in a field");
        for (size_t k = 0; field->kind == OURO_FIELD_UNION && k < field->count; k++) {
            struct scope inner = {field->cases[k].fields, field->cases[k].field_count, field,
                                  scope};
            ouro_status status = check_scope(r, type, &inner);
            if (status != OURO_OK)
                return status;
        }
    }
    return OURO_OK;
}

ouro_status ouro__check_overlap(struct ouro__registration *r, const struct ouro_type *type)
{
    struct scope all = {type->fields, type->field_count, NULL, NULL};
    return check_scope(r, type, &all);
}
