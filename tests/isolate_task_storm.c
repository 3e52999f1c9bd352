/* SPDX-License-Identifier: MIT */
/* White-box: includes task_kit.h. Trees of tasks that do what a seed says, from several threads
 * at once, free-running: what sanitizers and Valgrind look at. */
#include "task_kit.h"
#include "start_kit.h"

#include <pthread.h>

static struct ouro_isolated *counted_graph(int64_t id)
{
    ouro__fetch_add_full(&said.born, 1);
    return graph_new(id);
}

static ouro_status storm(struct ouro_task *task, struct ouro_isolated **result);

static void await_somehow(struct ouro_flow **flows, size_t count, uint64_t *seed)
{
    struct ouro_isolated *result = NULL;
    size_t chosen = kit_random(seed) % count;
    switch (kit_random(seed) % 4) {
    case 0:
        (void)ouro_flow_any(flows, count, (int64_t)(kit_random(seed) % 20000), &chosen);
        break;
    case 1:
        KIT_CHECK(ouro_flow_any(flows, count, -1, &chosen) == OURO_OK);
        (void)ouro_flow_await(flows[chosen], &result);
        break;
    case 2:
        (void)ouro_flow_await_within(flows[chosen], 1000, &result);
        break;
    default:
        if (kit_random(seed) % 8 == 0)
            ouro_flow_cancel(flows[chosen]);
        (void)ouro_flow_await(flows[chosen], &result);
    }
    ouro_isolated_drop(result);
}

enum { WIDTH = 5 };

static ouro_status storm_below(int64_t depth, uint64_t *seed)
{
    struct ouro_scope *scope = scope_new(1 + kit_random(seed) % 4);
    struct ouro_flow *flows[WIDTH];
    size_t count = 0;
    for (size_t i = 0; i < WIDTH; i++) {
        struct ouro_isolated *graph =
            counted_graph((int64_t)(kit_random(seed) >> 8 << 8) | (depth - 1));
        bool flow = kit_random(seed) % 2;
        ouro_status status = ouro_spawn(scope, storm, graph, flow ? &flows[count] : NULL);
        if (status != OURO_OK) {
            ouro_isolated_drop(graph);
            break;
        }
        count += flow;
        if (count > 0 && kit_random(seed) % 3 == 0)
            await_somehow(flows, count, seed);
    }
    if (kit_random(seed) % 16 == 0)
        ouro_scope_cancel(scope);
    ouro_status status = OURO_OK;
    bool first = kit_random(seed) % 2;
    if (first)
        status = ouro_scope_close(scope);
    while (count > 0)
        ouro_flow_drop(flows[--count]);
    return first ? status : ouro_scope_close(scope);
}

/* A tree of tasks that do what the seed says: its argument's number. */
static ouro_status storm(struct ouro_task *task, struct ouro_isolated **result)
{
    struct hooked *argument = ouro_extract(ouro_task_argument(task));
    uint64_t seed = (uint64_t)argument->id;
    int64_t depth = (int64_t)(seed & 255);
    if (kit_random(&seed) % 2)
        KIT_CHECK(ouro_isolate(argument, result, NULL) == OURO_OK); /* back */
    else
        ouro_decref(argument);
    if (!*result && kit_random(&seed) % 2)
        *result = counted_graph(1);
    if (depth > 0)
        (void)storm_below(depth, &seed);
    return kit_random(&seed) % 32 == 0 ? OURO_STATUS_USER : OURO_OK;
}

static void *storm_from_outside(void *arg)
{
    uint64_t seed = (uint64_t)(uintptr_t)arg;
    for (size_t i = 0; i < kit_scaled(300); i++)
        (void)storm_below(4, &seed);
    return NULL;
}

static void each_graph_of_a_storm_is_destroyed_once(void **state)
{
    (void)state;
    uint64_t seed = kit_seed(7);
    said.born = 0;
    workers_set(3);
    enum { OUTSIDE = 2 };
    pthread_t threads[OUTSIDE];
    for (uintptr_t i = 0; i < OUTSIDE; i++)
        threads[i] = start(storm_from_outside, (void *)(uintptr_t)(kit_random(&seed) >> 8));
    for (size_t i = 0; i < OUTSIDE; i++)
        end_of(threads[i]);
    assert_int_equal(kit_destroyed, 2 * said.born);
}

int main(void)
{
    const struct CMUnitTest tests[] = {task_test(each_graph_of_a_storm_is_destroyed_once)};
    return kit_run(tests);
}
