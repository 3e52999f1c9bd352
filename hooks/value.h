/* SPDX-License-Identifier: MIT */
/* value.h: the value hooks, and with them sequences and strings. */
#ifndef OURO_HOOKS_VALUE_H
#define OURO_HOOKS_VALUE_H

#include "hooks/seq.h"
#include "hooks/strings.h"
#include "hooks/type.h"

OURO_EXTERN_C_BEGIN

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
