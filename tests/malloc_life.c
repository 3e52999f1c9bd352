/* SPDX-License-Identifier: MIT */
/* The life of a process on libouro-malloc.so: before main and after it, forks, threads that come
 * and go, limits. */
#include "malloc_util.h"
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

/* -- before main, after main ------------------------------------------------------------------- */

static char *made_before_main;

__attribute__((constructor(102))) static void before_main(void)
{
    made_before_main = malloc(1000);
    fill(made_before_main, 1000);
}

/* After exit handlers and the destructors of all others: a failure here ends the process badly. */
__attribute__((destructor(102))) static void after_everything(void)
{
    char *p = malloc(5000), *q = malloc(3 * MIB);
    if (!p || !q || !is_filled(made_before_main, 1000))
        _exit(99);
    p = realloc(p, 50000);
    free(p);
    free(q);
    free(made_before_main);
    free(malloc(10));
}

static void in_exit_handler(void)
{
    char *p = malloc(100);
    if (!p || !is_filled(made_before_main, 1000))
        _exit(98);
    free(p);
}

static void a_block_made_before_main_is_whole(void **state)
{
    (void)state;
    assert_true(is_filled(made_before_main, 1000));
    assert_int_equal(atexit(in_exit_handler), 0);
}

/* -- threads that end -------------------------------------------------------------------------- */

enum { ROUNDS = 4 }; /* of destructors, as POSIX promises */
static pthread_key_t key;
static void *made_late[ROUNDS];

static void in_destructor(void *round)
{
    size_t at = (size_t)(uintptr_t)round;
    void *p = malloc(100 * at), *q = malloc(100000);
    made_late[at - 1] = p;
    fill(p, 100 * at);
    free(q);
    if (at < ROUNDS)
        pthread_setspecific(key, (void *)(at + 1));
}

static void *end_with_destructors(void *arg)
{
    free(malloc(100));
    pthread_setspecific(key, (void *)1);
    return arg;
}

static void run_thread(void *(*body)(void *), void *arg)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, body, arg), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void destructors_of_threads_allocate_in_every_round(void **state)
{
    (void)state;
    assert_int_equal(pthread_key_create(&key, in_destructor), 0);
    struct mallinfo2 before = mallinfo2();
    for (int i = 0; i < 200; i++) {
        run_thread(end_with_destructors, NULL);
        for (size_t round = 1; round <= ROUNDS; round++) {
            assert_true(is_filled(made_late[round - 1], 100 * round));
            free(made_late[round - 1]);
        }
    }
    pthread_key_delete(key);
    assert_true(mallinfo2().uordblks < before.uordblks + 100 * KIB);
}

static void *come_and_go(void *arg)
{
    uint64_t seed = (uint64_t)(uintptr_t)arg + 1;
    void *blocks[50];
    for (int i = 0; i < 50; i++)
        blocks[i] = calloc(1, random_size(&seed) % 10000);
    for (int i = 0; i < 50; i++)
        free(blocks[i]);
    return NULL;
}

static void thousands_of_threads_leave_nothing_behind(void **state)
{
    (void)state;
    for (uintptr_t i = 0; i < 200; i++)
        run_thread(come_and_go, (void *)i);
    size_t before = resident();
    for (uintptr_t i = 0; i < (is_slow() ? 300 : 8000); i++)
        run_thread(come_and_go, (void *)i);
    assert_true(is_slow() || resident() < before + MIB);
}

static void *leave_a_block(void *arg)
{
    (void)arg;
    char *p = malloc(200);
    memset(p, 1, 200);
    return p;
}

/* What they made is freed here. */
static void blocks_of_ended_threads_are_used_again(void **state)
{
    (void)state;
    size_t before = 0;
    for (int i = 0; i < (is_slow() ? 500 : 4000); i++) {
        pthread_t thread;
        void *p;
        assert_int_equal(pthread_create(&thread, NULL, leave_a_block, NULL), 0);
        pthread_join(thread, &p);
        free(p);
        if (i == 400)
            before = resident();
    }
    assert_true(is_slow() || resident() < before + MIB);
}

/* -- one thread allocates, another frees ------------------------------------------------------- */

enum { RING = 1024 };
static _Atomic(void *) ring[RING];
static atomic_bool stop;

static void *free_only(void *arg)
{
    (void)arg;
    while (!atomic_load(&stop)) {
        for (int i = 0; i < RING; i++)
            free(atomic_exchange(&ring[i], NULL));
    }
    return NULL;
}

static void a_thread_that_only_frees_makes_nothing_grow(void **state)
{
    (void)state;
    pthread_t thread;
    size_t before = 0;
    uint64_t seed = 5;
    atomic_store(&stop, false);
    assert_int_equal(pthread_create(&thread, NULL, free_only, NULL), 0);
    for (int i = 0; i < (is_slow() ? 301000 : 3000000); i++) {
        void *p = malloc(random_size(&seed) % 1000);
        free(atomic_exchange(&ring[next_random(&seed) % RING], p));
        if (i == 300000)
            before = resident();
    }
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    for (int i = 0; i < RING; i++)
        free(atomic_exchange(&ring[i], NULL));
    assert_true(is_slow() || resident() < before + 2 * MIB);
}

