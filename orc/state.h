/* SPDX-License-Identifier: MIT */
/* state.h: Internal to orc and isolate. What its parts tell each other. */
#ifndef OURO_ORC_STATE_H
#define OURO_ORC_STATE_H

#include "alloc/own.h"
#include "orc/records.h"
#include "orc/words.h"

/* Takes or leaves a lock of orc that is held over a fork: on the thread that forks, nothing. */
OURO_INLINE void ouro__orc_lock(ouro__mutex *m)
{
    ouro__lock_unless(ouro__own.orc_forks, m);
}
OURO_INLINE void ouro__orc_unlock(ouro__mutex *m)
{
    ouro__unlock_unless(ouro__own.orc_forks, m);
}

/* -- attach.c, token.c, park.c, frame.c -------------------------------------------------------- */

/* The calling thread's record, made on first touch; NULL: no memory. */
struct ouro__thread *ouro__attach(void);
OURO_INLINE struct ouro__thread *ouro__me(void)
{
    struct ouro__thread *me = ouro__self;
    return OURO_LIKELY(me != NULL) ? me : ouro__attach();
}
/* Who a thread's frames and marks belong to; detach refuses while there are frames. */
size_t ouro__frames_open(void);
/* The thread's record goes: so do its frames. */
void ouro__frames_end(void);
/* unwind.c: the thread ends, and whatever it was at was left: all of it is put right. */
void ouro__unwind_all(struct ouro__thread *me);
/* park.c: ends parks until there are `depth` of them, without a look at what waits. */
void ouro__unpark_to(struct ouro__thread *me, uint32_t depth);
/* collect.c: finishes a collection that a hook left, or takes it back. */
void ouro__collect_left(struct ouro__thread *me);
/* How many threads touched counted objects of the runtime and have not ended. */
size_t ouro__attached(const struct ouro__orc *orc);
/* How many ever did, in the whole process. */
uint64_t ouro__attachments(void);
/* More than one thread ever touched counted objects. */
extern ouro_word ouro__many_threads;
/* Whose capture goes on without an eye on other threads: the process has attached no other one. A
 * struct ouro__own *, or 0. The second thread waits for its end (attach.c). */
extern ouro_word ouro__lone_capture;

/* "T holds x": the owner is its home, or a token it adopted. Acquire: pairs with the RMW by which
 * the token was left (docs/counts.md, c). */
OURO_INLINE bool ouro__holds(const struct ouro__thread *me, ouro_word shared)
{
    ouro_word owner = shared & OURO__OWNER_MASK;
    if (OURO_LIKELY(owner == me->home))
        return true;
    return me->held_count > 0 && owner != OURO__MERGED_OWNER &&
           ouro__load_acquire(&ouro__tokens[owner].holder) == (ouro_word)me;
}
/* Notes that the calling thread counts on what it does not hold, or stores into it: before it
 * drops, after it took, and before a store, but after the mark that tells of it (still.pml).
 * NULL: it has no record. Release: who sees the note sees all that the thread counted before it. */
extern ouro_word ouro__abroad_unknown;
OURO_INLINE void ouro__note_abroad(struct ouro__thread *me)
{
    if (OURO_LIKELY(me != NULL))
        ouro__store_release(&me->abroad, me->abroad + 1);
    else
        ouro__store_release(&ouro__abroad_unknown, 1);
}
/* What ouro_thread_counted tells, in the checked library. `me` may be NULL. */
OURO_INLINE void ouro__note_plain(struct ouro__thread *me)
{
    if (OURO_CHECKED && OURO_THREADS && me)
        me->counted.local++;
}
OURO_INLINE void ouro__note_rmw(struct ouro__thread *me)
{
    if (OURO_CHECKED && OURO_THREADS && me)
        me->counted.atomic++;
}
/* All notes of all threads so far: two equal answers, and no count abroad was noted in between. 0:
 * it cannot be told. O(threads that there ever were at once). */
ouro_word ouro__noted_abroad(void);
/* Takes token t from GONE; true: it is held now, its queue not looked at yet. */
bool ouro__token_adopt(struct ouro__thread *me, unsigned t);
/* Gives up all that the thread adopted (token.h, ouro__token_give_up). */
void ouro__tokens_give_up(struct ouro__thread *me);

/* What the thread's inlined paths may change, of objects with that home; as it stands in
 * ouro__context. */
