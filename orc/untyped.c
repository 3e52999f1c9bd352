/* SPDX-License-Identifier: MIT */
/* untyped.c: drops that nobody may destroy for the program: it is told at once whether that was the
 * last reference, and destroys the object itself. For objects without a descriptor. */
#include "orc/checked.h"
#include "orc/state.h"

/* Whether the caller's reference is the only one, so that no RMW is needed: drops are ordered, and
 * nobody else has a reference to take another by. The counts stay as they are. A spill may come
 * between the two loads; then the shared one has changed (untyped.pml, fault 3). */
static bool is_only_one(const struct ouro_header *h)
{
    /* Acquire: what others did to it before they dropped it comes before its destruction. */
    ouro_word b = ouro__load_acquire(&h->shared);
    if (b & (OURO__QUEUED | OURO__IMMORTAL | OURO__MERGED))
        return false;
    if (ouro__local_count(ouro__half_load(&h->local)) + ouro__count_of(b) != 1)
        return false;
    ouro__fence_acquire();
    return ouro__count_of(ouro__load(&h->shared)) == ouro__count_of(b);
}

/* By a thread that does not count in `local`, or by the owner where that is 0 and Q is set (I5). */
static bool drop_as_other(void *object, struct ouro_header *h)
{
    if (is_only_one(h))
        return true;
    ouro__note_abroad(ouro__self);
    ouro__note_rmw(ouro__self);
    ouro_word was = ouro__fetch_add_full(&h->shared, -OURO__UNIT);
    int64_t count = ouro__count_of(was) - 1;
    if (was & OURO__MERGED) {
        if (OURO_UNLIKELY(count < 0)) {
            ouro__fetch_add(&h->shared, OURO__UNIT);
            ouro__over_release(object, was);
        }
        return count == 0;
    }
    if (count >= 0 || (was & OURO__QUEUED))
        return false;
    if (ouro__local_count(ouro__half_load(&h->local)) + count != 0)
        return false;
    /* The owner may have moved references between the counts meanwhile: then it has some. Pairs
     * with the RMW of spill (count.c), which comes before its store. */
    ouro__fence_acquire();
    return ouro__count_of(ouro__load(&h->shared)) == count;
}

/* By the owner, whose `local` counts something. */
static bool drop_as_owner(void *object, struct ouro_header *h)
{
    ouro_half before = ouro__half_load(&h->local);
    int64_t local = ouro__local_count(before) - 1;
    ouro_word b = ouro__load_acquire(&h->shared);
    ouro_half after = ouro__owned_local(b, local);
    ouro__note_plain(ouro__self);
    ouro__half_store(&h->local, after);
    for (;; b = ouro__load_acquire(&h->shared)) {
        int64_t count = ouro__count_of(b);
        if (b & OURO__QUEUED)
            return false;
        if (OURO_UNLIKELY(local + count < 0)) {
            ouro__half_store(&h->local, before);
            ouro__over_release(object, b);
        }
        if (local + count == 0)
            return true;
        if (count == 0 || (local > 0 && count >= OURO__LOCAL_PART))
            return false;
        ouro__note_rmw(ouro__self);
        if (count >= OURO__LOCAL_PART) { /* they may well be its own, as in a zero drop */
            if (ouro__fold(h, &b))
                return false;
            continue;
        }
        ouro__half_store(&h->local, OURO__LOCAL_AWAY); /* merged on the spot */
        ouro_word merged = (b & ~OURO__OWNER_MASK & (OURO__UNIT - 1)) | OURO__MERGE;
        if (ouro__cas_full(&h->shared, &b,
                           merged | (ouro_word)(local + count) << OURO__COUNT_SHIFT))
            return false;
        ouro__half_store(&h->local, after);
    }
}

/* Answers at once, under the promise that drops by different threads are ordered
 * (counts.md, without any descriptor). Model: untyped.pml. */
bool ouro__decref_last_out(void *object)
{
    if (!object)
        return false;
    struct ouro_header *h = ouro__header(object);
    ouro_word b = ouro__load(&h->shared);
    struct ouro__thread *me = ouro__me();
    if (b & OURO__IMMORTAL)
        ouro__decref_out(object); /* dying: a hook took that reference; or gone */
    if (!me || (b & OURO__IMMORTAL))
        return false;
    if (OURO_CHECKED)
        ouro__checked_touch(object, me);
    if (!ouro__holds(me, b))
        return drop_as_other(object, h);
    if (ouro__local_count(ouro__half_load(&h->local)) > 0)
        return drop_as_owner(object, h);
    if (OURO_UNLIKELY(!(b & OURO__QUEUED)))
        ouro__over_release(object, b);
    return drop_as_other(object, h);
}
