/* SPDX-License-Identifier: MIT */
/* Statistics: exact where they can be, and as JSON. */
#include "alloc_util.h"
#include "alloc/stats.h"
#if OURO_THREADS
#include <pthread.h>
#endif

static struct ouro_stats now(void)
{
    struct ouro_stats stats;
    ouro_stats_get(&stats);
    return stats;
}

static void live_blocks_are_exact_on_one_thread(void **state)
{
    (void)state;
    enum { N = 5000 };
    static void *p[N];
    static size_t size[N];
    uint64_t seed = 31;
    ouro_trim();
    struct ouro_stats before = now();
    uint64_t blocks = 0, bytes = 0, large = 0, in_class[OURO__CLASSES] = {0};
    for (int i = 0; i < 20000; i++) {
        int k = (int)(next_random(&seed) % N);
        if (p[k]) {
            ouro_free(p[k]);
            p[k] = NULL;
        } else {
            size[k] = random_size(&seed) + 1;
            p[k] = ouro_malloc(size[k]);
        }
    }
    for (int i = 0; i < N; i++) {
        if (!p[i])
            continue;
        blocks++;
        bytes += ouro_usable_size(p[i]);
        large += size[i] > OURO__CLASS_MAX_SIZE;
        if (size[i] <= OURO__CLASS_MAX_SIZE)
            in_class[ouro__class_of(size[i])]++;
    }
    struct ouro_stats stats = now();
    assert_int_equal(stats.raw.blocks - before.raw.blocks, blocks);
    assert_int_equal(stats.raw.bytes - before.raw.bytes, bytes);
    assert_int_equal(stats.large.blocks - before.large.blocks, large);
    for (unsigned cls = 0; cls < OURO__CLASSES; cls++) {
        assert_int_equal(stats.by_class[cls].size, ouro__class_size(cls));
        assert_int_equal(stats.by_class[cls].raw - before.by_class[cls].raw, in_class[cls]);
        assert_true(in_class[cls] == 0 || stats.by_class[cls].pages > 0);
    }
    assert_int_equal(stats.counted.blocks, before.counted.blocks);
    assert_true(stats.used >= stats.raw.bytes && stats.mapped >= stats.used);
    assert_true(stats.peak_used >= stats.used);
    for (int i = 0; i < N; i++)
        ouro_free(p[i]);
    assert_int_equal(now().raw.blocks, before.raw.blocks);
    ouro_trim();
    assert_int_equal(now().idle, 0);
    assert_int_equal(now().used, before.used);
}

static void counted_cells_are_told_apart(void **state)
{
    (void)state;
    struct ouro_stats before = now();
    void *small = ouro__cell_alloc(OURO__COUNTED, 48, 16);
    void *large = ouro__cell_alloc(OURO__COUNTED, 100000, 16);
    struct ouro_stats stats = now();
    assert_int_equal(stats.counted.blocks - before.counted.blocks, 2);
    assert_int_equal(stats.counted.bytes - before.counted.bytes, 48 + 131072);
    assert_int_equal(stats.by_class[2].counted - before.by_class[2].counted, 1);
    assert_int_equal(stats.raw.blocks, before.raw.blocks);
    ouro__cell_free(small, OURO__COUNTED, 16);
    ouro__cell_free(large, OURO__COUNTED, 16);
}

static void failures_and_the_limit_are_told(void **state)
{
    (void)state;
    uint64_t failed = now().failed;
    ouro_set_limit(100 * MIB, NULL, NULL);
    assert_int_equal(now().limit, 100 * MIB);
    assert_null(ouro_malloc(200 * MIB));
    ouro_set_limit(0, NULL, NULL);
    ouro_fail_nth_alloc(1, false);
    assert_null(ouro_malloc(1));
    assert_int_equal(now().failed, failed + 2);
    assert_int_equal(now().limit, 0);
}

/* -- JSON: a reader that knows as much as is needed -------------------------------------------- */

static const char *at;

static void blank(char c)
{
    if (*at != c)
        fail_msg("expected %c at: %.40s", c, at);
    at++;
}

static void read_value(void)
{
    if (*at == '{' || *at == '[') {
        char close = *at == '{' ? '}' : ']';
        for (at++; *at != close; at += *at == ',') {
            if (close == '}') {
                blank('"');
                at += strcspn(at, "\"");
                blank('"');
                blank(':');
            }
            read_value();
        }
        at++;
        return;
    }
    size_t digits = strspn(at, "0123456789");
    assert_true(digits > 0);
    at += digits;
}

