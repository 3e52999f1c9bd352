/* SPDX-License-Identifier: MIT */
/* token.c: threads and the owner tokens that they hold.
 *
 * The owner field of an object names a token; holder[t] names who counts plainly on what carries t.
 * A thread gets a home token on first touch and leaves it GONE when it ends: no walk over objects.
 * Who needs an orphan's token takes it by compare-and-swap, and a new thread is given a token that
 * nobody holds, with whatever still carries it (docs/counts.md, The header).
 *
 *  T1  holder[home(T)] == T from T's first touch to its exit: the fast path asks no table (I8).
 *  T2  A home token is never held by another thread: only tokens that are nobody's home are
 *      adopted.
 *  T3  holder leaves GONE by compare-and-swap only.
 *  T4  What waits in queue[t] is looked at after GONE, PARKED or a push, whichever came last: each
 *      is a full RMW followed by a load of the other word (counts.md, memory order b). Models:
 *      token, park.
 *
 *  T5  A thread has one record and one home token in each runtime that it touched (docs/adr/0012).
 *      What a record of it holds the others do not: to each other they are other threads.
 *
 * Thread records and tokens are type-stable: a late reader finds another thread there, and looks
 * again.
 *
 * Without threads every record has the same token, for inlined births write a constant. */
#include "alloc/fail.h"
#include "alloc/heap.h"
#include "alloc/runtime.h"
#include "alloc/valgrind.h"
#include "orc/checked.h"
#include "orc/state.h"
#include "orc/thread.h"

struct ouro__token ouro__tokens[0x10000];
OURO_TLS struct ouro__thread *ouro__self;
ouro_word ouro__many_threads;

static struct {
    ouro__mutex lock;
    struct ouro__thread *all, *spare;
    uint32_t fresh;       /* the next token never given out; above 0xFFFF: there is none */
    uint32_t back_first;  /* those of runtimes that are gone, linked by next_gone */
    uint64_t attachments; /* so far */
} registry = {.lock = OURO__MUTEX_INIT, .fresh = OURO__FIRST_TOKEN};

/* -- holding ----------------------------------------------------------------------------------- */

/* With the lock: t may be reissued, in its runtime. The list is of numbers; stale ones are passed
 * over. */
static void list_gone(unsigned t)
{
    struct ouro__token *token = &ouro__tokens[t];
    if (token->listed)
        return;
    token->listed = true;
    token->next_gone = token->orc->gone_first;
    token->orc->gone_first = t;
}

static bool take_gone(struct ouro__thread *me, unsigned t)
{
    ouro_word gone = OURO__GONE;
    if (!ouro__cas_full(&ouro__tokens[t].holder, &gone, (ouro_word)me))
        return false;
    ouro__tool_acquire(&ouro__tokens[t]);
    return true;
}

/* With the lock: a token that no runtime has, or NO_TOKEN. */
static unsigned unused_token(void)
{
    unsigned t = registry.back_first;
    if (!OURO_THREADS)
        return OURO__FIRST_TOKEN;
    if (t) {
        registry.back_first = ouro__tokens[t].next_gone;
        return t;
    }
    t = registry.fresh;
    if (t > 0xFFFF)
        return OURO__NO_TOKEN;
    registry.fresh = ouro__next_token(t);
    ouro__tool_words(&ouro__tokens[t], sizeof ouro__tokens[t]);
    return t;
}

/* With the lock: a token for a thread that is new in its runtime, or NO_TOKEN. */
static unsigned issue(struct ouro__thread *me)
{
    struct ouro__orc *orc = me->orc;
    while (orc->gone_first) {
        unsigned t = orc->gone_first;
        orc->gone_first = ouro__tokens[t].next_gone;
        ouro__tokens[t].listed = false;
        if (take_gone(me, t))
            return t;
    }
    unsigned t = unused_token();
    if (t == OURO__NO_TOKEN)
        return t;
    struct ouro__token *token = &ouro__tokens[t];
    token->orc = orc;
    token->next_of = orc->tokens;
    orc->tokens = t;
    ouro__store_release(&token->holder, (ouro_word)me);
    return t;
}

