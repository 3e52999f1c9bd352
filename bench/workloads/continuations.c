/* SPDX-License-Identifier: MIT */
/* continuations: of 32 and of 40 bytes by turns, made by one thread, run and freed by another; the
 * same both ways at once. Each is a function, a state, a number, and one or two references: to what
 * all of them share, and to who waits for the result, here nobody. They go
 *   each isolated alone, through a channel                              (ours)
 *   as counted references through Concurrency Kit's ring, for one
 *   producer and one consumer: the last drop is another thread's        (part)
 *   as blocks of malloc, through the same ring                          (base) */
#include "bench/ops.h"
#include "bench/partner.h"
#include "bench/turns.h"
#include "bench/worker/peak.h"
#include "bench/workloads/ck.h"
#include "isolate/channel.h"

#include <stdlib.h>

struct small {
    uint64_t (*resume)(void *self);
    uint64_t state, number;
    struct module *module;
};
struct large {
    uint64_t (*resume)(void *self);
    uint64_t state, number;
    struct module *module;
    struct large *caller;
};
struct module {
    uint64_t factor;
};
_Static_assert(sizeof(struct small) == 32 && sizeof(struct large) == 40, "as the page says");

#define SMALL_FIELDS(X) X(ref, struct small, module, module)
#define LARGE_FIELDS(X)                                                                            \
    X(ref, struct large, module, module)                                                           \
    X(ref, struct large, caller, large)
OPS_LEAF(module)
OPS_TYPE(small, SMALL_FIELDS, OPS_ACYCLIC)
OPS_TYPE(large, LARGE_FIELDS, OPS_CYCLIC)

/* What all share is immortal: nobody counts it. */
static struct {
    struct ouro_header header;
    struct module module;
} shared __attribute__((aligned(16))) = {OURO_IMMORTAL_HEADER, {17}};

/* -- what they compute ------------------------------------------------------------------------- */

static uint64_t result_of_small(const struct small *s)
{
    return (s->state ^ s->number) + s->module->factor;
}
static uint64_t result_of_large(const struct large *l)
{
    return (l->state ^ l->number) * l->module->factor + (l->caller != NULL);
}

static uint64_t resume_small(void *self)
{
    uint64_t result = result_of_small(self);
    small_drop(self);
    return result;
}
static uint64_t resume_large(void *self)
{
    uint64_t result = result_of_large(self);
    large_drop(self);
    return result;
}
static uint64_t resume_small_block(void *self)
{
    uint64_t result = result_of_small(self);
    free(self);
    return result;
}
static uint64_t resume_large_block(void *self)
{
    uint64_t result = result_of_large(self);
    free(self);
    return result;
}
static uint64_t run(void *self)
{
    return (*(uint64_t(**)(void *))self)(self);
}

/* -- making, sending and taking them ----------------------------------------------------------- */

static void *make_counted(size_t i)
{
    if (i & 1) {
        struct large *l = large_new();
        *l = (struct large){resume_large, i, 2, &shared.module, NULL};
        return l;
    }
    struct small *s = small_new();
    *s = (struct small){resume_small, i, 5, &shared.module};
    return s;
}
static void *make_block(size_t i)
{
    if (i & 1) {
        struct large *l = malloc(sizeof *l);
        if (l == NULL)
            bench_die("no memory");
        *l = (struct large){resume_large_block, i, 2, &shared.module, NULL};
        return l;
    }
    struct small *s = malloc(sizeof *s);
    if (s == NULL)
        bench_die("no memory");
    *s = (struct small){resume_small_block, i, 5, &shared.module};
    return s;
}

/* From one thread to the other; one for each direction. */
struct lane {
    struct ouro_channel *channel;
    struct ck ring;
};
static struct lane lanes[2];