static void the_json_is_well_formed_and_has_the_figures(void **state)
{
    (void)state;
    static char text[16384];
    void *p = ouro_malloc(1000), *q = ouro_malloc(200000);
    size_t len = ouro_stats_json(text, sizeof text);
    assert_true(len < sizeof text);
    assert_int_equal(strlen(text), len);
    at = text;
    read_value();
    assert_int_equal(*at, '\0');
    char expected[64];
    struct ouro_stats stats = now();
    snprintf(expected, sizeof expected, "\"used\":%llu,", (unsigned long long)stats.used);
    assert_non_null(strstr(text, expected));
    snprintf(expected, sizeof expected, "\"raw\":{\"blocks\":%llu,\"bytes\":%llu}",
             (unsigned long long)stats.raw.blocks, (unsigned long long)stats.raw.bytes);
    assert_non_null(strstr(text, expected));
    assert_non_null(strstr(text, "{\"size\":1024,\"raw\":1,\"counted\":0,\"pages\":1}"));
    ouro_free(p);
    ouro_free(q);
}

static void json_is_cut_to_its_room_and_tells_its_length(void **state)
{
    (void)state;
    static char text[16384], part[16384];
    size_t len = ouro_stats_json(text, sizeof text);
    assert_int_equal(ouro_stats_json(NULL, 0), len);
    for (size_t size = 1; size < len + 2; size += 13) {
        memset(part, '#', sizeof part);
        assert_int_equal(ouro_stats_json(part, size), len);
        assert_int_equal(part[size], '#');
        size_t kept = size - 1 < len ? size - 1 : len;
        assert_int_equal(strlen(part), kept);
        assert_memory_equal(part, text, kept);
    }
}

/* -- threads ----------------------------------------------------------------------------------- */

#if OURO_THREADS
enum { EACH = 1000 };
static void *theirs[EACH];
static pthread_barrier_t meeting;

static void *hold_blocks(void *arg)
{
    (void)arg;
    for (int i = 0; i < EACH; i++)
        theirs[i] = ouro_malloc(64);
    pthread_barrier_wait(&meeting); /* they are counted */
    pthread_barrier_wait(&meeting); /* others freed them */
    pthread_barrier_wait(&meeting); /* counted as remote */
    return NULL;
}

static void blocks_freed_by_others_are_remote_till_their_owner_takes_them_back(void **state)
{
    (void)state;
    struct ouro_stats before = now();
    pthread_t thread;
    pthread_barrier_init(&meeting, NULL, 2);
    pthread_create(&thread, NULL, hold_blocks, NULL);
    pthread_barrier_wait(&meeting);
    struct ouro_stats held = now();
    assert_int_equal(held.threads, before.threads + 1);
    uint64_t live = held.raw.blocks - before.raw.blocks; /* 64 cells at most are held ready */
    assert_true(live >= EACH && live <= EACH + 64);
    assert_int_equal(held.remote, 0);
    for (int i = 0; i < EACH; i++)
        ouro_free(theirs[i]);
    pthread_barrier_wait(&meeting);
    struct ouro_stats freed = now();
    assert_int_equal(freed.remote, EACH);
    assert_int_equal(freed.raw.blocks, held.raw.blocks);
    pthread_barrier_wait(&meeting);
    pthread_join(thread, NULL);
    struct ouro_stats ended = now();
    assert_int_equal(ended.remote, 0);
    assert_int_equal(ended.raw.blocks, before.raw.blocks);
    assert_int_equal(ended.threads, before.threads);
}

static ouro_word stop;

static void *churn(void *arg)
{
    uint64_t seed = (uint64_t)(uintptr_t)arg;
    void *p[100] = {NULL};
    while (!ouro__load(&stop)) {
        int k = (int)(next_random(&seed) % 100);
        ouro_free(p[k]);
        p[k] = ouro_malloc(random_size(&seed));
    }
    for (int i = 0; i < 100; i++)
        ouro_free(p[i]);
    return NULL;
}

static void statistics_may_be_asked_for_while_others_allocate(void **state)
{
    (void)state;
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, churn, (void *)(uintptr_t)(i + 1));
    static char text[16384];
    for (int i = 0; i < (is_slow() ? 50 : 300); i++) {
        size_t len = ouro_stats_json(text, sizeof text);
        assert_true(len > 100 && len < sizeof text);
        at = text;
        read_value();
    }
    ouro__store(&stop, 1);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(live_blocks_are_exact_on_one_thread),
        cmocka_unit_test(counted_cells_are_told_apart),
        cmocka_unit_test(failures_and_the_limit_are_told),
        cmocka_unit_test(the_json_is_well_formed_and_has_the_figures),
        cmocka_unit_test(json_is_cut_to_its_room_and_tells_its_length),
#if OURO_THREADS
        cmocka_unit_test(blocks_freed_by_others_are_remote_till_their_owner_takes_them_back),
        cmocka_unit_test(statistics_may_be_asked_for_while_others_allocate),
#endif
    };
    return cmocka_run_group_tests(tests, use_mmap, NULL);
}