static void hold_adopted(struct ouro__thread *me, unsigned t)
{
    ouro__tokens[t].next_held = me->held_first;
    me->held_first = t;
}

/* Takes t out of the list of adopted tokens, if it is there. */
static bool unhold_adopted(struct ouro__thread *me, unsigned t)
{
    uint32_t *at = &me->held_first;
    while (*at && *at != t)
        at = &ouro__tokens[*at].next_held;
    if (!*at)
        return false;
    *at = ouro__tokens[t].next_held;
    return true;
}

void ouro__tokens_back(struct ouro__orc *orc)
{
    ouro__orc_lock(&registry.lock);
    for (uint32_t t = orc->tokens, next; t && OURO_THREADS; t = next) {
        struct ouro__token *token = &ouro__tokens[t];
        next = token->next_of;
        ouro__store(&token->queue, 0);
        ouro__store(&token->spilled, 0);
        ouro__store(&token->marked, 0);
        ouro__store(&token->holder, OURO__FRESH);
        token->listed = false;
        token->orc = NULL;
        token->next_gone = registry.back_first;
        registry.back_first = t;
    }
    struct ouro__orc **at = &ouro__orcs;
    while (*at != orc)
        at = &(*at)->next;
    *at = orc->next;
    ouro__orc_unlock(&registry.lock);
}

/* Leaves token t to whoever needs it; what came in meanwhile is settled first (T4). Outside hooks
 * and collections: what it makes a candidate must be looked at before nobody remembers it. An
 * adopted one stays in the list while hooks run: one that leaves leaves it held. */
static void give_up(struct ouro__thread *me, unsigned t)
{
    struct ouro__token *token = &ouro__tokens[t];
    for (;;) {
        struct ouro__chain dead = {NULL, NULL};
        struct ouro__segment *spent = ouro__drain(me, t, UINT32_MAX, &dead);
        ouro__after_drain(me, spent, &dead);
        ouro_collect(NULL);
        ouro__forget_token(me, t);
        bool adopted = unhold_adopted(me, t);
        ouro__tool_release(token);
        ouro__exchange_full(&token->holder, OURO__GONE);
        if (!ouro__work_waits(t) || !take_gone(me, t))
            break;
        if (adopted)
            hold_adopted(me, t);
    }
    if (!OURO_THREADS)
        return; /* it is others' as well */
    ouro__orc_lock(&registry.lock);
    list_gone(t);
    ouro__orc_unlock(&registry.lock);
}

static void give_up_adopted(struct ouro__thread *me)
{
    me->giving_up = true; /* hooks that run meanwhile may adopt others */
    while (me->held_first) {
        give_up(me, me->held_first);
        me->held_count--; /* till then ouro__holds asks the table */
    }
    me->giving_up = false;
}

bool ouro__token_adopt(struct ouro__thread *me, unsigned t)
{
    /* Inside a hook or a collection none can be given up: objects of theirs are being looked at.
     * Before t is taken: a hook may leave. */
    bool may = !me->releasing && !me->visited.collecting && !me->giving_up;
    if (me->held_count >= OURO__HELD_MOST && may)
        give_up_adopted(me);
    if (!take_gone(me, t))
        return false;
    hold_adopted(me, t);
    me->held_count++;
    return true;
}

/* -- attach and exit --------------------------------------------------------------------------- */

static void before_fork(void);
static void after_fork(bool child);

static struct ouro__thread *record_take(void)
{
    struct ouro__thread *me = registry.spare;
    if (me) {
        registry.spare = me->next_free;
        return me;
    }
    me = ouro__meta_take(sizeof *me);
    if (!me)
        return NULL;
    ouro__tool_words(me, sizeof *me);
    ouro__tool_words(&ouro__many_threads, sizeof ouro__many_threads);
    me->next_thread = registry.all;
    registry.all = me;
    return me;
}

static void record_reset(struct ouro__thread *me)
{
    struct ouro__thread *next = me->next_thread;
    memset(me, 0, sizeof *me);
    me->next_thread = next;
    me->used = true;
    me->visited.threshold = 0;
    me->thread = &ouro__own;
}

