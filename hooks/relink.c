/* SPDX-License-Identifier: MIT */
/* relink.c: weak and borrowed references: where they are, and those of a deep copy.
 *
 * While a graph is copied they stand for the originals. Those whose object was copied are pointed
 * at the copy at the end; the others stay. This looks at field tables only: a written deepcopy hook
 * that leaves such a field as it was has it relinked too. */
#include "hooks/copying.h"

/* -- where they are ---------------------------------------------------------------------------- */

struct linker {
    struct ouro__walker walker;
    struct ouro__links *links;
};

/* While a view of it is live its header is not free for a frame: a call for each element then. */
static enum ouro__step links_of_seq(struct linker *l, ouro_seq *seq, const struct ouro_type *type)
{
    if (!ouro__is_open(seq) || !(ouro__type_state(type) & OURO__TYPE_LINKS))
        return OURO__NEXT;
    if (!ouro__payload_is_sealed(seq->payload))
        return OURO__ENTER;
    char *element = ouro_seq_data(seq);
    for (size_t i = 0; i < seq->len; i++, element += type->size) {
        if (!ouro__each_link(element, type, l->links))
            return OURO__STOP;
    }
    return OURO__NEXT;
}

static enum ouro__step link_leaf(struct ouro__walker *w, void *slot, enum ouro_field_kind kind,
                                 const struct ouro_type *type)
{
    struct linker *l = OURO_CONTAINER_OF(w, struct linker, walker);
    if (kind == OURO_FIELD_SEQ)
        return links_of_seq(l, slot, type);
    if (kind != OURO_FIELD_WEAK && kind != OURO_FIELD_BORROW)
        return OURO__NEXT;
    return l->links->found(l->links, slot, kind) ? OURO__NEXT : OURO__STOP;
}

static enum ouro__as link_take(struct ouro__walker *w, const void *value,
                               const struct ouro_type *type)
{
    (void)w;
    (void)value;
    bool links = (ouro__type_state(type) & OURO__TYPE_LINKS) != 0 && !ouro__is_shared(type);
    return links ? OURO__AS_FIELDS : OURO__AS_NOTHING;
}

bool ouro__each_link(void *value, const struct ouro_type *type, struct ouro__links *links)
{
    struct linker l = {{.leaf = link_leaf, .take = link_take, .leave = ouro__leave_restored},
                       links};
    return link_take(&l.walker, value, type) == OURO__AS_NOTHING ||
           ouro__walk(&l.walker, value, type->fields, type->field_count);
}

/* -- of a copy --------------------------------------------------------------------------------- */

struct relinker {
    struct ouro__links links;
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

static bool relink(struct ouro__links *links, void **slot, enum ouro_field_kind kind)
{
    const struct ouro_memo *memo = OURO_CONTAINER_OF(links, struct relinker, links)->memo;
    if (kind == OURO_FIELD_WEAK)
        return relink_weak(slot, memo);
    void *copy = ouro__memo_find(memo, *slot);
    if (copy != NULL)
        *slot = copy;
    return true;
}

ouro_status ouro__relink(struct ouro_memo *memo, void *root, const struct ouro_type *type)
{
    struct relinker r = {{relink}, memo};
    bool done = ouro__each_link(root, type, &r.links);
    for (size_t i = 0; done && i < memo->count; i++)
        done = ouro__each_link(memo->entries[i].copy, memo->entries[i].type, &r.links);
    return done ? OURO_OK : OURO_NO_MEMORY;
}
