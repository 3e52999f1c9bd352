/* SPDX-License-Identifier: MIT */
/* state.h: Internal to orc. Threads, owner tokens, and what the parts of orc tell each other. */
#ifndef OURO_ORC_STATE_H
#define OURO_ORC_STATE_H

#include "alloc/heap.h"
#include "alloc/own.h"
#include "hooks/registry.h"
#include "orc/cycle.h"
#include "orc/header.h"

/* Takes or leaves a lock of orc that is held over a fork: on the thread that forks, nothing. */
OURO_INLINE void ouro__orc_lock(ouro__mutex *m)
{
    ouro__lock_unless(ouro__own.orc_forks, m);
}
OURO_INLINE void ouro__orc_unlock(ouro__mutex *m)
{
    ouro__unlock_unless(ouro__own.orc_forks, m);
}

/* -- tokens (token.c, attach.c, park.c) -------------------------------------------------------- */

/* What holder[t] may be, beside the address of a thread. */
enum { OURO__FRESH = 0, OURO__GONE = 1, OURO__TRANSIT = 2, OURO__FROZEN = 3 };

struct ouro__token {
    ouro_word holder;  /* left by its thread's RMW, taken by CAS from GONE */
    ouro_word queue;   /* segments of entries; pushed by anyone, taken whole by the holder */
    ouro_word spilled; /* objects that are entries themselves, linked (exhaust.c) */
    ouro_word marked;  /* something was dropped without an entry: the holder looks for it itself */
    uint32_t next_gone;
    uint32_t next_held;    /* of its holder's adopted tokens; 0: the last. Its holder's own */
    uint32_t next_of;      /* of its runtime's tokens; 0: the last */
    bool listed;           /* in the list of tokens to reissue; under the registry's lock */
    struct ouro__orc *orc; /* the runtime that it belongs to, and all that carries it (N1) */
} __attribute__((aligned(64)));

extern struct ouro__token ouro__tokens[0x10000];

/* state of a thread: RUNNING, PARKED or MERGING, with WANT beside it, and LOOK beside MERGING. */
enum { OURO__RUNNING = 0, OURO__PARKED = 1, OURO__MERGING = 2, OURO__WANT = 4, OURO__LOOK = 8 };

#define OURO__HELD_MOST    16 /* adopted tokens beside the home token, when they can be given up */
#define OURO__SEGMENTS     8
#define OURO__MERGE_MOST   64 /* entries settled under one hold of a parked thread */
#define OURO__SEGMENT_ROOM 62

/* Entries that one thread queues to one token (queue.c). */
struct ouro__segment {
    struct ouro__segment *next;
    ouro_word state; /* count of entries | CLOSED | LEFT | DONE */
    void *entries[OURO__SEGMENT_ROOM];
};

struct ouro__open {
    struct ouro__segment *segment;
    uint32_t token, count;
};
/* Where a thread has its open segment for t. The multiplier is one by which the first eight tokens
 * get a place each, and the next eight again. */
OURO_INLINE uint32_t ouro__open_place(uint32_t t)
{
    return (t * 0x0B83DA51u) >> 29;
}
OURO_STATIC_ASSERT(OURO__SEGMENTS == 8, "ouro__open_place gives three bits");

/* An over-release that was found where nothing can be reported: in the middle of a queue, or of a
 * capture. */
struct ouro__wrong {
    const void *object; /* NULL: none */
    const char *type_name, *detail;
};

/* -- dead objects (release.c) ------------------------------------------------------------------ */

/* Dead objects, chained through their headers. */
struct ouro__chain {
    void *first, *last;
};

/* -- candidates and captures (candidate.c, collect.c) ------------------------------------------ */

