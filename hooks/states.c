/* SPDX-License-Identifier: MIT */
/* states.c: what registration works out of the field tables.
 *
 * Facts about a type are facts about what is in it, so they only ever accumulate: they are joined
 * over the types of one registration until nothing is added any more. That settles types that
 * contain each other through sequences. */
#include "hooks/check.h"
#include "hooks/closure.h"
#include "hooks/walk.h"

enum fact {
    OWNS = 1u << 0,     /* destroy does something */
    TRACED = 1u << 1,   /* trace reports something */
    DESTROYS = 1u << 2, /* a written destroy */
    HOOKED = 1u << 3,   /* a written hook but destroy and trace */
    SINKS = 1u << 4,    /* a written sink, not in a sequence, optional or union */
    LINKS = 1u << 5,    /* weak or borrowed references, or other words that wasMoved clears */
    TAGGED = 1u << 6,   /* optionals or unions, not in a sequence */
    DEEP = 1u << 7,     /* sequences of what is not plain, not in a sequence */
    UNFLAT = 1u << 8,   /* destroy acts on more than references at fixed places */
    UNFIXED = 1u << 9, /* strong references but at fixed places and in a tail, or a written trace */
    OUTWARD = 1u << 10,                 /* OURO__TYPE_OUTWARD */
    FACTS_STAY = SINKS | TAGGED | DEEP, /* facts that a sequence keeps to itself .. */
    FACTS_PLACE = UNFLAT | UNFIXED      /* .. and those about places */
};

static uint32_t facts_of(const struct ouro_type *type)
{
    static const struct {
        uint32_t state, fact;
    } table[] = {
        {OURO__TYPE_TRACED, TRACED}, {OURO__TYPE_DESTROY, DESTROYS}, {OURO__TYPE_HOOKED, HOOKED},
        {OURO__TYPE_SINKS, SINKS},   {OURO__TYPE_LINKS, LINKS},      {OURO__TYPE_TAGGED, TAGGED},
        {OURO__TYPE_DEEP, DEEP},     {OURO__TYPE_OUTWARD, OUTWARD},
    };
    if (!ouro__type_known(type))
        return type->state;
    uint32_t facts = type->state & OURO__TYPE_PLAIN ? 0 : OWNS;
    for (size_t i = 0; i < OURO_COUNT_OF(table); i++)
        facts |= type->state & table[i].state ? table[i].fact : 0;
    /* A type that merely had too many references for a table gives none to others either. */
    facts |= type->state & OURO__TYPE_FLAT ? 0 : UNFLAT;
    facts |= type->state & OURO__TYPE_SLOTS ? 0 : UNFIXED;
    return facts;
}

static uint32_t facts_of_fields(const struct ouro_field *fields, uint32_t count);

/* Facts about a place that is there only sometimes. */
static uint32_t facts_of_maybe(uint32_t inner)
{
    return (inner & ~(uint32_t)SINKS) | TAGGED | (inner & TRACED ? UNFIXED : 0);
}

static uint32_t facts_of_seq(uint32_t inner)
{
    uint32_t facts = (inner & ~(uint32_t)(FACTS_STAY | FACTS_PLACE)) | OWNS | UNFLAT;
    facts |= OUTWARD | (inner & TRACED ? UNFIXED : 0);
    facts |= inner & (OWNS | HOOKED | LINKS) ? DEEP : 0;
    return facts;
}

/* Whether what the reference leads to may be what any thread may have. */
static bool leads_out(const struct ouro_type *target)
{
    return target == NULL || (target->flags & (OURO_SHARED | OURO_IMMUTABLE)) != 0;
}

static uint32_t facts_of_field(const struct ouro_field *field)
{
    uint32_t facts = 0;
    switch (field->kind) {
    case OURO_FIELD_REF:
    case OURO_FIELD_FILTERED:
        return OWNS | TRACED | (leads_out(field->type) ? OUTWARD : 0);
    case OURO_FIELD_CLOSURE:
    case OURO_FIELD_INTERIOR:
        return OWNS | TRACED | LINKS | OUTWARD;
    case OURO_FIELD_WEAK:
        return OWNS | UNFLAT | LINKS | OUTWARD;
    case OURO_FIELD_BORROW:
        return LINKS;
    case OURO_FIELD_STRING:
        return OWNS | UNFLAT | OUTWARD;
    case OURO_FIELD_SEQ:
        return facts_of_seq(facts_of(field->type));
    case OURO_FIELD_OPTION:
        return facts_of_maybe(facts_of(field->type));
    case OURO_FIELD_UNION:
        for (size_t i = 0; i < field->count; i++)
            facts |= facts_of_fields(field->cases[i].fields, field->cases[i].field_count);
        return facts_of_maybe(facts);
    case OURO_FIELD_TAIL:
        return facts_of(field->type) & ~(uint32_t)SINKS;
    default:
        return facts_of(field->type);
    }
}

static uint32_t facts_of_fields(const struct ouro_field *fields, uint32_t count)
{
    uint32_t facts = 0;
    for (uint32_t i = 0; i < count; i++)
        facts |= facts_of_field(&fields[i]);
    return facts;
}

static uint32_t own_facts(const struct ouro_type *type)
{
    const struct ouro_hooks *hooks = &type->hooks;
    uint32_t facts = 0;
    if (hooks->destroy != NULL)
        facts |= OWNS | DESTROYS | UNFLAT | OUTWARD;
    if (hooks->trace != NULL)
        facts |= TRACED | UNFLAT | UNFIXED | OUTWARD;
    if (hooks->sink != NULL)
        facts |= SINKS;
    if (hooks->was_moved || hooks->sink || hooks->copy || hooks->dup || hooks->deepcopy)
        facts |= HOOKED;
    return facts;
}