size_t ouro__attached(const struct ouro__orc *orc)
{
    ouro__orc_lock(&registry.lock);
    size_t n = orc->attached;
    ouro__orc_unlock(&registry.lock);
    return n;
}

/* With the lock, once: hooks and alloc are told of the layer above them. */
static void connect_layers(void)
{
    static const struct ouro__upper upper = {.thread_exit = ouro__thread_exit,
                                             .leaving = ouro__orc_leaving,
                                             .entering = ouro__orc_entering,
                                             .closing = ouro__orc_closing,
                                             .closed = ouro__orc_closed,
                                             .before_fork = before_fork,
                                             .after_fork = after_fork};
    static bool connected;
    if (connected)
        return;
    connected = true;
    ouro__leaks_at_exit();
    ouro__upper_install(&upper);
}

/* This thread may touch counted objects beside another. */
static void tell_collectors(void)
{
    ouro__store(&ouro__many_threads, 1);
    ouro__fence_release(); /* before any store into a slot: pairs with was_joined (verdict.c) */
}

/* What the thread's inlined paths may change; with the checked library none may a slot. */
void ouro__set_here(unsigned home)
{
    const ouro_half none = ~(ouro_half)0;
    ouro_half mine = home == OURO__NO_TOKEN ? none : OURO__LOCAL_OUT | (~home & OURO__OWNER_MASK);
    ouro__context.counts = mine;
    ouro__context.slots = OURO_CHECKED ? none : mine;
}

struct ouro__thread *ouro__attach(void)
{
    struct ouro__heap *heap = ouro__heap_mine();
    if (!heap) {
        tell_collectors(); /* it may count all the same */
        return NULL;
    }
    ouro__orc_lock(&registry.lock);
    connect_layers();
    struct ouro__orc *orc = ouro__orc_of(heap->runtime);
    struct ouro__thread *me = orc ? record_take() : NULL;
    if (me) {
        record_reset(me);
        me->number = ++registry.attachments;
        me->orc = orc;
        me->home = (uint16_t)issue(me);
    }
    if (!me || ++orc->attached > 1 || registry.all->next_thread)
        tell_collectors();
    ouro__orc_unlock(&registry.lock);
    if (!me)
        return NULL;
    ouro__self = me;
    heap->record = me;
    ouro__set_here(me->home);
    heap->unready = me->home == OURO__NO_TOKEN;
    heap->pub.mark = me->home;
    heap->pub.born = me->home - 1u;
    ouro__heap_watch(heap, false);
    return me;
}

/* Home becomes NONE before the token is GONE (T1): from then on another thread may hold it, and no
 * inlined path of this one may match it. Births are merged from now on. */
static void leave_home(struct ouro__thread *me)
{
    unsigned home = me->home;
    struct ouro__heap *heap = ouro__heap_mine();
    me->home = OURO__NO_TOKEN;
    ouro__set_here(OURO__NO_TOKEN);
    heap->unready = true;
    ouro__heap_watch(heap, true);
    if (home == OURO__NO_TOKEN)
        return;
    me->held_count++; /* it is one of the others now, for ouro__holds */
    give_up(me, home);
    me->held_count--;
}

/* The thread touches no counted object any more: it settles what it can and leaves the rest to
 * whoever needs it. */
static void leave(struct ouro__thread *me)
{
    me->ending = true;
    ouro__release_noted(me, SIZE_MAX);
    ouro__poll_tokens(me);
    ouro_collect(NULL);
    leave_home(me);
    /* Hooks may run in each of these, and adopt and remember again. */
    while (me->held_first || me->pending || me->noted || me->visited.live_places > 0) {
        give_up_adopted(me);
        ouro__candidates_end(me);
        ouro__release_some(me, SIZE_MAX);
        ouro__release_noted(me, SIZE_MAX);
    }
    ouro__candidates_end(me);
    ouro__segments_leave(me);
    if (ouro_runtime_current() == ouro_runtime_default())
        ouro__frames_end(); /* they are the thread's, in whatever runtime it is */
    ouro__heap_mine()->record = NULL;
    ouro__self = NULL;
    ouro__orc_lock(&registry.lock);
    me->used = false;
    me->thread = NULL;
    me->next_free = registry.spare;
    registry.spare = me;
    me->orc->attached--;
    ouro__orc_unlock(&registry.lock);
}

