/* SPDX-License-Identifier: MIT */
/* ops.h: what a workload may do to objects, strings and sequences. One source, many variants.
 *
 * A workload is written once against the names below and compiled for each variant: over Ouro's
 * inlined functions (ops_ouro.h; the mode is OURO_RC, and which library it is linked with decides
 * about threads), or over malloc with counts as a good C programmer writes them (ops_malloc.h;
 * OPS_COUNTS is plain, atomic or biased, the allocator is whatever malloc is when it runs).
 *
 * A type is declared from a list of the fields that count:
 *
 *     struct node { struct node *left, *right; };
 *     #define NODE_FIELDS(X) X(ref, struct node, left, node) X(chain, struct node, right, node)
 *     OPS_TYPE(node, NODE_FIELDS, OPS_ACYCLIC)
 *
 * Kinds: `ref` a strong reference; `chain` the same, followed by a loop and not by recursion where
 * malloc is below (one a type, to the type itself); `refs` an ops_seq of references; `string` an
 * ops_string; `borrow` a pointer that counts nothing. OPS_TYPE makes, for `node`:
 *
 *     struct node *node_new(void)        a new one, count 1, contents undefined; never NULL
 *     void node_keep(p), node_drop(p)    incref and decref; NULL allowed
 *     void node_init(o, slot, p)         stores p (owned) into an empty slot of o, a fresh object
 *     void node_put(o, slot, p)          stores p (owned) into a slot of object o, drops the old
 *     void node_copy(o, slot, p)         the same with a new reference
 *     struct node *node_take(o, slot)    moves a reference out
 *     void node_push(seq, p)             appends p (owned) to a sequence of references
 *     struct node **node_at(seq, i)      the slot of an element
 *     void node_seq_end(seq)             drops all elements
 */
#ifndef OURO_BENCH_OPS_H
#define OURO_BENCH_OPS_H

#include "bench/bench.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define OPS_ACYCLIC 1
#define OPS_CYCLIC  0

#ifdef OPS_COUNTS
#include "bench/ops_malloc.h"
#else
#include "bench/ops_ouro.h"
#endif

#endif
