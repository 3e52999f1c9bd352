/* SPDX-License-Identifier: MIT */
/* flat.c: the release loop (release.c) for objects that are nothing but references: no hook, and
 * every reference at a fixed place. One function for each usual count of references, and one for
 * types with a filter.
 *
 *  F1  Objects that died and wait their turn stand in a small array; what does not fit in it is
 *      linked in front of me->pending, marked DYING (D1, D2). The array is spilled before anything
 *      else can die, so the order is that of release.c.
 *  F2  Nothing runs meanwhile that could reach an object in the array: decrefs of others chain what
 *      dies of them.
 *  F3  Cells that lie in one slice are linked and given to their page in one go. */
#include "alloc/heap.h"
#include "hooks/walk.h"
#include "orc/chain.h"
#include "orc/state.h"

#define TYPE_BITS ((ouro_word)0xFFFF << OURO__TYPE_SHIFT)
#define FREED     (OURO__DYING | -OURO__UNIT)
#define WAITING   32 /* places */

/* What the loop below keeps at hand of one type. */
struct flat {
    const uint32_t *refs;
    uint32_t count;
    ouro_word shared; /* the shared word of an object that only its owner, this thread, counts */
    uint64_t fresh;   /* the first half of the header of one with a single reference */
    const struct ouro_filter *filter; /* of some of the references, or NULL */
};

/* Puts a dead object in front of those that wait; `head` is the first of them. */
OURO_INLINE void *put_off(void *head, void *object, ouro_word dying)
{
    struct ouro_header *h = ouro__header(object);
    ouro__store(&h->shared, dying);
    ouro__link_set(h, head);
    return object;
}

/* The objects that died in a loop below and wait stand in an array, on top of the pending ones;
 * below the first is a NULL. Puts all `n - 1` of them in front of the pending ones. */
static OURO_NOINLINE void *spill(void *head, void *const *waiting, uint32_t n, ouro_word dying)
{
    for (uint32_t i = 1; i < n; i++)
        head = put_off(head, waiting[i], dying);
    return head;
}

/* Drops a reference to anything else. If something dies of it, all that wait are spilled, what died
 * is put in front, and the result is not `head`. */
static OURO_NOINLINE void *drop_other(struct ouro__thread *me, void *child, void *head,
                                      void *const *waiting, uint32_t n, ouro_word dying)
{
    ouro__decref_out(child);
    if (!me->born_dead.first)
        return head;
    ouro__link_set(ouro__header(me->born_dead.last), spill(head, waiting, n, dying));
    head = me->born_dead.first;
    me->born_dead = (struct ouro__chain){NULL, NULL};
    return head;
}

/* Whether the first pending object, if there is one, is of the type of a loop. */
OURO_INLINE bool goes_on(const void *head, ouro_word dying)
{
    return head && !((ouro__load(&ouro__header(head)->shared) ^ dying) & TYPE_BITS);
}

OURO_INLINE void *child_at(char *object, const struct flat *flat, uint32_t ref, const bool filtered)
{
    if (!filtered)
        return *(void **)(void *)(object + ref);
    void *word = *ouro__ref_slot(object, ref);
    return ref & OURO__REF_FILTERED ? ouro_filter_object(flat->filter, (uint64_t)(uintptr_t)word)
                                    : word;
}

/* Frees `object`, dead and of a flat type with `count` references, and what dies of it, while that
 * is of the same type. References are dropped last field first, so that the first child that dies
 * is the next to go, without a detour through memory. Returns how many were freed; always inlined
 * into one function per usual count. */
OURO_INLINE size_t release_refs(struct ouro__thread *me, char *object, const struct flat *flat,
                                const uint32_t count, const bool filtered, size_t budget)
{
    const ouro_word shared = flat->shared, type = shared & TYPE_BITS, dying = type | OURO__DYING;
    const uint64_t fresh = flat->fresh;
    const uint32_t *const refs = flat->refs;
    const uint32_t near[] = {count > 0 ? refs[0] : 0, count > 1 ? refs[1] : 0,
                             count > 2 ? refs[2] : 0};
    const struct ouro_heap *const heap = ouro__context.heap;
    struct ouro__run run = OURO__RUN_INIT;
    void *head = me->pending, *waiting[WAITING];
    uint32_t n = 1;
    size_t freed = 0;
    waiting[0] = NULL;
    for (;;) {
        char *next = NULL;
#pragma GCC unroll 3
        for (uint32_t i = count; i-- > 0;) {
            char *child = child_at(object, flat, count <= 3 ? near[i] : refs[i], filtered);
            if (!child)
                continue;
            if (next) {
                waiting[n++] = next;
                next = NULL;
                if (OURO_UNLIKELY(n == WAITING)) {
                    head = spill(head, waiting, n, dying);
                    n = 1;
                }
            }
            struct ouro_header *h = ouro__header(child);
            /* Acquire: pairs with the release of foreign decrefs (counts.md, memory order a). */
            bool plain = ouro__load_acquire(&h->shared) == shared;
            if (OURO_LIKELY(plain && *(ouro__first_half *)h == fresh)) {
                next = child;
            } else {
                void *now = drop_other(me, child, head, waiting, n, dying);
                n = now != head ? 1 : n;
                head = now;
            }
        }
        *(ouro__first_half *)ouro__header(object) = OURO__AWAY_HALF;
        ouro__store(&ouro__header(object)->shared, type | FREED);
        ouro__run_free(&run, heap, object, OURO__COUNTED, freed);
        freed++;
        if (!next) {
            next = waiting[--n];
            if (!next) {
                n = 1;
                if (!goes_on(head, dying))
                    break;
                next = head;
                head = ouro__link_get(ouro__header(head));
            }
        }
        object = next;
        if (OURO_UNLIKELY(freed == budget)) {
            waiting[n++] = next;
            break;
        }
    }
    me->pending = spill(head, waiting, n, dying);
    ouro__run_end(&run, freed);
    return freed;
}

#define RELEASE(name, count, filtered)                                                             \
    static OURO_NOINLINE size_t name(struct ouro__thread *me, char *object,                        \
                                     const struct flat *flat, size_t budget)                       \
    {                                                                                              \
        return release_refs(me, object, flat, count, filtered, budget);                            \
    }
RELEASE(release_leaf, 0, false)
RELEASE(release_1, 1, false)
RELEASE(release_2, 2, false)
RELEASE(release_3, 3, false)
RELEASE(release_n, flat->count, false)
RELEASE(release_filtered, flat->count, true)

size_t ouro__release_flat(struct ouro__thread *me, char *object, const struct ouro_type *type,
                          size_t budget)
{
    const struct flat flat = {type->refs, type->ref_count,
                              (ouro_word)type->id << OURO__TYPE_SHIFT | me->home,
                              type->counts + me->home - 1, type->filter};
    if (OURO_UNLIKELY(flat.filter))
        return release_filtered(me, object, &flat, budget);
    switch (flat.count) {
    case 0:
        return release_leaf(me, object, &flat, budget);
    case 1:
        return release_1(me, object, &flat, budget);
    case 2:
        return release_2(me, object, &flat, budget);
    case 3:
        return release_3(me, object, &flat, budget);
    default:
        return release_n(me, object, &flat, budget);
    }
}
