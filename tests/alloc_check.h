/* SPDX-License-Identifier: MIT */
/* White-box: the invariants of heaps and pages (layout.h, heap.c), checked over whole heaps. */
#ifndef TESTS_ALLOC_CHECK_H
#define TESTS_ALLOC_CHECK_H

#include "alloc/arena.h"
#include "alloc_util.h"

static UNUSED size_t list_length(void *cell)
{
    size_t n = 0;
    for (; cell; cell = *(void **)cell)
        n++;
    return n;
}

/* Each cell of a list is the start of a block of `page`. */
static UNUSED void check_cells(const struct ouro__page *page, void *cell)
{
    for (; cell; cell = *(void **)cell) {
        struct ouro__place place = ouro__place_of(cell);
        assert_ptr_equal(place.page, page);
        assert_ptr_equal((char *)cell, place.block + ouro__cell_offset(page->tag));
    }
}

/* H1: how many cells of a ready list are of `page`, the current one. Others are raw ones of the
 * same class that the thread freed and keeps. */
static UNUSED size_t check_ready(const struct ouro__page *page, void *cell)
{
    size_t own = 0;
    for (; cell; cell = *(void **)cell) {
        struct ouro__place place = ouro__place_of(cell);
        assert_ptr_equal((char *)cell, place.block + ouro__cell_offset(page->tag));
        own += place.page == page;
        if (place.page == page)
            continue;
        assert_int_equal(place.page->tag, OURO__RAW);
        assert_int_equal(place.page->cls, page->cls);
    }
    return own;
}

/* A1, A2, A4 of a page; returns how many of its blocks are out. */
static UNUSED size_t check_page(const struct ouro__heap *heap, const struct ouro__page *page)
{
    assert_int_equal(page->kind, OURO__PAGE_BLOCKS);
    assert_ptr_equal(page->heap, heap);
    assert_true(page->pub.owner == (ouro_word)heap);
    assert_true(page->capacity <= page->limit);
    assert_int_equal(page->bytes, ouro__class_size(page->cls));
    assert_true((size_t)page->limit * page->bytes <= page->slices * OURO__SLICE_SIZE);
    check_cells(page, page->pub.free);
    size_t free_cells = list_length(page->pub.free);
    size_t out = (size_t)page->pub.countdown + page->pub.rest;
    assert_int_equal(out, page->capacity - free_cells); /* A2 */
    size_t ready = 0;
    if (heap->current[page->tag][page->cls] == page) {
        assert_int_equal(page->state, OURO__PAGE_CURRENT);
        ready = check_ready(page, heap->pub.watched ? heap->hidden[page->tag][page->cls]
                                                    : heap->pub.ready[page->tag][page->cls]);
    } else {
        assert_int_not_equal(page->state, OURO__PAGE_CURRENT);
    }
    if (page->state == OURO__PAGE_FULL)
        assert_true(page->pub.countdown >= 1);
    else
        assert_int_equal(page->pub.rest, 0);
    for (unsigned i = 1; i < page->slices; i++) { /* A4 */
        const struct ouro__page *inner = page + i;
        assert_int_equal(inner->kind, OURO__PAGE_INNER);
        assert_true(inner->pub.owner == 0);
    }
    assert_true(out >= ready);
    return out - ready;
}

/* H1, H2 and the pages of a heap that nobody touches meanwhile; returns blocks that are out: live,
 * or in batches and remote lists. */
