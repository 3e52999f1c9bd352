/* SPDX-License-Identifier: MIT */
/* walk.h: Internal to hooks and orc. The strong references of a value, inlined where their places
 * are fixed, and in inline tails of such values. */
#ifndef OURO_HOOKS_WALK_H
#define OURO_HOOKS_WALK_H

#include "hooks/registry.h"
#include "hooks/value.h"

#include <string.h>

/* What is in a slot; relaxed, because another thread may be storing through ouro_slot_store. */
OURO_INLINE void *ouro__slot_load(void *const *slot)
{
    return (void *)ouro__load((const ouro_word *)(const void *)slot);
}

/* The tag of an optional or a union, or the counter of a tail, of the value at `base`. */
OURO_INLINE int64_t ouro__tag(const void *base, const struct ouro_field *field)
{
    const void *at = (const char *)base + field->tag_offset;
    int8_t one;
    int16_t two;
    int32_t four;
    int64_t eight;
    switch (field->tag_size) {
    case 1:
        memcpy(&one, at, sizeof one);
        return one;
    case 2:
        memcpy(&two, at, sizeof two);
        return two;
    case 4:
        memcpy(&four, at, sizeof four);
        return four;
    default:
        memcpy(&eight, at, sizeof eight);
        return eight;
    }
}

OURO_INLINE size_t ouro__tail_count(const void *value, const struct ouro_field *tail)
{
    int64_t count = ouro__tag(value, tail);
    return count > 0 ? (size_t)count : 0;
}

/* The bytes of a value, its tail included. */
OURO_INLINE size_t ouro__value_size(const void *value, const struct ouro_type *type)
{
    if (OURO_LIKELY(type->tail == NULL))
        return type->size;
    size_t size = type->tail->offset + ouro__tail_count(value, type->tail) * type->tail->type->size;
    return size > type->size ? size : type->size;
}

/* The payloads of strings and sequences and the weak handles in `value`, of elements of sequences
 * too, that stand outside of something: drops these, and leaves the others and all strong
 * references as they are. No hook runs but what drops of other runtimes carry out. */
struct ouro__outside {
    bool (*is_outside)(const struct ouro__outside *self, const void *block);
};
void ouro__drop_outside(void *value, const struct ouro_type *type,
                        const struct ouro__outside *outside);

/* Calls `found` for every weak (WEAK) and borrowed (BORROW) reference in `value`, whose type is
 * registered, NULL included, by the field table; what it answers false to is the last. False: it
 * did; then sequences in `value` may only be destroyed. */
struct ouro__links {
    bool (*found)(struct ouro__links *self, void **slot, enum ouro_field_kind kind);
};
bool ouro__each_link(void *value, const struct ouro_type *type, struct ouro__links *links);

/* The entries of type->refs: where a reference is, and in bit 0 whether it goes through
 * type->filter.
 */
#define OURO__REF_FILTERED 1u
OURO_INLINE void **ouro__ref_slot(void *value, uint32_t ref)
{
    return (void **)(void *)((char *)value + (ref & ~OURO__REF_FILTERED));
}

/* The object that the word in such a slot stands for, or NULL. */
OURO_INLINE void *ouro__ref_object(const struct ouro_type *type, uint32_t ref, const void *word)
{
    if (ref & OURO__REF_FILTERED)
        return ouro_filter_object(type->filter, (uint64_t)(uintptr_t)word);
    return (void *)(uintptr_t)word;
}

/* Defines a visitor's function that does `found` with what is in a slot. The slot is read once:
 * another thread may be emptying it. */
#define OURO__DEFINE_VISIT(visit, found)                                                           \
    static void visit(struct ouro_visitor *self, void **slot, const struct ouro_type *target)      \
    {                                                                                              \
        (void)target;                                                                              \
        void *object = ouro__slot_load(slot);                                                      \
        if (object)                                                                                \
            found(self, object);                                                                   \
    }

/* Calls `found` with every strong reference in `value` that is not NULL, in field order. `type` is
 * registered. `found` is named at the call, and called at one place alone, so that it is inlined
 * into the loop over the offsets; other types are walked out of line, through visitor->visit, which
 * must do the same. */
OURO_INLINE void ouro__each_ref(void *value, const struct ouro_type *type,
                                struct ouro_visitor *visitor,
                                void (*found)(struct ouro_visitor *self, void *object))
{
    uint32_t state = type->state;
    if (OURO_UNLIKELY(!(state & OURO__TYPE_SLOTS))) {
        if (type->flags & OURO_BARE && type->hooks.trace)
            type->hooks.trace(value, type, visitor);
        else if (state & OURO__TYPE_TRACED)
            ouro_trace(value, type, visitor);
        return;
    }
    /* The value, then the elements of its tail. */
    const struct ouro_field *const tail =
        OURO_UNLIKELY(state & OURO__TYPE_TAILED) ? type->tail : NULL;
    size_t left = tail != NULL ? ouro__tail_count(value, tail) : 0;
    char *next = tail != NULL ? (char *)value + tail->offset : NULL;
    for (;;) {
        const uint32_t *refs = type->refs;
        /* The masks in variables of their own, which nothing that `found` calls can change. */
        const struct ouro_filter *const filter = type->filter;
        uint64_t mask = 0, tag = 0, address = 0;
        bool odd = false;
        if (OURO_UNLIKELY(filter != NULL)) {
            mask = filter->mask;
            tag = filter->value;
            address = filter->address;
            odd = filter->object != NULL || filter->span != 0;
        }
        for (uint32_t i = 0, n = type->ref_count; i < n; i++) {
            uint32_t ref = refs[i];
            void *object = ouro__slot_load(ouro__ref_slot(value, ref));
            if (OURO_UNLIKELY(ref & OURO__REF_FILTERED)) {
                uint64_t word = (uint64_t)(uintptr_t)object;
                if (OURO_UNLIKELY(odd)) {
                    object = ouro_filter_object(filter, word);
                } else {
                    if ((word & mask) != tag)
                        continue;
                    object = (void *)(uintptr_t)(word & address);
                }
            }
            if (object != NULL)
                found(visitor, object);
        }
        if (OURO_LIKELY(left-- == 0))
            return;
        type = tail->type;
        value = next;
        next += type->size;
    }
}

#endif
