/* SPDX-License-Identifier: MIT */
/* attach.c: how a thread comes to count, and how it leaves (token.c, T1, T5). */
#include "alloc/fail.h"
#include "alloc/heap.h"
#include "alloc/runtime.h"
#include "alloc/valgrind.h"
#include "orc/thread.h"
#include "orc/site.h"
#include "orc/token.h"

OURO_TLS struct ouro__thread *ouro__self;
ouro_word ouro__many_threads, ouro__lone_capture;

static struct ouro__thread *record_take(void)
{
    struct ouro__thread *me = ouro__registry.spare;
    if (me) {
        ouro__registry.spare = me->next_free;
        return me;
    }
    me = ouro__meta_take(sizeof *me);
    if (!me)
        return NULL;
    ouro__tool_words(me, sizeof *me);
    ouro__tool_words(&ouro__many_threads, sizeof ouro__many_threads);
    me->next_thread = ouro__registry.all;
    ouro__registry.all = me;
    return me;
}

static void record_reset(struct ouro__thread *me)
{
    struct ouro__thread *next = me->next_thread;
    ouro_word abroad = me->abroad;
    memset(me, 0, sizeof *me);
    me->next_thread = next;
    me->abroad = abroad;
    me->used = true;
    me->visited.threshold = 0;
    me->thread = &ouro__own;
}

uint64_t ouro__attachments(void)
{
    ouro__orc_lock(&ouro__registry.lock);
    uint64_t n = ouro__registry.attachments;
    ouro__orc_unlock(&ouro__registry.lock);
    return n;
}

size_t ouro__attached(const struct ouro__orc *orc)
{
    ouro__orc_lock(&ouro__registry.lock);
    size_t n = orc->attached;
    ouro__orc_unlock(&ouro__registry.lock);
    return n;
}

/* With the lock, once: hooks and alloc are told of the layer above them. */
static void connect_layers(void)
{
    static const struct ouro__upper upper = {.thread_exit = ouro__thread_exit,
                                             .left = ouro__orc_left,
                                             .leaving = ouro__orc_leaving,
                                             .entering = ouro__orc_entering,
                                             .prepare = ouro__orc_prepare,
                                             .closing = ouro__orc_closing,
                                             .closed = ouro__orc_closed,
                                             .before_fork = ouro__counts_before_fork,
                                             .after_fork = ouro__counts_after_fork};
    static bool connected;
    if (connected)
        return;
    connected = true;
    ouro__leaks_at_exit();
    ouro__upper_install(&upper);
}

/* This thread may touch counted objects beside another, but not beside a capture that does not
 * expect it. A store-then-load pair with enter_lone (collect.c): one of the two sees the other. No
 * hook runs in a capture, so it ends; no lock is held here. Model: lone.pml. */
static void wait_for_lone_capture(void)
{
    ouro__exchange_full(&ouro__many_threads, 1);
    for (;;) {
        ouro_word whose = ouro__load_seq(&ouro__lone_capture);
        if (whose == 0 || whose == (ouro_word)&ouro__own)
            return;
        ouro__os_yield();
    }
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
        wait_for_lone_capture(); /* it may count all the same */
        return NULL;
    }
    ouro__orc_lock(&ouro__registry.lock);
    connect_layers();
    struct ouro__orc *orc = ouro__orc_of(heap->runtime);
    struct ouro__thread *me = orc ? record_take() : NULL;
    if (me) {
        record_reset(me);
        me->number = ++ouro__registry.attachments;
        me->orc = orc;
        me->apart = heap->apart;
        me->home = (uint16_t)ouro__token_issue(me);
    }
    bool second = !me || ++orc->attached > 1 || ouro__registry.all->next_thread;
    ouro__orc_unlock(&ouro__registry.lock);
    if (second)
        wait_for_lone_capture();
    if (!me)
        return NULL;
    ouro__self = me;
    heap->record = me;
    ouro__set_here(me->home);
    heap->unready = me->home == OURO__NO_TOKEN || ouro__sites_wanted();
    heap->pub.mark = heap->apart ? OURO__NO_TOKEN : me->home; /* G1 of apart.c */
    heap->pub.born = heap->pub.mark - 1u;
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
    ouro__token_give_up(me, home);
    me->held_count--;
}

/* The thread touches no counted object any more: it settles what it can and leaves the rest to
 * whoever needs it. */
static void leave(struct ouro__thread *me)
{
    me->ending = true;
    ouro__release_noted(me, SIZE_MAX);
    ouro__poll_tokens(me);
    if (me->visited.bare && ouro__os_threads() != 1)
        ouro__candidates_leave_bare(me);
    ouro_collect(NULL);
    leave_home(me);
    /* Hooks may run in each of these, and adopt and remember again. */
    while (me->held_first || me->pending || me->noted || me->visited.live_places > 0) {
        ouro__tokens_give_up(me);
        ouro__candidates_end(me);
        ouro__release_some(me, SIZE_MAX);
        ouro__release_noted(me, SIZE_MAX);
    }
    ouro__candidates_end(me);
    ouro__segments_leave(me);
    if (ouro_runtime_current() == ouro_runtime_default() && !me->apart)
        ouro__frames_end(); /* they are the thread's, in whatever runtime it is */
    ouro__heap_mine()->record = NULL;
    ouro__self = NULL;
    ouro__orc_lock(&ouro__registry.lock);
    me->used = false;
    me->thread = NULL;
    me->next_free = ouro__registry.spare;
    ouro__registry.spare = me;
    me->orc->attached--;
    ouro__orc_unlock(&ouro__registry.lock);
}

/* The thread has ended: what it was at, it has left, and it runs nothing any more but this. Or only
 * its time in a runtime has, which it had left before. */
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
    else if (me->apart)
        why = "a thread was detached while it was in a region";
    else if (me->park_depth > 0)
        why = "a thread was detached while it was parked";
    else if (ouro__frames_open() > 0)
        why = "a thread was detached while its frames owned something";
    if (why)
        ouro_fail(OURO_FAIL_MISUSE, NULL, NULL, why);
    leave(me);
    ouro__remote_flush(ouro__heap_mine()); /* blocks of others: this thread may never end */
}
