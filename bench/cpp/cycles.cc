// SPDX-License-Identifier: MIT
// rings, graph: the programs of workloads/cycles.c with std::shared_ptr. There is no collector: the
// program knows all its nodes and breaks the cycles itself before it lets go, which is what is
// timed.
#include "bench/bench.h"

#include <memory>
#include <vector>

namespace
{

struct Link {
    std::shared_ptr<Link> next;
    uint64_t id;
};

struct Node {
    std::shared_ptr<Node> to[3];
    uint64_t id;
};

uint32_t size_of(const bench_run *run)
{
    return run->quick ? 100000 : 1000000;
}

double repeat_rings(bench_run *run)
{
    std::vector<std::shared_ptr<Link>> held(size_of(run));
    for (auto &a : held) {
        a = std::make_shared<Link>();
        a->next = std::make_shared<Link>();
        a->next->next = std::make_shared<Link>();
        a->next->next->next = a;
    }
    double start = bench_now();
    for (auto &a : held) {
        a->next.reset();
        a.reset();
    }
    double end = bench_now();
    run->ops = held.size() * 3;
    return end - start;
}

double repeat_graph(bench_run *run)
{
    uint32_t n = size_of(run);
    uint64_t seed = 12345;
    std::vector<std::shared_ptr<Node>> held(n);
    for (auto &node : held)
        node = std::make_shared<Node>();
    for (auto &node : held)
        for (auto &edge : node->to)
            edge = held[bench_below(&seed, n)];
    double start = bench_now();
    for (auto &node : held)
        for (auto &edge : node->to)
            edge.reset();
    held.clear();
    double end = bench_now();
    run->ops = n;
    return end - start;
}

} // namespace

extern "C" {
extern const bench_workload work_rings = {"rings", nullptr, repeat_rings, nullptr, false};
extern const bench_workload work_graph = {"graph", nullptr, repeat_graph, nullptr, false};
}
