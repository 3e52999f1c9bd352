/* SPDX-License-Identifier: MIT */
/* check.c: whether a descriptor makes sense. */
#include "alloc/text.h"
#include "hooks/check.h"
#include "hooks/fields.h"

/* Texts of refusals. A caller may look at its text after another thread was refused: the slots go
 * round. */
#define WHY_SLOTS 8
#define WHY_SIZE  160

ouro_status ouro__refuse(struct ouro__registration *r, const struct ouro_type *type,
                         const struct ouro_field *field, const char *reason)
{
    static char texts[WHY_SLOTS][WHY_SIZE];
    static unsigned turn;
    struct ouro__text text = {texts[turn++ % WHY_SLOTS], WHY_SIZE, 0};
    ouro__text_add(&text, type->name != NULL ? type->name : "?");
    if (field != NULL) {
        ouro__text_add(&text, ".");
        ouro__text_add(&text, field->name != NULL ? field->name : "?");
    }
    ouro__text_add(&text, ": ");
    ouro__text_add(&text, reason);
    r->why = text.room;
    return OURO_BAD_TYPE;
}

void ouro__take_up(struct ouro__registration *r, struct ouro_type *type)
{
    if (ouro__type_known(type) || type->refs != NULL || type == r->last)
        return;
    if (r->first == NULL)
        r->first = type;
    else
        r->last->refs = (const uint32_t *)(const void *)type;
    r->last = type;
    type->state = OURO__CHECK_FOUND;
}

static ouro_status check_nested(struct ouro__registration *r, struct ouro_type *type);
static ouro_status check_fields(struct ouro__registration *r, struct ouro_type *type,
                                const struct ouro_field *fields, uint32_t count);

/* The alignment of a value of what the field holds; 1 where there is none to ask for. */
static size_t field_align(const struct ouro_field *field)
{
    switch (field->kind) {
    case OURO_FIELD_VALUE:
    case OURO_FIELD_ARRAY:
    case OURO_FIELD_OPTION:
    case OURO_FIELD_TAIL:
        return ouro__value_align(field->type);
    case OURO_FIELD_UNION:
        return 1;
    default:
        return 8;
    }
}

/* The bytes of the field, without its tag; false: it overflows. Of a union they follow from its
 * cases, which are checked by themselves. */
static bool field_size(const struct ouro_field *field, size_t *size)
{
    switch (field->kind) {
    case OURO_FIELD_VALUE:
    case OURO_FIELD_OPTION:
        *size = field->type->size;
        return true;
    case OURO_FIELD_ARRAY:
        return !__builtin_mul_overflow(field->count, field->type->size, size);
    case OURO_FIELD_SEQ:
    case OURO_FIELD_STRING:
    case OURO_FIELD_CLOSURE:
    case OURO_FIELD_INTERIOR:
        *size = 2 * sizeof(void *);
        return true;
    case OURO_FIELD_UNION:
    case OURO_FIELD_TAIL:
        *size = 0;
        return true;
    default:
        *size = sizeof(void *);
        return true;
    }
}

/* What a nested value's type must be for the field to hold it. */
static const char *element_fault(const struct ouro_field *field)
{
    const struct ouro_type *type = field->type;
    if (type->size == 0)
        return "a value of size 0 cannot be nested";
    if (ouro__tail_of(type) != NULL)
        return "a value with a tail cannot be nested";
    if ((field->kind == OURO_FIELD_ARRAY || field->kind == OURO_FIELD_SEQ ||
         field->kind == OURO_FIELD_TAIL) &&
        type->size % ouro__value_align(type) != 0)
        return "the elements' size is no multiple of their alignment";
    if (field->kind == OURO_FIELD_SEQ && ouro__value_align(type) > 16)
        return "elements of a sequence are aligned to 16 at most";
    return NULL;
}

static ouro_status check_element(struct ouro__registration *r, struct ouro_type *type,
                                 const struct ouro_field *field)
{
    if (field->type == NULL)
        return ouro__refuse(r, type, field, "has no type");
    ouro__take_up(r, field->type);
    bool known = ouro__type_known(field->type);
    if (field->kind != OURO_FIELD_SEQ && !known) {
        if (field->type->state == OURO__CHECK_OPEN)
            return ouro__refuse(r, type, field, "the value would contain itself");
        ouro_status status = check_nested(r, field->type);
        if (status != OURO_OK)
            return status;
    }
    const char *fault = element_fault(field);
    return fault != NULL ? ouro__refuse(r, type, field, fault) : OURO_OK;
}

static ouro_status check_place(struct ouro__registration *r, struct ouro_type *type,
                               const struct ouro_field *field)
{
    size_t size, end, align = field_align(field);
    if (!field_size(field, &size) || __builtin_add_overflow(field->offset, size, &end) ||
        end > type->size)
        return ouro__refuse(r, type, field, "reaches beyond the value");
    if (field->offset % align != 0)
        return ouro__refuse(r, type, field, "is not aligned");
    if (align > ouro__value_align(type))
        return ouro__refuse(r, type, field, "needs more alignment than its type has");
    if (!ouro__has_tag(field))
        return OURO_OK;
    uint32_t tag = field->tag_size;
    if (tag != 1 && tag != 2 && tag != 4 && tag != 8)
        return ouro__refuse(r, type, field, "a tag has 1, 2, 4 or 8 bytes");
    if (__builtin_add_overflow(field->tag_offset, tag, &end) || end > type->size)
        return ouro__refuse(r, type, field, "its tag reaches beyond the value");
    return OURO_OK;
}

