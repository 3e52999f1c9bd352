/* SPDX-License-Identifier: MIT */
/* unwind.c: what a jump left is put right.
 *
 * Code of the program runs inside the library at few places: hooks, the memory callback, handlers
 * of failures. Where it leaves by longjmp or an exception, the C frames of the library are gone,
 * and may be overwritten; so all that is needed to finish what they were at stands in the thread's
 * record while such code runs, and nothing is left in locals but what may be lost.
 *
 *  U1  Locks are not held while code of the program runs; but the buckets of weak cells are while
 *      trace hooks are asked for the second look, and those stand in visited.stage.
 *  U2  release: what waits is pending, born_dead or noted; the object whose hook runs is at hand.
 *      It counts as destroyed: its hook ran, once; its memory goes, unless somebody took a
 *      reference. What its fields still held is not dropped: how far its hook came nobody knows.
 *  U3  collection: up to the verdict it is taken back, from then on it is finished (sweep.c, S3).
 *      Candidates that were set aside for it are candidates again (aside.c).
 *  U4  Loops that cannot be left are `whole`: over-releases are noted, and reported when they are
 *      done; the memory callback is not asked.
 *  U5  Each step takes what it is about to do out of the record first: a hook that leaves again is
 *      passed the next time.
 *
 * A mark tells what was under way when it was made: a hook may make one, and be unwound to that. */
#include "alloc/fail.h"
#include "alloc/os.h"
#include "orc/frame.h"
#include "orc/index.h"

enum {
    RELEASING = 1,
    COLLECTING = 2,
    DROPPING = 4,
    QUIET = 8,
    PLEADING = 16,
    GIVING_UP = 32,
    ENDING = 64,
    ASIDE = 128
};

static uint32_t flags_of(const struct ouro__thread *me)
{
    return (me->releasing ? RELEASING : 0u) | (me->visited.collecting ? COLLECTING : 0u) |
           (me->dropping ? DROPPING : 0u) | (me->quiet ? QUIET : 0u) |
           (ouro__own.pleading ? PLEADING : 0u) | (me->giving_up ? GIVING_UP : 0u) |
           (me->ending ? ENDING : 0u) | (me->visited.aside ? ASIDE : 0u);
}

struct ouro_mark ouro_frame_mark(void)
{
    struct ouro_mark mark = {0};
    const struct ouro__thread *me = ouro__me();
    if (!me)
        return mark;
    mark.thread = me->number;
    mark.depth = ouro__frames_open();
    mark.at_hand = me->at_hand;
    mark.parks = me->park_depth;
    mark.pauses = me->visited.paused;
    mark.must_return = ouro__own.must_return;
    mark.flags = flags_of(me);
    return mark;
}

/* Why it cannot be unwound to the mark; NULL: it can. A mark that was made before there was memory
 * for a record is one of a thread that was at nothing. */
static const char *bad_mark(const struct ouro__thread *me, const struct ouro_mark *mark)
{
    if (me && me->apart && ouro__own.must_return > mark->must_return)
        return "a hook left the end of a region";
    if (mark->thread != 0 && (!me || mark->thread != me->number))
        return "unwound to a mark of another thread, or of before it was detached";
    if (me && (mark->depth > ouro__frames_open() || mark->parks > me->park_depth ||
               (mark->flags & ~flags_of(me) & (RELEASING | COLLECTING | PLEADING))))
        return "unwound to a mark of a function that has returned, or was unwound itself";
    return NULL;
}

/* What was under way above the mark is so no more. */
static void restore_flags(struct ouro__thread *me, const struct ouro_mark *mark)
{
    me->dropping = mark->flags & DROPPING;
    me->quiet = mark->flags & QUIET;
    me->giving_up = mark->flags & GIVING_UP;
    me->ending = mark->flags & ENDING;
    ouro__own.pleading = mark->flags & PLEADING;
    ouro__own.must_return = mark->must_return;
    ouro__own.hushed = false;
    me->whole = false;
    /* Relaxed, as ever: only this thread and a fork's child read it. */
    ouro__store(&me->storing, 0);
    if (me->visited.paused > mark->pauses)
        me->visited.paused = mark->pauses;
    ouro__unpark_to(me, mark->parks);
}

