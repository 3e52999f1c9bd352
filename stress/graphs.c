/* SPDX-License-Identifier: MIT */
/* graphs.c: isolated graphs from thread to thread, through channels and a guarded location.
 *
 * Each thread has a few graphs of its own, which it grows, tangles and hands on: cycles, leaves
 * that several share, weak handles inside, objects that are merged from birth. Some references
 * into a graph it lends to others for a while, who count with them. Some graphs it leaves behind
 * when it ends. Some live in regions, which others keep, or take apart. What a graph is isolated
 * in spite of shows as a use of something that is gone, or as a death too many or too few. */
#include "stress.h"

#include <pthread.h>
#include <sched.h>

#define SLOTS    3
#define GRAPHS   4
#define CHANNELS 3
#define LOANS    8

struct leaf {
    int64_t id;
    uint32_t alive;
};
struct node {
    struct node *slot[SLOTS];
    struct leaf *leaf;
    struct ouro_weak *weak; /* to an object of the graph */
    uint32_t alive;
};

static void leaf_destroy(void *value, const struct ouro_type *type)
{
    (void)type;
    count_death(&((struct leaf *)value)->alive);
}
static void node_destroy(void *value, const struct ouro_type *type)
{
    count_death(&((struct node *)value)->alive);
    ouro_lifted_destroy(value, type);
}

/* A copy is a birth. */
static ouro_status count_copy(void *fresh, const void *from, const struct ouro_type *type,
                              struct ouro_memo *memo)
{
    ouro_status status = ouro_lifted_deepcopy(fresh, from, type, memo);
    if (status == OURO_OK)
        count_birth();
    return status;
}

static struct ouro_type leaf_type = {.name = "leaf",
                                     .size = sizeof(struct leaf),
                                     .align = 8,
                                     .flags = OURO_ACYCLIC,
                                     .hooks = {.destroy = leaf_destroy, .deepcopy = count_copy}};
static struct ouro_type node_type;
static const struct ouro_field node_fields[] = {
    OURO_REF(struct node, slot[0], &node_type), OURO_REF(struct node, slot[1], &node_type),
    OURO_REF(struct node, slot[2], &node_type), OURO_REF(struct node, leaf, &leaf_type),
    OURO_WEAK(struct node, weak)};
static struct ouro_type node_type = {.name = "node",
                                     .size = sizeof(struct node),
                                     .align = 8,
                                     .fields = node_fields,
                                     .field_count = 5,
                                     .hooks = {.destroy = node_destroy, .deepcopy = count_copy}};

static struct ouro_channel *channels[CHANNELS];

/* A graph that waits with its lock. */
static struct ouro_lock place_lock = OURO_LOCK_INIT("place", 2),
                        tally_lock = OURO_LOCK_INIT("tally", 1);
static struct ouro_isolated *place;
static uint64_t tally;

/* A reference into somebody's graph, lent until it is NULL again; or a graph that was left. */
static struct loan {
    pthread_mutex_t lock;
    struct node *node; /* owned by the loan */
    bool left;         /* a root, for anybody to keep */
} loans[LOANS];

struct graph {
    struct node *root;
    struct loan *loan;          /* of a reference into it, or NULL */
    struct ouro_region *region; /* that it is in, or NULL */
};
struct actor {
    pthread_t thread;
    uint64_t random, steps;
    bool inside; /* a region: where merged objects would keep it from going by the page */
    struct graph graphs[GRAPHS];
};

static uint64_t draw(struct actor *a, uint64_t n)
{
    return draw_from(&a->random, n);
}

/* -- graphs ------------------------------------------------------------------------------------ */

static struct node *make_node(bool merged)
{
    struct node *n =
        merged ? ouro_new_atomic(&node_type, sizeof *n) : ouro_new_biased(&node_type, sizeof *n);
    if (!n)
        abort();
    n->alive = ALIVE;
    count_birth();
    return n;
}

