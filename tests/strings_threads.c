/* SPDX-License-Identifier: MIT */
/* Strings on several threads: one that moves is edited in place there, shared payloads are dropped
 * and edited by whoever has a copy, and deaths that wait do not make a heap of strings grow. */
#include "orc_kit.h"

#include <pthread.h>
#include <string.h>

static void append_here(void *arg)
{
    ouro_string *s = arg;
    const void *payload = s->payload;
    KIT_CHECK(s->payload->capacity > s->len);
    KIT_CHECK(ouro_string_add(s, '!') == OURO_OK);
    KIT_CHECK(s->payload == payload);
}
static void destroy_here(void *arg)
{
    ouro_string_destroy(arg);
}
static void grow_here(void *arg)
{
    for (int i = 0; i < 1000; i++)
        KIT_CHECK(ouro_string_add_bytes(arg, "0123456789", 10) == OURO_OK);
}
static uint64_t counted(void)
{
    struct ouro_stats stats;
    ouro_stats_get(&stats);
    return stats.counted.blocks;
}

static void a_string_that_moves_is_edited_in_place(void **state)
{
    (void)state;
    uint64_t before = counted();
    ouro_string s;
    assert_int_equal(ouro_string_make(&s, "from here", 9), OURO_OK);
    kit_elsewhere(append_here, &s);
    assert_int_equal(ouro_string_add(&s, '?'), OURO_OK);
    assert_string_equal(ouro_string_data(&s), "from here!?");
    kit_elsewhere(grow_here, &s);
    assert_int_equal(ouro_string_add(&s, '.'), OURO_OK);
    assert_int_equal(s.len, 10012);
    /* At once: the one reference to it tells all, whoever made the payload. */
    kit_elsewhere(destroy_here, &s);
    if (ouro_supply_get()->block == NULL && !OURO_TEST_CHECKED) /* the checked one keeps the dead */
        assert_int_equal(counted(), before);
}

static void edit_copy(void *arg)
{
    ouro_string *s = arg;
    const void *shared = s->payload;
    KIT_CHECK(ouro_string_add(s, '!') == OURO_OK);
    KIT_CHECK(s->payload != shared);
}

static void a_shared_payload_is_dropped_by_another_thread(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        ouro_string a, b, c;
        assert_int_equal(ouro_string_make(&a, "shared", 6), OURO_OK);
        assert_int_equal(ouro_dup(&b, &a, &ouro_string_type), OURO_OK);
        assert_int_equal(ouro_dup(&c, &a, &ouro_string_type), OURO_OK);
        kit_elsewhere(edit_copy, &b);
        if (i % 2)
            ouro_string_destroy(&a);
        kit_elsewhere(destroy_here, &c);
        assert_string_equal(ouro_string_data(&b), "shared!");
        if (i % 2 == 0) {
            ouro_poll(); /* what others dropped is settled */
            const void *payload = a.payload;
            assert_int_equal(ouro_string_add(&a, '?'), OURO_OK);
            assert_ptr_equal(a.payload, payload);
            ouro_string_destroy(&a);
        }
        ouro_string_destroy(&b);
    }
}

/* Several threads copy, edit and drop strings of each other's. */
enum { PLACES = 32, THREADS = 3 };
static struct {
    pthread_mutex_t lock;
    ouro_string s;
} places[PLACES];

static void check(const ouro_string *s)
{
    const char *bytes = ouro_string_data(s);
    for (size_t i = 1; i < s->len; i++)
        KIT_CHECK(bytes[i] == bytes[0]);
    KIT_CHECK(bytes[s->len] == 0);
}

static void *mix(void *arg)
{
    uint64_t seed = kit_seed(9) + (uintptr_t)arg;
    for (size_t n = kit_scaled(20000); n > 0; n--) {
        size_t i = kit_random(&seed) % PLACES, k = kit_random(&seed) % PLACES;
        ouro_string s;
        pthread_mutex_lock(&places[i].lock);
        KIT_CHECK(ouro_dup(&s, &places[i].s, &ouro_string_type) == OURO_OK);
        pthread_mutex_unlock(&places[i].lock);
        check(&s);
        char fill = (char)('a' + kit_random(&seed) % 26), *bytes;
        if (kit_random(&seed) % 2) {
            KIT_CHECK(ouro_string_edit(&s, &bytes) == OURO_OK);
            memset(bytes, fill, s.len);
        }
        if (s.len < 200)
            KIT_CHECK(ouro_string_add(&s, s.len ? ouro_string_data(&s)[0] : fill) == OURO_OK);
        else
            KIT_CHECK(ouro_string_set_len(&s, 1) == OURO_OK);
        pthread_mutex_lock(&places[k].lock);
        ouro_sink(&places[k].s, &s, &ouro_string_type);
        pthread_mutex_unlock(&places[k].lock);
    }
    return NULL;
}

static void copies_of_each_others_strings_stay_whole(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (size_t i = 0; i < PLACES; i++)
        pthread_mutex_init(&places[i].lock, NULL);
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, mix, (void *)i), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < PLACES; i++) {
        check(&places[i].s);
        ouro_string_destroy(&places[i].s);
        pthread_mutex_destroy(&places[i].lock);
    }
}

/* Copies that share a payload are looked at, and copied, by several threads at a time. */
static void *read_copy(void *arg)
{
    ouro_string *s = arg;
    for (size_t n = kit_scaled(20000); n > 0; n--) {
        ouro_string copy;
        ouro_view view = ouro_string_view(s, 1, 3);
        KIT_CHECK(ouro_dup(&copy, s, &ouro_string_type) == OURO_OK);
        KIT_CHECK(memcmp(view.data, "ead", 3) == 0 && ouro_string_equal(&copy, s));
        ouro_view of_copy = ouro_string_view(&copy, 0, 1);
        ouro_view_end(&of_copy);
        ouro_view_end(&view);
        ouro_string_destroy(&copy);
    }
    ouro_string_destroy(s);
    return NULL;
}

