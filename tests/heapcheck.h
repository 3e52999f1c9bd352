/* SPDX-License-Identifier: MIT */
/* heapcheck.h: what is alive at the end of a test. White-box: walks every page of counted objects.
 *
 * Call it while no other thread uses counted objects. With the `system` supply there are no pages
 * to walk: it finds nothing, and the tool that the supply is for (ASan, memcheck) tells of
 * leaks. */
#ifndef OURO_TESTS_HEAPCHECK_H
#define OURO_TESTS_HEAPCHECK_H

#include "alloc/heap.h"
#include "orc/leak.h"
#include "orc/state.h"

struct heapcheck {
    const struct ouro_type *type; /* to count; NULL: all */
    size_t count;
    bool only_waiting; /* merged candidates */
};

static void heapcheck_place(const struct ouro__place *place, void *arg)
{
    struct heapcheck *check = arg;
    for (size_t i = 0; i < place->blocks; i++) {
        void *object = ouro__object_in(place->block + i * place->bytes);
        ouro_word b = object ? ouro__load(&ouro__header(object)->shared) : 0;
        const ouro_word waiting = OURO__MERGED | OURO__QUEUED;
        if (object == NULL || (b & OURO__IMMORTAL) ||
            (check->only_waiting && (b & waiting) != waiting))
            continue;
        check->count += check->type == NULL || ouro__type_of(object, b) == check->type;
    }
}

static inline bool heapcheck_can_walk(void)
{
    return ouro__heaps_exist() && ouro__supply()->block == NULL;
}

/* How many objects of the type (NULL: of any) are alive, immortal ones left out. */
static inline size_t heapcheck_count(const struct ouro_type *type)
{
    struct heapcheck check = {type, 0, false};
    if (heapcheck_can_walk())
        ouro__arena_each(OURO__COUNTED, heapcheck_place, &check);
    return check.count;
}

/* How many are merged candidates, which wait until the process has one thread. */
static inline size_t heapcheck_waiting(void)
{
    struct heapcheck check = {NULL, 0, true};
    if (heapcheck_can_walk())
        ouro__arena_each(OURO__COUNTED, heapcheck_place, &check);
    return check.count;
}

/* Settles all that waits for this thread, then counts what is alive; says what, if anything is. */
static inline size_t heapcheck_alive(void)
{
    ouro_poll();
    ouro_collect(NULL);
    ouro_poll();
    if (heapcheck_can_walk())
        (void)ouro_check_heap();
    size_t alive = heapcheck_count(NULL);
    if (alive)
        (void)ouro_report_leaks();
    return alive;
}

#endif
