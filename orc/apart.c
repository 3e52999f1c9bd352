/* SPDX-License-Identifier: MIT */
/* apart.c: objects of heaps apart (alloc/apart.c), and how all of them end at once.
 *
 * Problem: a region is dropped. Nobody outside refers to what is in it, so it need not be taken
 * apart reference by reference: its pages can go. But some of what is in them owns things that are
 * not of the region, or is not its alone, and must end as any object does.
 *
 *  G1  What is born is looked at once. Either it is plain (of a type that is not OUTWARD: all that
 *      it owns is of the region), or its page is odd. So is the page of what gets a weak handle or
 *      foreign bytes, and of over-aligned objects, whose cells may be held (R7 of arena.h).
 *  G2  What its pages do not have (large objects, and graphs that were extracted in it; payloads of
 *      strings and sequences go with what owns them), what was not born with a plain count (another
 *      thread may remember it as a candidate), and what has no descriptor, makes the region
 *      `scattered`: it ends by its counts.
 *  G3  Objects in odd pages die together: all are marked as dying before a hook runs, all hooks
 *      have run before the memory of any goes. What they own is dropped. Objects that any thread
 *      may have, immortal ones, and payloads that others share stay; their pages stay with them.
 *  G4  No cell of a page that goes is known to anybody: deaths and candidates of this record have
 *      been settled or forgotten, no death waits elsewhere (`deaths` of the heap), what others
 *      freed has come in (A2 of alloc/apart.c), and nobody else refers to what was there. */
#include "orc/apart.h"
#include "alloc/heap.h"
#include "hooks/value.h"
#include "orc/chain.h"
#include "orc/index.h"
#include "orc/object.h"
#include "orc/payload.h"
#include "orc/release.h"
#include "orc/site.h"

#include <string.h>

#define ANYBODYS (OURO_SHARED | OURO_IMMUTABLE)

/* -- births ------------------------------------------------------------------------------------ */

void ouro__apart_born(struct ouro__thread *me, const void *object, const struct ouro_type *type,
                      unsigned mode)
{
    bool counted = !(mode & OURO__BORN_ATOMIC) && me->home != OURO__NO_TOKEN;
    bool plain = type && counted && !(type->flags & (OURO_PROMPT | ANYBODYS)) &&
                 !(type->state & (OURO__TYPE_OUTWARD | OURO__TYPE_LARGE | OURO__TYPE_ALIGNED));
    /* The checked library keeps what was freed: there all is looked at. */
    if (OURO_LIKELY(plain) && !OURO_CHECKED && !ouro__is_payload_type(type))
        return;
    bool payload = type && ouro__is_payload_type(type);
    bool acyclic = type && (type->flags & OURO_ACYCLIC);
    bool uncounted = !counted || (type && (type->flags & OURO_PROMPT));
    bool odd = ouro__page_make_odd(object);
    if (!type || (uncounted && !acyclic) || (!odd && !payload))
        me->scattered = true; /* G2 */
}

void *ouro__apart_new_ready(const struct ouro__thread *me, struct ouro_type *type, size_t size,
                            unsigned mode)
{
    struct ouro__heap *heap = ouro__heap_whole(ouro__context.heap);
    size_t block = size + sizeof(struct ouro_header);
    /* Acquire: as in ouro__new_ready. */
    uint64_t birth = ouro__load_acquire((const ouro_word *)&type->birth);
    const uint32_t seen = OURO__TYPE_OUTWARD | OURO__TYPE_LARGE | OURO__TYPE_ALIGNED;
    if (birth == 0 || (type->state & seen) || (type->flags & (OURO_PROMPT | ANYBODYS)) ||
        size != type->size || block > OURO__SMALL_MAX_SIZE || (mode & OURO__BORN_ATOMIC) ||
        heap->pub.watched || OURO_CHECKED || me->home == OURO__NO_TOKEN)
        return NULL;
    void **list = &heap->hidden[OURO__COUNTED][ouro__class_of(block < 32 ? 32 : block)];
    void *object = *list;
    if (object == NULL)
        return NULL;
    *list = *(void **)object;
    struct ouro_header *h = ouro__header(object);
    uint64_t first = type->counts + (me->home - 1u);
    ouro__store(&h->shared, birth | me->home);
    memcpy(h, &first, sizeof first);
    if (mode & OURO__BORN_ZEROED)
        memset(object, 0, size);
    return object;
}