struct ouro__entry {
    void *object;  /* NULL: a free place, `link` is the next one */
    int32_t trial; /* references not explained so far */
    uint32_t link; /* index + 1 of the next entry to scan; flags at the top */
};
#define OURO__ENTRY_LIVE    (1u << 31)
#define OURO__ENTRY_CLAIMED (1u << 30) /* merged; Q is set and this entry owns a reference */
#define OURO__ENTRY_OUTSIDE (1u << 29) /* has a reference to something that was not captured */
#define OURO__ENTRY_ROOT    (1u << 28) /* was a candidate when the capture began */
#define OURO__ENTRY_INDEX   (OURO__ENTRY_ROOT - 1)

/* How far a collection came: what unwind.c needs if a hook left it. */
enum ouro__step_of_collection {
    OURO__NO_STEP,
    OURO__CAPTURING, /* up to the verdict: nothing has changed */
    OURO__PLAIN,     /* the dead stand in front; what they refer to outside is dropped */
    OURO__HOOKS_RUN, /* the dead stand in front, DYING; each whose hook began is OUTSIDE */
    OURO__DROPPING,  /* the fields of those without hooks go */
    OURO__FREEING    /* their memory goes; entries of which it has gone are empty */
};
struct ouro__stage {
    enum ouro__step_of_collection step;
    bool beside;         /* CAPTURING: it holds the arena, and `seen` is its own */
    uint32_t locked;     /* CAPTURING: the buckets of weak cells that it has locked, a bit each */
    uint32_t candidates; /* CAPTURING: how many there were */
    uint32_t dead, end;  /* from PLAIN on: entries that are dead; that there were in all */
    uint32_t captured;
    ouro_word *seen;
};

struct ouro__visited {
    struct ouro__entry *entries;
    uint32_t count, capacity;
    uint32_t free_place;   /* index + 1 */
    uint32_t live_places;  /* candidates: entries whose object is not NULL */
    uint32_t claimed;      /* candidates that are merged */
    uint32_t threshold;    /* candidates at which a collection starts */
    uint64_t bytes_before; /* heap->bytes_taken after the last collection */
    uint64_t bytes_due;    /* so much more, and one starts */
    uint32_t paused;
    bool collecting;
    struct ouro__stage stage; /* while it is collecting: how far it came */
    bool lost;                /* a candidate could not be remembered */
    bool waiting;             /* some candidates reach objects that this thread may not speak for */
    bool more;                /* what died of the last collection left new candidates */
    struct ouro_collection total;
};

struct ouro__thread {
    ouro_word state __attribute__((aligned(64)));
    /* The rest: its own thread, or who has it in MERGING. A line apart: others poll the state. */
    uint16_t home __attribute__((aligned(64)));
    uint32_t held_first; /* adopted tokens, linked by next_held */
    uint32_t held_count; /* the tokens that name it as their holder, beside its home */
    uint32_t park_depth;
    bool away; /* parked, because its thread is in another runtime */
    struct ouro__orc *orc;
    const struct ouro__own *thread;
    bool releasing;    /* inside the release loop: deaths are only chained */
    bool dropping;     /* the library drops fields: dying objects are passed over */
    bool quiet;        /* the library itself counts: nothing of it is misuse (checked.c) */
    bool whole;        /* it drops in the middle of a loop that nobody may leave: over-releases are
                          noted, the memory callback is not asked */
    bool giving_up;    /* inside ouro__tokens_give_up */
    bool ending;       /* the thread ends, or is detached */
    void *at_hand;     /* dying objects whose hooks run, linked through their headers */
    uint64_t number;   /* of this attachment, among all of the process; from 1 */
    ouro_word storing; /* the header of the object that it stores into with S set, for a fork */
    struct ouro__wrong wrong;     /* to be reported as soon as the handler may leave */
    struct ouro__chain born_dead; /* deaths that the object at hand caused */
    void *pending;                /* the first of the deaths that are being carried out */
    void *noted;                  /* the first of those that wait for a budget */
    struct ouro__open open[OURO__SEGMENTS];
    struct ouro__segment *reserve;
    struct ouro__visited visited;
    struct ouro__thread *next_thread; /* all thread records; only grows */
    struct ouro__thread *next_free;
    bool used;
};

