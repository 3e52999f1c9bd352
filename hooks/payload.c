/* SPDX-License-Identifier: MIT */
/* payload.c: payloads that are shared, become a value's own, grow, and are sealed by views.
 *
 * A seal (checked library) stands in the payload itself: the number of live views, and whether a
 * copy of its value was made, which others may have yet. Nothing can be lost for want of memory,
 * and a view can outlive a move of its value. Sealing makes the capacity 0, so that every edit,
 * inlined ones of programs that were compiled for the release library too, asks here. An edit of a
 * value that shares its payload copies, and leaves the bytes of the view as they are: it is not
 * reported.
 */
#include "hooks/edit.h"
#include "alloc/fail.h"
#include "alloc/atomic.h"
#include "hooks/registry.h"

#include <string.h>

#define DOUBLING ((size_t)1 << 20) /* up to so many bytes payloads grow by as much again */

#define SEALED ((size_t)1 << 63)
#define SHARED ((size_t)1 << 62) /* since somebody knew its reference to be the only one */
#define VIEWS  (SHARED - 1)      /* so many are live */

static ouro_word *seal_of(struct ouro_payload *payload)
{
    return (ouro_word *)(void *)&payload->reserved;
}

/* Capacity 0, for others may refer to it or look at it (P3). */
static void close_it(struct ouro_payload *payload)
{
    if (ouro__capacity(payload) != 0) /* literals are not written */
        ouro__store((ouro_word *)(void *)&payload->capacity, 0);
}

/* `reserved`, which others who share the payload may be changing: they seal it. */
static bool is_literal(const struct ouro_payload *payload)
{
    return ouro__payload_reserved(payload) == OURO__PAYLOAD_LITERAL;
}

/* -- views ------------------------------------------------------------------------------------- */

static const char *name_of(const struct ouro_payload *payload)
{
    const struct ouro_type *type = payload != NULL ? ouro__refops->type_of(payload) : NULL;
    return type != NULL ? type->name : NULL;
}

void ouro__view_past_end(const struct ouro_payload *payload)
{
    ouro_fail(OURO_FAIL_MISUSE, payload, name_of(payload), "a view past its end");
}

struct ouro_payload *ouro__view_begin_out(struct ouro_payload *payload)
{
    if (!OURO_CHECKED || payload == NULL || is_literal(payload))
        return NULL;
    ouro_word was = ouro__load(seal_of(payload));
    for (;;) {
        if (was != 0 && !(was & SEALED))
            return NULL; /* its elements are being destroyed */
        /* Several threads may view and share one payload. The word alone is to be exact: nothing
         * else is ordered by it, here and in ouro__view_end_out. */
        if (ouro__cas_full(seal_of(payload), &was, (was | SEALED) + 1))
            break;
    }
    close_it(payload);
    return payload;
}

void ouro__view_end_out(struct ouro_payload *payload)
{
    ouro_word was = ouro__load(seal_of(payload)), left;
    do
        left = was == (SEALED | 1) ? 0 : was - 1;
    while (!ouro__cas_full(seal_of(payload), &was, left));
}

static bool is_viewed(const struct ouro_payload *payload, bool alone)
{
    ouro_word seal = ouro__payload_reserved(payload);
    return (seal & SEALED) && (seal & VIEWS) != 0 && (alone || !(seal & SHARED));
}

static void check_seal(const struct ouro_payload *payload, bool alone)
{
    if (is_viewed(payload, alone))
        ouro_fail(OURO_FAIL_SEALED, payload, name_of(payload),
                  "changed while a view of it is live");
}

bool ouro__payload_is_viewed(const struct ouro_payload *payload)
{
    return OURO_CHECKED && !is_literal(payload) &&
           is_viewed(payload, ouro__refops->payload_is_unique(payload));
}

void ouro__payload_check_out(const struct ouro_payload *payload)
{
    if (OURO_CHECKED && !is_literal(payload))
        check_seal(payload, ouro__refops->payload_is_unique(payload));
}

/* -- sharing ----------------------------------------------------------------------------------- */

static size_t capacity_in(size_t room, struct ouro__shape shape)
{
    size_t bytes = room - sizeof(struct ouro_payload) - shape.string;
    if (OURO_LIKELY((shape.size & (shape.size - 1)) == 0)) /* what a division would take is seen */
        return bytes >> __builtin_ctzl(shape.size);
    return bytes / shape.size;
}

bool ouro__payload_regain(struct ouro_payload *payload, struct ouro__shape shape)
{
    if (is_literal(payload))
        return false;
    bool alone = ouro__refops->payload_is_unique(payload);
    if (OURO_CHECKED)
        check_seal(payload, alone);
    if (alone && OURO_CHECKED)
        ouro__store(seal_of(payload), 0);
    if (alone)
        payload->capacity = capacity_in(ouro__refops->payload_room(payload), shape);
    return alone;
}

