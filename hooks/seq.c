/* SPDX-License-Identifier: MIT */
/* seq.c: growable sequences. A payload grows by half, then to the end of its block.
 *
 * Elements that own something are moved between two calls only (H4 of lift.c): whatever runs finds
 * each of them once. What is to be destroyed leaves the sequence first. */
#include "hooks/copying.h"
#include "hooks/edit.h"
#include "hooks/walk.h"

#include <string.h>

static struct ouro__shape shape_of(const struct ouro_type *type)
{
    return (struct ouro__shape){type->size, false};
}

static char *at_of(const ouro_seq *seq, const struct ouro_type *type, size_t i)
{
    return (char *)(seq->payload + 1) + i * type->size;
}

static ouro_status usable(const struct ouro_type *type)
{
    ouro_status status = ouro__type_check(type);
    if (status != OURO_OK)
        return status;
    return type->size == 0 || type->align > 16 ? OURO_BAD_TYPE : OURO_OK;
}

/* Room for `more` elements, in a payload of its own. */
static ouro_status grow(ouro_seq *seq, const struct ouro_type *type, size_t more)
{
    if (seq->payload != NULL && more != 0 && ouro__capacity(seq->payload) >= more &&
        ouro__capacity(seq->payload) - more >= seq->len)
        return OURO_OK;
    ouro_status status = usable(type);
    if (status != OURO_OK)
        return status;
    return ouro__payload_grow(&seq->payload, seq->len, more, shape_of(type));
}

/* A payload of its own, for a change that needs no room. */
static ouro_status own(ouro_seq *seq, const struct ouro_type *type)
{
    if (OURO_LIKELY(seq->payload == NULL || ouro__capacity(seq->payload) != 0))
        return OURO_OK;
    return ouro__payload_own(&seq->payload, seq->len, seq->len, shape_of(type));
}

/* -- room and length --------------------------------------------------------------------------- */

ouro_status ouro_seq_reserve(ouro_seq *seq, const struct ouro_type *type, size_t capacity)
{
    if (seq == NULL || type == NULL)
        return OURO_BAD_ARGUMENT;
    if (capacity <= seq->len || (seq->payload != NULL && capacity <= ouro__capacity(seq->payload)))
        return OURO_OK;
    ouro_status status = usable(type);
    if (status != OURO_OK)
        return status;
    return ouro__payload_own(&seq->payload, seq->len, capacity, shape_of(type));
}

ouro_status ouro_seq_shrink(ouro_seq *seq, const struct ouro_type *type)
{
    if (seq == NULL || type == NULL)
        return OURO_BAD_ARGUMENT;
    return ouro__payload_shrink(&seq->payload, seq->len, shape_of(type));
}

ouro_status ouro_seq_set_len(ouro_seq *seq, const struct ouro_type *type, size_t len)
{
    if (seq == NULL || type == NULL)
        return OURO_BAD_ARGUMENT;
    if (len <= seq->len) {
        ouro_seq_truncate(seq, type, len);
        return OURO_OK;
    }
    size_t more = len - seq->len;
    ouro_status status = grow(seq, type, more);
    if (status != OURO_OK)
        return status;
    char *element = at_of(seq, type, seq->len);
    memset(element, 0, more * type->size);
    if (ouro__type_state(type) & OURO__TYPE_HOOKED)
        for (size_t i = 0; i < more; i++, element += type->size)
            ouro_was_moved(element, type);
    seq->len = len;
    return OURO_OK;
}

static void drop_refs(void **slots, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        void *object = ouro__slot_load(&slots[i]);
        slots[i] = NULL; /* first: whoever looks at it sees no reference that is not counted */
        if (object != NULL)
            ouro__refops->decref(object);
    }
}

/* Fails if a live view shows any part of what is about to go. */
static void check_elements(char *e, const struct ouro_type *type, size_t count)
{
    for (; OURO_CHECKED && count != 0; count--, e += type->size)
        ouro__value_check(e, type);
}

