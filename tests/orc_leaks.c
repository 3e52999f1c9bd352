/* SPDX-License-Identifier: MIT */
/* The list of what is alive: by type, count and bytes; at the program's end, by option; without
 * memory. White-box: makes objects that no type was ever told of.
 *
 * The end of a program is tested in programs: this one, started again with the name of a scenario.
 */
#include "orc_kit.h"
#include "again.h"

#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* -- objects without a type -------------------------------------------------------------------- */

static void *untyped_new(size_t size)
{
    void *object = ouro__cell_alloc(OURO__COUNTED, size + sizeof(struct ouro_header), 16);
    KIT_CHECK(object != NULL);
    struct ouro_header *h = ouro__header(object);
    h->local = ouro__owned_local(ouro__self->home, 1);
    h->visited = OURO__ACYCLIC;
    ouro__store(&h->shared, ouro__self->home);
    return object;
}

static void untyped_free(void *object)
{
    ouro__store(&ouro__header(object)->shared, 0);
    ouro__cell_free(object, OURO__COUNTED, 16);
}

/* -- libc's malloc, counted -------------------------------------------------------------------- */

static volatile size_t mallocs;

#if OURO_TEST_LIBC_NAMES && !OURO_ASAN && !OURO_TSAN
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *p, size_t size);
void *malloc(size_t size)
{
    mallocs++;
    return __libc_malloc(size);
}
void *calloc(size_t count, size_t size)
{
    mallocs++;
    return __libc_calloc(count, size);
}
void *realloc(void *p, size_t size)
{
    mallocs++;
    return __libc_realloc(p, size);
}
#endif

/* -- the list ---------------------------------------------------------------------------------- */

static struct ouro_alive rows[1100];
static size_t row_count;

static void remember(const struct ouro_alive *alive, void *arg)
{
    (void)arg;
    rows[row_count++] = *alive;
}

static size_t list(void)
{
    row_count = 0;
    return ouro_list_alive(remember, NULL);
}

static size_t block_of(const void *object)
{
    return ouro__place_of(object).bytes;
}

static const struct ouro_alive *row_named(const char *name, size_t size)
{
    for (size_t i = 0; i < row_count; i++) {
        bool same = rows[i].type_name == name ||
                    (rows[i].type_name && name && strcmp(rows[i].type_name, name) == 0);
        if (same && rows[i].size == size)
            return &rows[i];
    }
    return NULL;
}

static void the_list_goes_by_type_count_and_bytes(void **state)
{
    (void)state;
    assert_int_equal(list(), 0);
    assert_int_equal(row_count, 0);
    struct node *nodes[20];
    struct leaf *leaves[3];
    for (int i = 0; i < 20; i++)
        nodes[i] = node_new(i);
    for (int i = 0; i < 3; i++)
        leaves[i] = leaf_new(i);
    static struct ouro_type large = {.size = 300000, .name = "large", .flags = OURO_ACYCLIC};
    void *big = ouro_new(&large, large.size);
    assert_int_equal(list(), 24);
    assert_int_equal(row_count, 3);
    assert_string_equal(rows[0].type_name, "large"); /* most bytes first */
    assert_int_equal(rows[0].count, 1);
    assert_int_equal(rows[0].bytes, block_of(big));
    assert_string_equal(rows[1].type_name, "struct node");
    assert_int_equal(rows[1].count, 20);
    assert_int_equal(rows[1].bytes, 20 * block_of(nodes[0]));
    assert_string_equal(rows[2].type_name, "leaf");
    assert_int_equal(rows[2].count, 3);
    assert_int_equal(rows[2].bytes, 3 * block_of(leaves[0]));
    ouro_decref(big);
    for (int i = 0; i < 20; i++)
        ouro_decref(nodes[i]);
    for (int i = 0; i < 3; i++)
        ouro_decref(leaves[i]);
    assert_int_equal(list(), 0);
}

static void blocks_without_a_type_go_by_size(void **state)
{
    (void)state;
    ouro_decref(leaf_new(1));
    static const size_t sizes[] = {16, 16, 16, 100, 5000, 5000, 200000};
    void *blocks[OURO_COUNT_OF(sizes)];
    for (size_t i = 0; i < OURO_COUNT_OF(sizes); i++)
        blocks[i] = untyped_new(sizes[i]);
    assert_int_equal(list(), OURO_COUNT_OF(sizes));
    assert_int_equal(row_count, 4);
    static const struct {
        size_t at, count;
    } expected[] = {{0, 3}, {3, 1}, {4, 2}, {6, 1}};
    for (size_t i = 0; i < 4; i++) {
        size_t size = block_of(blocks[expected[i].at]);
        const struct ouro_alive *row = row_named(NULL, size);
        assert_non_null(row);
        assert_int_equal(row->count, expected[i].count);
        assert_int_equal(row->bytes, expected[i].count * size);
    }
    for (size_t i = 0; i < OURO_COUNT_OF(sizes); i++)
        untyped_free(blocks[i]);
    assert_int_equal(list(), 0);
}

