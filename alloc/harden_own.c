/* SPDX-License-Identifier: MIT */
/* harden_own.c: blocks that have pages of their own, at levels 2 and 3 of the option `harden`
 * (harden.c).
 *
 * At level 2 such a block is followed by a canary. At level 3 more blocks are of this kind, and
 * each ends where a page begins that nobody may touch:
 *
 *     | unused | what was asked for, canary up to the next multiple of 16 | guard page | unused |
 *
 *  O1  `asked` of the description is out of reach of overflows: it says what was asked for, whether
 *      there is a guard, and whether the block is out. It goes from out to free by CAS, as S1 does.
 *  O2  A block in quarantine has given its memory back and, while there are guards to spare, may
 *      not be touched: a use of it stops the program where it happens (SIGSEGV).
 *  O3  Before its slices or its mapping are given back all of it may be touched again. What the
 *      system does not open any more, for that takes another mapping, is never given back.
 *
 * The system cuts a mapping in three for a guard, and allows some 65,530 of them in all. So there
 * are at most GUARDS_MOST guards at a time, and where there are more, or the system refuses, a
 * block has none, and a canary as at level 2. */
#include "alloc/arena.h"
#include "alloc/harden.h"

#define OWN_FROM    OURO__SMALL_MAX_SIZE /* above it, at level 3 */
#define SPAN_MOST   ((size_t)31 << OURO__SLICE_SHIFT)
#define WIPE_MOST   ((size_t)256 << 10) /* above it memory goes back to the system */
#define GUARDS_MOST 16384

#define IS_OUT   ((ouro_word)1)
#define IS_SHUT  ((ouro_word)2) /* something of it may not be touched */
#define SIZE_BIT 2

static ouro_word guards;

/* Where things are in it. */
struct plan {
    size_t at, body, whole;
};

static size_t up_to(size_t n, size_t unit)
{
    return (n + unit - 1) & ~(unit - 1);
}

/* At level 3 the canary is what the alignment leaves; it may be nothing. */
static struct plan plan_for(size_t size, size_t align)
{
    struct plan plan = {0, up_to(size + sizeof(ouro_word), OURO__OS_PAGE), 0};
    if (ouro__harden >= 3) {
        plan.body = up_to(size, OURO__OS_PAGE);
        plan.whole = plan.body + OURO__OS_PAGE;
        if (align <= OURO__OS_PAGE)
            plan.at = plan.body - up_to(size, align);
    } else {
        plan.whole = plan.body;
    }
    return plan;
}

bool ouro__owns_pages(size_t size, size_t align)
{
    size_t most = ouro__harden >= 3 ? OWN_FROM : OURO__CLASS_MAX_SIZE - sizeof(ouro_word);
    return size > most || align > OURO__SLICE_SIZE / 2 ||
           up_to(size + sizeof(ouro_word), align) > OURO__CLASS_MAX_SIZE;
}

/* -- taking ------------------------------------------------------------------------------------ */

static char *base_of(const struct ouro__place *place)
{
    return place->block;
}

static ouro_word *asked_of(const struct ouro__place *place)
{
    return place->huge ? &place->huge->asked : &place->page->asked;
}

/* One go; NULL: refused. */
static char *take(struct ouro__heap *heap, const struct plan *plan, size_t align)
{
    struct ouro__arena *arena = &heap->runtime->arena;
    if (align <= OURO__SLICE_SIZE && plan->whole <= SPAN_MOST) {
        unsigned slices = (unsigned)(up_to(plan->whole, OURO__SLICE_SIZE) >> OURO__SLICE_SHIFT);
        struct ouro__page *page = ouro__span_take(arena, slices, plan->at, OURO__RAW);
        return page ? page->start : NULL;
    }
    char *base = ouro__huge_take(arena, plan->whole, align, OURO__RAW, false);
    if (base)
        ouro__place_of(base).huge->cell_at = plan->at;
    return base;
}

static bool shut_guard(char *base, const struct plan *plan)
{
    if (plan->whole == plan->body)
        return false;
    if (ouro__fetch_add(&guards, 1) < GUARDS_MOST &&
        ouro__os_forbid(base + plan->body, plan->whole - plan->body))
        return true;
    ouro__fetch_add(&guards, (ouro_word)-1);
    return false;
}