void ouro_seq_truncate(ouro_seq *seq, const struct ouro_type *type, size_t len)
{
    if (len >= seq->len)
        return;
    ouro__payload_check(seq->payload);
    char *e = at_of(seq, type, len);
    size_t count = seq->len - len;
    if (!(ouro__type_state(type) & OURO__TYPE_PLAIN))
        check_elements(e, type, count);
    /* First, so that a hook that looks at the sequence finds no element half gone. */
    seq->len = len;
    if (ouro__type_state(type) & OURO__TYPE_PLAIN)
        return;
    if (OURO_LIKELY(type == &ouro_ref_type)) {
        drop_refs((void **)(void *)e, count);
        return;
    }
    for (; count != 0; count--, e += type->size)
        ouro_destroy_value(e, type);
}

void ouro__seq_end(ouro_seq gone, const struct ouro_type *type)
{
    ouro_seq_truncate(&gone, type, 0);
    ouro__payload_end(gone.payload);
}

ouro_status ouro_seq_edit(ouro_seq *seq, const struct ouro_type *type, void **data)
{
    if (seq == NULL || type == NULL || data == NULL)
        return OURO_BAD_ARGUMENT;
    ouro_status status = seq->len != 0 ? own(seq, type) : OURO_OK;
    if (status == OURO_OK)
        *data = seq->len != 0 ? ouro_seq_data(seq) : NULL;
    return status;
}

/* -- elements ---------------------------------------------------------------------------------- */

ouro_seq ouro__seq_grown(ouro_seq seq, const struct ouro_type *type)
{
    if (grow(&seq, type, 1) != OURO_OK)
        seq.payload = NULL;
    return seq;
}

ouro_status ouro_seq_insert(ouro_seq *seq, const struct ouro_type *type, size_t at, void *element)
{
    if (seq == NULL || type == NULL || element == NULL || at > seq->len)
        return OURO_BAD_ARGUMENT;
    size_t offset = (size_t)((uintptr_t)element - (uintptr_t)ouro_seq_data(seq));
    bool inside = seq->payload != NULL && offset < seq->len * type->size;
    ouro_status status = grow(seq, type, 1);
    if (status != OURO_OK)
        return status;
    char *place = at_of(seq, type, at);
    if (inside) /* it has moved with the payload, and with what goes up now */
        element = at_of(seq, type, 0) + offset + (offset >= at * type->size ? type->size : 0);
    memmove(place + type->size, place, (seq->len - at) * type->size);
    memcpy(place, element, type->size);
    seq->len++;
    ouro_was_moved(element, type);
    return OURO_OK;
}

ouro_status ouro_seq_push(ouro_seq *seq, const struct ouro_type *type, void *element)
{
    if (seq == NULL || type == NULL || element == NULL)
        return OURO_BAD_ARGUMENT;
    if (OURO_UNLIKELY(seq->payload == NULL || seq->len >= ouro__capacity(seq->payload)))
        return ouro_seq_insert(seq, type, seq->len, element);
    char *place = at_of(seq, type, seq->len);
    if (OURO_LIKELY(type == &ouro_ref_type)) {
        *(void **)(void *)place = *(void **)element;
        seq->len++;
        *(void **)element = NULL;
        return OURO_OK;
    }
    memcpy(place, element, type->size);
    seq->len++;
    ouro_was_moved(element, type);
    return OURO_OK;
}

ouro_status ouro_seq_pop(ouro_seq *seq, const struct ouro_type *type, void *element)
{
    if (seq == NULL || type == NULL || element == NULL || seq->len == 0)
        return OURO_BAD_ARGUMENT;
    ouro__payload_check(seq->payload);
    seq->len--;
    memcpy(element, at_of(seq, type, seq->len), type->size);
    return OURO_OK;
}

/* Moves the element out, and what there is behind `from` to its place. */
static ouro_status take(ouro_seq *seq, const struct ouro_type *type, size_t at, void *element,
                        bool swap)
{
    if (seq == NULL || type == NULL || element == NULL || at >= seq->len)
        return OURO_BAD_ARGUMENT;
    ouro_status status = own(seq, type);
    if (status != OURO_OK)
        return status;
    char *place = at_of(seq, type, at);
    size_t behind = swap ? seq->len - 1 : at + 1;
    memcpy(element, place, type->size);
    memmove(place, at_of(seq, type, behind), (seq->len - behind) * type->size);
    seq->len--;
    return OURO_OK;
}

