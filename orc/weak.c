/* SPDX-License-Identifier: MIT */
/* weak.c: the side tables of weak cells.
 *
 * Each runtime has one for its objects; its cells are memory of that runtime too (N2 of
 * docs/adr/0012). One cell for an object, found by its address; 32 buckets, each with a lock and
 * lists of its own, four times as many whenever they have got longer than LONG on the average.
 * Protocol: docs/counts.md, Weak; model: tests/models/weak.pml.
 *
 *  W1  The flag W is set before the object's cell can be found, and stays until its death. What is
 *      immortal has none: it may be static const data.
 *  W2  A cell's `object` is read and cleared under its bucket's lock only. Death takes that lock
 *      before the memory goes, so an upgrade may read the header while it has the lock.
 *  W3  A cell's references go from 1 to 0 under the lock; so a cell that is found there lives.
 *  W4  The lists of a bucket change under its lock: whoever looks again after it was free finds
 *      them anew, by the object.
 * Inside the lock there is no hook and no other lock but that of foreign bytes (foreign.c); a cell
 * is allocated before it, and so are lists. */
#include "orc/weak.h"
#include "alloc/pool.h"
#include "alloc/runtime.h"
#include "orc/checked.h"
#include "orc/state.h"

#include <string.h>

struct ouro_weak {
    ouro_word references;
    void *object; /* NULL: dead */
    struct ouro_weak *next;
    struct ouro__bucket *bucket;
};

#define LONG 4
enum { BUCKET_BITS = 5 };
OURO_STATIC_ASSERT(OURO__WEAK_BUCKETS == 1 << BUCKET_BITS, "the bits of ouro__weak_bucket");

/* The upper bits choose the bucket, those below them the list. */
static uint64_t hash_of(const void *object)
{
    return ((uintptr_t)object >> 4) * 0x9E3779B97F4A7C15u;
}

unsigned ouro__weak_bucket(const void *object)
{
    return (unsigned)(hash_of(object) >> (64 - BUCKET_BITS));
}

void ouro__weak_lock(struct ouro__orc *orc, unsigned bucket)
{
    ouro__orc_lock(&orc->buckets[bucket].lock);
}
void ouro__weak_unlock(struct ouro__orc *orc, unsigned bucket)
{
    ouro__orc_unlock(&orc->buckets[bucket].lock);
}

static struct ouro_weak **list_of(struct ouro__bucket *bucket, const void *object)
{
    if (bucket->bits == 0)
        return &bucket->first;
    return &bucket->lists[hash_of(object) << BUCKET_BITS >> (64 - bucket->bits)];
}

static struct ouro_weak **find(struct ouro__bucket *bucket, const void *object)
{
    struct ouro_weak **at = list_of(bucket, object);
    while (*at && (*at)->object != object)
        at = &(*at)->next;
    return at;
}

/* With the lock: their cells go to four times as many lists. */
static void spread(struct ouro__bucket *bucket, struct ouro_weak **lists, unsigned bits)
{
    size_t olds = (size_t)1 << bucket->bits;
    struct ouro_weak **old = bucket->bits == 0 ? &bucket->first : bucket->lists;
    bucket->lists = lists;
    bucket->bits = bits;
    for (size_t i = 0; i < olds; i++) {
        for (struct ouro_weak *weak = old[i], *next; weak; weak = next) {
            next = weak->next;
            struct ouro_weak **list = list_of(bucket, weak->object);
            weak->next = *list;
            *list = weak;
        }
    }
}

/* Without memory the lists get longer. Memory of the runtime, like the cells. */
static OURO_NOINLINE void make_lists(struct ouro__bucket *bucket, unsigned bits)
{
    size_t bytes = sizeof(struct ouro_weak *) << (bits + 2);
    struct ouro_weak **lists = ouro__realloc_alone(NULL, bytes), **old = NULL;
    if (!lists)
        return;
    memset(lists, 0, bytes);
    ouro__orc_lock(&bucket->lock);
    if (bucket->bits == bits) { /* else another thread was faster */
        old = bucket->lists;
        spread(bucket, lists, bits + 2);
        lists = old;
    }
    ouro__orc_unlock(&bucket->lock);
    ouro_free(lists);
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
    bucket->count--;
    weak->object = NULL;
}

void ouro__weak_clear(struct ouro__orc *orc, void *object)
{
    unsigned bucket = ouro__weak_bucket(object);
    ouro__weak_lock(orc, bucket);
    ouro__weak_clear_locked(orc, object);
    ouro__weak_unlock(orc, bucket);
}

size_t ouro__weak_handles(struct ouro__orc *orc, const void *object)
{
    struct ouro_weak *weak = *find(&orc->buckets[ouro__weak_bucket(object)], object);
    return weak ? ouro__load(&weak->references) : 0;
}

const void *ouro__weak_target(struct ouro_weak *weak)
{
    ouro__orc_lock(&weak->bucket->lock);
    const void *object = weak->object;
    ouro__orc_unlock(&weak->bucket->lock);
    return object;
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
        struct ouro_weak **list = list_of(bucket, object);
        *fresh = (struct ouro_weak){1, object, *list, bucket};
        *list = fresh;
        bucket->count++;
    }
    unsigned bits = bucket->bits;
    bool crowded = bucket->count >> bits > LONG;
    ouro__orc_unlock(&bucket->lock);
    if (OURO_UNLIKELY(crowded))
        make_lists(bucket, bits);
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
        ouro__note_plain(me);
        *full = !ouro__local_incref(h);
        return true;
    }
    /* No note abroad: who isolates looks twice where there are handles (isolate.c, D3). */
    for (;;) {
        if (ouro__is_dying(b) || ((b & OURO__MERGED) && ouro__count_of(b) == 0))
            return false;
        if (b & OURO__IMMORTAL)
            return true;
        *full = ouro__count_of(b) >= OURO__COUNT_LIMIT;
        /* Acquire: pairs with the releases by which others dropped the object so far. */
        if (ouro__cas_acquire(&h->shared, &b, b + OURO__UNIT)) {
            ouro__note_rmw(me);
            return true;
        }
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
        *find(bucket, weak->object) = weak->next;
        bucket->count--;
    }
    ouro__orc_unlock(&bucket->lock);
    if (last)
        ouro_free(weak);
}