void ouro__set_here(unsigned home);
/* Waits for at most one hold of a parked thread; the other way. */
void ouro__run_again(struct ouro__thread *me);
void ouro__enter_park(struct ouro__thread *me);
void ouro__thread_exit(bool ended);
/* Tokens of a runtime that is gone are anybody's. */
void ouro__tokens_back(struct ouro__orc *orc);

/* -- runtime.c --------------------------------------------------------------------------------- */

/* What orc has of a runtime, made on first touch; NULL: no memory. With the registry's lock. */
struct ouro__orc *ouro__orc_of(struct ouro_runtime *runtime);
/* All of them. With the registry's lock. */
extern struct ouro__orc *ouro__orcs;
/* Whether the object belongs to another runtime than the one that the thread is in. b: its shared
 * word, not that of a dying object. */
bool ouro__is_elsewhere_out(const struct ouro__thread *me, const void *object, ouro_word b);
OURO_INLINE bool ouro__is_elsewhere(const struct ouro__thread *me, const void *object, ouro_word b)
{
    return OURO_UNLIKELY(ouro__load(&ouro__more_runtimes) != 0) &&
           ouro__is_elsewhere_out(me, object, b);
}
/* Whether memory is of that runtime; exact where there are several. */
OURO_INLINE bool ouro__is_of(const struct ouro__orc *orc, const void *p)
{
    return OURO_LIKELY(ouro__load(&ouro__more_runtimes) == 0) ||
           ouro__runtime_of(p) == orc->runtime;
}
/* What orc has of the runtime of an object. */
struct ouro__orc *ouro__orc_of_object(const void *object);
/* Enters the object's runtime to act there as one of its threads; NULL: no memory. To be left. */
struct ouro_runtime *ouro__visit(const void *object);
void ouro__orc_before_fork(struct ouro__orc *orc);
void ouro__orc_after_fork(struct ouro__orc *orc, bool child);
/* A decref of what belongs to another runtime: there. */
void ouro__visit_decref(void *object);
/* For alloc (heap.h, struct ouro__upper). */
void ouro__orc_left(void);
void ouro__orc_leaving(void);
void ouro__orc_entering(void *record);
bool ouro__orc_prepare(struct ouro_runtime *runtime);
bool ouro__orc_closing(struct ouro_runtime *runtime, bool run_hooks);
void ouro__orc_closed(struct ouro_runtime *runtime);

/* -- queue.c ----------------------------------------------------------------------------------- */

/* Bytes of the blocks of what waits in the queue of a token that the caller holds. */
size_t ouro__queued_bytes(unsigned t);
/* Gives the caller's reference to `object` (Q was set by the caller) to the queue of token t. */
void ouro__enqueue(struct ouro__thread *me, void *object, unsigned t);
/* Settles what waits for token t, which `holder` holds and the caller may act for; at most about
 * `most` entries. The dead are chained to `dead`; the segments to be freed are returned. Allocates
 * nothing and runs no hook. */
struct ouro__segment *ouro__drain(struct ouro__thread *holder, unsigned t, unsigned most,
                                  struct ouro__chain *dead);
/* What drain left, outside every hold: segments are freed, the dead destroyed. */
void ouro__after_drain(struct ouro__thread *me, struct ouro__segment *spent,
                       struct ouro__chain *dead);
void ouro__segments_leave(struct ouro__thread *me);
/* Of an object with that shared word more references were dropped, or found, than there are: the
 * calling thread reports the first such when it is done with what it is at. */
void ouro__wrong_found(const void *object, ouro_word shared, const char *detail);
void ouro__wrong_report(struct ouro__thread *me);
/* The shared word of such an object, immortal from then on; takes the holder's part of it away. */
ouro_word ouro__set_aside(struct ouro__thread *holder, struct ouro_header *h, ouro_word b);

/* What waits for token t, in the order of things (counts.md, b). */
OURO_INLINE bool ouro__work_waits(unsigned t)
{
    const struct ouro__token *token = &ouro__tokens[t];
    return ouro__load_seq(&token->queue) != 0 || ouro__load_seq(&token->spilled) != 0 ||
           ouro__load_seq(&token->marked) != 0;
}

/* -- exhaust.c --------------------------------------------------------------------------------- */

/* Before Q is set on an object to which the caller has a reference: its entry will need no memory
 * that is not there. False: T and the change of the count are to be written with Q clear, and the
 * token marked. May run the program's callback for want of memory. */
