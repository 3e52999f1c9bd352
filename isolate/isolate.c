/* SPDX-License-Identifier: MIT */
/* isolate.c: the proof that nobody outside refers into a graph. Its other end: extract.c.
 *
 * Problem: a graph is to change its owner. Its counts tell how many references there are to each
 * object; if the graph itself, and the handle, explain all of them, there are no others. That is
 * one walk from one root (walk.c). Words and flags: docs/counts.md; why a second look, and what
 * notes tell: docs/protocol-models.md, A hand-over with weak handles; models: proof.pml and
 * still.pml, and isolate.pml for weak handles.
 *
 *  D1  Every object that is reached is held by this thread, or merged; Q and S are clear, but for
 *      the Q of a merged object: a candidate's of this thread, or this walk's claim (D5). Either
 *      owns one reference. Or it may be outside: then it is not looked into.
 *  D2  The references that the objects count are those found in the graph, the handle's, and a
 *      merged one's claim (walk.c, P2).
 *  D3  Nobody else counted, or moved a reference, since the first look. So at some instant no
 *      object of the graph had a reference from outside; and who has none then cannot get any. It
 *      is told in one of two ways. Of the first objects, and of all where it must, the shared words
 *      are the same at a second look, after the last first one: T is clear at the first, so a drop
 *      or a store in between leaves it set. Of the rest of a large graph, no other thread noted a
 *      count on what it does not hold (ouro__noted_abroad) since the first of those was looked at.
 *      Merged objects are marked at the first look, so that inlined counts on them go out of line,
 *      where drops set T; they get second looks always, for who looked for the mark before counts
 *      unnoted. Acyclic ones have no T, and moves between slots of merged ones set none: the
 *      program promises that no other thread does that meanwhile (isolated.h).
 *  D4  Of an object with W the handles of its cell and its counts are read with the cell's lock,
 *      and all of the handles lie in the graph: nobody outside can make one a reference. So it is
 *      at the second look: who was in the graph may have taken one there.
 *  D5  Until D1 to D4 are shown nothing is written but visited words of objects that this thread
 *      holds, or has claimed, as collectors claim merged ones (Q), T, and marks; all but T are
 *      put back if they are not. What ended threads left is taken over before, and kept. If they
 *      are shown, nobody else has anything of the graph, and plain stores do.
 *  D6  On its way a graph carries tokens that the sender held, or none (merged), and its visited
 *      words are not 0, so that who looks for lost candidates in pages passes it over; nobody
 *      refers to it. The receiver writes both words anew, but the shared word of what stays
 *      merged: one touch an object, in the order of the walk. */
#include "isolate/isolated.h"
#include "alloc/fail.h"
#include "alloc/pool.h"
#include "alloc/text.h"
#include "isolate/escape.h"
#include "isolate/region_state.h"
#include "isolate/walk.h"
#include "orc/checked.h"
#include "orc/rc.h"
#include "orc/weak.h"

#include <string.h>

/* -- what is not explained --------------------------------------------------------------------- */

struct blame {
    struct ouro_visitor visitor; /* first */
    struct ouro__proof *p;
    uint32_t *found; /* references, by object */
};

static void blame_found(struct ouro_visitor *self, void *object)
{
    struct blame *blame = (struct blame *)(void *)self;
    uint32_t i = ouro__proof_index(blame->p, object);
    ouro_half visited = ouro__half_load(&ouro__header(object)->visited);
    ouro_word b = ouro__load(&ouro__header(object)->shared);
    if (i != UINT32_MAX)
        blame->found[i]++;
    else if (visited != 0 && visited != OURO__ACYCLIC && (b & OURO__OWNER_MASK) == blame->p->own)
        ouro__proof_sent_already(blame->p, object); /* its index looked like one of this walk */
}

OURO__DEFINE_VISIT(blame_slot, blame_found)

/* The first object that counts more references than are found. */
static void name_it(struct ouro__proof *p, const uint32_t *found)
{
    const struct ouro__front *f = &p->f;
    for (uint32_t i = 0; i < f->count; i++) {
        const struct ouro_header *h = ouro__header(ouro__proof_object(p, i));
        int64_t more = ouro__references(h, ouro__load(&h->shared)) - (int64_t)found[i];
        ouro_word seen = ouro__proof_seen(p, i);
        more -= (seen & OURO__MERGED) && (seen & OURO__QUEUED); /* the claim's */
        bool told = ouro__proof_index(p, ouro__proof_object(p, i)) != UINT32_MAX;
        if (told && more > 0) {
            ouro__proof_escapes(p, OURO_ESCAPE_IN, ouro__proof_object(p, i), (size_t)more);
            return;
        }
    }
    ouro__proof_stop(p, OURO_BUSY); /* it has just gone */
}

