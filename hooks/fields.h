/* SPDX-License-Identifier: MIT */
/* fields.h: Internal to hooks and isolate. Field tables: where fields stand, and the walk over
 * them. */
#ifndef OURO_HOOKS_FIELDS_H
#define OURO_HOOKS_FIELDS_H

#include "alloc/fail.h"
#include "alloc/pool.h"
#include "hooks/closure.h"
#include "hooks/edit.h"
#include "hooks/refops.h"
#include "hooks/registry.h"
#include "hooks/value.h"
#include "hooks/walk.h"

/* The alignment that a value of the type keeps where it is nested. */
OURO_INLINE size_t ouro__value_align(const struct ouro_type *type)
{
    return type->align != 0 ? type->align : 8;
}

OURO_INLINE void *ouro__at(const void *base, size_t offset)
{
    return (char *)(uintptr_t)base + offset;
}

/* The case that the tag of the union `field` selects, or NULL. */
const struct ouro_case *ouro__case(const void *base, const struct ouro_field *field);

/* What follows from the size of a payload's block; the capacity is always exactly that, so that it
 * may be overwritten for a while and found again. */
OURO_INLINE size_t ouro__seq_capacity(const struct ouro_payload *payload, size_t size)
{
    return (ouro__refops->payload_room(payload) - sizeof *payload) / size;
}

/* The walk. It visits the leaves of a value in field order: references, sequences, strings, and
 * nested values that the operation takes as a whole (because a hook is written, say). Nested values
 * recurse, to the depth of the types. Sequences do not: those that `leaf` asks to enter are walked
 * by a loop whose frames stand in the payloads' own headers, so that a tree of values of any depth
 * is walked on any stack without memory. A frame is
 *     payload->capacity   the enclosing sequence that is being walked, or NULL
 *     payload->reserved   the type of the elements
 *     seq->len            the length; in a mirrored walk the sequence that this one is a copy of
 * and the element of the enclosing sequence follows from where this one stands. */
enum ouro__step { OURO__NEXT, OURO__ENTER, OURO__STOP };
enum ouro__as { OURO__AS_NOTHING, OURO__AS_LEAF, OURO__AS_FIELDS };

struct ouro__walker {
    /* `kind`: REF, WEAK, BORROW, SEQ, STRING, FILTERED (of walker->filter), VALUE for a value taken
     * as a whole, or INTERIOR for the reference of one, whose address stands before it. ENTER is
     * an answer for a sequence that is not empty. */
    enum ouro__step (*leaf)(struct ouro__walker *walker, void *slot, enum ouro_field_kind kind,
                            const struct ouro_type *type);
    /* NOTHING depends on the type alone. */
    enum ouro__as (*take)(struct ouro__walker *walker, const void *value,
                          const struct ouro_type *type);
    /* After the elements of an entered sequence; its frame is still there. */
    void (*leave)(struct ouro__walker *walker, ouro_seq *seq, const struct ouro_type *type);
    const char *source; /* mirrored: the value that the one at `base` is a copy of; else NULL */
    /* The walk's own. */
    char *base;         /* the root or the element that is being walked */
    ouro_seq *frame;    /* the sequence that it is in, or NULL */
    const void *resume; /* everything up to this slot is done already */
    const struct ouro_filter *filter;
    void *slot;                   /* where `leaf` last answered ENTER or STOP, .. */
    const struct ouro_type *type; /* .. and the type there */
};

/* Walks the fields at `base`; false: `leaf` stopped it, and the frames stand as they were. */
bool ouro__walk(struct ouro__walker *walker, void *base, const struct ouro_field *fields,
                uint32_t count);
/* Walks one value, itself possibly a leaf, up to the end or to where `leaf` stops; enters nothing.
 */
void ouro__walk_value(struct ouro__walker *walker, void *value, const struct ouro_type *type);

/* The `leaf` of destroy; a VALUE is destroyed as a whole. */
enum ouro__step ouro__destroy_leaf(struct ouro__walker *walker, void *slot,
                                   enum ouro_field_kind kind, const struct ouro_type *type);

/* Whether a sequence has elements that may be looked at: not while a walk that destroys or fills
 * them is in it, and has called out. */
OURO_INLINE bool ouro__is_open(const ouro_seq *seq)
{
    return seq->payload != NULL && seq->len != 0 &&
           (ouro__payload_reserved(seq->payload) == 0 || ouro__payload_is_sealed(seq->payload));
}

/* The reference of an interior at `slot`, whose address stands before it, leads to `to` in place of
 * `from`: so does the address. */
OURO_INLINE void ouro__interior_moved(void **slot, const void *from, void *to)
{
    if (from != to)
        slot[-1] = to != NULL ? (char *)to + ((char *)slot[-1] - (const char *)from) : NULL;
}

/* For `take`: the fields of whatever has any, written hooks or not. */
enum ouro__as ouro__take_fields(struct ouro__walker *walker, const void *value,
                                const struct ouro_type *type);
/* For `leave`: makes a payload's header what it was before its sequence was entered. */
void ouro__leave_restored(struct ouro__walker *walker, ouro_seq *seq, const struct ouro_type *type);

OURO_INLINE ouro_seq *ouro__frame_parent(const ouro_seq *seq)
{
    return (ouro_seq *)seq->payload->capacity;
}
OURO_INLINE const struct ouro_type *ouro__frame_type(const ouro_seq *seq)
{
    return (const struct ouro_type *)seq->payload->reserved;
}
/* The number of the element of `seq` that `inside` stands in. */
OURO_INLINE size_t ouro__frame_index(const ouro_seq *seq, const void *inside)
{
    size_t offset = (size_t)((const char *)inside - (const char *)ouro_seq_data(seq));
    return offset / ouro__frame_type(seq)->size;
}

#endif
