/* SPDX-License-Identifier: MIT */
/* collect.c: when a collection runs, and the steps of one: capture, verdict, sweep.
 *
 * Uninterrupted: one step of the thread that owns the objects. Other threads run on; what they
 * touch meanwhile lives (verdict.c). Merged objects, and those of other threads, are captured only
 * while the process has a single thread; till then candidates that reach them wait.
 *
 * Triggers: so many candidates, or so many bytes allocated since the last collection while there is
 * a candidate. Both adapt to what the last collection found alive, so that looking at the living
 * costs each candidate, and each byte, no more than a constant. */
#include "alloc/heap.h"
#include "alloc/options.h"
#include "alloc/pool.h"
#include "orc/capture.h"

/* -- triggers ---------------------------------------------------------------------------------- */

static uint64_t bytes_taken(void)
{
    return ouro__heap_whole(ouro__context.heap)->bytes_taken;
}

/* Bare candidates may hold much that no header tells of, and each may come long before the next: a
 * collection too when the memory in use has grown by GROWN, and by half. That takes the place of
 * the bytes, which a program takes and gives back as well, while all its candidates live. */
#define BARE_CANDIDATES 128
#define GROWN           ((size_t)8 << 20)

static void set_triggers(struct ouro__visited *v, uint32_t live, uint32_t backed_off)
{
    int64_t least = ouro_option_get(OURO_OPTION_collect_candidates);
    if (v->bare && least == ouro_option_describe(OURO_OPTION_collect_candidates)->initial)
        least = BARE_CANDIDATES;
    if (v->bare)
        v->used_before = ouro__arena_in_use();
    uint32_t waiting = v->live_places; /* they could not be looked at this time */
    uint32_t scaled = live / 4 + 2 * waiting;
    if (v->bare && backed_off > scaled)
        scaled = backed_off;
    v->threshold = scaled > least ? scaled : least > UINT32_MAX ? UINT32_MAX : (uint32_t)least;
    int64_t bytes = ouro_option_get(OURO_OPTION_collect_bytes);
    v->bytes_before = bytes_taken();
    v->bytes_due = bytes == 0 || v->bare ? UINT64_MAX : (uint64_t)bytes + (uint64_t)live * 32;
}

static bool has_grown(const struct ouro__visited *v)
{
    size_t more = v->used_before / 2 > GROWN ? v->used_before / 2 : GROWN;
    return v->bare && ouro_option_get(OURO_OPTION_collect_bytes) != 0 &&
           ouro__arena_in_use() > v->used_before + more;
}

static bool is_due(struct ouro__visited *v)
{
    if (v->live_places == 0 && !v->lost)
        return false;
    if (OURO_UNLIKELY(v->threshold == 0))
        set_triggers(v, 0, 0);
    return v->live_places >= v->threshold || bytes_taken() - v->bytes_before > v->bytes_due ||
           has_grown(v);
}

#define ROUNDS 8

static void collect_now(struct ouro__thread *me, struct ouro_collection *result, bool asked);

void ouro__collect_if_due(struct ouro__thread *me)
{
    struct ouro__visited *v = &me->visited;
    if (v->paused || v->collecting || me->releasing || !is_due(v))
        return;
    struct ouro_collection one = {0};
    collect_now(me, &one, false);
}

/* -- candidates that were lost ----------------------------------------------------------------- */

/* A candidate could not be remembered for want of memory: every object of this thread's pages is
 * one now, and every large object of this thread's while nobody else can make or free one. */
static void remember_block(struct ouro__thread *me, char *block)
{
    void *object = ouro__object_in(block);
    if (!object)
        return;
    struct ouro_header *h = ouro__header(object);
    ouro_word b = ouro__load(&h->shared);
    if (!(b & (OURO__IMMORTAL | OURO__MERGED)) && ouro__holds(me, b) &&
        ouro__may_be_lost(object, b)) {
        if (ouro__is_traced_bare(b))
            ouro__remember_lost(me, object);
        else
            ouro__remember(me, object, false);
    }
}

static void remember_span(const struct ouro__place *place, void *arg)
{
    if (place->kind == OURO__PAGE_SPAN)
        remember_block(arg, place->block);
}

