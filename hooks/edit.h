/* SPDX-License-Identifier: MIT */
/* edit.h: Internal to hooks. Payloads that are to be edited (P1..P3 of payload.h).
 *
 * `reserved` of a payload is
 *     0                        at rest
 *     OURO__PAYLOAD_LITERAL    static data
 *     a type descriptor        while a walk is in its sequence, which nobody shares (fields.h)
 *     negative, and a count    so many views of it are live, maybe none; and whether it was shared
 *                              (checked library only)
 * A payload of elements that own something has one reference at any time.
 *
 * Nothing here runs a hook: the payload operations of refops.h see to that. So a value does not
 * change while an operation on it is under way. */
#ifndef OURO_HOOKS_EDIT_H
#define OURO_HOOKS_EDIT_H

#include "alloc/atomic.h"
#include "hooks/payload.h"
#include "hooks/refops.h"

#include <string.h>

/* What the payloads of a value are: elements of `size` bytes, or the bytes of a string. */
struct ouro__shape {
    size_t size;
    bool string;
};

/* Capacity 0: whether the caller's reference is the only one; then the capacity is restored. Fails
 * if that is what a live view is of. */
bool ouro__payload_regain(struct ouro_payload *payload, struct ouro__shape shape);

/* Makes *payload (may be NULL), which holds `len` elements, one that the caller alone refers to,
 * with room for `want` of them, want >= len. OURO_NO_MEMORY: as it was. */
ouro_status ouro__payload_own(struct ouro_payload **payload, size_t len, size_t want,
                              struct ouro__shape shape);
/* The same with room for `more` elements beyond `len`; grows by half at least. */
ouro_status ouro__payload_grow(struct ouro_payload **payload, size_t len, size_t more,
                               struct ouro__shape shape);
/* Replaces *payload by a smaller one, if there is a block that is smaller. */
ouro_status ouro__payload_shrink(struct ouro_payload **payload, size_t len,
                                 struct ouro__shape shape);
/* A payload (owned) with room for `want` elements; NULL: no memory. */
struct ouro_payload *ouro__payload_new(size_t want, struct ouro__shape shape);

/* Atomic, for others who share the payload, or look at it, may seal it meanwhile. */
OURO_INLINE ouro_word ouro__payload_reserved(const struct ouro_payload *payload)
{
    return ouro__load((const ouro_word *)(const void *)&payload->reserved);
}

/* Whether a view of it is live; or, of bytes, it was shared: `reserved` is not free for a frame. */
OURO_INLINE bool ouro__payload_is_sealed(const struct ouro_payload *payload)
{
    return OURO_CHECKED && ouro__payload_reserved(payload) >> 63 != 0;
}

/* Fails if the value is about to lose bytes that a live view shows. May be NULL. */
OURO_INLINE void ouro__payload_check(const struct ouro_payload *payload)
{
    if (OURO_CHECKED && payload != NULL && ouro__capacity(payload) == 0)
        ouro__payload_check_out(payload);
}

/* Whether the bytes that a live view shows would go with the caller's reference. */
bool ouro__payload_is_viewed(const struct ouro_payload *payload);

/* Fails if a live view shows any part of the value (of a registered type), which is about to go. */
void ouro__value_check_out(void *value, const struct ouro_type *type);
OURO_INLINE void ouro__value_check(void *value, const struct ouro_type *type)
{
    if (OURO_CHECKED)
        ouro__value_check_out(value, type);
}

/* Gives up the caller's reference. May be NULL. */
OURO_INLINE void ouro__payload_drop(struct ouro_payload *payload)
{
    if (payload != NULL)
        ouro__payload_end(payload);
}

/* memcpy, and for up to 32 bytes memmove: pieces of strings are short. */
OURO_INLINE void ouro__copy_bytes(char *to, const char *from, size_t n)
{
    uint64_t first[2], last[2];
    uint32_t head, tail;
    if (n > 32) {
        memcpy(to, from, n);
    } else if (n > 16) {
        memcpy(first, from, 16);
        memcpy(last, from + n - 16, 16);
        memcpy(to, first, 16);
        memcpy(to + n - 16, last, 16);
    } else if (n >= 8) {
        memcpy(first, from, 8);
        memcpy(last, from + n - 8, 8);
        memcpy(to, first, 8);
        memcpy(to + n - 8, last, 8);
    } else if (n >= 4) {
        memcpy(&head, from, 4);
        memcpy(&tail, from + n - 4, 4);
        memcpy(to, &head, 4);
        memcpy(to + n - 4, &tail, 4);
    } else if (n > 0) {
        char a = from[0], b = from[n / 2], c = from[n - 1];
        to[0] = a;
        to[n / 2] = b;
        to[n - 1] = c;
    }
}

/* One reference more, for another value. May be NULL. */
void ouro__payload_share(struct ouro_payload *payload);

/* Whether the values of a sequence's elements may be shared rather than copied. */
bool ouro__seq_shares(const struct ouro_type *type);

#endif
