/* SPDX-License-Identifier: MIT */
/* White-box: includes channel_kit.h, and looks into channels to know who waits. Channels between
 * threads. */
#include "channel_kit.h"
#include "start_kit.h"

#include "isolate/channel_state.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

/* How many have a seat in the list of who waits for what is done at that end. */
static size_t seated(struct ouro_channel *channel, ouro_channel_end end)
{
    size_t n = 0;
    ouro__short_lock(&channel->ends[end].lock);
    for (struct ouro__seat *seat = channel->ends[end].waiting.first; seat; seat = seat->next)
        n++;
    ouro__short_unlock(&channel->ends[end].lock);
    return n;
}

static void until_seated(struct ouro_channel *channel, ouro_channel_end end, size_t n)
{
    while (seated(channel, end) != n)
        sched_yield();
}

/* -- streams ----------------------------------------------------------------------------------- */

struct stream {
    struct ouro_channel *channel;
    size_t count;
    ouro_word asked; /* receives that have begun */
};

static void *produce_in_order(void *arg)
{
    struct stream *s = arg;
    for (size_t i = 0; i < s->count; i++) {
        KIT_CHECK(ouro_channel_send(s->channel, graph_new((int64_t)i)) == OURO_OK);
        /* What is not in the channel was asked for. */
        KIT_CHECK(i + 1 <= ouro__load_acquire(&s->asked) + ouro_channel_capacity(s->channel));
    }
    return NULL;
}

static void a_producer_that_outruns_the_consumer_waits(void **state)
{
    (void)state;
    for (size_t capacity = 1; capacity <= 16; capacity *= 4) {
        struct stream s = {channel_new(capacity), kit_scaled(20000), 0};
        ouro__tool_words(&s.asked, sizeof s.asked);
        pthread_t producer = start(produce_in_order, &s);
        for (size_t i = 0; i < s.count; i++) {
            ouro__fetch_add_full(&s.asked, 1);
            KIT_CHECK(receive_id(s.channel) == (int64_t)i); /* in order */
            if (i % 512 == 0)
                sched_yield();
        }
        end_of(producer);
        ouro_channel_drop(s.channel);
    }
}

enum { PRODUCERS = 4, CONSUMERS = 4 };
struct crowd {
    struct ouro_channel *channels[2];
    size_t each; /* graphs of a producer */
    ouro_word producer;
    unsigned char *arrived;
};

/* By each of the forms in turn. */
static ouro_status send_somehow(struct crowd *c, struct ouro_isolated *graph, size_t i)
{
    struct ouro_channel *channel = c->channels[i & 1];
    struct ouro_channel_case cases[2] = {{.channel = c->channels[0], .graph = graph, .send = true},
                                         {.channel = c->channels[1], .graph = graph, .send = true}};
    ouro_status status = OURO_WOULD_BLOCK;
    size_t chosen;
    switch (i % 4) {
    case 0:
        return ouro_channel_send(channel, graph);
    case 1:
        return ouro_channel_select(cases, 2, OURO_FOREVER, &chosen);
    case 2:
        while (status == OURO_WOULD_BLOCK) {
            status = ouro_channel_try_send(channel, graph);
            if (status == OURO_WOULD_BLOCK)
                sched_yield();
        }
        return status;
    default:
        do
            status = ouro_channel_send_within(channel, graph, (int64_t)(i % 1000));
        while (status == OURO_TIMED_OUT || status == OURO_WOULD_BLOCK);
        return status;
    }
}

static void *produce(void *arg)
{
    struct crowd *c = arg;
    size_t from = ouro__fetch_add_full(&c->producer, 1) * c->each;
    for (size_t i = from; i < from + c->each; i++)
        KIT_CHECK(send_somehow(c, graph_new((int64_t)i), i) == OURO_OK);
    return NULL;
}

