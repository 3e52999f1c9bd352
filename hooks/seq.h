/* SPDX-License-Identifier: MIT */
/* seq.h: growable sequences.
 *
 * For every function: `seq` is a live sequence (borrowed, not NULL) of values of `type` (borrowed,
 * not NULL; registered by the first call that grows). Any thread, but one at a time on one
 * sequence; any number may read, view and copy (ouro_dup) one whose elements are nothing but bytes.
 * Elements are aligned to 16 at most, move by memcpy, and are given to a sequence and
 * taken from it by moving: nothing is counted, no hook runs but a written wasMoved of what they
 * leave behind. Lengths and capacities count elements.
 *
 * Those that answer a status refuse with nothing changed. OURO_NO_MEMORY: there is none, or the
 * size overflows; OURO_BAD_TYPE: the type was refused, has size 0 or needs an alignment above 16;
 * OURO_BAD_ARGUMENT: NULL, or a place beyond the end. They may allocate; no destroy hook runs but
 * those of the elements that they destroy, where they say so. A hook that runs may look at the
 * sequence, but must not change it.
 *
 * Sequences whose elements are nothing but bytes share their payload after ouro_dup and ouro_copy:
 * whoever edits one first pays for the copy. Elements that own something are copied at once. */
#ifndef OURO_HOOKS_SEQ_H
#define OURO_HOOKS_SEQ_H

#include "hooks/payload.h"
#include "hooks/type.h"

OURO_EXTERN_C_BEGIN

/* Sequences go out of line by value where code is inlined: a local variable whose address nobody
 * has stays in registers. The first answers the sequence with room for one element more, without a
 * payload if that was refused. */
OURO_API ouro_seq ouro__seq_grown(ouro_seq seq, const struct ouro_type *type);
OURO_API void ouro__seq_end(ouro_seq gone, const struct ouro_type *type);

/* The elements (borrowed, valid until the sequence changes or ends); NULL while nothing was
 * reserved. To be read; elements that own something may be written too, bytes only after
 * ouro_seq_edit. O(1). */
OURO_INLINE void *ouro_seq_data(const ouro_seq *seq)
{
    return seq->payload ? (void *)(seq->payload + 1) : NULL;
}

/* A view (borrowed) of `count` elements from the one number `from` on; `size` is that of an
 * element, in bytes. A view past the end is a programmer's error (OURO_FAIL_MISUSE). Ended by
 * ouro_view_end. Allocates nothing; O(1), a compare. */
OURO_INLINE ouro_view ouro_seq_view(const ouro_seq *seq, size_t from, size_t count, size_t size)
{
    return ouro__view(seq->payload, seq->len, from, count, size);
}

/* A place at the end for one element more, which is counted already: the caller writes it (an
 * element in its wasMoved state, or all zero, will do) before anything else is called. `size` is
 * type->size; where that is a constant and there is room it is all inlined. NULL: no memory, or a
 * bad type; nothing has changed. Amortized O(1). */
OURO_INLINE void *ouro_seq_add(ouro_seq *seq, const struct ouro_type *type, size_t size)
{
    ouro_seq now = *seq;
    if (OURO_UNLIKELY(now.payload == NULL) ||
        OURO_UNLIKELY(now.len >= ouro__capacity(now.payload))) {
        now = ouro__seq_grown(now, type);
        if (now.payload == NULL)
            return NULL;
        seq->payload = now.payload;
    }
    seq->len = now.len + 1;
    return (char *)(now.payload + 1) + now.len * size;
}

/* Room and length. */

/* Makes room for `capacity` elements in all. Never shrinks. O(elements) where it moves them. */
OURO_API ouro_status ouro_seq_reserve(ouro_seq *seq, const struct ouro_type *type, size_t capacity);
/* Gives back room that the elements do not need, as far as blocks allow. O(elements). */
OURO_API ouro_status ouro_seq_shrink(ouro_seq *seq, const struct ouro_type *type);
/* Makes it `len` elements long: destroys those beyond, in order, or adds zeroed ones in their
 * wasMoved state. O(elements destroyed or added). */
OURO_API ouro_status ouro_seq_set_len(ouro_seq *seq, const struct ouro_type *type, size_t len);
/* Destroys all from the element number `len` on, in order; keeps the room. Never grows.
 * O(elements destroyed). */
OURO_API void ouro_seq_truncate(ouro_seq *seq, const struct ouro_type *type, size_t len);
/* Destroys all elements and gives the payload up; the sequence is empty again. O(elements). */
OURO_INLINE void ouro_seq_destroy(ouro_seq *seq, const struct ouro_type *type)
{
    ouro_seq gone = *seq;
    if (gone.payload == NULL)
        return;
    if (OURO_UNLIKELY(ouro__capacity(gone.payload) == 0))
        ouro__payload_check_out(gone.payload);
    seq->len = 0;
    seq->payload = NULL;
    ouro__seq_end(gone, type);
}
/* Makes the payload the sequence's own, to be written until the sequence is next copied; *data
 * (not NULL) points to the elements, to NULL if there are none. O(1), O(bytes) if it was shared. */
OURO_API ouro_status ouro_seq_edit(ouro_seq *seq, const struct ouro_type *type, void **data);

/* Elements. `element` is one value of `type`, outside the sequence unless said otherwise. */

/* Moves the value at `element` (owned; may be an element of `seq`) to the end, and leaves it in its
 * wasMoved state. Amortized O(1). */
OURO_API ouro_status ouro_seq_push(ouro_seq *seq, const struct ouro_type *type, void *element);
/* Moves the last element to `element` (uninitialized), for the caller to own. OURO_BAD_ARGUMENT:
 * the sequence is empty. O(1). */
OURO_API ouro_status ouro_seq_pop(ouro_seq *seq, const struct ouro_type *type, void *element);
/* Moves the value at `element` (owned; may be an element of `seq`) in before the one number `at`,
 * or to the end if that is the length. O(elements behind it). */
OURO_API ouro_status ouro_seq_insert(ouro_seq *seq, const struct ouro_type *type, size_t at,
                                     void *element);
/* Moves the element number `at` to `element` (uninitialized); those behind it move up. O(elements
 * behind it). */
OURO_API ouro_status ouro_seq_remove(ouro_seq *seq, const struct ouro_type *type, size_t at,
                                     void *element);
/* The same, but the last element takes the place. O(1). */
OURO_API ouro_status ouro_seq_remove_swap(ouro_seq *seq, const struct ouro_type *type, size_t at,
                                          void *element);
/* Destroys `count` elements from the one number `from` on, and moves the `n` values at `elements`
 * (owned, NULL only if n is 0; not in `seq`) into their place, leaving them in their wasMoved
 * state. O(elements moved and destroyed). */
OURO_API ouro_status ouro_seq_splice(ouro_seq *seq, const struct ouro_type *type, size_t from,
                                     size_t count, void *elements, size_t n);
/* Appends copies of all elements of `from` (borrowed; may be `seq`), by their dup hooks where they
 * are more than bytes; or what such a hook answered. O(elements of `from`). */
OURO_API ouro_status ouro_seq_append(ouro_seq *seq, const struct ouro_type *type,
                                     const ouro_seq *from);
/* Whether two sequences (borrowed) have the same length and their elements the same bytes, for
 * elements that are nothing but bytes without padding, or references: those to one object are
 * equal. O(bytes). */
OURO_API bool ouro_seq_equal(const ouro_seq *a, const ouro_seq *b, const struct ouro_type *type);

OURO_EXTERN_C_END

#endif
