/* SPDX-License-Identifier: MIT */
/* heap.h: Internal to alloc and orc. Pages and heaps, whole; what arenas do for them.
 *
 * Who may touch what:
 *   page    its owner's thread (A3); `start` .. `slices` are constant while the page lives, but for
 *           `capacity` and `reach`, which its owner raises and others load
 *   heap    its thread, but for `avail_bits`, which others load, and `remote` and `state`
 *   arena   whoever has its lock
 * Lock order: an arena's lock is the last but those of metadata, of spare chunks and of looks,
 * which are leaves; nothing is called with it held but the supply's functions. */
#ifndef OURO_ALLOC_HEAP_H
#define OURO_ALLOC_HEAP_H

#include "alloc/layout.h"
#include "alloc/supply.h"
#include "alloc/valgrind.h"

struct ouro__heap;
struct ouro__huge;
struct ouro__arena;
struct ouro_runtime;

enum ouro__page_kind {
    OURO__PAGE_UNUSED = 0, /* a free slice */
    OURO__PAGE_BLOCKS,     /* cut into blocks of one class, owned by a heap */
    OURO__PAGE_SPAN,       /* one block, owned by nobody */
    OURO__PAGE_INNER       /* not the first slice of its page: `first` tells which is */
};
enum ouro__page_state {
    OURO__PAGE_CURRENT, /* its cells are in the ready list; countdown = all that is out */
    OURO__PAGE_AVAIL,   /* queued; has cells in `free`, or is not all cut; countdown as CURRENT */
    OURO__PAGE_FULL     /* not queued; countdown reaches 0 when queueing is worth while */
};

/* Its owner writes the first line with every free. What others read when they free is in the
 * second, or each of their frees would wait for that line. */
struct ouro__page {
    struct ouro_page pub;
    union {
        struct ouro__heap *heap; /* as pub.owner; for its owner alone */
        ouro_word asked;         /* of a span: harden_own.c */
    };
    uint8_t state;
    struct ouro__page *next, *prev;                   /* the class queue, oldest first */
    ouro_word owner_too __attribute__((aligned(64))); /* as pub.owner; for others */
    char *start;                                      /* of the first block */
    uint32_t bytes;                                   /* of a block; of the whole in a span */
    ouro_half capacity;                               /* blocks cut so far */
    uint32_t limit;                                   /* blocks that fit */
    uint32_t inverse;                                 /* of bytes, for ouro__block_index */
    union {
        uint32_t factor; /* of small raw pages: raw.h */
        ouro_half odd;   /* of counted ones, of a heap apart: not all in it may go with it */
    };
    union {
        ouro_half reach;  /* of small raw pages: raw.h; of others 0; its owner raises it */
        uint32_t cell_at; /* of a span: where in it the cell is */
    };
    uint8_t kind, cls, tag;
    uint8_t slices, first;
    uint8_t aligned; /* some cell may lie behind its block's usual cell address */
    uint8_t zeroed;  /* of a span: it read as zeroes when it was taken */
    struct ouro__page *all_next, *all_prev; /* every page of the heap */
} __attribute__((aligned(128)));
OURO_STATIC_ASSERT(sizeof(struct ouro__page) == (size_t)1 << OURO__PAGE_SHIFT, "page description");

/* The cells of one destination that this thread has not handed over yet. */
struct ouro__batch {
    struct ouro__heap *to;
    uint32_t count, bytes;
};
#define OURO__LEAD        8 /* F6 of remote.c */
#define OURO__BATCHES     16
#define OURO__BATCH_CELLS 64
#define OURO__BATCH_BYTES 16384

/* Who serves a heap. It leaves OWNED by its own thread's exit, ABANDONED by anyone's CAS. */
enum ouro__heap_state { OURO__HEAP_OWNED = 1, OURO__HEAP_ABANDONED, OURO__HEAP_FROZEN };

