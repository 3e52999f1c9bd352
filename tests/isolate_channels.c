/* SPDX-License-Identifier: MIT */
/* White-box: includes channel_kit.h. Channels on one thread: what they hold, refuse and destroy. */
#include "channel_kit.h"

#include <poll.h>

static void send_id(struct ouro_channel *channel, int64_t id)
{
    KIT_CHECK(ouro_channel_send(channel, graph_new(id)) == OURO_OK);
}

static void graphs_come_in_the_order_in_which_they_were_sent(void **state)
{
    (void)state;
    struct ouro_channel *channel = channel_new(5);
    int64_t sent = 0, received = 0;
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 1 + round % 5; i++)
            send_id(channel, sent++);
        while (received < sent)
            assert_int_equal(receive_id(channel), received++);
    }
    ouro_channel_drop(channel);
}

static void a_full_channel_refuses_and_the_graph_stays_the_senders(void **state)
{
    (void)state;
    for (size_t capacity = 1; capacity <= 9; capacity++) {
        struct ouro_channel *channel = channel_new(capacity);
        assert_int_equal(ouro_channel_capacity(channel), capacity);
        for (size_t i = 0; i < capacity; i++)
            send_id(channel, (int64_t)i);
        struct ouro_isolated *graph = graph_new(7);
        assert_int_equal(ouro_channel_try_send(channel, graph), OURO_WOULD_BLOCK);
        assert_int_equal(ouro_channel_send_within(channel, graph, 0), OURO_WOULD_BLOCK);
        assert_int_equal(ouro_channel_count(channel), capacity);
        assert_int_equal(receive_id(channel), 0);
        assert_int_equal(ouro_channel_try_send(channel, graph), OURO_OK);
        ouro_channel_drop(channel);
    }
}

static void an_empty_channel_gives_nothing(void **state)
{
    (void)state;
    struct ouro_channel *channel = channel_new(3);
    struct ouro_isolated *graph = (struct ouro_isolated *)channel;
    assert_int_equal(ouro_channel_try_receive(channel, &graph), OURO_WOULD_BLOCK);
    assert_null(graph);
    assert_int_equal(ouro_channel_count(channel), 0);
    ouro_channel_drop(channel);
    ouro_channel_drop(NULL);
}

static void a_wait_that_nobody_ends_comes_back(void **state)
{
    (void)state;
    ouro_status status = OURO_THREADS ? OURO_TIMED_OUT : OURO_WOULD_BLOCK;
    struct ouro_channel *channel = channel_new(1);
    struct ouro_isolated *graph;
    assert_int_equal(ouro_channel_receive_within(channel, &graph, 1000000), status);
    if (!OURO_THREADS)
        assert_int_equal(ouro_channel_receive(channel, &graph), OURO_WOULD_BLOCK);
    send_id(channel, 1);
    graph = graph_new(2);
    assert_int_equal(ouro_channel_send_within(channel, graph, 1000000), status);
    if (!OURO_THREADS)
        assert_int_equal(ouro_channel_send(channel, graph), OURO_WOULD_BLOCK);
    struct ouro_channel_case one = {.channel = channel, .graph = graph, .send = true};
    size_t chosen = 5;
    assert_int_equal(ouro_channel_select(&one, 1, 1000000, &chosen), status);
    assert_int_equal(chosen, 1);
    assert_int_equal(graph_end(graph), 2);
    ouro_channel_drop(channel);
}

