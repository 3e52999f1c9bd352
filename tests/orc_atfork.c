/* SPDX-License-Identifier: MIT */
/* Handlers of a fork that were there before Ouro's: they run while locks of orc are held for the
 * fork, and may use counted objects all the same. White-box: see orc_kit.h. */
#include "orc_kit.h"

#include <pthread.h>
#include <unistd.h>

static struct node *kept;
static unsigned runs, failures;

/* All that takes a lock of orc: weak cells, candidates of ended threads, the freed objects that the
 * checked library keeps, and the record of a thread that is new to counted objects. */
static void use_objects(void)
{
    if (!kept)
        return;
    struct node *n = ouro_new_biased(&node_type, sizeof *n);
    struct ouro_weak *weak = ouro_weak_new(n);
    void *again = ouro_weak_upgrade(weak);
    failures += !n || !weak || again != n;
    ouro_slot_copy(n, (void **)&n->a, n);
    ouro_decref(again);
    ouro_decref(n);
    ouro_collect(NULL);
    failures += ouro_weak_upgrade(weak) != NULL;
    ouro_weak_decref(weak);
    ouro_incref(kept);
    ouro_decref(kept);
    runs++;
}

static void handlers_of_a_fork_may_use_objects_before_and_after_it(void **state)
{
    (void)state;
    kept = ouro_new_biased(&node_type, sizeof *kept);
    assert_non_null(kept);
    for (int i = 0; i < 3; i++) {
        runs = 0;
        alarm(kit_instrumented() ? 120 : 20);
        pid_t child = kit_fork();
        if (child == 0)
            kit_child_ends(runs == 2 && !failures ? 0 : 1);
        assert_int_equal(kit_wait(child), 0);
        alarm(0);
        assert_int_equal(runs, 2);
        assert_int_equal(failures, 0);
    }
    ouro_decref(kept);
    kept = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(handlers_of_a_fork_may_use_objects_before_and_after_it),
    };
    pthread_atfork(use_objects, use_objects, use_objects);
    return kit_run(tests);
}
