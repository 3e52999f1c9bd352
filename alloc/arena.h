/* SPDX-License-Identifier: MIT */
/* arena.h: Internal to alloc. What the files of the arena share: arena.c (slices, purging, limits),
 * chunk.c (chunks), huge.c (blocks with mappings of their own), kept.c (such mappings between two
 * uses), map.c (from addresses to all), walk.c, hold.c; and runtimes, whole.
 *
 * Each runtime has an arena. One lock guards all of it. It is taken once per page of 64 KiB or
 * more, never per block.
 *
 * Invariants, under the lock:
 *  R1  A bit of chunk->free is set exactly for the slices that are described as UNUSED, are not
 *      being purged and are not in `later`; slice 0 never is.
 *  R2  dirty is a part of free: slices that may still hold memory; the arena counts them, and after
 *      each give there are no more than of idle bytes in T3. soiled: slices of which it is not
 *      known that they read as zeroes; every dirty one is.
 *  R3  `longest` of a chunk is how many slices its longest run of free ones has (in[FREE]), and of
 *      dirty ones (in[DIRTY]); it is in the list open[FREE][longest] and in open[DIRTY][longest],
 *      or, where that is 0, in none. A bit of `open_lists` is set for each list that is not empty.
 *  R4  used = bytes of all slices in use + bytes of all huge blocks; used + foreign <= limit after
 *      each take. The bytes of a huge block are its own, not the room behind it; what is idle there
 *      and in kept mappings (T3 of kept.c) is in no limit, as dirty slices are not.
 *  R5  The map tells for each 4 MiB of addresses: nothing, the arena of a chunk, or a huge block,
 *      the room behind it included. It is read without the lock; entries are published by release,
 *      and an address that a caller may ask about is in use, so its entry does not change
 *      meanwhile.
 *  R6  While `walkers` of an arena is not 0, slices that are given back stay as they are, and are
 *      not used again: they are in `later` and not in `free`. The last walker sees to them.
 *  R7  While anybody walks, in whatever arena (hold.c), no chunk is unlinked, and huge blocks that
 *      are given back are marked `gone`, in all of them; blocks of a supply that has them, and of
 *      small over-aligned objects, are held. The last of all frees these; chunks and huge blocks go
 *      when next something is given back. What came back before anybody looked may be used at once.
 *  R8  A huge block stays where it is, but for a raw one that its only user has moved while nobody
 *      walks: a walk that begins later finds it in its new place, which is told with the lock.
 *      Counted ones never move: who looks may have their address from a field that still has the
 *      old one. `mapped` of a block and `soiled` are loaded without the lock, and relaxed: only its
 *      user, who may change them, depends on their values.
 */
#ifndef OURO_ALLOC_ARENA_H
#define OURO_ALLOC_ARENA_H

#include "alloc/heap.h"
#include "alloc/options.h"
#include "alloc/own.h"
#include "alloc/pool.h"

enum { OURO__FREE, OURO__DIRTY, OURO__OPEN };
struct ouro__chunk {
    struct ouro__arena *arena;
    struct {
        struct ouro__chunk *next, *prev;
        unsigned longest;
    } in[OURO__OPEN]; /* R3 */
    struct ouro__chunk *all_next, *all_prev;
    uint64_t free, dirty, soiled, later;
    int64_t dirty_since;
};
OURO_STATIC_ASSERT(sizeof(struct ouro__chunk) <= sizeof(struct ouro__page),
                   "slice 0's description");

struct ouro__huge {
    char *base;
    ouro_word mapped; /* bytes of the block, a multiple of OURO__OS_PAGE */
    size_t room;      /* of the mapping: what lies behind the block is for its growth (T2, T3) */
    size_t dirty;
    ouro_word soiled;
    int64_t since; /* when that which is idle came back */
    size_t cell_at;
    ouro_word asked; /* harden_own.c */
    unsigned tag;
    bool gone;
    struct ouro__arena *arena;
    struct ouro__huge *next, *prev;
};

