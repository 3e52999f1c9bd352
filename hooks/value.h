/* SPDX-License-Identifier: MIT */
/* value.h: growable sequences and strings, and the value hooks.
 *
 * A sequence or string is two words: a length, and a payload that is NULL while nothing was
 * reserved. The payload is a raw block and belongs to the one value; assignment goes through copy
 * or sink. All zero is the empty value and also the wasMoved state. */
#ifndef OURO_HOOKS_VALUE_H
#define OURO_HOOKS_VALUE_H

#include "hooks/type.h"

OURO_EXTERN_C_BEGIN

struct ouro_payload {
    size_t capacity; /* elements, or bytes of a string without its final NUL */
    size_t reserved; /* 16 in all, so that elements are aligned to 16 */
};

typedef struct ouro_seq {
    size_t len;
    struct ouro_payload *payload;
} ouro_seq;

typedef struct ouro_string {
    size_t len;
    struct ouro_payload *payload; /* bytes, then a NUL */
} ouro_string;

/* The elements (borrowed, valid until the sequence grows or ends); NULL while nothing was reserved.
 * O(1). */
OURO_INLINE void *ouro_seq_data(const ouro_seq *seq)
{
    return seq->payload ? (void *)(seq->payload + 1) : NULL;
}
/* The bytes, a NUL behind them (borrowed, valid until the string grows or ends). Never NULL. O(1).
 */
OURO_INLINE const char *ouro_string_data(const ouro_string *s)
{
    return s->payload ? (const char *)(s->payload + 1) : "";
}

/* Sequences. For every function: `seq` is a live sequence (borrowed, not NULL) of values of `type`
 * (borrowed, not NULL; registered by the first call that grows). Any thread, but one at a time on
 * one sequence. Those that grow answer OURO_NO_MEMORY if there is none or the size overflows, and
 * OURO_BAD_TYPE if the type was refused, has size 0 or needs an alignment above 16; then nothing
 * has changed. Those that answer a status refuse NULL: OURO_BAD_ARGUMENT. Those that destroy run
 * destroy hooks and do not allocate. Capacities and lengths count elements. */

/* Makes room for `capacity` elements in all. Never shrinks. Moves elements by memcpy, runs no hook.
 * O(elements). */
OURO_API ouro_status ouro_seq_reserve(ouro_seq *seq, const struct ouro_type *type, size_t capacity);
/* Moves the value at `element` (owned; may be an element of `seq`) to the end, and leaves it in its
 * wasMoved state. Runs a written wasMoved. Amortized O(1). */
OURO_API ouro_status ouro_seq_push(ouro_seq *seq, const struct ouro_type *type, void *element);
/* Moves the last element to `element` (uninitialized), for the caller to own. Runs no hook.
 * OURO_BAD_ARGUMENT: the sequence is empty. O(1). */
OURO_API ouro_status ouro_seq_pop(ouro_seq *seq, const struct ouro_type *type, void *element);
/* Destroys all from the element number `len` on, in order; keeps the room. Never grows. A hook that
 * this runs may look at the sequence, but must not push to it, pop it or shorten it: it is still
 * being shortened. O(elements destroyed). */
OURO_API void ouro_seq_truncate(ouro_seq *seq, const struct ouro_type *type, size_t len);
/* Destroys all elements and gives the payload back; the sequence is empty again. O(elements). */
OURO_API void ouro_seq_destroy(ouro_seq *seq, const struct ouro_type *type);

/* Strings. For every function: `s` is a live string (borrowed, not NULL) unless said otherwise;
 * `bytes` (borrowed; may be NULL if `len` is 0) may hold any bytes. Any thread, but one at a time
 * on one string. OURO_NO_MEMORY: there is none, or the size overflows; OURO_BAD_ARGUMENT: `s` is
 * NULL, or `bytes` though `len` is not 0; nothing has changed then. No hook runs. */

/* Makes `s` (uninitialized) a copy of `len` bytes. O(len). */
OURO_API ouro_status ouro_string_make(ouro_string *s, const char *bytes, size_t len);
/* Appends `len` bytes; `bytes` may lie in `s` itself. Amortized O(len). */
OURO_API ouro_status ouro_string_append(ouro_string *s, const char *bytes, size_t len);
/* Makes room for `capacity` bytes in all, and a NUL. Never shrinks. O(length). */
OURO_API ouro_status ouro_string_reserve(ouro_string *s, size_t capacity);
/* Gives the payload back; the string is empty again. O(1). */
OURO_API void ouro_string_destroy(ouro_string *s);

