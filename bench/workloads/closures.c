/* SPDX-License-Identifier: MIT */
/* closures: what an async procedure compiles to. An environment holds the closure that runs it, a
 * buffer and its state; the closure holds the environment: each refers to itself through the
 * other. A dispatcher keeps 64 under way. What is finished is garbage only the collector can find;
 * it runs by its own triggers, and the memory has to stay flat. */
#include "bench/ops.h"

#define UNDER_WAY 64
#define STEPS     6
#define BUFFER    200

OPS_FORWARD(environment)
struct closure {
    bool (*step)(struct closure *self);
    struct environment *environment;
};
#define CLOSURE_FIELDS(X) X(ref, struct closure, environment, environment)
OPS_TYPE(closure, CLOSURE_FIELDS, OPS_CYCLIC)

struct environment {
    struct closure *self;
    uint32_t state, sum;
    ops_string buffer;
};
#define ENVIRONMENT_FIELDS(X)                                                                      \
    X(ref, struct environment, self, closure) X(string, struct environment, buffer, none)
OPS_TYPE(environment, ENVIRONMENT_FIELDS, OPS_CYCLIC)

/* Runs to the next await; true when it has finished. */
static bool step(struct closure *self)
{
    struct environment *e = self->environment;
    environment_keep(e);
    char byte = (char)('a' + e->state);
    ops_string_append(&e->buffer, &byte, 1);
    e->sum += (uint32_t)e->buffer.len;
    bool done = ++e->state == STEPS;
    environment_drop(e);
    return done;
}

static struct closure *start_one(void)
{
    static const char fill[BUFFER];
    struct environment *e = environment_new();
    *e = (struct environment){.self = NULL};
    struct closure *c = closure_new();
    *c = (struct closure){step, NULL};
    ops_string_make(&e->buffer, fill, sizeof fill);
    closure_copy(e, &e->self, c);
    environment_init(c, &c->environment, e);
    return c;
}

static double repeat(struct bench_run *run)
{
    struct closure *ring[UNDER_WAY];
    size_t total = run->quick ? 50000 : 400000, begun = 0;
    run->check = 0;
    double start = bench_now();
    for (; begun < UNDER_WAY; begun++)
        ring[begun] = start_one();
    for (size_t i = 0, left = total; left > 0; i = (i + 1) % UNDER_WAY) {
        struct closure *c = ring[i];
        if (c == NULL)
            continue;
        closure_keep(c); /* the dispatcher's own while it calls */
        bool done = c->step(c);
        if (done) {
            run->check += c->environment->sum;
            left--;
            closure_drop(ring[i]);
            ring[i] = begun < total ? start_one() : NULL;
            begun += begun < total;
        }
        closure_drop(c);
    }
    double end = bench_now();
    run->ops = total;
    return end - start;
}

const struct bench_workload work_closures = {.name = "closures", .repeat = repeat};
