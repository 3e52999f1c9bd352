/* SPDX-License-Identifier: MIT */
/* string.c: strings. The capacity leaves room for the final NUL, which is always there. */
#include "hooks/edit.h"
#include "hooks/strings.h"

static const struct ouro__shape shape = {1, true};

static char *bytes_of(const ouro_string *s)
{
    return (char *)(s->payload + 1);
}

/* Whether `bytes` lie in the payload of `s`. */
static bool is_own(const ouro_string *s, const char *bytes)
{
    return s->payload != NULL && (uintptr_t)bytes - (uintptr_t)bytes_of(s) <= s->len;
}

/* -- birth and death --------------------------------------------------------------------------- */

/* A string of `len` bytes, which the caller writes at *bytes; no payload if there are none. */
static ouro_status make_room(ouro_string *fresh, size_t len, char **bytes)
{
    struct ouro_payload *payload = NULL;
    if (len != 0) {
        payload = ouro__payload_new(len, shape);
        if (payload == NULL)
            return OURO_NO_MEMORY;
        *bytes = (char *)(payload + 1);
        (*bytes)[len] = 0;
    }
    *fresh = (ouro_string){len, payload};
    return OURO_OK;
}

ouro_status ouro_string_make(ouro_string *fresh, const char *bytes, size_t len)
{
    if (fresh == NULL || (bytes == NULL && len != 0))
        return OURO_BAD_ARGUMENT;
    char *to;
    ouro_status status = make_room(fresh, len, &to);
    if (status == OURO_OK && len != 0)
        ouro__copy_bytes(to, bytes, len);
    return status;
}

ouro_status ouro_string_concat(ouro_string *fresh, const ouro_view *pieces, size_t n)
{
    size_t len = 0;
    if (fresh == NULL || (pieces == NULL && n != 0))
        return OURO_BAD_ARGUMENT;
    for (size_t i = 0; i < n; i++) {
        if (pieces[i].data == NULL && pieces[i].len != 0)
            return OURO_BAD_ARGUMENT;
        if (__builtin_add_overflow(len, pieces[i].len, &len))
            return OURO_NO_MEMORY;
    }
    char *to;
    ouro_status status = make_room(fresh, len, &to);
    if (status != OURO_OK || len == 0)
        return status;
    for (size_t i = 0; i < n; to += pieces[i++].len)
        ouro__copy_bytes(to, pieces[i].data, pieces[i].len);
    return OURO_OK;
}

ouro_status ouro_string_sub(ouro_string *fresh, const ouro_string *s, size_t from, size_t len)
{
    if (fresh == NULL || s == NULL || from > s->len || len > s->len - from)
        return OURO_BAD_ARGUMENT;
    if (len != s->len || len == 0)
        return ouro_string_make(fresh, ouro_string_data(s) + from, len);
    ouro__payload_share(s->payload);
    *fresh = *s;
    return OURO_OK;
}

/* -- room and length --------------------------------------------------------------------------- */

ouro_status ouro_string_reserve(ouro_string *s, size_t capacity)
{
    if (s == NULL)
        return OURO_BAD_ARGUMENT;
    if (capacity <= s->len || (s->payload != NULL && capacity <= ouro__capacity(s->payload)))
        return OURO_OK;
    return ouro__payload_own(&s->payload, s->len, capacity, shape);
}

ouro_status ouro_string_shrink(ouro_string *s)
{
    return s != NULL ? ouro__payload_shrink(&s->payload, s->len, shape) : OURO_BAD_ARGUMENT;
}

ouro_status ouro_string_set_len(ouro_string *s, size_t len)
{
    if (s == NULL)
        return OURO_BAD_ARGUMENT;
    if (len == s->len)
        return OURO_OK;
    ouro_status status = OURO_OK;
    if (len > s->len)
        status = ouro__payload_grow(&s->payload, s->len, len - s->len, shape);
    else if (ouro__capacity(s->payload) == 0)
        status = ouro__payload_own(&s->payload, len, len, shape);
    if (status != OURO_OK)
        return status;
    if (len > s->len)
        memset(bytes_of(s) + s->len, 0, len - s->len);
    bytes_of(s)[len] = 0;
    s->len = len;
    return OURO_OK;
}