/* From both channels, until both are closed and empty. */
static void *consume(void *arg)
{
    struct crowd *c = arg;
    struct ouro_channel_case cases[2] = {{.channel = c->channels[0]}, {.channel = c->channels[1]}};
    uint64_t seed = 1;
    for (;;) {
        size_t chosen;
        bool all = cases[0].channel && cases[1].channel;
        int64_t timeout =
            kit_random(&seed) % 2 ? OURO_FOREVER : (int64_t)(kit_random(&seed) % 5000);
        ouro_status status = ouro_channel_select(cases, 2, timeout, &chosen);
        if (status == OURO_OK) {
            int64_t id = graph_end(cases[chosen].graph);
            KIT_CHECK(__atomic_fetch_add(&c->arrived[id], 1, __ATOMIC_RELAXED) == 0);
        } else if (status == OURO_CLOSED) {
            cases[chosen].channel = NULL;
            if (!all)
                return NULL;
        } else {
            KIT_CHECK(status == OURO_TIMED_OUT || status == OURO_WOULD_BLOCK);
        }
    }
}

static void each_graph_arrives_once(void **state)
{
    (void)state;
    struct crowd c = {.channels = {channel_new(3), channel_new(1)}, .each = kit_scaled(4000)};
    ouro__tool_words(&c.producer, sizeof c.producer);
    size_t all = PRODUCERS * c.each;
    c.arrived = calloc(all, 1);
    ouro__tool_words(c.arrived, all);
    pthread_t producers[PRODUCERS], consumers[CONSUMERS];
    for (int i = 0; i < PRODUCERS; i++)
        producers[i] = start(produce, &c);
    for (int i = 0; i < CONSUMERS; i++)
        consumers[i] = start(consume, &c);
    for (int i = 0; i < PRODUCERS; i++)
        end_of(producers[i]);
    ouro_channel_close(c.channels[0]);
    ouro_channel_close(c.channels[1]);
    for (int i = 0; i < CONSUMERS; i++)
        end_of(consumers[i]);
    for (size_t i = 0; i < all; i++)
        assert_int_equal(c.arrived[i], 1);
    free(c.arrived);
    ouro_channel_drop(c.channels[0]);
    ouro_channel_drop(c.channels[1]);
}

/* -- waits ------------------------------------------------------------------------------------- */

static void *receive_until_closed(void *arg)
{
    struct ouro_isolated *graph;
    ouro_status status;
    intptr_t n = 0;
    while ((status = ouro_channel_receive(arg, &graph)) == OURO_OK) {
        ouro_isolated_drop(graph);
        n++;
    }
    return status == OURO_CLOSED ? (void *)n : (void *)(intptr_t)-1;
}

static void *send_into_the_full(void *arg)
{
    struct ouro_isolated *graph = graph_new(1);
    ouro_status status = ouro_channel_send(arg, graph);
    if (status != OURO_OK)
        ouro_isolated_drop(graph); /* still its own */
    return (void *)(intptr_t)status;
}

static void closing_wakes_all_who_wait(void **state)
{
    (void)state;
    enum { N = 3 };
    struct ouro_channel *empty = channel_new(1), *full = channel_new(1);
    pthread_t receivers[N], senders[N];
    KIT_CHECK(ouro_channel_send(full, graph_new(0)) == OURO_OK);
    for (int i = 0; i < N; i++) {
        receivers[i] = start(receive_until_closed, empty);
        senders[i] = start(send_into_the_full, full);
    }
    until_seated(empty, OURO_CHANNEL_SENDS, N);
    until_seated(full, OURO_CHANNEL_RECEIVES, N);
    ouro_channel_close(empty);
    ouro_channel_close(full);
    for (int i = 0; i < N; i++) {
        assert_int_equal((intptr_t)end_of(receivers[i]), 0);
        assert_int_equal((intptr_t)end_of(senders[i]), OURO_CLOSED);
    }
    assert_int_equal(ouro_channel_count(full), 1);
    ouro_channel_drop(empty);
    ouro_channel_drop(full);
}

