/* SPDX-License-Identifier: MIT */
/* region_kit.h: regions with graphs in them, for tests. White-box: includes orc_kit.h, by
 * isolate_kit.h. */
#ifndef OURO_TESTS_REGION_KIT_H
#define OURO_TESTS_REGION_KIT_H

#include "isolate_kit.h"

#include "alloc/heap.h"

#include <string.h>

enum { NODES = 1000 };
static uint64_t region_seed;

/* What any thread may have, in whatever region it was made. */
struct common {
    int64_t id;
};
static struct ouro_type common_type = {.size = sizeof(struct common),
                                       .name = "common",
                                       .flags = OURO_ACYCLIC | OURO_SHARED | OURO_PROMPT};

/* Owns things that may be others' as well. */
struct holder {
    struct holder *next;
    struct common *common;
    ouro_string text;
    struct ouro_weak *weak;
};
extern struct ouro_type holder_type;
static const struct ouro_field holder_fields[] = {
    OURO_REF(struct holder, next, &holder_type),
    OURO_REF(struct holder, common, &common_type),
    OURO_STRING(struct holder, text),
    OURO_WEAK(struct holder, weak),
};
struct ouro_type holder_type = OURO_TYPE(struct holder, holder_fields);

static inline struct ouro_region *region_new(void)
{
    struct ouro_region *region = NULL;
    assert_int_equal(ouro_region_new(&region), OURO_OK);
    assert_non_null(region);
    return region;
}
static inline void enter(struct ouro_region *region)
{
    KIT_CHECK(ouro_region_enter(region) == OURO_OK);
}

/* With a graph in it, and its root. */
static inline struct ouro_region *region_with(struct node **root)
{
    struct ouro_region *region = region_new();
    enter(region);
    *root = random_graph(NODES, region_seed);
    ouro_region_leave(region);
    return region;
}

static inline struct ouro_isolated *sealed(struct ouro_region *region, void *root)
{
    struct ouro_isolated *handle = NULL;
    struct ouro_escape why = {.path = ""};
    ouro_status status = ouro_region_isolate(region, root, &handle, &why);
    if (status != OURO_OK)
        fprintf(stderr, "%s: %s\n", ouro_status_name(status), why.path);
    assert_int_equal(status, OURO_OK);
    return handle;
}

/* It is closed, and goes. */
static inline void drop(struct ouro_region *region, void *root)
{
    ouro_isolated_drop(sealed(region, root));
}

/* As refused of isolate_kit.h. */
static inline struct ouro_escape open_region(struct ouro_region *region, void *root,
                                             ouro_escape_kind kind)
{
    struct ouro_isolated *handle = root;
    struct ouro_escape why = {.kind = 0};
    assert_int_equal(ouro_region_isolate(region, root, &handle, &why), OURO_NOT_ISOLATED);
    assert_null(handle);
    assert_int_equal(why.kind, kind);
    assert_int_equal(ouro_region_isolate(region, root, &handle, NULL), OURO_NOT_ISOLATED);
    return why;
}

/* Cycles of what counts atomically are for a thread that is alone, with no region left. */
static inline void drop_sealed(struct ouro_isolated *handle)
{
    ouro_isolated_drop(handle);
    if (KIT_ATOMIC)
        ouro_collect(NULL);
}

static inline void drop_in(struct ouro_region *region, void *object)
{
    enter(region);
    ouro_decref(object);
    ouro_collect(NULL);
    ouro_region_leave(region);
}

static inline uint64_t counted_bytes(void)
{
    struct ouro_stats stats;
    ouro_stats_get(&stats);
    return stats.counted.bytes;
}

static inline struct holder *holder_new(struct holder *next, struct common *common)
{
    struct holder *holder = OURO_NEW(struct holder, &holder_type);
    KIT_CHECK(holder != NULL);
    holder->next = next;
    holder->common = common;
    return holder;
}

#endif