extern OURO_TLS struct ouro__thread *ouro__self; /* NULL until first touch */

/* What orc has of a runtime, beside records and tokens (runtime.c). */
#define OURO__WEAK_BUCKETS 32
struct ouro__bucket {
    ouro__mutex lock;
    struct ouro_weak *first;
};
struct ouro__orc {
    struct ouro_runtime *runtime;
    struct ouro__orc *next;   /* of all, or of those to be used again */
    uint32_t gone_first;      /* tokens to reissue; under the registry's lock, as the next two */
    uint32_t tokens;          /* all that it was ever given */
    size_t attached;          /* threads with a record in it */
    bool closing;             /* it is being destroyed: nobody else may refer to its objects */
    ouro_word lost;           /* lost.c */
    ouro__mutex orphans_lock; /* candidate.c */
    struct ouro__entry *orphans;
    struct ouro__bucket buckets[OURO__WEAK_BUCKETS]; /* weak.c */
};
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
/* More than one thread ever touched counted objects. */
extern ouro_word ouro__many_threads;

/* What merges an object: M, and nobody as its owner (I3). In the checked library that is a number
 * which is no token, has no holder, and sends inlined atomic counts out of line. */
#define OURO__MERGED_OWNER ((ouro_word)(OURO_CHECKED ? 0xFFFE : OURO__NOBODY))
#define OURO__MERGE        (OURO__MERGED | OURO__MERGED_OWNER)

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
/* Takes token t from GONE; true: it is held now, its queue not looked at yet. */
bool ouro__token_adopt(struct ouro__thread *me, unsigned t);

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
/* Before the contents of a dying object are destroyed, and after that: it is at hand meanwhile. */
void ouro__take_at_hand(struct ouro__thread *me, void *object);
void ouro__put_down(struct ouro__thread *me);
/* Objects at hand above `until`, whose hooks were left, count as destroyed: their memory goes. */
void ouro__at_hand_left(struct ouro__thread *me, const void *until);
/* Marks an object dying. Its count is what it was, so that hooks can count on it. */
void ouro__mark_dying(struct ouro_header *h);
/* Gives back the memory of an object that is gone. */
void ouro__free_object(void *object, const struct ouro_type *type);
/* After its hook: whether somebody took a reference to a dying object; it then lives on. */
bool ouro__resurrected(void *object);

/* An owner that no immortal object has tells the dying from those. */
#define OURO__DYING (OURO__IMMORTAL | OURO__MERGED | OURO__NO_TOKEN)
OURO_INLINE bool ouro__is_dying(ouro_word shared)
{
    return (shared & OURO__DYING) == OURO__DYING;
}
/* Sets W, unless the object is immortal. Full: memory order g of counts.md. */
OURO_INLINE void ouro__weak_flag(struct ouro_header *h)
{
    ouro_word b = ouro__load(&h->shared);
    if (!(b & OURO__IMMORTAL) || ouro__is_dying(b))
        ouro__fetch_or_full(&h->shared, OURO__WEAK);
}
OURO_INLINE bool ouro__is_freed(ouro_word shared)
{
    return ouro__is_dying(shared) && ouro__count_of(shared) < 0;
}
/* The header of an object that is gone. */
OURO_INLINE void ouro__mark_freed(struct ouro_header *h)
{
    ouro_word type = ouro__load(&h->shared) & ((ouro_word)0xFFFF << OURO__TYPE_SHIFT);
    ouro__half_store(&h->local, OURO__LOCAL_AWAY);
    ouro__store(&h->shared, type | OURO__DYING | -OURO__UNIT);
}
/* The local word of an object that lived on after its hook ran: the hook does not run again. */
#define OURO__SPENT (OURO__LOCAL_AWAY | 1)
OURO_INLINE bool ouro__is_spent(const struct ouro_header *h)
{
    return (ouro__load(&h->shared) & OURO__MERGED) && ouro__half_load(&h->local) == OURO__SPENT;
}

