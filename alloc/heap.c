/* SPDX-License-Identifier: MIT */
/* heap.c: the pages of one thread.
 *
 * Free lists are sharded per page (Leijen, Zorn, de Moura 2019): the owner frees into its page, and
 * a heap gives out one page's cells at a time, so neighbours in time are neighbours in memory. In
 * place of counting both ways, a page counts frees down (layout.h, A1, A2), and one comparison with
 * zero serves three ends:
 *   CURRENT  nothing to tell; countdown is all that is out
 *   FULL     an eighth of the page has come back: it is queued and becomes AVAIL
 *   AVAIL    everything has come back: the page is empty
 *
 *  H1  ready[t][c] (hidden[t][c] while the heap is watched) holds cells of current[t][c]; of raw
 *      ones also some of any pages of that class, which this thread freed (raw.h, keeping).
 *  H2  The avail queue of a class holds the AVAIL pages of that class, oldest first, so that a page
 *      has had time to fill up before it is given out again. One that is not all cut may have no
 *      free cells: it was CURRENT when others had some.
 *  H3  room[c] is at most the raw cells of the class that were taken and not kept again, and
 *      room[c] + those in ready[RAW][c] at most what OURO__KEEP_BYTES allow. (A page may give more:
 *      room is negative then. Inlined takes do not raise it.) While the heap is watched it is 0.
 *      When room is 0 and a page becomes AVAIL all the same, more comes back than is taken: what
 *      was kept goes back to its pages, lest it hold each of them.
 *  H4  A refill polls the remote list with one plain load; only then does the heap grow.
 *  H5  A ready list is emptied before its cells go back: a notice meanwhile finds none. The page
 *      that a notice is about may be gone after it, so nothing of it is read then.
 */
#include "alloc/arena.h"
#include "alloc/harden.h"
#include "alloc/os.h"
#include "alloc/raw.h"

/* Bytes cut off a page at a time: what a small program touches. */
#define CUT_BYTES 4096

/* Who needs no pages, and gives none back, sees so often whether what is idle is to go. */
#define REFILLS_A_TICK 64

/* -- the class queues -------------------------------------------------------------------------- */

static void avail_push(struct ouro__heap *heap, struct ouro__page *page)
{
    unsigned tag = page->tag, cls = page->cls;
    page->next = NULL;
    page->prev = heap->avail_last[tag][cls];
    if (page->prev)
        page->prev->next = page;
    else
        heap->avail_first[tag][cls] = page;
    heap->avail_last[tag][cls] = page;
    ouro__store(&heap->avail_bits[tag], heap->avail_bits[tag] | (ouro_word)1 << cls);
    page->state = OURO__PAGE_AVAIL;
    page->pub.countdown += page->pub.rest;
    page->pub.rest = 0;
}

static void avail_remove(struct ouro__heap *heap, struct ouro__page *page)
{
    unsigned tag = page->tag, cls = page->cls;
    if (page->next)
        page->next->prev = page->prev;
    else
        heap->avail_last[tag][cls] = page->prev;
    if (page->prev)
        page->prev->next = page->next;
    else
        heap->avail_first[tag][cls] = page->next;
    page->next = page->prev = NULL;
    if (!heap->avail_first[tag][cls])
        ouro__store(&heap->avail_bits[tag], heap->avail_bits[tag] & ~((ouro_word)1 << cls));
}

/* Links a page and makes the heap its owner: A4, and M4 of remote.c. */
static void all_insert(struct ouro__heap *heap, struct ouro__page *page)
{
    page->all_prev = NULL;
    page->all_next = heap->all;
    if (heap->all)
        heap->all->all_prev = page;
    heap->all = page;
    page->heap = heap;
    ouro__store(&page->pub.owner, (ouro_word)&heap->pub);
    ouro__store_release(&page->owner_too, (ouro_word)&heap->pub);
}

static void all_remove(struct ouro__heap *heap, struct ouro__page *page)
{
    if (page->all_next)
        page->all_next->all_prev = page->all_prev;
    if (page->all_prev)
        page->all_prev->all_next = page->all_next;
    else
        heap->all = page->all_next;
}

