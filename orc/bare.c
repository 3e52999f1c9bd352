/* SPDX-License-Identifier: MIT */
/* bare.c: drops of bare objects, out of line, and the end of such objects (orc/bare.h).
 *
 * The protocol is docs/adr/0015, its model bare.pml. Invariants of the counts as in docs/counts.md;
 * Q is clear in every bare object. */
#include "orc/bare.h"
#include "alloc/fail.h"
#include "alloc/os.h"
#include "alloc/pool.h"
#include "orc/cycle.h"
#include "orc/birth.h"
#include "orc/checked.h"
#include "orc/index.h"
#include "orc/payload.h"

OURO_TLS uintptr_t ouro__deep = UINTPTR_MAX;

/* -- types ------------------------------------------------------------------------------------- */

/* Objects of type 0 lie as all small objects do. Others have one of these until a descriptor is
 * passed: so that whoever gives their memory back knows where the block begins. */
#define CARRIERS 31
static struct ouro_type carriers[CARRIERS];

bool ouro__is_carrier(const struct ouro_type *type)
{
    return type >= carriers && type < carriers + CARRIERS;
}

struct ouro_type *ouro__carrier_of(size_t align)
{
    unsigned i = (unsigned)__builtin_ctzll(align);
    if (i >= CARRIERS)
        return NULL;
    struct ouro_type *type = &carriers[i];
    if (OURO_LIKELY(ouro__type_known(type)))
        return type;
    ouro__types_lock();
    if (!ouro__type_known(type))
        *type =
            (struct ouro_type){.name = "untyped", .flags = OURO_BARE, .size = 1, .align = align};
    ouro__types_unlock();
    return ouro_type_register(type, NULL) == OURO_OK ? type : NULL;
}

static ouro_word resolver; /* what ouro_set_resolver was told */

void ouro_set_resolver(struct ouro_type *(*resolve)(const void *object, const void *descriptor))
{
    ouro__store_release(&resolver, (ouro_word)resolve);
}

struct ouro_type *ouro__resolve(const void *object, const struct ouro_type *later)
{
    uintptr_t told = (uintptr_t)later;
    if (!(told & 1))
        return (struct ouro_type *)told;
    /* Acquire: pairs with ouro_set_resolver. */
    ouro_word set = ouro__load_acquire(&resolver);
    struct ouro_type *(*resolve)(const void *, const void *);
    memcpy(&resolve, &set, sizeof resolve);
    return resolve ? resolve(object, (const void *)(told - 1)) : NULL;
}

bool ouro__stamp_out(void *object, ouro_word *shared, struct ouro_type *type)
{
    if (!ouro__type_known(type) && ouro_type_register(type, NULL) != OURO_OK)
        return false;
    if (type->id >= OURO__WIDE_TYPE)
        return false;
    struct ouro_header *h = ouro__header(object);
    const struct ouro_type *was = ouro__type_of(object, *shared);
    if (was && !ouro__is_carrier(was))
        return true;
    if (type->size + sizeof *h > OURO__SMALL_MAX_SIZE)
        ouro__type_set_state(type, OURO__TYPE_LARGE);
    ouro__tell_aligned(type);
    ouro_word next;
    do /* of acyclic ones others may change the counts meanwhile */
        next = (*shared & ~OURO__TYPE_MASK) | (ouro_word)type->id << OURO__TYPE_SHIFT;
    while (!ouro__cas_full(&h->shared, shared, next));
    *shared = next;
    return true;
}

/* -- the end ----------------------------------------------------------------------------------- */

/* The caller's reference was the last, and the runtime destroys the object. */
static void destroy(struct ouro__thread *me, void *object)
{
    struct ouro_header *h = ouro__header(object);
    ouro_word b = ouro__load(&h->shared);
    ouro__half_store(&h->local, ouro__owned_local(b, 0));
    ouro__store(&h->shared, b & (OURO__UNIT - 1)); /* no reference is left */
    ouro__die(me, object);
}

/* One that another thread has the index of cannot be chained, for its header is needed: an object
 * that can dies in its place. False: no memory for that. */
struct proxy {
    void *object;
};

static void destroy_proxied(void *value, const struct ouro_type *proxy)
{
    void *object = ((struct proxy *)value)->object;
    const struct ouro_type *type = ouro__type_of(object, ouro__load(&ouro__header(object)->shared));
    (void)proxy;
    if (type->hooks.destroy)
        type->hooks.destroy(object, type);
    ouro__dispose_out(object);
}

