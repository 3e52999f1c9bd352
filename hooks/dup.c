/* SPDX-License-Identifier: MIT */
/* dup.c: dup and copy, and the walk that deepcopy shares with them.
 *
 * The bytes of a value are copied first, all but its leaves, which are empty at first (invariant H4
 * of lift.c); then the walk goes over the leaves and makes each a copy of its source. Where one
 * refuses, the walk goes over the same leaves again and destroys those before it, from the
 * innermost sequence outwards.
 *
 * copy is dup into a place aside, then a swap, then destroy: so it may refuse without harm, and
 * neither a = a nor a = a.b nor a.b = a is a special case. */
#include "alloc/pool.h"
#include "hooks/copying.h"
#include "hooks/edit.h"

#include <string.h>

struct copier {
    struct ouro__walker walker;
    struct ouro_memo *memo;
    ouro_status status;
    const char *refused; /* while undoing: the leaf that refused */
};

static struct copier *copier_of(struct ouro__walker *w)
{
    return OURO_CONTAINER_OF(w, struct copier, walker);
}

static enum ouro__as copy_take(struct ouro__walker *w, const void *value,
                               const struct ouro_type *type)
{
    (void)value;
    if (ouro__is_bytes(ouro__type_state(type)))
        return OURO__AS_NOTHING;
    bool deep = copier_of(w)->memo != NULL;
    if (ouro__dups(type) || (deep && (type->hooks.deepcopy != NULL || ouro__is_shared(type))))
        return OURO__AS_LEAF;
    return OURO__AS_FIELDS;
}

static enum ouro__step clear_leaf(struct ouro__walker *w, void *slot, enum ouro_field_kind kind,
                                  const struct ouro_type *type)
{
    switch (kind) {
    case OURO_FIELD_VALUE:
        memset(slot, 0, type->size);
        break;
    case OURO_FIELD_SEQ:
    case OURO_FIELD_STRING:
        memset(slot, 0, sizeof(ouro_seq));
        break;
    case OURO_FIELD_BORROW:
        break;
    case OURO_FIELD_FILTERED: /* what is no reference is copied as it is */
        if (ouro_filter_object(w->filter, *(uint64_t *)slot) != NULL)
            *(uint64_t *)slot = w->filter->empty;
        break;
    default:
        memset(slot, 0, sizeof(void *));
        break;
    }
    return OURO__NEXT;
}

static ouro_status copy_ref(void **slot, void *object, const struct ouro_type *target,
                            struct ouro_memo *memo)
{
    if (memo != NULL)
        return ouro__deepcopy_ref_as(slot, object, target, memo);
    if (object != NULL)
        ouro__refops->incref(object);
    *slot = object;
    return OURO_OK;
}

static ouro_status copy_filtered(uint64_t *slot, uint64_t word, const struct ouro_filter *filter,
                                 const struct ouro_type *target, struct ouro_memo *memo)
{
    void *object = ouro_filter_object(filter, word), *copy;
    if (object == NULL)
        return OURO_OK;
    ouro_status status = copy_ref(&copy, object, target, memo);
    if (status == OURO_OK)
        *slot = ouro_filter_word(filter, word, copy);
    return status;
}

/* Elements that are bytes are shared, unless a deep copy is to relink them. Others get a payload of
 * their own with the bytes of the elements, and the walk enters it at once. */
static ouro_status copy_payload(ouro_seq *seq, const ouro_seq *from, const struct ouro_type *type)
{
    struct ouro_payload *payload = NULL;
    if (from->len != 0 && ouro__seq_shares(type)) {
        payload = from->payload;
        ouro__payload_share(payload);
    } else if (from->len != 0) {
        payload = ouro__payload_new(from->len, (struct ouro__shape){type->size, false});
        if (payload == NULL)
            return OURO_NO_MEMORY;
        memcpy(payload + 1, from->payload + 1, from->len * type->size);
    }
    *seq = (ouro_seq){from->len, payload};
    return OURO_OK;
}

