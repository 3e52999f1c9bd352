/* SPDX-License-Identifier: MIT */
/* Counted handles: what they keep, how wrong ones are named, what lists and reports say of them.
 * White-box: see orc_kit.h. */
#include "orc_kit.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

static void a_handle_keeps_its_object(void **state)
{
    (void)state;
    struct leaf *leaf = leaf_new(7);
    ouro_handle handle = ouro_handle_new(leaf, "here");
    assert_true(handle != 0);
    ouro_decref(leaf);
    assert_int_equal(kit_destroyed, 0);
    assert_ptr_equal(ouro_handle_borrow(handle), leaf);
    assert_int_equal(ouro_count(leaf), 1);
    struct leaf *got = ouro_handle_get(handle);
    assert_int_equal(got->id, 7);
    assert_int_equal(ouro_count(leaf), 2);
    ouro_handle_close(handle);
    assert_int_equal(kit_destroyed, 0);
    ouro_decref(got);
    assert_int_equal(kit_destroyed, 1);
    ouro_handle_close(0);
    assert_true(ouro_handle_new(NULL, NULL) == 0);
}

static void every_handle_is_another_number(void **state)
{
    (void)state;
    struct leaf *leaf = leaf_new(1);
    enum { N = 300 };
    static ouro_handle all[N];
    for (int i = 0; i < N; i++) {
        all[i] = ouro_handle_new(leaf, NULL);
        for (int j = 0; j < i; j++)
            assert_true(all[i] != all[j]);
        if (i % 3 == 0)
            ouro_handle_close(all[i]);
    }
    for (int i = 0; i < N; i++) {
        if (i % 3)
            ouro_handle_close(all[i]);
    }
    assert_int_equal(ouro_count(leaf), 1);
    ouro_decref(leaf);
}

static void a_ring_that_a_handle_holds_is_not_collected(void **state)
{
    (void)state;
    struct node *ring = kit_ring(3);
    ouro_handle handle = ouro_handle_new(ring, NULL);
    kit_touch(ring);
    assert_int_equal(ouro_collect(NULL), 0);
    ouro_handle_close(handle);
    if (!(OURO_TSAN && KIT_ATOMIC))
        assert_int_equal(ouro_collect(NULL), 3);
}

static void without_memory_there_is_no_handle(void **state)
{
    (void)state;
    struct leaf *leaf = leaf_new(1);
    enum { MOST = 3000 };
    static ouro_handle all[MOST];
    size_t n = 0;
    ouro_fail_nth_alloc(1, true);
    while (n < MOST && (all[n] = ouro_handle_new(leaf, NULL)) != 0)
        n++;
    ouro_fail_nth_alloc(0, false);
    assert_true(n < MOST);
    assert_int_equal(ouro_count(leaf), n + 1);
    assert_true((all[n] = ouro_handle_new(leaf, NULL)) != 0);
    for (size_t i = 0; i <= n; i++)
        ouro_handle_close(all[i]);
    ouro_decref(leaf);
}

/* -- bad handles ------------------------------------------------------------------------------- */

static ouro_handle closed;
static char said[256];

static void note(const struct ouro_failure *failure, void *arg)
{
    (void)arg;
    strncpy(said, failure->detail, sizeof said - 1);
    kit_child_ends(failure->kind == OURO_FAIL_BAD_HANDLE && strstr(said, "there.c:9") ? 1000
                   : failure->kind == OURO_FAIL_BAD_HANDLE                            ? 1001
                                                                                      : 1002);
}
static void close_it(ouro_handle h)
{
    ouro_handle_close(h);
}
static void get_it(ouro_handle h)
{
    ouro_decref(ouro_handle_get(h));
}
static void borrow_it(ouro_handle h)
{
    (void)ouro_handle_borrow(h);
}

static int said_of(void (*use)(ouro_handle), ouro_handle handle)
{
    pid_t child = kit_fork();
    if (child == 0) {
        ouro_set_fail_handler(note, NULL);
        use(handle);
        kit_child_ends(-1);
    }
    return kit_wait(child);
}

static void what_is_no_open_handle_is_named(void **state)
{
    (void)state;
    struct leaf *leaf = leaf_new(1);
    closed = ouro_handle_new(leaf, "there.c:9");
    ouro_handle_close(closed);
    void (*const uses[])(ouro_handle) = {close_it, get_it, borrow_it};
    const ouro_handle none[] = {1,          closed + 1,           closed + ((ouro_handle)1 << 32),
                                UINT64_MAX, closed | 0xFFFFFFFFu, (ouro_handle)1 << 32};
    for (size_t use = 0; use < 3; use++) {
        assert_int_equal(said_of(uses[use], closed), 1000);
        for (size_t i = 0; i < OURO_COUNT_OF(none); i++)
            assert_int_equal(said_of(uses[use], none[i]), 1001);
    }
    static ouro_handle others[5000]; /* its place is used again */
    for (size_t i = 0; i < OURO_COUNT_OF(others); i++)
        others[i] = ouro_handle_new(leaf, NULL);
    for (size_t use = 0; use < 3; use++)
        assert_int_equal(said_of(uses[use], closed), 1001);
    for (size_t i = 0; i < OURO_COUNT_OF(others); i++)
        ouro_handle_close(others[i]);
    ouro_decref(leaf);
}