static UNUSED size_t check_heap(const struct ouro__heap *heap)
{
    size_t out = 0, queued = 0, seen = 0;
    for (const struct ouro__page *page = heap->all; page; page = page->all_next) {
        out += check_page(heap, page);
        queued += page->state == OURO__PAGE_AVAIL;
        if (page->all_next)
            assert_ptr_equal(page->all_next->all_prev, page);
    }
    for (unsigned tag = 0; tag < OURO__TAGS; tag++) {
        for (unsigned cls = 0; cls < OURO__CLASSES; cls++) {
            const struct ouro__page *page = heap->avail_first[tag][cls];
            assert_int_equal(page != NULL, heap->avail_bits[tag] >> cls & 1);
            for (; page; page = page->next, seen++) {
                assert_int_equal(page->state, OURO__PAGE_AVAIL);
                assert_true(page->cls == cls && page->tag == tag);
                if (!page->next)
                    assert_ptr_equal(heap->avail_last[tag][cls], page);
            }
            if (heap->pub.watched) /* H1 */
                assert_null(heap->pub.ready[tag][cls]);
            else
                assert_null(heap->hidden[tag][cls]);
        }
    }
    assert_int_equal(queued, seen);
    return out;
}

/* R1 .. R4, by walking all chunks. */
static UNUSED void check_arena(void)
{
    struct ouro__arena *arena = ouro__arena_mine();
    size_t used = 0, mapped = 0, idle = 0, dirty = 0, chunks = 0, open = 0, opened = 0;
    for (struct ouro__chunk *c = arena->chunks; c; c = c->all_next, chunks++) {
        mapped += OURO__CHUNK_SIZE;
        assert_int_equal(c->free & 1, 0);
        assert_int_equal(c->dirty & ~c->free, 0);
        assert_int_equal(c->dirty & ~c->soiled, 0);
        dirty += (size_t)__builtin_popcountll(c->dirty);
        open += c->free != 0;
        unsigned run = 0, longest = 0, dirty_run = 0, most_dirty = 0;
        for (unsigned i = 1; i < OURO__SLICES; i++) {
            const struct ouro__page *page = ouro__description(c, i);
            run = c->free >> i & 1 ? run + 1 : 0;
            longest = run > longest ? run : longest;
            dirty_run = c->dirty >> i & 1 ? dirty_run + 1 : 0;
            most_dirty = dirty_run > most_dirty ? dirty_run : most_dirty;
            assert_int_equal(c->free >> i & 1, page->kind == OURO__PAGE_UNUSED);
            if (page->kind == OURO__PAGE_UNUSED)
                assert_true(page->pub.owner == 0);
            else
                used += OURO__SLICE_SIZE;
        }
        assert_int_equal(c->in[OURO__FREE].longest, longest);
        assert_int_equal(c->in[OURO__DIRTY].longest, most_dirty);
    }
    for (unsigned i = 0; i < OURO__OPEN * OURO__SLICES; i++) {
        unsigned what = i / OURO__SLICES, n = i % OURO__SLICES;
        assert_int_equal(arena->open[what][n] != NULL, arena->open_lists[what] >> n & 1);
        for (struct ouro__chunk *c = arena->open[what][n]; c; c = c->in[what].next)
            assert_int_equal(c->in[what].longest, n);
    }
    struct ouro__chunk *next = ouro__chunk_open(arena, OURO__FREE, OURO__WHOLE);
    for (; next; next = ouro__chunk_next(next, OURO__FREE))
        opened++;
    for (struct ouro__huge *h = arena->huges; h; h = h->next) {
        used += h->gone ? 0 : h->mapped;
        mapped += h->room;
        idle += !h->gone && h->dirty > h->mapped ? h->dirty - h->mapped : 0;
        assert_true(h->mapped <= h->room && h->dirty <= h->room && h->soiled <= h->room);
    }
    for (struct ouro__huge *h = arena->kept; h; h = h->next) { /* T1 .. T4 */
        mapped += h->room;
        idle += h->dirty;
        assert_int_equal(ouro__map_get(h->base), 0);
        assert_true(h->dirty <= h->room && arena->kept_at != 0);
        assert_ptr_equal(h->next ? h->next->prev : arena->kept_last, h);
    }
    assert_int_equal(arena->idle, idle);
    assert_int_equal(arena->dirty_slices, dirty);
    assert_int_equal(opened, open);
    assert_int_equal(arena->chunk_count, chunks);
    assert_int_equal(arena->used, used);
    assert_int_equal(arena->mapped, mapped);
    assert_true(arena->peak >= arena->used);
}

#endif