/* Whose variables are gone. */
struct left {
    uintptr_t now; /* functions below this on the stack, which grows downwards; or, if 0, all: */
    uintptr_t low, high; /* then the thread has ended, and its stack is here; asked for at need */
};

/* At a thread's end. What cannot be told from a variable is lost, too, rather than a guess
 * destroyed. */
static bool is_gone_with_thread(const struct ouro__owned *owned, struct left *left)
{
    uintptr_t at = (uintptr_t)owned->at;
    if (left->high == 0 && !ouro__os_stack(&left->low, &left->high))
        *left = (struct left){.low = 0, .high = UINTPTR_MAX};
    uintptr_t low = left->low > 0 ? left->low : owned->stack;
    return at >= low && at < left->high && !ouro__os_is_thread_local(owned->at);
}

/* Whether the bytes of a value are gone with the function that owned it: it lay on the stack that
 * was in use there, and that is shorter now. */
static bool is_gone(const struct ouro__owned *owned, struct left *left)
{
    uintptr_t at = (uintptr_t)owned->at;
    if (left->now == 0)
        return is_gone_with_thread(owned, left);
    return at >= owned->stack && at < left->now;
}

/* F2 (frame.c). Returns whether a value was passed over. */
static bool release_frames(const struct ouro_mark *mark, uintptr_t now)
{
    struct left left = {.now = now};
    bool any_gone = false;
    while (ouro__frames_open() > mark->depth) {
        struct ouro__owned owned = *--ouro__frames.top;
        if (!owned.type)
            ouro_decref_biased(owned.at);
        else if (is_gone(&owned, &left))
            any_gone = true;
        else
            ouro__frame_destroy(&owned);
    }
    return any_gone;
}

/* `now` as in struct left. Returns what is to be said when it is done, or NULL. */
static const char *unwind(struct ouro__thread *me, const struct ouro_mark *mark, uintptr_t now)
{
    const char *wrong = NULL;
    if (ouro__own.must_return > mark->must_return)
        wrong = "a trace or wasMoved hook was left by a jump";
    else if (me->ending && !(mark->flags & ENDING))
        wrong = "a hook left the end of a thread";
    restore_flags(me, mark);
    ouro__at_hand_left(me, mark->at_hand);
    if (me->visited.collecting && !(mark->flags & COLLECTING)) {
        me->releasing = true; /* as in any collection */
        ouro__collect_left(me);
    }
    if (!(mark->flags & ASIDE))
        ouro__aside_back(me);
    me->releasing = mark->flags & RELEASING;
    bool any_gone = release_frames(mark, now);
    ouro__release_some(me, SIZE_MAX);
    return wrong || !any_gone ? wrong : "a value of a function that was jumped over is lost";
}

static OURO_NOINLINE void unwind_or_fail(const struct ouro_mark *mark, uintptr_t now)
{
    struct ouro__thread *me = ouro__self;
    const char *wrong = bad_mark(me, mark);
    if (!wrong && me)
        wrong = unwind(me, mark, now);
    if (wrong)
        ouro_fail(OURO_FAIL_MISUSE, NULL, NULL, wrong);
}

/* The frame of this function lies where those were that were left: what was in it is gone, too. */
void ouro_frame_unwind(const struct ouro_mark *mark)
{
    unwind_or_fail(mark, OURO__CALLERS_STACK());
}

void ouro__unwind_all(struct ouro__thread *me)
{
    const struct ouro_mark mark = {0};
    const char *wrong = unwind(me, &mark, 0); /* no function of the thread's runs any more */
    /* Nobody is there any more who could mend it. */
    if (wrong)
        ouro__warn("a thread ended: ", wrong);
}
