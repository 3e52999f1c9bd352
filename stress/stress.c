/* SPDX-License-Identifier: MIT */
/* ouro-stress: threads that make, link, hand over and drop objects at random, for a bounded time.
 *
 * Two kinds of nodes. A *dag* node links only to nodes with a smaller serial, whoever made them, so
 * there is no cycle that spans threads. A *ring* node links only to ring nodes of its own maker, in
 * cycles at will; others may hold and drop it. Slots are read and written by the maker alone;
 * references travel through mailboxes. Threads park, end and are started again. When all is dropped
 * and collected, every birth must have met its one death. The kind `graphs` is graphs.c.
 *
 * The seed decides every thread's choices; how threads interleave, it does not. */
#include "stress.h"

#include <argp.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 3
#define HELD  64
#define BOXES 32

struct node {
    struct node *slot[SLOTS];
    uint64_t serial;
    uint32_t alive;
};

size_t births, deaths;
static uint64_t serials;
static int stop_now;

static void node_destroy(void *value, const struct ouro_type *type)
{
    count_death(&((struct node *)value)->alive);
    ouro_lifted_destroy(value, type);
}

static struct ouro_type dag_type, ring_type;
static const struct ouro_field dag_fields[] = {
    OURO_REF(struct node, slot[0], &dag_type),
    OURO_REF(struct node, slot[1], &dag_type),
    OURO_REF(struct node, slot[2], &dag_type),
};
static const struct ouro_field ring_fields[] = {
    OURO_REF(struct node, slot[0], &ring_type),
    OURO_REF(struct node, slot[1], &ring_type),
    OURO_REF(struct node, slot[2], &ring_type),
};
static struct ouro_type dag_type = {.name = "dag",
                                    .size = sizeof(struct node),
                                    .align = 8,
                                    .fields = dag_fields,
                                    .field_count = SLOTS,
                                    .hooks = {.destroy = node_destroy}};
static struct ouro_type ring_type = {.name = "ring",
                                     .size = sizeof(struct node),
                                     .align = 8,
                                     .fields = ring_fields,
                                     .field_count = SLOTS,
                                     .hooks = {.destroy = node_destroy}};

/* A place where a reference, or a weak handle, waits for whoever takes it. */
static struct box {
    pthread_mutex_t lock;
    struct node *node;
    struct ouro_weak *weak;
} boxes[BOXES];

struct worker {
    pthread_t thread;
    uint64_t random;
    struct node *mine[HELD]; /* made by this thread: it may use their slots */
    struct node *held[HELD]; /* anybody's */
    uint64_t steps, limit;
};

static uint64_t draw(struct worker *w, uint64_t n)
{
    return draw_from(&w->random, n);
}

static struct node *make(struct worker *w)
{
    bool ring = draw(w, 2) != 0;
    bool atomic = draw(w, 4) == 0;
    struct ouro_type *type = ring ? &ring_type : &dag_type;
    struct node *n = atomic ? ouro_new_atomic(type, sizeof *n) : ouro_new_biased(type, sizeof *n);
    if (!n)
        abort();
    n->serial = __atomic_fetch_add(&serials, 1, __ATOMIC_RELAXED);
    n->alive = ALIVE;
    count_birth();
    return n;
}

static bool same_ring(const struct node *a, const struct node *b)
{
    return ouro_type_of(a) == &ring_type && ouro_type_of(b) == &ring_type;
}

static void link_nodes(struct worker *w)
{
    struct node *from = w->mine[draw(w, HELD)];
    bool own = draw(w, 2) != 0;
    struct node *to = own ? w->mine[draw(w, HELD)] : w->held[draw(w, HELD)];
    if (!from || !to)
        return;
    bool dag = ouro_type_of(from) == &dag_type && ouro_type_of(to) == &dag_type &&
               to->serial < from->serial;
    if (!dag && !(own && same_ring(from, to)))
        return;
    ouro_slot_copy(from, (void **)&from->slot[draw(w, SLOTS)], to);
}

static void unlink_node(struct worker *w)
{
    struct node *from = w->mine[draw(w, HELD)];
    if (from)
        ouro_decref_biased(ouro_slot_move(from, (void **)&from->slot[draw(w, SLOTS)]));
}

static void swap_with_box(struct worker *w)
{
    struct box *box = &boxes[draw(w, BOXES)];
    struct node **place = &w->held[draw(w, HELD)];
    pthread_mutex_lock(&box->lock);
    struct node *n = box->node;
    box->node = *place;
    *place = n;
    pthread_mutex_unlock(&box->lock);
}

static void lend(struct worker *w)
{
    struct node *n = w->mine[draw(w, HELD)];
    struct node **place = &w->held[draw(w, HELD)];
    if (!n)
        return;
    ouro_incref_biased(n);
    ouro_decref_biased(*place);
    *place = n;
}

static void weak_step(struct worker *w)
{
    struct box *box = &boxes[draw(w, BOXES)];
    struct node **place = &w->held[draw(w, HELD)];
    struct ouro_weak *fresh = *place && draw(w, 2) ? ouro_weak_new(*place) : NULL;
    pthread_mutex_lock(&box->lock);
    struct ouro_weak *weak = box->weak;
    if (fresh)
        box->weak = fresh;
    else
        ouro_weak_incref(weak);
    pthread_mutex_unlock(&box->lock);
    if (!fresh) {
        struct node *n = ouro_weak_upgrade(weak);
        if (n)
            must_live(&n->alive);
        ouro_decref_biased(*place);
        *place = n;
    }
    ouro_weak_decref(weak);
}