static void what_is_in_a_closed_channel_can_be_received(void **state)
{
    (void)state;
    struct ouro_channel *channel = channel_new(4);
    send_id(channel, 1);
    send_id(channel, 2);
    ouro_channel_close(channel);
    ouro_channel_close(channel);
    struct ouro_isolated *graph = graph_new(3);
    assert_int_equal(ouro_channel_send(channel, graph), OURO_CLOSED);
    assert_int_equal(ouro_channel_try_send(channel, graph), OURO_CLOSED);
    assert_int_equal(receive_id(channel), 1);
    assert_int_equal(receive_id(channel), 2);
    struct ouro_isolated *none;
    assert_int_equal(ouro_channel_receive(channel, &none), OURO_CLOSED);
    assert_null(none);
    assert_int_equal(ouro_channel_try_receive(channel, &none), OURO_CLOSED);
    assert_int_equal(graph_end(graph), 3); /* it was the caller's */
    ouro_channel_drop(channel);
}

static void a_channel_that_is_dropped_destroys_what_is_in_it(void **state)
{
    (void)state;
    for (int closed = 0; closed < 2; closed++) {
        struct ouro_channel *channel = channel_new(10);
        kit_destroyed = 0;
        for (int i = 0; i < 10; i++)
            send_id(channel, i);
        if (closed)
            ouro_channel_close(channel);
        assert_int_equal(receive_id(channel), 0);
        assert_int_equal(kit_destroyed, 2);
        ouro_channel_drop(channel);
        assert_int_equal(kit_destroyed, 20);
    }
}

