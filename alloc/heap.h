/* SPDX-License-Identifier: MIT */
/* heap.h: Internal to alloc and orc. Pages, heaps and the arena, whole.
 *
 * Who may touch what:
 *   page    its owner's thread (A3); `start` .. `slices` are constant while the page lives
 *   heap    its thread, but for `remote` and `state`
 *   arena   whoever has its lock
 * Lock order: arena.lock is a leaf: nothing is called with it held but the supply. */
#ifndef OURO_ALLOC_HEAP_H
#define OURO_ALLOC_HEAP_H

#include "alloc/layout.h"
#include "alloc/supply.h"

struct ouro__heap;

enum ouro__page_kind {
    OURO__PAGE_UNUSED = 0, /* a free slice */
    OURO__PAGE_BLOCKS,     /* cut into blocks of one class, owned by a heap */
    OURO__PAGE_SPAN,       /* one block, owned by nobody */
    OURO__PAGE_INNER       /* not the first slice of its page: `first` tells which is */
};
enum ouro__page_state {
    OURO__PAGE_CURRENT, /* its cells are in the ready list; countdown = all that is out */
    OURO__PAGE_AVAIL,   /* queued; has cells in `free`; countdown = all that is out */
    OURO__PAGE_FULL     /* not queued; countdown reaches 0 when queueing is worth while */
};

struct ouro__page {
    struct ouro_page pub;
    char *start;         /* of the first block */
    uint64_t bytes;      /* of a block; of the whole in a span */
    uint32_t capacity;   /* blocks cut so far */
    uint32_t limit;      /* blocks that fit */
    uint8_t kind, state, cls, tag;
    uint8_t slices, first;
    uint8_t aligned; /* some cell may lie behind its block's usual cell address */
    uint8_t spare;
    struct ouro__page *next, *prev;         /* the class queue, oldest first */
    struct ouro__page *all_next, *all_prev; /* every page of the heap */
    struct ouro__heap *heap;                /* as pub.owner, for pages of blocks */
} __attribute__((aligned(128)));
OURO_STATIC_ASSERT(sizeof(struct ouro__page) == (size_t)1 << OURO__PAGE_SHIFT, "page description");

/* The cells of one destination that this thread has not handed over yet. */
struct ouro__batch {
    struct ouro__heap *to;
    void *first, *last;
    uint32_t count, bytes;
};
#define OURO__BATCHES     16
#define OURO__BATCH_CELLS 128
#define OURO__BATCH_BYTES 16384

/* Who serves a heap. It leaves OWNED by its own thread's exit, ABANDONED by anyone's CAS. */
enum ouro__heap_state { OURO__HEAP_OWNED = 1, OURO__HEAP_ABANDONED, OURO__HEAP_FROZEN };

struct ouro__heap {
    struct ouro_heap pub;
    void *hidden[OURO__TAGS][OURO__CLASSES]; /* the ready lists, while watched */
    struct ouro__page *current[OURO__TAGS][OURO__CLASSES];
    struct ouro__page *avail_first[OURO__TAGS][OURO__CLASSES];
    struct ouro__page *avail_last[OURO__TAGS][OURO__CLASSES];
    struct ouro__page *all;
    struct ouro__batch batches[OURO__BATCHES];
    bool unready; /* inlined births are not allowed: the layer above says so */
    size_t fail_in; /* fault injection: allocations until one fails; 0: off */
    bool fail_for_good;
    struct ouro__heap *next_heap; /* the list of all heaps, which only grows */
    int64_t watched_blocks, watched_bytes;
    uint64_t bytes_taken; /* in fresh pages and large blocks so far: triggers look at it */
    /* Written by others; a line of their own. */
    ouro_word remote __attribute__((aligned(64)));
    ouro_word state;
};

/* -- arena.c: chunks, slices, spans and huge blocks ---------------------------------------------*/

/* A page of `slices` slices, described but without an owner; NULL: refused. */
struct ouro__page *ouro__slices_take(unsigned slices);
void ouro__slices_give(struct ouro__page *page);
/* A huge block of `bytes`, its cell aligned to `align`. NULL: refused. */
void *ouro__huge_take(size_t bytes, size_t align, unsigned tag);