/* Through the slot: a graph that was left may have another owner. */
static void make_leaf(struct node *n)
{
    struct leaf *leaf = OURO_NEW(struct leaf, &leaf_type);
    if (!leaf)
        abort();
    leaf->alive = ALIVE;
    count_birth();
    ouro_slot_store(n, (void **)&n->leaf, leaf);
}

/* Some steps into the graph. */
static struct node *wander(struct actor *a, struct node *at)
{
    for (uint64_t i = draw(a, 12); i > 0; i--) {
        struct node *next = at->slot[draw(a, SLOTS)];
        at = next ? next : at;
    }
    must_live(&at->alive);
    return at;
}

static void tangle(struct actor *a, struct node *root)
{
    struct node *from = wander(a, root), *to = wander(a, root);
    void **slot = (void **)&from->slot[draw(a, SLOTS)];
    switch (draw(a, 8)) {
    case 0:
        ouro_slot_store(from, slot, NULL);
        break;
    case 1:
    case 2:
        ouro_slot_copy(from, slot, to);
        break;
    case 3: {
        struct ouro_weak *was = from->weak;
        from->weak = ouro_weak_new(to);
        ouro_weak_decref(was);
        break;
    }
    case 4:
        ouro_slot_copy(from, (void **)&from->leaf, to->leaf);
        break;
    case 5:
        make_leaf(from);
        break;
    case 6: { /* moves */
        void *moved = ouro_slot_move(from, slot);
        ouro_slot_store(to, (void **)&to->slot[draw(a, SLOTS)], moved);
        break;
    }
    default:
        ouro_slot_store(from, slot, make_node(draw(a, a->inside ? 1024 : 16) == 0));
    }
}

static void drop_weak_out(struct node *root)
{
    /* A handle whose object was unlinked leads out of the graph. */
    ouro_weak_decref(root->weak);
    root->weak = NULL;
}

static void go_in(struct actor *a, const struct graph *g)
{
    a->inside = g->region != NULL;
    if (g->region && ouro_region_enter(g->region) != OURO_OK)
        abort();
}
static void go_out(struct actor *a, const struct graph *g)
{
    if (g->region)
        ouro_region_leave(g->region);
    a->inside = false;
}

static void begin(struct actor *a, struct graph *g)
{
    if (draw(a, 2) && ouro_region_new(&g->region) != OURO_OK)
        abort();
    go_in(a, g);
    g->root = make_node(false);
    go_out(a, g);
}

/* The region, if it is in one, ends; the graph is anybody's. */
static void end_region(struct graph *g)
{
    if (g->region && ouro_region_end(g->region) != OURO_OK)
        abort();
    g->region = NULL;
}

/* -- loans ------------------------------------------------------------------------------------- */

static void lend(struct actor *a, struct graph *g)
{
    struct loan *loan = &loans[draw(a, LOANS)];
    if (!g->root || g->loan)
        return;
    go_in(a, g);
    struct node *n = wander(a, g->root);
    pthread_mutex_lock(&loan->lock);
    if (!loan->node) {
        ouro_incref(n);
        loan->node = n;
        loan->left = false;
        g->loan = loan;
    }
    pthread_mutex_unlock(&loan->lock);
    go_out(a, g);
}

/* Others count on what is lent, and give it back. */
static void use_loan(struct actor *a)
{
    struct loan *loan = &loans[draw(a, LOANS)];
    pthread_mutex_lock(&loan->lock);
    struct node *n = loan->node;
    if (n && !loan->left) {
        for (int i = 0; i < 5; i++) {
            must_live(&n->alive);
            ouro_incref(n);
            ouro_decref(n);
        }
        if (draw(a, 4) == 0) {
            loan->node = NULL;
            ouro_decref(n);
        }
    }
    pthread_mutex_unlock(&loan->lock);
}

