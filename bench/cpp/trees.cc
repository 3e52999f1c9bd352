// SPDX-License-Identifier: MIT
// trees: the program of workloads/trees.c with std::shared_ptr.
#include "bench/bench.h"

#include <memory>

namespace
{

struct Node {
    std::shared_ptr<Node> left, right;
};

std::shared_ptr<Node> build(unsigned depth)
{
    auto n = std::make_shared<Node>();
    if (depth > 0) {
        n->left = build(depth - 1);
        n->right = build(depth - 1);
    }
    return n;
}

uint64_t count(const Node *n)
{
    return n->left ? 1 + count(n->left.get()) + count(n->right.get()) : 1;
}

double repeat(bench_run *run)
{
    unsigned max = run->quick ? 12 : 16;
    double start = bench_now();
    auto long_lived = build(max);
    uint64_t nodes = 0;
    for (unsigned depth = 4; depth <= max; depth += 2)
        for (unsigned i = 1u << (max - depth + 3); i > 0; i--)
            nodes += count(build(depth).get());
    nodes += count(long_lived.get());
    long_lived.reset();
    double end = bench_now();
    run->check = run->ops = nodes;
    return end - start;
}

} // namespace

extern "C" {
extern const bench_workload work_trees = {"trees", nullptr, repeat, nullptr, false};
}
