/* SPDX-License-Identifier: MIT */
/* copying.h: Internal to hooks and isolate. What dup and deepcopy have in common, and the memo. */
#ifndef OURO_HOOKS_COPYING_H
#define OURO_HOOKS_COPYING_H

#include "hooks/fields.h"
#include "hooks/refops.h"

/* Makes the value at `fresh` (uninitialized) a copy by the field table: of references, with a memo
 * the copies, without one the same. A failure leaves `fresh` uninitialized. */
ouro_status ouro__copy_fields(void *fresh, const void *from, const struct ouro_type *type,
                              struct ouro_memo *memo);

/* One object that is copied. The entry owns a reference to the copy. */
struct ouro__memo_entry {
    const void *object;
    void *copy;
    struct ouro_type *type;
};

struct ouro_memo {
    struct ouro__memo_entry *entries; /* in the order in which they were reached */
    size_t count, room;
    uint32_t *index;    /* open addressing: entry number + 1, or 0 */
    size_t mask;        /* of the index, whose length is a power of two, less one */
    ouro_status failed; /* the first failure; whatever a hook makes of it, it is final */
};

/* Room for one more entry. OURO_NO_MEMORY: nothing changed. */
ouro_status ouro__memo_reserve(struct ouro_memo *memo);
/* Adds an object that is not in it, after a reserve. */
void ouro__memo_add(struct ouro_memo *memo, struct ouro__memo_entry entry);
/* The copy (borrowed) of an object, or NULL. */
void *ouro__memo_find(const struct ouro_memo *memo, const void *object);
/* Gives the tables back; entries keep nothing. */
void ouro__memo_end(struct ouro_memo *memo);

/* deepcopy of a value within a memo: flags, the written hook or the lifted one. */
ouro_status ouro__deepcopy_in(void *fresh, const void *from, const struct ouro_type *type,
                              struct ouro_memo *memo);
/* ouro_deepcopy_ref, with the type that the field says (may be NULL). */
ouro_status ouro__deepcopy_ref_as(void **copy, const void *reference,
                                  const struct ouro_type *target, struct ouro_memo *memo);

/* Points weak and borrowed references in the copies, and in the value at `root`, that stand for
 * objects which were copied at their copies. OURO_NO_MEMORY: some may be left. */
ouro_status ouro__relink(struct ouro_memo *memo, void *root, const struct ouro_type *type);

/* Whether deepcopy shares values of the type: counts objects, dups nested values. */
OURO_INLINE bool ouro__is_shared(const struct ouro_type *type)
{
    return (type->flags & (OURO_SHARED | OURO_IMMUTABLE)) != 0;
}

/* Whether the type has copy or dup written; they then stand in for each other and for deepcopy. */
OURO_INLINE bool ouro__dups(const struct ouro_type *type)
{
    return type->hooks.dup != NULL || type->hooks.copy != NULL;
}

/* Whether a copy of a value is a copy of its bytes. */
OURO_INLINE bool ouro__is_bytes(uint32_t state)
{
    return (state & (OURO__TYPE_PLAIN | OURO__TYPE_HOOKED)) == OURO__TYPE_PLAIN;
}

#endif