/* What a table of offsets says of a reference at `at`; OURO__NO_REF: the field is none. */
#define OURO__NO_REF UINT32_MAX
static uint32_t ref_of(const struct ouro_field *field, size_t at)
{
    switch (field->kind) {
    case OURO_FIELD_REF:
        return (uint32_t)at;
    case OURO_FIELD_FILTERED:
        return (uint32_t)at | OURO__REF_FILTERED;
    case OURO_FIELD_CLOSURE:
        return (uint32_t)(at + offsetof(ouro_closure, env));
    case OURO_FIELD_INTERIOR:
        return (uint32_t)(at + offsetof(ouro_interior, object));
    default:
        return OURO__NO_REF;
    }
}

/* Appends the references among `fields` of a value at `base`; returns how many there are now. */
static size_t collect(const struct ouro_field *fields, uint32_t count, size_t base, uint32_t *refs,
                      size_t n)
{
    for (uint32_t i = 0; i < count && n <= OURO__REFS_MAX; i++) {
        const struct ouro_field *field = &fields[i];
        size_t at = base + field->offset;
        uint32_t ref = ref_of(field, at);
        if (ref != OURO__NO_REF) {
            if (refs != NULL)
                refs[n] = ref;
            n++;
        } else if (field->kind == OURO_FIELD_VALUE || field->kind == OURO_FIELD_ARRAY) {
            const struct ouro_type *type = field->type;
            size_t values = field->kind == OURO_FIELD_VALUE ? 1 : field->count;
            /* An array of values without references may be long: one look at the first. */
            size_t before = n;
            for (size_t k = 0; k < values && n <= OURO__REFS_MAX; k++) {
                n = collect(type->fields, type->field_count, at + k * type->size, refs, n);
                if (n == before)
                    break;
            }
        }
    }
    return n;
}

size_t ouro__collect_refs(const struct ouro_type *type, uint32_t *refs)
{
    return collect(type->fields, type->field_count, 0, refs, 0);
}

/* Whether all filters of references at fixed places are one, which *filter then is, if there is
 * any. */
static bool one_filter(const struct ouro_field *fields, uint32_t count,
                       const struct ouro_filter **filter)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct ouro_field *field = &fields[i];
        if (field->kind == OURO_FIELD_FILTERED) {
            if (*filter != NULL && *filter != field->filter)
                return false;
            *filter = field->filter;
        } else if ((field->kind == OURO_FIELD_VALUE || field->kind == OURO_FIELD_ARRAY) &&
                   !one_filter(field->type->fields, field->type->field_count, filter)) {
            return false;
        }
    }
    return true;
}

const struct ouro_filter *ouro__common_filter(const struct ouro_type *type, bool *one)
{
    const struct ouro_filter *filter = NULL;
    *one = one_filter(type->fields, type->field_count, &filter);
    return filter;
}

static uint32_t state_of(const struct ouro_type *type, uint32_t facts)
{
    uint32_t state = 0;
    state |= facts & OWNS ? 0 : OURO__TYPE_PLAIN;
    state |= facts & TRACED ? OURO__TYPE_TRACED : 0;
    state |= facts & DESTROYS ? OURO__TYPE_DESTROY : 0;
    state |= facts & HOOKED ? OURO__TYPE_HOOKED : 0;
    state |= facts & SINKS ? OURO__TYPE_SINKS : 0;
    state |= facts & LINKS ? OURO__TYPE_LINKS : 0;
    state |= facts & TAGGED ? OURO__TYPE_TAGGED : 0;
    state |= facts & DEEP ? OURO__TYPE_DEEP : 0;
    state |= facts & OUTWARD ? OURO__TYPE_OUTWARD : 0;
    state |= type->align > 16 ? OURO__TYPE_ALIGNED : 0;
    bool one;
    bool filtered = ouro__common_filter(type, &one) != NULL;
    bool table = one && !(facts & UNFIXED) && type->size < UINT32_MAX &&
                 ouro__collect_refs(type, NULL) <= OURO__REFS_MAX;
    state |= table && filtered ? OURO__TYPE_FILTERED : 0;
    state |= ouro__tail_of(type) != NULL ? OURO__TYPE_TAILED : 0;
    state |= table ? OURO__TYPE_SLOTS : 0;
    state |= table && !(facts & UNFLAT) ? OURO__TYPE_FLAT : 0;
    return state;
}

/* What a type with a tail of elements in that state is not. */
static uint32_t missing_of_tail(uint32_t element)
{
    return ~element & (OURO__TYPE_SLOTS | OURO__TYPE_FLAT);
}

void ouro__work_out_states(struct ouro__registration *r)
{
    for (struct ouro_type *type = r->first; type != NULL; type = ouro__next_type(type))
        type->state = own_facts(type);
    for (bool more = true; more;) {
        more = false;
        for (struct ouro_type *type = r->first; type != NULL; type = ouro__next_type(type)) {
            uint32_t facts = type->state | facts_of_fields(type->fields, type->field_count);
            more = more || facts != type->state;
            type->state = facts;
        }
    }
    for (struct ouro_type *type = r->first; type != NULL; type = ouro__next_type(type))
        type->state = state_of(type, type->state);
    for (struct ouro_type *type = r->first; type != NULL; type = ouro__next_type(type))
        if (type->state & OURO__TYPE_TAILED)
            type->state &= ~(uint32_t)missing_of_tail(ouro__tail_of(type)->type->state);
}
