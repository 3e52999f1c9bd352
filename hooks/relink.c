/* SPDX-License-Identifier: MIT */
/* relink.c: weak and borrowed references of a deep copy.
 *
 * While the graph is filled they stand for the originals. Those whose object was copied are pointed
 * at the copy at the end; the others stay. This looks at field tables only: a written deepcopy hook
 * that leaves such a field as it was has it relinked too. */
#include "hooks/copying.h"

struct relinker {
    struct ouro__walker walker;
    const struct ouro_memo *memo;
};

static bool relink_weak(void **slot, const struct ouro_memo *memo)
{
    const struct ouro_refops *ops = ouro__refops;
    if (*slot == NULL || ops->weak_upgrade == NULL)
        return true;
    void *object = ops->weak_upgrade(*slot);
    if (object == NULL)
        return true;
    void *copy = ouro__memo_find(memo, object);
    ops->decref(object);
    if (copy == NULL)
        return true;
    void *weak = ops->weak_new(copy);
    if (weak == NULL)
        return false;
    ops->weak_decref(*slot);
    *slot = weak;
    return true;
}

static bool relink_value(struct relinker *r, void *value, const struct ouro_type *type);

/* While a view of it is live its header is not free for a frame: a call for each element then. */
static enum ouro__step relink_seq(struct relinker *r, ouro_seq *seq, const struct ouro_type *type)
{
    if (!ouro__is_open(seq) || !(ouro__type_state(type) & OURO__TYPE_LINKS))
        return OURO__NEXT;
    if (!ouro__payload_is_sealed(seq->payload))
        return OURO__ENTER;
    char *element = ouro_seq_data(seq);
    for (size_t i = 0; i < seq->len; i++, element += type->size) {
        if (!relink_value(r, element, type))
            return OURO__STOP;
    }
    return OURO__NEXT;
}

static enum ouro__step relink_leaf(struct ouro__walker *w, void *slot, enum ouro_field_kind kind,
                                   const struct ouro_type *type)
{
    const struct ouro_memo *memo = OURO_CONTAINER_OF(w, struct relinker, walker)->memo;
    void *copy;
    switch (kind) {
    case OURO_FIELD_WEAK:
        return relink_weak(slot, memo) ? OURO__NEXT : OURO__STOP;
    case OURO_FIELD_BORROW:
        copy = ouro__memo_find(memo, *(void **)slot);
        if (copy != NULL)
            *(void **)slot = copy;
        return OURO__NEXT;
    case OURO_FIELD_SEQ:
        return relink_seq(OURO_CONTAINER_OF(w, struct relinker, walker), slot, type);
    default:
        return OURO__NEXT;
    }
}

static enum ouro__as relink_take(struct ouro__walker *w, const void *value,
                                 const struct ouro_type *type)
{
    (void)w;
    (void)value;
    bool links = (ouro__type_state(type) & OURO__TYPE_LINKS) != 0 && !ouro__is_shared(type);
    return links ? OURO__AS_FIELDS : OURO__AS_NOTHING;
}

static bool relink_value(struct relinker *r, void *value, const struct ouro_type *type)
{
    return relink_take(&r->walker, value, type) == OURO__AS_NOTHING ||
           ouro__walk(&r->walker, value, type->fields, type->field_count);
}

ouro_status ouro__relink(struct ouro_memo *memo, void *root, const struct ouro_type *type)
{
    struct relinker r = {{.leaf = relink_leaf, .take = relink_take, .leave = ouro__leave_restored},
                         memo};
    bool done = relink_value(&r, root, type);
    for (size_t i = 0; done && i < memo->count; i++)
        done = relink_value(&r, memo->entries[i].copy, memo->entries[i].type);
    return done ? OURO_OK : OURO_NO_MEMORY;
}
