/* SPDX-License-Identifier: MIT */
/* handover: continuations of 32 and 40 bytes by turns, made here, run and dropped there.
 * tasks: the task objects of a pool: bigger, each with a reference to its group, which the maker
 * owns, and with a result; the consumer computes longer than the maker does. */
#include "bench/ops.h"
#include "bench/pair.h"

struct small {
    uint64_t (*resume)(void *self);
    uint64_t a, b, c;
};
OPS_LEAF(small)

struct large {
    uint64_t (*resume)(void *self);
    uint64_t a, b, c, d;
};
OPS_LEAF(large)

static uint64_t resume_small(void *self)
{
    struct small *s = self;
    uint64_t result = s->a + s->b * s->c;
    small_drop(s);
    return result;
}
static uint64_t resume_large(void *self)
{
    struct large *l = self;
    uint64_t result = (l->a ^ l->d) + l->b * l->c;
    large_drop(l);
    return result;
}

static void *make_continuation(void *arg, size_t i)
{
    (void)arg;
    if (i & 1) {
        struct large *l = large_new();
        *l = (struct large){resume_large, i, 2, 3, i >> 3};
        return l;
    }
    struct small *s = small_new();
    *s = (struct small){resume_small, i, 5, 7};
    return s;
}
static void take_continuation(void *item, uint64_t *sum)
{
    uint64_t (*resume)(void *) = *(uint64_t(**)(void *))item;
    *sum += resume(item);
}

static double repeat_handover(struct bench_run *run)
{
    struct pair_work work = {make_continuation, take_continuation, NULL,
                             run->quick ? 300000 : 1500000};
    run->ops = work.count;
    return pair_run(&work, run->threads > 1, &run->check);
}

struct group {
    uint64_t factor, tasks;
};
OPS_LEAF(group)

struct task {
    struct group *group;
    uint64_t input[8];
    uint64_t result;
};
#define TASK_FIELDS(X) X(ref, struct task, group, group)
OPS_TYPE(task, TASK_FIELDS, OPS_ACYCLIC)

static void *make_task(void *arg, size_t i)
{
    struct group *group = arg;
    struct task *t = task_new();
    group_keep(group);
    t->group = group;
    for (size_t k = 0; k < 8; k++)
        t->input[k] = i + k;
    t->result = 0;
    return t;
}
static void take_task(void *item, uint64_t *sum)
{
    struct task *t = item;
    task_keep(t); /* the pool's reference while the task runs */
    uint64_t x = t->group->factor;
    for (size_t k = 0; k < 32; k++)
        x = (x ^ t->input[k % 8]) * 0x9E3779B97F4A7C15u;
    t->result = x;
    *sum += t->result >> 32;
    task_drop(t);
    task_drop(t);
}

static double repeat_tasks(struct bench_run *run)
{
    struct group *group = group_new();
    *group = (struct group){17, 0};
    struct pair_work work = {make_task, take_task, group, run->quick ? 150000 : 1000000};
    run->ops = work.count;
    double ns = pair_run(&work, run->threads > 1, &run->check);
    group_drop(group);
    return ns;
}

const struct bench_workload work_handover = {.name = "handover", .repeat = repeat_handover};
const struct bench_workload work_tasks = {.name = "tasks", .repeat = repeat_tasks};
