/* SPDX-License-Identifier: MIT */
/* nudge.c: who looks at a queue: its holder polls, or who pushed settles for it.
 *
 * A holder that runs polls at its slow paths. For one that is parked the pusher settles, under a
 * hold of the thread (MERGING); the token of one that has ended it adopts.
 *
 *  H1  Nothing waits for a sleeper (I9): whoever leaves a hold has seen every queue of the parked
 *      thread empty, or nudges for one that was not. Several tokens may be held, and a push to one
 *      of them may find the thread in a hold that was taken for another; it sets LOOK then.
 *  H2  A hold is left by a compare-and-swap that fails if LOOK was set since the queues were looked
 *      at: LOOK is cleared first, the queues are looked at then.
 *  H3  WANT is set once for a park, and LOOK no more after it: the holder will poll. So a hold is
 *      left after finitely many looks from then on, and no second hold is taken.
 * Models: park.pml (one token), hold.pml (several). */
#include "alloc/valgrind.h"
#include "orc/payload.h"
#include "orc/state.h"

/* -- polling ----------------------------------------------------------------------------------- */

static void poll_token(struct ouro__thread *me, unsigned t)
{
    struct ouro__token *token = &ouro__tokens[t];
    if (OURO_LIKELY(ouro__load(&token->queue) == 0 && ouro__load(&token->marked) == 0 &&
                    ouro__load(&token->spilled) == 0))
        return;
    struct ouro__chain dead = {NULL, NULL};
    struct ouro__segment *spent = ouro__drain(me, t, UINT32_MAX, &dead);
    ouro__after_drain(me, spent, &dead);
}

void ouro__poll_tokens(struct ouro__thread *me)
{
    if (me->home != OURO__NO_TOKEN)
        poll_token(me, me->home);
    /* A token that is adopted meanwhile stands in front; none is given up inside. */
    bool releasing = me->releasing;
    me->releasing = true;
    for (uint32_t t = me->held_first; t; t = ouro__tokens[t].next_held)
        poll_token(me, t);
    me->releasing = releasing;
    if (!releasing)
        ouro__release_some(me, SIZE_MAX);
}

void ouro__poll_turning(struct ouro__thread *me)
{
    bool hushed = OURO_UNLIKELY(ouro__own.hushed) && ouro__release_hush(me);
    ouro__poll_tokens(me);
    if (hushed)
        ouro__release_plain(me);
}

/* -- holds of parked threads ------------------------------------------------------------------- */

/* A token of the thread's for which something waits; NO_TOKEN: there is none. */
static unsigned token_with_work(const struct ouro__thread *holder)
{
    if (holder->home != OURO__NO_TOKEN && ouro__work_waits(holder->home))
        return holder->home;
    for (uint32_t t = holder->held_first; t; t = ouro__tokens[t].next_held) {
        if (ouro__work_waits(t))
            return t;
    }
    return OURO__NO_TOKEN;
}

bool ouro__anything_queued(const struct ouro__thread *holder)
{
    return token_with_work(holder) != OURO__NO_TOKEN;
}

/* Back to PARKED, WANT kept (H2); returns token_with_work of the moment. The CAS is full: its
 * release pairs with the acquire of unpark, and a LOOK that it overtakes makes it fail. */
static unsigned leave_hold(struct ouro__thread *parked)
{
    ouro__tool_release(&parked->state);
    for (;;) {
        unsigned next = token_with_work(parked);
        ouro_word state = ouro__load(&parked->state) & ~(ouro_word)OURO__LOOK;
        if (ouro__cas_full(&parked->state, &state, state + OURO__PARKED - OURO__MERGING))
            return next;
        ouro__fetch_and_full(&parked->state, ~(ouro_word)OURO__LOOK);
    }
}

static void nudge_all(struct ouro__thread *me, unsigned t);

/* What a drain left, and another nudge (NO_TOKEN: none), without hooks: one that leaves would leave
 * what is to be nudged for next waiting (H1). Their deaths are carried out by ouro__nudge. */
static void after_hold(struct ouro__thread *me, struct ouro__segment *spent,
                       struct ouro__chain *dead, unsigned t)
{
    bool releasing = me->releasing;
    me->releasing = true;
    ouro__after_drain(me, spent, dead);
    nudge_all(me, t);
    me->releasing = releasing;
}

/* Settles for t's holder, which is parked, under MERGING. Returns the token to nudge for next, or
 * NO_TOKEN. */
static unsigned merge_for(struct ouro__thread *me, struct ouro__thread *parked, unsigned t)
{
    ouro_word state = OURO__PARKED;
    if (!ouro__cas_full(&parked->state, &state, OURO__MERGING))
        return t;
    ouro__tool_acquire(&parked->state);
    struct ouro__chain dead = {NULL, NULL};
    struct ouro__segment *spent = NULL;
    bool still = ouro__load_acquire(&ouro__tokens[t].holder) == (ouro_word)parked;
    if (still)
        spent = ouro__drain(parked, t, OURO__MERGE_MOST, &dead);
    unsigned next = leave_hold(parked);
    bool both = !still && next != OURO__NO_TOKEN;
    /* It went to another thread: that one, and then what was found here. */
    after_hold(me, spent, &dead, both ? t : OURO__NO_TOKEN);
    return still || both ? next : t;
}

/* The thread is in a hold: whoever has it is made to look at all its queues before it leaves.
 * False: the hold is over. */
static bool leave_it_to_the_merger(struct ouro__thread *other)
{
    ouro_word state = OURO__MERGING;
    return ouro__cas_full(&other->state, &state, OURO__MERGING | OURO__LOOK) ||
           state == (OURO__MERGING | OURO__LOOK);
}

static void nudge_all(struct ouro__thread *me, unsigned t)
{
    while (t != OURO__NO_TOKEN) {
        struct ouro__token *token = &ouro__tokens[t];
        ouro_word holder = ouro__load_seq(&token->holder);
        if (holder == OURO__TRANSIT || holder == OURO__FROZEN)
            return; /* the receiver polls; a frozen one leaks */
        if (holder == OURO__GONE && !ouro__token_adopt(me, t))
            continue;
        struct ouro__thread *other = (struct ouro__thread *)holder;
        if (holder == OURO__GONE || other == me) {
            ouro__poll_tokens(me);
            return;
        }
        ouro_word state = ouro__load_seq(&other->state);
        if (state == OURO__PARKED)
            t = merge_for(me, other, t);
        else if ((state & ~(ouro_word)OURO__LOOK) != OURO__MERGING || leave_it_to_the_merger(other))
            return; /* running, or wants to: it polls */
    }
}

void ouro__nudge(struct ouro__thread *me, unsigned t)
{
    nudge_all(me, t);
    if (me->born_dead.first)
        ouro__release_some(me, SIZE_MAX);
    ouro__wrong_report(me);
}
