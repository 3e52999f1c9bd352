/* SPDX-License-Identifier: MIT */
/* ping-pong: an isolated graph goes to another thread and comes back, through two channels, by
 * blocking sends and receives. Beside it bare pointers through two of Concurrency Kit's rings: with
 * one producer and one consumer (base), and with many allowed (part). Who finds nothing in a ring
 * looks again, and gives its processor up after many looks. */
#include "bench/ops.h"
#include "bench/partner.h"
#include "bench/turns.h"
#include "bench/workloads/ck.h"
#include "bench/workloads/graphs.h"
#include "isolate/channel.h"

static struct {
    size_t trips;
    struct ouro_channel *to, *fro;
    struct ouro_isolated *graph;
    struct ck one_to, one_fro, many_to, many_fro; /* what is for one does not note what many need */
    uintptr_t came_back;
} game;

/* -- channels ---------------------------------------------------------------------------------- */

static struct ouro_isolated *receive(struct ouro_channel *from)
{
    struct ouro_isolated *graph;
    if (ouro_channel_receive(from, &graph) != OURO_OK)
        bench_die("nothing was received");
    return graph;
}
static void send(struct ouro_channel *to, struct ouro_isolated *graph)
{
    if (ouro_channel_send(to, graph) != OURO_OK)
        bench_die("nothing was sent");
}

static void serve(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < game.trips; i++) {
        send(game.to, game.graph);
        game.graph = receive(game.fro);
        game.came_back += game.graph != NULL;
    }
}
static void give_back(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < game.trips; i++)
        send(game.fro, receive(game.to));
}

/* -- Concurrency Kit --------------------------------------------------------------------------- */

static void serve_spsc(void *arg)
{
    (void)arg;
    for (uintptr_t i = 1; i <= game.trips; i++) {
        ck_push(&game.one_to, (void *)i);
        game.came_back += ck_take(&game.one_fro) == (void *)i;
    }
}
static void give_back_spsc(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < game.trips; i++)
        ck_push(&game.one_fro, ck_take(&game.one_to));
}
static void serve_mpmc(void *arg)
{
    (void)arg;
    for (uintptr_t i = 1; i <= game.trips; i++) {
        ck_push_many(&game.many_to, (void *)i);
        game.came_back += ck_take_many(&game.many_fro) == (void *)i;
    }
}
static void give_back_mpmc(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < game.trips; i++)
        ck_push_many(&game.many_fro, ck_take_many(&game.many_to));
}

/* ---------------------------------------------------------------------------------------------- */

static double play(partner_job *here, partner_job *there, size_t n, uint64_t *check)
{
    game.trips = n;
    game.came_back = 0;
    double ns = partner_both(here, there, NULL);
    *check = game.came_back;
    return ns;
}
static double channels(size_t n, uint64_t *check)
{
    return play(serve, give_back, n, check);
}
static double spsc(size_t n, uint64_t *check)
{
    return play(serve_spsc, give_back_spsc, n, check);
}
static double mpmc(size_t n, uint64_t *check)
{
    return play(serve_mpmc, give_back_mpmc, n, check);
}

static void setup(struct bench_run *run)
{
    struct node *nodes[10];
    (void)run;
    ck_begin(&game.one_to);
    ck_begin(&game.one_fro);
    ck_begin(&game.many_to);
    ck_begin(&game.many_fro);
    if (ouro_channel_new(CK_PLACES, &game.to) != OURO_OK ||
        ouro_channel_new(CK_PLACES, &game.fro) != OURO_OK ||
        ouro_isolate(graph_random(nodes, 10), &game.graph, NULL) != OURO_OK)
        bench_die("no channels, or a graph is not isolated");
    partner_begin();
}

static double repeat(struct bench_run *run)
{
    static bench_turn *const part[BENCH_PARTS] = {mpmc};
    return bench_all_by_turns(run, channels, spsc, part, run->quick ? 1000 : 3000);
}

static void end(struct bench_run *run)
{
    (void)run;
    partner_end();
    ouro_isolated_drop(game.graph);
    ouro_channel_drop(game.to);
    ouro_channel_drop(game.fro);
}

const struct bench_workload work_ping_pong = {"ping-pong", setup, repeat, end, true};