struct ouro__heap {
    struct ouro_heap pub;
    void *hidden[OURO__TAGS][OURO__CLASSES]; /* the ready lists, while watched; the counted ones of
                                                a heap apart always */
    struct ouro__page *current[OURO__TAGS][OURO__CLASSES];
    struct ouro__page *avail_first[OURO__TAGS][OURO__CLASSES];
    struct ouro__page *avail_last[OURO__TAGS][OURO__CLASSES];
    struct ouro__page *all;
    intptr_t room[OURO__CLASSES];     /* raw cells that may still be kept in ready (raw.h) */
    ouro_word avail_bits[OURO__TAGS]; /* the classes whose queue is not empty */
    struct ouro__batch batches[OURO__BATCHES];
    size_t fail_in; /* fault injection: allocations until one fails; 0: off */
    bool fail_for_good;
    bool unready;                 /* inlined births are not allowed: the layer above says so */
    bool apart;                   /* of no thread (apart.c): counted births are out of line */
    ouro_word deaths;             /* of a heap apart: decided elsewhere, and not carried out */
    ouro_half sealed;             /* of a heap apart: nobody is to use what is in it */
    bool for_fork;                /* of a heap apart: entered by a thread that forks */
    uint32_t depth;               /* of a heap apart: how often the thread that is in it entered */
    bool batching;                /* there may be cells in a batch */
    bool grows;                   /* the block asked for now replaces a smaller one */
    uint32_t refills;             /* so far */
    bool serving, owes;           /* inside ouro__remote_serve; it must look at all heaps */
    struct ouro__heap *adopt_at;  /* where the last search for pages ended */
    struct ouro__heap *next_heap; /* the list of all heaps, which only grows */
    uint64_t bytes_taken;         /* in fresh pages and large blocks so far: triggers look at it */
    ouro_word failed;             /* allocations that returned NULL */
    struct ouro_runtime *runtime;
    ouro_word thread;                    /* the struct ouro__own of its thread; 0: of none */
    ouro_word inside;                    /* the same of who is in a heap apart (apart.c) */
    void *of;                            /* of a heap apart: the layer above's */
    struct ouro__heap *next_inside;      /* of heaps apart: the next that the same thread is in */
    struct ouro__heap *next_spare;       /* the next that is empty, and nobody's */
    void *record;                        /* the layer above's, of that thread in this runtime */
    struct ouro__quarantine *quarantine; /* quarantine.c; NULL: it has none yet */
    /* Written by others; a line of their own. */
    ouro_word remote __attribute__((aligned(64)));
    ouro_word state;
    ouro_word pushed, drained; /* cells into `remote` and out of it so far */
    /* The cells of the batches; the last member, which a heap that begins does not touch. */
    void *batched[OURO__BATCHES][OURO__BATCH_CELLS] __attribute__((aligned(64)));
};
OURO_STATIC_ASSERT(OURO__CLASSES <= 64, "avail_bits has a bit for each class");

/* -- arena.c: chunks, slices, spans and huge blocks ---------------------------------------------*/

/* A page for blocks of a class, none cut, without an owner; NULL: refused. */
struct ouro__page *ouro__page_take(struct ouro__arena *arena, unsigned cls, unsigned tag);
/* A block of its own slices, whose cell will be at `cell_at`; NULL: refused. */
struct ouro__page *ouro__span_take(struct ouro__arena *arena, unsigned slices, size_t cell_at,
                                   unsigned tag);
/* Gives back either. */
void ouro__slices_give(struct ouro__page *page);
/* A huge block of `bytes`, its cell aligned to `align`; `grows`: it may be asked to grow. NULL:
 * refused. */
void *ouro__huge_take(struct ouro__arena *arena, size_t bytes, size_t align, unsigned tag,
                      bool grows);
/* Makes it larger, so that `bytes` from its cell on are its own, the bytes that it has unchanged;
 * returns its cell. NULL: it is not larger than that, or there is no room, and nothing has changed.
 * It stays where it is unless it may move: who moves it knows that nobody else has its address. */
void *ouro__huge_grow(struct ouro__huge *huge, size_t bytes, bool may_move);
/* Makes it smaller where it is, to `bytes` from its cell on; false: it cannot be. */
bool ouro__huge_shrink(struct ouro__huge *huge, size_t bytes);
void ouro__huge_give(struct ouro__huge *huge);
/* Something was refused for the attempt-th time, from 0: gives back what lies empty, then asks the
 * program's callback. Whether to try again. */
