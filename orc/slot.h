/* SPDX-License-Identifier: MIT */
/* slot.h: stores into reference slots of objects.
 *
 * A move of a reference changes no count, so a collector that looks in steps, or beside running
 * threads, must be told; and a move into an object can be what makes a cycle garbage, with no
 * decref to tell of it (docs/cycles.md). These functions tell the collector for the price of one
 * predicted test, and one more where a reference comes in. Slots outside objects (variables,
 * stacks) are simply assigned.
 *
 * For every function: `container` is the object that the slot lies in (borrowed, not NULL; the
 * caller keeps it alive), `slot` the slot. Any thread, but two threads must not use the same slot
 * at once. O(1); those that drop may run destroy hooks and a collection, the others run nothing. */
#ifndef OURO_ORC_SLOT_H
#define OURO_ORC_SLOT_H

#include "orc/rc.h"

OURO_EXTERN_C_BEGIN

/* Out of line: the exchange with all marks that the collector needs; returns the old value.
 * `moved`: the value's reference was somewhere before, and is there no more. */
OURO_API void *ouro__slot_exchange_out(void *container, void **slot, void *value, bool moved);
/* The same with a word that stands for `object`, or for none (NULL). */
OURO_API uint64_t ouro__slot_exchange_word_out(void *container, uint64_t *slot, uint64_t word,
                                               void *object, bool moved);
OURO_API void *ouro__slot_exchange_in_out(struct ouro_context *context, void *container,
                                          void **slot, void *value, bool moved);
OURO_API uint64_t ouro__slot_exchange_word_in_out(struct ouro_context *context, void *container,
                                                  uint64_t *slot, uint64_t word, void *object,
                                                  bool moved);
/* The calling thread owns the container, and it is no candidate yet: it becomes one. */
OURO_API void ouro__slot_moved(void *container);

/* The one body of both forms. `in`: the caller gave the context, and is told so out of line. */
OURO_INLINE void *ouro__slot_swap(struct ouro_context *context, void *container, void **slot,
                                  void *value, bool moved, bool in)
{
    struct ouro_header *h = ouro__header(container);
    if (OURO_LIKELY((ouro__half_load(&h->local) & context->slots) == 0)) {
        void *old = (void *)ouro__load((const ouro_word *)(void *)slot);
        ouro__store((ouro_word *)(void *)slot, (ouro_word)value);
        if (moved && value != NULL && OURO_UNLIKELY(ouro__half_load(&h->visited) == 0))
            ouro__slot_moved(container);
        return old;
    }
    return in ? ouro__slot_exchange_in_out(context, container, slot, value, moved)
              : ouro__slot_exchange_out(container, slot, value, moved);
}
OURO_INLINE void *ouro__slot_exchange(void *container, void **slot, void *value, bool moved)
{
    return ouro__slot_swap(&ouro__context, container, slot, value, moved, false);
}

/* Puts `value` (owned; may be NULL) into a slot that holds nothing yet, for constructors: a plain
 * store. The container is fresh: no other thread knows it, and the reference that its birth gave is
 * still there, to be dropped or moved later on. */
OURO_INLINE void ouro_slot_init(void *container, void **slot, void *value)
{
    (void)container;
    ouro__store((ouro_word *)(void *)slot, (ouro_word)value);
}

/* Puts `value` (owned; may be NULL) into the slot and returns what was there (owned). */
OURO_INLINE void *ouro_slot_exchange(void *container, void **slot, void *value)
{
    return ouro__slot_exchange(container, slot, value, true);
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
    return ouro__slot_exchange(container, slot, NULL, false);
}

/* Puts another reference to `value` (borrowed; may be NULL) into the slot and drops the old one. */
OURO_INLINE void ouro_slot_copy(void *container, void **slot, void *value)
{
    ouro_incref(value);
    void *old = ouro__slot_exchange(container, slot, value, false);
    ouro_decref(old);
}

/* Slots whose words are references only sometimes (OURO_FILTERED): `filter` (borrowed, not NULL) is
 * that of the field. A word that stands for an object brings a reference with it as a value does
 * above; any other word is data. Where the filter is a static const one in sight, its tests are
 * inlined. */

OURO_INLINE uint64_t ouro__slot_swap_word(struct ouro_context *context, void *container,
                                          uint64_t *slot, uint64_t word,
                                          const struct ouro_filter *filter, bool moved, bool in)
{
    struct ouro_header *h = ouro__header(container);
    void *object = ouro_filter_object(filter, word);
    if (OURO_LIKELY((ouro__half_load(&h->local) & context->slots) == 0)) {
        uint64_t old = ouro__load((const ouro_word *)slot);
        ouro__store((ouro_word *)slot, word);
        if (moved && object != NULL && OURO_UNLIKELY(ouro__half_load(&h->visited) == 0))
            ouro__slot_moved(container);
        return old;
    }
    return in ? ouro__slot_exchange_word_in_out(context, container, slot, word, object, moved)
              : ouro__slot_exchange_word_out(container, slot, word, object, moved);
}
OURO_INLINE uint64_t ouro__slot_exchange_word(void *container, uint64_t *slot, uint64_t word,
                                              const struct ouro_filter *filter, bool moved)
{
    return ouro__slot_swap_word(&ouro__context, container, slot, word, filter, moved, false);
}

/* Puts `word` (its reference owned) into the slot and returns what was there (owned likewise). */
OURO_INLINE uint64_t ouro_slot_exchange_word(void *container, uint64_t *slot, uint64_t word,
                                             const struct ouro_filter *filter)
{
    return ouro__slot_exchange_word(container, slot, word, filter, true);
}

/* Puts `word` (its reference owned) into the slot and drops what was there. */
OURO_INLINE void ouro_slot_store_word(void *container, uint64_t *slot, uint64_t word,
                                      const struct ouro_filter *filter)
{
    uint64_t old = ouro_slot_exchange_word(container, slot, word, filter);
    ouro_decref(ouro_filter_object(filter, old));
}

/* Takes the word out of the slot, which becomes filter->empty; the caller owns its reference. */
OURO_INLINE uint64_t ouro_slot_move_word(void *container, uint64_t *slot,
                                         const struct ouro_filter *filter)
{
    return ouro__slot_exchange_word(container, slot, filter->empty, filter, false);
}

/* Puts `word` (its reference borrowed) into the slot, counts it, and drops what was there. */
OURO_INLINE void ouro_slot_copy_word(void *container, uint64_t *slot, uint64_t word,
                                     const struct ouro_filter *filter)
{
    ouro_incref(ouro_filter_object(filter, word));
    uint64_t old = ouro__slot_exchange_word(container, slot, word, filter, false);
    ouro_decref(ouro_filter_object(filter, old));
}

/* Says that references were moved into the object by other means: pushed to a sequence in it, sunk
 * into a field, assigned. Needed where they may close a cycle whose last reference from outside
 * they were; after the move, by the thread that made it. `object` borrowed, not NULL. May
 * allocate. */
OURO_API void ouro_slot_moved_into(void *object);

OURO_EXTERN_C_END

#endif