/* -- fork -------------------------------------------------------------------------------------- */

static void *allocate_until_stopped(void *arg)
{
    uint64_t seed = (uint64_t)(uintptr_t)arg;
    while (!atomic_load(&stop)) {
        size_t size = random_size(&seed) + 1;
        char *p = malloc(size);
        p[0] = p[size - 1] = 1;
        free(atomic_exchange(&ring[next_random(&seed) % 64], p));
    }
    return NULL;
}

static void *child_thread(void *arg)
{
    uint64_t seed = (uint64_t)(uintptr_t)arg;
    for (int i = 0; i < 200; i++) {
        size_t size = random_size(&seed) + 1;
        char *p = malloc(size);
        p[0] = p[size - 1] = 1;
        free(p);
    }
    return NULL;
}

static int wait_for(pid_t child)
{
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}

/* All that a child may want: blocks of the parent's threads, threads, children of its own. */
static int live_as_child(char *kept, int deeper)
{
    alarm(20);
    if (!is_filled(kept, 5000))
        return 10;
    free(kept);
    for (int i = 0; i < 64; i++)
        free(atomic_exchange(&ring[i], NULL));
    pthread_t threads[2];
    for (uintptr_t i = 0; i < 2; i++) {
        if (pthread_create(&threads[i], NULL, child_thread, (void *)(i + 3)) != 0)
            return 11;
    }
    child_thread((void *)9);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    if (deeper == 0)
        return 0;
    kept = malloc(5000);
    fill(kept, 5000);
    pid_t child = fork();
    if (child == 0)
        return live_as_child(kept, deeper - 1);
    return wait_for(child);
}

static void children_of_threads_that_allocate_live_as_others(void **state)
{
    (void)state;
    enum { THREADS = 3, FORKS = 600, FORKS_LEAST = 60, SECONDS = 20 };
    if (OURO_TEST_EMULATED)
        skip();
    pthread_t threads[THREADS];
    char *kept = malloc(5000);
    fill(kept, 5000);
    atomic_store(&stop, false);
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, allocate_until_stopped, (void *)(i + 1)),
                         0);
    int bad = 0;
    const time_t start = time(NULL);
    for (int i = 0; i < FORKS && bad == 0; i++) {
        if (i >= FORKS_LEAST && time(NULL) > start + SECONDS)
            break; /* where forks are slow */
        pid_t child = fork();
        if (child == 0)
            _exit(live_as_child(kept, i % 4 == 0));
        bad = wait_for(child);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 64; i++)
        free(atomic_exchange(&ring[i], NULL));
    free(kept);
    assert_int_equal(bad, 0);
}

/* -- limits ------------------------------------------------------------------------------------ */