bool ouro__refused(struct ouro__heap *heap, size_t bytes, unsigned attempt);
/* Makes the block of a cell larger where it is, or moves its memory, copying nothing: raw ones that
 * the caller alone may have moved. NULL: it is not a huge one, or there is no room; nothing has
 * changed. */
void *ouro__cell_grow(void *cell, size_t size, bool may_move);
/* The same for less, if it stays huge: what lies behind it is idle then. */
bool ouro__cell_shrink(void *cell, size_t size);
/* Until it is said again: whether what the calling thread takes is to replace something smaller. */
void ouro__cell_replaces(bool smaller);
/* Bytes of foreign resources, which count against the limit too: more of them, false: they do not
 * fit; fewer, false: there are not so many; how many there are. */
bool ouro__foreign_take(size_t bytes);
bool ouro__foreign_give(size_t bytes);
size_t ouro__foreign_bytes(void);
/* Bytes of pages and large blocks of the calling thread's runtime; others may be changing it. */
size_t ouro__arena_in_use(void);
/* Blocks of a supply that has them, whose bytes count against the limit. */
void *ouro__system_take(struct ouro_runtime *runtime, size_t size, size_t align, unsigned tag,
                        size_t cell_at);
void ouro__system_give(void *cell, size_t cell_at);
/* Keeps a block that is given back until nobody looks any more (R7 of arena.h); false: nobody does.
 * held_free: that time has come. */
bool ouro__hold_block(void *block);
void ouro__held_free(void *block);

/* What an address is. kind UNUSED: not Ouro's, or nothing there now. */
struct ouro__place {
    enum ouro__page_kind kind; /* BLOCKS, SPAN, or UNUSED */
    struct ouro__page *page;   /* BLOCKS, SPAN */
    struct ouro__huge *huge;   /* when it is a huge block (kind SPAN, page NULL) */
    char *block;               /* the start of the block it lies in */
    size_t bytes;              /* of that block */
    size_t blocks;             /* in walks: how many of them there are, from `block` on; else 0 */
    unsigned tag;
    size_t cell_at; /* where in it the cell is; in a page of aligned ones: or further on */
};
struct ouro__place ouro__place_of(const void *p);
/* Fails unless a cell begins at `cell`, which `place` is of; `what` was to be done with it. False:
 * it fails, but that is passed over (harden.h). */
bool ouro__check_start(const void *cell, const struct ouro__place *place, const char *what);
OURO_COLD void ouro__freed_twice(const void *cell);
/* Whether a cell of that page is in its list, or in what `heap`, which owns it and which the caller
 * serves, is about to give out. O(their length). */
bool ouro__is_free(const struct ouro__page *page, struct ouro__heap *heap, const void *cell);
/* ouro_free, but of a block of which it shows at once that it was freed before: false, and nothing
 * is done. */
bool ouro__free_once(void *p);
/* Whether ouro__cell_free would fail: somebody has freed it since it was taken. */
bool ouro__cell_was_freed(const void *cell);

/* Where chunks are known to be, by their numbers: an address is in a chunk if its entry is where
 * that begins. Of two that have the same entry the later one has it; the map below knows all. */
#define OURO__SEEN_BITS 12
extern ouro_word ouro__chunks_seen[(size_t)1 << OURO__SEEN_BITS];
OURO_INLINE ouro_word *ouro__chunk_seen(uintptr_t address)
{
    return &ouro__chunks_seen[address >> OURO__CHUNK_SHIFT & (((size_t)1 << OURO__SEEN_BITS) - 1)];
}

#define OURO__MAP_HUGE   ((ouro_word)1) /* in an entry: a huge block's record; else an arena */
#define OURO__LEAF_SHIFT 12
#define OURO__LEAF_MASK  (((uintptr_t)1 << OURO__LEAF_SHIFT) - 1)
#define OURO__MAP_ROOT   ((size_t)1 << (OURO__ADDRESS_BITS - OURO__CHUNK_SHIFT - OURO__LEAF_SHIFT))
extern ouro_word ouro__map_root[OURO__MAP_ROOT];