static void immortal_objects_and_what_is_pending_are_not_listed(void **state)
{
    (void)state;
    static struct node *volatile kept;
    kept = node_new(1);
    ouro_make_immortal(kept);
    struct node *ring = node_new(2);
    ring->a = ring;
    ouro_incref(ring);
    ouro_decref(ring);
    ouro_decref_later(node_new(3));
    assert_int_equal(list(), KIT_ATOMIC && OURO_TSAN ? 1 : 0); /* alone, the collector took it */
}

#define MANY 700
static void beyond_so_many_types_the_rest_comes_as_one(void **state)
{
    (void)state;
    static struct ouro_type types[MANY];
    static char names[MANY][16];
    static void *objects[MANY];
    for (size_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "type %zu", i);
        types[i] = (struct ouro_type){.size = 8, .name = names[i], .flags = OURO_ACYCLIC};
        objects[i] = ouro_new(&types[i], 8);
        assert_non_null(objects[i]);
    }
    assert_int_equal(list(), MANY);
    assert_int_equal(row_count, 513);
    assert_string_equal(rows[0].type_name, "(other types)");
    assert_int_equal(rows[0].count, MANY - 512);
    for (size_t i = 0; i < MANY; i++)
        ouro_decref(objects[i]);
}

static void report(void *arg)
{
    *(size_t *)arg = ouro_report_leaks();
}

static void the_report_is_a_line_a_type(void **state)
{
    (void)state;
    size_t n;
    assert_string_equal(kit_stderr_of(report, &n), "");
    assert_int_equal(n, 0);
    struct leaf *one = leaf_new(1);
    struct node *two[2] = {node_new(1), node_new(2)};
    void *untyped[3] = {untyped_new(1000), untyped_new(1000), untyped_new(1000)};
    char expected[512];
    snprintf(expected, sizeof expected,
             "ouro: alive: 3 objects of %zu bytes without a type, %zu bytes\n"
             "ouro: alive: 2 objects of type struct node, %zu bytes\n"
             "ouro: alive: 1 object of type leaf, %zu bytes\n",
             block_of(untyped[0]), 3 * block_of(untyped[0]), 2 * block_of(two[0]), block_of(one));
    assert_string_equal(kit_stderr_of(report, &n), expected);
    assert_int_equal(n, 6);
    for (int i = 0; i < 3; i++)
        untyped_free(untyped[i]);
    ouro_decref(two[0]);
    ouro_decref(two[1]);
    ouro_decref(one);
}

static void the_report_allocates_nothing(void **state)
{
    (void)state;
    struct leaf *one = leaf_new(1);
    struct node *two[2] = {node_new(1), node_new(2)};
    list(); /* what settling needs is there */
    struct ouro_stats before, after;
    ouro_stats_get(&before);
    ouro_fail_nth_alloc(1, true);
    size_t mallocs_before = mallocs;
    assert_int_equal(list(), 3);
    assert_int_equal(mallocs, mallocs_before);
    ouro_fail_nth_alloc(0, false);
    ouro_stats_get(&after);
    assert_int_equal(after.failed, before.failed);
    ouro_decref(two[0]);
    ouro_decref(two[1]);
    ouro_decref(one);
}

static void list_again(const struct ouro_alive *alive, void *arg)
{
    (void)alive;
    *(size_t *)arg = ouro_report_leaks();
}

static void a_list_inside_a_list_is_empty(void **state)
{
    (void)state;
    struct leaf *one = leaf_new(1);
    size_t inner = 1;
    assert_int_equal(ouro_list_alive(list_again, &inner), 1);
    assert_int_equal(inner, 0);
    ouro_decref(one);
}

/* -- programs ---------------------------------------------------------------------------------- */

static void *kept_by_program;