/* The thread has ended: what it was at, it has left, and it runs nothing any more but this. Or only its
 * time in a runtime has, which it had left before. */
void ouro__thread_exit(bool ended)
{
    struct ouro__thread *me = ouro__self;
    if (!me)
        return;
    if (ended)
        ouro__unwind_all(me);
    else
        ouro__unpark_to(me, 0);
    leave(me);
}

ouro_status ouro_thread_attach(void)
{
    return ouro__me() ? OURO_OK : OURO_NO_MEMORY;
}

void ouro_thread_detach(void)
{
    struct ouro__thread *me = ouro__self;
    if (!me)
        return;
    const char *why = NULL;
    if (me->releasing || me->visited.collecting || me->ending || ouro__own.must_return > 0)
        why = "a thread was detached from inside a hook";
    else if (ouro__own.pleading)
        why = "a thread was detached from inside the memory callback";
    else if (me->park_depth > 0)
        why = "a thread was detached while it was parked";
    else if (ouro__frames_open() > 0)
        why = "a thread was detached while its frames owned something";
    if (why)
        ouro_fail(OURO_FAIL_MISUSE, NULL, NULL, why);
    leave(me);
    ouro__remote_flush(ouro__heap_mine()); /* blocks of others: this thread may never end */
}

/* -- park -------------------------------------------------------------------------------------- */

/* Waits for at most one hold: WANT keeps a second merger out. */
void ouro__run_again(struct ouro__thread *me)
{
    if (ouro__load(&me->state) == OURO__RUNNING)
        return; /* for a fork, whose handlers may end the park */
    ouro__fetch_or_full(&me->state, OURO__WANT);
    for (;;) {
        ouro_word parked = OURO__PARKED | OURO__WANT;
        /* Acquire: pairs with the release of the merger that left (counts.md, c). */
        if (ouro__cas_full(&me->state, &parked, OURO__RUNNING)) {
            ouro__tool_acquire(&me->state);
            return;
        }
        ouro__os_yield();
    }
}

void ouro__enter_park(struct ouro__thread *me)
{
    for (;;) {
        ouro__poll_tokens(me);
        ouro__tool_release(&me->state);
        ouro__exchange_full(&me->state, OURO__PARKED);
        if (!ouro__anything_queued(me))
            return;
        ouro__run_again(me);
    }
}

void ouro_park(void)
{
    struct ouro__thread *me = ouro__self;
    if (!me || me->park_depth++ > 0)
        return;
    struct ouro__heap *heap = ouro__heap_mine();
    ouro__remote_flush(heap);
    /* A merger allocates nothing: room for what it may remember. */
    if (me->visited.capacity - me->visited.count < 2 * OURO__MERGE_MOST)
        ouro__visited_grow(&me->visited);
    ouro__enter_park(me);
}

void ouro__unpark_to(struct ouro__thread *me, uint32_t depth)
{
    if (me->park_depth <= depth)
        return;
    me->park_depth = depth;
    if (depth == 0)
        ouro__run_again(me);
}

void ouro_unpark(void)
{
    struct ouro__thread *me = ouro__self;
    if (!me || me->park_depth == 0 || --me->park_depth > 0)
        return;
    ouro__run_again(me);
    ouro__poll_tokens(me);
}

void ouro_poll(void)
{
    struct ouro__thread *me = ouro__me();
    if (!me)
        return;
    ouro__poll_tokens(me);
    ouro__release_noted(me, SIZE_MAX);
    struct ouro__heap *heap = ouro__heap_mine();
    ouro__remote_flush(heap);
    if (ouro__remote_pending(heap))
        ouro__remote_drain(heap, heap);
}

