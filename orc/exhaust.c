/* SPDX-License-Identifier: MIT */
/* exhaust.c: foreign drops and slot stores for which there is no memory to queue an entry.
 *
 *  E1  The segment that an entry may need is secured before Q is set: Q can not be taken back, for
 *      the owner may have left its last drop to the drain meanwhile.
 *  E2  An object with spare words before its header (over-aligned, wide, checked, or of a supply of
 *      single blocks) is its own entry: it is linked into the token's list by one of them, which
 *      needs no memory. The word is written before the RMW that links it, and read by who took the
 *      list, before it settles the object.
 *  E3  All others stand where a block of a page begins. Whoever drops or stores changes the count
 *      with Q clear and sets T, and marks the token afterwards. The holder takes the mark off, and
 *      then looks at every block: what has its token, a count below zero and Q clear is folded, or
 *      is dead; what has T set becomes a candidate. Until then a negative count does no harm: the
 *      local one is above it, so no zero drop sees it.
 *  E4  The walk goes through the pages of all, beside threads that run. It reads the first words of
 *      blocks alone: there is a header, a forwarder, or a header that says that nothing is there,
 *      at any time. It writes to what has its token only, which nobody else may free: but for the
 *      untyped last drop of another thread. That leaves T clear on an acyclic object, which is then
 *      passed over.
 *
 * Unbounded under a hold: who unparks then waits for the walk.
 * Model: notice.pml (NOMEM). */
#include "alloc/heap.h"
#include "alloc/pool.h"
#include "alloc/valgrind.h"
#include "orc/state.h"

/* E2. The type's state says so before it has an object. */
static bool is_own_entry(const void *object)
{
    const struct ouro_type *type = ouro__type_of(object, ouro__load(&ouro__header(object)->shared));
    return type && (type->state & OURO__TYPE_ALIGNED);
}

bool ouro__entry_secured(struct ouro__thread *me, const void *object)
{
    if (OURO_LIKELY(me->reserve != NULL))
        return true;
    bool pleading = ouro__own.pleading;
    ouro__own.pleading = pleading || me->whole; /* the callback might leave */
    struct ouro__segment *segment = ouro_malloc(sizeof *segment);
    ouro__own.pleading = pleading;
    if (!me->reserve)
        me->reserve = segment;
    else
        ouro_free(segment); /* the program's callback for want of memory dropped something, too */
    return me->reserve || is_own_entry(object);
}

/* -- objects that are entries (E2) ------------------------------------------------------------- */

static ouro_word *link_of(const void *object)
{
    return &((ouro_word *)(uintptr_t)object)[-4]; /* [-3] is the descriptor's */
}

void ouro__spill(void *object, unsigned t)
{
    ouro_word *list = &ouro__tokens[t].spilled, head = ouro__load(list);
    do {
        *link_of(object) = head;
    } while (!ouro__cas_full(list, &head, (ouro_word)object));
}

void *ouro__spilled_next(const void *object)
{
    return (void *)*link_of(object);
}

/* -- marks (E3) -------------------------------------------------------------------------------- */

void ouro__mark(struct ouro__thread *me, unsigned t)
{
    ouro__exchange_full(&ouro__tokens[t].marked, 1); /* after the count: who sees it, sees that */
    ouro__nudge(me, t);
}

/* An object of the token that may have been left to the walk; true: it is dead. */
static bool settle_marked(struct ouro__thread *holder, struct ouro_header *h)
{
    ouro_half local = ouro__half_load(&h->local);
    ouro_word b = ouro__load_acquire(&h->shared);
    bool cyclic = ouro__can_cycle(h);
    ouro__tool_acquire(h + 1);
    const ouro_word others = OURO__QUEUED | OURO__IMMORTAL; /* the drain's, or nobody's */
    while (ouro__count_of(b) < 0 && !(b & others) && (cyclic || (b & OURO__TOUCHED))) {
        int64_t n = ouro__local_count(local) + ouro__count_of(b);
        if (OURO_UNLIKELY(n < 0)) {
            if (!ouro__cas_full(&h->shared, &b, ouro__set_aside(holder, h, b))) {
                ouro__half_store(&h->local, local);
                continue;
            }
            ouro__wrong_found(h + 1, b, "more references were dropped than there were");
            return false;
        }
        ouro_word next = b & (OURO__UNIT - 1);
        if (n == 0)
            next = (next & ~(OURO__OWNER_MASK | OURO__TOUCHED)) | OURO__MERGE;
        ouro__tool_release(h + 1);
        ouro__half_store(&h->local, n == 0 ? OURO__LOCAL_AWAY : ouro__owned_local(b, n));
        if (ouro__cas_full(&h->shared, &b, next)) {
            if (n == 0)
                return true;
            b = next | OURO__TOUCHED; /* a candidate, though a capture may have cleared it */
        } else {
            ouro__half_store(&h->local, local);
        }
    }
    if ((b & OURO__TOUCHED) && !(b & OURO__IMMORTAL) && ouro__half_load(&h->visited) == 0)
        ouro__remember(holder, h + 1, false);
    return false;
}

struct marked {
    struct ouro__thread *holder;
    struct ouro__chain *dead;
    unsigned token;
};

/* E4. The word may be plainly written meanwhile, where it has another token before and after. */
OURO_READS_RACY static bool is_of_token(const struct ouro_header *h, unsigned token)
{
    ouro_word b = ouro__load_acquire(&h->shared);
    return (b & OURO__OWNER_MASK) == token && !(b & (OURO__MERGED | OURO__IMMORTAL));
}

static void look_at_place(const struct ouro__place *place, void *arg)
{
    const struct marked *look = arg;
    for (size_t i = 0; i < place->blocks; i++) {
        struct ouro_header *h = (struct ouro_header *)(void *)(place->block + i * place->bytes);
        if (is_of_token(h, look->token) && settle_marked(look->holder, h))
            ouro__die_later(look->holder, look->dead, h + 1);
    }
}

void ouro__look_for_marked(struct ouro__thread *holder, unsigned t, struct ouro__chain *dead)
{
    struct marked look = {holder, dead, t};
    ouro__arena_each(OURO__COUNTED, look_at_place, &look);
}
