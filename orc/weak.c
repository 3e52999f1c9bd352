/* SPDX-License-Identifier: MIT */
/* weak.c: the side tables of weak cells.
 *
 * Each runtime has one for its objects; its cells are memory of that runtime too (N2 of
 * docs/adr/0012). One cell for an object, found by its address; 32 buckets, each with a lock.
 * Protocol: docs/counts.md, Weak; model: tests/models/weak.pml.
 *
 *  W1  The flag W is set before the object's cell can be found, and stays until its death. What is
 *      immortal has none: it may be static const data.
 *  W2  A cell's `object` is read and cleared under its bucket's lock only. Death takes that lock
 *      before the memory goes, so an upgrade may read the header while it has the lock.
 *  W3  A cell's references go from 1 to 0 under the lock; so a cell that is found there lives.
 * Inside the lock there is no hook and no other lock but that of foreign bytes (foreign.c); a cell
 * is allocated before it. */
#include "orc/weak.h"
#include "alloc/pool.h"
#include "alloc/runtime.h"
#include "orc/checked.h"
#include "orc/state.h"

struct ouro_weak {
    ouro_word references;
    void *object; /* NULL: dead */
    struct ouro_weak *next;
    struct ouro__bucket *bucket;
};

unsigned ouro__weak_bucket(const void *object)
{
    return (unsigned)(((uintptr_t)object >> 4) * 0x9E3779B97F4A7C15u >> 59);
}
OURO_STATIC_ASSERT(OURO__WEAK_BUCKETS == 32, "ouro__weak_bucket gives five bits");

void ouro__weak_lock(struct ouro__orc *orc, unsigned bucket)
{
    ouro__orc_lock(&orc->buckets[bucket].lock);
}
void ouro__weak_unlock(struct ouro__orc *orc, unsigned bucket)
{
    ouro__orc_unlock(&orc->buckets[bucket].lock);
}

static struct ouro_weak **find(struct ouro__bucket *bucket, const void *object)
{
    struct ouro_weak **at = &bucket->first;
    while (*at && (*at)->object != object)
        at = &(*at)->next;
    return at;
}

void ouro__weak_clear_locked(struct ouro__orc *orc, void *object)
{
    ouro__foreign_forget(object);
    struct ouro__bucket *bucket = &orc->buckets[ouro__weak_bucket(object)];
    struct ouro_weak **at = find(bucket, object);
    struct ouro_weak *weak = *at;
    if (!weak)
        return;
    *at = weak->next;
    weak->object = NULL;
}

void ouro__weak_clear(struct ouro__orc *orc, void *object)
{
    unsigned bucket = ouro__weak_bucket(object);
    ouro__weak_lock(orc, bucket);
    ouro__weak_clear_locked(orc, object);
    ouro__weak_unlock(orc, bucket);
}

/* From another runtime: the cell is memory of the object's. */
static OURO_NOINLINE struct ouro_weak *new_elsewhere(void *object)
{
    struct ouro_runtime *there = ouro__visit(object);
    if (!there)
        return NULL;
    struct ouro_weak *weak = ouro_weak_new(object);
    ouro_runtime_leave(there);
    return weak;
}

struct ouro_weak *ouro_weak_new(void *object)
{
    struct ouro__thread *me = object ? ouro__me() : NULL;
    if (!me)
        return NULL;
    ouro__check_alive(object, "a weak handle was asked for, but it is gone");
    if (OURO_UNLIKELY(!ouro__is_of(me->orc, object)) && ouro__runtime_of(object))
        return new_elsewhere(object);
    struct ouro_weak *fresh = ouro_malloc(sizeof *fresh);
    if (!fresh)
        return NULL;
    ouro__weak_flag(ouro__header(object)); /* W1 */
    struct ouro__bucket *bucket = &me->orc->buckets[ouro__weak_bucket(object)];
    ouro__orc_lock(&bucket->lock);
    struct ouro_weak *weak = *find(bucket, object);
    if (weak) {
        ouro__fetch_add(&weak->references, 1);
    } else {
        *fresh = (struct ouro_weak){1, object, bucket->first, bucket};
        bucket->first = fresh;
    }
    ouro__orc_unlock(&bucket->lock);
    if (!weak)
        return fresh;
    ouro_free(fresh);
    return weak;
}

/* Under the lock: a strong reference to an object whose cell is not cleared; false: it is dead. */
static bool upgrade(struct ouro__thread *me, struct ouro_header *h, bool *full)
{
    ouro_word b = ouro__load(&h->shared);
    if (me && ouro__holds(me, b) && !(b & OURO__IMMORTAL)) {
        *full = !ouro__local_incref(h);
        return true;
    }
    for (;;) {
        if (ouro__is_dying(b) || ((b & OURO__MERGED) && ouro__count_of(b) == 0))
            return false;
        if (b & OURO__IMMORTAL)
            return true;
        *full = ouro__count_of(b) >= OURO__COUNT_LIMIT;
        /* Acquire: pairs with the releases by which others dropped the object so far. */
        if (ouro__cas_acquire(&h->shared, &b, b + OURO__UNIT))
            return true;
    }
}

void *ouro_weak_upgrade(struct ouro_weak *weak)
{
    struct ouro__thread *me = ouro__me();
    if (!weak || !me)
        return NULL;
    struct ouro__bucket *bucket = weak->bucket;
    ouro__orc_lock(&bucket->lock);
    void *object = weak->object;
    bool wrong = OURO_CHECKED && object && ouro__checked_foreign(object, me);
    bool full = false;
    if (object && !wrong && !upgrade(me, ouro__header(object), &full))
        object = NULL;
    ouro__orc_unlock(&bucket->lock);
    if (OURO_UNLIKELY(object && full))
        ouro__saturate(object);
    if (wrong)
        ouro__checked_touch(object, me);
    return object;
}

void ouro_weak_incref(struct ouro_weak *weak)
{
    if (weak)
        ouro__fetch_add(&weak->references, 1);
}

void ouro_weak_decref(struct ouro_weak *weak)
{
    if (!weak)
        return;
    ouro_word n = ouro__load(&weak->references);
    while (n > 1) {
        /* Release: pairs with the full RMW of the last handle, below. */
        if (ouro__cas_release(&weak->references, &n, n - 1))
            return;
    }
    struct ouro__bucket *bucket = weak->bucket;
    ouro__orc_lock(&bucket->lock);
    bool last = ouro__fetch_add_full(&weak->references, (ouro_word)-1) == 1;
    if (last && weak->object) {
        struct ouro_weak **at = &bucket->first;
        while (*at != weak)
            at = &(*at)->next;
        *at = weak->next;
    }
    ouro__orc_unlock(&bucket->lock);
    if (last)
        ouro_free(weak);
}
