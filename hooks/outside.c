/* SPDX-License-Identifier: MIT */
/* outside.c: what values hold beside references, where only part of it is to be given up.
 *
 * The memory of a whole runtime goes at once (docs/adr/0012), so payloads and weak cells that stand
 * in it are not looked at again; those that stand elsewhere are given up one by one. This looks at
 * field tables alone: what only a written hook knows of is known to nobody while it does not
 * run. */
#include "hooks/fields.h"

struct leaver {
    struct ouro__walker walker;
    const struct ouro__outside *outside;
};

static bool stands_outside(const struct ouro__walker *w, const void *block)
{
    const struct ouro__outside *o = OURO_CONTAINER_OF(w, const struct leaver, walker)->outside;
    return block != NULL && o->is_outside(o, block);
}

static void drop_payload(const struct ouro__walker *w, struct ouro_payload **payload, size_t *len)
{
    struct ouro_payload *dropped = *payload;
    if (!stands_outside(w, dropped))
        return;
    *payload = NULL;
    *len = 0;
    ouro__payload_drop(dropped);
}

static void drop_weak(const struct ouro__walker *w, void **slot)
{
    void *dropped = *slot;
    if (!stands_outside(w, dropped))
        return;
    *slot = NULL;
    ouro__refops->weak_decref(dropped);
}

/* Its elements, then itself. While a view of it is live its header is not free for a frame: then a
 * call for each element takes the place of the frame. */
static enum ouro__step leave_seq(struct ouro__walker *w, ouro_seq *seq,
                                 const struct ouro_type *type)
{
    if (ouro__is_open(seq) && !(ouro__type_state(type) & OURO__TYPE_PLAIN)) {
        if (!ouro__payload_is_sealed(seq->payload))
            return OURO__ENTER;
        char *element = ouro_seq_data(seq);
        for (size_t i = 0; i < seq->len; i++, element += type->size)
            ouro__drop_outside(element, type, OURO_CONTAINER_OF(w, struct leaver, walker)->outside);
    }
    drop_payload(w, &seq->payload, &seq->len);
    return OURO__NEXT;
}

static enum ouro__step leave_leaf(struct ouro__walker *w, void *slot, enum ouro_field_kind kind,
                                  const struct ouro_type *type)
{
    ouro_string *string = slot;
    switch (kind) {
    case OURO_FIELD_WEAK:
        drop_weak(w, slot);
        return OURO__NEXT;
    case OURO_FIELD_STRING:
        drop_payload(w, &string->payload, &string->len);
        return OURO__NEXT;
    case OURO_FIELD_SEQ:
        return leave_seq(w, slot, type);
    default: /* strong references: whoever traces finds them */
        return OURO__NEXT;
    }
}

static void leave_entered(struct ouro__walker *w, ouro_seq *seq, const struct ouro_type *type)
{
    ouro__leave_restored(w, seq, type);
    drop_payload(w, &seq->payload, &seq->len);
}

void ouro__drop_outside(void *value, const struct ouro_type *type,
                        const struct ouro__outside *outside)
{
    if (ouro__type_state(type) & (OURO__TYPE_PLAIN | OURO__TYPE_FLAT))
        return; /* it has references alone, if anything */
    struct leaver leaver = {{.leaf = leave_leaf, .take = ouro__take_fields, .leave = leave_entered},
                            outside};
    (void)ouro__walk(&leaver.walker, value, type->fields, type->field_count);
}
