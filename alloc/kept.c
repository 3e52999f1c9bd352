/* SPDX-License-Identifier: MIT */
/* kept.c: mappings of huge blocks between two uses, and the room behind those in use.
 *
 * Mapping a large block costs a page fault for each of its pages, ten times what writing them
 * costs. So what is given back is kept for as long as empty slices are (option purge_delay), for
 * the next block; what then still lies there is unmapped. All of it is idle memory, in no limit.
 *
 *  T1  A kept mapping is in no map entry, in no list but `kept`, newest first, and nobody knows of
 *      it.
 *  T2  Of a mapping, the first `dirty` bytes may hold memory, but for what its block has not
 *      touched; those from `soiled` on that no block has had since read as zeroes.
 *  T3  idle = the dirty bytes of all kept mappings, and of those behind blocks in use (but for
 *      blocks that are gone). At most KEPT_LEAST, or a fourth of what is in use, after each give:
 *      the oldest go.
 *  T4  kept_at is not later than any of that is due; 0: nothing is idle. */
#include "alloc/arena.h"

#define KEPT_LEAST ((size_t)32 << 20)
#define KEPT_PART  4                 /* of what is in use */
#define KEPT_COUNT 64                /* and so many: a search goes through them */
#define PIECE      ((size_t)1 << 20) /* what is purged with the lock at a time */

static int64_t delay_of(struct ouro__arena *arena)
{
    return (int64_t)ouro__load(&ouro__arena_runtime(arena)->options[OURO_OPTION_purge_delay]);
}

size_t ouro__idle_most(const struct ouro__arena *arena)
{
    size_t part = arena->used / KEPT_PART;
    return part > KEPT_LEAST ? part : KEPT_LEAST;
}

static size_t tail_of(const struct ouro__huge *huge)
{
    return huge->dirty > huge->mapped ? huge->dirty - huge->mapped : 0;
}

void ouro__kept_count(struct ouro__huge *huge, bool in)
{
    struct ouro__arena *arena = huge->arena;
    size_t tail = tail_of(huge);
    arena->idle += in ? tail : -tail;
    int64_t due = huge->since + delay_of(arena);
    if (in && tail > 0 && (arena->kept_at == 0 || due < arena->kept_at))
        arena->kept_at = due;
}

bool ouro__kept_due(const struct ouro__arena *arena, int64_t now)
{
    return arena->kept_at != 0 && arena->kept_at <= now;
}

/* -- the list ---------------------------------------------------------------------------------- */

static void take_out(struct ouro__arena *arena, struct ouro__huge *huge)
{
    if (huge->next)
        huge->next->prev = huge->prev;
    else
        arena->kept_last = huge->prev;
    if (huge->prev)
        huge->prev->next = huge->next;
    else
        arena->kept = huge->next;
    arena->kept_count--;
    arena->idle -= huge->dirty;
}

/* Unmaps one that is in the list, with the lock free meanwhile. */
static void let_go(struct ouro__arena *arena, struct ouro__huge *huge)
{
    take_out(arena, huge);
    arena->mapped -= huge->room;
    ouro__arena_unlock(arena);
    ouro__huge_unmap(arena, huge);
    ouro__arena_lock(arena);
}

/* Which is the better one for a block: the smallest, or, if that may grow, the largest. */
static bool is_better(const struct ouro__huge *huge, const struct ouro__huge *best, bool grows)
{
    return !best || (grows ? huge->room > best->room : huge->room < best->room);
}

struct ouro__huge *ouro__kept_take(struct ouro__arena *arena, size_t mapped, size_t align,
                                   bool grows)
{
    struct ouro__huge *best = NULL;
    for (struct ouro__huge *huge = arena->kept; huge; huge = huge->next) {
        /* A large one is not spent on a small block that stays so. */
        bool fits = huge->room >= mapped && (grows || huge->dirty <= 2 * mapped) &&
                    ((uintptr_t)huge->base & (align - 1)) == 0;
        if (fits && is_better(huge, best, grows))
            best = huge;
    }
    if (best)
        take_out(arena, best);
    return best;
}

