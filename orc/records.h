/* SPDX-License-Identifier: MIT */
/* records.h: Internal to orc. What tokens, threads and runtimes have in memory. */
#ifndef OURO_ORC_RECORDS_H
#define OURO_ORC_RECORDS_H

#include "alloc/heap.h"
#include "orc/cycle.h"
#include "orc/header.h"
#include "orc/thread.h"

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
#define OURO__ENTRY_BARE    (1u << 27) /* bare: what has proved live may be gone */
#define OURO__ENTRY_INDEX   (OURO__ENTRY_BARE - 1)

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
    bool lone;           /* it has said so in ouro__lone_capture */
    uint32_t locked;     /* CAPTURING: the buckets of weak cells that it has locked, a bit each */
    uint32_t candidates; /* CAPTURING: how many there were */
    uint32_t dead, end;  /* from PLAIN on: entries that are dead; that there were in all */
    uint32_t captured, live;
    ouro_word *seen;
    size_t freed;  /* from PLAIN on: by the sweep of the bare ones, where that is over */
    uint32_t bare; /* from PLAIN on: so many of the dead, the first, are bare (sweep_bare.c) */
    /* HOOKS_RUN, of bare ones: */
    uint32_t emptied;     /* the slots of so many are empty */
    uint32_t gone, saved; /* so many are gone, at least; hooks kept so many */
    uint32_t *order;      /* in which they go; NULL: as they stand */
    struct ouro__run run; /* cells that have not reached their page */
    bool closed;          /* all that was captured is dead, and refers to nothing else */
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
    bool bare;                /* there was a bare candidate (bare.c) */
    struct ouro__entry *aside; /* candidates that wait for a collection's end (aside.c), or NULL */
    uint32_t aside_count;
    size_t used_before;  /* memory in use after the last collection */
    uint64_t waited_for; /* attachments of threads when it was waited for their ends in vain */
    struct ouro_collection total;
};

struct ouro__thread {
    ouro_word state __attribute__((aligned(64)));
    ouro_word abroad; /* how often it counted on what it does not hold (token.c); never reset */
    /* The rest: its own thread, or who has it in MERGING. A line apart: others poll the state. */
    uint16_t home __attribute__((aligned(64)));
    uint32_t held_first; /* adopted tokens, linked by next_held */
    uint32_t held_count; /* the tokens that name it as their holder, beside its home */
    uint32_t park_depth;
    bool away;  /* parked, because its thread is in another runtime */
    bool apart; /* of a heap apart (apart.c) */
    bool
        scattered; /* it has something that its pages do not have, or that is not counted plainly */
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
    struct ouro_counted counted;      /* in the checked library */
    struct ouro__thread *next_thread; /* all thread records; only grows */
    struct ouro__thread *next_free;
    bool used;
};

extern OURO_TLS struct ouro__thread *ouro__self; /* NULL until first touch */

/* What orc has of a runtime, beside records and tokens (runtime.c). */
#define OURO__WEAK_BUCKETS 32
struct ouro__bucket {
    ouro__mutex lock;
    unsigned bits;            /* it has 1 << bits lists */
    size_t count;             /* cells in them */
    struct ouro_weak **lists; /* `first` while it is one */
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
    ouro__mutex orphans_lock; /* orphan.c */
    struct ouro__entry *orphans;
    struct ouro__bucket buckets[OURO__WEAK_BUCKETS]; /* weak.c */
};

#endif
