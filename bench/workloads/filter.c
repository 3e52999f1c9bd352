/* SPDX-License-Identifier: MIT */
/* filter-tags, filter-boxes: a live graph is searched by the collector. Its slots go through a
 * filter, by tag bits or NaN boxes, and some hold numbers; beside it the same graph with plain
 * slots, NULL where the other has a number. In cache, where a filter costs most. */
#include "bench/ops.h"
#include "bench/turns.h"

#define SLOTS 4 /* three edges, and what is no reference */
#define NODES 10000
#define QUICK 2000

struct node {
    uint64_t slot[SLOTS];
};

static const struct ouro_filter tags = OURO_FILTER_TAG(7, 0);
static const struct ouro_filter boxes = OURO_FILTER_BOX(0xFFFC);

#define SLOT_FIELDS(FILTER)                                                                        \
    OURO_FILTERED(struct node, slot[0], FILTER, NULL),                                             \
        OURO_FILTERED(struct node, slot[1], FILTER, NULL),                                         \
        OURO_FILTERED(struct node, slot[2], FILTER, NULL),                                         \
        OURO_FILTERED(struct node, slot[3], FILTER, NULL)
static const struct ouro_field tag_fields[] = {SLOT_FIELDS(&tags)};
static const struct ouro_field box_fields[] = {SLOT_FIELDS(&boxes)};
static const struct ouro_field plain_fields[] = {
    OURO_REF(struct node, slot[0], NULL), OURO_REF(struct node, slot[1], NULL),
    OURO_REF(struct node, slot[2], NULL), OURO_REF(struct node, slot[3], NULL)};
static struct ouro_type tag_type = OURO_TYPE(struct node, tag_fields);
static struct ouro_type box_type = OURO_TYPE(struct node, box_fields);
static struct ouro_type plain_type = OURO_TYPE(struct node, plain_fields);

/* What differs between the three. */
struct kind {
    struct ouro_type *type;
    uint64_t tag;    /* of a reference */
    uint64_t number; /* a word that is none */
};

static uint64_t word_of(const struct kind *kind, const struct node *node)
{
    return kind->tag | (uint64_t)(uintptr_t)node;
}

/* All nodes on one ring in random order, with two more random edges each. Returns one (owned); the
 * other references are the graph's own. */
static struct node *build(const struct kind *kind, struct node **node, uint32_t n)
{
    uint64_t seed = 12345;
    for (uint32_t i = 0; i < n; i++) {
        node[i] = ops_checked(ouro_new_uninit(kind->type, sizeof(struct node)));
        node[i]->slot[0] = node[i]->slot[1] = node[i]->slot[2] = node[i]->slot[3] = kind->number;
    }
    for (uint32_t i = n - 1; i > 0; i--) {
        uint32_t j = bench_below(&seed, i + 1);
        struct node *t = node[i];
        node[i] = node[j];
        node[j] = t;
    }
    for (uint32_t i = 0; i < n; i++) {
        node[i]->slot[0] = word_of(kind, node[(i + 1) % n]); /* takes the array's reference over */
        for (unsigned k = 1; k < 3; k++) {
            struct node *to = node[bench_below(&seed, n)];
            ouro_incref(to);
            node[i]->slot[k] = word_of(kind, to);
        }
    }
    ouro_incref(node[0]);
    return node[0];
}

/* Builds a graph, makes one node in a hundred a candidate, and times the collection that finds all
 * of it alive: a fresh graph each time, for the collector may remember what it found live. */
static double search(const struct kind *kind, size_t n, uint64_t *check)
{
    static struct node *node[NODES];
    struct node *root = build(kind, node, (uint32_t)n);
    uint64_t seed = 99;
    for (size_t i = 0; i < n / 100; i++) {
        struct node *touched = node[bench_below(&seed, (uint32_t)n)];
        ouro_incref(touched);
        ouro_decref(touched);
    }
    struct ouro_collection did;
    double start = bench_now();
    ouro_collect(&did);
    double end = bench_now();
    *check = did.live;
    ouro_decref(root);
    *check += ouro_collect(NULL);
    return end - start;
}

static double search_tags(size_t n, uint64_t *check)
{
    static const struct kind kind = {&tag_type, 0, 7 << 3 | 1};
    return search(&kind, n, check);
}
static double search_boxes(size_t n, uint64_t *check)
{
    static const struct kind kind = {&box_type, (uint64_t)0xFFFC << 48, 0x3FF8000000000000};
    return search(&kind, n, check);
}
static double search_plain(size_t n, uint64_t *check)
{
    static const struct kind kind = {&plain_type, 0, 0};
    return search(&kind, n, check);
}

static double repeat(struct bench_run *run, bench_turn *ours)
{
    size_t n = run->quick ? QUICK : NODES;
    double ns = bench_by_turns(run, ours, search_plain, n);
    if (run->check != 2 * n)
        run->error = "not every node was found alive, or not every one died";
    return ns;
}
static double repeat_tags(struct bench_run *run)
{
    return repeat(run, search_tags);
}
static double repeat_boxes(struct bench_run *run)
{
    return repeat(run, search_boxes);
}

const struct bench_workload work_filter_tags = {.name = "filter-tags", .repeat = repeat_tags};
const struct bench_workload work_filter_boxes = {.name = "filter-boxes", .repeat = repeat_boxes};