static void each_send_wakes_a_receiver_and_each_receive_a_sender(void **state)
{
    (void)state;
    enum { N = 3 };
    struct ouro_channel *channel = channel_new(1);
    pthread_t senders[N];
    KIT_CHECK(ouro_channel_send(channel, graph_new(0)) == OURO_OK);
    for (int i = 0; i < N; i++)
        senders[i] = start(send_into_the_full, channel);
    until_seated(channel, OURO_CHANNEL_RECEIVES, N);
    for (int i = 0; i <= N; i++)
        (void)receive_id(channel);
    for (int i = 0; i < N; i++)
        assert_int_equal((intptr_t)end_of(senders[i]), OURO_OK);
    pthread_t receiver = start(receive_until_closed, channel);
    for (int i = 0; i < N; i++) {
        until_seated(channel, OURO_CHANNEL_SENDS, 1);
        KIT_CHECK(ouro_channel_send(channel, graph_new(i)) == OURO_OK);
    }
    ouro_channel_close(channel);
    assert_int_equal((intptr_t)end_of(receiver), N);
    ouro_channel_drop(channel);
}

/* Both have seen that there is room when the lock is free again: most likely. */
static void two_senders_do_not_take_one_place(void **state)
{
    (void)state;
    struct ouro_channel *channel = channel_new(3);
    for (int i = 0; i < 2; i++)
        KIT_CHECK(ouro_channel_send(channel, graph_new(0)) == OURO_OK);
    ouro__short_lock(&channel->ends[OURO_CHANNEL_SENDS].lock);
    pthread_t senders[2];
    for (int i = 0; i < 2; i++)
        senders[i] = start(send_into_the_full, channel);
    usleep(20000);
    ouro__short_unlock(&channel->ends[OURO_CHANNEL_SENDS].lock);
    until_seated(channel, OURO_CHANNEL_RECEIVES, 1);
    assert_int_equal(ouro_channel_count(channel), 3);
    for (int i = 0; i < 4; i++)
        (void)receive_id(channel);
    for (int i = 0; i < 2; i++)
        assert_int_equal((intptr_t)end_of(senders[i]), OURO_OK);
    ouro_channel_drop(channel);
}

static void *select_b_then_a(void *arg)
{
    struct ouro_channel **two = arg;
    struct ouro_channel_case cases[] = {{.channel = two[1]}, {.channel = two[0]}};
    size_t chosen = 2;
    ouro_status status = ouro_channel_select(cases, 2, OURO_FOREVER, &chosen);
    KIT_CHECK(status == OURO_OK);
    ouro_isolated_drop(cases[chosen].graph);
    return (void *)(intptr_t)chosen;
}

static void *receive_one(void *arg)
{
    return (void *)(intptr_t)receive_id(arg);
}

/* A thread waits for a and b, another for a. The first is woken for a, but finds something in b as
 * well, and a thread's first select begins with its first case: b. */
static void a_wake_up_that_is_not_used_is_passed_on(void **state)
{
    (void)state;
    struct ouro_channel *two[] = {channel_new(1), channel_new(1)};
    pthread_t both = start(select_b_then_a, two);
    until_seated(two[1], OURO_CHANNEL_SENDS, 1);
    until_seated(two[0], OURO_CHANNEL_SENDS, 1);
    pthread_t one = start(receive_one, two[0]);
    until_seated(two[0], OURO_CHANNEL_SENDS, 2);
    struct ouro__end *b = &two[1]->ends[OURO_CHANNEL_SENDS];
    struct ouro_isolated *graph = graph_new(6); /* into b, and nobody is woken */
    ouro__short_lock(&b->lock);
    OURO__TSAN_GIVES(graph);
    ouro__ring_put(two[1]->ring, graph);
    ouro__short_unlock(&b->lock);
    KIT_CHECK(ouro_channel_send(two[0], graph_new(5)) == OURO_OK);
    assert_int_equal((intptr_t)end_of(both), 0);
    assert_int_equal((intptr_t)end_of(one), 5);
    for (int i = 0; i < 2; i++)
        ouro_channel_drop(two[i]);
}

