/* SPDX-License-Identifier: MIT */
/* The code of docs/runtimes.md, compiled and run. */
#include "ouro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <dlfcn.h>
#include <cmocka.h>

struct item {
    int64_t number;
};
static int destroyed;
static struct ouro_runtime *where;
static void item_destroy(void *value, const struct ouro_type *type)
{
    (void)value;
    (void)type;
    destroyed++;
    where = ouro_runtime_current();
}
static struct ouro_type item_type = {.size = sizeof(struct item),
                                     .name = "item",
                                     .flags = OURO_ACYCLIC,
                                     .hooks = {.destroy = item_destroy}};

static bool make_something(void)
{
    return ouro_malloc(10000) != NULL;
}

/* [life] */
static size_t run_tenant(size_t limit)
{
    struct ouro_runtime_config config = {.limit = limit};
    struct ouro_runtime *tenant;
    if (ouro_runtime_new(&config, &tenant) != OURO_OK)
        return 0;
    if (ouro_runtime_enter(tenant) != OURO_OK) {
        (void)ouro_runtime_destroy(tenant, NULL);
        return 0;
    }
    size_t made = 0;
    while (make_something()) /* until the tenant's limit: nobody else notices */
        made++;
    ouro_runtime_leave(tenant);
    const char *why;
    if (ouro_runtime_destroy(tenant, &why) != OURO_OK)
        fprintf(stderr, "not yet: %s\n", why);
    return made;
}
/* [life] */

/* [cross] */
static void hand_out(struct ouro_runtime *plugin)
{
    if (ouro_runtime_enter(plugin) != OURO_OK)
        return;
    struct item *item = OURO_NEW(struct item, &item_type); /* the plug-in's memory */
    ouro_runtime_leave(plugin);
    if (item == NULL)
        return;
    ouro_incref_biased(item); /* counted as by another thread */
    ouro_decref_biased(item);
    ouro_decref_biased(item); /* the last one: its hook runs in the plug-in's runtime */
}
/* [cross] */

/* [unload] */
static bool unload(void *handle, struct ouro_type *const *types, size_t count)
{
    const char *why;
    if (ouro_types_unregister(types, count, &why) != OURO_OK) {
        fprintf(stderr, "the plug-in stays: %s\n", why); /* "type item: 3 objects are alive" */
        return false;
    }
    return dlclose(handle) == 0;
}
/* [unload] */

static void a_type_can_go_when_its_objects_have_gone(void **state)
{
    (void)state;
    struct ouro_type *types[] = {&item_type};
    struct item *item = OURO_NEW(struct item, &item_type);
    assert_non_null(item);
    void *handle = dlopen(NULL, RTLD_NOW);
    if (ouro_supply_get()->block == NULL)
        assert_false(unload(handle, types, 1));
    ouro_decref(item);
    assert_true(unload(handle, types, 1));
}

static void a_tenant_has_its_limit(void **state)
{
    (void)state;
    size_t small = run_tenant(1 << 20), large = run_tenant(4 << 20);
    assert_in_range(small, 50, 110);
    assert_in_range(large, 250, 430);
}

static void hooks_run_at_home(void **state)
{
    (void)state;
    struct ouro_runtime *plugin;
    assert_int_equal(ouro_runtime_new(NULL, &plugin), OURO_OK);
    hand_out(plugin);
    assert_int_equal(destroyed, 1);
    assert_ptr_equal(where, plugin);
    assert_int_equal(ouro_runtime_destroy(plugin, NULL), OURO_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tenant_has_its_limit),
        cmocka_unit_test(hooks_run_at_home),
        cmocka_unit_test(a_type_can_go_when_its_objects_have_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