struct ouro__arena {
    ouro__mutex lock;
    struct ouro__chunk *open[OURO__OPEN][OURO__SLICES], *chunks; /* R3 */
    uint64_t open_lists[OURO__OPEN];
    struct ouro__huge *huges;
    size_t gone;                         /* huge blocks that wait to be unmapped */
    struct ouro__huge *kept, *kept_last; /* kept.c */
    unsigned kept_count;
    size_t idle;     /* bytes: T3 */
    int64_t kept_at; /* T4 */
    unsigned walkers;
    const struct ouro_supply *supply; /* NULL: that of the process */
    size_t limit, used, peak, mapped, mapped_peak, chunk_count, system_blocks;
    ouro_word foreign; /* bytes that the program declared; grows with the lock, shrinks without */
    ouro_memory_callback *callback;
    void *callback_arg;
    int64_t purge_at;    /* 0: nothing is dirty */
    size_t dirty_slices; /* R2 */
};

/* A runtime (runtimes.c, runtime.c). What is not said to be the default one's alone is each one's
 * own. */
struct ouro_runtime {
    struct ouro__arena arena; /* first: an arena's address is its runtime's */
    ouro_word options[OURO_OPTION_COUNT];
    ouro_word fail_handler, fail_arg;
    ouro_word heaps;  /* the list of all heaps; only grows */
    ouro_word recent; /* a heap whose thread came back last: a hint */
    ouro_word inside; /* how many frames of threads name it, or OURO__CLOSED and above */
    ouro_word closer; /* the struct ouro__own of who destroys it, and may still enter; 0: nobody */
    ouro_word aparts; /* heaps apart that have not ended: they are in `inside` too */
    ouro_word above;  /* the layer above's, made on its first touch */
    struct ouro__heap *spare;         /* heaps apart that are nobody's; with the arena's lock */
    struct ouro_runtime *next, *prev; /* the list of all */
    bool run_hooks, report_leaks;
};
#define OURO__CLOSED ((ouro_word)1 << 32)
/* From `heaps` on: what threads write and load without a lock. */
#define OURO__RUNTIME_WORDS 6

extern struct ouro_runtime ouro__default_runtime;
/* The option values of a runtime that begins: what the environment says. */
void ouro__options_begin(struct ouro_runtime *runtime);
/* What the environment said when the options were read; NULL: nothing. The malloc front's. */
typedef enum ouro__text_option {
#define OURO__TEXT_ENUM(name, unit, help) OURO__TEXT_##name,
    OURO__TEXT_OPTIONS(OURO__TEXT_ENUM) OURO__TEXT_COUNT
#undef OURO__TEXT_ENUM
} ouro__text_option;
const char *ouro__option_text(ouro__text_option option);
ouro_status ouro__option_set_in(struct ouro_runtime *runtime, const char *name, int64_t value);
/* Before the runtime is gone: its heaps go to the pool. */
void ouro__heaps_drop(struct ouro_runtime *runtime);
/* The list has it no more; its record may be used again. */
void ouro__runtime_unlist(struct ouro_runtime *runtime);
void ouro__runtime_give(struct ouro_runtime *runtime);
/* fork.c */
void ouro__fork_handlers(void);
/* In a fork's child: counts who is in each runtime anew. */
void ouro__entered_recount(void);
/* The first of all: the default one. The rest of the list: with the lock of the list. */
void ouro__runtimes_reset(void); /* in a fork's child */

OURO_INLINE struct ouro__arena *ouro__arena_mine(void)
{
    return &ouro__own.runtime->arena;
}
OURO_INLINE struct ouro_runtime *ouro__arena_runtime(struct ouro__arena *arena)
{
    return OURO_CONTAINER_OF(arena, struct ouro_runtime, arena);
}

OURO_INLINE void ouro__arena_lock(struct ouro__arena *arena)
{
    ouro__lock_unless(ouro__own.arena_forks, &arena->lock);
}
OURO_INLINE void ouro__arena_unlock(struct ouro__arena *arena)
{
    ouro__unlock_unless(ouro__own.arena_forks, &arena->lock);
}

