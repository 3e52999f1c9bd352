/* SPDX-License-Identifier: MIT */
/* string.c: strings. `capacity` leaves room for the final NUL, which is always there. */
#include "alloc/pool.h"
#include "alloc/room.h"
#include "hooks/value.h"

#include <string.h>

/* What a string's payload has beside its bytes. */
#define EXTRA (sizeof(struct ouro_payload) + 1)

static char *bytes_of(const ouro_string *s)
{
    return (char *)(s->payload + 1);
}

ouro_status ouro_string_reserve(ouro_string *s, size_t capacity)
{
    if (s == NULL)
        return OURO_BAD_ARGUMENT;
    size_t had = s->payload != NULL ? s->payload->capacity : 0;
    if (capacity <= had)
        return OURO_OK;
    if (capacity > PTRDIFF_MAX - EXTRA)
        return OURO_NO_MEMORY;
    size_t room, used = sizeof(struct ouro_payload) + s->len;
    struct ouro_payload *payload = ouro__block_grow(s->payload, used, capacity + EXTRA, &room);
    if (payload == NULL)
        return OURO_NO_MEMORY;
    payload->capacity = room - EXTRA;
    payload->reserved = 0;
    s->payload = payload;
    bytes_of(s)[s->len] = 0;
    return OURO_OK;
}

ouro_status ouro_string_make(ouro_string *s, const char *bytes, size_t len)
{
    ouro_string made = {0, NULL};
    if (s == NULL || (bytes == NULL && len != 0))
        return OURO_BAD_ARGUMENT;
    ouro_status status = ouro_string_reserve(&made, len);
    if (status != OURO_OK)
        return status;
    if (len != 0) {
        memcpy(bytes_of(&made), bytes, len);
        bytes_of(&made)[len] = 0;
        made.len = len;
    }
    *s = made;
    return OURO_OK;
}

/* Room for `len` bytes in all; grows by half at least. */
static ouro_status grow(ouro_string *s, size_t len)
{
    size_t had = s->payload != NULL ? s->payload->capacity : 0;
    if (len <= had)
        return OURO_OK;
    size_t half_more = had + had / 2;
    return ouro_string_reserve(s, len > half_more ? len : half_more);
}

ouro_status ouro_string_append(ouro_string *s, const char *bytes, size_t len)
{
    if (s == NULL || (bytes == NULL && len != 0))
        return OURO_BAD_ARGUMENT;
    if (len == 0)
        return OURO_OK;
    size_t all, offset = (size_t)((uintptr_t)bytes - (uintptr_t)ouro_string_data(s));
    bool own = s->payload != NULL && offset <= s->len;
    if (__builtin_add_overflow(s->len, len, &all))
        return OURO_NO_MEMORY;
    ouro_status status = grow(s, all);
    if (status != OURO_OK)
        return status;
    memmove(bytes_of(s) + s->len, own ? bytes_of(s) + offset : bytes, len);
    bytes_of(s)[all] = 0;
    s->len = all;
    return OURO_OK;
}

void ouro_string_destroy(ouro_string *s)
{
    ouro_free(s->payload);
    *s = (ouro_string){0, NULL};
}
