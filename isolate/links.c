/* SPDX-License-Identifier: MIT */
/* links.c: weak and borrowed references of a graph that is to be isolated (isolate.c, D4).
 *
 * They own nothing, so no count tells of them. Those in the graph are walked, where some type has
 * any: each must stand for an object of the graph. And of each weak cell all handles must have been
 * found so: they are compared as sums, as references are (walk.c, P2). */
#include "isolate/walk.h"

struct link_check {
    struct ouro__links links;
    struct ouro__proof *p;
    struct ouro_memo all; /* the objects of the graph: index + 1 */
    const void *only;     /* handles of this object are counted; NULL: of all */
    const void *at;       /* whose links are looked at */
    size_t inside;
};

static bool check_link(struct ouro__links *links, void **slot, enum ouro_field_kind kind)
{
    struct link_check *check = OURO_CONTAINER_OF(links, struct link_check, links);
    const void *object = *slot;
    if (object && kind == OURO_FIELD_WEAK)
        object = ouro__weak_target(*slot);
    if (!object)
        return true;
    if (!ouro__memo_find(&check->all, object)) {
        if (!check->p->failed) {
            check->p->link_of = check->at;
            check->p->link = (const char *)slot;
        }
        ouro__proof_escapes(check->p, OURO_ESCAPE_WEAK_OUT, object, 0);
    } else if (kind == OURO_FIELD_WEAK && (!check->only || check->only == object))
        check->inside++;
    return true; /* a walk that is left leaves sequences as they must not stay */
}

static bool list_all(struct link_check *check)
{
    const struct ouro__proof *p = check->p;
    for (uint32_t i = 0; i < p->f.count; i++) {
        if (ouro__memo_reserve(&check->all) != OURO_OK)
            return false;
        void *as = (void *)((uintptr_t)i + 1);
        ouro__memo_add(&check->all, (struct ouro__memo_entry){ouro__proof_object(p, i), as, NULL});
    }
    return true;
}

static size_t count_inside(struct link_check *check, const void *only)
{
    const struct ouro__proof *p = check->p;
    check->only = only;
    check->inside = 0;
    for (uint32_t i = 0; p->links && i < p->f.count; i++) {
        const struct ouro_type *type =
            ouro__type_of(ouro__proof_object(p, i), ouro__proof_seen(p, i));
        check->at = ouro__proof_object(p, i);
        if (type->state & OURO__TYPE_LINKS)
            (void)ouro__each_link(ouro__proof_object(p, i), type, &check->links);
    }
    return check->inside;
}

/* Some handle is outside: of an object whose cell has more than are found. */
static void name_weak_in(struct link_check *check)
{
    struct ouro__proof *p = check->p;
    for (uint32_t i = 0; i < p->f.count; i++) {
        if (!(ouro__proof_seen(p, i) & OURO__WEAK))
            continue;
        size_t handles = ouro__proof_handles(p, ouro__proof_object(p, i));
        size_t inside = handles > 0 ? count_inside(check, ouro__proof_object(p, i)) : 0;
        if (handles > inside) {
            ouro__proof_escapes(p, OURO_ESCAPE_WEAK_IN, ouro__proof_object(p, i), handles - inside);
            return;
        }
    }
    ouro__proof_stop(p, OURO_BUSY); /* it has just gone */
}

void ouro__proof_links(struct ouro__proof *p)
{
    struct link_check check = {.links = {check_link}, .p = p};
    if (p->links && !list_all(&check))
        ouro__proof_stop(p, OURO_NO_MEMORY);
    else if (count_inside(&check, NULL) != p->handles && !p->failed)
        name_weak_in(&check);
    ouro__memo_end(&check.all);
}