static void find_blame(struct ouro__proof *p)
{
    struct ouro__front *f = &p->f;
    uint32_t *found = ouro__realloc_alone(NULL, f->count * sizeof *found);
    if (!found) {
        ouro__proof_stop(p, OURO_NO_MEMORY);
        return;
    }
    memset(found, 0, f->count * sizeof *found);
    struct blame blame = {{blame_slot}, p, found};
    found[0]++; /* the handle's */
    for (uint32_t i = 0; i < f->count; i++)
        ouro__each_ref(ouro__proof_object(p, i),
                       ouro__type_of(ouro__proof_object(p, i), ouro__proof_seen(p, i)),
                       &blame.visitor, blame_found);
    if (!p->failed)
        name_it(p, found);
    ouro_free(found);
}

/* -- the verdict ------------------------------------------------------------------------------- */

/* The first objects and, where notes do not tell, all (D3). The first looks were acquires, so these
 * loads come after all of them. */
static void look_again(struct ouro__proof *p)
{
    const struct ouro__front *f = &p->f;
    bool still =
        p->late != UINT32_MAX && !p->merged && p->handles == 0 && ouro__noted_abroad() == p->noted;
    uint32_t end = still ? p->late : f->count;
    size_t handles = 0;
    for (uint32_t i = 0; i < end && !p->failed; i++) {
        if (i + OURO__AHEAD < end)
            OURO_PREFETCH(ouro__header(ouro__proof_object(p, i + OURO__AHEAD)));
        if (OURO_UNLIKELY(ouro__load_acquire(&ouro__header(ouro__proof_object(p, i))->shared) !=
                          ouro__proof_seen(p, i)))
            ouro__proof_stop(p, OURO_BUSY);
        if (OURO_UNLIKELY(ouro__proof_seen(p, i) & OURO__WEAK))
            handles += ouro__proof_handles(p, ouro__proof_object(p, i));
    }
    if (handles != p->handles)
        ouro__proof_stop(p, OURO_BUSY);
}

/* The mark goes, and with it the claim, unless it is a candidate's; true: that was the last
 * reference. Full, as each decref of a merged object: pairs with all others. */
static bool unmark(struct ouro_header *h, bool candidate)
{
    ouro_word b = ouro__load(&h->shared), next;
    bool claim = (b & OURO__QUEUED) && !candidate;
    do {
        next = (b & ~(OURO__OWNER_MASK | OURO__TOUCHED)) | OURO__MERGED_OWNER;
        if (claim)
            next = (next & ~OURO__QUEUED) - OURO__UNIT;
    } while (!ouro__cas_full(&h->shared, &b, next));
    return claim && ouro__count_of(next) == 0;
}

/* All words as they were. What others dropped last meanwhile dies later. */
static void put_back(struct ouro__proof *p)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < p->f.count; i++) {
        void *object = ouro__proof_object(p, i);
        struct ouro_header *h = ouro__header(object);
        bool candidate = next < p->reached_count && p->reached[next].index == i;
        if (candidate)
            ouro__half_store(&h->visited, p->reached[next++].place);
        else if (ouro__half_load(&h->visited) == p->base + i + 1)
            ouro__half_store(&h->visited, 0);
        if ((ouro__proof_seen(p, i) & OURO__MERGED) && unmark(h, candidate))
            ouro__die_later(p->me, &p->dead, object);
    }
}

/* What is reached lives, so it is no candidate. All get their places first: forgetting one moves
 * others. */
static void take_candidates_out(struct ouro__proof *p)
{
    for (uint32_t k = 0; k < p->reached_count; k++) {
        void *object = ouro__proof_object(p, p->reached[k].index);
        ouro__half_store(&ouro__header(object)->visited, p->reached[k].place);
    }
    for (uint32_t k = 0; k < p->reached_count; k++) {
        struct ouro_header *h = ouro__header(ouro__proof_object(p, p->reached[k].index));
        ouro__forget(p->me, h);
        ouro__half_store(&h->visited, p->base + p->reached[k].index + 1); /* D6 */
    }
}

/* Marks and claims are nobody's: plain stores do. */
static void take_marks_out(struct ouro__proof *p)
{
    for (uint32_t i = 0; i < p->f.count; i++) {
        ouro_word b = ouro__proof_seen(p, i);
        if (!(b & OURO__MERGED))
            continue;
        ouro_word claim = b & OURO__QUEUED ? OURO__QUEUED + OURO__UNIT : 0;
        ouro__store(&ouro__header(ouro__proof_object(p, i))->shared,
                    ((b - claim) & ~OURO__OWNER_MASK) | OURO__MERGED_OWNER);
    }
}

