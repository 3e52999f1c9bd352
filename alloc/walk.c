/* SPDX-License-Identifier: MIT */
/* walk.c: every page and huge block in turn. */
#include "alloc/arena.h"

/* Places are gathered so many at a time with the lock, and visited without it. */
#define GATHERED 16

/* How many blocks of a page a walk may look at. */
static size_t blocks_of(const struct ouro__page *page)
{
    size_t blocks = page->kind == OURO__PAGE_SPAN ? 1 : ouro__half_load(&page->capacity);
    /* Pairs with the fence in page_cut (heap.c), which comes between the empty headers of blocks
     * and the capacity that counts them. */
    ouro__fence_acquire();
    return blocks;
}

/* The next places of a chunk from slice *at on. */
static unsigned gather(struct ouro__chunk *chunk, unsigned tag, unsigned *at,
                       struct ouro__place *places)
{
    unsigned n = 0;
    ouro__arena_lock(chunk->arena);
    for (; *at < OURO__SLICES && n < GATHERED; ++*at) {
        struct ouro__page *page = ouro__description(chunk, *at);
        if ((page->kind != OURO__PAGE_BLOCKS && page->kind != OURO__PAGE_SPAN) || page->tag != tag)
            continue;
        places[n++] = (struct ouro__place){
            .kind = (enum ouro__page_kind)page->kind,
            .page = page,
            .block = page->start,
            .bytes = page->bytes,
            .blocks = blocks_of(page),
            .tag = tag,
            .cell_at = page->kind == OURO__PAGE_SPAN ? page->cell_at : ouro__cell_offset(tag)};
    }
    ouro__arena_unlock(chunk->arena);
    return n;
}

/* The first huge block of `tag` from `huge` on. */
static struct ouro__huge *huge_from(struct ouro__huge *huge, unsigned tag,
                                    struct ouro__place *place)
{
    while (huge && (huge->gone || huge->tag != tag))
        huge = huge->next;
    if (huge)
        *place = (struct ouro__place){.kind = OURO__PAGE_SPAN,
                                      .huge = huge,
                                      .block = huge->base,
                                      .bytes = huge->mapped,
                                      .blocks = 1,
                                      .tag = tag,
                                      .cell_at = huge->cell_at};
    return huge;
}

static void each_huge(struct ouro__arena *arena, unsigned tag,
                      void (*visit)(const struct ouro__place *, void *), void *arg)
{
    struct ouro__place place;
    ouro__arena_lock(arena);
    struct ouro__huge *huge = huge_from(arena->huges, tag, &place);
    ouro__arena_unlock(arena);
    while (huge) {
        visit(&place, arg);
        ouro__arena_lock(arena);
        huge = huge_from(huge->next, tag, &place);
        ouro__arena_unlock(arena);
    }
}

void ouro__runtime_each(struct ouro_runtime *runtime, unsigned tag,
                        void (*visit)(const struct ouro__place *place, void *arg), void *arg)
{
    struct ouro__arena *arena = &runtime->arena;
    if (OURO_UNLIKELY(ouro__supply() && ouro__supply()->block)) {
        ouro__blocks_each(runtime, tag, visit, arg);
        return;
    }
    ouro__hold(arena);
    ouro__arena_lock(arena);
    struct ouro__chunk *chunk = arena->chunks;
    ouro__arena_unlock(arena);
    /* all_next of a linked chunk stays (R7): others are linked in before the first. */
    for (; chunk; chunk = chunk->all_next) {
        struct ouro__place places[GATHERED];
        for (unsigned at = 1, n; (n = gather(chunk, tag, &at, places)) > 0;) {
            for (unsigned i = 0; i < n; i++)
                visit(&places[i], arg);
        }
    }
    each_huge(arena, tag, visit, arg);
    ouro__release(arena);
}

void ouro__arena_each(unsigned tag, void (*visit)(const struct ouro__place *place, void *arg),
                      void *arg)
{
    ouro__runtime_each(ouro__own.runtime, tag, visit, arg);
}