/* The hooks of a value of `type`: the written one, or the lifted one. `type` need not be
 * registered by hand. `type` and values are borrowed and not NULL. Threads: as the value itself is
 * safe. Values may be moved by memcpy, and are.
 *   destroy    drops what the value owns; its bytes are then meaningless
 *   was_moved  the state from which destroy does nothing: references, sequences and strings empty,
 *              optionals absent, all else as it was
 *   sink       moves `from` to `to`, whose old value is destroyed, and leaves `from` in its
 *              wasMoved state; to == from does nothing. `from` may be part of what `to` owns if the
 *              value has at most OURO_SINK_SAFE bytes and no written sink in it; else move it out
 *              first
 *   copy       `to` (a live value) becomes a copy; safe for to == from and for parts of each other
 *   dup        `fresh` (uninitialized) becomes a copy
 *   trace      calls visitor->visit for every strong reference slot that is not NULL
 *   deepcopy   `fresh` (uninitialized) becomes a copy of the whole graph; sharing and cycles are
 *              kept within one memo
 * copy, dup and deepcopy: OURO_NO_MEMORY or what a written hook answered: nothing has changed, and
 * `fresh` is uninitialized still; OURO_BAD_TYPE: a descriptor was refused, or, by deepcopy, an
 * object has none; OURO_BAD_ARGUMENT (not from the lifted ones): an argument is NULL. They may
 * allocate. destroy, sink and copy may run destroy hooks. Each costs a walk of the field table, or
 * a copy of bytes where the type has nothing but bytes. Sequences in sequences, and references, are
 * followed without recursion; written hooks recurse where they call back. */
#define OURO_SINK_SAFE 256
OURO_API void ouro_destroy_value(void *value, const struct ouro_type *type);
OURO_API void ouro_was_moved(void *value, const struct ouro_type *type);
OURO_API void ouro_sink(void *to, void *from, const struct ouro_type *type);
OURO_API ouro_status ouro_copy(void *to, const void *from, const struct ouro_type *type);
OURO_API ouro_status ouro_dup(void *fresh, const void *from, const struct ouro_type *type);
OURO_API void ouro_trace(void *value, const struct ouro_type *type, struct ouro_visitor *visitor);
OURO_API ouro_status ouro_deepcopy_value(void *fresh, const void *from,
                                         const struct ouro_type *type);

/* The lifted hooks themselves, for written ones that extend them: they act on the field table and
 * pass over the written hook of `type` (not of its fields). ouro_lifted_copy and ouro_lifted_sink
 * destroy the old value by the type's own destroy. Else as above. */
OURO_API void ouro_lifted_destroy(void *value, const struct ouro_type *type);
OURO_API void ouro_lifted_was_moved(void *value, const struct ouro_type *type);
OURO_API void ouro_lifted_sink(void *to, void *from, const struct ouro_type *type);
OURO_API ouro_status ouro_lifted_copy(void *to, const void *from, const struct ouro_type *type);
OURO_API ouro_status ouro_lifted_dup(void *fresh, const void *from, const struct ouro_type *type);
OURO_API void ouro_lifted_trace(void *value, const struct ouro_type *type,
                                struct ouro_visitor *visitor);
OURO_API ouro_status ouro_lifted_deepcopy(void *fresh, const void *from,
                                          const struct ouro_type *type, struct ouro_memo *memo);

/* Called with each strong reference slot that is not NULL; `target` is the field's type, NULL if
 * unknown. It may read and write the slot, but not change anything else that is traced. */
struct ouro_visitor {
    void (*visit)(struct ouro_visitor *self, void **slot, const struct ouro_type *target);
};

/* For a written deepcopy hook: the copy of the object behind `reference` (borrowed; may be NULL)
 * within this copying, as a reference that the caller owns, in *copy. It may be empty still. `memo`
 * is what the hook got, valid during its call. OURO_NO_MEMORY, OURO_BAD_TYPE (the object's type is
 * not known): *copy is as it was, and the whole copying fails. OURO_BAD_ARGUMENT: `copy` or `memo`
 * is NULL. May allocate. O(1) expected. */
OURO_API ouro_status ouro_deepcopy_ref(void **copy, const void *reference, struct ouro_memo *memo);

OURO_EXTERN_C_END

#endif