/* -- candidate.c, collect.c -------------------------------------------------------------------- */

/* Remembers an object that the holder holds, or (claimed) a merged one whose Q the caller set;
 * false: no memory (the next collection then looks at everything). */
bool ouro__remember(struct ouro__thread *holder, void *object, bool claimed);
/* Candidates that carry token t, which is about to be given up, and all of a thread that ends, wait
 * for a thread that may speak for them. */
void ouro__forget_token(struct ouro__thread *me, unsigned t);
void ouro__candidates_end(struct ouro__thread *me);
/* Takes over the candidates that ended threads left; the caller is the only thread. */
void ouro__orphans_take(struct ouro__thread *me);
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

/* The object of this address, of that runtime, is dead: no upgrade finds it from now on. */
void ouro__weak_clear(struct ouro__orc *orc, void *object);
/* The same in steps: the lock that upgrades of the object take. */
unsigned ouro__weak_bucket(const void *object);
void ouro__weak_lock(struct ouro__orc *orc, unsigned bucket);
void ouro__weak_unlock(struct ouro__orc *orc, unsigned bucket);
void ouro__weak_clear_locked(struct ouro__orc *orc, void *object);

/* -- handle.c, foreign.c ----------------------------------------------------------------------- */

/* A line for each site and type of open handles. */
void ouro__handles_report(void);
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

#define OURO__TYPE_POINTER ((((uintptr_t)1 << 48) - 1) & ~(uintptr_t)7)
OURO_INLINE const struct ouro_type *ouro__type_of(const void *object, ouro_word shared)
{
    unsigned id = (unsigned)(shared >> OURO__TYPE_SHIFT) & 0xFFFF;
    if (OURO_LIKELY(id != OURO__WIDE_TYPE))
        return ouro__type_numbered(id);
    return (const struct ouro_type *)(((const uintptr_t *)object)[-3] & OURO__TYPE_POINTER);
}
OURO_INLINE bool ouro__can_cycle(const struct ouro_header *h)
{
    return ouro__half_load(&h->visited) != OURO__ACYCLIC;
}
/* The most references that a local word counts. LOCAL_PART of them go over to the shared count when
 * it is full, and come back when it is empty. */
#define OURO__LOCAL_MOST (OURO_CHECKED ? 0x3FFE : 0x8000)
#define OURO__LOCAL_PART 0x2000

/* The references that a local word counts; none where it is nobody's. */
OURO_INLINE int32_t ouro__local_count(ouro_half local)
{
    ouro_half n = local / OURO__LOCAL_UNIT;
    return (int32_t)(local & OURO__LOCAL_OUT ? n & 0x3FFF : n + 1);
}
/* The local word that says n references, of an object with that owner; one is born with one. */
OURO_INLINE ouro_half ouro__owned_local(ouro_word shared, int64_t n)
{
    ouro_half owner = (ouro_half)(shared & OURO__OWNER_MASK);
    if (OURO_CHECKED || n == 0) /* every inlined path goes out of line */
        return owner | OURO__LOCAL_AWAY | (ouro_half)n * OURO__LOCAL_UNIT;
    return owner | (ouro_half)(n - 1) * OURO__LOCAL_UNIT;
}
/* The most that a fold makes local of n references. */
OURO_INLINE int64_t ouro__part_of(int64_t n)
{
    return n < OURO__LOCAL_PART ? n : OURO__LOCAL_PART;
}
/* The next number with as many bits set (Gosper); above 0xFFFF: there is none of 16 bits. */
OURO_INLINE uint32_t ouro__next_token(uint32_t t)
{
    uint32_t low = t & -t, sum = t + low;
    return sum | ((t ^ sum) / low) >> 2;
}
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