static void step(struct worker *w)
{
    struct node **place;
    switch (draw(w, 16)) {
    case 0:
    case 1:
    case 2:
        place = &w->mine[draw(w, HELD)];
        ouro_decref_biased(*place);
        *place = make(w);
        break;
    case 3:
    case 4:
    case 5:
    case 6:
        link_nodes(w);
        break;
    case 7:
        unlink_node(w);
        break;
    case 8:
    case 9:
        lend(w);
        break;
    case 10:
    case 11:
        swap_with_box(w);
        break;
    case 12:
        place = &w->held[draw(w, HELD)];
        ouro_decref_biased(*place);
        *place = NULL;
        break;
    case 13:
        weak_step(w);
        break;
    case 14:
        if (draw(w, 64) == 0)
            ouro_collect(NULL);
        break;
    default:
        if (draw(w, 64) == 0) {
            ouro_park();
            sched_yield();
            ouro_unpark();
        }
    }
}

static void *work(void *arg)
{
    struct worker *w = arg;
    for (; w->steps < w->limit && !__atomic_load_n(&stop_now, __ATOMIC_RELAXED); w->steps++)
        step(w);
    for (int i = 0; i < HELD; i++) {
        ouro_decref_biased(w->mine[i]);
        ouro_decref_biased(w->held[i]);
        w->mine[i] = w->held[i] = NULL;
    }
    return NULL;
}

/* -- the run ----------------------------------------------------------------------------------- */

static struct settings {
    uint64_t seed;
    unsigned threads, seconds;
    uint64_t rounds;
    bool graphs;
} settings = {1, 3, 5, 0, false};

/* The whole of `text` as a number from `least` to `most`, or the end with a message. */
static uint64_t number(const char *text, const char *name, uint64_t least, uint64_t most,
                       struct argp_state *state)
{
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 0);
    if (end == text || *end || strchr(text, '-') || errno || n < least || n > most)
        argp_error(state, "--%s takes %llu to %llu, not '%s'", name, (unsigned long long)least,
                   (unsigned long long)most, text);
    return n;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    switch (key) {
    case 's':
        settings.seed = number(arg, "seed", 0, UINT64_MAX, state);
        return 0;
    case 't':
        settings.threads = (unsigned)number(arg, "threads", 1, THREADS_MOST, state);
        return 0;
    case 'd':
        settings.seconds = (unsigned)number(arg, "seconds", 1, 3600, state);
        return 0;
    case 'r':
        settings.rounds = number(arg, "rounds", 1, UINT64_MAX, state);
        return 0;
    case 'k':
        settings.graphs = strcmp(arg, "graphs") == 0;
        if (!settings.graphs && strcmp(arg, "counts") != 0)
            argp_error(state, "--kind takes counts or graphs, not '%s'", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void empty_boxes(void)
{
    for (int i = 0; i < BOXES; i++) {
        ouro_decref_biased(boxes[i].node);
        ouro_weak_decref(boxes[i].weak);
        boxes[i].node = NULL;
        boxes[i].weak = NULL;
    }
}

/* Collects what the threads left. Cycles of atomic objects are collected by a thread that is alone,
 * and a joined thread may be counted for a while yet: the system tells of its end before it takes
 * it off. */
static bool all_died(void)
{
    for (int tries = 0; births != deaths && tries < 1000; tries++) {
        if (tries > 0)
            usleep(1000);
        ouro_poll();
        ouro_collect(NULL);
        ouro_poll();
        ouro_collect(NULL);
    }
    return births == deaths;
}

/* One round: threads work, end, and all is dropped. Returns whether nothing is left. */
static bool run_round(uint64_t round)
{
    static struct worker workers[THREADS_MOST];
    if (settings.graphs) {
        run_graphs(settings.seed, round, settings.threads);
        return all_died();
    }
    for (unsigned i = 0; i < settings.threads; i++) {
        workers[i] = (struct worker){.random = random_of(settings.seed, round, i), .limit = 20000};
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            abort();
    }
    for (unsigned i = 0; i < settings.threads; i++)
        pthread_join(workers[i].thread, NULL);
    empty_boxes();
    return all_died();
}

int main(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"seed", 's', "N", 0, "decides every thread's choices (default 1)", 0},
        {"threads", 't', "N", 0, "threads a round (default 3)", 0},
        {"seconds", 'd', "N", 0, "how long to go on starting rounds (default 5)", 0},
        {"kind", 'k', "KIND", 0,
         "counts (default), or graphs: isolated ones, through channels and locks", 0},
        {"rounds", 'r', "N", 0, "exactly so many rounds instead", 0},
        {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Threads that make, link, hand over and drop objects at random; every birth must "
               "meet its one death.",
    };
    argp_err_exit_status = 2;
    argp_parse(&argp, argc, argv, 0, NULL, NULL);
    if (settings.graphs && !graphs_exist()) {
        fprintf(stderr, "ouro-stress: the kind graphs is left out: the library has no channels, "
                        "which need Concurrency Kit (package libck-dev)\n");
        return 2;
    }
    printf("ouro-stress --kind %s --seed %llu --threads %u\n",
           settings.graphs ? "graphs" : "counts", (unsigned long long)settings.seed,
           settings.threads);
    for (int i = 0; i < BOXES; i++)
        pthread_mutex_init(&boxes[i].lock, NULL);
    time_t end = time(NULL) + settings.seconds;
    uint64_t round = 0;
    for (; settings.rounds ? round < settings.rounds : time(NULL) < end; round++) {
        if (!run_round(round)) {
            printf("round %llu: %llu born, %llu dead\n", (unsigned long long)round,
                   (unsigned long long)births, (unsigned long long)deaths);
            ouro_report_leaks();
            return 1;
        }
    }
    printf("%llu rounds, %llu objects, each destroyed once\n", (unsigned long long)round,
           (unsigned long long)births);
    return 0;
}
