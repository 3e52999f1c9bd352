/* SPDX-License-Identifier: MIT */
/* Types that go away: a plug-in is closed after its types were unregistered, which is refused by
 * name while their objects live; numbers are used again; nobody reads what is gone. */
#include "plugin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>
#include <cmocka.h>

static int destroyed;
static const struct plugin_host host = {&destroyed};

struct plugin {
    void *handle;
    struct ouro_type *types[3]; /* plugged, inner (nested in both others), ring */
};

static struct plugin plugin_open(void)
{
    struct plugin plugin = {.handle = dlopen(PLUGIN_PATH, RTLD_NOW | RTLD_LOCAL)};
    if (!plugin.handle)
        fail_msg("%s", dlerror());
    union {
        void *object;
        plugin_begin_function *function;
    } begin = {dlsym(plugin.handle, "plugin_begin")};
    assert_non_null(begin.object);
    begin.function(&host, plugin.types);
    return plugin;
}

static void plugin_close(struct plugin *plugin)
{
    const char *why = NULL;
    if (ouro_types_unregister(plugin->types, 3, &why) != OURO_OK)
        fail_msg("%s", why);
    assert_int_equal(dlclose(plugin->handle), 0);
}

static struct plugin_plugged *make(struct ouro_type *type)
{
    struct plugin_plugged *p = ouro_new_biased(type, sizeof *p);
    assert_non_null(p);
    return p;
}

static void make_ring(struct ouro_type *type, int n)
{
    struct plugin_plugged *first = make(type), *last = first;
    for (int i = 1; i < n; i++)
        last = last->next = make(type);
    last->next = first;
    ouro_incref_biased(first);
    ouro_decref_biased(first);
}

/* An object of the program's own in all the cells that the plug-in's had. */
struct own {
    struct own *a, *b, *c;
};
extern struct ouro_type own_type;
static const struct ouro_field own_fields[] = {OURO_REF(struct own, a, &own_type)};
struct ouro_type own_type = OURO_TYPE(struct own, own_fields);

static void use_the_heap(void)
{
    struct own *list = NULL;
    for (int i = 0; i < 100; i++) {
        struct own *o = ouro_new_biased(&own_type, sizeof *o);
        assert_non_null(o);
        o->a = list;
        list = o;
    }
    (void)ouro_check_heap();
    ouro_decref_biased(list);
    ouro_collect(NULL);
}

static void a_plugin_comes_and_goes(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        struct plugin plugin = plugin_open();
        destroyed = 0;
        struct plugin_plugged *p = make(plugin.types[0]);
        p->next = make(plugin.types[0]);
        p->inner.ref = make(plugin.types[0]);
        struct ouro_weak *weak = ouro_weak_new(p);
        make_ring(plugin.types[2], 5);
        ouro_collect(NULL);
        ouro_decref_biased(p);
        ouro_poll();
        assert_int_equal(destroyed, 3);
        plugin_close(&plugin);
#ifdef __GLIBC__ /* musl never unloads a library: there its types are registered again */
        assert_null(dlopen(PLUGIN_PATH, RTLD_NOW | RTLD_NOLOAD));
#endif
        assert_null(ouro_weak_upgrade(weak));
        ouro_weak_decref(weak);
        use_the_heap();
    }
}