static struct ouro_type proxy_type = {.flags = OURO_ACYCLIC,
                                      .size = sizeof(struct proxy),
                                      .name = "bare object that dies",
                                      .hooks = {.destroy = destroy_proxied}};

void ouro__proxy_left(const void *object, const struct ouro_type *type)
{
    if (type == &proxy_type)
        ouro__dispose_out(((const struct proxy *)object)->object);
}

static bool destroy_by_proxy(void *object)
{
    struct proxy *proxy = ouro__new_quiet(&proxy_type, sizeof *proxy);
    if (!proxy)
        return false;
    proxy->object = object;
    ouro__decref_out(proxy);
    return true;
}

/* Where a thread's drops are destroyed by the runtime: when half of its stack is used, or DEEP. */
#define DEEP ((uintptr_t)4 << 20)
#define SURE ((uintptr_t)512 << 10)

static bool is_deep(uintptr_t frame)
{
    static OURO_TLS uintptr_t lowest; /* kept: the system reads a file for a main thread's */
    if (ouro__deep == UINTPTR_MAX) {
        uintptr_t low, high;
        bool known = ouro__os_stack(&low, &high);
        if (!known) { /* this much is there on any stack */
            high = frame;
            low = frame - SURE;
        }
        uintptr_t room = (high - low) / 2;
        ouro__deep = high - (room < DEEP ? room : DEEP);
        lowest = known ? low : 0;
    }
    /* Another stack may lie below: a fiber's. */
    return frame < ouro__deep && frame >= lowest;
}

bool ouro__decref_deep(void *object, struct ouro_type *type)
{
    struct ouro_header *h = ouro__header(object);
    ouro_word b = ouro__load(&h->shared);
    struct ouro__thread *me = ouro__me();
    if (!me || !is_deep((uintptr_t)__builtin_frame_address(0)))
        return true;
    if (!ouro__stamp(object, &b, type))
        return true;
    if (!ouro__has_no_index(ouro__half_load(&h->visited)))
        return !destroy_by_proxy(object);
    destroy(me, object);
    return false;
}

/* -- drops ------------------------------------------------------------------------------------- */

void ouro__candidate_bare(void *object, struct ouro_type *type)
{
    struct ouro__thread *me = ouro__me();
    struct ouro_header *h = ouro__header(object);
    if (me)
        ouro__candidate_dropped(me, object, type);
    else
        ouro__half_store(&h->local, ouro__half_load(&h->local) - OURO__LOCAL_UNIT);
}

void ouro__candidate_slowly(struct ouro__thread *me, void *object, struct ouro_type *type)
{
    struct ouro_header *h = ouro__header(object);
    ouro_word b = ouro__load(&h->shared);
    if (!ouro__stamp(object, &b, type)) {
        ouro__index_let_go(h);
        return;
    }
    if (type->flags & OURO_ACYCLIC) {
        ouro__half_store(&h->visited, OURO__ACYCLIC);
        return;
    }
    ouro__remember_bare(me, object);
    ouro__collect_if_due(me);
}

/* An object that nobody has the index of gets one before it is dropped: then no other thread's
 * collection can reach it meanwhile. False: it has none, as something is in the way. */
static bool enter_first(struct ouro__thread *me, void *object, struct ouro_type *type)
{
    struct ouro__visited *v = &me->visited;
    struct ouro_header *h = ouro__header(object);
    ouro_word b = ouro__load(&h->shared);
    ouro_half none = 0;
    if ((type->flags & OURO_ACYCLIC) || !v->bare || v->free_place || v->count == v->capacity ||
        !ouro__stamp(object, &b, type) || !ouro__half_cas_full(&h->visited, &none, v->count + 1))
        return false;
    v->entries[v->count++] = (struct ouro__entry){object, 0, 0};
    v->live_places++;
    return true;
}

void ouro__candidate_beside(struct ouro__thread *me, void *object, struct ouro_type *type)
{
    struct ouro_header *h = ouro__header(object);
    ouro_word b = ouro__load(&h->shared);
    (void)ouro__stamp(object, &b, type); /* now: it may ask for memory */
    bool entered = ouro__half_load(&h->visited) == 0 && enter_first(me, object, type);
    bool held = !entered && ouro__index_hold(me, h, 0);
    ouro__half_store(&h->local, ouro__half_load(&h->local) - OURO__LOCAL_UNIT);
    if (entered)
        ouro__collect_if_due(me);
    else if (!held)
        ouro__index_own(h);
    else if (ouro__half_load(&h->visited) == OURO__HOLD)
        ouro__candidate_now(me, object, type);
    else
        ouro__index_let_go(h); /* it is another thread's to see to */
}

