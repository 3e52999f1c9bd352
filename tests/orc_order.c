/* SPDX-License-Identifier: MIT */
/* Random trees of objects that are nothing but references and of objects with hooks die in the
 * order that release.h promises, at once and in steps, however many wait. White-box: counts what is
 * alive. */
#include "orc_kit.h"

#define WIDE 40
#define MOST 4000 /* objects in a tree */

struct pair {
    void *to[2];
};
static const struct ouro_field pair_fields[] = {OURO_REF(struct pair, to[0], NULL),
                                                OURO_REF(struct pair, to[1], NULL)};
static struct ouro_type pair_type = OURO_TYPE(struct pair, pair_fields);

struct wide {
    void *to[WIDE];
};
static struct ouro_field wide_fields[WIDE];
static struct ouro_type wide_type = OURO_TYPE(struct wide, wide_fields);

/* A pair whose death is logged. */
static void told_destroy(void *value, const struct ouro_type *type);
struct told {
    void *to[2];
    uint32_t id;
};
static const struct ouro_field told_fields[] = {OURO_REF(struct told, to[0], NULL),
                                                OURO_REF(struct told, to[1], NULL)};
static struct ouro_type told_type = {.size = sizeof(struct told),
                                     .align = _Alignof(struct told),
                                     .name = "told",
                                     .fields = told_fields,
                                     .field_count = 2,
                                     .hooks = {.destroy = told_destroy}};

static uint32_t expected[MOST], seen[MOST];
static uint32_t expected_count, seen_count;

static void told_destroy(void *value, const struct ouro_type *type)
{
    KIT_CHECK(seen_count < MOST);
    seen[seen_count++] = ((struct told *)value)->id;
    ouro_lifted_destroy(value, type);
}

static int set_up(void **state)
{
    for (unsigned i = 0; i < WIDE; i++)
        wide_fields[i] = (struct ouro_field)OURO_REF(struct wide, to[i], NULL);
    expected_count = seen_count = 0;
    return kit_setup(state);
}

/* A tree of at most *left objects; told ones get their ids in the order in which they are to die.
 */
static void *grow(uint64_t *seed, uint32_t *left, unsigned depth)
{
    if (*left == 0 || depth == 0 || kit_random(seed) % 8 == 0)
        return NULL;
    --*left;
    unsigned kind = kit_random(seed) % 16, count = kind == 0 ? WIDE : 2;
    struct ouro_type *type = kind == 0 ? &wide_type : kind < 6 ? &told_type : &pair_type;
    void **object = ouro_new(type, type->size);
    KIT_CHECK(object != NULL);
    if (type == &told_type) {
        ((struct told *)(void *)object)->id = expected_count;
        expected[expected_count] = expected_count;
        expected_count++;
    }
    for (unsigned i = 0; i < count; i++)
        object[i] = grow(seed, left, depth - 1);
    return object;
}

static void expect_order(void)
{
    assert_int_equal(seen_count, expected_count);
    assert_memory_equal(seen, expected, seen_count * sizeof *seen);
}

static void die_in_order(size_t budget)
{
    size_t trees = kit_scaled(200);
    uint64_t seed = 20261121;
    for (size_t i = 0; i < trees; i++) {
        expected_count = seen_count = 0;
        uint32_t left = MOST;
        void *root = grow(&seed, &left, 4 + kit_random(&seed) % 60);
        if (budget == SIZE_MAX) {
            ouro_decref(root);
        } else {
            size_t freed = 0, step;
            ouro_decref_later(root);
            while ((step = ouro_release_pending(budget)) == budget)
                freed += step;
            assert_int_equal(freed + step, MOST - left);
        }
        expect_order();
    }
}

static void mixed_trees_die_depth_first_in_field_order(void **state)
{
    (void)state;
    die_in_order(SIZE_MAX);
}

static void the_order_is_the_same_in_steps(void **state)
{
    (void)state;
    die_in_order(7);
    die_in_order(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(mixed_trees_die_depth_first_in_field_order, set_up,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(the_order_is_the_same_in_steps, set_up, kit_teardown),
    };
    return kit_run(tests);
}
