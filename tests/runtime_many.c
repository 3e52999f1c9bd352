/* SPDX-License-Identifier: MIT */
/* White-box: see orc_kit.h. Ten thousand runtimes in a row, each used: memory stays flat; many at
 * once. */
#include "orc_kit.h"
#include "alloc/stats.h"

#include <string.h>
#include <time.h>
#if OURO_THREADS
#include <pthread.h>
#endif

static size_t mapped_kib(void)
{
    char line[256];
    size_t kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    KIT_CHECK(file != NULL);
    while (fgets(line, sizeof line, file))
        (void)(sscanf(line, "VmSize: %zu kB", &kib));
    fclose(file);
    return kib;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#if OURO_THREADS
static void *visit_it(void *arg)
{
    KIT_CHECK(ouro_runtime_enter(arg) == OURO_OK);
    (void)kit_garbage_ring(4);
    KIT_CHECK(ouro_malloc(300) != NULL); /* goes with the runtime */
    ouro_runtime_leave(arg);
    return NULL;
}
#endif

static void use(struct ouro_runtime *runtime, size_t turn)
{
    KIT_CHECK(ouro_runtime_enter(runtime) == OURO_OK);
    struct node *list = NULL;
    for (int64_t i = 0; i < 30; i++) {
        struct node *n = node_new(i);
        n->a = list;
        list = n;
    }
    (void)kit_garbage_ring(8);
    struct leaf *l = leaf_new(1);
    struct ouro_weak *weak = ouro_weak_new(l);
    ouro_decref(l);
    KIT_CHECK(ouro_weak_upgrade(weak) == NULL);
    ouro_weak_decref(weak);
    KIT_CHECK(ouro_malloc(turn % 64 == 0 ? 6 << 20 : turn % 8 == 0 ? 100000 : 100) != NULL);
    ouro_decref(list);
    ouro_runtime_leave(runtime);
#if OURO_THREADS
    if (turn % 16 == 0) {
        pthread_t thread;
        KIT_CHECK(pthread_create(&thread, NULL, visit_it, runtime) == 0);
        pthread_join(thread, NULL);
    }
#endif
}

static void one_life(size_t turn)
{
    struct ouro_runtime *runtime = NULL;
    KIT_CHECK(ouro_runtime_new(NULL, &runtime) == OURO_OK);
    use(runtime, turn);
    KIT_CHECK(ouro_runtime_destroy(runtime, NULL) == OURO_OK);
}

static void ten_thousand_in_a_row_leave_memory_flat(void **state)
{
    (void)state;
    size_t count = kit_scaled(10000), i = 0;
    for (; i < count / 10 + 1; i++)
        one_life(i);
    size_t resident = kit_resident(), mapped = mapped_kib();
    double start = seconds();
    for (; i < count; i++)
        one_life(i);
    double each = (seconds() - start) / (double)(count - count / 10) * 1e6;
    size_t more = kit_resident() > resident ? kit_resident() - resident : 0;
    print_message("%.1f us each, %zu KiB more resident, VmSize %zu -> %zu KiB\n", each, more >> 10,
                  mapped, mapped_kib());
    if (!kit_instrumented()) {
        assert_true(more < (size_t)1 << 20);
        assert_true(mapped_kib() < mapped + 16 * 1024); /* stacks of threads may stay */
    }
}

static void many_at_once_are_small(void **state)
{
    (void)state;
    enum { MOST = 500 };
    static struct ouro_runtime *runtimes[MOST];
    size_t count = kit_scaled(MOST), before = kit_resident();
    for (size_t i = 0; i < count; i++) {
        KIT_CHECK(ouro_runtime_new(NULL, &runtimes[i]) == OURO_OK);
        KIT_CHECK(ouro_runtime_enter(runtimes[i]) == OURO_OK);
        (void)kit_garbage_ring(3);
        ouro_runtime_leave(runtimes[i]);
    }
    size_t each = (kit_resident() - before) / count;
    print_message("%zu bytes resident each\n", each);
    if (!kit_instrumented())
        assert_true(each < 64 << 10);
    for (size_t i = 0; i < count; i++)
        KIT_CHECK(ouro_runtime_destroy(runtimes[(i * 7) % count], NULL) == OURO_OK);
    ouro_trim();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(ten_thousand_in_a_row_leave_memory_flat),
        kit_test(many_at_once_are_small),
    };
    return kit_run(tests);
}