static ouro_status check_cases(struct ouro__registration *r, struct ouro_type *type,
                               const struct ouro_field *field)
{
    const struct ouro_case *cases = field->cases;
    if (field->count != 0 && cases == NULL)
        return ouro__refuse(r, type, field, "has no cases");
    for (size_t i = 0; i < field->count; i++) {
        if (cases[i].first > cases[i].last)
            return ouro__refuse(r, type, field, "a case ends before it begins");
        for (size_t j = 0; j < i; j++)
            if (cases[i].first <= cases[j].last && cases[j].first <= cases[i].last)
                return ouro__refuse(r, type, field, "two cases have a tag in common");
        const struct ouro_field *inner = cases[i].fields;
        if (cases[i].field_count != 0 && inner == NULL)
            return ouro__refuse(r, type, field, "a case has no fields");
        for (uint32_t k = 0; k < cases[i].field_count; k++)
            if (inner[k].offset < field->offset)
                return ouro__refuse(r, type, &inner[k], "stands before its union");
        ouro_status status = check_fields(r, type, inner, cases[i].field_count);
        if (status != OURO_OK)
            return status;
    }
    return OURO_OK;
}

static ouro_status check_filter(struct ouro__registration *r, struct ouro_type *type,
                                const struct ouro_field *field)
{
    const struct ouro_filter *filter = field->filter;
    if (filter == NULL)
        return ouro__refuse(r, type, field, "has no filter");
    if ((filter->object == NULL) != (filter->word == NULL))
        return ouro__refuse(r, type, field, "its filter has one of two functions");
    if (ouro_filter_object(filter, filter->empty) != NULL)
        return ouro__refuse(r, type, field, "its filter takes the empty word for a reference");
    if (ouro_filter_object(filter, 0) != NULL)
        return ouro__refuse(r, type, field, "its filter takes 0 for a reference");
    return OURO_OK;
}

static ouro_status check_field(struct ouro__registration *r, struct ouro_type *type,
                               const struct ouro_field *field)
{
    ouro_status status = OURO_OK;
    switch (field->kind) {
    case OURO_FIELD_REF:
    case OURO_FIELD_WEAK:
    case OURO_FIELD_BORROW:
    case OURO_FIELD_STRING:
    case OURO_FIELD_UNION:
    case OURO_FIELD_CLOSURE:
    case OURO_FIELD_INTERIOR:
        break;
    case OURO_FIELD_FILTERED:
        status = check_filter(r, type, field);
        break;
    case OURO_FIELD_TAIL:
        if (field != ouro__tail_of(type))
            return ouro__refuse(r, type, field, "a tail is the last field of an object");
        status = check_element(r, type, field);
        break;
    case OURO_FIELD_VALUE:
    case OURO_FIELD_ARRAY:
    case OURO_FIELD_SEQ:
    case OURO_FIELD_OPTION:
        status = check_element(r, type, field);
        break;
    default:
        return ouro__refuse(r, type, field, "is of no known kind");
    }
    if (status == OURO_OK)
        status = check_place(r, type, field);
    if (status == OURO_OK && field->kind == OURO_FIELD_UNION)
        status = check_cases(r, type, field);
    return status;
}

static ouro_status check_fields(struct ouro__registration *r, struct ouro_type *type,
                                const struct ouro_field *fields, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        ouro_status status = check_field(r, type, &fields[i]);
        if (status != OURO_OK)
            return status;
    }
    return OURO_OK;
}

/* A chain is followed by recursion once, and its bases stand in a table of each subtype. */
#define BASES_MOST 255

static ouro_status check_base(struct ouro__registration *r, struct ouro_type *type)
{
    size_t depth = 0;
    for (const struct ouro_type *base = type->base; base != NULL; base = base->base) {
        if (base == type)
            return ouro__refuse(r, type, NULL, "its chain of bases comes back to it");
        if (++depth > BASES_MOST)
            return ouro__refuse(r, type, NULL, "has more than 255 bases, or they form a cycle");
    }
    const struct ouro_field *first = type->fields;
    if (type->base != NULL && (type->field_count == 0 || first->kind != OURO_FIELD_VALUE ||
                               first->offset != 0 || first->type != type->base))
        return ouro__refuse(r, type, NULL, "its first field is not its base");
    return OURO_OK;
}

/* Depth first through what is nested by value; what sequences hold waits on the list. */
static ouro_status check_nested(struct ouro__registration *r, struct ouro_type *type)
{
    if (type->state == OURO__CHECK_DONE)
        return OURO_OK;
    type->state = OURO__CHECK_OPEN;
    if (type->size > PTRDIFF_MAX / 2)
        return ouro__refuse(r, type, NULL, "is larger than any memory");
    if ((type->align & (type->align - 1)) != 0)
        return ouro__refuse(r, type, NULL, "its alignment is no power of two");
    if (type->align > PTRDIFF_MAX / 2)
        return ouro__refuse(r, type, NULL, "its alignment is larger than any memory");
    if (type->flags & ~(uint32_t)OURO_TYPE_FLAGS)
        return ouro__refuse(r, type, NULL, "has unknown flags");
    if (type->field_count != 0 && type->fields == NULL)
        return ouro__refuse(r, type, NULL, "has no fields");
    ouro_status status = check_base(r, type);
    if (status == OURO_OK)
        status = check_fields(r, type, type->fields, type->field_count);
    if (status == OURO_OK)
        status = ouro__check_overlap(r, type);
    type->state = OURO__CHECK_DONE;
    return status;
}

ouro_status ouro__check_types(struct ouro__registration *r)
{
    for (struct ouro_type *type = r->first; type != NULL; type = ouro__next_type(type)) {
        ouro_status status = check_nested(r, type);
        if (status != OURO_OK)
            return status;
    }
    return OURO_OK;
}
