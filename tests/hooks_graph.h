/* SPDX-License-Identifier: MIT */
/* hooks_graph.h: nodes with references of every kind, for the tests of deepcopy. White-box: on the
 * counted objects of hooks_mock.h. */
#ifndef OURO_TESTS_HOOKS_GRAPH_H
#define OURO_TESTS_HOOKS_GRAPH_H

#include "hooks_mock.h"

#include <string.h>

struct node {
    void *next;
    void *other;
    void *weak;
    void *back;
    ouro_seq refs;
    int64_t n;
};
static struct ouro_type node_type;
static const struct ouro_field node_fields[] = {
    OURO_REF(struct node, next, &node_type),
    OURO_REF(struct node, other, NULL),
    OURO_WEAK(struct node, weak),
    OURO_BORROW(struct node, back),
    OURO_SEQ(struct node, refs, &ouro_ref_type),
};
static struct ouro_type node_type = OURO_TYPE(struct node, node_fields);

static inline struct node *new_node(int64_t n)
{
    struct node *node = mock_new(&node_type);
    node->n = n;
    return node;
}

static inline void *deepcopy(void *object)
{
    void *copy = NULL;
    assert_int_equal(ouro_deepcopy_value(&copy, &object, &ouro_ref_type), OURO_OK);
    return copy;
}

static inline void cut(struct node *node)
{
    void *next = node->next;
    node->next = NULL;
    mock_drop(next);
}

#endif
