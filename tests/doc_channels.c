/* SPDX-License-Identifier: MIT */
/* The code of docs/channels.md, compiled and run. */
#include "ouro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <poll.h>
#if OURO_THREADS
#include <pthread.h>
#endif

struct page {
    struct page *next;
    int64_t words;
};
extern struct ouro_type page_type;
static const struct ouro_field page_fields[] = {OURO_REF(struct page, next, &page_type)};
struct ouro_type page_type = OURO_TYPE(struct page, page_fields);

static struct page *make_pages(int64_t n)
{
    struct page *first = NULL;
    for (int64_t i = n; i > 0; i--) {
        struct page *page = OURO_NEW(struct page, &page_type);
        page->words = i;
        page->next = first;
        first = page;
    }
    return first;
}

/* [produce] */
/* Sends n documents of so many pages; false: nobody wants them any more. */
static bool produce(struct ouro_channel *documents, int n, int64_t pages)
{
    for (int i = 0; i < n; i++) {
        struct ouro_isolated *graph;
        struct page *first = make_pages(pages);
        if (ouro_isolate(first, &graph, NULL) != OURO_OK) {
            ouro_decref(first);
            return false;
        }
        if (ouro_channel_send(documents, graph) != OURO_OK) { /* waits where there is no room */
            ouro_isolated_drop(graph);                        /* it is still the caller's */
            return false;
        }
    }
    return true;
}
/* [produce] */

/* [consume] */
/* Until the channel is closed, and nothing is in it. */
static int64_t consume(struct ouro_channel *documents)
{
    int64_t words = 0;
    struct ouro_isolated *graph;
    while (ouro_channel_receive(documents, &graph) == OURO_OK) {
        struct page *first = ouro_extract(graph); /* this thread's, as if made here */
        for (const struct page *page = first; page; page = page->next)
            words += page->words;
        ouro_decref(first);
    }
    return words;
}
/* [consume] */

#if OURO_THREADS
static void *consumer(void *documents)
{
    return (void *)(intptr_t)consume(documents);
}

/* [count] */
static int64_t count_words(int documents, int64_t pages)
{
    struct ouro_channel *channel;
    pthread_t thread;
    void *words = NULL;
    if (ouro_channel_new(16, &channel) != OURO_OK) /* at most 16 are on their way */
        return -1;
    if (pthread_create(&thread, NULL, consumer, channel) == 0) {
        produce(channel, documents, pages);
        ouro_channel_close(channel); /* what is in it is received still */
        pthread_join(thread, &words);
    }
    ouro_channel_drop(channel); /* with all that nobody has received */
    return (intptr_t)words;
}
/* [count] */
#else
static int64_t count_words(int documents, int64_t pages)
{
    struct ouro_channel *channel;
    assert_int_equal(ouro_channel_new(16, &channel), OURO_OK);
    produce(channel, documents, pages);
    ouro_channel_close(channel);
    int64_t words = consume(channel);
    ouro_channel_drop(channel);
    return words;
}
#endif

static void documents_are_sent_and_counted(void **state)
{
    (void)state;
    assert_int_equal(count_words(10, 100), 10 * 5050);
}

/* [select] */
/* The next document, or word that it is over, whichever comes first; a second at most. */
static struct ouro_isolated *next_or_stop(struct ouro_channel *documents, struct ouro_channel *stop)
{
    struct ouro_channel_case cases[] = {{.channel = documents}, {.channel = stop}};
    size_t chosen;
    ouro_status status = ouro_channel_select(cases, 2, 1000000000, &chosen);
    if (status == OURO_OK && chosen == 0)
        return cases[0].graph;
    if (status == OURO_OK)
        ouro_isolated_drop(cases[1].graph);
    return NULL; /* stopped, closed, or timed out */
}
/* [select] */

static void a_select_takes_what_comes_first(void **state)
{
    (void)state;
    struct ouro_channel *documents, *stop;
    assert_int_equal(ouro_channel_new(1, &documents), OURO_OK);
    assert_int_equal(ouro_channel_new(1, &stop), OURO_OK);
    assert_true(produce(documents, 1, 3));
    struct ouro_isolated *graph = next_or_stop(documents, stop);
    assert_non_null(graph);
    ouro_isolated_drop(graph);
    ouro_channel_close(stop);
    assert_null(next_or_stop(documents, stop));
    ouro_channel_drop(documents);
    ouro_channel_drop(stop);
}

/* [loop] */
/* One turn of an event loop that has other descriptors as well. */
static int take_what_is_there(struct ouro_channel *documents)
{
    struct pollfd waits = {.events = POLLIN};
    int taken = 0;
    if (ouro_channel_descriptor(documents, &waits.fd) != OURO_OK)
        return -1;
    struct ouro_isolated *graph;
    if (poll(&waits, 1, 1000) == 1)
        while (ouro_channel_try_receive(documents, &graph) == OURO_OK) {
            ouro_isolated_drop(graph);
            taken++;
        }
    return taken;
}
/* [loop] */

static void an_event_loop_takes_what_is_there(void **state)
{
    (void)state;
    struct ouro_channel *documents;
    assert_int_equal(ouro_channel_new(4, &documents), OURO_OK);
    assert_true(produce(documents, 3, 2));
    assert_int_equal(take_what_is_there(documents), 3);
    ouro_channel_drop(documents);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(documents_are_sent_and_counted),
                                       cmocka_unit_test(a_select_takes_what_comes_first),
                                       cmocka_unit_test(an_event_loop_takes_what_is_there)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