static void views_of_copies_that_share_do_not_disturb_each_other(void **state)
{
    (void)state;
    ouro_string s, copies[THREADS];
    pthread_t threads[THREADS];
    assert_int_equal(ouro_string_make(&s, "read by all", 11), OURO_OK);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(ouro_dup(&copies[i], &s, &ouro_string_type), OURO_OK);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_copy, &copies[i]), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ouro_poll();
    assert_int_equal(ouro_string_add(&s, '.'), OURO_OK);
    assert_string_equal(ouro_string_data(&s), "read by all.");
    ouro_string_destroy(&s);
}

/* One value, which nobody changes meanwhile: all copy it, and edit and drop their copies. The first
 * copies of each are made at once, as far as that can be had. */
enum { VALUES = 64 };
static struct {
    ouro_string s[VALUES];
    ouro_seq numbers[VALUES];
} common;
static struct ouro_type number_type = OURO_PLAIN_TYPE(int64_t);
static const struct ouro_field numbers_fields[] = {{.kind = OURO_FIELD_SEQ, .type = &number_type}};
static struct ouro_type numbers_type = {.size = sizeof(ouro_seq),
                                        .align = sizeof(void *),
                                        .name = "numbers",
                                        .fields = numbers_fields,
                                        .field_count = 1};
static pthread_barrier_t meeting;

static void copy_one(size_t i)
{
    ouro_string s;
    ouro_seq numbers;
    ouro_view view = ouro_string_view(&common.s[i], 0, 6);
    KIT_CHECK(ouro_dup(&s, &common.s[i], &ouro_string_type) == OURO_OK);
    KIT_CHECK(ouro_string_add(&s, '!') == OURO_OK && s.len == 7);
    KIT_CHECK(s.payload != common.s[i].payload && memcmp(view.data, "common", 7) == 0);
    ouro_string_destroy(&s);
    ouro_view_end(&view);
    KIT_CHECK(ouro_string_sub(&s, &common.s[i], 0, 6) == OURO_OK);
    ouro_string_destroy(&s);
    KIT_CHECK(ouro_dup(&numbers, &common.numbers[i], &numbers_type) == OURO_OK);
    KIT_CHECK(ouro_seq_add(&numbers, &number_type, 8) != NULL && numbers.len == 2);
    ouro_seq_destroy(&numbers, &number_type);
}

static void *copy_all(void *arg)
{
    (void)arg;
    pthread_barrier_wait(&meeting);
    for (size_t i = 0; i < VALUES; i++)
        copy_one(i);
    return NULL;
}

static void make_common(void)
{
    for (size_t i = 0; i < VALUES; i++) {
        KIT_CHECK(ouro_string_make(&common.s[i], "common", 6) == OURO_OK);
        KIT_CHECK(ouro_seq_push(&common.numbers[i], &number_type, &(int64_t){7}) == OURO_OK);
    }
}

static void one_value_is_copied_by_several_threads_at_a_time(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    pthread_barrier_init(&meeting, NULL, THREADS);
    for (size_t round = kit_scaled(40) + 1; round > 0; round--) {
        make_common();
        for (size_t i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, copy_all, NULL), 0);
        for (size_t i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        ouro_poll();
        for (size_t i = 0; i < VALUES; i++) {
            const void *payload = common.s[i].payload;
            assert_int_equal(ouro_string_add(&common.s[i], '.'), OURO_OK);
            assert_ptr_equal(common.s[i].payload, payload); /* the last one edits in place */
            assert_string_equal(ouro_string_data(&common.s[i]), "common.");
            ouro_string_destroy(&common.s[i]);
            ouro_seq_destroy(&common.numbers[i], &number_type);
        }
    }
    pthread_barrier_destroy(&meeting);
}

/* The maker of strings never births an object, collects or polls: its births of payloads settle
 * what others dropped. */
static void drop_both(void *arg)
{
    ouro_string *pair = arg;
    ouro_string_destroy(&pair[0]);
    ouro_string_destroy(&pair[1]);
}

static void deaths_that_wait_do_not_make_the_heap_grow(void **state)
{
    (void)state;
    char bytes[1000];
    memset(bytes, 'x', sizeof bytes);
    struct kit_other *other = kit_other_start();
    uint64_t before = counted();
    size_t n = kit_scaled(3000);
    for (size_t i = 0; i < n; i++) {
        ouro_string pair[2];
        assert_int_equal(ouro_string_make(&pair[0], bytes, sizeof bytes), OURO_OK);
        assert_int_equal(ouro_dup(&pair[1], &pair[0], &ouro_string_type), OURO_OK);
        kit_other_do(other, drop_both, pair);
    }
    if (!OURO_TEST_CHECKED && ouro_supply_get()->block == NULL)
        assert_true(counted() < before + 200);
    kit_other_end(other);
    ouro_poll();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(a_string_that_moves_is_edited_in_place),
        kit_test(a_shared_payload_is_dropped_by_another_thread),
        kit_test(copies_of_each_others_strings_stay_whole),
        kit_test(views_of_copies_that_share_do_not_disturb_each_other),
        kit_test(one_value_is_copied_by_several_threads_at_a_time),
        kit_test(deaths_that_wait_do_not_make_the_heap_grow),
    };
    return kit_run(tests);
}
