/* SPDX-License-Identifier: MIT */
/* seq.c: growable sequences. A payload grows by half, then to the end of its block. */
#include "alloc/room.h"
#include "hooks/fields.h"
#include "hooks/refops.h"
#include "hooks/walk.h"

#include <string.h>

static ouro_status resize(ouro_seq *seq, size_t size, size_t capacity)
{
    size_t bytes;
    if (__builtin_mul_overflow(capacity, size, &bytes) ||
        __builtin_add_overflow(bytes, sizeof(struct ouro_payload), &bytes))
        return OURO_NO_MEMORY;
    size_t room, used = sizeof(struct ouro_payload) + seq->len * size;
    struct ouro_payload *payload = ouro__block_grow(seq->payload, used, bytes, &room);
    if (payload == NULL)
        return OURO_NO_MEMORY;
    payload->capacity = (room - sizeof *payload) / size;
    payload->reserved = 0;
    seq->payload = payload;
    return OURO_OK;
}

static size_t capacity_of(const ouro_seq *seq)
{
    return seq->payload != NULL ? seq->payload->capacity : 0;
}

ouro_status ouro_seq_reserve(ouro_seq *seq, const struct ouro_type *type, size_t capacity)
{
    if (seq == NULL || type == NULL)
        return OURO_BAD_ARGUMENT;
    if (capacity <= capacity_of(seq))
        return OURO_OK;
    ouro_status status = ouro__type_check(type);
    if (status != OURO_OK)
        return status;
    if (type->size == 0 || type->align > 16)
        return OURO_BAD_TYPE;
    return resize(seq, type->size, capacity);
}

/* Room for one element more. */
static ouro_status grow(ouro_seq *seq, const struct ouro_type *type)
{
    size_t capacity = capacity_of(seq);
    if (seq->len < capacity)
        return OURO_OK;
    return ouro_seq_reserve(seq, type, capacity < 4 ? 4 : capacity + capacity / 2);
}

ouro_status ouro_seq_push(ouro_seq *seq, const struct ouro_type *type, void *element)
{
    if (seq == NULL || type == NULL || element == NULL)
        return OURO_BAD_ARGUMENT;
    size_t offset = (size_t)((uintptr_t)element - (uintptr_t)ouro_seq_data(seq));
    bool own = seq->payload != NULL && offset < seq->len * type->size;
    ouro_status status = grow(seq, type);
    if (status != OURO_OK)
        return status;
    char *data = ouro_seq_data(seq);
    if (own)
        element = data + offset;
    if (OURO_LIKELY(type == &ouro_ref_type)) {
        ((void **)(void *)data)[seq->len++] = *(void **)element;
        *(void **)element = NULL;
        return OURO_OK;
    }
    memcpy(data + seq->len * type->size, element, type->size);
    ouro_was_moved(element, type);
    seq->len++;
    return OURO_OK;
}

ouro_status ouro_seq_pop(ouro_seq *seq, const struct ouro_type *type, void *element)
{
    if (seq == NULL || type == NULL || element == NULL || seq->len == 0)
        return OURO_BAD_ARGUMENT;
    seq->len--;
    memcpy(element, (char *)ouro_seq_data(seq) + seq->len * type->size, type->size);
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

void ouro_seq_truncate(ouro_seq *seq, const struct ouro_type *type, size_t len)
{
    if (len >= seq->len)
        return;
    char *e = (char *)ouro_seq_data(seq) + len * type->size;
    size_t count = seq->len - len;
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

void ouro_seq_destroy(ouro_seq *seq, const struct ouro_type *type)
{
    ouro_seq gone = *seq;
    *seq = (ouro_seq){0, NULL};
    ouro_seq_truncate(&gone, type, 0);
    ouro_free(gone.payload);
}
