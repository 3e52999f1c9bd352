/* SPDX-License-Identifier: MIT */
/* reuse.c: the cell of an object that dies serves the next one.
 *
 * A token names a cell that is no object any more and was not given back: its header says EMPTIED,
 * which walks pass over. What the caller's reference alone keeps can be made one; anything else is
 * a usual decref, and an empty token. */
#include "alloc/heap.h"
#include "alloc/valgrind.h"
#include "hooks/value.h"
#include "orc/birth.h"
#include "orc/chain.h"
#include "orc/checked.h"
#include "orc/object.h"
#include "orc/rc_biased.h"
#include "orc/state.h"

/* Whether the caller's reference is the only one, and a cell can be had from it. */
static bool can_be_reused(const struct ouro__thread *me, void *object, const struct ouro_type *type)
{
    const struct ouro_header *h = ouro__header(object);
    if (me->apart) /* the cell would be used elsewhere, or another's here */
        return false;
    if (!type || ouro__object_align(type) > 16 || (type->state & OURO__TYPE_LARGE) ||
        !ouro_is_unique(object) || ouro__is_spent(h))
        return false;
    return !(ouro__load(&h->shared) & OURO__QUEUED) ||
           ouro__is_claimed_by(me, object, ouro__half_load(&h->visited));
}

OURO_STATIC_ASSERT(OURO__EMPTIED == OURO__DYING, "walks pass over cells that are to be reused");

/* The object, which has the caller's reference alone, is one no more. */
static void end_for_reuse(struct ouro__thread *me, struct ouro_header *h)
{
    ouro__forget(me, h);
    ouro__mark_dying(h);
    ouro__store(&h->shared, ouro__load(&h->shared) & (OURO__UNIT - 1));
    ouro__half_store(&h->local, OURO__LOCAL_AWAY);
}

ouro_reuse ouro__take_reuse_out(void *object)
{
    ouro_reuse token = {NULL};
    struct ouro__thread *me = ouro__me();
    if (!object || !me)
        return token;
    ouro__check_alive(object, "taken for reuse, but it is gone");
    if (!ouro__is_of(me->orc, object) || !can_be_reused(me, object, ouro_type_of(object)))
        return token;
    ouro__tool_acquire(object);
    end_for_reuse(me, ouro__header(object));
    token.cell = object;
    return token;
}

/* What died of the contents of a cell goes. The cell is at hand meanwhile: a hook may leave, and
 * then there is nobody who gets it. */
static void release_beside(struct ouro__thread *me, void *cell)
{
    ouro__take_at_hand(me, cell);
    ouro__release_some(me, SIZE_MAX);
    ouro__put_down(me);
}

/* Destroys what is in the object, which has the caller's reference alone; false: it lives on. What
 * dies of it goes after it, as after any other (release.c): a reference that its hook left in that
 * is seen first. */
static bool destroy_for_reuse(struct ouro__thread *me, void *object, const struct ouro_type *type)
{
    struct ouro_header *h = ouro__header(object);
    end_for_reuse(me, h);
    bool releasing = me->releasing;
    me->releasing = true;
    ouro__take_at_hand(me, object);
    ouro_destroy_value(object, type);
    ouro__put_down(me);
    me->releasing = releasing;
    bool gone = !ouro__resurrected(object);
    if (gone && (ouro__load(&h->shared) & OURO__WEAK)) /* made by its hook */
        ouro__weak_clear(me->orc, object);
    if (gone)
        release_beside(me, object);
    else
        ouro__release_some(me, SIZE_MAX);
    return gone;
}

/* Whether the object is as its birth on this thread left it, but for its contents, and these are
 * nothing but references at fixed places. */
