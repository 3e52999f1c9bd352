/* SPDX-License-Identifier: MIT */
/* named.h: misuses in forked children, and what they said of them: so that the object's address is
 * known and the parent's heap stays whole. `report` must be made shared memory by main. */
#ifndef OURO_TESTS_NAMED_H
#define OURO_TESTS_NAMED_H

#include "orc_kit.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS_IN_CHILDREN (OURO_THREADS && !OURO_TSAN)

/* -- what a child said ------------------------------------------------------------------------- */

static struct report {
    int times;
    struct ouro_failure failure;
    char type_name[64], detail[128], text[1024];
    int status;
} * report; /* shared with children */

static inline void on_failure(const struct ouro_failure *failure, void *arg)
{
    struct report *r = arg;
    r->times++;
    r->failure = *failure;
    strncpy(r->type_name, failure->type_name ? failure->type_name : "", 63);
    strncpy(r->detail, failure->detail ? failure->detail : "", 127);
}

static inline void run_in_child(void (*act)(void *), void *arg)
{
    memset(report, 0, sizeof *report);
    int ends[2];
    KIT_CHECK(pipe(ends) == 0);
    fflush(NULL);
    pid_t child = fork();
    KIT_CHECK(child >= 0);
    if (child == 0) {
        struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
        for (size_t i = 0; i < OURO_COUNT_OF(signals); i++)
            signal(signals[i], SIG_DFL); /* cmocka would go on with the next test */
        dup2(ends[1], 2);
        close(ends[0]);
        close(ends[1]);
        ouro_set_fail_handler(on_failure, report);
        act(arg);
        kill(getpid(), SIGKILL); /* nothing was found; no tool is to look for leaks */
    }
    close(ends[1]);
    for (size_t at = 0; at + 1 < sizeof report->text;) {
        ssize_t n = read(ends[0], report->text + at, sizeof report->text - 1 - at);
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    close(ends[0]);
    KIT_CHECK(waitpid(child, &report->status, 0) == child);
}

static inline bool aborted(void)
{
    return WIFSIGNALED(report->status) && WTERMSIG(report->status) == SIGABRT;
}

/* The misuse is named so, by the handler and on the standard error, once, and aborts. `object`
 * NULL: it is not known. */
static inline void named(ouro_failure_kind kind, const void *object, const char *type_name,
                         void (*act)(void *), void *arg)
{
    run_in_child(act, arg);
    assert_true(aborted());
    assert_int_equal(report->times, 1);
    assert_string_equal(ouro_failure_kind_name(report->failure.kind), ouro_failure_kind_name(kind));
    if (object)
        assert_ptr_equal(report->failure.object, object);
    assert_string_equal(report->type_name, type_name);
    assert_true(strlen(report->detail) > 0);
    char line[160];
    snprintf(line, sizeof line, "ouro: %s: object 0x%lx of type %s: ", ouro_failure_kind_name(kind),
             (unsigned long)report->failure.object, type_name);
    const char *first = strstr(report->text, "ouro: ");
    assert_non_null(first);
    assert_memory_equal(first, line, strlen(line));
    assert_null(strstr(first + 1, "ouro: "));
}

static inline void not_named(void (*act)(void *), void *arg)
{
    run_in_child(act, arg);
    assert_false(aborted());
    assert_int_equal(report->times, 0);
    assert_null(strstr(report->text, "ouro: "));
}

/* Only the checked library finds it; with the release one nothing is said. */
static inline void named_if_checked(ouro_failure_kind kind, const void *object,
                                    const char *type_name, void (*act)(void *), void *arg)
{
    if (OURO_TEST_CHECKED)
        named(kind, object, type_name, act, arg);
}

/* -- modes ------------------------------------------------------------------------------------- */

static const struct {
    void *(*make)(struct ouro_type *, size_t);
    void (*incref)(void *), (*decref)(void *), (*decref_acyclic)(void *);
} modes[] = {{ouro_new_local, ouro_incref_local, ouro_decref_local, ouro_decref_acyclic_local},
             {ouro_new_atomic, ouro_incref_atomic, ouro_decref_atomic, ouro_decref_acyclic_atomic},
             {ouro_new_biased, ouro_incref_biased, ouro_decref_biased, ouro_decref_acyclic_biased},
             {ouro_new, ouro_incref, ouro_decref, ouro_decref_acyclic}};
#define MODES OURO_COUNT_OF(modes)

static struct ouro_type prompt_type = {
    .size = sizeof(struct leaf), .name = "prompt leaf", .flags = OURO_ACYCLIC | OURO_PROMPT};
static struct ouro_type *const types[] = {&leaf_type, &prompt_type, &node_type};

struct use {
    void *object, *other;
    void (*first)(void *), (*second)(void *);
};
static inline void use(void *arg)
{
    struct use *u = arg;
    if (u->first)
        u->first(u->object);
    u->second(u->object);
}
static inline void use_elsewhere(void *arg)
{
    kit_elsewhere(use, arg);
}
static inline void *make(size_t mode, struct ouro_type *type)
{
    void *object = modes[mode].make(type, type->size);
    KIT_CHECK(object != NULL);
    return object;
}

/* -- uses, as functions of the object ---------------------------------------------------------- */

static inline void drop_last_out(void *object)
{
    ouro__decref_last_out(object);
}
static inline void drop_for_reuse(void *object)
{
    ouro_drop_reuse(object);
}
static inline void weak_of(void *object)
{
    ouro_weak_new(object);
}
static inline void unique(void *object)
{
    ouro_is_unique(object);
}
static inline void count(void *object)
{
    ouro_count(object);
}
static inline void into_a_slot_of(void *object)
{
    struct node *n = object;
    ouro_slot_store(n, (void **)&n->a, NULL);
}
static inline void out_of_a_slot_of(void *object)
{
    struct node *n = object;
    ouro_slot_move(n, (void **)&n->a);
}

/* For main, before the tests. */
static inline void report_share(void)
{
    KIT_CHECK(ouro_supply_use(&ouro_supply_mmap) == OURO_OK); /* objects keep their addresses */
    report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    KIT_CHECK(report != MAP_FAILED);
}

#endif