static void leak_some(void)
{
    for (int i = 0; i < 3; i++)
        node_new(i);
    leaf_new(1);
    untyped_new(1000);
}
static void clean_up(void)
{
    ouro_decref(kept_by_program);
}
static void be_born_late(void)
{
    leaf_new(1);
}
static void exit_from(const struct ouro_alive *alive, void *arg)
{
    (void)alive;
    (void)arg;
    exit(0);
}
static void exit_from_hook(struct hooked *dying)
{
    (void)dying;
    exit(0);
}

static struct ouro_type endless = {.size = 60, .name = "endless", .flags = OURO_ACYCLIC};
static pthread_barrier_t running;
static void *run_for_ever(void *arg)
{
    uint64_t seed = (uint64_t)getpid();
    void *raw[64] = {NULL};
    struct node *nodes[64] = {NULL};
    for (size_t i = 0; arg == NULL; i++) {
        size_t at = kit_random(&seed) % 64;
        ouro_free(raw[at]);
        raw[at] = ouro_malloc(kit_random(&seed) % 3000);
        if (raw[at])
            memset(raw[at], (int)(seed >> 8), 16);
        ouro_decref(nodes[at]);
        nodes[at] = node_new((int64_t)i);
        ouro_decref(ouro_new(&endless, 60 + (i % 20 ? 0 : 100000)));
        if (i == 1000)
            pthread_barrier_wait(&running);
        if (i % 100 == 0)
            ouro_trim();
    }
    return NULL;
}

static int scenario(const char *name)
{
    if (strcmp(name, "clean") == 0) {
        for (int i = 0; i < 1000; i++)
            ouro_decref(hooked_new(i));
    } else if (strcmp(name, "untouched") == 0) {
        ouro_free(ouro_malloc(10));
    } else if (strcmp(name, "leaky") == 0) {
        leak_some();
    } else if (strcmp(name, "late-drop") == 0) {
        atexit(clean_up); /* before Ouro was touched: called after what Ouro could register */
        kept_by_program = leaf_new(1);
    } else if (strcmp(name, "late-birth") == 0) {
        atexit(be_born_late);
    } else if (strcmp(name, "running") == 0) {
        pthread_t thread;
        leak_some();
        pthread_barrier_init(&running, NULL, 2);
        KIT_CHECK(pthread_create(&thread, NULL, run_for_ever, NULL) == 0);
        pthread_barrier_wait(&running);
    } else if (strcmp(name, "exit-in-list") == 0) {
        leak_some();
        ouro_list_alive(exit_from, NULL);
    } else if (strcmp(name, "exit-in-hook") == 0) {
        leak_some();
        kit_on_destroy = exit_from_hook;
        ouro_decref(hooked_new(1));
    } else if (strcmp(name, "wrong-acyclic") == 0) {
        static struct ouro_type tree;
        tree = node_type;
        tree.birth = tree.counts = tree.id = tree.state = 0;
        tree.name = "tree";
        tree.flags = OURO_ACYCLIC;
        struct node *n = ouro_new(&tree, sizeof(struct node));
        n->a = n;
    } else if (strcmp(name, "written") == 0) {
        struct leaf *l = leaf_new(1);
        ouro_decref(l);
        ((volatile struct leaf *)l)->id = 5;
    } else {
        return 2;
    }
    return 0;
}

static const char *program; /* the path of this one */
static char said[4096];

/* Runs a scenario with OURO_LEAKS=`leaks` (NULL: unset); its status as wait has it. */
static int run_on(const char *supply, const char *name, const char *leaks)
{
    int ends[2], status;
    KIT_CHECK(pipe(ends) == 0);
    fflush(NULL);
    pid_t child = fork();
    KIT_CHECK(child >= 0);
    if (child == 0) {
        dup2(ends[1], 2);
        close(ends[0]);
        close(ends[1]);
        setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
        setenv("OURO_SUPPLY", supply, 1);
        leaks ? setenv("OURO_LEAKS", leaks, 1) : unsetenv("OURO_LEAKS");
        alarm(60);
        exec_again(program, name);
        _exit(3);
    }
    close(ends[1]);
    size_t at = 0;
    for (ssize_t n; (n = read(ends[0], said + at, sizeof said - 1 - at)) > 0;)
        at += (size_t)n;
    said[at] = '\0';
    close(ends[0]);
    KIT_CHECK(waitpid(child, &status, 0) == child);
    return status;
}
static int run(const char *name, const char *leaks)
{
    return run_on("1", name, leaks);
}