bool ouro__entry_secured(struct ouro__thread *me, const void *object);
void ouro__mark(struct ouro__thread *me, unsigned t);
/* Settles what was left by marks, for the token's holder. */
void ouro__look_for_marked(struct ouro__thread *holder, unsigned t, struct ouro__chain *dead);
/* Queues an object that was secured, Q set, through a word of its own. */
void ouro__spill(void *object, unsigned t);
void *ouro__spilled_next(const void *object);

/* -- nudge.c ----------------------------------------------------------------------------------- */

/* Whoever may settle what waits for t is made to, or does it here. */
void ouro__nudge(struct ouro__thread *me, unsigned t);
/* Looks at every token that the thread holds. */
void ouro__poll_tokens(struct ouro__thread *me);
/* The same while it turns from one runtime to another, or parks: without hooks where own.hushed
 * says so. */
void ouro__poll_turning(struct ouro__thread *me);
/* Whether something waits for a token that the thread holds; by itself, or under its hold. */
bool ouro__anything_queued(const struct ouro__thread *holder);

/* -- release.c --------------------------------------------------------------------------------- */

/* Death is decided: nobody has a reference. Carries it out, or chains it if that is under way. */
void ouro__die(struct ouro__thread *me, void *object);
/* Marks it dying and chains it; runs nothing. For callers inside a hold. */
void ouro__die_later(struct ouro__thread *holder, struct ouro__chain *chain, void *object);
/* Destroys what is pending, at most `budget` objects; returns how many. */
size_t ouro__release_some(struct ouro__thread *me, size_t budget);
/* The same of what ouro_decref_later noted. */
size_t ouro__release_noted(struct ouro__thread *me, size_t budget);
/* Carries out the deaths of a chain, now or, inside the loop, after what is at hand. */
void ouro__release_chain(struct ouro__thread *me, const struct ouro__chain *dead);
/* The same of all in a chain, whose memory goes when all hooks have run; none may leave by a jump,
 * and none of the objects lives on. */
void ouro__release_together(struct ouro__thread *me, const struct ouro__chain *dying);
/* Before the contents of a dying object are destroyed, and after that: it is at hand meanwhile. */
void ouro__take_at_hand(struct ouro__thread *me, void *object);
void ouro__put_down(struct ouro__thread *me);
/* Objects at hand above `until`, whose hooks were left, count as destroyed: their memory goes. */
void ouro__at_hand_left(struct ouro__thread *me, const void *until);
/* bare.c: of such an object, of `type`: a bare object for which it stood gives its memory back. */
void ouro__proxy_left(const void *object, const struct ouro_type *type);
/* Marks an object dying. Its count is what it was, so that hooks can count on it. */
void ouro__mark_dying(struct ouro_header *h);
/* Gives back the memory of an object that is gone. */
void ouro__free_object(void *object, const struct ouro_type *type);
/* After its hook: whether somebody took a reference to a dying object; it then lives on. */
bool ouro__resurrected(void *object);

/* -- candidate.c, collect.c -------------------------------------------------------------------- */

/* Remembers an object that the holder holds, or (claimed) a merged one whose Q the caller set;
 * false: no memory (the next collection then looks at everything). */
bool ouro__remember(struct ouro__thread *holder, void *object, bool claimed);
/* Candidates that carry token t, which is about to be given up, and all of a thread that ends, wait
 * for a thread that may speak for them. */
void ouro__forget_token(struct ouro__thread *me, unsigned t);
void ouro__candidates_end(struct ouro__thread *me);
/* The bare ones, of a thread that ends, wait for a thread that is alone. */
void ouro__candidates_leave_bare(struct ouro__thread *me);
/* Takes over the candidates that ended threads left; the caller is the only thread. */
void ouro__orphans_take(struct ouro__thread *me);
/* The same of those that any thread may have: merged ones, and what carries a token that the caller
 * holds. False: none, or no memory. Runs hooks. */
bool ouro__orphans_take_held(struct ouro__thread *me);
bool ouro__orphans_exist(struct ouro__orc *orc);
/* lost.c: a candidate was forgotten that a thread which is alone is to look for; are there such;
 * the caller, in a collection, is alone and looks. */