/* What an address is. kind UNUSED: not Ouro's, or nothing there now. */
struct ouro__place {
    enum ouro__page_kind kind; /* BLOCKS, SPAN, or UNUSED */
    struct ouro__page *page;   /* BLOCKS, SPAN */
    struct ouro__huge *huge;   /* when it is a huge block (kind SPAN, page NULL) */
    char *block;               /* the start of the block it lies in */
    size_t bytes;              /* of that block */
    unsigned tag;
};
struct ouro__place ouro__place_of(const void *p);
void ouro__huge_give(struct ouro__huge *huge);
/* Gives back now what empty slices hold; `all`: those too whose delay is not over. */
size_t ouro__arena_purge(bool all);
void ouro__arena_limit_changed(void);
void ouro__arena_before_fork(void);
void ouro__arena_after_fork(bool child);
/* Calls `visit` with every page of blocks or span and every huge block of `tag`; the caller makes
 * sure that nothing changes meanwhile. */
void ouro__arena_each(unsigned tag, void (*visit)(const struct ouro__place *place, void *arg),
                      void *arg);

struct ouro__arena_figures {
    size_t mapped, used, peak_used, chunks;
};
void ouro__arena_figures(struct ouro__arena_figures *figures);

/* Zeroed memory for metadata that is never given back; NULL: refused. */
void *ouro__meta_take(size_t bytes);

/* -- heap.c ------------------------------------------------------------------------------------ */

OURO_INLINE struct ouro__heap *ouro__heap_whole(struct ouro_heap *heap)
{
    return (struct ouro__heap *)(void *)heap;
}
OURO_INLINE struct ouro__page *ouro__page_whole(struct ouro_page *page)
{
    return (struct ouro__page *)(void *)page;
}
OURO_INLINE size_t ouro__cell_offset(unsigned tag)
{
    return tag == OURO__COUNTED ? OURO__CELL_OFFSET : 0;
}

/* Before the header of a counted cell with an alignment above 16: 16 bytes where a walk expects a
 * header, 16 for the layer above. */
#define OURO__SPARE 32
/* Where the cell of a block that is alone in its pages stands: the header goes before it. */
OURO_INLINE size_t ouro__aligned_offset(unsigned tag, size_t align)
{
    if (tag != OURO__COUNTED || align <= 16)
        return ouro__cell_offset(tag);
    return align > 2 * OURO__SPARE ? align : 2 * OURO__SPARE;
}
/* The list of cells that the heap now may give out, at least one; NULL: no memory. */
void *ouro__heap_refill(struct ouro__heap *heap, unsigned tag, unsigned cls);
/* Frees a cell of a page that `heap` owns, on its thread. */
void ouro__page_free(struct ouro__page *page, void *cell);
/* Sends every operation of the calling thread's heap out of line, or no longer. */
void ouro__heap_watch(struct ouro__heap *heap, bool watched);
/* All cells of the ready lists go back to their pages; empty pages go back to the arena. */
void ouro__heap_settle(struct ouro__heap *heap);

/* Moves the queued pages of a class; the caller serves both heaps. */
bool ouro__heap_steal(struct ouro__heap *from, struct ouro__heap *to, unsigned tag, unsigned cls);

/* -- remote.c ---------------------------------------------------------------------------------- */

void ouro__remote_free(struct ouro__heap *mine, struct ouro__heap *to, void *cell, size_t bytes);
void ouro__remote_flush(struct ouro__heap *mine);
/* Takes in what others freed; the caller serves `heap`. */
void ouro__remote_drain(struct ouro__heap *heap, struct ouro__heap *mine);
OURO_INLINE bool ouro__remote_pending(const struct ouro__heap *heap)
{
    return ouro__load(&heap->remote) != 0;
}
/* Serves an abandoned heap until its list stays empty; leaves one that the caller served. */
void ouro__remote_serve(struct ouro__heap *heap, struct ouro__heap *mine);
void ouro__remote_leave(struct ouro__heap *heap, struct ouro__heap *mine);
/* Claims an abandoned heap, serves its list and steals pages of a class; false: nothing gained. */
bool ouro__remote_adopt(struct ouro__heap *mine, unsigned tag, unsigned cls);

/* -- thread.c ---------------------------------------------------------------------------------- */

/* The calling thread's heap, made on first touch; NULL: no memory for one. */
struct ouro__heap *ouro__heap_mine(void);
bool ouro__heaps_exist(void);
struct ouro__heap *ouro__heaps_first(void);
/* Called once by the layer above: `at_exit` when a thread that asked for it ends, before its heap
 * is given up; the rest around fork. */
struct ouro__upper {
    void (*thread_exit)(void);
    void (*before_fork)(void);
    void (*after_fork)(bool child);
};
void ouro__upper_install(const struct ouro__upper *upper);
const struct ouro_supply *ouro__supply(void);

#endif