/* -- lists ------------------------------------------------------------------------------------- */

static struct ouro_open_handle listed[8];
static size_t list_length;
static void remember(const struct ouro_open_handle *open, void *arg)
{
    (void)arg;
    if (list_length < OURO_COUNT_OF(listed))
        listed[list_length++] = *open;
}

static void open_handles_are_listed(void **state)
{
    (void)state;
    struct leaf *leaf = leaf_new(1);
    struct node *n = node_new(2);
    ouro_handle a = ouro_handle_new(leaf, "a.c:1"), b = ouro_handle_new(n, NULL);
    list_length = 0;
    assert_int_equal(ouro_list_handles(remember, NULL), 2);
    for (int i = 0; i < 2; i++) {
        bool is_a = listed[i].handle == a;
        assert_true(is_a || listed[i].handle == b);
        assert_ptr_equal(listed[i].object, is_a ? (void *)leaf : (void *)n);
        assert_string_equal(listed[i].type_name, is_a ? "leaf" : "struct node");
        assert_true(is_a ? strcmp(listed[i].site, "a.c:1") == 0 : listed[i].site == NULL);
        assert_true(is_a == (listed[i].address == NULL));
    }
    ouro_handle_close(a);
    ouro_handle_close(b);
    assert_int_equal(ouro_list_handles(remember, NULL), 0);
    ouro_decref(leaf);
    ouro_decref(n);
}

static void close_while_listed(const struct ouro_open_handle *open, void *arg)
{
    (void)arg;
    ouro_handle_close(open->handle);
}

static void what_is_listed_may_be_closed(void **state)
{
    (void)state;
    for (int64_t i = 0; i < 10; i++) {
        struct leaf *leaf = leaf_new(i);
        assert_true(ouro_handle_new(leaf, NULL) != 0);
        ouro_decref(leaf);
    }
    assert_int_equal(ouro_list_handles(close_while_listed, NULL), 10);
    assert_int_equal(kit_destroyed, 10);
    assert_int_equal(ouro_list_handles(close_while_listed, NULL), 0);
}

static void report(void *arg)
{
    (void)arg;
    ouro_report_leaks();
}

static void leak_reports_tell_site_and_type(void **state)
{
    (void)state;
    struct leaf *leaf = leaf_new(1);
    ouro_handle h[3];
    for (int i = 0; i < 3; i++)
        h[i] = ouro_handle_new(leaf, i ? "game.c:12" : "menu.c:3");
    ouro_decref(leaf);
    const char *text = kit_stderr_of(report, NULL);
    assert_non_null(strstr(text, "ouro: open: 2 handles of type leaf, made at game.c:12\n"));
    assert_non_null(strstr(text, "ouro: open: 1 handle of type leaf, made at menu.c:3\n"));
    for (int i = 0; i < 3; i++)
        ouro_handle_close(h[i]);
    assert_string_equal(kit_stderr_of(report, NULL), "");
}

/* -- threads ----------------------------------------------------------------------------------- */

#define SHARED  8
#define WORKERS 3

static ouro_word shared_handles[SHARED]; /* whoever takes one out closes it */

static struct leaf *leaf_for_all(void)
{
    struct leaf *leaf = ouro_new_biased(&leaf_type, sizeof *leaf);
    KIT_CHECK(leaf != NULL);
    leaf->id = 42;
    return leaf;
}

static void *open_get_and_close(void *arg)
{
    uint64_t seed = *(uint64_t *)arg;
    for (size_t i = 0, n = kit_scaled(100000); i < n; i++) {
        struct leaf *leaf = leaf_for_all();
        ouro_handle fresh = ouro_handle_new(leaf, "worker");
        KIT_CHECK(fresh != 0);
        ouro_decref_biased(leaf);
        struct leaf *got = ouro_handle_get(fresh);
        KIT_CHECK(got == leaf && got->id == 42);
        ouro_decref_biased(got);
        ouro_word old = ouro__exchange_full(&shared_handles[kit_random(&seed) % SHARED], fresh);
        if (old == 0)
            continue;
        got = ouro_handle_get(old);
        KIT_CHECK(got->id == 42);
        ouro_handle_close(old);
        ouro_decref_biased(got);
    }
    return NULL;
}