void ouro__lost_set(struct ouro__orc *orc);
bool ouro__lost_exist(const struct ouro__orc *orc);
void ouro__lost_find(struct ouro__thread *me);
/* Forgets it, if it is a candidate of that thread. */
void ouro__forget(struct ouro__thread *me, struct ouro_header *h);
/* A merged candidate's entry is gone: the reference that it owned goes too; true: it is dead. */
bool ouro__unclaim(void *object);
bool ouro__is_claimed_by(const struct ouro__thread *me, const void *object, ouro_half visited);
void ouro__relink_free_places(struct ouro__visited *v);
/* A collection, if one is due. */
void ouro__collect_if_due(struct ouro__thread *me);
/* Room for one entry more; false: no memory. */
bool ouro__visited_grow(struct ouro__visited *v);
/* ouro_realloc where the program's memory callback must not come in between: it may drop objects,
 * make candidates and collect. */
void *ouro__realloc_alone(void *block, size_t size);

/* -- weak.c ------------------------------------------------------------------------------------ */

struct ouro_weak;
/* The object of this address, of that runtime, is dead: no upgrade finds it from now on. */
void ouro__weak_clear(struct ouro__orc *orc, void *object);
/* The same in steps: the lock that upgrades of the object take. */
unsigned ouro__weak_bucket(const void *object);
void ouro__weak_lock(struct ouro__orc *orc, unsigned bucket);
void ouro__weak_unlock(struct ouro__orc *orc, unsigned bucket);
void ouro__weak_clear_locked(struct ouro__orc *orc, void *object);
/* With that lock: how many handles there are of the object. */
size_t ouro__weak_handles(struct ouro__orc *orc, const void *object);
/* What a handle (borrowed) stands for, for comparing; NULL: it is dead. */
const void *ouro__weak_target(struct ouro_weak *weak);

/* -- handle.c, foreign.c ----------------------------------------------------------------------- */

/* A line for each site and type of open handles. */
void ouro__handles_report(void);
void ouro__handles_report_reset(void);
void ouro__handles_drop(const struct ouro_runtime *runtime); /* closes those of its objects */
void ouro__handles_before_fork(void);
void ouro__handles_after_fork(bool child);
/* An object that W is set on dies: its foreign bytes are counted no more. */
void ouro__foreign_forget(const void *object);
/* Bytes that an object declared (ouro_foreign_bytes). */
size_t ouro__foreign_of(const void *object);
/* The entries of objects of a runtime that goes. */
void ouro__foreign_drop(const struct ouro_runtime *runtime);
void ouro__foreign_before_fork(void);
void ouro__foreign_after_fork(bool child);

/* -- object.c ---------------------------------------------------------------------------------- */

/* One reference more, by the holder; false: there are too many. */
bool ouro__local_incref(struct ouro_header *h);
/* References that the shared word, last seen as *b, counts become the holder's, which has none:
 * as many as there is room for. False: *b was not the word any more, and is what it is now. */
bool ouro__fold(struct ouro_header *h, ouro_word *b);
/* Memory was refused: what waits to be destroyed goes, and cyclic garbage; false: nothing did. */
bool ouro__anything_freed(struct ouro__thread *me);
/* Reports it, or notes it where nobody may leave (then it returns); the shared word tells the type.
 */
void ouro__over_release(const void *object, ouro_word b);
/* Makes it immortal; the one who did says so. */
void ouro__saturate(void *object);
/* Bytes of the block that it lies in, header and tail included. */
size_t ouro__block_bytes(const void *object);
void ouro__leaks_at_exit(void);
/* In the child of a fork: a thread that is not there lists nothing any more. */
void ouro__leaks_in_child(void);
void ouro__free_odd(void *object, const struct ouro_type *type);
/* One line on the standard error; `about` (may be NULL) is added to it. */
void ouro__warn(const char *what, const char *about);
void ouro__warn_object(const char *what, const void *object);
/* The object in a counted block, or NULL if none was born there or it is gone. For walks. */
void *ouro__object_in(char *block);
/* The same for a block of so many bytes that another thread may be using for something else. */
void *ouro__object_within(char *block, size_t bytes);
/* The header that such a block has, of an object that lives or not; NULL: none was born there. */
struct ouro_header *ouro__header_within(char *block, size_t bytes);
/* For hooks (refops.h, alive). */
const struct ouro_type *ouro__leaving_alive(size_t *count);
const char *ouro__type_name(const void *object, ouro_word shared);
/* Fails if the object is gone and its memory was not used again (the checked library: was it used
 * on the wrong thread); `what` says how it was used. */
void ouro__check_alive(const void *object, const char *what);

#endif
