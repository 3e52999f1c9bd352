/* SPDX-License-Identifier: MIT */
/* Fibers that resume on another OS thread, and count, store, give birth and allocate with the
 * context of the thread they are on: everything dies once, nothing is lost. No thread takes a fiber
 * that it ran last, so each resumes on another one each time. */
#include "orc_kit.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <ucontext.h>

enum { FIBERS = 16, THREADS = 3, STEPS = 400, STACK = 64 * 1024 };

struct fiber {
    ucontext_t here, scheduler;
    uint64_t seed;
    pthread_t last;
    unsigned moves; /* how often it was resumed, each time elsewhere than it was suspended */
    bool done;
    char *stack;
};
static struct fiber fibers[FIBERS];

/* The fibers that wait to be run. */
static struct {
    pthread_mutex_t lock;
    struct fiber *ring[FIBERS];
    unsigned head, tail;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER};
static ouro_word ended;

static void enqueue(struct fiber *fiber)
{
    pthread_mutex_lock(&queue.lock);
    queue.ring[queue.tail++ % FIBERS] = fiber;
    pthread_mutex_unlock(&queue.lock);
}
static struct fiber *dequeue(void)
{
    pthread_mutex_lock(&queue.lock);
    struct fiber *fiber = NULL;
    for (unsigned n = queue.tail - queue.head; n > 0 && !fiber; n--) {
        fiber = queue.ring[queue.head++ % FIBERS];
        if (pthread_equal(fiber->last, pthread_self())) {
            queue.ring[queue.tail++ % FIBERS] = fiber;
            fiber = NULL;
        }
    }
    pthread_mutex_unlock(&queue.lock);
    return fiber;
}

/* Objects that all fibers reach. */
static struct node *common[4];

/* Gives up the thread; another may go on with it. The compiler must not know what happens here. */
OURO_NOINLINE static void suspend(struct fiber *fiber)
{
    swapcontext(&fiber->here, &fiber->scheduler);
}

/* One fiber: after each suspension the context is asked for anew. */
static void live(unsigned index)
{
    struct fiber *fiber = &fibers[index];
    struct ouro_context *in = ouro_context_here();
    struct node *mine = ouro_new_in(in, &node_type, sizeof *mine);
    struct leaf *leaf = ouro_new_in(in, &leaf_type, sizeof *leaf);
    void *block = ouro_alloc_sized_in(in, 40);
    KIT_CHECK(mine && leaf && block);
    memset(block, (int)index, 40);
    for (int i = 0; i < STEPS; i++) {
        struct node *other = common[kit_random(&fiber->seed) % 4];
        ouro_incref_in(in, mine);
        ouro_incref_in(in, other);
        ouro_incref_in(in, leaf);
        suspend(fiber);
        in = ouro_context_here();
        ouro_slot_store_in(in, mine, (void **)&mine->a, other); /* its reference moves in */
        struct node *fresh = ouro_new_in(in, &node_type, sizeof *fresh);
        KIT_CHECK(fresh && fresh->a == NULL);
        ouro_slot_store_in(in, mine, (void **)&mine->b, fresh);
        suspend(fiber);
        in = ouro_context_here();
        ouro_decref_in(in, mine);
        ouro_decref_acyclic_in(in, leaf);
        fresh = ouro_slot_move_in(in, mine, (void **)&mine->b);
        ouro_reuse token = ouro_take_reuse_in(in, fresh, &node_type);
        if (token.cell == NULL) /* another thread's, or the checked library */
            ouro_decref_in(in, fresh);
        fresh = ouro_new_reuse_in(in, token, &node_type, sizeof *fresh);
        KIT_CHECK(fresh != NULL);
        fresh->a = fresh->b = NULL;
        ouro_slot_store_in(in, mine, (void **)&mine->b, fresh);
        KIT_CHECK(*(unsigned char *)block == (unsigned char)index);
        ouro_free_sized_in(in, block, 40);
        block = ouro_alloc_sized_in(in, 40);
        KIT_CHECK(block != NULL);
        memset(block, (int)index, 40);
        if (i % 64 == 0) {
            ouro_decref_acyclic_in(in, leaf);
            leaf = ouro_new_in(in, &leaf_type, sizeof *leaf);
            ouro_decref_in(in, mine);
            mine = ouro_new_in(in, &node_type, sizeof *mine);
            KIT_CHECK(mine && leaf);
        }
    }
    ouro_decref_in(in, mine);
    ouro_decref_acyclic_in(in, leaf);
    ouro_free_sized_in(in, block, 40);
    fiber->done = true;
    suspend(fiber);
}

