/* SPDX-License-Identifier: MIT */
/* doc_memory.c: the code of docs/memory.md, literally, run. */
#include "alloc_util.h"
#include "alloc/stats.h"

/* clang-format off */
/* [pair] */
struct job {
    struct job *next;
    int number;
};

static struct job *job_new(int number)
{
    struct job *job = ouro_alloc_sized(sizeof *job); /* inlined: the size is a constant */
    if (job == NULL)
        return NULL;
    job->next = NULL;
    job->number = number;
    return job;
}

static void job_delete(struct job *job)
{
    ouro_free_sized(job, sizeof *job); /* on any thread */
}
/* [pair] */

/* [any_size] */
static char *join(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    char *text = ouro_malloc(n + 1);
    if (text == NULL)
        return NULL;
    memcpy(text, a, n + 1);
    char *longer = ouro_realloc(text, n + m + 1);
    if (longer == NULL) {
        ouro_free(text); /* as it was */
        return NULL;
    }
    memcpy(longer + n, b, m + 1);
    return longer;
}
/* [any_size] */

/* [limit] */
struct cache {
    void *blocks[100];
    size_t count;
};

/* Memory is refused: throw something away, and say whether that was worth another try. */
static bool shrink_cache(size_t bytes, void *arg)
{
    struct cache *cache = arg;
    size_t freed = 0;
    while (cache->count > 0 && freed < bytes) {
        void *block = cache->blocks[--cache->count];
        freed += ouro_usable_size(block);
        ouro_free(block);
    }
    return freed > 0;
}

static void limit_to_32_megabytes(struct cache *cache)
{
    ouro_set_limit((size_t)32 << 20, shrink_cache, cache);
}
/* [limit] */

/* [statistics] */
static uint64_t bytes_alive(void)
{
    struct ouro_stats stats;
    ouro_stats_get(&stats);
    return stats.raw.bytes + stats.counted.bytes;
}

static void write_statistics(FILE *out)
{
    char text[8192]; /* longer is cut; ouro_stats_json returns the length of the whole */
    ouro_stats_json(text, sizeof text);
    fprintf(out, "%s\n", text);
}
/* [statistics] */

/* [supply] */
static size_t regions;

static void *counting_map(size_t size, size_t align)
{
    void *p = ouro_supply_mmap.map(size, align);
    if (p != NULL)
        regions++;
    return p;
}

static void counting_unmap(void *p, size_t size)
{
    regions--;
    ouro_supply_mmap.unmap(p, size);
}

static bool counting_purge(void *p, size_t size)
{
    return ouro_supply_mmap.purge(p, size);
}

static const struct ouro_supply counting = {
    .name = "counting",
    .map = counting_map,
    .unmap = counting_unmap,
    .purge = counting_purge,
};

static bool count_regions(void)
{
    return ouro_supply_use(&counting) == OURO_OK; /* before anything was allocated */
}
/* [supply] */

/* [fault] */
static bool survives_every_fault(bool (*work)(void))
{
    for (size_t n = 1; n < 1000; n++) {
        ouro_fail_nth_alloc(n, false); /* the n-th allocation from now fails, once */
        bool done = work();
        ouro_fail_nth_alloc(0, false);
        if (done)
            return true; /* fewer than n allocations: each has had its turn */
    }
    return false;
}
/* [fault] */
/* clang-format on */

static int start(void **state)
{
    (void)state;
    return count_regions() ? 0 : -1;
}

static void a_programs_supply_is_asked_for_regions(void **state)
{
    (void)state;
    ouro_free(ouro_malloc(1));
    assert_true(regions >= 1);
    void *p = ouro_malloc(10 * MIB);
    size_t with = regions;
    ouro_free(p);
    assert_int_equal(regions, with - 1);
}

static void the_pair_and_the_join_work(void **state)
{
    (void)state;
    struct job *job = job_new(7);
    assert_int_equal(job->number, 7);
    assert_true(bytes_alive() >= sizeof *job);
    job_delete(job);
    char *text = join("one and ", "another");
    assert_string_equal(text, "one and another");
    ouro_free(text);
}

static void the_cache_gives_way(void **state)
{
    (void)state;
    static struct cache cache;
    for (; cache.count < 100; cache.count++)
        cache.blocks[cache.count] = ouro_malloc(200000);
    limit_to_32_megabytes(&cache);
    void *p = ouro_malloc(16 * MIB);
    assert_non_null(p);
    assert_true(cache.count < 100);
    ouro_free(p);
    while (cache.count > 0)
        ouro_free(cache.blocks[--cache.count]);
    ouro_set_limit(0, NULL, NULL);
}

static void statistics_are_written(void **state)
{
    (void)state;
    char text[64];
    FILE *out = tmpfile();
    write_statistics(out);
    rewind(out);
    assert_non_null(fgets(text, sizeof text, out));
    assert_memory_equal(text, "{\"mapped\":", 10);
    fclose(out);
}

static bool join_thrice(void)
{
    char *texts[3];
    bool all = true;
    for (int i = 0; i < 3; i++) {
        texts[i] = join("abc", "def");
        all = all && texts[i];
    }
    for (int i = 0; i < 3; i++)
        ouro_free(texts[i]);
    return all;
}

static void joining_survives_every_fault(void **state)
{
    (void)state;
    uint64_t before = bytes_alive();
    assert_true(survives_every_fault(join_thrice));
    assert_int_equal(bytes_alive(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_programs_supply_is_asked_for_regions),
        cmocka_unit_test(the_pair_and_the_join_work),
        cmocka_unit_test(the_cache_gives_way),
        cmocka_unit_test(statistics_are_written),
        cmocka_unit_test(joining_survives_every_fault),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