static bool is_lent(struct graph *g)
{
    if (!g->loan)
        return false;
    pthread_mutex_lock(&g->loan->lock);
    bool lent = g->loan->node != NULL && !g->loan->left;
    pthread_mutex_unlock(&g->loan->lock);
    if (!lent)
        g->loan = NULL;
    return lent;
}

static void leave(struct actor *a, struct graph *g)
{
    struct loan *loan = &loans[draw(a, LOANS)];
    pthread_mutex_lock(&loan->lock);
    if (!loan->node && g->root && !g->loan) {
        end_region(g);
        loan->node = g->root;
        loan->left = true;
        g->root = NULL;
    }
    pthread_mutex_unlock(&loan->lock);
}

static void find_left(struct actor *a, struct graph *g)
{
    struct loan *loan = &loans[draw(a, LOANS)];
    pthread_mutex_lock(&loan->lock);
    if (loan->node && loan->left && !g->root) {
        g->root = loan->node;
        g->loan = NULL;
        loan->node = NULL;
    }
    pthread_mutex_unlock(&loan->lock);
}

/* -- to others --------------------------------------------------------------------------------- */

static void keep(struct actor *a, struct graph *g, struct ouro_isolated *handle)
{
    if (!handle)
        return;
    if (g->root) {
        ouro_isolated_drop(handle);
        return;
    }
    void *root = NULL;
    if (draw(a, 4))
        g->region = ouro_region_extract(handle, &root);
    while (!root) /* what others dropped of a region may be on its way */
        root = ouro_extract(handle);
    g->root = root;
    must_live(&g->root->alive);
}

static struct ouro_isolated *isolated(struct actor *a, struct graph *g)
{
    struct ouro_isolated *handle = NULL;
    bool lent =
        is_lent(g); /* it comes back at any time, but only what was not lent must not refuse */
    ouro_status status = g->region ? ouro_region_isolate(g->region, g->root, &handle, NULL)
                                   : ouro_isolate(g->root, &handle, NULL);
    if (status == OURO_NO_MEMORY || (status == OURO_OK) != (handle != NULL))
        abort();
    if (status == OURO_OK) {
        *g = (struct graph){NULL, NULL, NULL};
    } else if (status == OURO_NOT_ISOLATED && !lent) {
        go_in(a, g);
        drop_weak_out(g->root);
        go_out(a, g);
    }
    return handle;
}

static ouro_status send_somehow(struct actor *a, struct ouro_isolated **handle)
{
    struct ouro_channel *channel = channels[draw(a, CHANNELS)];
    struct ouro_channel_case cases[CHANNELS];
    size_t chosen;
    ouro_status status;
    switch (draw(a, 4)) {
    case 0:
        status = ouro_channel_try_send(channel, *handle);
        break;
    case 1:
        status = ouro_channel_send_within(channel, *handle, 50000);
        break;
    case 2:
        for (int i = 0; i < CHANNELS; i++)
            cases[i] = (struct ouro_channel_case){
                .channel = channels[i], .graph = i ? NULL : *handle, .send = !i};
        status = ouro_channel_select(cases, CHANNELS, 50000, &chosen);
        if (status == OURO_OK && chosen != 0) { /* one was received instead */
            ouro_isolated_drop(cases[chosen].graph);
            status = OURO_WOULD_BLOCK;
        }
        break;
    default:
        ouro_lock_take(&place_lock, OURO_HERE);
        struct ouro_isolated *was = place;
        place = *handle;
        ouro_lock_take(&tally_lock, OURO_HERE);
        tally++;
        ouro_lock_release(&tally_lock, OURO_HERE);
        ouro_lock_release(&place_lock, OURO_HERE);
        ouro_isolated_drop(was);
        status = OURO_OK;
    }
    if (status == OURO_OK)
        *handle = NULL;
    return status;
}

static void hand_on(struct actor *a, struct graph *g)
{
    struct ouro_isolated *handle = g->root ? isolated(a, g) : NULL;
    if (handle && draw(a, 16) == 0) {
        ouro_isolated_drop(handle);
        return;
    }
    if (handle)
        (void)send_somehow(a, &handle);
    keep(a, g, handle);
}

