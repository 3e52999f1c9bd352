/* SPDX-License-Identifier: MIT */
/* capture.h: Internal to orc and isolate. One collection under way: what capture, verdict and sweep
 * share. */
#ifndef OURO_ORC_CAPTURE_H
#define OURO_ORC_CAPTURE_H

#include "hooks/walk.h"
#include "orc/index.h"

/* References under way: read, their targets' headers prefetched, not looked at yet. */
#define OURO__RING 32
/* Entries under way: found in a header, prefetched, not written yet. */
#define OURO__LATE 32

struct ouro__edge {
    void *target;
    const struct ouro_type *type; /* of a bare target, as who traced it knows it; or NULL */
    uint32_t from;                /* index of the entry that it stands in */
};

struct ouro__capture {
    struct ouro_visitor visitor; /* for types that are not flat; first, so that it can be cast */
    struct ouro__thread *me;
    struct ouro__visited *v;
    ouro_word own;               /* the home token; with several runtimes no token */
    struct ouro__entry *entries; /* v->entries, kept in step */
    ouro_word *seen; /* shared words as captured, by entry; NULL: there was one thread only */
    uint32_t seen_capacity;
    uint32_t scanning;             /* index of the entry whose slots are being read */
    uint32_t stack;                /* index + 1 of the last entry found and not scanned */
    uint32_t head, tail;           /* of the ring */
    uint32_t late_head, late_tail; /* of the second one */
    uint32_t candidates;           /* entries below are candidates */
    uint32_t captured;             /* how many objects were scanned */
    uint32_t dead;
    bool mixed;   /* there are several runtimes: addresses tell what is of this one */
    bool alone;   /* there is no other thread: any object can be captured */
    bool lives;   /* some captured object is live */
    bool skipped; /* something that can be in a cycle could not be captured */
    bool failed;
    bool outside;  /* some captured object refers to one that was not */
    bool odd;      /* some captured type is not flat */
    bool weak;     /* some captured object may have a weak cell */
    uint32_t bare; /* so many captured objects are bare */
    bool pinned;   /* and other threads may have indices of such, and drop them (B4, B5) */
    bool moved;    /* a living object was touched: what it explained may be elsewhere */
    const struct ouro_type *told; /* what stood for a type last (OURO_TYPE_LATER), and for which */
    struct ouro_type *meant;
    struct ouro__edge ring[OURO__RING];
    uint32_t late[OURO__LATE];
};

/* Whether this thread may speak for an object of its runtime with that shared word. Alone it may
 * for all, but for those whose thread is not there in a fork's child: their counts and indices were
 * left anyhow. */
bool ouro__may_capture_out(const struct ouro__capture *c, const void *object, ouro_word b);
OURO_INLINE bool ouro__may_capture(const struct ouro__capture *c, const void *object, ouro_word b)
{
    return OURO_LIKELY((b & (OURO__OWNER_MASK | OURO__IMMORTAL)) == c->own) ||
           ouro__may_capture_out(c, object, b);
}
/* What a bare entry that is not captured, or proved live, has where it stays a candidate. */
#define OURO__ENTRY_STAYS (OURO__ENTRY_BARE | OURO__ENTRY_CLAIMED)
OURO_INLINE bool ouro__entry_stays(const struct ouro__entry *entry)
{
    return (entry->link & OURO__ENTRY_STAYS) == OURO__ENTRY_STAYS;
}
/* Whether an entry takes part, and has not proved live: merged candidates do only while the process
 * has a single thread; till then they wait. */
OURO_INLINE bool ouro__is_captured(const struct ouro__capture *c, const struct ouro__entry *entry)
{
    return entry->object && !(entry->link & OURO__ENTRY_LIVE) &&
           (!(entry->link & OURO__ENTRY_CLAIMED) || (c->alone && !ouro__entry_stays(entry)));
}
/* A root that proved live, but reaches objects that nobody could speak for: it may be kept by a
 * cycle through those, so it stays a candidate. */
OURO_INLINE bool ouro__root_stays(const struct ouro__capture *c, const struct ouro__entry *entry)
{
    return c->skipped && (entry->link & OURO__ENTRY_ROOT) && (entry->link & OURO__ENTRY_LIVE) &&
           (c->pinned || !(entry->link & OURO__ENTRY_BARE));
}
/* Captures all that the candidates reach; false: abandoned, everything as before. */
bool ouro__capture(struct ouro__capture *c);
/* Puts everything back as it was before. */
void ouro__capture_abandon(struct ouro__capture *c);
/* Finds out which entries are dead and moves them to the front; the rest is no candidate any more.
 */
void ouro__verdict(struct ouro__capture *c);
void ouro__unlock_buckets(struct ouro__orc *orc, struct ouro__visited *v);
/* Frees the dead; returns how many. */
size_t ouro__sweep(struct ouro__capture *c);
/* Goes on with a sweep that a hook left, where its stage says; returns how many it freed. */
size_t ouro__sweep_on(struct ouro__capture *c);

