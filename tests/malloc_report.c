/* SPDX-License-Identifier: MIT */
/* What libouro-malloc.so tells at a program's end: figures and the heap profile. Each case runs
 * this program again, with the variables that ask for it. */
#include "malloc_util.h"
#include "again.h"
#include <fcntl.h>
#include <math.h>
#include <pthread.h>

static const char *self;
static char folder[] = "/tmp/ouro-report-XXXXXX";

/* -- what the program does when it is run again ------------------------------------------------ */

enum { BLOCKS = 1000, SIZE = 2000 };
static void *kept[BLOCKS];

static void keep_blocks(void)
{
    for (int i = 0; i < BLOCKS; i++)
        kept[i] = malloc(SIZE);
}

static void free_half(void)
{
    for (int i = 0; i < BLOCKS; i += 2)
        free(kept[i]);
}

static void close_errors(void)
{
    close(2);
    open("/dev/null", O_RDWR); /* gets that number */
}

#define LIVE_COUNT 20000
#define LIVE_SIZE  1000
#define GONE_COUNT 200000
#define GONE_SIZE  64
#define HUGE_COUNT 10

__attribute__((noinline)) void report_site_live(void);
__attribute__((noinline)) void report_site_gone(void);
__attribute__((noinline)) void report_site_huge(void);
static void *volatile last;

void report_site_live(void)
{
    for (int i = 0; i < LIVE_COUNT; i++)
        last = malloc(LIVE_SIZE);
}
void report_site_gone(void)
{
    for (int i = 0; i < GONE_COUNT; i++)
        free(last = malloc(GONE_SIZE));
}
void report_site_huge(void)
{
    for (int i = 0; i < HUGE_COUNT; i++)
        last = malloc(MIB);
}

static void *gone_in_thread(void *arg)
{
    report_site_gone();
    return arg;
}

static void take_from_sites(void)
{
    report_site_live();
    report_site_gone();
    report_site_huge();
}

static void take_in_threads(void)
{
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, gone_in_thread, NULL);
    for (int i = 0; i < 10; i++) {
        pid_t child = fork();
        if (child == 0) {
            report_site_gone();
            _exit(0);
        }
        waitpid(child, NULL, 0);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}

static int work(const char *what)
{
    if (strcmp(what, "sites") == 0)
        take_from_sites();
    else if (strcmp(what, "threads") == 0)
        take_in_threads();
    else
        keep_blocks();
    if (strcmp(what, "handler") == 0)
        atexit(free_half);
    if (strcmp(what, "closed") == 0)
        atexit(close_errors);
    if (strcmp(what, "quick") == 0)
        quick_exit(3);
    if (strcmp(what, "at once") == 0)
        _exit(3);
    if (strcmp(what, "fork") == 0 && fork() != 0)
        wait(NULL);
    return 3;
}

/* -- running it -------------------------------------------------------------------------------- */

static char text[1 << 20];

static void again(void *what)
{
    exec_again(self, what);
}

/* Runs it, and returns what it wrote to the standard error. */
static const char *run(const char *what)
{
    int status = run_in_child(again, (void *)(uintptr_t)what, text, sizeof text);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 3);
    return text;
}

static void file_named(char *room, size_t size, const char *name)
{
    snprintf(room, size, "%s/%s", folder, name);
}

