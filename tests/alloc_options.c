/* SPDX-License-Identifier: MIT */
/* Options: by the environment, by call, and what is refused. Options are read once, so each test
 * of the environment runs in a fresh process: this program again, with an argument. */
#include "alloc_util.h"
#include "again.h"

static const char *self;

/* Runs this program with NAME=value set; its output and error go to `text`. */
static int run_with(const char *name, const char *value, const char *what, char *text, size_t size)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        if (name)
            setenv(name, value, 1);
        dup2(ends[1], 1);
        dup2(ends[1], 2);
        exec_again(self, what);
        _exit(127);
    }
    close(ends[1]);
    size_t len = 0;
    for (ssize_t n; (n = read(ends[0], text + len, size - 1 - len)) > 0;)
        len += (size_t)n;
    text[len] = '\0';
    close(ends[0]);
    int status;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect(const char *name, const char *value, const char *what, long expected,
                   int reported)
{
    char text[4096], line[64];
    assert_int_equal(run_with(name, value, what, text, sizeof text), 0);
    snprintf(line, sizeof line, "value %ld\n", expected);
    if (!strstr(text, line))
        fail_msg("%s=%s gave: %s", name, value, text);
    const char *report = strstr(text, "ouro: ignored ");
    assert_int_equal(report != NULL, reported);
    if (report)
        assert_null(strstr(report + 1, "ouro: ignored "));
}

static void the_environment_sets_options(void **state)
{
    (void)state;
    expect("OURO_PURGE_DELAY", "7", "purge_delay", 7, 0);
    expect("OURO_PURGE_DELAY", "0", "purge_delay", 0, 0);
    expect("OURO_LIMIT", "12345", "limit", 12345, 0);
    expect("OURO_LIMIT", "3K", "limit", 3 << 10, 0);
    expect("OURO_LIMIT", "5M", "limit", 5 << 20, 0);
    expect("OURO_LIMIT", "2G", "limit", 2L << 30, 0);
    expect("OURO_LIMIT", "9223372036854775807", "limit", INT64_MAX, 0);
    expect("OURO_LEAKS", "-1", "leaks", -1, 0);
    expect("OURO_NO_SUCH_OPTION", "1", "purge_delay", 100, 0);
}

static void bad_values_are_reported_once_and_ignored(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "x",
                                      "-1",
                                      " 7",
                                      "7 ",
                                      "7ms",
                                      "0x7",
                                      "7KK",
                                      "3600001",
                                      "9223372036854775808",
                                      "1e3",
                                      "K",
                                      "99999999999999999999",
                                      "9999999999G"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect("OURO_PURGE_DELAY", bad[i], "purge_delay", 100, 1);
    static char longest[3000];
    memset(longest, 'z', sizeof longest - 1);
    expect("OURO_PURGE_DELAY", longest, "purge_delay", 100, 1);
}

static void a_report_names_variable_and_value_and_ends_its_line(void **state)
{
    (void)state;
    char text[4096];
    run_with("OURO_PURGE_DELAY", "soon", "purge_delay", text, sizeof text);
    assert_non_null(strstr(text,
                           "ouro: ignored OURO_PURGE_DELAY=soon: not a number from 0 to 3600000 "
                           "(K, M or G may follow)\n"));
    run_with("OURO_LEAKS", "3", "leaks", text, sizeof text);
    assert_non_null(strstr(text, "OURO_LEAKS=3: not a number from -1 to 2 "));
}

static void the_environment_limits_memory(void **state)
{
    (void)state;
    char text[4096];
    assert_int_equal(run_with("OURO_LIMIT", "1M", "allocate", text, sizeof text), 0);
    assert_non_null(strstr(text, "refused"));
    assert_int_equal(run_with("OURO_LIMIT", "64M", "allocate", text, sizeof text), 0);
    assert_non_null(strstr(text, "granted"));
}

