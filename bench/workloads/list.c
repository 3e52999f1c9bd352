/* SPDX-License-Identifier: MIT */
/* list: a doubly linked list is built at its tail, walked both ways by a counted cursor, and
 * dropped. Forward links count, back links borrow. */
#include "bench/ops.h"

struct item {
    struct item *next, *prev;
    uint64_t key, value; /* with these a block is 48 bytes, whether its header has 8 bytes or 16 */
};
#define ITEM_FIELDS(X) X(chain, struct item, next, item) X(borrow, struct item, prev, item)
OPS_TYPE(item, ITEM_FIELDS, OPS_ACYCLIC)

static struct item *new_item(struct item *prev, uint64_t key)
{
    struct item *it = item_new();
    *it = (struct item){NULL, prev, key, key ^ 0x5555};
    return it;
}

/* Both walks count the cursor, as code does that nobody has optimized. */
static uint64_t walk(struct item *first)
{
    uint64_t sum = 0;
    struct item *at = first, *last = NULL;
    item_keep(at);
    while (at) {
        struct item *next = at->next;
        sum += at->value;
        last = next ? last : at;
        item_keep(next);
        item_drop(at);
        at = next;
    }
    for (at = last, item_keep(at); at;) {
        struct item *prev = at->prev;
        sum ^= at->key;
        item_keep(prev);
        item_drop(at);
        at = prev;
    }
    return sum;
}

static double repeat(struct bench_run *run)
{
    size_t n = run->quick ? 100000 : 1000000;
    double start = bench_now();
    struct item *first = new_item(NULL, 0), *last = first;
    for (size_t i = 1; i < n; i++) {
        struct item *it = new_item(last, i);
        item_put(last, &last->next, it);
        last = it;
    }
    run->check = walk(first);
    item_drop(first);
    double end = bench_now();
    run->ops = n;
    return end - start;
}

const struct bench_workload work_list = {.name = "list", .repeat = repeat};