static void objects_that_live_refuse_it_by_name(void **state)
{
    (void)state;
    if (ouro_supply_get()->block)
        skip(); /* there the program is believed */
    const char *why;
    struct plugin plugin = plugin_open();
    struct plugin_plugged *p = make(plugin.types[0]);
    p->next = make(plugin.types[0]);
    p->inner.ref = make(plugin.types[0]);
    assert_int_equal(ouro_types_unregister(plugin.types, 3, &why), OURO_BAD_ARGUMENT);
    assert_string_equal(why, "type ring: it is not registered");
    ouro_decref_biased(p);
    p = NULL;
    make_ring(plugin.types[2], 4);
    p = make(plugin.types[0]);
    assert_int_equal(ouro_type_unregister(plugin.types[0], &why), OURO_BUSY);
    assert_string_equal(why, "type plugged: 1 object is alive");
    p->next = make(plugin.types[0]);
    assert_int_equal(ouro_type_unregister(plugin.types[0], &why), OURO_BUSY);
    assert_string_equal(why, "type plugged: 2 objects are alive");
    assert_int_equal(ouro_type_unregister(plugin.types[1], &why), OURO_BUSY);
    assert_non_null(strstr(why, "type struct plugin_inner: it is nested in "));
    ouro_decref_later(p); /* they wait for their hooks */
    assert_int_equal(ouro_type_unregister(plugin.types[0], &why), OURO_BUSY);
    ouro_release_pending(SIZE_MAX);
    assert_int_equal(ouro_type_unregister(plugin.types[2], &why), OURO_BUSY);
    assert_string_equal(why, "type ring: 4 objects are alive");
    ouro_collect(NULL);
    assert_int_equal(ouro_type_unregister(plugin.types[0], &why), OURO_OK);
    assert_null(why);
    assert_int_equal(ouro_type_unregister(plugin.types[0], &why), OURO_BAD_ARGUMENT);
    assert_string_equal(why, "type plugged: it is not registered");
    assert_int_equal(ouro_type_unregister(plugin.types[1], &why), OURO_BUSY); /* ring has it */
    assert_int_equal(ouro_type_unregister(NULL, &why), OURO_BAD_ARGUMENT);
    p = make(plugin.types[0]); /* registers it again */
    ouro_decref_biased(p);
    plugin_close(&plugin);
}

static void other_runtimes_are_looked_through(void **state)
{
    (void)state;
    const char *why;
    static const struct ouro_option_value quiet = {"leaks", 0};
    struct ouro_runtime_config config = {.options = &quiet, .option_count = 1};
    struct ouro_runtime *runtime;
    struct plugin plugin = plugin_open();
    make_ring(plugin.types[2], 2);
    ouro_collect(NULL);
    assert_int_equal(ouro_runtime_new(&config, &runtime), OURO_OK);
    assert_int_equal(ouro_runtime_enter(runtime), OURO_OK);
    (void)make(plugin.types[0]);
    ouro_runtime_leave(runtime);
    assert_int_equal(ouro_types_unregister(plugin.types, 3, &why), OURO_BUSY);
    assert_string_equal(why, "type plugged: 1 object is alive");
    assert_int_equal(ouro_runtime_destroy(runtime, &why), OURO_OK);
    plugin_close(&plugin);
}

/* -- numbers ----------------------------------------------------------------------------------- */

static size_t resident(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_true(file && fscanf(file, "%*u %zu", &pages) == 1);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

#define GROUP 100
static struct ouro_type group[GROUP];
static struct ouro_type *group_of[GROUP];

static void one_generation(size_t turn)
{
    memset(group, 0, sizeof group);
    for (size_t i = 0; i < GROUP; i++) {
        group[i].size = sizeof(struct own);
        group[i].name = "generation";
        group[i].fields = own_fields;
        group[i].field_count = 1;
        group_of[i] = &group[i];
        assert_int_equal(ouro_type_register(&group[i], NULL), OURO_OK);
        if ((i + turn) % 16 == 0)
            ouro_decref_biased(ouro_new_biased(&group[i], group[i].size));
    }
    const char *why = NULL;
    if (ouro_types_unregister(group_of, GROUP, &why) != OURO_OK)
        fail_msg("%s", why);
}

static void two_hundred_thousand_types_in_a_row_leave_memory_flat(void **state)
{
    (void)state;
    size_t turns = PLUGIN_SLOW ? 20 : 2000, turn = 0;
    for (; turn < turns / 2; turn++)
        one_generation(turn);
    size_t before = resident();
    for (; turn < turns; turn++)
        one_generation(turn);
    if (!PLUGIN_SLOW)
        assert_true(resident() < before + (1 << 20));
}

static void types_beyond_the_table_go_too(void **state)
{
    (void)state;
    const size_t count = 66000;
    struct ouro_type *types = calloc(count, sizeof *types);
    struct ouro_type **list = calloc(count, sizeof *list);
    assert_true(types && list);
    for (size_t i = 0; i < count; i++) {
        types[i] = (struct ouro_type){
            .size = sizeof(struct own), .name = "wide", .fields = own_fields, .field_count = 1};
        list[i] = &types[i];
        assert_int_equal(ouro_type_register(&types[i], NULL), OURO_OK);
    }
    struct own *o = ouro_new_biased(&types[count - 1], sizeof *o);
    assert_non_null(o);
    const char *why = NULL;
    if (!ouro_supply_get()->block) {
        assert_int_equal(ouro_types_unregister(list, count, &why), OURO_BUSY);
        assert_string_equal(why, "type wide: 1 object is alive");
    }
    ouro_decref_biased(o);
    assert_int_equal(ouro_types_unregister(list, count, &why), OURO_OK);
    free(types);
    free(list);
    use_the_heap();
}

/* -- beside threads ---------------------------------------------------------------------------- */

static bool stop;
static void *collect_beside(void *arg)
{
    (void)arg;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        for (int i = 0; i < 20; i++) {
            struct own *o = ouro_new_biased(&own_type, sizeof *o);
            o->a = o;
            ouro_incref_biased(o);
            ouro_decref_biased(o);
        }
        ouro_collect(NULL);
    }
    return NULL;
}