/* What others dropped without memory for an entry is settled (exhaust.c), so that whoever looks for
 * such finds nothing to be done here (D6). */
static void settle_counts(struct ouro__proof *p)
{
    for (uint32_t i = 0; i < p->f.count; i++) {
        ouro_word b = ouro__proof_seen(p, i);
        if (ouro__count_of(b) >= 0)
            continue;
        struct ouro_header *h = ouro__header(ouro__proof_object(p, i));
        ouro__half_store(&h->local, ouro__owned_local(b, ouro__references(h, b)));
        ouro__store(&h->shared, b & ~(OURO__TOUCHED | -OURO__UNIT));
    }
}

/* The graph is nobody's any more (D6). */
static struct ouro_isolated *take_out(struct ouro__proof *p)
{
    struct ouro_isolated *handle = p->handle;
    take_candidates_out(p);
    if (p->merged)
        take_marks_out(p);
    if (ouro__count_of(p->f.signs) < 0)
        settle_counts(p);
    handle->count = p->f.count;
    handle->plain = !p->merged;
    for (uint32_t i = 0; p->merged && i < p->f.count && !handle->plain; i++)
        handle->plain = !(ouro__proof_seen(p, i) & OURO__MERGED);
    for (uint32_t i = 0; OURO_CHECKED && i < p->f.count; i++)
        ouro__checked_sent(ouro__proof_object(p, i));
    handle->state = OURO__HANDLE_WHOLE;
    ouro__list_fit(&handle->objects, p->f.count);
    return handle;
}

static void check(struct ouro__proof *p)
{
    if (p->f.open != 0)
        find_blame(p);
    if (!p->failed && (p->links || p->handles > 0))
        ouro__proof_links(p);
    if (!p->failed)
        look_again(p);
}

static struct ouro_isolated *prove(struct ouro__proof *p, void *root)
{
    p->handle = ouro__realloc_alone(NULL, sizeof *p->handle);
    if (!p->handle) {
        ouro__proof_stop(p, OURO_NO_MEMORY);
        return NULL;
    }
    ouro__list_begin(&p->handle->objects, p->handle->few);
    ouro__list_begin(&p->seen, p->few);
    p->f.put = p->handle->few;
    p->f.see = p->few;
    p->f.room = OURO__FEW;
    ouro__proof_walk(p, root);
    /* Acquire: what was read from slots comes before the notes that are read now (still.pml). */
    ouro__fence_acquire();
    if (!p->failed && p->f.count == 0) /* of a kind that is never in a graph */
        ouro__proof_escapes(p, OURO_ESCAPE_OUT, root, 0);
    if (!p->failed && !p->trusted)
        check(p);
    if (!p->failed && p->apart)
        ouro__proof_region(p);
    if (!p->failed && !p->apart)
        return take_out(p);
    put_back(p);
    ouro__handle_free(p->handle);
    return NULL;
}

static void explain(struct ouro_escape *why, const struct ouro__proof *p, void *root)
{
    *why = p->why;
    why->type_name = NULL;
    /* What a borrowed pointer leads to may be anything, and what a weak one does may have died. */
    if (why->kind != OURO_ESCAPE_WEAK_OUT) {
        ouro_word b = ouro__load(&ouro__header(why->object)->shared);
        const struct ouro_type *type = ouro__type_of(why->object, b);
        why->type_name = type ? type->name : NULL;
    }
    if (!p->unreached) {
        const void *to = p->link ? p->link_of : why->object;
        ouro__escape_path(why->path, sizeof why->path, root, to, p->link);
        return;
    }
    struct ouro__text text = {why->path, sizeof why->path, 0};
    ouro__text_add(&text, "(not reached from the root) ");
    ouro__text_add(&text, why->type_name ? why->type_name : "object");
}

/* One walk. What the memory callback might do, others wait for. */
static ouro_status attempt(struct ouro__proof *p, void *root, struct ouro_isolated **handle,
                           struct ouro_escape *why)
{
    bool pleading = ouro__own.pleading;
    ouro__own.pleading = true; /* the memory callback may drop objects, and collect */
    ouro__arena_hold();        /* V7 of capture.c: others may free what they empty slots of */
    *handle = prove(p, root);
    if (!*handle && p->status == OURO_NOT_ISOLATED && why)
        explain(why, p, root);
    ouro__arena_release();
    ouro__memo_end(&p->shared);
    if (p->seen.parts)
        ouro__list_end(&p->seen);
    ouro_free(p->reached);
    ouro__own.pleading = pleading;
    if (*handle)
        ouro__tool_release(*handle);
    ouro__release_chain(p->me, &p->dead);
    return p->status;
}