static const char *contents(const char *name)
{
    char path[256];
    file_named(path, sizeof path, name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    remove(path);
    return text;
}

static void ask(const char *variable, const char *name)
{
    char path[256];
    file_named(path, sizeof path, name);
    setenv(variable, path, 1);
}

static size_t number_after(const char *in, const char *key)
{
    const char *at = strstr(in, key);
    assert_non_null(at);
    return strtoul(at + strlen(key), NULL, 10);
}

/* -- figures ----------------------------------------------------------------------------------- */

static size_t bytes_told(const char *what)
{
    return number_after(run(what), "ouro: in use bytes     = ");
}

static void figures_come_after_what_the_program_does_last(void **state)
{
    (void)state;
    setenv("OURO_STATS", "1", 1);
    size_t all = bytes_told("return"), half = bytes_told("handler");
    assert_true(all >= BLOCKS * SIZE && all < BLOCKS * SIZE * 5 / 4);
    assert_int_equal(all - half, BLOCKS / 2 * stored(SIZE));
    assert_int_equal(bytes_told("quick"), all);
    assert_int_equal(bytes_told("closed"), all);
    assert_string_equal(run("at once"), "");
    unsetenv("OURO_STATS");
    assert_string_equal(run("return"), "");
}

static void figures_are_written_as_json(void **state)
{
    (void)state;
    ask("OURO_STATS_JSON", "figures.json");
    run("return");
    const char *json = contents("figures.json");
    assert_int_equal(json[0], '{');
    assert_int_equal(strcmp(json + strlen(json) - 2, "}\n"), 0);
    assert_true(number_after(json, "\"raw\":{\"blocks\":") >= BLOCKS);
    assert_true(number_after(strstr(json, "\"raw\":{"), "\"bytes\":") >= BLOCKS * SIZE);
    unsetenv("OURO_STATS_JSON");
}

static void a_file_that_cannot_be_written_is_named(void **state)
{
    (void)state;
    static const char *const variables[] = {"OURO_STATS_JSON", "OURO_PROFILE"};
    for (size_t i = 0; i < 2; i++) {
        char path[256], said[512];
        ask(variables[i], "no/such/folder/file");
        file_named(path, sizeof path, "no/such/folder/file");
        snprintf(said, sizeof said, "ouro: cannot write to %s\n", path);
        assert_string_equal(run("return"), said); /* and it ends as it would */
        unsetenv(variables[i]);
    }
}

static void each_process_may_have_a_file_of_its_own(void **state)
{
    (void)state;
    char path[256], list[64];
    ask("OURO_STATS_JSON", "figures.%p.json");
    run("fork");
    unsetenv("OURO_STATS_JSON");
    unsigned files = 0;
    file_named(path, sizeof path, "");
    snprintf(list, sizeof list, "ls %s", folder);
    FILE *f = popen(list, "r");
    while (fgets(path, sizeof path, f)) {
        unsigned process = 0;
        assert_int_equal(sscanf(path, "figures.%u.json", &process), 1);
        path[strcspn(path, "\n")] = '\0';
        contents(path);
        files++;
    }
    pclose(f);
    assert_int_equal(files, 2);
}

/* -- the profile ------------------------------------------------------------------------------- */

#define RATE 16384

struct sums {
    double live, all; /* bytes that the samples stand for */
};

/* Of the lines of a pprof file whose samples are of `size` bytes. As pprof does. */
static struct sums sums_of(const char *profile, size_t size)
{
    struct sums sums = {0, 0};
    double scale = 1 / (1 - exp(-(double)size / RATE));
    for (const char *line = strchr(profile, '\n'); line && line[1] != '\n';
         line = strchr(line + 1, '\n')) {
        size_t live, live_bytes, all, all_bytes;
        int n = sscanf(line, "%zu: %zu [%zu: %zu] @", &live, &live_bytes, &all, &all_bytes);
        assert_int_equal(n, 4);
        if (all_bytes != all * size)
            continue;
        sums.live += (double)live_bytes * scale;
        sums.all += (double)all_bytes * scale;
    }
    return sums;
}

/* A sum of many samples, each of which stands for `RATE` bytes or little more, is off by less than
 * four of its standard deviations. */
static void is_about(double found, double true_sum, double size)
{
    double deviation = sqrt(true_sum * (RATE + size));
    assert_true(fabs(found - true_sum) < 4 * deviation);
}

static void ask_for_profile(const char *name)
{
    ask("OURO_PROFILE", name);
    setenv("OURO_PROFILE_RATE", "16K", 1);
    setenv("OURO_PROFILE_SEED", "7", 1);
}

static void samples_stand_for_what_was_taken(void **state)
{
    (void)state;
    ask_for_profile("heap.prof");
    run("sites");
    const char *profile = contents("heap.prof");
    assert_int_equal(strncmp(profile, "heap profile: ", 14), 0);
    assert_int_equal(number_after(profile, "] @ heap_v2/"), RATE);
    struct sums live = sums_of(profile, LIVE_SIZE), gone = sums_of(profile, GONE_SIZE),
                huge = sums_of(profile, MIB);
    is_about(live.live, (double)LIVE_COUNT * LIVE_SIZE, LIVE_SIZE);
    is_about(live.all, live.live, LIVE_SIZE);
    is_about(gone.all, (double)GONE_COUNT * GONE_SIZE, GONE_SIZE);
    assert_true(gone.live <= 2 * RATE); /* one that the last of a loop has left, at most */
    assert_true(fabs(huge.live - HUGE_COUNT * (double)MIB) < MIB / 100);
    const char *maps = strstr(profile, "\nMAPPED_LIBRARIES:\n");
    assert_non_null(maps);
    assert_non_null(strstr(maps, "malloc_report"));
    assert_non_null(strstr(maps, "libouro-malloc.so"));
}

static char *with_seed(const char *seed)
{
    setenv("OURO_PROFILE_SEED", seed, 1);
    run("sites");
    char *profile = strdup(contents("heap.prof"));
    *strchr(profile, '\n') = '\0'; /* the sums: addresses differ */
    return profile;
}

static void a_seed_has_the_same_samples_each_time(void **state)
{
    (void)state;
    ask_for_profile("heap.prof");
    char *first = with_seed("7"), *second = with_seed("7"), *third = with_seed("8"),
         *any = with_seed("0"), *other = with_seed("0");
    assert_string_equal(first, second);
    assert_string_not_equal(first, third);
    assert_string_not_equal(any, other);
    free(first);
    free(second);
    free(third);
    free(any);
    free(other);
}

/* Every line is frames, each not empty, without a blank, and a number. */
static double collapsed_bytes(const char *profile, const char *frame)
{
    double sum = 0;
    for (const char *line = profile; *line; line = strchr(line, '\n') + 1) {
        char stack[16384];
        size_t bytes;
        assert_int_equal(sscanf(line, "%16383[^ \n] %zu\n", stack, &bytes), 2);
        assert_null(strstr(stack, ";;"));
        assert_int_equal(strncmp(stack, "malloc_report;", 14), 0);
        size_t len = strlen(stack), tail = strlen(frame);
        if (len > tail && stack[len - tail - 1] == ';' && strcmp(stack + len - tail, frame) == 0)
            sum += (double)bytes;
    }
    return sum;
}

static void collapsed_stacks_have_names_and_bytes(void **state)
{
    (void)state;
    ask_for_profile("heap.collapsed");
    run("sites");
    const char *profile = contents("heap.collapsed");
    is_about(collapsed_bytes(profile, "report_site_live"), (double)LIVE_COUNT * LIVE_SIZE,
             LIVE_SIZE);
    is_about(collapsed_bytes(profile, "report_site_gone"), (double)GONE_COUNT * GONE_SIZE,
             GONE_SIZE);
    assert_non_null(strstr(profile, ";main;"));
    ask_for_profile("heap.live.collapsed");
    run("sites");
    profile = contents("heap.live.collapsed");
    is_about(collapsed_bytes(profile, "report_site_live"), (double)LIVE_COUNT * LIVE_SIZE,
             LIVE_SIZE);
    assert_true(collapsed_bytes(profile, "report_site_gone") <= 2 * RATE);
}

static void threads_and_forks_are_sampled_alike(void **state)
{
    (void)state;
    if (OURO_TEST_EMULATED)
        skip();
    ask_for_profile("heap.prof");
    run("threads");
    struct sums gone = sums_of(contents("heap.prof"), GONE_SIZE);
    is_about(gone.all, 3.0 * GONE_COUNT * GONE_SIZE, GONE_SIZE);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return work(argv[1]);
    self = argv[0];
    unsetenv("OURO_PROFILE");
    assert_non_null(mkdtemp(folder));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_come_after_what_the_program_does_last),
        cmocka_unit_test(figures_are_written_as_json),
        cmocka_unit_test(a_file_that_cannot_be_written_is_named),
        cmocka_unit_test(each_process_may_have_a_file_of_its_own),
        cmocka_unit_test(samples_stand_for_what_was_taken),
        cmocka_unit_test(a_seed_has_the_same_samples_each_time),
        cmocka_unit_test(collapsed_stacks_have_names_and_bytes),
        cmocka_unit_test(threads_and_forks_are_sampled_alike),
    };
    int bad = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return bad;
}