void ouro__payload_share(struct ouro_payload *payload)
{
    if (payload == NULL)
        return;
    close_it(payload);
    if (OURO_CHECKED && !is_literal(payload))
        ouro__fetch_or_full(seal_of(payload), SEALED | SHARED);
    ouro__refops->payload_share(payload);
}

void ouro__payload_end(struct ouro_payload *payload)
{
    if (OURO_LIKELY(ouro__capacity(payload) != 0)) {
        ouro__refops->payload_free(payload);
        return;
    }
    ouro__payload_check_out(payload);
    ouro__refops->payload_drop(payload);
}

bool ouro__seq_shares(const struct ouro_type *type)
{
    uint32_t bits = OURO__TYPE_PLAIN | OURO__TYPE_HOOKED | OURO__TYPE_LINKS;
    return (ouro__type_state(type) & bits) == OURO__TYPE_PLAIN;
}

/* -- room -------------------------------------------------------------------------------------- */

/* The bytes of a payload for so many elements; false: more than any machine has. */
static bool bytes_for(size_t want, struct ouro__shape shape, size_t *bytes)
{
    return !__builtin_mul_overflow(want, shape.size, bytes) &&
           !__builtin_add_overflow(*bytes, sizeof(struct ouro_payload) + shape.string, bytes) &&
           *bytes <= PTRDIFF_MAX;
}

struct ouro_payload *ouro__payload_new(size_t want, struct ouro__shape shape)
{
    size_t bytes, room;
    if (!bytes_for(want, shape, &bytes))
        return NULL;
    struct ouro_payload *payload = ouro__refops->payload_new(bytes, shape.string, &room);
    if (payload != NULL) {
        payload->capacity = capacity_in(room, shape);
        payload->reserved = 0;
    }
    return payload;
}

/* *payload goes over to a fresh one. */
static ouro_status replace(struct ouro_payload **payload, struct ouro_payload *fresh, size_t len,
                           struct ouro__shape shape)
{
    struct ouro_payload *old = *payload;
    if (fresh == NULL)
        return OURO_NO_MEMORY;
    if (old != NULL)
        memcpy(fresh + 1, old + 1, len * shape.size);
    if (shape.string)
        ((char *)(fresh + 1))[len] = 0;
    *payload = fresh;
    ouro__payload_drop(old);
    return OURO_OK;
}

/* Makes room for `want` elements, more than there are, in a payload of the value alone: `mine` says
 * whether the one it has is that. */
static ouro_status grow(struct ouro_payload **payload, size_t len, size_t want, bool mine,
                        struct ouro__shape shape)
{
    struct ouro_payload *old = *payload, *fresh;
    size_t bytes, room;
    if (!mine || ouro__refops->payload_grow == NULL || !bytes_for(want, shape, &bytes))
        return replace(payload, ouro__payload_new(want, shape), len, shape);
    fresh = ouro__refops->payload_grow(old, bytes, shape.string, &room);
    if (fresh == NULL)
        return OURO_NO_MEMORY;
    fresh->capacity = capacity_in(room, shape);
    if (fresh == old)
        return OURO_OK;
    fresh->reserved = 0;
    return replace(payload, fresh, len, shape);
}

ouro_status ouro__payload_own(struct ouro_payload **payload, size_t len, size_t want,
                              struct ouro__shape shape)
{
    struct ouro_payload *old = *payload;
    bool mine = old != NULL && (ouro__capacity(old) != 0 || ouro__payload_regain(old, shape));
    if (mine && want <= ouro__capacity(old))
        return OURO_OK;
    return grow(payload, len, want, mine, shape);
}

ouro_status ouro__payload_grow(struct ouro_payload **payload, size_t len, size_t more,
                               struct ouro__shape shape)
{
    struct ouro_payload *old = *payload;
    size_t want, most = len;
    if (__builtin_add_overflow(len, more, &want))
        return OURO_NO_MEMORY;
    bool mine = old != NULL && (ouro__capacity(old) != 0 || ouro__payload_regain(old, shape));
    if (mine) {
        if (want <= ouro__capacity(old))
            return OURO_OK;
        most = ouro__capacity(old);
    }
    size_t next = most * shape.size < DOUBLING ? 2 * most : most + most / 2;
    if (want < next)
        want = next;
    if (want < 4)
        want = 4;
    return grow(payload, len, want, mine, shape);
}

ouro_status ouro__payload_shrink(struct ouro_payload **payload, size_t len,
                                 struct ouro__shape shape)
{
    struct ouro_payload *old = *payload;
    if (old == NULL || (ouro__capacity(old) == 0 && !ouro__payload_regain(old, shape)))
        return OURO_OK;
    if (len == 0) {
        *payload = NULL;
        ouro__payload_drop(old);
        return OURO_OK;
    }
    if (ouro__capacity(old) == len)
        return OURO_OK;
    struct ouro_payload *fresh = ouro__payload_new(len, shape);
    if (fresh != NULL && fresh->capacity >= ouro__capacity(old)) {
        ouro__payload_drop(fresh);
        return OURO_OK;
    }
    return replace(payload, fresh, len, shape);
}