/* An empty page that is in no queue goes back to the arena. */
static void page_give(struct ouro__heap *heap, struct ouro__page *page)
{
    all_remove(heap, page);
    page->heap = NULL;
    ouro__slices_give(page);
}

/* What a ready list holds goes back to its pages; what was kept of others' goes home, one by one:
 * a batch that is full would be handed over, and that may come here again. */
static void settle_list(struct ouro__heap *heap, void **list)
{
    void *cell = *list;
    *list = NULL; /* H5 */
    for (void *next; cell; cell = next) {
        next = ouro__next_free(cell);
        struct ouro__page *page = ouro__place_of(cell).page;
        struct ouro__heap *owner = ouro__page_owner(page);
        if (OURO_LIKELY(owner == heap)) {
            ouro__page_free(page, cell);
        } else {
            if (!OURO__HARD)
                ouro__raw_unmark(cell); /* on its way it is looked at by none */
            ouro__remote_free(NULL, owner, cell, page->bytes);
        }
    }
}

void ouro__page_notice(struct ouro_page *pub)
{
    struct ouro__page *page = ouro__page_whole(pub);
    struct ouro__heap *heap = page->heap;
    if (page->state == OURO__PAGE_CURRENT)
        return;
    if (page->state == OURO__PAGE_FULL) {
        avail_push(heap, page);
        if (page->pub.countdown > 0) {
            if (page->tag == OURO__RAW && heap->room[page->cls] == 0)
                settle_list(heap, &heap->pub.ready[OURO__RAW][page->cls]);
            return;
        }
    }
    /* Empty. One such page a class is kept, so that a program at the brink does not swing. */
    if (heap->avail_first[page->tag][page->cls] == page && page->next == NULL)
        return;
    avail_remove(heap, page);
    page_give(heap, page);
}

void ouro__page_free(struct ouro__page *page, void *cell)
{
    if (OURO__HARD)
        ouro__hard_push(page, cell);
    else
        ouro__page_push(page, cell);
}

void ouro__page_free_run(struct ouro_page *page, void *first, void *last, uint32_t count)
{
    *(void **)last = page->free;
    page->free = first;
    if (OURO_LIKELY(count < page->countdown)) {
        page->countdown -= count;
        return;
    }
    uint32_t out = page->countdown + page->rest - count;
    page->countdown = 0;
    page->rest = out;
    if (ouro__page_whole(page)->state == OURO__PAGE_CURRENT)
        page->countdown = out, page->rest = 0;
    else
        ouro__page_notice(page);
}

/* -- taking cells ------------------------------------------------------------------------------ */

/* The ready list of a page's class, empty so far, is now `n` of its cells. */
static void set_room(const struct ouro__page *page, uint32_t n)
{
    struct ouro__heap *heap = page->heap;
    intptr_t most = (intptr_t)(OURO__KEEP_BYTES / page->bytes) - (intptr_t)n;
    if (page->tag == OURO__RAW && heap->room[page->cls] > most)
        heap->room[page->cls] = most; /* H3 */
}

/* Cuts some more blocks off `page` and links them in address order; NULL: it is all cut. */
static void *page_cut(struct ouro__page *page)
{
    uint32_t n = page->limit - page->capacity;
    if (n == 0)
        return NULL;
    uint32_t most = (uint32_t)(CUT_BYTES / page->bytes);
    if (n > most)
        n = most ? most : 1;
    size_t offset = ouro__cell_offset(page->tag);
    char *first = page->start + page->capacity * page->bytes + offset, *cell = first;
    ouro__tool_writable(first - offset, n * page->bytes);
    if (OURO__HARD)
        ouro__hard_cut(page, first, n);
    for (uint32_t i = OURO__HARD ? n : 0; i < n; i++, cell += page->bytes) {
        if (offset)
            memset(cell - offset, 0, offset); /* no header yet: a walk finds nothing born here */
        *(void **)cell = i + 1 < n ? cell + page->bytes : NULL;
        ouro__raw_mark(page, cell);
    }
    page->pub.countdown += n;
    /* Pairs with the fence in blocks_of (walk.c): a walk that counts a block sees its header empty,
     * or what came after. */
    ouro__fence_release();
    ouro__half_store(&page->capacity, page->capacity + n);
    ouro__half_store(&page->reach, OURO__ASIDE ? 0 : OURO__REACH(page));
    set_room(page, n);
    return first;
}