size_t ouro_queued_bytes(void)
{
    struct ouro__thread *me = ouro__self;
    if (!me)
        return 0;
    size_t bytes = me->home != OURO__NO_TOKEN ? ouro__queued_bytes(me->home) : 0;
    for (uint32_t t = me->held_first; t; t = ouro__tokens[t].next_held)
        bytes += ouro__queued_bytes(t);
    return bytes;
}

/* -- fork -------------------------------------------------------------------------------------- */

static void run_for_fork(void *record)
{
    struct ouro__thread *me = record;
    if (me && (me->park_depth > 0 || me->away))
        ouro__run_again(me);
}

/* Whoever settles for a parked thread would vanish in the middle of it: the thread runs while it
 * forks, in all its runtimes. Before every lock but that of the list of runtimes, for a merger may need
 * one. */
static void before_fork(void)
{
    run_for_fork(ouro__self);
    ouro__elsewhere_each(run_for_fork);
    ouro__lock(&registry.lock);
    ouro__types_before_fork();
    for (struct ouro__orc *orc = ouro__orcs; orc; orc = orc->next)
        ouro__orc_before_fork(orc);
    ouro__handles_before_fork();
    ouro__foreign_before_fork();
    if (OURO_CHECKED)
        ouro__checked_before_fork();
    ouro__own.orc_forks = true; /* handlers that were there before ours come next */
}

/* Back to PARKED. What died of what came in meanwhile waits for unpark: others' fork handlers may
 * not have run yet, so hooks must not. */
static void park_after_fork(void *record)
{
    struct ouro__thread *me = record, *self = ouro__self;
    if (!me || (me->park_depth == 0 && !me->away))
        return;
    ouro__self = me;
    bool releasing = me->releasing;
    me->releasing = true;
    ouro__enter_park(me);
    me->releasing = releasing;
    ouro__self = self;
}

/* A thread that is not there was in the middle of a store: nobody waits for its end. What its store
 * moved is counted, so that no collection takes it for garbage. */
static void end_store(struct ouro__thread *gone)
{
    struct ouro_header *h = (struct ouro_header *)ouro__load(&gone->storing);
    ouro__store(&gone->storing, 0);
    ouro_word b = h ? ouro__load(&h->shared) : 0;
    while ((b & OURO__STORING) && !ouro__is_dying(b)) {
        if (ouro__cas_full(&h->shared, &b, b & ~OURO__STORING))
            break;
    }
}

static bool is_mine(const struct ouro__thread *record)
{
    return record->thread == &ouro__own;
}

/* The tokens of the threads that are not there are FROZEN: nothing of theirs is merged or drained;
 * a local count may have been half way through anything. */
static void become_child(void)
{
    ouro__mutex_reset(&registry.lock);
    for (uint32_t t = OURO__FIRST_TOKEN; t != registry.fresh; t = ouro__next_token(t)) {
        ouro_word holder = ouro__load(&ouro__tokens[t].holder);
        if (holder > OURO__FROZEN && !is_mine((const struct ouro__thread *)holder))
            ouro__store(&ouro__tokens[t].holder, OURO__FROZEN);
    }
    for (struct ouro__orc *orc = ouro__orcs; orc; orc = orc->next)
        orc->attached = 0;
    for (struct ouro__thread *other = registry.all; other; other = other->next_thread) {
        if (is_mine(other))
            other->orc->attached++;
        else
            end_store(other);
    }
    ouro__leaks_in_child();
}

static void after_fork(bool child)
{
    ouro__own.orc_forks = false;
    if (OURO_CHECKED)
        ouro__checked_after_fork(child);
    ouro__foreign_after_fork(child);
    ouro__handles_after_fork(child);
    for (struct ouro__orc *orc = ouro__orcs; orc; orc = orc->next)
        ouro__orc_after_fork(orc, child);
    ouro__types_after_fork(child);
    if (child)
        become_child();
    else
        ouro__unlock(&registry.lock);
    park_after_fork(ouro__self);
    ouro__elsewhere_each(park_after_fork);
}
