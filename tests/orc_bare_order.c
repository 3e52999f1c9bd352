/* SPDX-License-Identifier: MIT */
/* In which order the hooks of garbage run: beside random graphs stands a model of Nim's collector
 * (lib/system/orc.nim), written after that: roots are registered by drops that leave references,
 * the last one takes the place of one that dies; collectColor takes what is no root itself, and
 * looks at slots last in, first out. White-box: see bare_kit.h. */
#include "bare_kit.h"

#define NODES 24

static struct {
    struct bnode *node[NODES]; /* NULL: not born, or destroyed */
    int held[NODES];           /* references of the program */
    int roots[NODES], root_count;
    int expected[NODES], expected_count;
    bool black[NODES];
} m;

static void unregister(int i)
{
    for (int k = 0; k < m.root_count; k++) {
        if (m.roots[k] == i) {
            m.roots[k] = m.roots[--m.root_count];
            return;
        }
    }
}
static bool is_root(int i)
{
    for (int k = 0; k < m.root_count; k++) {
        if (m.roots[k] == i)
            return true;
    }
    return false;
}

/* The program's drop, as compiled; what it does to the roots is written down. */
static void drop(struct bnode *n)
{
    if (!n)
        return;
    int i = (int)n->id;
    if (ouro_decref_is_last_of(n, &bnode_type)) {
        unregister(i);
        m.node[i] = NULL;
        n->magic = BNODE_DEAD;
        drop(n->a);
        drop(n->b);
        ouro_dispose(n, 8);
    } else if (!is_root(i)) {
        m.roots[m.root_count++] = i;
    }
}

static void mark(int i, bool *live)
{
    if (live[i])
        return;
    live[i] = true;
    if (m.node[i]->a)
        mark((int)m.node[i]->a->id, live);
    if (m.node[i]->b)
        mark((int)m.node[i]->b->id, live);
}

/* -- Nim's collector --------------------------------------------------------------------------- */

static struct stack {
    int target[NODES * 4];
    int count;
} stack;

static void trace(int i)
{
    if (m.node[i]->a)
        stack.target[stack.count++] = (int)m.node[i]->a->id;
    if (m.node[i]->b)
        stack.target[stack.count++] = (int)m.node[i]->b->id;
}
static void take(int i)
{
    m.expected[m.expected_count++] = i;
    m.black[i] = true;
    trace(i);
}
static void model_collects(const bool *live)
{
    memset(m.black, 0, sizeof m.black);
    m.expected_count = 0;
    bool root[NODES] = {false};
    for (int k = 0; k < m.root_count; k++)
        root[m.roots[k]] = true;
    for (int k = 0; k < m.root_count; k++) {
        int i = m.roots[k];
        root[i] = false;
        if (live[i] || m.black[i])
            continue;
        take(i);
        while (stack.count > 0) {
            int target = stack.target[--stack.count];
            if (!live[target] && !m.black[target] && !root[target])
                take(target);
        }
    }
    m.root_count = 0;
}

/* -- the program ------------------------------------------------------------------------------- */

static int any_held(uint64_t *seed)
{
    int from = (int)(kit_random(seed) % NODES);
    for (int k = 0; k < NODES; k++) {
        int i = (from + k) % NODES;
        if (m.node[i] && m.held[i])
            return i;
    }
    return -1;
}

static void step(uint64_t *seed)
{
    int i = (int)(kit_random(seed) % NODES), from = any_held(seed), to = any_held(seed);
    unsigned what = (unsigned)(kit_random(seed) % 8);
    if (!m.node[i]) {
        m.node[i] = bnode_new(i);
        m.held[i] = 1;
    } else if (from < 0) {
        return;
    } else if (what < 5) {
        struct bnode **slot = what % 2 ? &m.node[from]->a : &m.node[from]->b, *old = *slot;
        *slot = kit_random(seed) % 5 ? bare_share(m.node[to]) : NULL;
        drop(old);
    } else {
        m.held[from]--;
        drop(m.node[from]);
    }
}

static void collect_and_compare(void)
{
    bool live[NODES] = {false};
    int log_at = 0;
    for (int i = 0; i < NODES; i++) {
        if (m.node[i] && m.held[i])
            mark(i, live);
    }
    model_collects(live);
    bnode_destroyed = 0;
    size_t freed = ouro_collect(NULL);
    assert_int_equal(freed, m.expected_count);
    assert_int_equal(bnode_destroyed, m.expected_count);
    for (; log_at < m.expected_count; log_at++)
        assert_int_equal(bnode_log[log_at], m.expected[log_at]);
    for (int i = 0; i < NODES; i++) {
        if (m.node[i] && !live[i]) {
            assert_true(m.black[i]);
            m.node[i] = NULL;
        }
    }
    assert_int_equal(ouro_candidates(), 0);
}

static void hooks_run_in_the_order_of_nims_collector(void **state)
{
    (void)state;
    uint64_t seed = kit_seed(17);
    size_t most = 0;
    ouro_collect_pause();
    for (size_t round = 0; round < kit_scaled(4000); round++) {
        for (uint64_t n = 5 + kit_random(&seed) % 80; n > 0; n--)
            step(&seed);
        if (round % 3 == 0) { /* nearly all goes */
            for (int i = 0; i < NODES; i++) {
                while (m.node[i] && m.held[i] > 0 && kit_random(&seed) % 8) {
                    m.held[i]--;
                    drop(m.node[i]);
                }
            }
        }
        collect_and_compare();
        most = bnode_destroyed > most ? bnode_destroyed : most;
    }
    for (int i = 0; i < NODES; i++) {
        while (m.node[i] && m.held[i] > 0) {
            m.held[i]--;
            drop(m.node[i]);
        }
    }
    collect_and_compare();
    ouro_collect_resume();
    assert_true(most > 10 || kit_instrumented());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        bare_test(hooks_run_in_the_order_of_nims_collector),
    };
    return kit_run(tests);
}