struct ouro__huge *ouro__kept_take_part(struct ouro__arena *arena, size_t mapped)
{
    struct ouro__huge *best = NULL;
    for (struct ouro__huge *huge = arena->kept; huge; huge = huge->next) {
        bool fits = huge->room < mapped && huge->dirty >= mapped / 4;
        if (fits && (!best || huge->dirty > best->dirty))
            best = huge;
    }
    if (best)
        take_out(arena, best);
    return best;
}

bool ouro__kept_wants(struct ouro__arena *arena, const struct ouro__huge *huge)
{
    size_t dirty = huge->dirty > huge->mapped ? huge->dirty : huge->mapped;
    return dirty <= ouro__idle_most(arena) && delay_of(arena) > 0 && ouro__is_elastic(arena);
}

void ouro__kept_give(struct ouro__arena *arena, struct ouro__huge *huge, int64_t now)
{
    if (huge->dirty < huge->mapped)
        huge->dirty = huge->mapped;
    if (huge->soiled < huge->mapped)
        ouro__store(&huge->soiled, huge->mapped);
    huge->since = now;
    huge->prev = NULL;
    huge->next = arena->kept;
    if (arena->kept)
        arena->kept->prev = huge;
    else
        arena->kept_last = huge;
    arena->kept = huge;
    arena->kept_count++;
    arena->idle += huge->dirty;
    int64_t due = now + delay_of(arena);
    if (arena->kept_at == 0 || due < arena->kept_at)
        arena->kept_at = due;
    while ((arena->idle > ouro__idle_most(arena) || arena->kept_count > KEPT_COUNT) &&
           arena->kept_last)
        let_go(arena, arena->kept_last);
}

/* -- purging ----------------------------------------------------------------------------------- */

/* With the lock, which keeps the block from growing there. */
static size_t purge_piece(struct ouro__arena *arena, struct ouro__huge *huge)
{
    size_t tail = tail_of(huge), piece = tail < PIECE ? tail : PIECE, from = huge->dirty - piece;
    bool zero = ouro__regions_of(arena)->purge(huge->base + from, piece);
    if (zero && huge->soiled <= huge->dirty && huge->soiled > from)
        ouro__store(&huge->soiled, from);
    huge->dirty = from;
    arena->idle -= piece;
    return piece;
}

/* The first mapping with idle memory that is due, or NULL. */
static struct ouro__huge *due_of(struct ouro__arena *arena, struct ouro__huge *from, bool kept,
                                 int64_t limit)
{
    for (; from; from = from->next) {
        if (from->gone || !(kept || tail_of(from) > 0))
            continue;
        if (from->since <= limit)
            return from;
        int64_t due = from->since + delay_of(arena);
        if (arena->kept_at == 0 || due < arena->kept_at)
            arena->kept_at = due;
    }
    return NULL;
}

size_t ouro__kept_purge(struct ouro__arena *arena, bool all)
{
    /* What comes back from now on is left alone: others may go on and on. */
    int64_t limit = ouro__os_milliseconds() - (all ? 0 : delay_of(arena));
    size_t bytes = 0;
    ouro__arena_lock(arena);
    for (;;) {
        struct ouro__huge *huge;
        arena->kept_at = 0;
        if ((huge = due_of(arena, arena->kept, true, limit)) != NULL) {
            bytes += huge->dirty;
            let_go(arena, huge);
        } else if (arena->idle > 0 && (huge = due_of(arena, arena->huges, false, limit)) != NULL) {
            bytes += purge_piece(arena, huge);
            ouro__arena_unlock(arena); /* others have their turn */
            ouro__arena_lock(arena);
        } else {
            break;
        }
    }
    ouro__arena_unlock(arena);
    return bytes;
}

size_t ouro__kept_refused(struct ouro__arena *arena, size_t want)
{
    int64_t now = ouro__os_milliseconds(); /* as in ouro__kept_purge */
    size_t got = 0;
    ouro__arena_lock(arena);
    while (got < want && arena->kept_last && arena->kept_last->since <= now) {
        got += arena->kept_last->room;
        let_go(arena, arena->kept_last);
    }
    for (struct ouro__huge *huge = arena->huges; huge && got < want; huge = huge->next) {
        size_t room = huge->room;
        ouro__huge_cut(arena, huge);
        got += room - huge->room;
    }
    ouro__arena_unlock(arena);
    return got < want ? got : want;
}
