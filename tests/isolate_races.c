/* SPDX-License-Identifier: MIT */
/* White-box: includes orc_kit.h. Graphs change threads while both sides count and collect, and
 * while who still has a reference to them uses it. */
#include "orc_kit.h"

#include "alloc/valgrind.h"

#include <pthread.h>
#include <sched.h>

/* -- to and fro -------------------------------------------------------------------------------- */

enum { SIZE = 40 };

/* One place; NULL: it is empty. */
struct post {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct ouro_isolated *graph;
};
#define POST                                                                                       \
    {                                                                                              \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL                                  \
    }

/* Puts a graph where there is none, or takes what is there (NULL). */
static struct ouro_isolated *swap(struct post *post, struct ouro_isolated *graph)
{
    pthread_mutex_lock(&post->lock);
    while ((post->graph != NULL) == (graph != NULL))
        pthread_cond_wait(&post->changed, &post->lock);
    struct ouro_isolated *was = post->graph;
    post->graph = graph;
    pthread_cond_signal(&post->changed);
    pthread_mutex_unlock(&post->lock);
    return was;
}

static struct node *chain(size_t n)
{
    struct node *root = NULL;
    while (n-- > 0) {
        struct node *next = root;
        root = node_new((int64_t)n);
        root->a = next;
    }
    return root;
}

/* Edges are moved, dropped and added by the thread whose graph it is. */
static void change(struct node *root, uint64_t *seed)
{
    struct node *all[SIZE];
    size_t n = 0;
    for (struct node *at = root; at; at = at->a)
        all[n++] = at;
    KIT_CHECK(n == SIZE);
    for (int i = 0; i < 10; i++) {
        struct node *from = all[kit_random(seed) % n], *to = all[kit_random(seed) % n];
        ouro_slot_copy(from, (void **)&from->b, kit_random(seed) % 4 ? to : NULL);
    }
}

struct side {
    struct post *in, *out;
    uint64_t seed;
    size_t rounds, refused;
};

static void *play(void *arg)
{
    struct side *side = arg;
    for (size_t i = 0; i < side->rounds; i++) {
        struct node *root = ouro_extract(swap(side->in, NULL));
        change(root, &side->seed);
        struct node *kept = NULL;
        if (kit_random(&side->seed) % 4 == 0) {
            kept = root->a->a;
            ouro_incref(kept);
        }
        if (kit_random(&side->seed) % 8 == 0)
            (void)kit_garbage_ring(5);
        if (kit_random(&side->seed) % 8 == 0)
            ouro_collect(NULL);
        struct ouro_isolated *handle;
        ouro_status status = ouro_isolate(root, &handle, NULL);
        if (kept) {
            KIT_CHECK(status == OURO_NOT_ISOLATED);
            ouro_decref(kept);
            side->refused++;
            status = ouro_isolate(root, &handle, NULL);
        }
        KIT_CHECK(status == OURO_OK && ouro_isolated_objects(handle) == SIZE);
        swap(side->out, handle);
    }
    ouro_collect(NULL);
    return NULL;
}

static void graphs_go_to_and_fro_while_both_sides_collect(void **state)
{
    (void)state;
    struct post there = POST, back = POST;
    size_t rounds = kit_scaled(40000);
    uint64_t seed = kit_seed(1);
    struct side a = {&back, &there, seed, rounds, 0}, b = {&there, &back, seed + 1, rounds, 0};
    struct ouro_isolated *handle;
    pthread_t thread;
    assert_int_equal(ouro_isolate(chain(SIZE), &handle, NULL), OURO_OK);
    swap(&there, handle);
    assert_int_equal(pthread_create(&thread, NULL, play, &b), 0);
    play(&a);
    assert_int_equal(pthread_join(thread, NULL), 0);
    ouro_isolated_drop(swap(&there, NULL));
    ouro_collect(NULL);
    assert_true(a.refused > 0 && b.refused > 0);
}

/* -- who is inside ----------------------------------------------------------------------------- */

/* How far some of them reach. */
enum { BACK = 700 };

/* Walks along a ring with one reference, two for a moment, until it is told to let go. */
struct walker {
    struct node *at;
    ouro_word stop, has;
};

static void *walk(void *arg)
{
    struct walker *w = arg;
    while (!ouro__load_acquire(&w->stop)) {
        struct node *next = w->at->a;
        ouro_incref(next);
        ouro_decref(w->at);
        w->at = next;
    }
    ouro__store(&w->has, 0);
    ouro_decref(w->at);
    return NULL;
}

/* The same, of objects that all count atomically, by inlined counts. */
static void *walk_atomic(void *arg)
{
    struct walker *w = arg;
    while (!ouro__load_acquire(&w->stop)) {
        struct node *next = w->at->b ? w->at->b : w->at->a;
        ouro_incref_atomic(next);
        ouro_decref_atomic(w->at);
        w->at = next;
    }
    ouro__store(&w->has, 0);
    ouro_decref_atomic(w->at);
    return NULL;
}