static void types_go_beside_collections(void **state)
{
    (void)state;
    pthread_t threads[2];
    assert_int_equal(ouro_type_register(&own_type, NULL), OURO_OK);
    stop = false;
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, collect_beside, NULL), 0);
    for (size_t i = 0; i < (PLUGIN_SLOW ? 5 : 50); i++)
        one_generation(i);
    for (int i = 0; i < (PLUGIN_SLOW ? 5 : 50); i++) {
        struct plugin plugin = plugin_open();
        make_ring(plugin.types[2], 5);
        make_ring(plugin.types[0], 5);
        ouro_collect(NULL);
        plugin_close(&plugin);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

static ouro_word seen; /* an object of the other thread's, which it collects all the time */
static void *collect_seen(void *arg)
{
    (void)arg;
    struct own *o = ouro_new_biased(&own_type, sizeof *o);
    __atomic_store_n(&seen, (ouro_word)o, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        ouro_incref_biased(o);
        ouro_decref_biased(o);
        ouro_collect(NULL);
    }
    ouro_decref_biased(o);
    return NULL;
}

/* What a collection meets in a slot dies, and its type goes. */
static void types_go_while_collections_look_at_them(void **state)
{
    (void)state;
    static struct ouro_type passing;
    pthread_t thread;
    struct own *o;
    __atomic_store_n(&stop, false, __ATOMIC_RELAXED);
    assert_int_equal(pthread_create(&thread, NULL, collect_seen, NULL), 0);
    while (!(o = (struct own *)__atomic_load_n(&seen, __ATOMIC_ACQUIRE)))
        continue;
    for (size_t i = 0; i < (PLUGIN_SLOW ? 1000 : 5000); i++) {
        const char *why = NULL;
        passing = (struct ouro_type)OURO_TYPE(struct own, own_fields);
        ouro_slot_store(o, (void **)&o->a, ouro_new_biased(&passing, sizeof *o));
        for (size_t spins = i % 512; spins > 0; spins--)
            (void)__atomic_load_n(&stop, __ATOMIC_RELAXED);
        ouro_slot_store(o, (void **)&o->a, NULL);
        if (ouro_type_unregister(&passing, &why) != OURO_OK)
            fail_msg("%s", why);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plugin_comes_and_goes),
        cmocka_unit_test(objects_that_live_refuse_it_by_name),
        cmocka_unit_test(other_runtimes_are_looked_through),
        cmocka_unit_test(two_hundred_thousand_types_in_a_row_leave_memory_flat),
        cmocka_unit_test(types_go_beside_collections),
        cmocka_unit_test(types_go_while_collections_look_at_them),
        cmocka_unit_test(types_beyond_the_table_go_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
