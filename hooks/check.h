/* SPDX-License-Identifier: MIT */
/* check.h: Internal to hooks. The steps of registration; all run under the registration lock.
 *
 * The types that one registration takes up form a list through `refs`, which nobody reads before
 * they are registered; `state` tells how far each is. */
#ifndef OURO_HOOKS_CHECK_H
#define OURO_HOOKS_CHECK_H

#include "hooks/registry.h"

struct ouro__registration {
    struct ouro_type *first, *last;
    const char *why; /* of a refusal */
};

enum ouro__check_state { OURO__CHECK_FOUND, OURO__CHECK_OPEN, OURO__CHECK_DONE };

OURO_INLINE struct ouro_type *ouro__next_type(const struct ouro_type *type)
{
    return (struct ouro_type *)(uintptr_t)type->refs;
}

/* Puts `type` on the list unless it is there or registered. */
void ouro__take_up(struct ouro__registration *r, struct ouro_type *type);
/* Checks every type on the list, taking up those that are nested in them. */
ouro_status ouro__check_types(struct ouro__registration *r);
/* Refuses: OURO_BAD_TYPE, and r->why says "type.field: reason". `field` may be NULL. */
ouro_status ouro__refuse(struct ouro__registration *r, const struct ouro_type *type,
                         const struct ouro_field *field, const char *reason);
/* Whether no two fields of the type overlap; refuses otherwise. Sizes were checked before. */
ouro_status ouro__check_overlap(struct ouro__registration *r, const struct ouro_type *type);

/* Whether the field has a tag, or a counter. */
OURO_INLINE bool ouro__has_tag(const struct ouro_field *field)
{
    return field->kind == OURO_FIELD_OPTION || field->kind == OURO_FIELD_UNION ||
           field->kind == OURO_FIELD_TAIL;
}
/* The field of a type that is its tail, or NULL. */
OURO_INLINE const struct ouro_field *ouro__tail_of(const struct ouro_type *type)
{
    const struct ouro_field *last =
        type->field_count != 0 ? &type->fields[type->field_count - 1] : NULL;
    return last != NULL && last->kind == OURO_FIELD_TAIL ? last : NULL;
}
/* The filter of its references at fixed places, NULL: there is none; *one: there are not several.
 */
const struct ouro_filter *ouro__common_filter(const struct ouro_type *type, bool *one);

/* Works out `state` of every type on the list. */
void ouro__work_out_states(struct ouro__registration *r);
/* How many strong references a type has whose `refs` are wanted; with `refs` not NULL, writes
 * their offsets. More than OURO__REFS_MAX: too many. */
size_t ouro__collect_refs(const struct ouro_type *type, uint32_t *refs);

#endif