static void find_lost(struct ouro__thread *me)
{
    me->visited.lost = false;
    if (ouro__supply()->block)
        return;
    struct ouro__page *page = ouro__heap_whole(ouro__context.heap)->all;
    for (; page; page = page->all_next) {
        for (size_t i = 0; i < page->capacity && page->tag == OURO__COUNTED; i++)
            remember_block(me, page->start + i * page->bytes);
    }
    if (ouro__os_threads() == 1)
        ouro__arena_each(OURO__COUNTED, remember_span, me);
}

/* -- the steps --------------------------------------------------------------------------------- */

static void drop_claim(struct ouro__thread *me, void *object)
{
    if (ouro__unclaim(object))
        ouro__die(me, object);
}

/* Merged candidates that proved live give their references back. */
static void unclaim_living(struct ouro__capture *c, uint32_t end)
{
    for (uint32_t i = c->dead; i < end; i++) {
        struct ouro__entry entry = c->v->entries[i];
        if (entry.object && (entry.link & OURO__ENTRY_LIVE) && (entry.link & OURO__ENTRY_CLAIMED))
            drop_claim(c->me, entry.object);
    }
}

/* What stays a candidate moves to the front: those that could not be looked at, and new ones. */
static void close_up(struct ouro__capture *c, uint32_t end)
{
    struct ouro__visited *v = c->v;
    uint32_t kept = 0;
    v->claimed = 0;
    for (uint32_t i = c->dead; i < v->count; i++) {
        struct ouro__entry entry = v->entries[i];
        if (!entry.object || (i < end && (entry.link & OURO__ENTRY_LIVE)))
            continue;
        entry.link &= OURO__ENTRY_CLAIMED;
        entry.trial = 0;
        if (OURO_LIKELY(!c->pinned))
            ouro__half_store(&ouro__header(entry.object)->visited, kept + 1);
        else if (!ouro__index_move(entry.object, kept + 1))
            continue; /* disposed of by another thread since a hook made it a candidate */
        v->claimed += entry.link != 0;
        v->entries[kept++] = entry;
    }
    v->count = kept;
    v->live_places = kept;
    v->free_place = 0;
}

/* Gives back most of an array that is much larger than this collection, which had `used` entries
 * and left `count`, made it necessary: the next one is as likely to need as many. */
static void shrink(struct ouro__visited *v, uint32_t used)
{
    if (v->capacity <= 65536 || used > v->capacity / 8 || v->count > v->capacity / 8)
        return;
    uint32_t capacity = v->capacity / 4;
    struct ouro__entry *entries = ouro__realloc_alone(v->entries, capacity * sizeof *entries);
    if (!entries)
        return;
    v->entries = entries;
    v->capacity = capacity;
}

/* One record alone, of one thread: records of regions have candidates of their own. */
static bool is_only(const struct ouro__orc *orc)
{
    return ouro__os_threads() == 1 && ouro__attached(orc) <= 1;
}

/* Whether this is the process's only thread; asked only where it makes a difference. */
#define PATIENCE 20 /* milliseconds */
static bool is_alone(struct ouro__thread *me, bool asked)
{
    const struct ouro__visited *v = &me->visited;
    if (me->orc->closing)
        return true; /* whoever else runs has nothing of it */
    if (v->claimed == 0 && !v->waiting && !ouro__orphans_exist(me->orc) &&
        !ouro__lost_exist(me->orc))
        return false;
    /* A thread that was joined may be counted for some microseconds more, or milliseconds where
     * many want to run: those are waited for where the program asked, and once for each thread. */
    uint64_t attachments = ouro__attachments();
    unsigned most = asked && attachments != me->visited.waited_for ? 8 + PATIENCE : 8;
    for (unsigned tries = 0; tries < most; tries++) {
        if (ouro__attached(me->orc) > 1)
            return false;
        if (ouro__os_threads() == 1)
            return true;
        if (tries < 8)
            ouro__os_yield();
        else
            ouro__os_doze();
    }
    me->visited.waited_for = attachments;
    return false;
}

/* Merged candidates that nobody but their entries refers to any more: whoever dropped the last
 * reference before could not tell the thread that claimed them. */
