/* SPDX-License-Identifier: MIT */
/* runtime.c: what counts and collections keep for each runtime; visits; how a runtime ends
 * (docs/adr/0012).
 *
 *  N9  Whatever a thread does to an object beyond one RMW on its shared word it does in the
 *      object's runtime: if it is in another, it visits that one.
 *  N10 The record that a thread leaves behind is parked, unless it is in the middle of a release or
 *      a collection; `away` says that it is, and is set when nothing can come in between any more.
 *
 * Lock order: the registry's lock (token.h), which guards the list of all, then as fork.c takes
 * them. */
#include "alloc/heap.h"
#include "alloc/options.h"
#include "alloc/runtime.h"
#include "hooks/value.h"
#include "hooks/walk.h"
#include "orc/chain.h"
#include "orc/checked.h"
#include "orc/leak.h"
#include "orc/payload.h"
#include "orc/state.h"

static struct ouro__orc default_orc = {
    .orphans_lock = OURO__MUTEX_INIT,
    .buckets = {[0 ... OURO__WEAK_BUCKETS - 1] = {.lock = OURO__MUTEX_INIT}},
};
struct ouro__orc *ouro__orcs;
static struct ouro__pool pool = {NULL, sizeof(struct ouro__orc), offsetof(struct ouro__orc, next)};

static struct ouro__orc *fresh_orc(void)
{
    struct ouro__orc *orc = ouro__pool_take(&pool);
    if (!orc)
        return NULL;
    memset(orc, 0, sizeof *orc);
    ouro__mutex_reset(&orc->orphans_lock);
    for (unsigned i = 0; i < OURO__WEAK_BUCKETS; i++)
        ouro__mutex_reset(&orc->buckets[i].lock);
    if (ouro__own.orc_forks)
        ouro__orc_before_fork(orc);
    return orc;
}

struct ouro__orc *ouro__orc_of(struct ouro_runtime *runtime)
{
    ouro_word *above = ouro__runtime_above(runtime);
    /* Acquire, here and below: pairs with the release that publishes it. */
    struct ouro__orc *orc = (struct ouro__orc *)ouro__load_acquire(above);
    if (orc)
        return orc;
    orc = runtime == ouro_runtime_default() ? &default_orc : fresh_orc();
    if (!orc)
        return NULL;
    orc->runtime = runtime;
    orc->next = ouro__orcs;
    ouro__orcs = orc;
    ouro__tool_words(&orc->lost, sizeof orc->lost);
    /* Release: pairs with the acquires of this word; some readers do not have the lock. */
    ouro__store_release(above, (ouro_word)orc);
    return orc;
}

void ouro__orc_before_fork(struct ouro__orc *orc)
{
    ouro__lock(&orc->orphans_lock);
    for (unsigned i = 0; i < OURO__WEAK_BUCKETS; i++)
        ouro__lock(&orc->buckets[i].lock);
}

void ouro__orc_after_fork(struct ouro__orc *orc, bool child)
{
    for (unsigned i = 0; i < OURO__WEAK_BUCKETS; i++)
        ouro__mutex_after_fork(&orc->buckets[i].lock, child);
    ouro__mutex_after_fork(&orc->orphans_lock, child);
}

struct ouro__orc *ouro__orc_of_object(const void *object)
{
    struct ouro_runtime *runtime = ouro_runtime_default();
    if (ouro__load(&ouro__more_runtimes) != 0)
        runtime = ouro__runtime_of(object);
    return (struct ouro__orc *)ouro__load_acquire(ouro__runtime_above(runtime));
}

/* -- visits ------------------------------------------------------------------------------------ */

bool ouro__is_elsewhere_out(const struct ouro__thread *me, const void *object, ouro_word b)
{
    if (OURO_THREADS && !(b & OURO__MERGED))
        return ouro__tokens[b & OURO__OWNER_MASK].orc != me->orc;
    const struct ouro_runtime *runtime = ouro__runtime_of(object);
    return runtime && runtime != me->orc->runtime;
}

struct ouro_runtime *ouro__visit(const void *object)
{
    struct ouro_runtime *there = ouro__runtime_of(object);
    if (!there || ouro_runtime_enter(there) != OURO_OK)
        return NULL;
    if (ouro__me())
        return there;
    ouro_runtime_leave(there);
    return NULL;
}

