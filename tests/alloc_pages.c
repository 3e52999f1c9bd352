/* SPDX-License-Identifier: MIT */
/* White-box: includes alloc/heap.h. The invariants of pages, heaps and the arena hold after any
 * operations; empty pages go back; memory goes back to the system. */
#include "alloc_check.h"
#include "alloc/runtime.h"

struct slot {
    char *p;
    size_t size, align;
    unsigned tag;
};

enum { SLOTS = 3000 };
static struct slot slots[SLOTS];

static size_t live_in_pages(void)
{
    size_t n = 0;
    for (int i = 0; i < SLOTS; i++) {
        if (slots[i].p)
            n += ouro__place_of(slots[i].p).kind == OURO__PAGE_BLOCKS;
    }
    return n;
}

static void operate(struct slot *slot, uint64_t *seed)
{
    if (slot->p) {
        assert_true(is_filled(slot->p, slot->size));
        ouro__cell_free(slot->p, slot->tag, slot->align);
        slot->p = NULL;
        return;
    }
    slot->size = random_size(seed) + 1;
    slot->tag = next_random(seed) % 3 == 0 ? OURO__COUNTED : OURO__RAW;
    slot->align = next_random(seed) % 8 == 0 ? (size_t)16 << next_random(seed) % 10 : 16;
    size_t header = ouro__cell_offset(slot->tag);
    slot->p = ouro__cell_alloc(slot->tag, slot->size + header, slot->align);
    assert_non_null(slot->p);
    assert_int_equal((uintptr_t)slot->p % slot->align, 0);
    fill(slot->p, slot->size);
    if (header)
        memset((char *)slot->p - header, 0xA5, header);
}

static void free_all(void)
{
    for (int i = 0; i < SLOTS; i++) {
        if (slots[i].p)
            ouro__cell_free(slots[i].p, slots[i].tag, slots[i].align);
        slots[i].p = NULL;
    }
}

static void invariants_hold_after_random_operations(void **state)
{
    (void)state;
    uint64_t seed = 77;
    struct ouro__heap *heap = ouro__heap_mine();
    int rounds = is_slow() ? 20 : 100;
    for (int i = 0; i < rounds; i++) {
        for (int j = 0; j < 2000; j++)
            operate(&slots[next_random(&seed) % SLOTS], &seed);
        assert_int_equal(check_heap(heap), live_in_pages());
        check_arena();
        if (i % 10 == 3)
            ouro_fail_nth_alloc((size_t)1 << 40, false); /* watched for a while */
        if (i % 10 == 6)
            ouro_fail_nth_alloc(0, false);
        if (i % 10 == 8)
            ouro_trim();
    }
    ouro_fail_nth_alloc(0, false);
    free_all();
    assert_int_equal(check_heap(heap), 0);
    ouro_trim();
    check_arena();
}

static void a_heap_of_which_all_was_freed_has_no_page_after_trim(void **state)
{
    (void)state;
    uint64_t seed = 99;
    for (int j = 0; j < 20000; j++)
        operate(&slots[next_random(&seed) % SLOTS], &seed);
    free_all();
    ouro_trim();
    assert_null(ouro__heap_mine()->all);
    struct ouro_stats figures;
    ouro_stats_get(&figures);
    assert_int_equal(figures.used, 0);
    assert_int_equal(figures.idle, 0);
    assert_true(figures.chunks <= 1);
    assert_true(figures.peak_used > 0);
}

static void invariants_hold_after_runs_of_frees(void **state)
{
    (void)state;
    uint64_t seed = 123;
    struct ouro__heap *heap = ouro__heap_mine();
    if (heap->pub.watched)
        skip(); /* on Valgrind: runs are for heaps that are not */
    for (int round = 0; round < 30; round++) {
        for (int j = 0; j < 5000; j++)
            operate(&slots[next_random(&seed) % SLOTS], &seed);
        struct ouro__run run = OURO__RUN_INIT;
        size_t freed = 0;
        for (int i = (int)(next_random(&seed) % SLOTS); i < SLOTS; i++) {
            struct slot *slot = &slots[i];
            if (!slot->p || slot->align > 16 || slot->size + 16 > OURO__SMALL_MAX_SIZE)
                continue;
            ouro__run_free(&run, &heap->pub, slot->p, slot->tag, freed++);
            slot->p = NULL;
        }
        ouro__run_end(&run, freed);
        assert_int_equal(check_heap(heap), live_in_pages());
        check_arena();
    }
    free_all();
    assert_int_equal(check_heap(heap), 0);
    ouro_trim();
}