static size_t address_space(void)
{
    char text[64] = "";
    FILE *f = fopen("/proc/self/statm", "r");
    char *line = fgets(text, sizeof text, f);
    fclose(f);
    return line ? strtoul(line, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

static void limit_address_space(size_t more)
{
    struct rlimit limit = {address_space() + more, RLIM_INFINITY};
    setrlimit(RLIMIT_AS, &limit);
}

/* In a child, which sets the limit. */
static void ends_well_with_a_limit(void (*body)(void *))
{
    char text[1024];
    if (OURO_TEST_EMULATED)
        skip();
    assert_int_equal(run_in_child(body, NULL, text, sizeof text), 0);
}

/* Takes blocks of a size until one is refused, linked; how many. */
static size_t take_all(size_t size, void **list)
{
    size_t n = 0;
    for (void **p; (p = malloc(size)) != NULL; n++) {
        *p = *list;
        *list = p;
    }
    return n;
}

static void give_all(void **list)
{
    while (*list) {
        void **p = *list;
        *list = *p;
        free(p);
    }
}

static void fill_up_and_try_other_sizes(void *arg)
{
    const size_t room = 60 * MIB;
    const size_t sizes[] = {100, 5000, 20000, 300000, 3 * MIB, 40 * MIB, 64};
    (void)arg;
    limit_address_space(room);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *list = NULL;
        errno = 0;
        size_t n = take_all(sizes[i], &list);
        if (errno != ENOMEM)
            _exit(20);
        /* At level 3 most of that is never touched. */
        size_t takes = hardening() == 3 && sizes[i] == 20000 ? GUARDED : sizes[i];
        if (n * takes < room / 2)
            _exit(21 + (int)i);
        give_all(&list);
    }
}

/* What one size has left behind is there for the next. */
static void a_limit_of_address_space_refuses_and_nothing_else(void **state)
{
    (void)state;
    ends_well_with_a_limit(fill_up_and_try_other_sizes);
}

/* Nothing is left of any size; each entry point says so and leaves all as it was. */
static void ask_where_nothing_is_left(void *arg)
{
    (void)arg;
    const size_t much = 600000;
    void *list = NULL, *untouched = &list;
    char *kept = malloc(500);
    fill(kept, 500);
    limit_address_space(40 * MIB);
    for (size_t size = 10 * MIB; size >= 16; size /= 2)
        take_all(size, &list);
#define REFUSED(call) (errno = 0, (call) == NULL && errno == ENOMEM)
    bool all = REFUSED(malloc(much)) && REFUSED(calloc(1, much)) && REFUSED(realloc(kept, much)) &&
               REFUSED(realloc(NULL, much)) && REFUSED(reallocarray(kept, much, 1)) &&
               REFUSED(reallocf(NULL, much)) && REFUSED(aligned_alloc(64, much)) &&
               REFUSED(memalign(4096, much)) && REFUSED(valloc(much)) && REFUSED(pvalloc(much)) &&
               REFUSED(malloc(48)) && REFUSED(calloc(3, 16)) && REFUSED(memalign(32, 48));
#undef REFUSED
    errno = EEXIST;
    all &= posix_memalign(&untouched, 64, much) == ENOMEM && errno == EEXIST;
    if (!all || untouched != &list || !is_filled(kept, 500))
        _exit(40);
    give_all(&list);
    if (!(kept = realloc(kept, much)))
        _exit(41);
}

static void each_entry_point_is_refused_where_nothing_is_left(void **state)
{
    (void)state;
    ends_well_with_a_limit(ask_where_nothing_is_left);
}

static void take_one_that_needs_all(void *arg)
{
    (void)arg;
    void *list = NULL;
    limit_address_space(100 * MIB);
    take_all(1000, &list);
    give_all(&list);
    void *p = malloc(80 * MIB);
    if (!p)
        _exit(30);
    free(p);
    for (int i = 0; i < 20; i++)
        list = malloc(i % 2 ? 30 * MIB : 2 * MIB), free(list);
    if (!(p = malloc(80 * MIB)))
        _exit(31);
    free(p);
    if (take_all(1000, &list) < 70 * MIB / 1000)
        _exit(32);
}

static void empty_chunks_make_way_for_a_large_block(void **state)
{
    (void)state;
    ends_well_with_a_limit(take_one_that_needs_all);
}

static void *count_refusals(void *arg)
{
    size_t *refused = arg;
    for (int i = 0; i < 100; i++) {
        void *p = malloc(4096 * MIB);
        *refused += p == NULL && errno == ENOMEM;
        free(p);
        free(malloc(10));
    }
    return NULL;
}

static void refuse_in_a_thread(void *arg)
{
    (void)arg;
    size_t refused = 0;
    limit_address_space(40 * MIB);
    pthread_t thread;
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 256 * KIB);
    if (pthread_create(&thread, &small, count_refusals, &refused) != 0)
        _exit(40);
    pthread_join(thread, NULL);
    if (refused != 100)
        _exit(41);
}

static void threads_are_refused_one_by_one(void **state)
{
    (void)state;
    ends_well_with_a_limit(refuse_in_a_thread);
}

/* -- memory ------------------------------------------------------------------------------------ */

static void empty_pages_go_back_after_a_delay(void **state)
{
    (void)state;
    enum { COUNT = 60000 };
    static char *blocks[COUNT];
    for (int i = 0; i < COUNT; i++)
        memset(blocks[i] = malloc(1000), 1, 1000);
    size_t full = resident();
    for (int i = 0; i < COUNT; i++)
        free(blocks[i]);
    for (int i = 0; i < 60 && !is_slow() && resident() + 50 * MIB > full; i++) {
        usleep(10000);
        free(malloc(200000)); /* whoever takes or gives pages sees to what is due */
    }
    assert_true(is_slow() || resident() + 50 * MIB < full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_made_before_main_is_whole),
        cmocka_unit_test(destructors_of_threads_allocate_in_every_round),
        cmocka_unit_test(thousands_of_threads_leave_nothing_behind),
        cmocka_unit_test(blocks_of_ended_threads_are_used_again),
        cmocka_unit_test(a_thread_that_only_frees_makes_nothing_grow),
        cmocka_unit_test(children_of_threads_that_allocate_live_as_others),
        cmocka_unit_test(a_limit_of_address_space_refuses_and_nothing_else),
        cmocka_unit_test(each_entry_point_is_refused_where_nothing_is_left),
        cmocka_unit_test(empty_chunks_make_way_for_a_large_block),
        cmocka_unit_test(threads_are_refused_one_by_one),
        cmocka_unit_test(empty_pages_go_back_after_a_delay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