static struct node *atomic_ring(size_t size)
{
    struct node *first = NULL, *last = NULL;
    for (size_t i = 0; i < size; i++) {
        struct node *fresh = ouro_new_atomic(&node_type, sizeof *fresh);
        KIT_CHECK(fresh != NULL);
        fresh->a = first;
        first = fresh;
        last = last ? last : fresh;
    }
    last->a = first;
    return first;
}

/* The same by b, which leads far back: from where the owner looks later to where it has been. */
static void *walk_back(void *arg)
{
    struct walker *w = arg;
    while (!ouro__load_acquire(&w->stop)) {
        struct node *before = w->at->b;
        ouro_incref(before);
        ouro_decref(w->at);
        w->at = before;
    }
    ouro__store(&w->has, 0);
    ouro_decref(w->at);
    return NULL;
}

/* Counts nothing, but moves a reference from a slot to one of an object further on, and back. */
static void *move(void *arg)
{
    struct walker *w = arg;
    struct node *at = w->at, *far = at;
    for (int i = 0; i < BACK; i++)
        far = far->a;
    ouro__tool_words(&at->b, sizeof at->b); /* stored into while the owner reads them */
    ouro__tool_words(&far->b, sizeof far->b);
    ouro_slot_copy(at, (void **)&at->b, at);
    while (!ouro__load_acquire(&w->stop)) {
        ouro_slot_store(far, (void **)&far->b, ouro_slot_move(at, (void **)&at->b));
        ouro_slot_store(at, (void **)&at->b, ouro_slot_move(far, (void **)&far->b));
    }
    ouro__store(&w->has, 0);
    ouro_decref(at);
    return NULL;
}

/* b of each object: the one so many before it. */
static void lead_back(struct node *root, size_t size)
{
    struct node *from = root;
    for (size_t i = 0; i < BACK % size; i++)
        from = from->a;
    for (size_t i = 0; i < size; i++, root = root->a, from = from->a)
        ouro_slot_copy(from, (void **)&from->b, root);
}

/* Until `tries` were refused; then the other thread lets go, and one is not. */
static void refused_beside(void *(*other)(void *), size_t size, size_t tries)
{
    struct node *root = other == walk_atomic ? atomic_ring(size) : kit_ring(size);
    ouro_incref(root);
    if (other == walk_back || other == walk_atomic)
        lead_back(root, size);
    struct walker w = {.at = root, .has = 1};
    for (size_t i = 0; i < size / 2; i++)
        w.at = w.at->a;
    ouro_incref(w.at);
    pthread_t thread;
    ouro__tool_words(&w.stop, 2 * sizeof w.stop); /* they are synchronisation themselves */
    assert_int_equal(pthread_create(&thread, NULL, other, &w), 0);
    size_t refused = 0;
    for (size_t i = 0;; i++) {
        struct ouro_isolated *handle;
        ouro_status status = ouro_isolate(root, &handle, NULL);
        if (status == OURO_OK) {
            KIT_CHECK(!ouro__load(&w.has));
            ouro_isolated_drop(handle);
            break;
        }
        KIT_CHECK(status == OURO_NOT_ISOLATED || status == OURO_BUSY);
        refused++;
        if (i == tries)
            ouro__store_release(&w.stop, 1);
        if (i > tries) {
            sched_yield();
            ouro_collect(NULL); /* the other, when it ended, left candidates to whoever is alone */
        }
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(refused >= tries);
    ouro_collect(NULL);
}

static void a_graph_is_not_isolated_while_another_thread_walks_in_it(void **state)
{
    (void)state;
    refused_beside(walk, 30, kit_scaled(200000));
}

/* So large that the notes of others are asked for, and not each object a second time. */
static void a_large_graph_is_not_isolated_while_another_thread_walks_in_it(void **state)
{
    (void)state;
    if (ouro__on_valgrind())
        skip(); /* its threads take turns as it likes: it would be minutes */
    refused_beside(walk, 2000, kit_scaled(4000));
    refused_beside(walk_back, 2000, kit_scaled(4000));
}

static void a_graph_that_counts_atomically_is_not_isolated_beside_a_walker(void **state)
{
    (void)state;
    if (ouro__on_valgrind())
        skip(); /* its threads take turns as it likes: it would be minutes */
    refused_beside(walk_atomic, 900, kit_scaled(4000));
    refused_beside(walk_atomic, 2000, kit_scaled(1000));
}

static void a_graph_in_which_another_thread_moves_references_is_not_isolated(void **state)
{
    (void)state;
    if (ouro__on_valgrind())
        skip(); /* its threads take turns as it likes: it would be minutes */
    refused_beside(move, 900, kit_scaled(2000));
    refused_beside(move, 2000, kit_scaled(2000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(graphs_go_to_and_fro_while_both_sides_collect),
        kit_test(a_graph_is_not_isolated_while_another_thread_walks_in_it),
        kit_test(a_large_graph_is_not_isolated_while_another_thread_walks_in_it),
        kit_test(a_graph_that_counts_atomically_is_not_isolated_beside_a_walker),
        kit_test(a_graph_in_which_another_thread_moves_references_is_not_isolated),
    };
    return kit_run(tests);
}