/* What the 4 MiB around `p` are; 0: not Ouro's, or blocks that a supply gave. */
OURO_INLINE ouro_word ouro__map_get(const void *p)
{
    uintptr_t chunk = (uintptr_t)p >> OURO__CHUNK_SHIFT;
    if (OURO_UNLIKELY(chunk >> OURO__LEAF_SHIFT >= OURO__MAP_ROOT))
        return 0;
    /* Acquire, both: pair with the CAS that makes a leaf, and with the release of ouro__map_set. */
    const ouro_word *leaf =
        (const ouro_word *)ouro__load_acquire(&ouro__map_root[chunk >> OURO__LEAF_SHIFT]);
    return leaf ? ouro__load_acquire(&leaf[chunk & OURO__LEAF_MASK]) : 0;
}
/* Which block of a page of blocks `p` lies in, without a division. In units of 16 bytes, offset
 * o < 2^15 and block b <= 2^12: inverse = (2^32 + e) / b with e < b, so o * inverse / 2^32 exceeds
 * o / b by o * e / b / 2^32, which is less than 1 / b because o * e < 2^27: never enough for the
 * next block. */
#define OURO__INVERSE(bytes) ((uint32_t)((((uint64_t)1 << 32) + (bytes) / 16 - 1) / ((bytes) / 16)))
OURO_INLINE size_t ouro__block_index(const struct ouro__page *page, const void *p)
{
    uint64_t offset = (uint64_t)((const char *)p - page->start) >> 4;
    return page->bytes == 16 ? offset : offset * page->inverse >> 32;
}
/* The runtime whose memory `p` is in; NULL: nobody's. O(1), and touches nothing at `p`. */
struct ouro_runtime *ouro__runtime_of(const void *p);
/* From hold to release what anyone gives back in the current runtime stays mapped, and is not used
 * again: who reads a pointer in between may look at the shared word of the counted object that it
 * leads to, even if that is freed meanwhile. A cell may be born again in a page that is kept, but
 * not where its header would be in another place. In other runtimes no chunk goes. Nests. */
void ouro__arena_hold(void);
void ouro__arena_release(void);
/* Gives back now what empty slices hold; `all`: those too whose delay is not over. The thread's
 * `purged` tells how much. */
void ouro__arena_purge(struct ouro__arena *arena, bool all);
void ouro__arena_limit_changed(struct ouro_runtime *runtime);
/* Calls `visit` with every page of blocks or span and every huge block of `tag` in the current
 * runtime, or in that one. Nothing is
 * unmapped meanwhile; but what belongs to other threads may be given back, and used again, as it is
 * visited: it is for the caller to know better, or to look only at what is its own. */
void ouro__arena_each(unsigned tag, void (*visit)(const struct ouro__place *place, void *arg),
                      void *arg);
void ouro__runtime_each(struct ouro_runtime *runtime, unsigned tag,
                        void (*visit)(const struct ouro__place *place, void *arg), void *arg);

/* -- meta.c ------------------------------------------------------------------------------------ */

/* Zeroed memory for metadata that is never given back to the system; NULL: refused. */
void *ouro__meta_take(size_t bytes);
/* Metadata of one size between two uses, linked through the word at `link`; all else in it
 * stays. */
struct ouro__pool {
    void *first;
    size_t bytes, link;
};
/* What was given last, or fresh zeroes; NULL: refused. */
void *ouro__pool_take(struct ouro__pool *pool);
void ouro__pool_give(struct ouro__pool *pool, void *p);

/* -- heap.c ------------------------------------------------------------------------------------ */