static enum ouro__step copy_leaf(struct ouro__walker *w, void *slot, enum ouro_field_kind kind,
                                 const struct ouro_type *type)
{
    struct copier *c = copier_of(w);
    const void *from = w->source + ((char *)slot - w->base);
    ouro_status status = OURO_OK;
    switch (kind) {
    case OURO_FIELD_REF:
        status = copy_ref(slot, *(void *const *)from, type, c->memo);
        break;
    case OURO_FIELD_INTERIOR:
        status = copy_ref(slot, *(void *const *)from, type, c->memo);
        if (status == OURO_OK)
            ouro__interior_moved(slot, *(void *const *)from, *(void **)slot);
        break;
    case OURO_FIELD_FILTERED:
        status = copy_filtered(slot, *(const uint64_t *)from, w->filter, type, c->memo);
        break;
    case OURO_FIELD_WEAK:
        if (*(void *const *)from != NULL)
            ouro__refops->weak_incref(*(void *const *)from);
        *(void **)slot = *(void *const *)from;
        break;
    case OURO_FIELD_STRING: {
        const ouro_string *s = from;
        status = ouro_string_sub(slot, s, 0, s->len);
        break;
    }
    case OURO_FIELD_SEQ: {
        const ouro_seq *seq = from;
        status = copy_payload(slot, seq, type);
        if (status == OURO_OK && seq->len != 0 && !ouro__is_bytes(ouro__type_state(type)))
            return OURO__ENTER;
        break;
    }
    case OURO_FIELD_VALUE:
        status = c->memo != NULL ? ouro__deepcopy_in(slot, from, type, c->memo)
                                 : ouro_dup(slot, from, type);
        break;
    default: /* borrowed */
        break;
    }
    c->status = status;
    return status == OURO_OK ? OURO__NEXT : OURO__STOP;
}

static void copy_leave(struct ouro__walker *w, ouro_seq *seq, const struct ouro_type *type)
{
    seq->len = ((const ouro_seq *)seq->len)->len;
    ouro__leave_restored(w, seq, type);
}

/* The way to the leaf that refused is the one that the copying took; what was finished before it is
 * destroyed as a whole. */
static enum ouro__as undo_take(struct ouro__walker *w, const void *value,
                               const struct ouro_type *type)
{
    size_t offset = (size_t)(copier_of(w)->refused - (const char *)value);
    if (offset < type->size)
        return copy_take(w, value, type);
    return ouro__type_state(type) & OURO__TYPE_PLAIN ? OURO__AS_NOTHING : OURO__AS_LEAF;
}

static enum ouro__step undo_leaf(struct ouro__walker *w, void *slot, enum ouro_field_kind kind,
                                 const struct ouro_type *type)
{
    if (slot == copier_of(w)->refused)
        return OURO__STOP;
    if (kind == OURO_FIELD_SEQ) /* not entered: only the walk that is undone has frames */
        ouro_seq_destroy(slot, type);
    else
        (void)ouro__destroy_leaf(w, slot, kind, type);
    return OURO__NEXT;
}

/* Destroys what a stopped walk had made, and its payloads. */
static void undo(struct copier *stopped, void *root, const struct ouro_type *type)
{
    struct copier c = {.walker = {.leaf = undo_leaf, .take = undo_take},
                       .memo = stopped->memo,
                       .refused = stopped->walker.slot};
    ouro_seq *seq = stopped->walker.frame;
    while (seq != NULL) {
        const struct ouro_type *of = ouro__frame_type(seq);
        size_t done = ouro__frame_index(seq, c.refused);
        char *element = ouro_seq_data(seq);
        for (size_t i = 0; i < done; i++, element += of->size)
            ouro_destroy_value(element, of);
        ouro__walk_value(&c.walker, element, of);
        ouro_seq *parent = ouro__frame_parent(seq);
        ouro__refops->payload_free(seq->payload);
        *seq = (ouro_seq){0, NULL};
        c.refused = (char *)seq;
        seq = parent;
    }
    (void)ouro__walk(&c.walker, root, type->fields, type->field_count);
}

ouro_status ouro__copy_fields(void *fresh, const void *from, const struct ouro_type *type,
                              struct ouro_memo *memo)
{
    ouro_status status = ouro__type_check(type);
    if (status != OURO_OK)
        return status;
    struct copier c = {.walker = {.leaf = clear_leaf, .take = copy_take}, .memo = memo};
    memcpy(fresh, from, ouro__value_size(from, type));
    (void)ouro__walk(&c.walker, fresh, type->fields, type->field_count);
    c.walker = (struct ouro__walker){
        .leaf = copy_leaf, .take = copy_take, .leave = copy_leave, .source = from};
    if (ouro__walk(&c.walker, fresh, type->fields, type->field_count))
        return OURO_OK;
    undo(&c, fresh, type);
    return c.status;
}

