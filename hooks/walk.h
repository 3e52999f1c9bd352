/* SPDX-License-Identifier: MIT */
/* walk.h: Internal to hooks and orc. The strong references of a value, inlined where their places
 * are fixed. */
#ifndef OURO_HOOKS_WALK_H
#define OURO_HOOKS_WALK_H

#include "hooks/registry.h"
#include "hooks/value.h"

/* The address of the i-th strong reference of a value whose type has OURO__TYPE_SLOTS. */
OURO_INLINE void **ouro__slot(void *value, const struct ouro_type *type, uint32_t i)
{
    return (void **)(void *)((char *)value + type->refs[i]);
}

/* What is in a slot; relaxed, because another thread may be storing through ouro_slot_store. */
OURO_INLINE void *ouro__slot_load(void *const *slot)
{
    return (void *)ouro__load((const ouro_word *)(const void *)slot);
}

/* Calls `visit` with every strong reference slot of `value` that is not NULL, in field order.
 * `type` is registered. `visit` is visitor->visit, named at the call so that it is inlined into the
 * loop over the offsets; other types are walked out of line, through visitor->visit. In the loop
 * `target` is NULL: what stands in the object's header is as good. */
OURO_INLINE void ouro__each_ref(void *value, const struct ouro_type *type,
                                struct ouro_visitor *visitor,
                                void (*visit)(struct ouro_visitor *self, void **slot,
                                              const struct ouro_type *target))
{
    uint32_t state = type->state;
    if (OURO_LIKELY(state & OURO__TYPE_SLOTS)) {
        const uint32_t *refs = type->refs;
        for (uint32_t i = 0, n = type->ref_count; i < n; i++) {
            void **slot = (void **)(void *)((char *)value + refs[i]);
            if (ouro__slot_load(slot) != NULL)
                visit(visitor, slot, NULL);
        }
    } else if (state & OURO__TYPE_TRACED) {
        ouro_trace(value, type, visitor);
    }
}

#endif