/* Takes the token, so that what carries it is the thread's; all of a graph at once. */
static void adopt(struct ouro__thread *me, unsigned token)
{
    bool giving_up = me->giving_up;
    me->giving_up = true; /* none is given up for it */
    (void)ouro__token_adopt(me, token);
    me->giving_up = giving_up;
    ouro__poll_tokens(me);
}

/* `apart`: nothing is taken out, but what is in that heap is looked at, and *objects told. */
static ouro_status isolate(void *root, struct ouro_isolated **handle, struct ouro_escape *why,
                           bool trusted, struct ouro__heap *apart, size_t *objects)
{
    if (!root || !handle)
        return OURO_BAD_ARGUMENT;
    *handle = NULL;
    struct ouro__thread *me = ouro__me();
    if (!me)
        return OURO_NO_MEMORY;
    if (me->visited.collecting || me->releasing)
        return OURO_BUSY;
    ouro__check_alive(root, "isolated, but it is gone");
    ouro__poll_tokens(me);
    struct ouro__proof p;
    ouro_status status;
    bool again, taken = false; /* what ended threads left as candidates */
    do {
        memset(&p, 0, offsetof(struct ouro__proof, why));
        p.why.kind = 0;
        p.me = me;
        p.base = me->visited.count;
        p.late = UINT32_MAX;
        p.trusted = trusted;
        p.apart = apart;
        p.mixed = ouro__load(&ouro__more_runtimes) != 0;
        p.own = p.mixed ? ~(ouro_word)0 : me->home;
        status = attempt(&p, root, handle, why);
        again = p.orphan != 0;
        if (p.orphan)
            adopt(me, p.orphan);
        else if (!taken && (p.claimed || p.why.kind == OURO_ESCAPE_IN))
            again = taken = ouro__orphans_take_held(me);
    } while (again);
    if (objects)
        *objects = p.f.count;
    if (OURO_UNLIKELY(p.sent != NULL))
        ouro_fail(OURO_FAIL_MISUSE, p.sent,
                  ouro__type_name(p.sent, ouro__load(&ouro__header(p.sent)->shared)),
                  "isolated, but it was isolated before, and not extracted");
    if (OURO_UNLIKELY(me->held_count > OURO__HELD_MOST) && !me->giving_up)
        ouro__tokens_give_up(me);
    return status;
}

ouro_status ouro_isolate(void *root, struct ouro_isolated **handle, struct ouro_escape *why)
{
    return isolate(root, handle, why, false, NULL, NULL);
}

ouro_status ouro__isolate_region(void *root, struct ouro__heap *heap, size_t *objects,
                                 struct ouro_escape *why)
{
    struct ouro_isolated *none;
    return isolate(root, &none, why, false, heap, objects);
}

void ouro__not_isolated(const struct ouro_escape *why)
{
    char said[OURO_ESCAPE_PATH + 64];
    struct ouro__text text = {said, sizeof said, 0};
    ouro__text_add(&text, "said to be isolated, but it is not: ");
    ouro__text_add(&text, why->path);
    ouro_fail(OURO_FAIL_MISUSE, why->object, why->type_name, said);
}

ouro_status ouro_isolate_unchecked(void *root, struct ouro_isolated **handle)
{
    struct ouro_escape why;
    ouro_status status = isolate(root, handle, &why, !OURO_CHECKED, NULL, NULL);
    if (OURO_CHECKED && status == OURO_NOT_ISOLATED)
        ouro__not_isolated(&why);
    return status;
}

ouro_status ouro_deepcopy(const void *root, struct ouro_isolated **handle, struct ouro_escape *why)
{
    if (!root || !handle)
        return OURO_BAD_ARGUMENT;
    *handle = NULL;
    const struct ouro__thread *me = ouro__me();
    if (!me)
        return OURO_NO_MEMORY;
    if (me->visited.collecting || me->releasing)
        return OURO_BUSY; /* it could not be isolated */
    void *copy = NULL;
    ouro_status status = ouro_deepcopy_value(&copy, &root, &ouro_ref_type);
    if (status == OURO_OK)
        status = ouro_isolate(copy, handle, why);
    if (status != OURO_OK)
        ouro_decref(copy);
    return status;
}