static void send_isolated(struct lane *lane, size_t i)
{
    struct ouro_isolated *graph;
    if (ouro_isolate(make_counted(i), &graph, NULL) != OURO_OK ||
        ouro_channel_send(lane->channel, graph) != OURO_OK)
        bench_die("a continuation is not isolated, or cannot be sent");
}
static uint64_t take_isolated(struct lane *lane)
{
    struct ouro_isolated *graph;
    if (ouro_channel_receive(lane->channel, &graph) != OURO_OK)
        bench_die("nothing was received");
    return run(ops_checked(ouro_extract(graph)));
}
static void send_counted(struct lane *lane, size_t i)
{
    ck_push(&lane->ring, make_counted(i));
}
static void send_block(struct lane *lane, size_t i)
{
    ck_push(&lane->ring, make_block(i));
}
static uint64_t take_any(struct lane *lane)
{
    return run(ck_take(&lane->ring));
}

/* -- the two threads --------------------------------------------------------------------------- */

/* Where both make, each has made at most so many more than it has taken. Then there are never twice
 * as many in a lane, so that it is not full, and not both wait for room. */
#define AHEAD 256
_Static_assert(2 * AHEAD < CK_PLACES, "no lane is full");

static struct {
    void (*send)(struct lane *lane, size_t i);
    uint64_t (*take)(struct lane *lane);
    size_t count; /* that each direction carries */
    uint64_t sum[2];
} job;

static void make_all(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < job.count; i++)
        job.send(&lanes[0], i);
}
static void take_all(void *arg)
{
    (void)arg;
    uint64_t sum = 0;
    for (size_t i = 0; i < job.count; i++)
        sum += job.take(&lanes[0]);
    job.sum[0] = sum;
}

static void make_and_take(unsigned side)
{
    uint64_t sum = 0;
    for (size_t made = 0, taken = 0; taken < job.count;) {
        if (made < job.count && made - taken < AHEAD) {
            job.send(&lanes[side], made++);
        } else {
            sum += job.take(&lanes[!side]);
            taken++;
        }
    }
    job.sum[side] = sum;
}
static void here(void *arg)
{
    (void)arg;
    make_and_take(0);
}
static void there(void *arg)
{
    (void)arg;
    make_and_take(1);
}

static bool both_ways;

static double turn(size_t n, uint64_t *check)
{
    job.count = both_ways ? n / 2 : n;
    job.sum[0] = job.sum[1] = 0;
    double ns =
        both_ways ? partner_both(here, there, NULL) : partner_both(make_all, take_all, NULL);
    ouro_poll(); /* what the other dropped is part of it: not of the next turn */
    *check = job.sum[0] + job.sum[1];
    return ns;
}
static double isolated(size_t n, uint64_t *check)
{
    job.send = send_isolated;
    job.take = take_isolated;
    return turn(n, check);
}
static double counted(size_t n, uint64_t *check)
{
    job.send = send_counted;
    job.take = take_any;
    return turn(n, check);
}
static double blocks(size_t n, uint64_t *check)
{
    job.send = send_block;
    job.take = take_any;
    return turn(n, check);
}

static void setup(struct bench_run *run)
{
    (void)run;
    for (unsigned i = 0; i < 2; i++) {
        ck_begin(&lanes[i].ring);
        if (ouro_channel_new(CK_PLACES - 1, &lanes[i].channel) != OURO_OK)
            bench_die("no channel");
    }
    partner_begin();
}

/* What the process takes beyond what the first turns took is told. */
static double repeat(struct bench_run *run)
{
    static bench_turn *const part[BENCH_PARTS] = {counted};
    size_t n = run->quick ? 4000 : 32000;
    bench_turn *const all[] = {isolated, counted, blocks};
    uint64_t check;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        all[i](n, &check);
    long before = bench_peak_kib();
    double ns = bench_all_by_turns(run, isolated, blocks, part, n);
    run->grown_kib = bench_peak_kib() - before;
    return ns;
}

static double repeat_one_way(struct bench_run *run)
{
    both_ways = false;
    return repeat(run);
}
static double repeat_both_ways(struct bench_run *run)
{
    both_ways = true;
    return repeat(run);
}

static void end(struct bench_run *run)
{
    (void)run;
    partner_end();
    for (unsigned i = 0; i < 2; i++)
        ouro_channel_drop(lanes[i].channel);
}

const struct bench_workload work_continuations = {"continuations", setup, repeat_one_way, end,
                                                  true};
const struct bench_workload work_continuations_both = {"continuations-both", setup,
                                                       repeat_both_ways, end, true};