/* -- the end ----------------------------------------------------------------------------------- */

struct sweep {
    struct ouro__thread *me;
    struct ouro__chain dying;
    size_t found; /* objects that are the region's alone */
};

/* Whether it lives, and is the region's alone. */
static bool is_its_own(const void *object)
{
    if (!object)
        return false;
    ouro_word b = ouro__load(&ouro__header(object)->shared);
    const struct ouro_type *type = ouro__type_of(object, b);
    return type && !(b & OURO__IMMORTAL) && !(type->flags & ANYBODYS) &&
           !ouro__is_payload_type(type) && !ouro__is_bare_type(type);
}

void ouro__apart_each(struct ouro__heap *heap, bool all, void (*visit)(void *object, void *arg),
                      void *arg)
{
    for (struct ouro__page *page = heap->all; page; page = page->all_next) {
        if (page->tag != OURO__COUNTED || (!all && !ouro__half_load(&page->odd)))
            continue;
        for (uint32_t i = 0, end = ouro__half_load(&page->capacity); i < end; i++) {
            void *object = ouro__object_in(page->start + (size_t)i * page->bytes);
            if (is_its_own(object))
                visit(object, arg);
        }
    }
}

static void condemn(void *object, void *arg)
{
    struct sweep *sweep = arg;
    ouro__die_later(sweep->me, &sweep->dying, object);
    sweep->found++;
}

/* G3. A hook may make new ones; after so many rounds they are left to their counts. */
#define ROUNDS 8
static void sweep_odd(struct ouro__thread *me, struct ouro__heap *heap)
{
    struct sweep sweep = {.me = me, .found = 1};
    for (unsigned round = 0; round < ROUNDS && sweep.found > 0; round++) {
        sweep = (struct sweep){.me = me};
        ouro__apart_each(heap, false, condemn, &sweep);
        ouro__release_together(me, &sweep.dying);
    }
}

/* Candidates that lie elsewhere, and claims, are others' to look at from now on; those that lie
 * here are gone. (What carries the token may lie elsewhere: it was a thread's or a region's
 * before.) */
static void forget_candidates(struct ouro__thread *me, const struct ouro__heap *heap)
{
    struct ouro__visited *v = &me->visited;
    for (uint32_t i = 0; i < v->count && v->live_places > 0; i++) {
        const struct ouro__entry *entry = &v->entries[i];
        if ((entry->link & OURO__ENTRY_CLAIMED) || !is_its_own(entry->object) ||
            !ouro__lies_in(heap, entry->object))
            continue;
        v->entries[i].object = NULL;
        v->live_places--;
    }
    ouro__relink_free_places(v);
}

bool ouro__apart_drop(struct ouro__thread *me, struct ouro__heap *heap)
{
    bool block = ouro__supply()->block != NULL;
    if (!OURO_THREADS || OURO_CHECKED || block || ouro__tools || ouro__sites_wanted())
        return false;
    ouro__release_noted(me, SIZE_MAX);
    ouro__poll_tokens(me);
    ouro__tokens_give_up(me);
    /* Acquire: a death that was carried out elsewhere comes before its page goes. */
    if (me->scattered || ouro__load_acquire(&heap->deaths) != 0)
        return false;
    sweep_odd(me, heap); /* from here on there is no way back to counts */
    ouro__poll_tokens(me);
    forget_candidates(me, heap);
    ouro__apart_drop_pages(heap);
    return true;
}