/* With the lock. Slices of which memory may be given back to the system come in. */
/* Gives back what has been idle for long enough. */
void ouro__arena_tick(struct ouro__arena *arena);
void ouro__dirty_in(struct ouro__chunk *chunk, uint64_t mask, int64_t now);
/* With the lock, nobody looking any more: held slices come in. */
void ouro__held_slices_in(struct ouro__arena *arena);
void ouro__meta_before_fork(void);
void ouro__meta_after_fork(bool child);
/* False: no memory for the map, of which a part may have been set. */
bool ouro__map_set(const char *base, size_t size, ouro_word what);

/* With the lock: whether `bytes` more stay in the limit; counts them. */
bool ouro__arena_fits(const struct ouro__arena *arena, size_t bytes);
void ouro__arena_count(struct ouro__arena *arena, size_t bytes);
/* With the lock, or in an arena that nobody knows yet: so much address space came from the
 * supply. */
OURO_INLINE void ouro__arena_mapped(struct ouro__arena *arena, size_t bytes)
{
    arena->mapped += bytes;
    if (arena->mapped > arena->mapped_peak)
        arena->mapped_peak = arena->mapped;
}

/* -- huge.c, kept.c ---------------------------------------------------------------------------- */

/* Whether large blocks have room behind them, and are kept: they are mappings of the mmap supply,
 * and no tool listens, which is to see each one as it is. */
OURO_INLINE bool ouro__is_elastic(const struct ouro__arena *arena)
{
    return (arena->supply ? arena->supply : ouro__supply()) == &ouro_supply_mmap && !ouro__tools;
}
/* With the lock: the memory behind a block begins to count as idle, or no longer does. */
void ouro__kept_count(struct ouro__huge *huge, bool in);
/* With the lock: how much may be idle, in bytes (T3). */
size_t ouro__idle_most(const struct ouro__arena *arena);
/* With the lock: whether something idle has been so for long enough. */
bool ouro__kept_due(const struct ouro__arena *arena, int64_t now);
/* With the lock: a mapping with room for a block, in no list any more; NULL: none. */
struct ouro__huge *ouro__kept_take(struct ouro__arena *arena, size_t mapped, size_t align,
                                   bool grows);
/* With the lock: one with less room, but memory for a good part of the block; NULL: none. */
struct ouro__huge *ouro__kept_take_part(struct ouro__arena *arena, size_t mapped);
/* With the lock, nobody looking: whether the mapping of a block that comes back is to be kept;
 * keeps it, with the lock free for a while if others must go for it. */
bool ouro__kept_wants(struct ouro__arena *arena, const struct ouro__huge *huge);
void ouro__kept_give(struct ouro__arena *arena, struct ouro__huge *huge, int64_t now);
/* Gives back idle memory of huge blocks whose delay is over, or all; returns how many bytes. */
size_t ouro__kept_purge(struct ouro__arena *arena, bool all);
/* The system refused memory: gives back `want` bytes of address space if there are as many, the
 * oldest kept mappings first, then the room behind blocks. Returns how many, at most `want`. */
size_t ouro__kept_refused(struct ouro__arena *arena, size_t want);
/* With the lock: the room behind a block goes back, if it can be cut off. */
void ouro__huge_cut(struct ouro__arena *arena, struct ouro__huge *huge);
/* The mapping goes, which is in no list. */
void ouro__huge_unmap(const struct ouro__arena *arena, struct ouro__huge *huge);
/* Unmaps huge blocks that were given back during walks, if those are over. */
void ouro__huge_sweep(struct ouro__arena *arena);
/* Unmaps all of them: the arena is at its end. */
void ouro__huges_drop(struct ouro__arena *arena);

/* -- chunk.c ----------------------------------------------------------------------------------- */

#define OURO__WHOLE (OURO__SLICES - 1) /* slices that are free where all are */

/* With the lock. A chunk without a page in it, one of the process's spare ones or fresh; NULL: no
 * memory. */
struct ouro__chunk *ouro__chunk_make(struct ouro__arena *arena);
/* With the lock. Of the chunks with a run of `n` slices that are FREE, or DIRTY, n > 0, one of
 * those whose longest is the shortest; NULL: there is none. O(1). */