static void a_program_lists_its_leaks_when_told_to(void **state)
{
    (void)state;
    static const char *const settings[] = {NULL, "-1", "0", "1"};
    for (size_t i = 0; i < 4; i++) {
        bool on = i == 3 || (i < 2 && OURO_TEST_CHECKED);
        assert_int_equal(run("leaky", settings[i]), 0);
        if (!on) {
            assert_string_equal(said, "");
            continue;
        }
        assert_non_null(strstr(said, "ouro: alive: 3 objects of type struct node, "));
        assert_non_null(strstr(said, "ouro: alive: 1 object of type leaf, "));
        assert_non_null(strstr(said, " bytes without a type, "));
        size_t lines = 0;
        for (const char *s = said; *s; s++)
            lines += *s == '\n';
        assert_int_equal(lines, 3);
    }
}

static void a_supply_without_pages_says_that_it_has_no_list(void **state)
{
    (void)state;
    assert_int_equal(run_on("2", "leaky", "1"), 0);
    assert_string_equal(said, "ouro: what is alive is not listed: every block came from the supply "
                              "system\n");
    assert_int_equal(run_on("2", "leaky", NULL), 0);
    assert_string_equal(said, "");
}

static void a_clean_program_prints_nothing(void **state)
{
    (void)state;
    static const char *const clean[] = {"clean", "untouched", "late-drop"};
    for (size_t i = 0; i < OURO_COUNT_OF(clean); i++) {
        assert_int_equal(run(clean[i], "1"), 0);
        assert_string_equal(said, "");
        assert_int_equal(run(clean[i], NULL), 0);
        assert_string_equal(said, "");
    }
}

static void what_is_born_after_main_is_listed(void **state)
{
    (void)state;
    assert_int_equal(run("late-birth", "1"), 0);
    assert_memory_equal(said, "ouro: alive: 1 object of type leaf, ", 36);
}

static void the_list_comes_while_a_thread_runs(void **state)
{
    (void)state;
    if (!OURO_THREADS)
        skip();
    for (int i = 0; i < (kit_instrumented() ? 3 : 40); i++) {
        assert_int_equal(run("running", "1"), 0);
        assert_non_null(strstr(said, " objects of type struct node, "));
        assert_non_null(strstr(said, "ouro: alive: 1 object of type leaf, "));
    }
}

static void exit_may_be_called_anywhere(void **state)
{
    (void)state;
    assert_int_equal(run("exit-in-list", "1"), 0);
    assert_string_equal(said, ""); /* the list under way is the program's own */
    assert_int_equal(run("exit-in-hook", "1"), 0);
    assert_non_null(strstr(said, "ouro: alive: 3 objects of type struct node, "));
}

static void the_checked_library_checks_the_heap_at_the_end(void **state)
{
    (void)state;
    int status = run("wrong-acyclic", NULL);
    if (!OURO_TEST_CHECKED) {
        assert_int_equal(status, 0);
        return;
    }
    assert_true(WIFSIGNALED(status));
    assert_non_null(strstr(said, "ouro: wrong acyclic: object 0x"));
    assert_non_null(strstr(said, " of type tree: "));
    status = run("written", NULL);
    assert_true(WIFSIGNALED(status));
    assert_non_null(strstr(said, "ouro: use after free: object 0x"));
    assert_non_null(strstr(said, " of type leaf: "));
}

int main(int argc, char **argv)
{
    if (argc > 1) /* the environment says which supply */
        return scenario(argv[1]);
    KIT_CHECK(ouro_supply_use(&ouro_supply_mmap) == OURO_OK); /* there are pages to walk */
    program = argv[0];
    const struct CMUnitTest tests[] = {
        kit_test(the_list_goes_by_type_count_and_bytes),
        kit_test(blocks_without_a_type_go_by_size),
        kit_test(immortal_objects_and_what_is_pending_are_not_listed),
        kit_test(beyond_so_many_types_the_rest_comes_as_one),
        kit_test(the_report_is_a_line_a_type),
        kit_test(the_report_allocates_nothing),
        kit_test(a_list_inside_a_list_is_empty),
        kit_test(a_program_lists_its_leaks_when_told_to),
        kit_test(a_supply_without_pages_says_that_it_has_no_list),
        kit_test(a_clean_program_prints_nothing),
        kit_test(what_is_born_after_main_is_listed),
        kit_test(the_list_comes_while_a_thread_runs),
        kit_test(exit_may_be_called_anywhere),
        kit_test(the_checked_library_checks_the_heap_at_the_end),
    };
    return kit_run(tests);
}
