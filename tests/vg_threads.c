/* SPDX-License-Identifier: MIT */
/* Hand-overs for helgrind and DRD, one a run: valgrind.sh starts this under them. Nothing but Ouro
 * orders what the two threads do at the end of each: without its annotations each is a race. The
 * threads go through a lock to begin with; that orders what was before. White-box: looks at headers
 * and tokens. */
#include "ouro.h"
#include "alloc/heap.h"
#include "orc/state.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- an object whose hook reads and writes ----------------------------------------------------- */

struct thing {
    struct thing *next;
    volatile int64_t number, second;
};
static ouro_word destroyed; /* by whichever thread; synchronisation */
static void thing_destroy(void *value, const struct ouro_type *type)
{
    struct thing *thing = value;
    if (thing->number < 0 || thing->second < 0)
        abort();
    thing->number = thing->second = -1;
    ouro__fetch_add(&destroyed, 1);
    ouro_lifted_destroy(value, type);
}
static struct ouro_type thing_type;
static const struct ouro_field thing_fields[] = {OURO_REF(struct thing, next, &thing_type)};
static struct ouro_type thing_type = {.size = sizeof(struct thing),
                                      .name = "thing",
                                      .fields = thing_fields,
                                      .field_count = 1,
                                      .hooks = {.destroy = thing_destroy}};

static struct thing *thing_new(int64_t number)
{
    struct thing *thing = ouro_new_biased(&thing_type, sizeof *thing);
    if (!thing)
        abort();
    thing->number = number;
    return thing;
}

/* -- two threads ------------------------------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static void *box[300];
static int phase;

static void next_phase(void)
{
    pthread_mutex_lock(&lock);
    phase++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}
static void wait_phase(int n)
{
    pthread_mutex_lock(&lock);
    while (phase < n)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static pthread_t start(void *(*fn)(void *))
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, fn, NULL) != 0)
        abort();
    return thread;
}

#define COUNT 100

/* The other thread writes and drops; the owner destroys. */
static void *write_and_drop(void *arg)
{
    wait_phase(1);
    for (int i = 0; i < COUNT; i++) {
        struct thing *thing = box[i];
        thing->number += 5;
        ouro_decref(thing);
    }
    return arg;
}

static void queue(void)
{
    pthread_t thread = start(write_and_drop);
    for (int i = 0; i < COUNT; i++)
        box[i] = thing_new(i);
    next_phase();
    while (ouro__load(&destroyed) < COUNT)
        ouro_poll();
    pthread_join(thread, NULL);
}

/* The same, each with a reference and a field of its own; the last drop may be either's. */
static void *write_and_drop_shared(void *arg)
{
    wait_phase(1);
    for (int i = 0; i < COUNT; i++) {
        struct thing *thing = box[i];
        ouro_incref(thing);
        thing->second = 5;
        ouro_decref(thing);
        ouro_decref(thing);
    }
    return arg;
}
static void shared(void)
{
    pthread_t thread = start(write_and_drop_shared);
    for (int i = 0; i < COUNT; i++) {
        box[i] = thing_new(i);
        ouro_incref(box[i]);
    }
    next_phase();
    for (int i = 0; i < COUNT; i++) {
        ((struct thing *)box[i])->number = 7;
        ouro_decref(box[i]);
        ouro__os_yield();
    }
    while (ouro__load(&destroyed) < COUNT) {
        ouro_poll();
        ouro_collect(NULL);
    }
    pthread_join(thread, NULL);
}

/* The owner is parked: the dropper settles for it, and the hook sees what the owner wrote before.
 */
static void *drop_of_parked(void *arg)
{
    ouro_free(ouro_malloc(sizeof(struct ouro__segment))); /* what locks is behind us */
    ouro_poll();
    wait_phase(1);
    const struct ouro__thread *owner = box[COUNT];
    while (ouro__load(&owner->state) != OURO__PARKED)
        ouro__os_yield();
    for (int i = 0; i < COUNT; i++)
        ouro_decref(box[i]);
    if (ouro__load(&destroyed) != COUNT)
        abort();
    return arg;
}
static void parked(void)
{
    pthread_t thread = start(drop_of_parked);
    for (int i = 0; i < COUNT; i++)
        box[i] = thing_new(i);
    box[COUNT] = ouro__self;
    ouro_park();
    ouro_unpark();
    next_phase();
    for (int i = 0; i < COUNT; i++)
        ((struct thing *)box[i])->number++;
    ouro_park();
    pthread_join(thread, NULL);
    ouro_unpark();
}