/* A visited word, without what it shows of where the object's owner is (B6). */
OURO_INLINE ouro_half ouro__unmarked(const struct ouro__capture *c, ouro_half visited)
{
    return OURO_LIKELY(!c->pinned) ? visited : visited & ~OURO__AWAY;
}
/* -- beside.c: of a pinned capture -- */
/* Before any count is read, the marks are taken off (B4). What shows HOLD is left as it is. */
void ouro__take_marks_off(struct ouro__capture *c);
/* What is immortal, or was disposed of, is a candidate no more. */
void ouro__pass_over_beside(const struct ouro__capture *c, struct ouro__entry *entry);
/* As ouro__capture_abandon. */
void ouro__abandon_beside(struct ouro__capture *c);
/* The indices of what lives go, now that nobody asks for them any more; bare ones stay candidates
 * (ouro__entry_stays) if they were dropped meanwhile, or reach what another thread has the index
 * of: it may have found a part of the same garbage alive. */
void ouro__give_indices_back(const struct ouro__capture *c);
/* Such a one gets its place. */
void ouro__settle_stayer(struct ouro__entry *entry, uint32_t i);

/* Whether the visited word of `object` is an index of this capture's. */
OURO_INLINE bool ouro__is_entry_of(const struct ouro__capture *c, const void *object,
                                   ouro_half visited)
{
    return visited != 0 && visited <= c->v->count && c->entries[visited - 1].object == object;
}

/* Defines the visitor's function of a search: a bare target comes with the type that it has. */
#define OURO__DEFINE_SEARCH_VISIT(visit, search)                                                   \
    static void visit(struct ouro_visitor *self, void **slot, const struct ouro_type *target)      \
    {                                                                                              \
        void *object = ouro__slot_load(slot);                                                      \
        if (object)                                                                                \
            ouro__edge_found((struct ouro__capture *)(void *)self, &search, object,                \
                             ouro__is_told_bare(target) ? target : NULL);                          \
    }

/* What a search does nothing at. */
OURO_INLINE void ouro__search_nothing(struct ouro__capture *c, uint32_t index)
{
    (void)c;
    (void)index;
}

OURO_INLINE void ouro__capture_push(struct ouro__capture *c, uint32_t index)
{
    struct ouro__entry *entry = &c->entries[index];
    entry->link = (entry->link & ~OURO__ENTRY_INDEX) | c->stack;
    c->stack = index + 1;
}

/* References that are counted in the header. */
OURO_INLINE int32_t ouro__references(const struct ouro_header *h, ouro_word b)
{
    int64_t count = ouro__count_of(b);
    if (!(b & OURO__MERGED))
        count += ouro__local_count(ouro__half_load(&h->local));
    return count < INT32_MAX ? (int32_t)count : INT32_MAX; /* more are never explained */
}

/* -- a search ---------------------------------------------------------------------------------- */

/* What a search does where it goes. Each of the two has a constant of its own, so that all of it is
 * inlined into one loop. */
struct ouro__search {
    void (*arrive)(struct ouro__capture *c, struct ouro__edge edge); /* its header is there */
    void (*settle)(struct ouro__capture *c, uint32_t index);         /* its entry is there */
    void (*on_scan)(struct ouro__capture *c, uint32_t index);        /* before its slots are read */
    void (*scanned)(struct ouro__capture *c, uint32_t index);        /* after that */
    void (*found)(struct ouro_visitor *self, void *object);          /* ouro__edge_found */
    /* The same of what is in a slot. */
    void (*visit)(struct ouro_visitor *self, void **slot, const struct ouro_type *target);
};

/* An entry is wanted: it is fetched, and settled 16 entries later. */
OURO_INLINE void ouro__capture_later(struct ouro__capture *c, const struct ouro__search *search,
                                     uint32_t index)
{
    OURO_PREFETCH(&c->entries[index]);
    if (c->late_tail - c->late_head == OURO__LATE) {
        uint32_t oldest = c->late[c->late_head++ % OURO__LATE];
        search->settle(c, oldest);
    }
    c->late[c->late_tail++ % OURO__LATE] = index;
}

/* A reference was in a slot: its header is fetched, and looked at 32 references later. */
OURO_INLINE void ouro__edge_found(struct ouro__capture *c, const struct ouro__search *search,
                                  void *target, const struct ouro_type *type)
{
    OURO_PREFETCH(ouro__header(target));
    if (c->tail - c->head == OURO__RING) {
        struct ouro__edge oldest = c->ring[c->head++ % OURO__RING];
        search->arrive(c, oldest);
    }
    c->ring[c->tail++ % OURO__RING] = (struct ouro__edge){target, type, c->scanning};
}

/* Scans what is on the stack; edges found last stay in the rings. */
OURO_INLINE void ouro__capture_scan(struct ouro__capture *c, const struct ouro__search *search)
{
    while (c->stack) {
        uint32_t index = c->stack - 1;
        char *object = c->entries[index].object;
        c->stack = c->entries[index].link & OURO__ENTRY_INDEX;
        c->scanning = index;
        search->on_scan(c, index);
        ouro_word b = ouro__load(&ouro__header(object)->shared);
        ouro__each_ref(object, ouro__type_of(object, b), &c->visitor, search->found);
        search->scanned(c, index);
    }
}

/* The same, until nothing is left in the rings either. */
OURO_INLINE void ouro__capture_finish(struct ouro__capture *c, const struct ouro__search *search)
{
    for (;;) {
        if (c->stack) {
            ouro__capture_scan(c, search);
        } else if (c->head != c->tail) {
            struct ouro__edge oldest = c->ring[c->head++ % OURO__RING];
            search->arrive(c, oldest);
        } else if (c->late_head != c->late_tail) {
            search->settle(c, c->late[c->late_head++ % OURO__LATE]);
        } else {
            return;
        }
    }
}

#endif
