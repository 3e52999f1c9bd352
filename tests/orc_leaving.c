/* SPDX-License-Identifier: MIT */
/* A handler of failures leaves by longjmp: what failed has changed nothing, no lock is held, and
 * what was under way is not lost. */
#include "orc_kit.h"

#include <setjmp.h>

static volatile int jumped;
static volatile ouro_failure_kind kind;
static jmp_buf back;
static void leave(const struct ouro_failure *failure, void *arg)
{
    (void)arg;
    kind = failure->kind;
    jumped++;
    longjmp(back, 1);
}

static void weak_of(void *object)
{
    ouro_weak_new(object);
}
static void check_heap(void *unused)
{
    (void)unused;
    ouro_check_heap();
}

/* A handler may leave: the failed operation has changed nothing, and no lock is held. */
static void a_handler_may_leave_by_longjmp(void **state)
{
    (void)state;
    struct leaf *l = leaf_new(1), *other = leaf_new(2);
    struct node *holder = node_new(3), *held = node_new(4);
    holder->a = holder->b = held;
    ouro_decref(l);
    void (*const misuses[])(void *) = {ouro_decref, ouro_incref, weak_of, check_heap};
    void *const on[] = {l, l, l, NULL};
    ouro_set_fail_handler(leave, NULL);
    jumped = 0;
    struct ouro_stats before, after;
    for (volatile int round = 0; round < 400; round++) {
        if (round == 40)
            ouro_stats_get(&before);
        if (setjmp(back) == 0)
            misuses[round % 4](on[round % 4]);
    }
    ouro_set_fail_handler(NULL, NULL);
    assert_int_equal(jumped, 400);
    ouro_stats_get(&after);
    assert_int_equal(after.used, before.used); /* of the heap check nothing is left over */
    assert_int_equal(ouro_count(other), 1);
    holder->b = NULL;
    ouro_decref(other);
    ouro_decref(holder);
}

/* What is found in a queue, or in a capture, is reported when the queue is empty, and the
 * collection over: nothing of what else was in it is lost. */
static void drop_twice(void *object)
{
    ouro_decref_biased(object);
    ouro_decref_biased(object);
}
static struct leaf *many[200];
static void drop_many(void *wrong)
{
    for (size_t i = 0; i < OURO_COUNT_OF(many); i++) {
        if (i == OURO_COUNT_OF(many) / 2)
            drop_twice(wrong);
        ouro_decref_biased(many[i]);
    }
}
static void collect(void *unused)
{
    (void)unused;
    ouro_collect(NULL);
}
static void poll(void *unused)
{
    (void)unused;
    ouro_poll();
}

/* Whether the act was reported as an over-release, and left. */
static bool leaves(void (*act)(void *))
{
    jumped = 0;
    ouro_set_fail_handler(leave, NULL);
    if (setjmp(back) == 0)
        act(NULL);
    ouro_set_fail_handler(NULL, NULL);
    return jumped == 1 && kind == OURO_FAIL_OVER_RELEASE;
}

static void a_handler_may_leave_a_collection(void **state)
{
    (void)state;
    if (OURO_TSAN)
        skip(); /* the collector is never alone there */
    /* Three references, one of which is counted; beside it garbage that is none of its. */
    struct node *n = ouro_new_biased(&node_type, sizeof *n);
    struct hooked *ring = ouro_new_biased(&hooked_type, sizeof *ring);
    ouro_slot_copy(ring, (void **)&ring->a, ring);
    ouro_decref_biased(ring);
    n->a = n->b = n;
    ouro_incref_biased(n);
    ouro_decref_biased(n);
    assert_true(leaves(collect));
    assert_int_equal(kit_destroyed, 1);
    assert_int_equal(ouro_count(n), 1);
    n->a = n->b = NULL;
    ouro_decref(n);
    assert_int_equal(ouro_collect(NULL), 0);
}

static void a_handler_may_leave_a_drain(void **state)
{
    (void)state;
    if (!OURO_THREADS)
        skip();
    static struct leaf *volatile kept; /* immortal from then on */
    struct leaf *wrong = kept = ouro_new_biased(&leaf_type, sizeof *wrong);
    for (size_t i = 0; i < OURO_COUNT_OF(many); i++)
        many[i] = ouro_new_biased(&leaf_type, sizeof **many);
    kit_elsewhere(drop_many, wrong);
    assert_true(leaves(poll));
    assert_int_equal(kit_destroyed, OURO_COUNT_OF(many));
    ouro_poll();
    assert_true(ouro__header(kept)->shared & OURO__IMMORTAL);
}

int main(void)
{
    KIT_CHECK(ouro_supply_use(&ouro_supply_mmap) == OURO_OK); /* freed objects are still there */
    const struct CMUnitTest tests[] = {
        kit_test(a_handler_may_leave_a_collection), /* while there was no other thread yet */
        kit_test(a_handler_may_leave_by_longjmp),
        kit_test(a_handler_may_leave_a_drain),
    };
    return kit_run(tests);
}