/* Takes all free cells of the current page. */
static void *page_take(struct ouro__page *page)
{
    void *cells = page->pub.free;
    set_room(page, page->capacity - page->pub.countdown - page->pub.rest);
    page->pub.free = NULL;
    page->pub.countdown = page->capacity;
    page->pub.rest = 0;
    return cells;
}

/* The current page has nothing left: it is FULL until an eighth has come back. */
static void page_retire(struct ouro__heap *heap, struct ouro__page *page)
{
    uint32_t out = page->pub.countdown;
    uint32_t some = page->limit / 8;
    page->state = OURO__PAGE_FULL;
    page->pub.countdown = some == 0 ? 1 : some < out ? some : out;
    page->pub.rest = out - page->pub.countdown;
    heap->current[page->tag][page->cls] = NULL;
}

static struct ouro__page *page_fresh(struct ouro__heap *heap, unsigned tag, unsigned cls)
{
    struct ouro__page *page = ouro__page_take(&heap->runtime->arena, cls, tag);
    if (!page)
        return NULL;
    all_insert(heap, page);
    heap->bytes_taken += page->slices * OURO__SLICE_SIZE;
    return page;
}

static void make_current(struct ouro__heap *heap, struct ouro__page *page)
{
    page->state = OURO__PAGE_CURRENT;
    heap->current[page->tag][page->cls] = page;
}

/* The page that is queued for longest, but rather the next one if only that has free cells. */
static struct ouro__page *first_avail(const struct ouro__heap *heap, unsigned tag, unsigned cls)
{
    struct ouro__page *page = heap->avail_first[tag][cls];
    bool next = page && !page->pub.free && page->next && page->next->pub.free;
    return next ? page->next : page;
}

/* Cells of a page that has some: the current one, or the oldest that is queued. Before more of the
 * current one is cut the others give what they have: that is memory already. */
static void *refill_from_own(struct ouro__heap *heap, unsigned tag, unsigned cls)
{
    struct ouro__page *page = heap->current[tag][cls];
    if (page && page->pub.free)
        return page_take(page);
    if (page && page->capacity == page->limit) {
        page_retire(heap, page);
    } else if (page && heap->avail_first[tag][cls]) {
        heap->current[tag][cls] = NULL;
        avail_push(heap, page);
    } else if (page) {
        return page_cut(page);
    }
    while ((page = first_avail(heap, tag, cls)) != NULL) {
        avail_remove(heap, page);
        make_current(heap, page);
        void *cells = page->pub.free ? page_take(page) : page_cut(page);
        if (cells)
            return cells;
        page_retire(heap, page);
    }
    return NULL;
}

void *ouro__heap_refill(struct ouro__heap *heap, unsigned tag, unsigned cls)
{
    if (OURO_UNLIKELY(++heap->refills % REFILLS_A_TICK == 0))
        ouro__arena_tick(&heap->runtime->arena);
    if (OURO_UNLIKELY(ouro__remote_pending(heap)))
        ouro__remote_drain(heap, heap);
    void *cells = refill_from_own(heap, tag, cls);
    if (cells)
        return cells;
    ouro__remote_flush(heap);
    if (!heap->apart && ouro__remote_adopt(heap, tag, cls) &&
        (cells = refill_from_own(heap, tag, cls)))
        return cells;
    struct ouro__page *page = page_fresh(heap, tag, cls);
    if (!page)
        return NULL;
    make_current(heap, page);
    return page_cut(page);
}