static bool is_fresh_and_flat(const struct ouro__thread *me, const void *object,
                              const struct ouro_type *type)
{
    const uint32_t kind =
        OURO__TYPE_FLAT | OURO__TYPE_ALIGNED | OURO__TYPE_LARGE | OURO__TYPE_FILTERED;
    const struct ouro_header *h = ouro__header(object);
    if (OURO_CHECKED || !type || (type->state & kind) != OURO__TYPE_FLAT)
        return false;
    if (!OURO_THREADS && !ouro__is_of(me->orc, object))
        return false; /* there the words do not tell */
    /* Acquire: as in ouro_is_unique. */
    ouro_word b = ouro__load_acquire(&h->shared);
    return b == ((ouro_word)type->id << OURO__TYPE_SHIFT | me->home) &&
           *(const ouro__first_half *)h == type->counts + me->home - 1;
}

/* destroy_for_reuse for those, which no hook can see: nothing is left to be done but the drops. */
static void drop_references(struct ouro__thread *me, char *object, const struct ouro_type *type)
{
    struct ouro_header *h = ouro__header(object);
    *(ouro__first_half *)h = OURO__AWAY_HALF;
    ouro__store(&h->shared, (ouro_word)type->id << OURO__TYPE_SHIFT | OURO__EMPTIED);
    bool releasing = me->releasing;
    me->releasing = me->whole = true;
    for (uint32_t i = 0; i < type->ref_count; i++)
        ouro_decref_biased(*(void **)(void *)(object + type->refs[i]));
    me->releasing = releasing;
    me->whole = false;
    if (me->born_dead.first || OURO_UNLIKELY(me->wrong.object != NULL))
        release_beside(me, object);
}

ouro_reuse ouro_drop_reuse(void *object)
{
    ouro_reuse token = {NULL};
    struct ouro__thread *me = ouro__me();
    if (!object || !me)
        return token;
    const struct ouro_type *type = ouro_type_of(object);
    if (OURO_LIKELY(is_fresh_and_flat(me, object, type)) && !me->apart) {
        drop_references(me, object, type);
        token.cell = object;
        return token;
    }
    ouro_word b = ouro__load(&ouro__header(object)->shared);
    if (ouro__is_freed(b) || ouro__is_elsewhere(me, object, b) ||
        !can_be_reused(me, object, type)) {
        ouro__decref_out(object);
        return token;
    }
    if (destroy_for_reuse(me, object, type))
        token.cell = object;
    return token;
}

ouro_reuse ouro__take_reuse_in_out(struct ouro_context *context, void *object)
{
    if (OURO_CHECKED)
        ouro__context_check(context);
    return ouro__take_reuse_out(object);
}

void *ouro__new_reuse_in_out(struct ouro_context *context, ouro_reuse token, struct ouro_type *type,
                             size_t size)
{
    if (OURO_CHECKED)
        ouro__context_check(context);
    return ouro__new_reuse_out(token, type, size);
}

void *ouro__new_reuse_out(ouro_reuse token, struct ouro_type *type, size_t size)
{
    if (!token.cell)
        return ouro_new_uninit_biased(type, size);
    const struct ouro__thread *me = ouro__me();
    const struct ouro_type *was = ouro_type_of(token.cell);
    unsigned have = ouro__class_of(was->size + sizeof(struct ouro_header));
    /* LARGE: taken inline, the cell may be larger than its type says */
    if (!me || me->apart || !ouro__is_of(me->orc, token.cell) || type->birth == 0 ||
        size > OURO__SMALL_MAX_SIZE / 2 || (was->state & OURO__TYPE_LARGE) ||
        ouro__class_of(size + sizeof(struct ouro_header)) != have ||
        /* blocks are no larger than asked for, or tools believe so */
        ((ouro__supply()->block || ouro__context.heap->watched) && size > was->size)) {
        ouro_reuse_free(token);
        return ouro_new_uninit_biased(type, size);
    }
    ouro__tell_aligned(type);
    ouro__write_header(token.cell, type, OURO__BORN_BIASED, me->home);
    return token.cell;
}

void ouro_reuse_free(ouro_reuse token)
{
    if (token.cell)
        ouro__free_object(token.cell, ouro_type_of(token.cell));
}