/* References that are counted, wherever. */
static int64_t all_references(const struct ouro_header *h, ouro_word b)
{
    bool merged = b & OURO__MERGED;
    return ouro__count_of(b) + (merged ? 0 : ouro__local_count(ouro__half_load(&h->local)));
}

/* The object becomes the caller's, with n references. `local` first: who acquires the new shared
 * word sees it (docs/counts.md, d). */
static bool take_over(const struct ouro__thread *me, struct ouro_header *h, ouro_word *b, int64_t n)
{
    ouro_half before = ouro__half_load(&h->local);
    int64_t part = n < OURO__LOCAL_MOST ? n : OURO__LOCAL_MOST;
    ouro_word next = (*b & (OURO__TYPE_MASK | OURO__WEAK)) | me->home |
                     (ouro_word)(n - part) << OURO__COUNT_SHIFT;
    ouro__half_store(&h->local, ouro__owned_local(next, part));
    if (ouro__cas_full(&h->shared, b, next))
        return true;
    ouro__half_store(&h->local, before);
    return false;
}

/* The last one: the counts stay as they are. What another thread has the index of shows HOLD from
 * now on, so that no collection begins to look into it. */
static bool drop_last(struct ouro__thread *me, void *object, struct ouro_type *type)
{
    struct ouro_header *h = ouro__header(object);
    ouro__forget(me, h);
    if (ouro__place_in(ouro__visited_acquire(h)) != 0)
        (void)ouro__index_hold(me, h, 0);
    return !ouro__is_deep(ouro__deep) || ouro__decref_deep(object, type);
}

/* After a drop that left references: who sees to it that its cycle is found? */
static void settle_index(struct ouro__thread *me, void *object, struct ouro_type *type, bool held)
{
    struct ouro_header *h = ouro__header(object);
    ouro_half visited = ouro__half_load(&h->visited);
    if (visited == (held ? OURO__HOLD : 0)) {
        ouro__candidate_now(me, object, type);
        return;
    }
    if (ouro__place_in(visited) == OURO__LOST)
        ouro__remember_lost(me, object);
    if (held)
        ouro__index_let_go(h);
    else
        ouro__index_own(h);
}

/* The program orders all that threads do to the object (S), so the sum of both counts is exact. */
static bool drop_typed(struct ouro__thread *me, void *object, struct ouro_type *type)
{
    struct ouro_header *h = ouro__header(object);
    ouro_word b = ouro__load_acquire(&h->shared);
    int64_t n;
    bool held = false;
    do {
        n = all_references(h, b) - 1;
        if (OURO_UNLIKELY(n < 0)) {
            ouro__over_release(object, b);
            return false;
        }
        if (n == 0)
            return drop_last(me, object, type);
        held = held || ouro__index_hold(me, h, OURO__AWAY);
    } while (!take_over(me, h, &b, n));
    settle_index(me, object, type, held);
    return false;
}

/* Has an index, or a collection may give it one. */
static bool is_indexed(const struct ouro_header *h)
{
    return ouro__visited_acquire(h) != 0 || ouro__is_traced_bare(ouro__load(&h->shared));
}

bool ouro__decref_last_bare_out(void *object)
{
    struct ouro__thread *me = ouro__me();
    if (!object)
        return false;
    struct ouro_header *h = ouro__header(object);
    bool held = is_indexed(h) && ouro__index_hold(me, h, 0);
    bool last = ouro__decref_last_out(object);
    if (last && me) /* no collection is to look into what is being destroyed */
        ouro__forget(me, h);
    if (held && (!last || ouro__half_load(&h->visited) == OURO__HOLD))
        ouro__index_let_go(h);
    return last;
}

bool ouro__decref_last_of_out(void *object, struct ouro_type *type)
{
    ouro_word b = ouro__load(&ouro__header(object)->shared);
    struct ouro__thread *me = ouro__me();
    bool shared = !me || me->home == OURO__NO_TOKEN || (type->flags & OURO_ACYCLIC);
    if ((b & OURO__IMMORTAL) || shared) {
        if (me && !(b & OURO__IMMORTAL))
            ouro__stamp(object, &b, type);
        return ouro__decref_last_bare_out(object);
    }
    if (OURO_CHECKED)
        ouro__checked_touch(object, me);
    return drop_typed(me, object, type);
}
