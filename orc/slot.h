/* SPDX-License-Identifier: MIT */
/* slot.h: stores into reference slots of objects.
 *
 * A move of a reference changes no count, so a collector that looks in steps, or beside running
 * threads, must be told (docs/cycles.md). These functions tell it for the price of one predicted
 * compare. Slots outside objects (variables, stacks) are simply assigned.
 *
 * For every function: `container` is the object that the slot lies in (borrowed, not NULL; the
 * caller keeps it alive), `slot` the slot. Any thread, but two threads must not use the same slot
 * at once. None allocates; those that drop may run destroy hooks. */
#ifndef OURO_ORC_SLOT_H
#define OURO_ORC_SLOT_H

#include "orc/rc.h"

OURO_EXTERN_C_BEGIN

/* Out of line: the exchange with all marks that the collector needs; returns the old value. */
OURO_API void *ouro__slot_exchange_out(void *container, void **slot, void *value);

/* Puts `value` (owned; may be NULL) into a slot that holds nothing yet, of an object that only the
 * calling function has a reference to: for constructors. A plain store. */
OURO_INLINE void ouro_slot_init(void *container, void **slot, void *value)
{
    (void)container;
    ouro__store((ouro_word *)(void *)slot, (ouro_word)value);
}

/* Puts `value` (owned; may be NULL) into the slot and returns what was there (owned). */
OURO_INLINE void *ouro_slot_exchange(void *container, void **slot, void *value)
{
    if (OURO_LIKELY(ouro__load_low16(&ouro__header(container)->shared) == ouro__here.slots)) {
        void *old = (void *)ouro__load((const ouro_word *)(void *)slot);
        ouro__store((ouro_word *)(void *)slot, (ouro_word)value);
        return old;
    }
    return ouro__slot_exchange_out(container, slot, value);
}

/* Puts `value` (owned; may be NULL) into the slot and drops what was there. */
OURO_INLINE void ouro_slot_store(void *container, void **slot, void *value)
{
    void *old = ouro_slot_exchange(container, slot, value);
    ouro_decref(old);
}

/* Takes the reference out of the slot, which becomes NULL; the caller owns it. */
OURO_INLINE void *ouro_slot_move(void *container, void **slot)
{
    return ouro_slot_exchange(container, slot, NULL);
}

/* Puts another reference to `value` (borrowed; may be NULL) into the slot and drops the old one. */
OURO_INLINE void ouro_slot_copy(void *container, void **slot, void *value)
{
    ouro_incref(value);
    ouro_slot_store(container, slot, value);
}

OURO_EXTERN_C_END

#endif
