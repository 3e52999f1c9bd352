/* SPDX-License-Identifier: MIT */
/* foreign.c: the balance of foreign bytes, and a side table of those that belong to objects.
 *
 *  B1  The balance is the sum of what was added, and of all entries of the table.
 *  B2  An object with an entry has W set, from before the entry can be found: so its death comes by
 *      ouro__weak_clear, with the lock of its bucket of weak cells, and takes the entry out.
 *  B3  The table's lock is the innermost of orc. Under it nothing is called that could call the
 *      program: memory for more heads is asked for without the callback. */
#include "orc/foreign.h"
#include "alloc/fail.h"
#include "alloc/heap.h"
#include "alloc/pool.h"
#include "alloc/runtime.h"
#include "orc/state.h"

/* -- the balance ------------------------------------------------------------------------------- */

static void take_off(size_t bytes)
{
    if (OURO_UNLIKELY(!ouro__foreign_give(bytes)))
        ouro_fail(OURO_FAIL_MISUSE, NULL, NULL,
                  "more foreign bytes were taken off than were declared");
}

static ouro_status add(size_t bytes)
{
    struct ouro__thread *me = ouro__me();
    if (!me)
        return OURO_NO_MEMORY;
    struct ouro__heap *heap = ouro__heap_mine();
    for (unsigned attempt = 0; !ouro__foreign_take(bytes); attempt++) {
        if (!ouro__refused(heap, bytes, attempt) && !ouro__anything_freed(me))
            return OURO_NO_MEMORY;
    }
    heap->bytes_taken += bytes;
    ouro__collect_if_due(me);
    return OURO_OK;
}

ouro_status ouro_foreign_add(ptrdiff_t bytes)
{
    if (bytes > 0)
        return add((size_t)bytes);
    take_off(-(size_t)bytes);
    return OURO_OK;
}

/* -- objects ----------------------------------------------------------------------------------- */

struct entry {
    const void *object;
    size_t bytes;
    struct entry *next;
};

#define FIRST_HEADS 64 /* a power of two */

static struct {
    ouro__mutex lock;
    struct entry **heads, *first_heads[FIRST_HEADS];
    size_t mask;
    ouro_word count; /* of entries; written with the lock */
} table = {.lock = OURO__MUTEX_INIT, .heads = table.first_heads, .mask = FIRST_HEADS - 1};

/* With the lock, as the following two. */
static struct entry **find(const void *object)
{
    size_t hash = ((uintptr_t)object >> 4) * 0x9E3779B97F4A7C15u >> 32;
    struct entry **at = &table.heads[hash & table.mask];
    while (*at && (*at)->object != object)
        at = &(*at)->next;
    return at;
}

/* Twice as many heads; without memory the lists get longer. */
static void grow(void)
{
    size_t heads = 2 * (table.mask + 1);
    if (ouro_runtime_current() != ouro_runtime_default())
        return; /* the table outlives all others */
    struct entry **fresh = ouro__realloc_alone(NULL, heads * sizeof *fresh), **old = table.heads;
    size_t old_mask = table.mask;
    if (!fresh)
        return;
    memset(fresh, 0, heads * sizeof *fresh);
    table.heads = fresh;
    table.mask = heads - 1;
    for (size_t i = 0; i <= old_mask; i++) {
        for (struct entry *e = old[i], *next; e; e = next) {
            next = e->next;
            e->next = NULL;
            *find(e->object) = e; /* at the end of its list */
        }
    }
    if (old != table.first_heads)
        ouro_free(old);
}

static struct entry *remove_entry(struct entry **at)
{
    struct entry *e = *at;
    if (!e)
        return NULL;
    *at = e->next;
    ouro__store(&table.count, table.count - 1);
    return e;
}

size_t ouro__foreign_of(const void *object)
{
    ouro__orc_lock(&table.lock);
    const struct entry *e = *find(object);
    size_t bytes = e ? e->bytes : 0;
    ouro__orc_unlock(&table.lock);
    return bytes;
}