/* Nobody is left in a list of a channel that it does not wait for any more. */
static void a_select_leaves_all_lists(void **state)
{
    (void)state;
    struct ouro_channel *two[] = {channel_new(1), channel_new(1)};
    for (int i = 0; i < 2; i++) {
        pthread_t both = start(select_b_then_a, two);
        until_seated(two[1], OURO_CHANNEL_SENDS, 1);
        until_seated(two[0], OURO_CHANNEL_SENDS, 1);
        KIT_CHECK(ouro_channel_send(two[i], graph_new(0)) == OURO_OK);
        assert_int_equal((intptr_t)end_of(both), 1 - i);
        assert_int_equal(seated(two[0], OURO_CHANNEL_SENDS), 0);
        assert_int_equal(seated(two[1], OURO_CHANNEL_SENDS), 0);
    }
    struct ouro_isolated *graph;
    assert_int_equal(ouro_channel_receive_within(two[0], &graph, 1000), OURO_TIMED_OUT);
    assert_int_equal(seated(two[0], OURO_CHANNEL_SENDS), 0);
    for (int i = 0; i < 2; i++)
        ouro_channel_drop(two[i]);
}

/* -- parked ------------------------------------------------------------------------------------ */

struct lender {
    struct ouro_channel *channel;
    struct hooked *lent;
    ouro_word ready;
};

static void *lend_and_wait(void *arg)
{
    struct lender *l = arg;
    l->lent = hooked_new(1);
    ouro__store_release(&l->ready, 1);
    return receive_until_closed(l->channel);
}

/* The owner waits in a channel; the last reference to what it owns is dropped by another thread. */
static void others_settle_for_a_thread_that_waits(void **state)
{
    (void)state;
    struct lender l = {channel_new(1), NULL, 0};
    ouro__tool_words(&l, sizeof l);
    pthread_t thread = start(lend_and_wait, &l);
    while (!ouro__load_acquire(&l.ready))
        sched_yield();
    until_seated(l.channel, OURO_CHANNEL_SENDS, 1);
    ouro__tool_acquire(l.lent);
    ouro_decref(l.lent);
    assert_int_equal(ouro__load_acquire(&kit_destroyed), 1);
    ouro_channel_close(l.channel);
    end_of(thread);
    ouro_channel_drop(l.channel);
}

/* -- event loops ------------------------------------------------------------------------------- */

static void *poll_and_add_up(void *arg)
{
    struct ouro_channel *channel = arg;
    struct pollfd one = {.events = POLLIN};
    KIT_CHECK(ouro_channel_descriptor(channel, &one.fd) == OURO_OK);
    intptr_t sum = 0;
    for (;;) {
        KIT_CHECK(poll(&one, 1, 20000) == 1);
        struct ouro_isolated *graph;
        ouro_status status = ouro_channel_try_receive(channel, &graph);
        if (status == OURO_CLOSED)
            return (void *)sum;
        if (status == OURO_OK)
            sum += graph_end(graph);
    }
}

static void an_event_loop_is_woken_for_each_graph(void **state)
{
    (void)state;
    struct ouro_channel *channel = channel_new(4);
    pthread_t loop = start(poll_and_add_up, channel);
    intptr_t sum = 0, n = (intptr_t)kit_scaled(5000);
    for (intptr_t i = 0; i < n; i++, sum += i)
        KIT_CHECK(ouro_channel_send(channel, graph_new(i + 1)) == OURO_OK);
    ouro_channel_close(channel);
    assert_int_equal((intptr_t)end_of(loop), sum);
    ouro_channel_drop(channel);
}

/* -- threads that end -------------------------------------------------------------------------- */

static void *receive_one_and_end(void *arg)
{
    KIT_CHECK(ouro_channel_join(arg, OURO_CHANNEL_RECEIVES) == OURO_OK);
    return (void *)(intptr_t)receive_id(arg);
}

