/* SPDX-License-Identifier: MIT */
/* Supplies: those that come along, a program's own, and ones that refuse. */
#include "alloc_util.h"
#include <sys/mman.h>

static size_t maps, unmaps, purges, live_bytes;
static int refuse_now;

static void *map(size_t size, size_t align)
{
    if (refuse_now)
        return NULL;
    char *p = mmap(NULL, size + align, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    char *start = (char *)(((uintptr_t)p + align - 1) & ~(uintptr_t)(align - 1));
    if (start > p)
        munmap(p, (size_t)(start - p));
    if (p + align > start)
        munmap(start + size, (size_t)(p + align - start));
    maps++;
    live_bytes += size;
    return start;
}

static void unmap(void *p, size_t size)
{
    unmaps++;
    live_bytes -= size;
    munmap(p, size);
}

/* Keeps the contents, and says so. */
static bool purge(void *p, size_t size)
{
    (void)p;
    (void)size;
    purges++;
    return false;
}

static const struct ouro_supply own = {.name = "own", .map = map, .unmap = unmap, .purge = purge};

static int use_own(void **state)
{
    (void)state;
    return ouro_supply_use(&own) == OURO_OK ? 0 : -1;
}

static void incomplete_supplies_are_refused(void **state)
{
    (void)state;
    struct ouro_supply bad = {.name = "bad"};
    assert_int_equal(ouro_supply_use(NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_supply_use(&bad), OURO_BAD_ARGUMENT);
    bad.map = map;
    assert_int_equal(ouro_supply_use(&bad), OURO_BAD_ARGUMENT);
    bad.unmap = unmap;
    assert_int_equal(ouro_supply_use(&bad), OURO_BAD_ARGUMENT);
    struct ouro_supply half = {.name = "half", .block = ouro_supply_system.block};
    assert_int_equal(ouro_supply_use(&half), OURO_BAD_ARGUMENT);
    half.block_free = ouro_supply_system.block_free;
    assert_int_equal(ouro_supply_use(&half), OURO_BAD_ARGUMENT);
}

static void a_programs_own_supply_serves_and_gets_its_memory_back(void **state)
{
    (void)state;
    enum { N = 200 };
    void *p[N];
    uint64_t seed = 5;
    for (int i = 0; i < N; i++) {
        p[i] = ouro_malloc(50000 + next_random(&seed) % 200000);
        assert_non_null(p[i]);
    }
    void *huge = ouro_malloc(20 * MIB);
    assert_non_null(huge);
    assert_true(live_bytes >= 25 * MIB);
    for (int i = 0; i < N; i++)
        ouro_free(p[i]);
    ouro_free(huge);
    ouro_trim();
    assert_true(purges > 0);
    assert_true(live_bytes <= 4 * MIB);
    assert_string_equal(ouro_supply_get()->name, "own");
}

static void calloc_does_not_trust_a_supply_that_keeps_contents(void **state)
{
    (void)state;
    unsigned char *p = ouro_malloc(200000);
    memset(p, 0xEE, 200000);
    ouro_free(p);
    ouro_trim();
    p = ouro_calloc(1, 200000);
    for (size_t i = 0; i < 200000; i++)
        assert_int_equal(p[i], 0);
    ouro_free(p);
}

static void a_supply_that_refuses_is_exhaustion(void **state)
{
    (void)state;
    void *kept = ouro_malloc(100);
    fill(kept, 100);
    refuse_now = 1;
    assert_null(ouro_malloc(30 * MIB));
    void *list = NULL, *p;
    while ((p = ouro_malloc(4000)) != NULL) {
        *(void **)p = list;
        list = p;
    }
    assert_null(ouro_aligned_alloc(8 * MIB, 1));
    refuse_now = 0;
    for (; list; list = p) {
        p = *(void **)list;
        ouro_free(list);
    }
    assert_true(is_filled(kept, 100));
    ouro_free(kept);
    p = ouro_malloc(30 * MIB);
    assert_non_null(p);
    ouro_free(p);
}

static void each(const struct ouro_supply *supply)
{
    assert_int_equal(ouro_supply_use(supply), OURO_OK);
    enum { N = 500 };
    static void *p[N];
    static size_t size[N];
    uint64_t seed = 11;
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < N; i++) {
            size[i] = random_size(&seed);
            p[i] = i % 3 ? ouro_malloc(size[i]) : ouro_aligned_alloc(256, size[i]);
            assert_non_null(p[i]);
            fill(p[i], size[i]);
        }
        for (int i = 0; i < N; i++) {
            assert_true(is_filled(p[i], size[i]));
            ouro_free(p[i]);
        }
    }
    ouro_set_limit(4 * MIB, NULL, NULL);
    assert_null(ouro_malloc(5 * MIB));
    int n = 0;
    while (n < N && (p[n] = ouro_malloc(100000)) != NULL)
        n++;
    assert_true(n >= 30 && n <= 42);
    while (n > 0)
        ouro_free(p[--n]);
    ouro_set_limit(0, NULL, NULL);
    ouro_trim();
}

static void use_system(void *arg)
{
    each(arg);
}

static void mmap_and_system_serve_and_keep_limits(void **state)
{
    (void)state;
    char text[2048];
    int status = run_in_child(use_system, (void *)(uintptr_t)&ouro_supply_mmap, text, sizeof text);
    assert_int_equal(status, 0);
    status = run_in_child(use_system, (void *)(uintptr_t)&ouro_supply_system, text, sizeof text);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mmap_and_system_serve_and_keep_limits), /* in children, before first use */
        cmocka_unit_test(incomplete_supplies_are_refused),
        cmocka_unit_test_setup(a_programs_own_supply_serves_and_gets_its_memory_back, use_own),
        cmocka_unit_test(calloc_does_not_trust_a_supply_that_keeps_contents),
        cmocka_unit_test(a_supply_that_refuses_is_exhaustion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