static void drop_last_claims(struct ouro__thread *me)
{
    struct ouro__visited *v = &me->visited;
    for (uint32_t i = 0; i < v->count && v->claimed > 0; i++) {
        struct ouro__entry entry = v->entries[i];
        if (entry.object && (entry.link & OURO__ENTRY_CLAIMED))
            ouro__merged_one(entry.object, i + 1);
    }
}

/* There is no memory for it, or a hook left: the next one comes later. */
static void put_off(struct ouro__visited *v, struct ouro_collection *result)
{
    result->abandoned = 1;
    if (v->threshold < v->live_places * 2)
        v->threshold = v->live_places * 2;
    ouro__relink_free_places(v);
}

/* Of bare candidates there are many that live, for each drop makes one: as long as most of what a
 * collection looks at lives, the next one waits for half as many more (so does Nim's). What they
 * hold meanwhile is bounded by has_grown. */
static uint32_t backed_off(const struct ouro__visited *v, const struct ouro_collection *result)
{
    bool pays = result->freed >= result->live;
    return pays || v->threshold > UINT32_MAX / 2 ? 0 : v->threshold + v->threshold / 2;
}

/* Before many_threads is looked at, by who writes visited words plainly if it is not set: a second
 * thread waits till that is over (attach.c), or is seen by it (model: lone.pml). leave_lone: what
 * was written is there for that thread. One that others were seen by does not end for an outer one,
 * which a jump has left in another runtime. */
static void enter_lone(struct ouro__stage *stage)
{
    if (!OURO_THREADS || ouro__load(&ouro__many_threads))
        return;
    ouro__exchange_full(&ouro__lone_capture, (ouro_word)&ouro__own);
    stage->lone = true;
}
static void leave_lone(struct ouro__stage *stage)
{
    if (stage->lone)
        ouro__store_release(&ouro__lone_capture, 0);
    stage->lone = false;
}

/* After the sweep. Runs no hook, so that nothing leaves here. */
static void finish(struct ouro__capture *c, struct ouro_collection *result, size_t freed)
{
    struct ouro__visited *v = c->v;
    uint32_t end = v->stage.end;
    bool releasing = c->me->releasing;
    v->stage.step = OURO__NO_STEP;
    if (v->bare)
        enter_lone(&v->stage);
    c->pinned =
        v->bare && ouro__load_seq(&ouro__many_threads); /* hooks may have started a thread */
    result->captured = v->stage.captured;
    result->live = v->stage.live;
    result->freed = freed;
    v->more = v->count > end;
    c->me->releasing = true; /* a death is only chained */
    unclaim_living(c, end);
    c->me->releasing = releasing;
    close_up(c, end);
    leave_lone(&v->stage);
    set_triggers(v, (uint32_t)result->live, backed_off(v, result));
    shrink(v, end);
}

static void collect(struct ouro__thread *me, struct ouro_collection *result, bool alone)
{
    struct ouro__visited *v = &me->visited;
    struct ouro__capture c = {.me = me, .v = v};
    if (alone && ouro__lost_exist(me->orc))
        ouro__lost_find(me);
    else if (v->lost)
        find_lost(me);
    result->collections = 1;
    result->candidates = v->live_places;
    c.alone = alone;
    v->free_place = 0;
    bool beside = OURO_THREADS && !alone; /* others may free memory meanwhile */
    v->stage =
        (struct ouro__stage){.step = OURO__CAPTURING, .beside = beside, .candidates = v->count};
    if (beside)
        ouro__arena_hold(); /* V7 */
    enter_lone(&v->stage);
    bool captured = ouro__capture(&c);
    if (captured)
        ouro__verdict(&c);
    leave_lone(&v->stage);
    if (beside)
        ouro__arena_release();
    ouro_free(c.seen);
    v->stage.step = OURO__NO_STEP;
    if (!captured) {
        put_off(v, result);
        return;
    }
    v->waiting = c.skipped;
    v->stage.dead = c.dead;
    v->stage.bare = 0;
    v->stage.end = v->count;
    v->stage.captured = c.captured;
    v->stage.live = c.captured - c.dead;
    finish(&c, result, ouro__sweep(&c));
}