void ouro__foreign_forget(const void *object)
{
    /* Relaxed: who made an entry of the object raised the count before it dropped its reference, by
     * a release which whoever decided the death acquired; and while the entry is there it is not
     * 0. */
    if (OURO_LIKELY(ouro__load(&table.count) == 0))
        return;
    ouro__orc_lock(&table.lock);
    struct entry *e = remove_entry(find(object));
    ouro__orc_unlock(&table.lock);
    if (!e)
        return;
    (void)ouro__foreign_give(e->bytes); /* if somebody took off too much, he was told */
    ouro_free(e);
}

/* Changes the object's entry if it still has `old` bytes; `fresh` becomes the entry if there is
 * none. What is to be freed is left in *fresh. */
static bool exchange(void *object, size_t old, size_t bytes, struct entry **fresh)
{
    ouro__orc_lock(&table.lock);
    struct entry **at = find(object);
    bool same = (*at ? (*at)->bytes : 0) == old;
    if (same && bytes == 0) {
        ouro_free(*fresh);
        *fresh = remove_entry(at);
    } else if (same && *at) {
        (*at)->bytes = bytes;
    } else if (same) {
        **fresh = (struct entry){object, bytes, NULL};
        *at = *fresh;
        *fresh = NULL;
        ouro__store(&table.count, table.count + 1);
        if (table.count > 2 * (table.mask + 1))
            grow();
    }
    ouro__orc_unlock(&table.lock);
    return same;
}

/* One try; OURO_BUSY: another thread spoke for the object meanwhile. */
static ouro_status declare(void *object, size_t bytes, struct entry **fresh)
{
    size_t old = ouro__foreign_of(object);
    ouro_status status = bytes > old ? add(bytes - old) : OURO_OK;
    if (status != OURO_OK)
        return status;
    if (bytes > 0)
        ouro__weak_flag(ouro__header(object)); /* B2 */
    bool done = exchange(object, old, bytes, fresh);
    if (done && bytes < old)
        take_off(old - bytes);
    else if (!done && bytes > old)
        take_off(bytes - old);
    return done ? OURO_OK : OURO_BUSY;
}

/* The bytes, and the entry, are of the object's runtime. */
static OURO_NOINLINE ouro_status declare_elsewhere(void *object, size_t bytes)
{
    struct ouro_runtime *there = ouro__visit(object);
    if (!there)
        return OURO_NO_MEMORY;
    ouro_status status = ouro_foreign_bytes(object, bytes);
    ouro_runtime_leave(there);
    return status;
}

void ouro__foreign_drop(const struct ouro_runtime *runtime)
{
    ouro__orc_lock(&table.lock);
    for (size_t i = 0; i <= table.mask && table.count > 0; i++) {
        for (struct entry **at = &table.heads[i]; *at;) {
            if (ouro__runtime_of((*at)->object) == runtime)
                (void)remove_entry(at); /* its memory goes with the rest */
            else
                at = &(*at)->next;
        }
    }
    ouro__orc_unlock(&table.lock);
}

ouro_status ouro_foreign_bytes(void *object, size_t bytes)
{
    if (!object)
        return OURO_BAD_ARGUMENT;
    ouro__check_alive(object, "foreign bytes were declared of it, but it is gone");
    if (bytes > PTRDIFF_MAX)
        return OURO_NO_MEMORY;
    struct ouro__thread *me = ouro__me();
    if (me && ouro__is_elsewhere(me, object, ouro__load(&ouro__header(object)->shared)))
        return declare_elsewhere(object, bytes);
    struct entry *fresh = me ? ouro_malloc(sizeof *fresh) : NULL;
    if (!fresh && bytes > 0)
        return OURO_NO_MEMORY;
    ouro_status status;
    do
        status = declare(object, bytes, &fresh);
    while (status == OURO_BUSY);
    ouro_free(fresh);
    return status;
}

void ouro__foreign_before_fork(void)
{
    ouro__lock(&table.lock);
}

void ouro__foreign_after_fork(bool child)
{
    ouro__mutex_after_fork(&table.lock, child);
}
