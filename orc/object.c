/* SPDX-License-Identifier: MIT */
/* object.c: what hooks do to counted references; questions about objects, immortality, warnings.
 */
#include "orc/object.h"
#include "alloc/fail.h"
#include "alloc/text.h"
#include "hooks/refops.h"
#include "orc/checked.h"
#include "orc/index.h"
#include "orc/payload.h"
#include "orc/rc_biased.h"
#include "orc/state.h"
#include "orc/weak.h"

/* -- connecting hooks -------------------------------------------------------------------------- */

/* The inlined paths of the owner, which serve objects of every mode. */
static void incref_for_hooks(void *object)
{
    ouro_incref_biased(object);
}
static void decref_for_hooks(void *object)
{
    ouro_decref_biased(object);
}

static const struct ouro_type *type_of_for_hooks(const void *object)
{
    return ouro_type_of(object);
}
static void *allocate_for_hooks(struct ouro_type *type, size_t size)
{
    return ouro_new_biased(type, size);
}
static void discard_for_hooks(void *object)
{
    struct ouro__thread *me = ouro__me();
    if (me)
        ouro__forget(me, ouro__header(object));
    ouro__free_object(object, ouro_type_of(object));
}
static void weak_incref(void *weak)
{
    ouro_weak_incref(weak);
}
static void weak_decref(void *weak)
{
    ouro_weak_decref(weak);
}

/* The owner's decref of an object that others keep alive, without making it a candidate. */
static void settle(void *object)
{
    struct ouro_header *h = ouro__header(object);
    struct ouro__thread *me = ouro__me();
    ouro_half local = ouro__half_load(&h->local);
    if (me && ouro__holds(me, ouro__load(&h->shared)) && ouro__local_count(local) > 1) {
        ouro__note_plain(me);
        ouro__half_store(&h->local, local - OURO__LOCAL_UNIT);
    } else {
        ouro__decref_out(object);
    }
}
static void *weak_upgrade(void *weak)
{
    return ouro_weak_upgrade(weak);
}
static void *weak_new(void *object)
{
    return ouro_weak_new(object);
}

const struct ouro_refops ouro__orc_refops = {.incref = incref_for_hooks,
                                             .decref = decref_for_hooks,
                                             .weak_incref = weak_incref,
                                             .weak_decref = weak_decref,
                                             .type_of = type_of_for_hooks,
                                             .settle = settle,
                                             .weak_upgrade = weak_upgrade,
                                             .weak_new = weak_new,
                                             .alive = ouro__leaving_alive,
                                             .allocate = allocate_for_hooks,
                                             .discard = discard_for_hooks,
                                             .payload_new = ouro__payload_birth,
                                             .payload_free = ouro__payload_free,
                                             .payload_share = ouro__payload_incref,
                                             .payload_drop = ouro__payload_decref,
                                             .payload_is_unique = ouro__payload_is_unique,
                                             .payload_room = ouro__payload_room,
                                             .payload_grow = ouro__payload_enlarge};

/* -- questions --------------------------------------------------------------------------------- */

const struct ouro_type *ouro_type_of(const void *object)
{
    if (!object)
        return NULL;
    const struct ouro_type *type = ouro__type_of(object, ouro__load(&ouro__header(object)->shared));
    return ouro__is_carrier(type) ? NULL : type;
}

const char *ouro__type_name(const void *object, ouro_word shared)
{
    const struct ouro_type *type = ouro__type_of(object, shared);
    return type && !ouro__is_carrier(type) ? type->name : NULL;
}

void ouro__check_alive(const void *object, const char *what)
{
    ouro_word b = ouro__load(&ouro__header(object)->shared);
    if (OURO_UNLIKELY(ouro__is_freed(b)))
        ouro_fail(OURO_FAIL_USE_AFTER_FREE, object, ouro__type_name(object, b), what);
    if (OURO_CHECKED)
        ouro__checked_use(object);
}

bool ouro_is_unique(const void *object)
{
    struct ouro_header *h = ouro__header(object);
    /* Acquire: what others did to the object before they dropped it comes before its reuse. */
    ouro_word b = ouro__load_acquire(&h->shared);
    if (OURO_CHECKED || (b & OURO__IMMORTAL))
        ouro__check_alive(object, "asked whether it is unique, but it is gone");
    if (b & (OURO__WEAK | OURO__IMMORTAL))
        return false;
    if (b & OURO__MERGED) /* Q: one of the references is that of a candidate entry */
        return ouro__count_of(b) == (b & OURO__QUEUED ? 2 : 1);
    struct ouro__thread *me = ouro__me();
    return me && ouro__holds(me, b) && !(b & OURO__QUEUED) && ouro__count_of(b) == 0 &&
           ouro__local_count(ouro__half_load(&h->local)) == 1;
}

int64_t ouro_count(const void *object)
{
    struct ouro_header *h = ouro__header(object);
    ouro_word b = ouro__load_acquire(&h->shared); /* as in ouro_is_unique */
    if (ouro__is_freed(b))
        ouro__check_alive(object, "its count was asked for, but it is gone");
    int64_t count = ouro__count_of(b);
    if (!(b & OURO__MERGED))
        count += ouro__local_count(ouro__half_load(&h->local));
    return (b & OURO__QUEUED) && !ouro__is_dying(b) ? count - 1 : count;
}

void ouro_make_immortal(void *object)
{
    struct ouro_header *h = ouro__header(object);
    struct ouro__thread *me = ouro__me();
    ouro__check_alive(object, "made immortal, but it is gone");
    ouro_word b = ouro__load(&h->shared);
    while (ouro__is_dying(b)) { /* by its hook: as if with more references than can be counted */
        ouro_word most = (b & (OURO__UNIT - 1)) | (ouro_word)OURO__COUNT_LIMIT << OURO__COUNT_SHIFT;
        if (ouro__cas_full(&h->shared, &b, most))
            return;
    }
    if (b & OURO__IMMORTAL) /* static const data is not written */
        return;
    if (me && ouro__holds(me, b)) {
        ouro__forget(me, h);
        ouro__half_store(&h->local, OURO__LOCAL_AWAY);
    }
    /* Full: `local` is written before it (I7); who finds I there counts no more. */
    ouro__fetch_or_full(&h->shared, OURO__IMMORTAL);
    /* No owner any more, unless an entry is under way: the drain makes it so then. */
    b = ouro__load(&h->shared);
    while (!(b & (OURO__QUEUED | OURO__MERGED)) &&
           !ouro__cas_full(&h->shared, &b, (b & ~OURO__OWNER_MASK) | OURO__MERGE))
        continue;
}

void ouro__warn(const char *what, const char *about)
{
    char room[256];
    struct ouro__text t = {room, sizeof room, 0};
    ouro__text_add(&t, "ouro: ");
    ouro__text_add(&t, what);
    if (about)
        ouro__text_add(&t, about);
    ouro__text_add(&t, "\n");
    ouro__os_say(room, t.len);
}

void ouro__warn_object(const char *what, const void *object)
{
    ouro__warn(what, ouro__type_name(object, ouro__load(&ouro__header(object)->shared)));
}
