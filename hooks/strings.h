/* SPDX-License-Identifier: MIT */
/* strings.h: strings of bytes.
 *
 * A NUL stands behind the bytes, which the length does not count; they may be any, NULs too. Copies
 * share the payload: whoever edits one of them first pays for a copy. A string that is not shared
 * is edited in place, on whatever thread it is.
 *
 * For every function: `s` is a live string (borrowed, not NULL), `fresh` an uninitialized one;
 * `bytes` (borrowed; may be NULL if `len` is 0) may lie in the string itself. Any thread: who
 * changes or ends a string has it alone, any number may read, view and copy (ouro_dup) one at a
 * time. Those that answer a status refuse with nothing changed: OURO_NO_MEMORY:
 * there is none, or the size overflows; OURO_BAD_ARGUMENT: NULL, or a place beyond the end. They
 * may allocate. No hook runs. */
#ifndef OURO_HOOKS_STRINGS_H
#define OURO_HOOKS_STRINGS_H

#include "hooks/payload.h"

#include <string.h>

OURO_EXTERN_C_BEGIN

/* The string with room for `more` bytes, without a payload if that was refused (see seq.h). */
OURO_API ouro_string ouro__string_grown(ouro_string s, size_t more);

/* The bytes, a NUL behind them (borrowed, valid until the string changes or ends). Never NULL.
 * O(1). */
OURO_INLINE const char *ouro_string_data(const ouro_string *s)
{
    return s->payload ? (const char *)(s->payload + 1) : "";
}

/* A view (borrowed) of `len` bytes from number `from` on; no NUL needs to be behind it. A view past
 * the end is a programmer's error (OURO_FAIL_MISUSE). Ended by ouro_view_end. Allocates nothing;
 * O(1), a compare. */
OURO_INLINE ouro_view ouro_string_view(const ouro_string *s, size_t from, size_t len)
{
    return ouro__view(s->payload, s->len, from, len, 1);
}

/* Makes `fresh` a copy of `len` bytes. O(len). */
OURO_API ouro_status ouro_string_make(ouro_string *fresh, const char *bytes, size_t len);
/* Makes `fresh` all the `n` pieces (borrowed; not NULL unless n is 0) one after the other, in one
 * allocation. O(bytes). */
OURO_API ouro_status ouro_string_concat(ouro_string *fresh, const ouro_view *pieces, size_t n);
/* Makes `fresh` a copy of `len` bytes of `s` from number `from` on. The whole string is shared, a
 * part is copied: a view does not. O(len). */
OURO_API ouro_status ouro_string_sub(ouro_string *fresh, const ouro_string *s, size_t from,
                                     size_t len);
/* Gives the payload up; the string is empty again. O(1). */
OURO_INLINE void ouro_string_destroy(ouro_string *s)
{
    if (s->payload != NULL)
        ouro__payload_end(s->payload);
    s->len = 0;
    s->payload = NULL;
}

/* Makes room for `capacity` bytes in all, and a NUL. Never shrinks. O(length) where it moves. */
OURO_API ouro_status ouro_string_reserve(ouro_string *s, size_t capacity);
/* Gives back room that the bytes do not need, as far as blocks allow. O(length). */
OURO_API ouro_status ouro_string_shrink(ouro_string *s);
/* Makes it `len` bytes long; new ones are 0. O(bytes added), O(length) if it was shared. */
OURO_API ouro_status ouro_string_set_len(ouro_string *s, size_t len);
/* Makes the bytes the string's own, to be written until it is next copied; *bytes (not NULL) points
 * to them. O(1), O(length) if it was shared. */
OURO_API ouro_status ouro_string_edit(ouro_string *s, char **bytes);

/* Appends `len` bytes. Amortized O(len). */
OURO_API ouro_status ouro_string_append(ouro_string *s, const char *bytes, size_t len);
/* Puts `len` bytes in the place of `count` from number `from` on. O(bytes behind it, and len). */
OURO_API ouro_status ouro_string_splice(ouro_string *s, size_t from, size_t count,
                                        const char *bytes, size_t len);

/* Appends one byte; inlined. Amortized O(1). */
OURO_INLINE ouro_status ouro_string_add(ouro_string *s, char byte)
{
    ouro_string now = *s;
    if (OURO_UNLIKELY(now.payload == NULL) ||
        OURO_UNLIKELY(now.len >= ouro__capacity(now.payload))) {
        now = ouro__string_grown(now, 1);
        if (now.payload == NULL)
            return OURO_NO_MEMORY;
        s->payload = now.payload;
    }
    char *end = (char *)(now.payload + 1) + now.len;
    uint16_t both = (uint8_t)byte; /* with the NUL, in one store */
    if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
        both = (uint16_t)(both << 8);
    s->len = now.len + 1;
    memcpy(end, &both, 2);
    return OURO_OK;
}

/* Appends `len` bytes that do not lie in the string; inlined where `len` is a small constant.
 * Amortized O(len). */
OURO_INLINE ouro_status ouro_string_add_bytes(ouro_string *s, const char *bytes, size_t len)
{
    if (!__builtin_constant_p(len) || len - 1 >= 32)
        return ouro_string_append(s, bytes, len);
    ouro_string now = *s;
    if (OURO_UNLIKELY(now.payload == NULL) ||
        OURO_UNLIKELY(now.len + len > ouro__capacity(now.payload))) {
        now = ouro__string_grown(now, len);
        if (now.payload == NULL)
            return OURO_NO_MEMORY;
        s->payload = now.payload;
    }
    char *end = (char *)(now.payload + 1) + now.len;
    s->len = now.len + len;
    memcpy(end, bytes, len);
    end[len] = 0;
    return OURO_OK;
}

/* Less than 0, 0, or more than 0, as `a` comes before, is, or comes after `b` (borrowed) in the
 * order of unsigned bytes, a beginning before the whole. O(length). */
OURO_API int ouro_string_compare(const ouro_string *a, const ouro_string *b);
/* Whether the bytes are the same. O(length); strings that share a payload: O(1). */
OURO_API bool ouro_string_equal(const ouro_string *a, const ouro_string *b);
/* The number of the first such byte from number `from` on; OURO_NOT_FOUND: there is none. `from`
 * may be anything. O(length). */
#define OURO_NOT_FOUND SIZE_MAX
OURO_API size_t ouro_string_find(const ouro_string *s, size_t from, char byte);
/* The hash of the bytes under that seed: XXH3, 64 bits (Collet, xxHash 0.8), the same on every
 * machine and in every build. Left out of libraries that were built where xxHash's header was
 * absent: linking says so. O(length). */
OURO_API uint64_t ouro_string_hash(const ouro_string *s, uint64_t seed);

OURO_EXTERN_C_END

#endif
