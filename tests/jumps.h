/* SPDX-License-Identifier: MIT */
/* jumps.h: what the tests of hooks and callbacks that leave by longjmp share. White-box: see
 * orc_kit.h. */
#ifndef OURO_TESTS_JUMPS_H
#define OURO_TESTS_JUMPS_H

#include "orc_kit.h"

#include <setjmp.h>

static jmp_buf place;
static struct ouro_mark mark;
static volatile int jumps;

/* Runs act(arg), which may jump, and unwinds each time, until nothing jumps any more. */
static inline void run(void (*act)(void *), void *arg)
{
    mark = ouro_frame_mark();
    jumps = 0;
    if (setjmp(place) == 0) {
        act(arg);
        return;
    }
    jumps++;
    ouro_frame_unwind(&mark); /* hooks that it runs may jump here again */
    KIT_CHECK(!ouro__self->releasing && !ouro__self->visited.collecting);
    KIT_CHECK(!ouro__self->at_hand && !ouro__self->pending && !ouro__own.pleading);
}

static inline void decref(void *object)
{
    ouro_decref(object);
}
static inline void collect(void *arg)
{
    (void)arg;
    ouro_collect(NULL);
}

static int64_t leaver; /* whose hook leaves, having dropped its fields; -1: all */

static inline void leave_if_it_is_him(struct hooked *dying)
{
    if (dying->id != leaver && leaver >= 0)
        return;
    ouro_lifted_destroy(dying, &hooked_type);
    longjmp(place, 1);
}

static inline struct hooked *chain(int64_t n)
{
    struct hooked *first = NULL;
    for (int64_t i = n; i > 0; i--) {
        struct hooked *h = hooked_new(i);
        h->a = first;
        first = h;
    }
    return first;
}

/* A ring of 1 .. n, one of them a candidate. */
static inline struct hooked *ring_of(int64_t n)
{
    struct hooked *first = hooked_new(1), *last = first;
    for (int64_t i = 2; i <= n; i++) {
        last->a = hooked_new(i);
        last = last->a;
    }
    last->a = first;
    kit_touch(first);
    return first;
}

#endif
