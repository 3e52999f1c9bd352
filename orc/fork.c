/* SPDX-License-Identifier: MIT */
/* fork.c: the locks of this layer around a fork, and the child, in which one thread is left. */
#include "alloc/heap.h"
#include "alloc/runtime.h"
#include "orc/checked.h"
#include "orc/site.h"
#include "orc/token.h"

static void run_for_fork(void *record)
{
    struct ouro__thread *me = record;
    if (me && me->apart)
        me->thread = &ouro__own; /* it may have been anybody's */
    if (me && (me->park_depth > 0 || me->away))
        ouro__run_again(me);
}

/* Whoever settles for a parked thread would vanish in the middle of it: the thread runs while it
 * forks, in all its runtimes. Before every lock but that of the list of runtimes, for a merger may
 * need one. */
void ouro__counts_before_fork(void)
{
    run_for_fork(ouro__self);
    ouro__elsewhere_each(run_for_fork);
    ouro__lock(&ouro__registry.lock);
    ouro__types_before_fork();
    for (struct ouro__orc *orc = ouro__orcs; orc; orc = orc->next)
        ouro__orc_before_fork(orc);
    ouro__handles_before_fork();
    ouro__foreign_before_fork();
    ouro__sites_before_fork();
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
    ouro__mutex_reset(&ouro__registry.lock);
    for (uint32_t t = OURO__FIRST_TOKEN; t != ouro__registry.fresh; t = ouro__next_token(t)) {
        ouro_word holder = ouro__load(&ouro__tokens[t].holder);
        if (holder > OURO__FROZEN && !is_mine((const struct ouro__thread *)holder))
            ouro__store(&ouro__tokens[t].holder, OURO__FROZEN);
    }
    for (struct ouro__orc *orc = ouro__orcs; orc; orc = orc->next)
        orc->attached = 0;
    for (struct ouro__thread *other = ouro__registry.all; other; other = other->next_thread) {
        if (is_mine(other))
            other->orc->attached++;
        else
            end_store(other);
    }
    ouro__leaks_in_child();
}

void ouro__counts_after_fork(bool child)
{
    ouro__own.orc_forks = false;
    if (OURO_CHECKED)
        ouro__checked_after_fork(child);
    ouro__sites_after_fork(child);
    ouro__foreign_after_fork(child);
    ouro__handles_after_fork(child);
    for (struct ouro__orc *orc = ouro__orcs; orc; orc = orc->next)
        ouro__orc_after_fork(orc, child);
    ouro__types_after_fork(child);
    if (child && ouro__load(&ouro__lone_capture) != (ouro_word)&ouro__own)
        ouro__store(&ouro__lone_capture, 0); /* of a thread that is not there */
    if (child)
        become_child();
    else
        ouro__unlock(&ouro__registry.lock);
    park_after_fork(ouro__self);
    ouro__elsewhere_each(park_after_fork);
}