static void add(struct ouro_collection *total, const struct ouro_collection *one)
{
    total->collections += one->collections;
    total->candidates += one->candidates;
    total->captured += one->captured;
    total->freed += one->freed;
    total->live += one->live;
    total->abandoned += one->abandoned;
    total->nanoseconds += one->nanoseconds;
}

static void collect_once(struct ouro__thread *me, struct ouro_collection *sum, bool alone)
{
    struct ouro_collection one = {0};
    uint64_t start = ouro__os_nanoseconds();
    if (!alone)
        drop_last_claims(me);
    me->visited.collecting = true;
    collect(me, &one, alone);
    me->visited.collecting = false;
    one.nanoseconds = ouro__os_nanoseconds() - start;
    add(&me->visited.total, &one);
    add(sum, &one);
}

void ouro__collect_left(struct ouro__thread *me)
{
    struct ouro__visited *v = &me->visited;
    struct ouro__stage *stage = &v->stage;
    struct ouro_collection one = {.collections = 1};
    struct ouro__capture c = {.me = me,
                              .v = v,
                              .entries = v->entries,
                              .candidates = stage->candidates,
                              .pinned = v->bare && ouro__load(&ouro__many_threads),
                              .dead = stage->dead};
    if (stage->step == OURO__CAPTURING) {
        stage->step = OURO__NO_STEP;
        c.pinned = c.pinned && stage->seen; /* as it was captured */
        ouro__unlock_buckets(me->orc, v);
        ouro__capture_abandon(&c);
        leave_lone(stage);
        if (stage->beside)
            ouro__arena_release();
        ouro_free(stage->seen);
        put_off(v, &one);
    } else if (stage->step != OURO__NO_STEP) {
        finish(&c, &one, ouro__sweep_on(&c));
    }
    v->collecting = false;
    add(&v->total, &one);
}

/* The deaths that were put off meanwhile. */
static void release_after(struct ouro__thread *me)
{
    uint32_t before = me->visited.live_places;
    ouro__release_some(me, SIZE_MAX);
    me->visited.more |= me->visited.live_places > before;
}

/* `asked`: not by a trigger, so that it may take its time. */
static void collect_now(struct ouro__thread *me, struct ouro_collection *result, bool asked)
{
    if (!me->visited.collecting && !me->releasing) {
        ouro__poll_tokens(me);
        bool alone = is_alone(me, asked);
        if (alone) {
            ouro__orphans_take(me);
            /* hooks that ran may have started one */
            alone = me->orc->closing || is_only(me->orc);
        }
        if (me->visited.live_places > 0 || me->visited.lost || (alone && ouro__lost_exist(me->orc)))
            collect_once(me, result, alone);
        release_after(me);
        /* It met objects of others: only now does it make a difference whether these are gone. */
        if (!alone && me->visited.waiting && is_alone(me, asked)) {
            collect_once(me, result, true);
            release_after(me);
        }
    }
}

/* What died of a collection may have kept cycles that it could not capture: they are candidates
 * now. A hook may make new ones for ever, so after some rounds those wait for the next collection.
 */
static void collect_all(struct ouro__thread *me, struct ouro_collection *result)
{
    unsigned rounds = 0;
    do {
        me->visited.more = false;
        collect_now(me, result, true);
    } while (me->visited.more && ++rounds < ROUNDS);
}

size_t ouro_collect(struct ouro_collection *result)
{
    struct ouro_collection one = {0};
    struct ouro__thread *me = ouro__self;
    if (me) {
        ouro__release_noted(me, SIZE_MAX); /* what waits for a budget keeps others alive */
        collect_all(me, &one);
    }
    if (result)
        *result = one;
    return (size_t)one.freed;
}

void ouro_collect_pause(void)
{
    struct ouro__thread *me = ouro__me();
    if (me)
        me->visited.paused++;
}

void ouro_collect_resume(void)
{
    struct ouro__thread *me = ouro__self;
    if (me && me->visited.paused > 0)
        me->visited.paused--;
}

void ouro_collect_stats(struct ouro_collection *total)
{
    if (total)
        *total = ouro__self ? ouro__self->visited.total : (struct ouro_collection){0};
}
