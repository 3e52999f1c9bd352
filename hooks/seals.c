/* SPDX-License-Identifier: MIT */
/* seals.c: the live views of a whole value, looked for before it is replaced (checked library).
 *
 * Each string and sequence is asked when it goes, too. But then others have gone before it, and
 * whoever leaves the failure by longjmp would find half a value. So the walk only looks: it is
 * over, and its frames are gone, before anything is named. */
#include "hooks/fields.h"

struct seeker {
    struct ouro__walker walker;
    const struct ouro_payload *viewed; /* the first one found, or NULL */
};

static enum ouro__step seek_leaf(struct ouro__walker *w, void *slot, enum ouro_field_kind kind,
                                 const struct ouro_type *type)
{
    struct seeker *s = OURO_CONTAINER_OF(w, struct seeker, walker);
    if (kind != OURO_FIELD_STRING && kind != OURO_FIELD_SEQ)
        return OURO__NEXT;
    const ouro_seq *seq = slot; /* a string has the same two words */
    if (seq->payload == NULL)
        return OURO__NEXT;
    if (ouro__payload_is_viewed(seq->payload)) {
        s->viewed = s->viewed != NULL ? s->viewed : seq->payload;
        return OURO__NEXT;
    }
    bool inner = kind == OURO_FIELD_SEQ && seq->len != 0 &&
                 !(ouro__type_state(type) & OURO__TYPE_PLAIN) &&
                 ouro__payload_reserved(seq->payload) == 0;
    return inner ? OURO__ENTER : OURO__NEXT;
}

void ouro__value_check_out(void *value, const struct ouro_type *type)
{
    struct seeker s = {
        .walker = {.leaf = seek_leaf, .take = ouro__take_fields, .leave = ouro__leave_restored}};
    (void)ouro__walk(&s.walker, value, type->fields, type->field_count);
    if (s.viewed != NULL)
        ouro__payload_check_out(s.viewed);
}