static void threads_may_open_get_and_close_at_once(void **state)
{
    (void)state;
    if (!OURO_THREADS || OURO_RC == OURO_RC_LOCAL)
        skip();
    pthread_t threads[WORKERS];
    uint64_t seeds[WORKERS], seed = kit_seed(11);
    for (int i = 0; i < WORKERS; i++) {
        seeds[i] = kit_random(&seed);
        KIT_CHECK(pthread_create(&threads[i], NULL, open_get_and_close, &seeds[i]) == 0);
    }
    for (int i = 0; i < 20; i++)
        ouro_list_handles(remember, NULL);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < SHARED; i++)
        ouro_handle_close(ouro__exchange_full(&shared_handles[i], 0));
    ouro_poll();
    ouro_collect(NULL);
    assert_int_equal(ouro_list_handles(remember, NULL), 0);
    assert_int_equal(kit_destroyed, WORKERS * kit_scaled(100000));
}

/* One handle that all get while it is closed: the object is there for each that got it. */
static ouro_word contended, in_time;
static void *get_often(void *arg)
{
    (void)arg;
    for (;;) {
        ouro_handle h = ouro__load_acquire(&contended);
        if (h == 0)
            return NULL;
        ouro__fetch_add_full(&in_time, 1);
        if (ouro__load_acquire(&contended) == h) {
            struct leaf *got = ouro_handle_get(h);
            KIT_CHECK(got->id == 42);
            ouro_decref_biased(got);
        }
        ouro__fetch_add_full(&in_time, (ouro_word)-1);
        if (kit_instrumented()) /* one thread runs at a time there: who waits for 0 is to see it */
            ouro__os_yield();
    }
}

static void a_get_under_way_keeps_the_object(void **state)
{
    (void)state;
    if (!OURO_THREADS || OURO_RC == OURO_RC_LOCAL)
        skip();
    pthread_t threads[2];
    size_t n = kit_scaled(3000);
    struct leaf *first = leaf_for_all();
    ouro__store(&contended, ouro_handle_new(first, NULL));
    ouro_decref_biased(first);
    for (int i = 0; i < 2; i++)
        KIT_CHECK(pthread_create(&threads[i], NULL, get_often, NULL) == 0);
    for (size_t i = 0; i <= n; i++) {
        struct leaf *leaf = i < n ? leaf_for_all() : NULL;
        ouro_handle old = ouro__exchange_full(&contended, ouro_handle_new(leaf, NULL));
        if (leaf)
            ouro_decref_biased(leaf);
        while (ouro__load_seq(&in_time) != 0)
            ouro__os_yield(); /* whoever saw it is through */
        ouro_handle_close(old);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    ouro_poll();
    assert_int_equal(kit_destroyed, n + 1);
}

static void a_million_handles_leave_memory_flat(void **state)
{
    (void)state;
    struct leaf *leaf = leaf_new(1);
    static ouro_handle open[1000];
    struct ouro_stats before, after;
    size_t rounds = kit_scaled(2000);
    for (size_t i = 0; i < rounds; i++) {
        for (size_t k = 0; k < OURO_COUNT_OF(open); k++)
            open[k] = ouro_handle_new(leaf, NULL);
        for (size_t k = 0; k < OURO_COUNT_OF(open); k++)
            ouro_handle_close(open[k]);
        if (i == rounds / 10)
            ouro_stats_get(&before);
    }
    ouro_stats_get(&after);
    assert_int_equal(after.used, before.used);
    ouro_decref(leaf);
}

/* -- fork -------------------------------------------------------------------------------------- */

static void a_child_has_the_handles_too(void **state)
{
    (void)state;
    struct leaf *leaf = leaf_new(1);
    ouro_handle handle = ouro_handle_new(leaf, "parent");
    ouro_decref(leaf);
    pid_t child = kit_fork();
    if (child == 0) {
        alarm(20);
        struct leaf *got = ouro_handle_get(handle);
        ouro_handle_close(handle);
        KIT_CHECK(got->id == 1 && ouro_list_handles(remember, NULL) == 0);
        ouro_decref(got);
        KIT_CHECK(kit_destroyed == 1);
        struct leaf *next = leaf_new(2);
        ouro_handle mine = ouro_handle_new(next, NULL);
        KIT_CHECK(mine != 0 && mine != handle);
        kit_child_ends(0);
    }
    assert_int_equal(kit_wait(child), 0);
    assert_int_equal(kit_destroyed, 0);
    ouro_handle_close(handle);
    assert_int_equal(kit_destroyed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(a_handle_keeps_its_object),
        kit_test(every_handle_is_another_number),
        kit_test(a_ring_that_a_handle_holds_is_not_collected),
        kit_test(without_memory_there_is_no_handle),
        kit_test(what_is_no_open_handle_is_named),
        kit_test(open_handles_are_listed),
        kit_test(what_is_listed_may_be_closed),
        kit_test(leak_reports_tell_site_and_type),
        kit_test(threads_may_open_get_and_close_at_once),
        kit_test(a_get_under_way_keeps_the_object),
        kit_test(a_million_handles_leave_memory_flat),
        kit_test(a_child_has_the_handles_too),
    };
    return kit_run(tests);
}
