/* SPDX-License-Identifier: MIT */
/* channel_kit.h: what the tests of channels share: graphs with a number. */
#ifndef OURO_TESTS_CHANNEL_KIT_H
#define OURO_TESTS_CHANNEL_KIT_H

#include "orc_kit.h"

#include "alloc/valgrind.h"

/* Two objects, whose destroy hooks count; of every third number they are in a region. (Fewer under
 * Valgrind, for which that is slow.) */
static inline struct ouro_isolated *graph_new(int64_t id)
{
    struct ouro_region *region = NULL;
    if (id % (ouro__on_valgrind() ? 30 : 3) == 1)
        KIT_CHECK(ouro_region_new(&region) == OURO_OK && ouro_region_enter(region) == OURO_OK);
    struct hooked *root = hooked_new(id);
    root->a = hooked_new(-1);
    struct ouro_isolated *graph;
    if (!region) {
        KIT_CHECK(ouro_isolate(root, &graph, NULL) == OURO_OK);
        return graph;
    }
    ouro_region_leave(region);
    KIT_CHECK(ouro_region_isolate(region, root, &graph, NULL) == OURO_OK);
    return graph;
}

/* Its number; it is destroyed. */
static inline int64_t graph_end(struct ouro_isolated *graph)
{
    struct hooked *root = ouro_extract(graph);
    int64_t id = root->id;
    ouro_decref(root);
    return id;
}

static inline struct ouro_channel *channel_new(size_t capacity)
{
    struct ouro_channel *channel;
    KIT_CHECK(ouro_channel_new(capacity, &channel) == OURO_OK);
    return channel;
}

static inline int64_t receive_id(struct ouro_channel *channel)
{
    struct ouro_isolated *graph;
    KIT_CHECK(ouro_channel_receive(channel, &graph) == OURO_OK);
    return graph_end(graph);
}

#endif
