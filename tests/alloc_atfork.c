/* SPDX-License-Identifier: MIT */
/* Handlers of a fork that were there before Ouro's: they run while Ouro's own locks are held for
 * the fork, before it and after it, and may call Ouro all the same. */
#include "alloc_util.h"
#include "alloc/atomic.h"
#include "alloc/stats.h"
#include "hooks/value.h"
#include <pthread.h>

static int runs, failures;
static void *kept[3];

struct pair {
    void *first, *second;
};
static const struct ouro_field pair_fields[] = {OURO_REF(struct pair, first, NULL),
                                                OURO_REF(struct pair, second, NULL)};
static struct ouro_type types[3] = {OURO_TYPE(struct pair, pair_fields),
                                    OURO_TYPE(struct pair, pair_fields),
                                    OURO_TYPE(struct pair, pair_fields)};

/* Pages of every class, spans, huge blocks, the registration of a type, figures, trim. */
static void call_everything(void)
{
    static const size_t sizes[] = {16, 100, 3000, 9000, 60000, 200000, 5000000};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    void *p[SIZES];
    for (int i = 0; i < SIZES; i++) {
        p[i] = ouro_calloc(1, sizes[i]);
        failures += p[i] == NULL;
    }
    for (int i = 0; i < SIZES; i++)
        ouro_free(p[i]);
    struct ouro_stats stats;
    ouro_stats_get(&stats);
    failures += stats.raw.blocks < 3;
    ouro_option_set("limit", 0);
    failures += ouro_type_register(&types[runs % 3], NULL) != OURO_OK;
    ouro_free(kept[runs % 3]);
    kept[runs % 3] = ouro_malloc(100);
    ouro_trim();
    runs++;
}

static ouro_word stop;

static void *allocate_until_stopped(void *arg)
{
    uint64_t seed = (uint64_t)(uintptr_t)arg;
    while (!ouro__load_acquire(&stop))
        ouro_free(ouro_malloc(random_size(&seed)));
    return NULL;
}

static void fork_once(void)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        ouro_free(ouro_malloc(100000));
        _exit(failures ? 1 : runs % 2 ? 2 : 0);
    }
    assert_true(child > 0);
    int status = -1;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

static void handlers_of_a_fork_may_allocate_before_and_after_it(void **state)
{
    (void)state;
    alarm(30);
    fork_once();
    assert_int_equal(runs, 2);
    assert_int_equal(failures, 0);
    alarm(0);
}

static void they_may_while_other_threads_allocate(void **state)
{
    (void)state;
    if (OURO_TSAN || OURO_ASAN)
        skip(); /* their own locks do not survive such a fork */
    if (on_valgrind())
        skip(); /* what a thread had that is not there is lost in the child, and told */
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, allocate_until_stopped, (void *)(uintptr_t)(i + 1));
    alarm(30);
    for (int i = 0; i < (is_slow() ? 3 : 30); i++)
        fork_once();
    alarm(0);
    ouro__store_release(&stop, 1);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handlers_of_a_fork_may_allocate_before_and_after_it),
        cmocka_unit_test(they_may_while_other_threads_allocate),
    };
    pthread_atfork(call_everything, call_everything, call_everything);
    ouro_supply_use(&ouro_supply_mmap);
    for (int i = 0; i < 3; i++)
        kept[i] = ouro_malloc(100); /* at first touch come Ouro's own handlers, after ours */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