ouro_status ouro_seq_remove(ouro_seq *seq, const struct ouro_type *type, size_t at, void *element)
{
    return take(seq, type, at, element, false);
}

ouro_status ouro_seq_remove_swap(ouro_seq *seq, const struct ouro_type *type, size_t at,
                                 void *element)
{
    return take(seq, type, at, element, true);
}

/* -- ranges ------------------------------------------------------------------------------------ */

/* A sequence for the elements that are to be destroyed, and room for those that come. */
static ouro_status prepare_splice(ouro_seq *seq, const struct ouro_type *type, size_t from,
                                  size_t count, size_t n, ouro_seq *gone)
{
    *gone = (ouro_seq){0, NULL};
    ouro_status status = usable(type);
    if (status == OURO_OK && count != 0 && !(ouro__type_state(type) & OURO__TYPE_PLAIN))
        status = ouro_seq_reserve(gone, type, count);
    if (status == OURO_OK)
        status = n > count ? grow(seq, type, n - count) : own(seq, type);
    if (status != OURO_OK) {
        ouro__payload_drop(gone->payload);
        return status;
    }
    if (gone->payload != NULL) {
        memcpy(gone->payload + 1, at_of(seq, type, from), count * type->size);
        gone->len = count;
    }
    return OURO_OK;
}

ouro_status ouro_seq_splice(ouro_seq *seq, const struct ouro_type *type, size_t from, size_t count,
                            void *elements, size_t n)
{
    ouro_seq gone;
    if (seq == NULL || type == NULL || (elements == NULL && n != 0) || from > seq->len ||
        count > seq->len - from)
        return OURO_BAD_ARGUMENT;
    if (count == 0 && n == 0)
        return OURO_OK;
    ouro_status status = prepare_splice(seq, type, from, count, n, &gone);
    if (status != OURO_OK)
        return status;
    char *place = at_of(seq, type, from);
    size_t behind = seq->len - from - count;
    memmove(place + n * type->size, place + count * type->size, behind * type->size);
    if (n != 0)
        memcpy(place, elements, n * type->size);
    seq->len = from + n + behind;
    for (size_t i = 0; i < n; i++)
        ouro_was_moved((char *)elements + i * type->size, type);
    if (gone.payload != NULL)
        ouro_seq_destroy(&gone, type);
    return OURO_OK;
}

/* Copies to the places behind the end; none is left there if one refuses. */
static ouro_status dup_all(char *to, const char *from, size_t n, const struct ouro_type *type)
{
    for (size_t i = 0; i < n; i++) {
        ouro_status status = ouro_dup(to + i * type->size, from + i * type->size, type);
        if (status == OURO_OK)
            continue;
        for (size_t k = 0; k < i; k++)
            ouro_destroy_value(to + k * type->size, type);
        return status;
    }
    return OURO_OK;
}

ouro_status ouro_seq_append(ouro_seq *seq, const struct ouro_type *type, const ouro_seq *from)
{
    if (seq == NULL || type == NULL || from == NULL)
        return OURO_BAD_ARGUMENT;
    size_t n = from->len;
    if (n == 0)
        return OURO_OK;
    ouro_status status = grow(seq, type, n);
    if (status != OURO_OK)
        return status;
    char *place = at_of(seq, type, seq->len), *first = at_of(from, type, 0);
    if (ouro__is_bytes(ouro__type_state(type)))
        memcpy(place, first, n * type->size);
    else
        status = dup_all(place, first, n, type);
    if (status == OURO_OK)
        seq->len += n;
    return status;
}

bool ouro_seq_equal(const ouro_seq *a, const ouro_seq *b, const struct ouro_type *type)
{
    return a->len == b->len && (a->len == 0 || a->payload == b->payload ||
                                memcmp(a->payload + 1, b->payload + 1, a->len * type->size) == 0);
}