static void *run(void *arg)
{
    while (ouro__load_acquire(&ended) < FIBERS) {
        struct fiber *fiber = dequeue();
        if (!fiber) {
            sched_yield();
            ouro_poll();
            continue;
        }
        fiber->moves++;
        fiber->last = pthread_self();
        swapcontext(&fiber->scheduler, &fiber->here);
        if (fiber->done)
            ouro__fetch_add_full(&ended, 1);
        else
            enqueue(fiber);
    }
    return arg;
}

static void fibers_count_on_whatever_thread_they_are(void **state)
{
    (void)state;
    uint64_t seed = kit_seed(1);
    size_t leaves = FIBERS * (1 + (STEPS + 63) / 64);
    for (int i = 0; i < 4; i++)
        common[i] = node_new(i);
    for (unsigned i = 0; i < FIBERS; i++) {
        struct fiber *fiber = &fibers[i];
        fiber->stack = malloc(STACK);
        fiber->seed = kit_random(&seed);
        fiber->last = pthread_self();
        KIT_CHECK(fiber->stack && getcontext(&fiber->here) == 0);
        fiber->here.uc_stack.ss_sp = fiber->stack;
        fiber->here.uc_stack.ss_size = STACK;
        makecontext(&fiber->here, (void (*)(void))live, 1, i);
        enqueue(fiber);
    }
    pthread_t threads[THREADS - 1];
    for (int i = 0; i < THREADS - 1; i++)
        KIT_CHECK(pthread_create(&threads[i], NULL, run, NULL) == 0);
    run(NULL);
    for (int i = 0; i < THREADS - 1; i++)
        pthread_join(threads[i], NULL);
    unsigned moves = 0;
    for (unsigned i = 0; i < FIBERS; i++) {
        moves += fibers[i].moves;
        free(fibers[i].stack);
    }
    assert_int_equal(moves, FIBERS * (2 * STEPS + 1));
    ouro_poll();
    for (int i = 0; i < 4; i++)
        ouro_decref(common[i]);
    kit_alone();
    ouro_collect(NULL);
    ouro_poll();
    assert_int_equal(kit_destroyed, leaves);
}

static struct ouro_context *context_of_another;
static void remember_context(void *arg)
{
    (void)arg;
    context_of_another = ouro_context_here();
    KIT_CHECK(context_of_another == ouro_context_here());
}

static void each_thread_has_a_context_of_its_own(void **state)
{
    (void)state;
    struct ouro_context *in = ouro_context_here();
    assert_non_null(in);
    assert_ptr_equal(in, ouro_context_here());
    struct kit_other *other = kit_other_start();
    kit_other_do(other, remember_context, NULL);
    assert_ptr_not_equal(in, context_of_another);
    kit_other_end(other);
}

/* -- values on fibers -------------------------------------------------------------------------- */

struct token {
    uint64_t number;
};
static unsigned destroyed_whole;
static void token_destroy(void *value, const struct ouro_type *type)
{
    (void)type;
    destroyed_whole += ((struct token *)value)->number == 42;
}
static struct ouro_type token_type = {
    .size = sizeof(struct token), .name = "token", .hooks = {.destroy = token_destroy}};

static ucontext_t on_fiber, on_thread;

static void own_a_token(unsigned ends)
{
    struct token token = {42};
    KIT_CHECK(ouro_frame_own_value(&token, &token_type) == OURO_OK);
    if (ends)
        pthread_exit(NULL);
    swapcontext(&on_fiber, &on_thread);
}

static void *end_beside_a_fiber(void *stack)
{
    for (unsigned ends = 0; ends < 2; ends++) {
        KIT_CHECK(getcontext(&on_fiber) == 0);
        on_fiber.uc_stack.ss_sp = (char *)stack + ends * STACK;
        on_fiber.uc_stack.ss_size = STACK;
        makecontext(&on_fiber, (void (*)(void))own_a_token, 1, ends);
        swapcontext(&on_thread, &on_fiber);
    }
    return NULL;
}

/* Of one that is suspended, and of the one that the thread ended on. */
static void values_on_fibers_are_destroyed_as_their_thread_ends(void **state)
{
    (void)state;
    char *stacks = malloc(2 * STACK);
    pthread_t thread;
    KIT_CHECK(stacks && pthread_create(&thread, NULL, end_beside_a_fiber, stacks) == 0);
    pthread_join(thread, NULL);
    assert_int_equal(destroyed_whole, 2);
    free(stacks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(each_thread_has_a_context_of_its_own),
        kit_test(fibers_count_on_whatever_thread_they_are),
        kit_test(values_on_fibers_are_destroyed_as_their_thread_ends),
    };
    return kit_run(tests);
}