static void an_empty_page_goes_back_when_another_is_queued(void **state)
{
    (void)state;
    enum { N = 8 * 1024 };
    static void *p[N];
    ouro_trim();
    for (int i = 0; i < N; i++)
        p[i] = ouro_malloc(64);
    struct ouro_stats full, empty;
    ouro_stats_get(&full);
    for (int i = 0; i < N; i++)
        ouro_free(p[i]);
    ouro_stats_get(&empty);
    assert_true(full.used >= N * 64);
    assert_true(empty.used <= 2 * OURO__SLICE_SIZE); /* the current page and one that is kept */
}

static void aligned_cells_of_objects_have_their_header_and_room_before_it(void **state)
{
    (void)state;
    for (size_t align = 16; align <= 16 * MIB; align *= 2) {
        for (size_t size = 32; size <= 8 * MIB; size *= 4) {
            char *p = ouro__cell_alloc(OURO__COUNTED, size, align);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % align, 0);
            struct ouro__place place = ouro__place_of(p);
            assert_true(p - 16 >= place.block && p - 16 + size <= place.block + place.bytes);
            assert_int_equal(place.tag, OURO__COUNTED);
            assert_true(align == 16 || p - 16 - OURO__SPARE >= place.block);
            memset(p - 16, 0x77, size);
            ouro__cell_free(p, OURO__COUNTED, align);
        }
    }
    check_heap(ouro__heap_mine());
    check_arena();
}

static size_t idle_bytes(void)
{
    struct ouro_stats stats;
    ouro_stats_get(&stats);
    return stats.idle;
}

/* 32 MiB, where not much is in use, whatever the delay; and at once what trim is asked for. */
static void idle_memory_is_bounded_and_goes_by_trim(void **state)
{
    (void)state;
    if (is_slow())
        skip();
    enum { N = 400000 };
    static void *p[N];
    ouro_option_set("purge_delay", 3600000);
    size_t before = resident();
    for (int i = 0; i < N; i++) {
        p[i] = ouro_malloc(200);
        memset(p[i], 1, 200);
    }
    size_t full = resident();
    for (int i = 0; i < N; i++)
        ouro_free(p[i]);
    size_t left = resident(), idle = idle_bytes(), freed = ouro_trim();
    size_t after = resident();
    ouro_option_set("purge_delay", 100);
    assert_true(full > before + 75 * MIB);
    assert_true(left < before + 40 * MIB);
    assert_in_range(idle, 8 * MIB, 32 * MIB);
    assert_true(freed >= idle);
    assert_int_equal(idle_bytes(), 0);
    assert_true(after < before + 8 * MIB);
}

/* What is free inside pages of which other blocks are in use, and those are whole after it. */
static void trim_gives_back_what_large_free_blocks_hold(void **state)
{
    (void)state;
    if (is_slow() || OURO_CHECKED)
        skip(); /* what is free reads as POISON there */
    enum { N = 2000, SIZE = 40000 };
    static unsigned char *p[N];
    size_t before = resident();
    for (int i = 0; i < N; i++) {
        p[i] = ouro_malloc(SIZE);
        memset(p[i], i, SIZE);
    }
    size_t full = resident();
    for (int i = 0; i < N; i++) {
        if (i % 8 != 0)
            ouro_free(p[i]);
    }
    size_t freed = ouro_trim(), after = resident();
    assert_true(full > before + 75 * MIB);
    assert_true(after < before + 20 * MIB);
    assert_in_range(freed, 50 * MIB, 80 * MIB);
    assert_int_equal(ouro_trim(), 0);
    for (int i = 0; i < N; i++) {
        if (i % 8 != 0)
            p[i] = ouro_malloc(SIZE);
        else
            assert_true(p[i][0] == (unsigned char)i && p[i][SIZE - 1] == (unsigned char)i);
    }
    for (int i = 0; i < N; i++)
        ouro_free(p[i]);
    check_heap(ouro__heap_mine());
    check_arena();
}

static size_t blocks_cut(void)
{
    size_t cut = 0;
    for (const struct ouro__page *page = ouro__heap_mine()->all; page; page = page->all_next)
        cut += page->capacity;
    return cut;
}

static void what_came_back_serves_before_more_is_cut(void **state)
{
    (void)state;
    enum { N = 300, SIZE = 512, BACK = 40 };
    void *p[N];
    for (int i = 0; i < N; i++)
        p[i] = ouro_malloc(SIZE);
    size_t before = blocks_cut();
    for (int i = 0; i < BACK; i++)
        ouro_free(p[i]);
    for (int i = 0; i < BACK; i++)
        p[i] = ouro_malloc(SIZE);
    assert_int_equal(blocks_cut(), before);
    check_heap(ouro__heap_mine());
    for (int i = 0; i < N; i++)
        ouro_free(p[i]);
}