ouro_status ouro_lifted_dup(void *fresh, const void *from, const struct ouro_type *type)
{
    ouro_status status = ouro__type_check(type);
    if (status != OURO_OK)
        return status;
    uint32_t state = ouro__type_state(type);
    if ((state & (OURO__TYPE_FLAT | OURO__TYPE_HOOKED | OURO__TYPE_TAILED)) != OURO__TYPE_FLAT)
        return ouro__copy_fields(fresh, from, type, NULL);
    memcpy(fresh, from, type->size);
    for (uint32_t i = 0; i < type->ref_count; i++) {
        uint32_t ref = type->refs[i];
        void *object = ouro__ref_object(type, ref, *ouro__ref_slot(fresh, ref));
        if (object != NULL)
            ouro__refops->incref(object);
    }
    return OURO_OK;
}

ouro_status ouro_dup(void *fresh, const void *from, const struct ouro_type *type)
{
    if (OURO_UNLIKELY(fresh == NULL || from == NULL || type == NULL))
        return OURO_BAD_ARGUMENT;
    if (type->hooks.dup != NULL)
        return type->hooks.dup(fresh, from, type);
    if (type->hooks.copy == NULL)
        return ouro_lifted_dup(fresh, from, type);
    memset(fresh, 0, type->size);
    ouro_was_moved(fresh, type);
    return type->hooks.copy(fresh, from, type);
}

static void swap_bytes(char *a, char *b, size_t size)
{
    char aside[64];
    for (size_t n; size != 0; a += n, b += n, size -= n) {
        n = size < sizeof aside ? size : sizeof aside;
        memcpy(aside, a, n);
        memcpy(a, b, n);
        memcpy(b, aside, n);
    }
}

/* A place (owned) aside for one value that is too large for the stack. */
static void *place_aside(const struct ouro_type *type, size_t size)
{
    return type->align > 16 ? ouro_aligned_alloc(type->align, size) : ouro_malloc(size);
}

typedef ouro_status dup_hook(void *fresh, const void *from, const struct ouro_type *type);

static ouro_status copy_through(dup_hook *dup, void *to, const void *from,
                                const struct ouro_type *type)
{
    _Alignas(16) char near[OURO_SINK_SAFE];
    const size_t size = ouro__value_size(from, type);
    if (OURO_UNLIKELY(size != ouro__value_size(to, type))) /* there is no room for another tail */
        return OURO_BAD_ARGUMENT;
    if (type->tail != NULL || !ouro__is_bytes(ouro__type_state(type)))
        ouro__value_check(to, type);
    void *aside = size <= sizeof near && type->align <= 16 ? near : place_aside(type, size);
    if (aside == NULL)
        return OURO_NO_MEMORY;
    ouro_status status = dup(aside, from, type);
    if (status == OURO_OK) {
        swap_bytes(to, aside, size);
        ouro_destroy_value(aside, type);
    }
    if (aside != near)
        ouro_free(aside);
    return status;
}

ouro_status ouro_lifted_copy(void *to, const void *from, const struct ouro_type *type)
{
    if (to == from)
        return OURO_OK;
    ouro_status status = ouro__type_check(type);
    if (status != OURO_OK)
        return status;
    if (type->tail != NULL || !ouro__is_bytes(ouro__type_state(type)))
        return copy_through(ouro_lifted_dup, to, from, type);
    memcpy(to, from, type->size);
    return OURO_OK;
}

ouro_status ouro_copy(void *to, const void *from, const struct ouro_type *type)
{
    if (OURO_UNLIKELY(to == NULL || from == NULL || type == NULL))
        return OURO_BAD_ARGUMENT;
    if (to == from)
        return OURO_OK;
    if (type->hooks.copy != NULL)
        return type->hooks.copy(to, from, type);
    if (type->hooks.dup != NULL)
        return copy_through(type->hooks.dup, to, from, type);
    return ouro_lifted_copy(to, from, type);
}