void ouro__visit_decref(void *object)
{
    struct ouro_runtime *there = ouro__visit(object);
    if (!there)
        return; /* no memory: the object leaks rather than dies wrongly */
    bool hushed = ouro__own.hushed && ouro__release_hush(ouro__self);
    ouro__decref_out(object);
    if (hushed)
        ouro__release_plain(ouro__self);
    ouro_runtime_leave(there);
}

/* -- turning ----------------------------------------------------------------------------------- */

void ouro__orc_left(void)
{
    if (ouro__self)
        ouro__unwind_all(ouro__self);
}

void ouro__orc_leaving(void)
{
    struct ouro__thread *me = ouro__self;
    if (me && me->apart)
        ouro__unpark_to(me, 0); /* a park was the thread's, and the record may be another's next */
    if (!OURO_THREADS || !me || me->park_depth > 0 || me->releasing || me->visited.collecting)
        return;
    /* A merger allocates nothing: room for what it may remember. */
    if (me->visited.capacity - me->visited.count < 2 * OURO__MERGE_MOST)
        ouro__visited_grow(&me->visited);
    if (me->apart)
        me->thread = NULL;
    ouro__enter_park(me);
    me->away = true; /* N10 */
}

void ouro__orc_entering(void *record)
{
    struct ouro__thread *me = record;
    ouro__self = me;
    ouro__set_here(me ? me->home : OURO__NO_TOKEN);
    if (!me || !me->away)
        return;
    me->away = false;
    ouro__run_again(me);
    me->thread = &ouro__own;
    ouro__poll_turning(me);
}

/* -- the end ----------------------------------------------------------------------------------- */

struct leftovers {
    struct ouro__chain chain;
    struct ouro_visitor visitor;
    struct ouro__outside outside;
    struct ouro_runtime *runtime;
    bool again;  /* immortal ones have ended before: they do not show it */
    bool frozen; /* some of its heaps are of threads that a fork left behind */
};

static bool any_frozen(const struct ouro_runtime *runtime)
{
    const struct ouro__heap *heap = ouro__heaps_of(runtime);
    while (heap && ouro__load(&heap->state) != OURO__HEAP_FROZEN)
        heap = heap->next_heap;
    return heap != NULL;
}

/* Whether a thread that is not there may have been about to write its first contents, or its last.
 * Of a merged object nobody knows who made it. */
static bool is_half_made(const struct leftovers *left, ouro_word b)
{
    return OURO_THREADS && left->frozen &&
           ((b & OURO__MERGED) ||
            ouro__load(&ouro__tokens[b & OURO__OWNER_MASK].holder) == OURO__FROZEN);
}

/* An object that is still alive is marked dying, so that what hooks drop of it does nothing more,
 * and linked. Immortal ones are linked as they are: their hooks never run. Payloads of strings and
 * sequences stay what they are: hooks edit and end values, and so free them, and others are born in
 * their cells. What may be half made is not looked into: what it refers to outside lives on. */
static void take_place(const struct ouro__place *place, void *arg)
{
    struct leftovers *left = arg;
    for (size_t i = 0; i < place->blocks; i++) {
        void *object = ouro__object_in(place->block + i * place->bytes);
        struct ouro_header *h = object ? ouro__header(object) : NULL;
        if (!h || ouro__is_payload_type(ouro__type_of(object, ouro__load(&h->shared))))
            continue;
        if (left->again && (ouro__load(&h->shared) & OURO__IMMORTAL))
            continue;
        bool spent = ouro__is_spent(h), half_made = is_half_made(left, ouro__load(&h->shared));
        if (!(ouro__load(&h->shared) & OURO__IMMORTAL))
            ouro__mark_dying(h);
        if (half_made)
            continue;
        if (spent)
            ouro__store(&h->shared, ouro__load(&h->shared) | OURO__STORING);
        ouro__link_set(h, left->chain.first);
        left->chain.first = object;
    }
}

/* Static data is nobody's. */
static bool is_outside(const struct ouro__outside *self, const void *block)
{
    const struct ouro_runtime *of = ouro__runtime_of(block);
    return of && of != OURO_CONTAINER_OF(self, const struct leftovers, outside)->runtime;
}

static void drop_outside(struct ouro_visitor *self, void *object)
{
    const struct leftovers *left = OURO_CONTAINER_OF(self, const struct leftovers, visitor);
    if (is_outside(&left->outside, object))
        ouro__decref_out(object);
}
OURO__DEFINE_VISIT(visit_outside, drop_outside)