/* So that long runs of free slices stay whole for large blocks. */
static void a_span_goes_where_it_fits_best(void **state)
{
    (void)state;
    struct ouro_runtime *runtime;
    assert_int_equal(ouro_runtime_new(NULL, &runtime), OURO_OK);
    assert_int_equal(ouro_runtime_enter(runtime), OURO_OK);
    const size_t slices[] = {20, 9, 20, 3, 6, 5}; /* a chunk has 63 */
    char *p[6];
    for (int i = 0; i < 6; i++)
        p[i] = ouro_malloc(slices[i] * OURO__SLICE_SIZE);
    for (int i = 1; i < 6; i++)
        assert_ptr_equal(p[i], p[i - 1] + slices[i - 1] * OURO__SLICE_SIZE);
    char *other = ouro_malloc(8 * OURO__SLICE_SIZE); /* the next chunk has free ones, too */
    for (int i = 1; i < 6; i += 2)
        ouro_free(p[i]);
    check_arena();
    assert_ptr_equal(ouro_malloc(4 * OURO__SLICE_SIZE), p[5]);
    assert_ptr_equal(ouro_malloc(3 * OURO__SLICE_SIZE), p[3]);
    assert_ptr_equal(ouro_malloc(8 * OURO__SLICE_SIZE), p[1]);
    assert_ptr_equal(ouro_malloc(2 * OURO__SLICE_SIZE - 1), other + 8 * OURO__SLICE_SIZE);
    check_arena();
    ouro_runtime_leave(runtime);
    assert_int_equal(ouro_runtime_destroy(runtime, NULL), OURO_OK);
}

/* Even where what was never touched would fit better. */
static void memory_that_is_there_is_used_first(void **state)
{
    (void)state;
    struct ouro_runtime *runtime;
    assert_int_equal(ouro_runtime_new(NULL, &runtime), OURO_OK);
    assert_int_equal(ouro_runtime_enter(runtime), OURO_OK);
    ouro_option_set("purge_delay", 3600000);
    char *touched = ouro_malloc(28 * OURO__SLICE_SIZE);
    char *next = ouro_malloc(30 * OURO__SLICE_SIZE); /* 5 slices of the chunk are left */
    assert_ptr_equal(next, touched + 28 * OURO__SLICE_SIZE);
    ouro_free(touched);
    assert_ptr_equal(ouro_malloc(4 * OURO__SLICE_SIZE), touched);
    check_arena();
    ouro_runtime_leave(runtime);
    assert_int_equal(ouro_runtime_destroy(runtime, NULL), OURO_OK);
}

/* Uses and frees 40 MB, and waits until they may be purged; returns what was resident before. */
static size_t leave_empty_pages(void)
{
    enum { N = 200000 };
    static void *p[N];
    ouro_option_set("purge_delay", 20);
    ouro_trim();
    size_t before = resident();
    for (int i = 0; i < N; i++) {
        p[i] = ouro_malloc(200);
        memset(p[i], 1, 200);
    }
    for (int i = 0; i < N; i++)
        ouro_free(p[i]);
    usleep(60000);
    return before;
}

static void empty_pages_go_back_by_themselves_after_the_delay(void **state)
{
    (void)state;
    if (is_slow())
        skip();
    size_t before = leave_empty_pages();
    ouro_free(ouro_malloc(100000)); /* anything that gives slices back */
    assert_true(resident() < before + 8 * MIB);
    ouro_option_set("purge_delay", 100);
}

/* A program that only grows from then on, however little, gives back what it does not use. */
static void idle_pages_go_back_when_pages_are_taken(void **state)
{
    (void)state;
    if (is_slow())
        skip();
    enum { KINDS = 16 };
    void *kept[KINDS];
    size_t before = leave_empty_pages();
    for (int i = 0; i < KINDS; i++)
        kept[i] = ouro_malloc(1000 + 500 * (size_t)i);
    assert_true(resident() < before + 8 * MIB);
    for (int i = 0; i < KINDS; i++)
        ouro_free(kept[i]);
    ouro_option_set("purge_delay", 100);
}

static void a_huge_block_goes_back_at_once(void **state)
{
    (void)state;
    if (is_slow())
        skip();
    size_t before = resident();
    void *p = ouro_malloc(64 * MIB);
    memset(p, 1, 64 * MIB);
    assert_true(resident() > before + 60 * MIB);
    ouro_free(p);
    assert_true(resident() < before + 2 * MIB);
}

static void calloc_of_much_touches_little(void **state)
{
    (void)state;
    if (is_slow())
        skip();
    size_t before = resident();
    void *p = ouro_calloc(1, 256 * MIB);
    assert_non_null(p);
    assert_true(resident() < before + 2 * MIB);
    ouro_free(p);
}