/* Blocks that another thread wrote and freed are given out again. */
static void *write_and_free(void *arg)
{
    wait_phase(1);
    for (int i = 0; i < 300; i++) {
        memset(box[i], i, 3000);
        ouro_free(box[i]);
    }
    return arg; /* its end hands over what is gathered */
}
static void remote(void)
{
    static uintptr_t freed[300];
    pthread_t thread = start(write_and_free);
    for (int i = 0; i < 300; i++) {
        box[i] = ouro_malloc(3000);
        freed[i] = (uintptr_t)box[i];
    }
    next_phase();
    static void *taken[3000];
    size_t n = 0, again = 0;
    while (again < 200) {
        if (n == 3000) {
            while (n > 0)
                ouro_free(taken[--n]);
        }
        taken[n] = memset(ouro_malloc(3000), 1, 3000);
        for (int i = 0; i < 300; i++) {
            if (freed[i] == (uintptr_t)taken[n]) {
                freed[i] = 0;
                again++;
            }
        }
        n++;
    }
    while (n > 0)
        ouro_free(taken[--n]);
    pthread_join(thread, NULL);
}

/* A thread writes its objects and ends; another, which does not join it, destroys them. */
static void *make_and_end(void *arg)
{
    for (int i = 0; i < COUNT; i++)
        box[i] = thing_new(i);
    box[COUNT] = (void *)(uintptr_t)ouro__self->home;
    next_phase();
    for (int i = 0; i < COUNT; i++)
        ((struct thing *)box[i])->number++;
    return arg;
}
static void adopted(void)
{
    ouro_poll(); /* what a first touch locks is behind us */
    pthread_t thread = start(make_and_end);
    wait_phase(1);
    const struct ouro__token *token = &ouro__tokens[(uintptr_t)box[COUNT]];
    while (ouro__load(&token->holder) != OURO__GONE)
        ouro__os_yield();
    for (int i = 0; i < COUNT; i++)
        ouro_decref(box[i]);
    if (ouro__load(&destroyed) != COUNT)
        abort();
    pthread_join(thread, NULL);
}

/* A new thread is given the heap of one that ended: its free blocks are what that one left. */
static void *use_and_end(void *arg)
{
    for (int i = 0; i < COUNT; i++)
        box[i] = memset(ouro_malloc(3000), 1, 3000);
    for (int i = 0; i < COUNT; i += 2)
        ouro_free(box[i]);
    box[COUNT] = ouro__context.heap;
    next_phase();
    for (int i = 1; i < COUNT; i += 4)
        ouro_free(box[i]);
    return arg;
}
static void *use_again(void *arg)
{
    wait_phase(1);
    const struct ouro__heap *left = box[COUNT];
    while (ouro__load(&left->state) != OURO__HEAP_ABANDONED)
        ouro__os_yield();
    for (int i = 0; i < COUNT / 2; i++)
        ouro_free(memset(ouro_malloc(3000), 1, 3000));
    if ((const void *)ouro__context.heap != (const void *)left)
        abort();
    return arg;
}
static void taken_over(void)
{
    pthread_t next = start(use_again), first = start(use_and_end);
    pthread_join(first, NULL);
    pthread_join(next, NULL);
}

/* A race of the program's own, on an object that both have. */
static void *write_only(void *arg)
{
    wait_phase(1);
    struct thing *thing = box[0];
    thing->number++;
    ouro_decref(thing);
    return arg;
}
static void race(void)
{
    pthread_t thread = start(write_only);
    struct thing *thing = thing_new(1);
    ouro_incref(thing);
    box[0] = thing;
    next_phase();
    thing->number++;
    pthread_join(thread, NULL);
    ouro_decref(thing);
}

static const struct {
    const char *name;
    void (*act)(void);
} acts[] = {{"queue", queue},   {"shared", shared},   {"parked", parked},
            {"remote", remote}, {"adopted", adopted}, {"taken_over", taken_over},
            {"race", race}};

int main(int argc, char **argv)
{
    ouro_poll();
    ouro__tool_words(&destroyed, sizeof destroyed);
    for (size_t i = 0; i < OURO_COUNT_OF(acts); i++) {
        if (argc > 1 && strcmp(argv[1], acts[i].name) == 0) {
            acts[i].act();
            return 0;
        }
    }
    fprintf(stderr, "usage: %s ACT\n", argv[0]);
    return 2;
}