ouro_status ouro_string_edit(ouro_string *s, char **bytes)
{
    if (s == NULL || bytes == NULL)
        return OURO_BAD_ARGUMENT;
    ouro_status status = ouro__payload_own(&s->payload, s->len, s->len ? s->len : 1, shape);
    if (status == OURO_OK)
        *bytes = bytes_of(s);
    return status;
}

/* -- change ------------------------------------------------------------------------------------ */

ouro_status ouro_string_append(ouro_string *s, const char *bytes, size_t len)
{
    if (OURO_UNLIKELY(s == NULL || (bytes == NULL && len != 0)))
        return OURO_BAD_ARGUMENT;
    if (OURO_UNLIKELY(len == 0))
        return OURO_OK;
    struct ouro_payload *payload = s->payload;
    size_t at = s->len;
    if (OURO_UNLIKELY(payload == NULL || len > ouro__capacity(payload) ||
                      at > ouro__capacity(payload) - len)) {
        bool own = is_own(s, bytes);
        size_t offset = own ? (size_t)(bytes - bytes_of(s)) : 0;
        ouro_status status = ouro__payload_grow(&s->payload, at, len, shape);
        if (status != OURO_OK)
            return status;
        payload = s->payload;
        bytes = own ? bytes_of(s) + offset : bytes;
    }
    char *end = (char *)(payload + 1) + at;
    if (OURO_LIKELY(len <= 32))
        ouro__copy_bytes(end, bytes, len);
    else
        memmove(end, bytes, len); /* what is own may reach up to the NUL */
    end[len] = 0;
    s->len = at + len;
    return OURO_OK;
}

ouro_string ouro__string_grown(ouro_string s, size_t more)
{
    if (ouro__payload_grow(&s.payload, s.len, more, shape) != OURO_OK)
        s.payload = NULL;
    return s;
}

/* The same by way of a fresh string: for bytes that lie in the string itself. */
static ouro_status splice_own(ouro_string *s, size_t from, size_t count, const char *bytes,
                              size_t len)
{
    const char *old = ouro_string_data(s);
    ouro_view pieces[] = {ouro_view_of(old, from), ouro_view_of(bytes, len),
                          ouro_view_of(old + from + count, s->len - from - count)};
    ouro_string fresh;
    ouro__payload_check(s->payload);
    ouro_status status = ouro_string_concat(&fresh, pieces, 3);
    if (status != OURO_OK)
        return status;
    ouro_string_destroy(s);
    *s = fresh;
    return OURO_OK;
}

ouro_status ouro_string_splice(ouro_string *s, size_t from, size_t count, const char *bytes,
                               size_t len)
{
    if (s == NULL || (bytes == NULL && len != 0) || from > s->len || count > s->len - from)
        return OURO_BAD_ARGUMENT;
    if (len != 0 && is_own(s, bytes))
        return splice_own(s, from, count, bytes, len);
    if (len == 0 && count == 0)
        return OURO_OK;
    ouro_status status =
        ouro__payload_grow(&s->payload, s->len, len > count ? len - count : 0, shape);
    if (status != OURO_OK)
        return status;
    char *at = bytes_of(s) + from;
    memmove(at + len, at + count, s->len - from - count + 1);
    if (len != 0)
        memcpy(at, bytes, len);
    s->len = s->len - count + len;
    return OURO_OK;
}

/* -- questions --------------------------------------------------------------------------------- */

int ouro_string_compare(const ouro_string *a, const ouro_string *b)
{
    size_t least = a->len < b->len ? a->len : b->len;
    int order = memcmp(ouro_string_data(a), ouro_string_data(b), least);
    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

bool ouro_string_equal(const ouro_string *a, const ouro_string *b)
{
    return a->len == b->len && (a->payload == b->payload ||
                                memcmp(ouro_string_data(a), ouro_string_data(b), a->len) == 0);
}

size_t ouro_string_find(const ouro_string *s, size_t from, char byte)
{
    if (from >= s->len)
        return OURO_NOT_FOUND;
    const char *data = ouro_string_data(s);
    const char *found = memchr(data + from, byte, s->len - from);
    return found != NULL ? (size_t)(found - data) : OURO_NOT_FOUND;
}
