/* SPDX-License-Identifier: MIT */
/* When collections of bare objects start: each drop that is not the last makes a candidate, so most
 * candidates of a program may live. */
#include "orc/bare.h"
#include "orc_kit.h"

struct box {
    struct box *to;
};
static void trace(void *value, const struct ouro_type *type, struct ouro_visitor *visitor)
{
    struct box *box = value;
    if (box->to)
        visitor->visit(visitor, (void **)&box->to, type);
}
static void destroy(void *value, const struct ouro_type *type);
static struct ouro_type box_type = {.flags = OURO_BARE,
                                    .size = sizeof(struct box),
                                    .align = _Alignof(struct box),
                                    .name = "box",
                                    .hooks = {.trace = trace, .destroy = destroy}};

static void box_drop(struct box *box)
{
    if (ouro_decref_is_last_of(box, &box_type)) {
        box_drop(box->to);
        ouro_dispose(box, _Alignof(struct box));
    }
}
static void destroy(void *value, const struct ouro_type *type)
{
    (void)type;
    box_drop(((struct box *)value)->to);
}
static struct box *box_new(void)
{
    struct box *box = ouro_new_bare(sizeof *box, _Alignof(struct box));
    assert_non_null(box);
    return box;
}

static uint64_t collections(void)
{
    struct ouro_collection total;
    ouro_collect_stats(&total);
    return total.collections;
}

#define MANY 1000

static void candidates_that_live_put_collections_off(void **state)
{
    (void)state;
    static struct box *box[MANY];
    for (int i = 0; i < MANY; i++)
        box[i] = box_new();
    uint64_t before = collections();
    for (int round = 0; round < 1000; round++)
        for (int i = 0; i < MANY; i++) {
            ouro_incref(box[i]);
            box_drop(box[i]);
        }
    assert_true(collections() - before < 20); /* a million drops, nothing is garbage */
    for (int i = 0; i < MANY; i++)
        box_drop(box[i]);
    assert_int_equal(ouro_candidates(), 0);
}

/* However far they were put off: where much is garbage they come often again, and where it is large
 * before there are many candidates. */
static void garbage_brings_them_back(void **state)
{
    (void)state;
    candidates_that_live_put_collections_off(NULL);
    uint64_t before = collections();
    for (int i = 0; i < 20000; i++) {
        struct box *box = box_new();
        box->to = box;
        ouro_incref(box);
        box_drop(box);
    }
    assert_true(collections() - before > 50);
    assert_true(ouro_candidates() <= 2 * MANY);
    ouro_collect(NULL);
    assert_int_equal(ouro_candidates(), 0);
}

static void memory_that_grows_does_not_wait_for_candidates(void **state)
{
    (void)state;
    if (kit_instrumented() || OURO_CHECKED)
        skip(); /* blocks of libc are not counted, what was freed is kept back */
    candidates_that_live_put_collections_off(NULL);
    size_t before = kit_resident();
    for (int i = 0; i < 2000; i++) { /* 200 MB in all */
        struct box *box = ouro_new_bare_uninit(100 << 10, 8);
        assert_non_null(box);
        memset(box, 1, 100 << 10);
        box->to = box;
        ouro_incref(box);
        box_drop(box);
    }
    assert_true(kit_resident() < before + ((size_t)32 << 20));
    ouro_collect(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(candidates_that_live_put_collections_off),
        kit_test(garbage_brings_them_back),
        kit_test(memory_that_grows_does_not_wait_for_candidates),
    };
    return kit_run(tests);
}