OURO_INLINE struct ouro__chunk *ouro__chunk_with(const struct ouro__arena *arena, unsigned what,
                                                 unsigned n)
{
    uint64_t lists = arena->open_lists[what] >> n << n;
    return lists ? arena->open[what][__builtin_ctzll(lists)] : NULL;
}
/* With the lock. All chunks with such slices, those with the longest runs first: one whose longest
 * has `most`, or fewer; and the one after it. NULL: no more. O(1). */
OURO_INLINE struct ouro__chunk *ouro__chunk_open(const struct ouro__arena *arena, unsigned what,
                                                 unsigned most)
{
    uint64_t lists = arena->open_lists[what] & (((uint64_t)2 << most) - 1);
    return lists ? arena->open[what][63 - __builtin_clzll(lists)] : NULL;
}
OURO_INLINE struct ouro__chunk *ouro__chunk_next(const struct ouro__chunk *chunk, unsigned what)
{
    struct ouro__chunk *next = chunk->in[what].next;
    return next ? next : ouro__chunk_open(chunk->arena, what, chunk->in[what].longest - 1);
}
/* Changes the slices that are free; what goes out is not dirty any more. */
void ouro__slices_out(struct ouro__chunk *chunk, uint64_t mask);
void ouro__slices_in(struct ouro__chunk *chunk, uint64_t mask);
/* Of the free ones these are dirty, too. */
void ouro__slices_dirty(struct ouro__chunk *chunk, uint64_t mask);
/* With the lock. Unlinks one chunk that is empty and clean, if there are two such; NULL: no. */
struct ouro__chunk *ouro__chunk_spare(struct ouro__arena *arena);
/* The system refused memory: unmaps every chunk that is empty, those that are kept for the next
 * page included. */
void ouro__chunks_refused(struct ouro__arena *arena);
/* All chunks go, whatever is in them: the arena is at its end. */
void ouro__chunks_drop(struct ouro__arena *arena);
/* Unmaps the process's spare chunks; returns the bytes of memory that they may have held. */
size_t ouro__spares_drop(void);
void ouro__spares_before_fork(void);
void ouro__spares_after_fork(bool child);

/* -- blocks.c ---------------------------------------------------------------------------------- */

/* The runtime of a block that the supply gave, if it is not the default one. */
struct ouro_runtime *ouro__block_runtime(const void *p);
/* Those of a runtime that is not the default one, for walks. */
void ouro__blocks_each(struct ouro_runtime *runtime, unsigned tag,
                       void (*visit)(const struct ouro__place *place, void *arg), void *arg);
/* Frees all that belong to the runtime, which is at its end. */
void ouro__blocks_drop(struct ouro_runtime *runtime);
void ouro__blocks_before_fork(void);
void ouro__blocks_after_fork(bool child);

/* -- hold.c ------------------------------------------------------------------------------------ */

void ouro__hold(struct ouro__arena *arena);
void ouro__release(struct ouro__arena *arena);
/* Whether anybody looks, in any arena. Who sees that nobody does may unmap what was unreachable
 * before. */
bool ouro__anybody_looks(void);
void ouro__holds_before_fork(void);
void ouro__holds_after_fork(bool child);

/* Where an arena's regions come from. */
OURO_INLINE const struct ouro_supply *ouro__regions_of(const struct ouro__arena *arena)
{
    return arena->supply ? arena->supply : ouro__supply();
}
/* A region of a supply's, whose bytes tools know: zeroes, and nobody's when it goes back. */
OURO_INLINE void *ouro__region_map(const struct ouro_supply *supply, size_t size, size_t align)
{
    void *p = supply->map(size, align);
    if (p)
        ouro__tool_readable(p, size);
    return p;
}
OURO_INLINE void ouro__region_unmap(const struct ouro_supply *supply, void *p, size_t size)
{
    ouro__tool_writable(p, size);
    supply->unmap(p, size);
}

OURO_INLINE struct ouro__page *ouro__description(struct ouro__chunk *chunk, unsigned slice)
{
    return (struct ouro__page *)(void *)((char *)chunk + ((size_t)slice << OURO__PAGE_SHIFT));
}

#endif