static void end_object(struct leftovers *left, void *object, bool run_hooks)
{
    ouro_word b = ouro__load(&ouro__header(object)->shared);
    const struct ouro_type *type = ouro__type_of(object, b);
    if (!type)
        return;
    bool hook = (type->state & OURO__TYPE_DESTROY) && ouro__is_dying(b) && !(b & OURO__STORING);
    if (run_hooks && hook) {
        ouro_destroy_value(object, type);
        return;
    }
    /* References first: some stand in sequences that go with the rest. */
    ouro__each_ref(object, type, &left->visitor, drop_outside);
    ouro__drop_outside(object, type, &left->outside);
}

/* Nothing is a candidate any more: all will be gone. */
static void forget_candidates(struct ouro__thread *me)
{
    struct ouro__visited *v = &me->visited;
    v->count = v->free_place = v->live_places = v->claimed = 0;
    v->lost = false;
    me->orc->orphans = NULL;
    ouro__store(&me->orc->lost, 0);
}

static void report_leaks(void)
{
    int64_t wanted = ouro_option_get(OURO_OPTION_leaks);
    if (OURO_CHECKED)
        ouro__checked_look();
    if (wanted > 0 || (wanted < 0 && OURO_CHECKED))
        ouro_report_leaks();
}

/* A hook may make a new cycle each time: what is left after so many rounds is leftovers. */
#define CYCLE_ROUNDS 64
/* In the last round no hook runs, so that what is left then is all. */
#define LEFTOVER_ROUNDS 8

/* All cycles, merged ones too; false: there is no memory to look for some. A collection that met
 * the process's second thread gives up too, once. */
static bool collect_cycles(struct ouro__thread *me)
{
    struct ouro_collection one = {.freed = 1};
    bool once = false;
    for (unsigned round = 0; round < CYCLE_ROUNDS && one.freed > 0; round++) {
        (void)ouro_collect(&one);
        if (one.freed == 0 && one.abandoned > 0 && !once) {
            once = true;
            (void)ouro_collect(&one);
        }
    }
    return one.abandoned == 0 && !me->visited.lost && !ouro__lost_exist(me->orc);
}

/* What is alive ends; true: hooks ran, and may have made new objects. */
static bool end_leftovers(struct ouro_runtime *runtime, bool run_hooks, unsigned round)
{
    struct leftovers left = {.runtime = runtime,
                             .visitor = {.visit = visit_outside},
                             .outside = {.is_outside = is_outside},
                             .again = round > 0};
    left.frozen = any_frozen(runtime);
    ouro__runtime_each(runtime, OURO__COUNTED, take_place, &left);
    for (void *object = left.chain.first, *next; object; object = next) {
        next = ouro__link_get(ouro__header(object));
        end_object(&left, object, run_hooks);
    }
    return run_hooks && left.chain.first;
}

bool ouro__orc_prepare(struct ouro_runtime *runtime)
{
    return ouro__load_acquire(ouro__runtime_above(runtime)) == 0 || ouro__attach();
}

bool ouro__orc_closing(struct ouro_runtime *runtime, bool run_hooks)
{
    struct ouro__thread *me = ouro__self;
    if (!me)
        return true; /* no object was ever born in it */
    me->orc->closing = true;
    ouro__unpark_to(me, 0);
    ouro__poll_tokens(me);
    if (!collect_cycles(me)) {
        me->orc->closing = false;
        return false;
    }
    report_leaks();
    forget_candidates(me);
    for (unsigned round = 0; end_leftovers(runtime, run_hooks && round < LEFTOVER_ROUNDS, round);)
        round++;
    forget_candidates(me);
    return true;
}

void ouro__orc_closed(struct ouro_runtime *runtime)
{
    ouro_word *above = ouro__runtime_above(runtime);
    struct ouro__orc *orc = (struct ouro__orc *)ouro__load_acquire(above);
    if (!orc)
        return;
    if (OURO_CHECKED)
        ouro__checked_forget(runtime);
    ouro__foreign_drop(runtime);
    ouro__handles_drop(runtime);
    ouro__tokens_back(orc);
    ouro__store(above, 0);
    ouro__pool_give(&pool, orc);
}
