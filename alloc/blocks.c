/* SPDX-License-Identifier: MIT */
/* blocks.c: blocks of a supply that passes them on (`system`).
 *
 * Such a block does not tell whose it is, so a table tells the ones of runtimes other than the
 * default one: by address, for who gives them back and who asks whose an object is, and by
 * runtime, for its end. A program without other runtimes never looks into it. */
#include "alloc/arena.h"

struct row {
    char *block;
    size_t bytes, cell_at;
    unsigned tag;
    struct ouro_runtime *runtime;
    struct row *next; /* of its list */
};

#define LISTS ((size_t)1 << LIST_BITS)
enum { LIST_BITS = 14 };
static struct {
    ouro__mutex lock;
    size_t count;
    struct row *lists[LISTS];
} table = {.lock = OURO__MUTEX_INIT};
static struct ouro__pool rows = {NULL, sizeof(struct row), offsetof(struct row, next)};

static void lock(void)
{
    ouro__lock_unless(ouro__own.arena_forks, &table.lock);
}
static void unlock(void)
{
    ouro__unlock_unless(ouro__own.arena_forks, &table.lock);
}

/* By its cell: that is what its user knows. */
static struct row **list_of(const void *cell)
{
    return &table.lists[((uintptr_t)cell >> 4) * 0x9E3779B97F4A7C15u >> (64 - LIST_BITS)];
}

static const char *cell_of(const struct row *row)
{
    return row->block + row->cell_at;
}

static void row_add(struct row *row)
{
    struct row **list = list_of(cell_of(row));
    lock();
    row->next = *list;
    *list = row;
    table.count++;
    unlock();
}

/* With the lock. */
static struct row *row_out(struct row **at)
{
    struct row *row = *at;
    *at = row->next;
    table.count--;
    return row;
}

/* Forgets a block; whose it was. */
static struct ouro_runtime *row_remove(const void *cell)
{
    struct ouro_runtime *runtime = &ouro__default_runtime;
    if (ouro__load(&ouro__more_runtimes) == 0)
        return runtime;
    struct row *row = NULL;
    lock();
    struct row **at = list_of(cell);
    while (*at && cell_of(*at) != cell)
        at = &(*at)->next;
    if (*at) {
        row = row_out(at);
        runtime = row->runtime;
    }
    unlock();
    if (row)
        ouro__pool_give(&rows, row);
    return runtime;
}

struct ouro_runtime *ouro__block_runtime(const void *cell)
{
    const struct ouro_supply *supply = ouro__supply();
    if (!supply || !supply->block)
        return NULL;
    lock();
    const struct row *row = table.count != 0 ? *list_of(cell) : NULL;
    while (row && cell_of(row) != cell)
        row = row->next;
    struct ouro_runtime *found = row ? row->runtime : &ouro__default_runtime;
    unlock();
    return found;
}

void ouro__blocks_drop(struct ouro_runtime *runtime)
{
    for (size_t i = 0; i < LISTS; i++) {
        struct row *mine = NULL;
        lock();
        for (struct row **at = &table.lists[i]; *at;) {
            if ((*at)->runtime != runtime) {
                at = &(*at)->next;
                continue;
            }
            struct row *row = row_out(at);
            row->next = mine;
            mine = row;
        }
        unlock();
        while (mine) {
            struct row *row = mine;
            mine = row->next;
            ouro__supply()->block_free(row->block);
            ouro__pool_give(&rows, row);
        }
    }
}

/* Each block of `tag` as a place that begins where walks expect the header of an object. `visit`
 * runs with the lock. */
void ouro__blocks_each(struct ouro_runtime *runtime, unsigned tag,
                       void (*visit)(const struct ouro__place *place, void *arg), void *arg)
{
    lock();
    for (size_t i = 0; i < LISTS; i++) {
        for (const struct row *row = table.lists[i]; row; row = row->next) {
            if (row->runtime != runtime || row->tag != tag)
                continue;
            size_t at = row->cell_at - ouro__cell_offset(tag);
            struct ouro__place place = {.kind = OURO__PAGE_SPAN,
                                        .block = row->block + at,
                                        .bytes = row->bytes - at,
                                        .blocks = 1,
                                        .tag = tag,
                                        .cell_at = ouro__cell_offset(tag)};
            visit(&place, arg);
        }
    }
    unlock();
}

void *ouro__system_take(struct ouro_runtime *runtime, size_t size, size_t align, unsigned tag,
                        size_t cell_at)
{
    struct ouro__arena *arena = &runtime->arena;
    bool told = runtime != &ouro__default_runtime;
    struct row *row = told ? ouro__pool_take(&rows) : NULL;
    if (told && !row)
        return NULL;
    /* Counted before it is there, lest others pass the limit meanwhile. */
    ouro__arena_lock(arena);
    bool fits = ouro__arena_fits(arena, size);
    if (fits)
        ouro__arena_count(arena, size);
    ouro__arena_unlock(arena);
    void *block = fits ? ouro__supply()->block(size, align) : NULL;
    size_t got = block ? ouro__supply()->block_size(block) : 0;
    if (fits) {
        ouro__arena_lock(arena);
        ouro__arena_count(arena, got - size); /* less, if there is none: wraps to what is right */
        arena->system_blocks += block != NULL;
        ouro__arena_unlock(arena);
    }
    if (row && block) {
        row->block = block;
        row->bytes = got;
        row->tag = tag;
        row->cell_at = cell_at;
        row->runtime = runtime;
        if (tag == OURO__COUNTED) /* walks may come before the header is written: none is here */
            memset((char *)block + cell_at - ouro__cell_offset(tag), 0, 2 * sizeof(ouro_word));
        row_add(row);
    } else if (row) {
        ouro__pool_give(&rows, row);
    }
    return block;
}

void ouro__system_give(void *cell, size_t cell_at)
{
    void *block = (char *)cell - cell_at;
    size_t got = ouro__supply()->block_size(block);
    struct ouro__arena *arena = &row_remove(cell)->arena;
    ouro__arena_lock(arena);
    arena->used -= got;
    arena->system_blocks--;
    ouro__arena_unlock(arena);
    if (got < sizeof(void *) || !ouro__hold_block(block))
        ouro__supply()->block_free(block);
}

void ouro__blocks_before_fork(void)
{
    ouro__lock(&table.lock);
}
void ouro__blocks_after_fork(bool child)
{
    ouro__mutex_after_fork(&table.lock, child);
}
