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
#include "orc/token.h"
#include "alloc/valgrind.h"
#include "orc/thread.h"

struct ouro__token ouro__tokens[0x10000];
struct ouro__registry ouro__registry = {.lock = OURO__MUTEX_INIT, .fresh = OURO__FIRST_TOKEN};

ouro_word ouro__abroad_unknown; /* somebody who has no record counted */

/* Acquire, of each: pairs with the release of a note. */
ouro_word ouro__noted_abroad(void)
{
    ouro_word sum = 1;
    ouro__orc_lock(&ouro__registry.lock);
    for (struct ouro__thread *each = ouro__registry.all; each; each = each->next_thread)
        sum += ouro__load_acquire(&each->abroad);
    ouro__orc_unlock(&ouro__registry.lock);
    return ouro__load_acquire(&ouro__abroad_unknown) ? 0 : sum;
}

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
    unsigned t = ouro__registry.back_first;
    if (!OURO_THREADS)
        return OURO__FIRST_TOKEN;
    if (t) {
        ouro__registry.back_first = ouro__tokens[t].next_gone;
        return t;
    }
    t = ouro__registry.fresh;
    if (t > 0xFFFF)
        return OURO__NO_TOKEN;
    ouro__registry.fresh = ouro__next_token(t);
    ouro__tool_words(&ouro__tokens[t], sizeof ouro__tokens[t]);
    return t;
}

unsigned ouro__token_issue(struct ouro__thread *me)
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
    /* Release: pairs with the loads of `holder` in pushes and holds; `orc` is read by who has a
     * reference to an object of the token, which was born after this. */
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
    ouro__orc_lock(&ouro__registry.lock);
    for (uint32_t t = orc->tokens, next; t && OURO_THREADS; t = next) {
        struct ouro__token *token = &ouro__tokens[t];
        next = token->next_of;
        /* Relaxed: nobody has an object of it, and who is issued it next takes the lock first. */
        ouro__store(&token->queue, 0);
        ouro__store(&token->spilled, 0);
        ouro__store(&token->marked, 0);
        ouro__store(&token->holder, OURO__FRESH);
        token->listed = false;
        token->orc = NULL;
        token->next_gone = ouro__registry.back_first;
        ouro__registry.back_first = t;
    }
    struct ouro__orc **at = &ouro__orcs;
    while (*at != orc)
        at = &(*at)->next;
    *at = orc->next;
    ouro__orc_unlock(&ouro__registry.lock);
}

void ouro__token_give_up(struct ouro__thread *me, unsigned t)
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
    ouro__orc_lock(&ouro__registry.lock);
    list_gone(t);
    ouro__orc_unlock(&ouro__registry.lock);
}

void ouro__tokens_give_up(struct ouro__thread *me)
{
    me->giving_up = true; /* hooks that run meanwhile may adopt others */
    while (me->held_first) {
        ouro__token_give_up(me, me->held_first);
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
        ouro__tokens_give_up(me);
    if (!take_gone(me, t))
        return false;
    hold_adopted(me, t);
    me->held_count++;
    return true;
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
