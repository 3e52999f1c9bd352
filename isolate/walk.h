/* SPDX-License-Identifier: MIT */
/* walk.h: Internal to isolate. The walk over a graph that is to be isolated (isolate.c). */
#ifndef OURO_ISOLATE_WALK_H
#define OURO_ISOLATE_WALK_H

#include "hooks/copying.h"
#include "isolate/handle.h"
#include "orc/capture.h"

/* References under way: read, their targets' headers prefetched, not looked at yet. */
#define OURO__EDGES 32
/* From so many objects on notes are cheaper than second looks. */
#define OURO__MANY 1024

/* A candidate of this thread's collector that was reached. */
struct ouro__reached {
    uint32_t index; /* of the object */
    uint32_t place; /* its own, among the candidates */
};

/* What changes with every reference; walk.c has it in registers. */
struct ouro__front {
    ouro_word *put, *see; /* the next of the lists */
    uint32_t count, room;
    uint32_t head, tail; /* of the ring */
    int64_t open;        /* references counted, less those found */
    ouro_word signs;     /* of shared words, joined: whether any count is negative */
};

struct ouro__proof {
    struct ouro_visitor visitor; /* first, so that it can be cast */
    struct ouro__front f;
    struct ouro__thread *me;
    struct ouro_isolated *handle; /* its objects are those that were reached */
    struct ouro__list seen;       /* their shared words at first sight, T clear */
    ouro_word own;                /* the home token; with several runtimes no token */
    uint32_t base;                /* the object of index i says base + i + 1 (visited) */
    uint32_t late;                /* the first object that notes speak for; or UINT32_MAX */
    ouro_word noted;              /* when that was reached (D3) */
    struct ouro_memo shared;      /* acyclic objects with several references: index + 1 */
    struct ouro__reached *reached;
    uint32_t reached_count, reached_room;
    size_t handles;           /* of cells of the graph's objects */
    bool links;               /* some type has weak or borrowed references */
    bool merged;              /* some object is merged */
    bool claimed;             /* some is the candidate of another thread, or of one that ended */
    bool trusted;             /* the caller has a proof: counts and links are not looked at */
    struct ouro__chain dead;  /* what others dropped last while it was claimed */
    const void *link_of;      /* the object with the weak or borrowed reference that escapes */
    const char *link;         /* where that stands */
    const void *sent;         /* an object of a graph that was isolated already; or NULL */
    unsigned orphan;          /* a token that somebody ended left, and an object carries; or 0 */
    struct ouro__heap *apart; /* of a region that is to be closed, and stays as it is; or NULL */
    bool unreached;           /* what escapes is in the region, and the root does not lead to it */
    bool mixed;               /* there are several runtimes: addresses tell what is of this one */
    bool failed;
    ouro_status status;
    /* What follows is not cleared before. */
    struct ouro_escape why;
    ouro_word few[OURO__FEW]; /* of `seen` */
    void *ring[OURO__EDGES];
};

/* The walk ends, with that answer unless there is one. */
void ouro__proof_stop(struct ouro__proof *p, ouro_status status);
void ouro__proof_escapes(struct ouro__proof *p, ouro_escape_kind kind, const void *object,
                         size_t references);

/* What is in a graph that was isolated already. */
void ouro__proof_sent_already(struct ouro__proof *p, const void *object);

/* Reaches all that `root` refers to. */
void ouro__proof_walk(struct ouro__proof *p, void *root);

OURO_INLINE void *ouro__proof_object(const struct ouro__proof *p, uint32_t i)
{
    return ouro__object_of(p->handle, i);
}
OURO_INLINE ouro_word ouro__proof_seen(const struct ouro__proof *p, uint32_t i)
{
    return *ouro__list_at(&p->seen, i);
}
/* The index of an object of the graph; UINT32_MAX: it is none, or acyclic and referred to once. */
uint32_t ouro__proof_index(const struct ouro__proof *p, const void *object);
/* Room for `more` than `count` words of `size` bytes; false: no memory, and nothing changed. */
bool ouro__proof_grow(void *array, uint32_t *room, uint32_t count, size_t size);
/* Handles that there are of the object's weak cell. */
size_t ouro__proof_handles(const struct ouro__proof *p, const void *object);

/* -- region_proof.c -- */
/* What the root reaches is proved. Stops the proof if more lives in the region's pages, or some of
 * it does not. */
void ouro__proof_region(struct ouro__proof *p);

/* -- links.c: weak and borrowed references -- */
/* All counts are explained. Stops the proof if such a reference leads in or out. */
void ouro__proof_links(struct ouro__proof *p);

#endif