static void the_block_of_every_address_is_found_without_dividing(void **state)
{
    (void)state;
    for (unsigned cls = 0; cls < OURO__CLASSES; cls++) {
        struct ouro__page *page = ouro__page_take(ouro__arena_mine(), cls, OURO__RAW);
        assert_non_null(page);
        size_t size = page->slices * OURO__SLICE_SIZE;
        for (size_t at = 0; at < size; at += at % 16 == 15 ? 1 : 15)
            assert_int_equal(ouro__block_index(page, page->start + at), at / page->bytes);
        ouro__slices_give(page);
    }
}

/* The systems that Ouro runs on give addresses of 47 bits on x86-64 and of 48 on aarch64, and there
 * from the top downwards. */
static void the_map_reaches_to_the_end_of_the_address_space(void **state)
{
    (void)state;
#if defined(__x86_64__)
    const unsigned bits = 47;
#else
    const unsigned bits = 48;
#endif
    const char *last = (const char *)(((uintptr_t)1 << bits) - OURO__CHUNK_SIZE);
    ouro__arena_lock(ouro__arena_mine());
    bool there = ouro__map_set(last, OURO__CHUNK_SIZE, 12);
    ouro__arena_unlock(ouro__arena_mine());
    assert_true(there);
    assert_int_equal(ouro__map_get(last + OURO__CHUNK_SIZE - 1), 12);
    ouro__arena_lock(ouro__arena_mine());
    assert_true(ouro__map_set(last, OURO__CHUNK_SIZE, 0));
    ouro__arena_unlock(ouro__arena_mine());
    assert_int_equal(ouro__map_get(last), 0);
}

struct found {
    size_t pages, spans, huge, with_ours;
    const void *ours;
};

static void count_place(const struct ouro__place *place, void *arg)
{
    struct found *found = arg;
    if (place->kind == OURO__PAGE_BLOCKS)
        found->pages++;
    else if (place->page)
        found->spans++;
    else
        found->huge++;
    const char *p = found->ours;
    size_t bytes = place->page ? place->page->slices * OURO__SLICE_SIZE : place->bytes;
    found->with_ours += p >= place->block && p < place->block + bytes;
    if (place->huge) /* what is visited stays mapped, whatever a visitor frees */
        ouro__cell_free(place->block + place->cell_at, place->tag, 16);
    if (place->huge)
        *(volatile char *)place->block = 1;
}

static void a_walk_finds_each_page_and_huge_block_of_its_tag(void **state)
{
    (void)state;
    ouro_trim();
    void *raw = ouro_malloc(100);
    void *object = ouro__cell_alloc(OURO__COUNTED, 100, 16);
    void *large = ouro__cell_alloc(OURO__COUNTED, 100000, 16);
    struct found found = {.ours = object};
    ouro__cell_alloc(OURO__COUNTED, 10 * MIB, 16);
    ouro__cell_alloc(OURO__COUNTED, 11 * MIB, 16);
    ouro__arena_each(OURO__COUNTED, count_place, &found);
    assert_int_equal(found.pages, 1);
    assert_int_equal(found.spans, 1);
    assert_int_equal(found.huge, 2);
    assert_int_equal(found.with_ours, 1);
    check_arena();
    ouro__cell_free(object, OURO__COUNTED, 16);
    ouro__cell_free(large, OURO__COUNTED, 16);
    ouro_free(raw);
    ouro_trim();
    struct ouro_stats figures;
    ouro_stats_get(&figures);
    assert_int_equal(figures.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(invariants_hold_after_random_operations),
        cmocka_unit_test(invariants_hold_after_runs_of_frees),
        cmocka_unit_test(a_heap_of_which_all_was_freed_has_no_page_after_trim),
        cmocka_unit_test(an_empty_page_goes_back_when_another_is_queued),
        cmocka_unit_test(aligned_cells_of_objects_have_their_header_and_room_before_it),
        cmocka_unit_test(idle_memory_is_bounded_and_goes_by_trim),
        cmocka_unit_test(trim_gives_back_what_large_free_blocks_hold),
        cmocka_unit_test(what_came_back_serves_before_more_is_cut),
        cmocka_unit_test(a_span_goes_where_it_fits_best),
        cmocka_unit_test(memory_that_is_there_is_used_first),
        cmocka_unit_test(empty_pages_go_back_by_themselves_after_the_delay),
        cmocka_unit_test(idle_pages_go_back_when_pages_are_taken),
        cmocka_unit_test(a_huge_block_goes_back_at_once),
        cmocka_unit_test(calloc_of_much_touches_little),
        cmocka_unit_test(the_block_of_every_address_is_found_without_dividing),
        cmocka_unit_test(the_map_reaches_to_the_end_of_the_address_space),
        cmocka_unit_test(a_walk_finds_each_page_and_huge_block_of_its_tag),
    };
    return cmocka_run_group_tests(tests, use_mmap, NULL);
}