static void exhaustion_changes_nothing(void **state)
{
    (void)state;
    ouro_channel_drop(channel_new(1000)); /* what a first one makes is there */
    struct ouro_channel *channel = channel_new(1000);
    ouro_status status;
    for (size_t n = 1;; n++) {
        size_t alive = heapcheck_count(NULL);
        struct ouro_channel *none = channel;
        ouro_fail_nth_alloc(n, true);
        status = ouro_channel_new(1000, &none);
        ouro_fail_nth_alloc(0, false);
        assert_int_equal(heapcheck_count(NULL), alive);
        if (status == OURO_OK) {
            ouro_channel_drop(none);
            assert_true(n > 1);
            break;
        }
        assert_int_equal(status, OURO_NO_MEMORY);
        assert_null(none);
    }
    ouro_fail_nth_alloc(1, true);
    assert_int_equal(ouro_channel_join(channel, OURO_CHANNEL_RECEIVES), OURO_NO_MEMORY);
    ouro_channel_leave(channel, OURO_CHANNEL_RECEIVES); /* it has not joined */
    ouro_fail_nth_alloc(0, false);
    struct ouro_isolated *graph = graph_new(1);
    ouro_fail_nth_alloc(1, true); /* a message needs none */
    assert_int_equal(ouro_channel_send(channel, graph), OURO_OK);
    assert_int_equal(ouro_channel_receive(channel, &graph), OURO_OK);
    ouro_fail_nth_alloc(0, false);
    ouro_isolated_drop(graph);
    ouro_channel_drop(channel);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    struct ouro_channel *channel = channel_new(1), *none = channel;
    struct ouro_isolated *graph = graph_new(1);
    size_t chosen;
    int fd;
    assert_int_equal(ouro_channel_new(1, NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_channel_new(0, &none), OURO_BAD_ARGUMENT);
    assert_null(none);
    assert_int_equal(ouro_channel_new(((size_t)1 << 30) + 1, &none), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_channel_new(SIZE_MAX, &none), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_channel_send(NULL, graph), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_channel_send(channel, NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_channel_receive(channel, NULL), OURO_BAD_ARGUMENT);
    struct ouro_isolated *was = graph;
    assert_int_equal(ouro_channel_receive(NULL, &was), OURO_BAD_ARGUMENT);
    assert_null(was);
    assert_int_equal(ouro_channel_descriptor(NULL, &fd), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_channel_descriptor(channel, NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_channel_join(NULL, OURO_CHANNEL_SENDS), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_channel_join(channel, (ouro_channel_end)2), OURO_BAD_ARGUMENT);
    struct ouro_channel_case cases[2] = {{.channel = NULL}, {.channel = channel, .send = true}};
    assert_int_equal(ouro_channel_select(NULL, 1, 0, &chosen), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_channel_select(cases, 2, 0, NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_channel_select(cases, 0, 0, &chosen), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_channel_select(cases, 1, -1, &chosen), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_channel_select(cases, 2, 0, &chosen), OURO_BAD_ARGUMENT);
    ouro_isolated_drop(graph);
    ouro_channel_drop(channel);
}

static void statuses_of_waits_have_names(void **state)
{
    (void)state;
    assert_string_equal(ouro_status_name(OURO_CLOSED), "closed");
    assert_string_equal(ouro_status_name(OURO_TIMED_OUT), "timed out");
    assert_string_equal(ouro_status_name(OURO_WOULD_BLOCK), "would block");
}

/* -- select ------------------------------------------------------------------------------------ */

static void a_select_does_what_can_be_done(void **state)
{
    (void)state;
    struct ouro_channel *a = channel_new(2), *b = channel_new(1);
    struct ouro_isolated *graph = graph_new(5);
    struct ouro_channel_case cases[] = {
        {.channel = NULL}, {.channel = a}, {.channel = b, .graph = graph, .send = true}};
    size_t chosen;
    assert_int_equal(ouro_channel_select(cases, 3, 0, &chosen), OURO_OK);
    assert_int_equal(chosen, 2);
    assert_null(cases[2].graph);
    cases[2].graph = graph_new(6);
    assert_int_equal(ouro_channel_select(cases, 3, 0, &chosen), OURO_WOULD_BLOCK);
    assert_int_equal(chosen, 3);
    send_id(a, 8);
    assert_int_equal(ouro_channel_select(cases, 3, OURO_FOREVER, &chosen), OURO_OK);
    assert_int_equal(chosen, 1);
    assert_int_equal(graph_end(cases[1].graph), 8);
    assert_int_equal(receive_id(b), 5);
    ouro_channel_close(b);
    assert_int_equal(ouro_channel_select(cases, 3, OURO_FOREVER, &chosen), OURO_CLOSED);
    assert_int_equal(chosen, 2);
    assert_int_equal(graph_end(cases[2].graph), 6);
    ouro_channel_drop(a);
    ouro_channel_drop(b);
}

static void each_case_has_its_turn(void **state)
{
    (void)state;
    enum { CASES = 3, ROUNDS = 30 };
    struct ouro_channel_case cases[CASES] = {0};
    size_t times[CASES] = {0};
    for (size_t i = 0; i < CASES; i++) {
        cases[i].channel = channel_new(ROUNDS);
        for (int k = 0; k < ROUNDS; k++)
            send_id(cases[i].channel, k);
    }
    for (int round = 0; round < ROUNDS; round++) {
        size_t chosen;
        assert_int_equal(ouro_channel_select(cases, CASES, OURO_FOREVER, &chosen), OURO_OK);
        ouro_isolated_drop(cases[chosen].graph);
        times[chosen]++;
    }
    for (size_t i = 0; i < CASES; i++) {
        assert_int_equal(times[i], ROUNDS / CASES);
        ouro_channel_drop(cases[i].channel);
    }
}

/* -- descriptors, ends, runtimes --------------------------------------------------------------- */

static bool readable(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    return poll(&one, 1, 0) == 1 && (one.revents & POLLIN);
}

static void a_descriptor_is_readable_while_something_can_be_received(void **state)
{
    (void)state;
    struct ouro_channel *channel = channel_new(4);
    int fd, again;
    send_id(channel, 1); /* before there is one */
    assert_int_equal(ouro_channel_descriptor(channel, &fd), OURO_OK);
    assert_int_equal(ouro_channel_descriptor(channel, &again), OURO_OK);
    assert_int_equal(fd, again);
    assert_true(readable(fd));
    send_id(channel, 2);
    assert_int_equal(receive_id(channel), 1);
    assert_true(readable(fd));
    assert_int_equal(receive_id(channel), 2);
    assert_false(readable(fd));
    send_id(channel, 3);
    assert_true(readable(fd));
    assert_int_equal(receive_id(channel), 3);
    assert_false(readable(fd));
    ouro_channel_close(channel);
    assert_true(readable(fd));
    ouro_channel_drop(channel);
    struct pollfd one = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&one, 1, 0), 1);
    assert_int_equal(one.revents, POLLNVAL); /* it is gone */
}

static void the_last_that_leaves_an_end_closes_the_channel(void **state)
{
    (void)state;
    for (int end = 0; end < 2; end++) {
        struct ouro_channel *channel = channel_new(4);
        ouro_channel_end other = end ? OURO_CHANNEL_SENDS : OURO_CHANNEL_RECEIVES;
        assert_int_equal(ouro_channel_join(channel, (ouro_channel_end)end), OURO_OK);
        assert_int_equal(ouro_channel_join(channel, (ouro_channel_end)end), OURO_OK);
        ouro_channel_leave(channel, other); /* it has not joined that */
        ouro_channel_leave(channel, (ouro_channel_end)end);
        send_id(channel, 1);
        ouro_channel_leave(channel, (ouro_channel_end)end);
        struct ouro_isolated *graph = graph_new(2);
        assert_int_equal(ouro_channel_send(channel, graph), OURO_CLOSED);
        ouro_isolated_drop(graph);
        ouro_channel_drop(channel);
    }
    struct ouro_channel *channel = channel_new(1); /* dropped while joined */
    assert_int_equal(ouro_channel_join(channel, OURO_CHANNEL_SENDS), OURO_OK);
    ouro_channel_drop(channel);
}

static void a_channel_outlives_the_runtime_in_which_it_was_made(void **state)
{
    (void)state;
    struct ouro_runtime *runtime;
    assert_int_equal(ouro_runtime_new(NULL, &runtime), OURO_OK);
    assert_int_equal(ouro_runtime_enter(runtime), OURO_OK);
    struct ouro_channel *channel = channel_new(100);
    assert_int_equal(ouro_channel_join(channel, OURO_CHANNEL_SENDS), OURO_OK);
    struct ouro_isolated *graph; /* of that runtime, received in this one: not by local mode */
    struct hooked *root = ouro_new_biased(&hooked_type, sizeof *root);
    assert_int_equal(ouro_isolate(root, &graph, NULL), OURO_OK);
    assert_int_equal(ouro_channel_send(channel, graph), OURO_OK);
    ouro_runtime_leave(runtime);
    send_id(channel, 4);
    assert_int_equal(ouro_channel_receive(channel, &graph), OURO_OK);
    ouro_isolated_drop(graph);
    assert_int_equal(kit_destroyed, 1);
    assert_int_equal(ouro_runtime_destroy(runtime, NULL), OURO_OK);
    for (int i = 0; i < 99; i++)
        send_id(channel, i);
    assert_int_equal(receive_id(channel), 4);
    ouro_channel_leave(channel, OURO_CHANNEL_SENDS);
    ouro_channel_drop(channel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(graphs_come_in_the_order_in_which_they_were_sent),
        kit_test(a_full_channel_refuses_and_the_graph_stays_the_senders),
        kit_test(an_empty_channel_gives_nothing),
        kit_test(a_wait_that_nobody_ends_comes_back),
        kit_test(what_is_in_a_closed_channel_can_be_received),
        kit_test(a_channel_that_is_dropped_destroys_what_is_in_it),
        kit_test(exhaustion_changes_nothing),
        kit_test(bad_arguments_are_refused),
        kit_test(statuses_of_waits_have_names),
        kit_test(a_select_does_what_can_be_done),
        kit_test(each_case_has_its_turn),
        kit_test(a_descriptor_is_readable_while_something_can_be_received),
        kit_test(the_last_that_leaves_an_end_closes_the_channel),
        kit_test(a_channel_outlives_the_runtime_in_which_it_was_made),
    };
    return kit_run(tests);
}