static void a_sender_does_not_wait_for_a_consumer_that_has_ended(void **state)
{
    (void)state;
    struct ouro_channel *channel = channel_new(1);
    KIT_CHECK(ouro_channel_send(channel, graph_new(7)) == OURO_OK);
    pthread_t consumer = start(receive_one_and_end, channel);
    assert_int_equal((intptr_t)end_of(consumer), 7);
    pthread_t sender = start(send_into_the_full, channel); /* it is empty, but closed */
    assert_int_equal((intptr_t)end_of(sender), OURO_CLOSED);
    ouro_channel_drop(channel);

    channel =
        channel_new(1); /* the same, the sender waiting already; one that stays does not end it */
    KIT_CHECK(ouro_channel_send(channel, graph_new(0)) == OURO_OK);
    KIT_CHECK(ouro_channel_join(channel, OURO_CHANNEL_RECEIVES) == OURO_OK);
    sender = start(send_into_the_full, channel);
    until_seated(channel, OURO_CHANNEL_RECEIVES, 1);
    consumer = start(receive_one_and_end, channel);
    assert_int_equal((intptr_t)end_of(consumer), 0);
    assert_int_equal((intptr_t)end_of(sender), OURO_OK);
    sender = start(send_into_the_full, channel);
    until_seated(channel, OURO_CHANNEL_RECEIVES, 1);
    ouro_channel_leave(channel, OURO_CHANNEL_RECEIVES);
    assert_int_equal((intptr_t)end_of(sender), OURO_CLOSED);
    ouro_channel_drop(channel);
}

static void drop_graph(void *graph)
{
    ouro_isolated_drop(*(struct ouro_isolated **)graph);
}

static void *receive_and_be_cancelled(void *arg)
{
    struct ouro_isolated *graph = NULL;
    KIT_CHECK(ouro_channel_join(arg, OURO_CHANNEL_RECEIVES) == OURO_OK);
    pthread_cleanup_push(drop_graph, &graph);
    for (;;) {
        KIT_CHECK(ouro_channel_receive(arg, &graph) == OURO_OK);
        pthread_testcancel(); /* the first cancellation point */
    }
    pthread_cleanup_pop(1);
    return NULL;
}

static void a_consumer_that_is_cancelled_in_its_wait_ends_after_it(void **state)
{
    (void)state;
    struct ouro_channel *channel = channel_new(1);
    pthread_t consumer = start(receive_and_be_cancelled, channel);
    until_seated(channel, OURO_CHANNEL_SENDS, 1);
    KIT_CHECK(pthread_cancel(consumer) == 0);
    for (int i = 0; i < 100; i++) {
        KIT_CHECK(seated(channel, OURO_CHANNEL_SENDS) == 1);
        sched_yield();
    }
    KIT_CHECK(ouro_channel_send(channel, graph_new(1)) == OURO_OK);
    assert_ptr_equal(end_of(consumer), PTHREAD_CANCELED);
    assert_int_equal(seated(channel, OURO_CHANNEL_SENDS), 0);
    struct ouro_isolated *graph = graph_new(2);
    assert_int_equal(ouro_channel_send(channel, graph), OURO_CLOSED);
    ouro_isolated_drop(graph);
    ouro_channel_drop(channel);
}

static void *join_one_wait_in_the_other(void *arg)
{
    struct ouro_channel **two = arg;
    KIT_CHECK(ouro_channel_join(two[0], OURO_CHANNEL_SENDS) == OURO_OK);
    return receive_until_closed(two[1]);
}

/* What a thread noted of a channel goes with that. */
static void a_channel_is_dropped_before_who_joined_it_ends(void **state)
{
    (void)state;
    struct ouro_channel *two[] = {channel_new(1), channel_new(1)};
    pthread_t thread = start(join_one_wait_in_the_other, two);
    until_seated(two[1], OURO_CHANNEL_SENDS, 1);
    ouro_channel_drop(two[0]);
    ouro_channel_close(two[1]);
    end_of(thread);
    ouro_channel_drop(two[1]);
}