/* -- settling ---------------------------------------------------------------------------------- */

static void settle_class(struct ouro__heap *heap, unsigned tag, unsigned cls)
{
    struct ouro__page *page = heap->current[tag][cls];
    if (tag == OURO__RAW)
        heap->room[cls] = 0;
    settle_list(heap, &heap->pub.ready[tag][cls]);
    settle_list(heap, &heap->hidden[tag][cls]);
    if (!page)
        return;
    heap->current[tag][cls] = NULL;
    if (page->pub.countdown == 0)
        page_give(heap, page);
    else
        avail_push(heap, page);
}

void ouro__heap_settle_lists(struct ouro__heap *heap)
{
    for (unsigned tag = 0; tag < OURO__TAGS; tag++) {
        for (unsigned cls = 0; cls < OURO__CLASSES; cls++)
            settle_class(heap, tag, cls);
    }
}

void ouro__heap_settle(struct ouro__heap *heap)
{
    ouro__heap_settle_lists(heap);
    for (struct ouro__page *page = heap->all, *next; page; page = next) {
        next = page->all_next;
        if (page->state == OURO__PAGE_FULL && page->pub.free)
            avail_push(heap, page);
        if (page->state != OURO__PAGE_AVAIL || page->pub.countdown > 0)
            continue;
        avail_remove(heap, page);
        page_give(heap, page);
    }
}

bool ouro__heap_steal(struct ouro__heap *from, struct ouro__heap *to, unsigned tag, unsigned cls)
{
    bool any = false;
    for (struct ouro__page *page; (page = from->avail_first[tag][cls]);) {
        avail_remove(from, page);
        all_remove(from, page);
        all_insert(to, page);
        page->pub.rest = 0;
        avail_push(to, page);
        any = true;
    }
    return any;
}

void ouro__heap_take_all(struct ouro__heap *from, struct ouro__heap *to)
{
    for (struct ouro__page *page; (page = from->all);) {
        bool queued = page->state == OURO__PAGE_AVAIL;
        if (queued)
            avail_remove(from, page);
        all_remove(from, page);
        all_insert(to, page);
        if (queued)
            avail_push(to, page);
    }
}

void ouro__heap_drop_counted(struct ouro__heap *heap)
{
    for (unsigned cls = 0; cls < OURO__CLASSES; cls++) {
        struct ouro__page *page = heap->current[OURO__COUNTED][cls];
        if (!page || ouro__half_load(&page->odd))
            continue;
        *ouro__ready_of(heap, OURO__COUNTED, cls) = NULL; /* H1: they are of that page */
        heap->current[OURO__COUNTED][cls] = NULL;
        page->state = OURO__PAGE_FULL; /* in no queue */
    }
    for (struct ouro__page *page = heap->all, *next; page; page = next) {
        next = page->all_next;
        if (page->tag != OURO__COUNTED || ouro__half_load(&page->odd))
            continue;
        if (page->state == OURO__PAGE_AVAIL)
            avail_remove(heap, page);
        page_give(heap, page);
    }
}

/* Takes in what others freed, hands over what was freed of others', gives empty pages back. */
static void heap_tidy(struct ouro__heap *heap)
{
    ouro__remote_drain(heap, heap);
    ouro__remote_flush(heap);
    ouro__heap_settle(heap);
}

void ouro__heaps_reclaim(struct ouro__heap *heap, void (*each)(struct ouro__heap *heap))
{
    if (OURO__HARD)
        ouro__quarantine_empty(heap);
    heap_tidy(heap);
    for (struct ouro__heap *other = ouro__heaps_of(heap->runtime); other;
         other = other->next_heap) {
        if (ouro__load(&other->state) != OURO__HEAP_ABANDONED || !ouro__heap_claim(other))
            continue;
        ouro__remote_drain(other, heap);
        ouro__heap_settle(other);
        if (each)
            each(other);
        ouro__remote_leave(other, heap);
    }
    heap_tidy(heap);
    if (each)
        each(heap);
}
