/* SPDX-License-Identifier: MIT */
/* Sequences and strings of many megabytes: they grow where they are, and what they leave is there
 * for the next one. Page faults are counted, not time. */
#include "orc_kit.h"

#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct ouro_type number_type = OURO_PLAIN_TYPE(int64_t);
enum { MANY = 1 << 20 };

/* Where figures of the process say nothing, or pages are libc's. */
static bool is_slow(void)
{
    return OURO_ASAN || OURO_TSAN || getenv("OURO_TEST_SLOW") || access("/proc/self/statm", R_OK) ||
           ouro_supply_get() != &ouro_supply_mmap;
}

static size_t faults(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (size_t)usage.ru_minflt;
}

/* Appends `n` numbers; returns how often the payload went to another place. */
static size_t append(ouro_seq *s, size_t n)
{
    const void *at = NULL;
    size_t moves = 0;
    for (size_t i = s->len; i < n; i++) {
        int64_t *place = ouro_seq_add(s, &number_type, sizeof *place);
        assert_non_null(place);
        *place = (int64_t)(i * 3);
        moves += at != s->payload;
        at = s->payload;
    }
    const int64_t *data = ouro_seq_data(s);
    for (size_t i = 0; i < n; i += 997)
        assert_int_equal(data[i], i * 3);
    return moves;
}

static void a_sequence_that_is_filled_anew_touches_no_fresh_page(void **state)
{
    (void)state;
    if (is_slow() || OURO_TEST_CHECKED) /* which keeps what is freed for a while */
        skip();
    ouro_option_set("purge_delay", 3600000);
    size_t before = 0;
    for (int round = 0; round < 6; round++) {
        ouro_seq s = {0, NULL};
        if (round == 1)
            before = faults();
        append(&s, MANY);
        ouro_seq_destroy(&s, &number_type);
    }
    assert_true(faults() - before < 512); /* one filling has 2048 pages */
    ouro_option_set("purge_delay", 100);
    ouro_trim();
}

static void a_sequence_grows_where_it_is(void **state)
{
    (void)state;
    if (is_slow())
        skip();
    ouro_trim();
    ouro_seq s = {0, NULL};
    append(&s, (size_t)3 << 18);
    size_t small = s.payload->capacity, moves = append(&s, 8 * MANY);
    assert_true(s.payload->capacity > 5 * small);
    assert_true(moves <= 3); /* of seven times or more that it grew */
    ouro_seq_destroy(&s, &number_type);
    ouro_trim();
}

static void strings_keep_their_bytes_and_their_end(void **state)
{
    (void)state;
    ouro_string s = {0, NULL};
    size_t most = is_slow() ? (size_t)6 << 20 : (size_t)20 << 20;
    for (size_t i = 0; i < most; i++)
        assert_int_equal(ouro_string_add(&s, (char)('a' + i % 23)), OURO_OK);
    const char *text = ouro_string_data(&s);
    assert_int_equal(strlen(text), most);
    for (size_t i = 0; i < most; i += 101)
        assert_int_equal(text[i], 'a' + (int)(i % 23));
    ouro_string copy = {0, NULL};
    assert_int_equal(ouro_copy(&copy, &s, &ouro_string_type), OURO_OK);
    assert_int_equal(ouro_string_add(&s, '!'), OURO_OK); /* shared: not where it is */
    assert_int_equal(copy.len, most);
    assert_int_equal(ouro_string_data(&copy)[most - 1], 'a' + (int)((most - 1) % 23));
    ouro_string_destroy(&copy);
    ouro_string_destroy(&s);
    ouro_trim();
}

static void a_refused_growth_leaves_the_sequence(void **state)
{
    (void)state;
    ouro_seq s = {0, NULL};
    append(&s, MANY);
    size_t len = s.len;
    struct ouro_stats stats;
    ouro_stats_get(&stats);
    ouro_set_limit(stats.used + ((size_t)1 << 20), NULL, NULL);
    assert_int_equal(ouro_seq_reserve(&s, &number_type, 8 * MANY), OURO_NO_MEMORY);
    ouro_set_limit(0, NULL, NULL);
    assert_int_equal(s.len, len);
    append(&s, 2 * MANY);
    ouro_seq_destroy(&s, &number_type);
    ouro_trim();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sequence_that_is_filled_anew_touches_no_fresh_page),
        cmocka_unit_test(a_sequence_grows_where_it_is),
        cmocka_unit_test(strings_keep_their_bytes_and_their_end),
        cmocka_unit_test(a_refused_growth_leaves_the_sequence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