/* -- misuse and fork --------------------------------------------------------------------------- */

static void drop_while_waiting(void *arg)
{
    (void)arg;
    struct ouro_channel *channel = channel_new(1);
    (void)start(receive_until_closed, channel);
    until_seated(channel, OURO_CHANNEL_SENDS, 1);
    ouro_channel_drop(channel);
}

static void a_channel_that_is_dropped_while_a_thread_waits_is_named(void **state)
{
    (void)state;
    if (OURO_TSAN)
        skip(); /* no threads in a fork's child */
    assert_int_equal(kit_failure_of(drop_while_waiting, NULL), OURO_FAIL_MISUSE);
}

/* In the child: 0 if all is as it must be. */
static int child_of(struct ouro_channel *channel, struct ouro_channel *joined, int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    if (poll(&one, 1, 0) != 0 || seated(channel, OURO_CHANNEL_SENDS) != 0)
        return 1;
    if (ouro_channel_send(channel, graph_new(9)) != OURO_OK)
        return 2;
    if (poll(&one, 1, 0) != 1)
        return 3;
    if (receive_id(channel) != 9 || poll(&one, 1, 0) != 0)
        return 4;
    struct ouro_isolated *graph;
    if (ouro_channel_receive(joined, &graph) != OURO_CLOSED)
        return 5; /* who joined it is not there */
    pthread_t receiver = start(receive_one, channel);
    if (ouro_channel_send(channel, graph_new(8)) != OURO_OK || (intptr_t)end_of(receiver) != 8)
        return 6;
    if (ouro_channel_send(channel, graph_new(7)) != OURO_OK) /* it stays readable, here */
        return 7;
    ouro_channel_drop(channel);
    return 0;
}

static void a_forks_child_has_the_channel_without_who_waited_in_it(void **state)
{
    (void)state;
    if (OURO_TSAN || OURO_EMULATED)
        skip(); /* no threads in a fork's child; no fork beside threads */
    struct ouro_channel *two[] = {channel_new(1), channel_new(1)};
    int fd;
    KIT_CHECK(ouro_channel_descriptor(two[1], &fd) == OURO_OK);
    pthread_t thread = start(join_one_wait_in_the_other, two);
    until_seated(two[1], OURO_CHANNEL_SENDS, 1);
    pid_t child = kit_fork();
    if (child == 0)
        kit_child_ends(child_of(two[1], two[0], fd));
    assert_int_equal(kit_wait(child), 0);
    struct pollfd one = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&one, 1, 0), 0);
    assert_int_equal(seated(two[1], OURO_CHANNEL_SENDS), 1);
    KIT_CHECK(ouro_channel_send(two[1], graph_new(1)) == OURO_OK);
    until_seated(two[1], OURO_CHANNEL_SENDS, 1);
    ouro_channel_close(two[1]);
    assert_int_equal((intptr_t)end_of(thread), 1);
    for (int i = 0; i < 2; i++)
        ouro_channel_drop(two[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(a_producer_that_outruns_the_consumer_waits),
        kit_test(each_graph_arrives_once),
        kit_test(closing_wakes_all_who_wait),
        kit_test(each_send_wakes_a_receiver_and_each_receive_a_sender),
        kit_test(two_senders_do_not_take_one_place),
        kit_test(a_wake_up_that_is_not_used_is_passed_on),
        kit_test(a_select_leaves_all_lists),
        kit_test(others_settle_for_a_thread_that_waits),
        kit_test(an_event_loop_is_woken_for_each_graph),
        kit_test(a_sender_does_not_wait_for_a_consumer_that_has_ended),
        kit_test(a_consumer_that_is_cancelled_in_its_wait_ends_after_it),
        kit_test(a_channel_is_dropped_before_who_joined_it_ends),
        kit_test(a_channel_that_is_dropped_while_a_thread_waits_is_named),
        kit_test(a_forks_child_has_the_channel_without_who_waited_in_it),
    };
    return kit_run(tests);
}