static void receive(struct actor *a, struct graph *g)
{
    struct ouro_isolated *handle = NULL;
    struct ouro_channel *channel = channels[draw(a, CHANNELS)];
    if (g->root)
        return;
    switch (draw(a, 3)) {
    case 0:
        (void)ouro_channel_try_receive(channel, &handle);
        break;
    case 1:
        (void)ouro_channel_receive_within(channel, &handle, 50000);
        break;
    default:
        ouro_lock_take(&place_lock, OURO_HERE);
        handle = place;
        place = NULL;
        ouro_lock_release(&place_lock, OURO_HERE);
    }
    keep(a, g, handle);
}

static void copy(struct actor *a, struct graph *from, struct graph *to)
{
    struct ouro_isolated *handle = NULL;
    if (!from->root || to->root || is_lent(from))
        return;
    go_in(a, from);
    drop_weak_out(from->root);
    go_out(a, from);
    (void)ouro_deepcopy(from->root, &handle, NULL); /* a handle that leads out refuses it */
    keep(a, to, handle);
}

static void step(struct actor *a)
{
    struct graph *g = &a->graphs[draw(a, GRAPHS)];
    switch (draw(a, 16)) {
    case 0:
        if (!g->root)
            begin(a, g);
        break;
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
        go_in(a, g);
        for (int i = 0; g->root && i < 6; i++)
            tangle(a, g->root);
        go_out(a, g);
        break;
    case 6:
        lend(a, g);
        break;
    case 7:
    case 8:
        use_loan(a);
        break;
    case 9:
    case 10:
    case 11:
        hand_on(a, g);
        break;
    case 12:
    case 13:
        receive(a, g);
        break;
    case 14:
        if (draw(a, 8) == 0)
            copy(a, g, &a->graphs[draw(a, GRAPHS)]);
        else
            find_left(a, g);
        break;
    default:
        if (draw(a, 32) == 0)
            ouro_collect(NULL);
        else if (draw(a, 8) == 0)
            leave(a, g);
        else if (draw(a, 16) == 0) {
            ouro_decref(g->root);
            g->root = NULL;
            end_region(g);
        }
    }
}

static void *act(void *arg)
{
    struct actor *a = arg;
    for (; a->steps > 0; a->steps--)
        step(a);
    for (int i = 0; i < GRAPHS; i++) {
        leave(a, &a->graphs[i]);
        ouro_decref(a->graphs[i].root);
        end_region(&a->graphs[i]);
    }
    return NULL;
}

bool graphs_exist(void)
{
    return true;
}

void run_graphs(uint64_t seed, uint64_t round, unsigned threads)
{
    static struct actor actors[THREADS_MOST];
    static bool ready;
    for (int i = 0; i < CHANNELS; i++)
        if (ouro_channel_new((size_t)i + 1, &channels[i]) != OURO_OK)
            abort();
    for (int i = 0; !ready && i < LOANS; i++)
        pthread_mutex_init(&loans[i].lock, NULL);
    ready = true;
    for (unsigned i = 0; i < threads; i++) {
        uint64_t random = random_of(seed, round, i);
        actors[i] = (struct actor){.random = random, .steps = 2000 + random % 8000};
        if (pthread_create(&actors[i].thread, NULL, act, &actors[i]) != 0)
            abort();
    }
    for (unsigned i = 0; i < threads; i++)
        pthread_join(actors[i].thread, NULL);
    for (int i = 0; i < CHANNELS; i++) {
        ouro_channel_close(channels[i]);
        ouro_channel_drop(channels[i]);
    }
    ouro_isolated_drop(place);
    place = NULL;
    for (int i = 0; i < LOANS; i++) {
        ouro_decref(loans[i].node);
        loans[i].node = NULL;
    }
}
