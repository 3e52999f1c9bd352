/* SPDX-License-Identifier: MIT */
/* A program that is linked as a whole, without a dynamic loader: counts, weak references, cycles,
 * threads, a fork. Plain, as a user of the static library has it. */
#include "ouro.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(truth)                                                                               \
    do {                                                                                           \
        if (!(truth)) {                                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #truth);                            \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

enum { ROUNDS = 20000, THREADS = 3 };

struct node {
    struct node *next;
};
static unsigned long destroyed;
static void count_it(void *object, const struct ouro_type *type)
{
    __atomic_fetch_add(&destroyed, 1, __ATOMIC_RELAXED);
    ouro_lifted_destroy(object, type);
}
extern struct ouro_type node_type;
static const struct ouro_field fields[] = {OURO_REF(struct node, next, &node_type)};
struct ouro_type node_type = OURO_TYPE(struct node, fields);

static struct node *node_new(void)
{
    struct node *node = OURO_NEW(struct node, &node_type);
    CHECK(node != NULL);
    return node;
}

static void make_a_ring(void)
{
    struct node *a = node_new(), *b = node_new();
    ouro_slot_store(a, (void **)&a->next, b);
    ouro_slot_copy(b, (void **)&b->next, a);
    ouro_decref(a);
}

static void counts_and_cycles(void)
{
    struct node *node = node_new();
    struct ouro_weak *weak = ouro_weak_new(node);
    CHECK(ouro_weak_upgrade(weak) == node && ouro_count(node) == 2);
    ouro_decref(node);
    ouro_decref(node);
    CHECK(ouro_weak_upgrade(weak) == NULL);
    ouro_weak_decref(weak);
    make_a_ring();
    CHECK(ouro_collect(NULL) == 2);
}

static void *count_on_a_shared_one(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        ouro_incref(arg);
        make_a_ring();
        ouro_decref(arg);
    }
    ouro_decref(arg);
    return NULL;
}

static void threads(void)
{
    pthread_t others[THREADS];
    struct node *shared = node_new();
    for (int i = 0; i < THREADS; i++) {
        ouro_incref(shared);
        CHECK(pthread_create(&others[i], NULL, count_on_a_shared_one, shared) == 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(others[i], NULL);
    ouro_poll();
    CHECK(ouro_count(shared) == 1);
    ouro_decref(shared);
}

static void fork_and_go_on(void)
{
    struct node *before = node_new();
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        ouro_decref(before);
        counts_and_cycles();
        threads();
        _exit(0);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ouro_decref(before);
}

int main(void)
{
    node_type.hooks.destroy = count_it;
    counts_and_cycles();
    threads();
    fork_and_go_on();
    ouro_collect(NULL);
    CHECK(destroyed == 3 + 1 + 2ul * THREADS * ROUNDS + 1);
    return 0;
}