/* Where a canary ends at the latest: at the guard, if there is one. */
static const char *end_of(const struct ouro__place *place, const char *p, size_t size,
                          ouro_word asked)
{
    const char *base = base_of(place);
    if (asked & IS_SHUT)
        return base + up_to((size_t)(p - base) + size, OURO__OS_PAGE);
    return base + place->bytes;
}

void *ouro__own_take(struct ouro__heap *heap, size_t size, size_t align)
{
    struct plan plan = plan_for(size, align);
    char *base = take(heap, &plan, align);
    for (unsigned attempt = 0; !base && ouro__refused(heap, plan.whole, attempt); attempt++)
        base = take(heap, &plan, align);
    if (!base)
        return NULL;
    heap->bytes_taken += size;
    struct ouro__place place = ouro__place_of(base);
    ouro_word asked = (ouro_word)size << SIZE_BIT | IS_OUT;
    if (shut_guard(base, &plan))
        asked |= IS_SHUT;
    ouro__store(asked_of(&place), asked);
    char *p = base + plan.at;
    ouro__canary_set(p, size, end_of(&place, p, size, asked));
    return p;
}

/* -- giving back ------------------------------------------------------------------------------- */

static bool is_whole(const struct ouro__place *place, const char *p, ouro_word asked)
{
    size_t size = asked >> SIZE_BIT;
    if (OURO_LIKELY(ouro__canary_stands(p, size, end_of(place, p, size, asked))))
        return true;
    ouro__overflowed(p, size);
    return false;
}

static void wipe(const struct ouro__place *place, char *p, size_t size)
{
    size_t body = up_to(place->cell_at + size, OURO__OS_PAGE);
    bool gone = false;
    if (ouro__harden >= 3 || size > WIPE_MOST)
        gone = ouro__os_purge(base_of(place), body);
    if (!gone)
        memset(p, 0, size);
}

size_t ouro__own_free(const struct ouro__place *place, void *p)
{
    ouro_word *at = asked_of(place), asked = ouro__load(at);
    if (OURO_UNLIKELY(!(asked & IS_OUT)))
        ouro__freed_twice(p);
    is_whole(place, p, asked);
    if (OURO_UNLIKELY(!ouro__cas_full(at, &asked, asked & ~IS_OUT))) /* O1 */
        ouro__freed_twice(p);
    wipe(place, p, asked >> SIZE_BIT);
    return asked >> SIZE_BIT;
}

void ouro__own_shut(const struct ouro__place *place)
{
    ouro_word *at = asked_of(place), asked = ouro__load(at);
    if (!(asked & IS_SHUT) && ouro__fetch_add(&guards, 1) >= GUARDS_MOST) {
        ouro__fetch_add(&guards, (ouro_word)-1);
        return;
    }
    if (ouro__os_forbid(base_of(place), place->bytes))
        ouro__store(at, asked | IS_SHUT);
    else if (!(asked & IS_SHUT))
        ouro__fetch_add(&guards, (ouro_word)-1);
}

void ouro__own_release(const struct ouro__place *place)
{
    if (ouro__load(asked_of(place)) & IS_SHUT) { /* O3 */
        if (!ouro__os_allow(base_of(place), place->bytes))
            return;
        ouro__fetch_add(&guards, (ouro_word)-1);
    }
    if (place->huge)
        ouro__huge_give(place->huge);
    else
        ouro__slices_give(place->page);
}

/* -- sizes ------------------------------------------------------------------------------------- */

size_t ouro__own_size(const struct ouro__place *place, const void *p)
{
    ouro_word asked = ouro__load(asked_of(place));
    if (OURO_UNLIKELY(!(asked & IS_OUT)))
        ouro__misused(OURO_FAIL_USE_AFTER_FREE, p, "its size was asked for, but it is free");
    return asked >> SIZE_BIT;
}

/* What has a guard keeps its end where that is. */
bool ouro__own_resize(const struct ouro__place *place, void *p, size_t size)
{
    ouro_word *at = asked_of(place), asked = ouro__load(at);
    size_t old = asked >> SIZE_BIT;
    is_whole(place, p, asked);
    if (ouro__harden >= 3 ? up_to(size, 16) != up_to(old, 16)
                          : size > place->bytes - sizeof(ouro_word))
        return false;
    asked = (asked & (((ouro_word)1 << SIZE_BIT) - 1)) | (ouro_word)size << SIZE_BIT;
    ouro__store(at, asked);
    ouro__canary_set(p, size, end_of(place, p, size, asked));
    return true;
}