OURO_INLINE struct ouro__heap *ouro__heap_whole(struct ouro_heap *heap)
{
    return (struct ouro__heap *)(void *)heap;
}
OURO_INLINE struct ouro__page *ouro__page_whole(struct ouro_page *page)
{
    return (struct ouro__page *)(void *)page;
}
/* Of a slice inside a page or span: the first one's description. */
OURO_INLINE struct ouro__page *ouro__page_first(struct ouro__page *inner)
{
    return inner - (((uintptr_t)inner >> OURO__PAGE_SHIFT) & (OURO__SLICES - 1)) + inner->first;
}
/* The heap that owns a page of blocks in which the caller has one, or a heap that did so. */
OURO_INLINE struct ouro__heap *ouro__page_owner(const struct ouro__page *page)
{
    /* Acquire: pairs with all_insert. A page may have gone to a newer heap than the block's. */
    return (struct ouro__heap *)ouro__load_acquire(&page->owner_too);
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
/* What the heap is about to give out of a class. */
OURO_INLINE void **ouro__ready_of(struct ouro__heap *heap, unsigned tag, unsigned cls)
{
    bool hidden = heap->pub.watched || (heap->apart && tag == OURO__COUNTED);
    return hidden ? &heap->hidden[tag][cls] : &heap->pub.ready[tag][cls];
}
/* The list of cells that the heap now may give out, at least one; NULL: refused. */
void *ouro__heap_refill(struct ouro__heap *heap, unsigned tag, unsigned cls);
/* Frees a cell of a page whose heap the caller serves. */
void ouro__page_free(struct ouro__page *page, void *cell);
/* Sends every operation of the calling thread's heap out of line, or no longer. */
void ouro__heap_watch(struct ouro__heap *heap, bool watched);
/* Frees `count` cells of a page that the calling thread's heap owns, linked from first to last. */
void ouro__page_free_run(struct ouro_page *page, void *first, void *last, uint32_t count);

/* Cells of one slice that are freed one after the other: they reach their page in one go. A loop
 * that has freed `freed` cells so far says so, in place of another count. */
struct ouro__run {
    uintptr_t slice; /* where it begins, or OURO__NO_SLICE */
    void *first, *last;
    size_t before; /* how many were freed when the run began */
};
#define OURO__NO_SLICE UINTPTR_MAX /* no address is less than a slice above it */
#define OURO__RUN_INIT                                                                             \
    {                                                                                              \
        OURO__NO_SLICE, NULL, NULL, 0                                                              \
    }
OURO_INLINE void ouro__run_end(struct ouro__run *run, size_t freed)
{
    if (run->slice != OURO__NO_SLICE)
        ouro__page_free_run(ouro__page_of(run->first), run->first, run->last,
                            (uint32_t)(freed - run->before));
    run->slice = OURO__NO_SLICE;
}
/* Frees a cell, known to be in a small page of a heap that is not watched, after `freed` others. */
OURO_INLINE void ouro__run_free(struct ouro__run *run, const struct ouro_heap *heap, void *cell,
                                unsigned tag, size_t freed)
{
    if (OURO_UNLIKELY((uintptr_t)cell - run->slice >= OURO__SLICE_SIZE)) {
        ouro__run_end(run, freed);
        if (OURO_UNLIKELY(ouro__load(&ouro__page_of(cell)->owner) != (ouro_word)heap)) {
            ouro__cell_free(cell, tag, 16);
            return;
        }
        *run = (struct ouro__run){(uintptr_t)cell & ~(OURO__SLICE_SIZE - 1), NULL, cell, freed};
    }
    *(void **)cell = run->first;
    run->first = cell;
}
/* All cells of the ready lists go back to their pages, every page with a free cell is queued, empty
 * pages go back to the arena. */
void ouro__heap_settle(struct ouro__heap *heap);
/* The first half of that: what the ready lists hold goes back, and the pages that they were of. */
void ouro__heap_settle_lists(struct ouro__heap *heap);

/* Moves the queued pages of a class; the caller serves both heaps. */
bool ouro__heap_steal(struct ouro__heap *from, struct ouro__heap *to, unsigned tag, unsigned cls);

/* All pages of a heap whose lists are settled; the caller serves both. */
void ouro__heap_take_all(struct ouro__heap *from, struct ouro__heap *to);
/* All counted pages of a heap apart that are not odd, the caller serving it. */
void ouro__heap_drop_counted(struct ouro__heap *heap);

/* Gives back what lies empty in `heap`, which the caller serves, and in those of ended threads, of
 * each of which `each` is called then, if it is not NULL. */
void ouro__heaps_reclaim(struct ouro__heap *heap, void (*each)(struct ouro__heap *heap));

/* -- remote.c ---------------------------------------------------------------------------------- */

/* In all of these `mine` is the heap whose batches the caller may use; NULL: it has none, or must
 * not use them now. */
void ouro__remote_free(struct ouro__heap *mine, struct ouro__heap *to, void *cell, size_t bytes);
void ouro__remote_flush(struct ouro__heap *mine);
/* Takes in what others freed; the caller serves `heap`. */
void ouro__remote_drain(struct ouro__heap *heap, struct ouro__heap *mine);
/* An abandoned heap becomes the caller's to serve; false: it was another's. */
OURO_INLINE bool ouro__heap_claim(struct ouro__heap *heap)
{
    ouro_word state = OURO__HEAP_ABANDONED;
    if (!ouro__cas_full(&heap->state, &state, OURO__HEAP_OWNED))
        return false;
    ouro__tool_acquire(&heap->state);
    return true;
}
OURO_INLINE void ouro__heap_give_up(struct ouro__heap *heap)
{
    ouro__tool_release(&heap->state);
    ouro__exchange_full(&heap->state, OURO__HEAP_ABANDONED);
}
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

/* For the checked library: `context` is the calling thread's, or that is named. */
void ouro__context_check(const struct ouro_context *context);

/* The calling thread's heap, made on first touch; NULL: no memory for one, or the thread is at its
 * very end. */
struct ouro__heap *ouro__heap_mine(void);
extern struct ouro__heap
    ouro__nobody; /* what ouro__context.heap points to in a thread that has none */
struct ouro__heap *ouro__heap_borrow(void);
void ouro__heap_return(struct ouro__heap *heap);
/* The same, but never again for a thread that has exited: NULL. */
struct ouro__heap *ouro__heap_if_any(void);
/* As ouro__heap_mine, but a thread that has exited gets a heap for a while only, until it calls
 * ouro__heap_leave. */
OURO_INLINE struct ouro__heap *ouro__heap_enter(void)
{
    struct ouro__heap *heap = ouro__heap_whole(ouro__context.heap);
    return OURO_LIKELY(heap != &ouro__nobody) ? heap : ouro__heap_borrow();
}
OURO_INLINE void ouro__heap_leave(struct ouro__heap *heap)
{
    if (OURO_UNLIKELY(&heap->pub != ouro__context.heap))
        ouro__heap_return(heap);
}
/* The heap goes to whoever wants it; the calling thread has none any more. */
void ouro__heap_abandon(struct ouro__heap *heap);
bool ouro__heaps_exist(void);
/* One more, without a page; NULL: no memory. */
struct ouro__heap *ouro__heap_fresh(struct ouro_runtime *runtime, bool apart);
/* Before its first use by a thread that comes to it: whether everything goes out of line. */
void ouro__heap_watch_first(struct ouro__heap *heap);
/* The heaps of the current runtime, of that one. */
struct ouro__heap *ouro__heaps_first(void);
struct ouro__heap *ouro__heaps_of(const struct ouro_runtime *runtime);
/* Makes the library ready: whoever comes first, before anything else. */
void ouro__set_up(void);
const struct ouro_supply *ouro__supply(void);

/* -- apart.c: heaps of no thread -- */

/* An empty one, of the current runtime, which does not end while it is there; NULL: no memory. */
struct ouro__heap *ouro__apart_new(void);
/* The calling thread, which has a heap, is in it from now on, as in a runtime; OURO_BUSY: another
 * thread is, or it is of before a fork. OURO_NO_MEMORY. */
ouro_status ouro__apart_enter(struct ouro__heap *heap);
/* Whether nobody is in it, nor can be told to have been when this process was forked. */
bool ouro__apart_is_free(const struct ouro__heap *heap);
/* Out of it again; false: it is not what the thread entered last, and nothing has changed. */
bool ouro__apart_leave(struct ouro__heap *heap);
/* The one that the calling thread is in, or NULL. */
OURO_INLINE struct ouro__heap *ouro__apart_here(void)
{
    struct ouro__heap *heap = ouro__heap_whole(ouro__context.heap);
    return OURO_UNLIKELY(heap->apart) ? heap : NULL;
}
/* Around a fork, with the list of runtimes (A4). */
void ouro__apart_before_fork(void);
void ouro__apart_after_fork(void);
/* Tells tools of words that all threads write. */
void ouro__apart_tell(void);
/* How many there are, in all runtimes. Relaxed: as ouro__more_runtimes. */
extern ouro_word ouro__apart_exist;
/* The death of a counted object is decided, by 1, or was carried out, by -1: the heap apart that it
 * is of counts it, unless the calling thread is in that. */
void ouro__apart_dies(const void *cell, ouro_word by);
/* Whether a counted cell lies in a page of that heap. */
bool ouro__lies_in_out(const struct ouro__heap *heap, const void *cell);
OURO_INLINE bool ouro__lies_in(const struct ouro__heap *heap, const void *cell)
{
    uintptr_t chunk = (uintptr_t)cell & ~(uintptr_t)(OURO__CHUNK_SIZE - 1);
    return OURO_LIKELY(ouro__load(ouro__chunk_seen((uintptr_t)cell)) == chunk &&
                       ouro__load(&ouro__page_of(cell)->owner) == (ouro_word)&heap->pub) ||
           ouro__lies_in_out(heap, cell);
}
/* Whether a counted cell lies in a page of one that is sealed. For checks. */
bool ouro__is_sealed(const void *cell);
/* The page of a counted cell, of whatever heap, does not go with it (A3); false: it is in none. */
bool ouro__page_make_odd(const void *cell);
/* Inside it: all counted pages but odd ones go, with all that is in them. */
void ouro__apart_drop_pages(struct ouro__heap *heap);
/* The thread, in it, is out of it again, and it is no more: what is left in it is anybody's who has
 * it, in a heap of the thread. */
void ouro__apart_end(struct ouro__heap *heap);

/* -- runtime.c --------------------------------------------------------------------------------- */

/* What the layer above wants to be told, installed once.
 *   thread_exit  a thread that has a heap in the current runtime ends, before the heap is given up;
 *   or
 *                (ended false) only its time in the runtime does
 *   left         a thread ends that was in the middle of something in the current heap apart
 *   leaving      the thread turns to another runtime; its record in the current one stays behind
 *   entering     it is in another one now, where it has that record (NULL: none yet)
 *   prepare      a runtime is about to end, and the thread has no record in it: it makes one, if
 *   there
 *                is anything to end; false: no memory
 *   closing      the current runtime is about to go, and no thread has a record in it but this one;
 *                false: there is no memory for what has to be done, and it stays
 *   closed       its memory goes now
 *   and around fork. */
struct ouro__upper {
    void (*thread_exit)(bool ended);
    void (*left)(void);
    void (*leaving)(void);
    void (*entering)(void *record);
    bool (*prepare)(struct ouro_runtime *runtime);
    bool (*closing)(struct ouro_runtime *runtime, bool run_hooks);
    void (*closed)(struct ouro_runtime *runtime);
    void (*before_fork)(void);
    void (*after_fork)(bool child);
};
void ouro__upper_install(const struct ouro__upper *upper);
const struct ouro__upper *ouro__upper(void);
/* How many runtimes there are beside the default one. Loaded relaxed: who has a reference to
 * something of another runtime got it from who entered that one, after it was counted here. */
extern ouro_word ouro__more_runtimes;
/* The word of a runtime that is the layer above's. */
ouro_word *ouro__runtime_above(struct ouro_runtime *runtime);
void ouro__runtimes_lock(void);
void ouro__runtimes_unlock(void);
/* Calls fn for every runtime. The caller has the list's lock. */
void ouro__runtimes_each(void (*fn)(struct ouro_runtime *runtime, void *arg), void *arg);
/* Swaps to each other runtime in which the calling thread has a record, and each other heap
 * apart that it is in, and calls fn with the record, telling the layer above nothing. With the
 * list's lock, or in a fork's handlers. */
void ouro__elsewhere_each(void (*fn)(void *record));
/* The calling thread leaves all runtimes, and heaps apart, that it is in. */
void ouro__leave_entered(void);
/* The thread has ended: it leaves what it is in, and its heaps everywhere but in the default one;
 * whether there were such. */
bool ouro__leave_all(void);

#endif