static void the_environment_chooses_the_supply(void **state)
{
    (void)state;
    char text[4096];
    run_with("OURO_SUPPLY", "1", "supply", text, sizeof text);
    assert_string_equal(text, "mmap\n");
    run_with("OURO_SUPPLY", "2", "supply", text, sizeof text);
    assert_string_equal(text, "system\n");
}

static void a_call_sets_options_within_their_range(void **state)
{
    (void)state;
    assert_int_equal(ouro_option_set("purge_delay", 50), OURO_OK);
    assert_int_equal(ouro_option_get(OURO_OPTION_purge_delay), 50);
    assert_int_equal(ouro_option_set("purge_delay", -1), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_option_set("purge_delay", 3600001), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_option_get(OURO_OPTION_purge_delay), 50);
    assert_int_equal(ouro_option_set("purge_delay", 100), OURO_OK);
}

static void unknown_names_are_told(void **state)
{
    (void)state;
    assert_int_equal(ouro_option_set("no such option", 1), OURO_UNKNOWN_NAME);
    assert_int_equal(ouro_option_set("", 1), OURO_UNKNOWN_NAME);
    assert_int_equal(ouro_option_set("PURGE_DELAY", 1), OURO_UNKNOWN_NAME);
    assert_int_equal(ouro_option_set(NULL, 1), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_option_get(OURO_OPTION_COUNT), 0);
    assert_int_equal(ouro_option_get((ouro_option)-1), 0);
    assert_null(ouro_option_describe(OURO_OPTION_COUNT));
}

static void the_table_is_consistent(void **state)
{
    (void)state;
    for (int i = 0; i < OURO_OPTION_COUNT; i++) {
        const struct ouro_option_info *row = ouro_option_describe((ouro_option)i);
        assert_non_null(row);
        assert_true(row->least <= row->initial && row->initial <= row->greatest);
        assert_true(row->help[0] != '\0' && row->unit[0] != '\0');
        assert_int_equal(ouro_option_set(row->name, row->initial), OURO_OK);
    }
}

static void the_supply_is_set_before_first_use_only(void **state)
{
    (void)state;
    char text[4096];
    assert_int_equal(run_with(NULL, NULL, "late", text, sizeof text), 0);
    assert_string_equal(text, "system mmap too late too late system\n");
}

/* -- in the fresh process ---------------------------------------------------------------------- */

static int in_fresh_process(const char *what)
{
    if (strcmp(what, "supply") == 0) {
        puts(ouro_supply_get()->name);
    } else if (strcmp(what, "allocate") == 0) {
        void *p = ouro_malloc(2 * MIB);
        puts(p ? "granted" : "refused");
        ouro_free(p);
    } else if (strcmp(what, "late") == 0) {
        ouro_option_set("supply", 1);
        if (ouro_supply_use(&ouro_supply_system) != OURO_OK)
            return 1;
        ouro_free(ouro_malloc(1));
        printf("%s ", ouro_supply_get()->name);
        printf("%s ", ouro_option_get(OURO_OPTION_supply) == 1 ? "mmap" : "?");
        printf("%s ", ouro_status_name(ouro_supply_use(&ouro_supply_mmap)));
        printf("%s ", ouro_status_name(ouro_option_set("supply", 0)));
        puts(ouro_supply_get()->name);
    } else {
        for (int i = 0; i < OURO_OPTION_COUNT; i++) {
            if (strcmp(ouro_option_describe((ouro_option)i)->name, what) == 0)
                printf("value %ld\n", (long)ouro_option_get((ouro_option)i));
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return in_fresh_process(argv[1]);
    self = argv[0];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_consistent), /* before first use: sets the supply, too */
        cmocka_unit_test(the_environment_sets_options),
        cmocka_unit_test(bad_values_are_reported_once_and_ignored),
        cmocka_unit_test(a_report_names_variable_and_value_and_ends_its_line),
        cmocka_unit_test(the_environment_limits_memory),
        cmocka_unit_test(the_environment_chooses_the_supply),
        cmocka_unit_test(a_call_sets_options_within_their_range),
        cmocka_unit_test(unknown_names_are_told),
        cmocka_unit_test(the_supply_is_set_before_first_use_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
