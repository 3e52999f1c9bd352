/* SPDX-License-Identifier: MIT */
/* White-box: see orc_kit.h. Threads at work beside one that is in another runtime, or ends one. */
#include "orc_kit.h"

#include <pthread.h>
#include <unistd.h>

static struct ouro_runtime *runtime;
static ouro_word over;

/* -- the quarantine of the checked library ----------------------------------------------------- */

#define LARGE ((size_t)2 << 20)
static struct ouro_type large_type = {
    .size = LARGE, .align = 8, .name = "large", .flags = OURO_ACYCLIC};

/* Each pushes what was freed long ago, by whomever, out of the quarantine. */
static void *free_large_ones(void *arg)
{
    (void)arg;
    while (!ouro__load_acquire(&over)) {
        void *large = ouro_new_uninit(&large_type, LARGE);
        KIT_CHECK(large != NULL);
        ouro_decref(large);
    }
    return NULL;
}

/* Memory that goes is really gone. */
static void a_runtime_ends_while_others_free(void **state)
{
    (void)state;
    struct ouro_supply supply = ouro_supply_mmap;
    supply.name = "own";
    struct ouro_runtime_config config = {.supply = &supply};
    pthread_t other;
    ouro__store(&over, 0);
    assert_int_equal(pthread_create(&other, NULL, free_large_ones, NULL), 0);
    for (size_t i = 0; i < kit_scaled(40); i++) {
        assert_int_equal(ouro_runtime_new(&config, &runtime), OURO_OK);
        assert_int_equal(ouro_runtime_enter(runtime), OURO_OK);
        for (unsigned k = 0; k < 10; k++)
            ouro_decref(ouro_new_uninit(&large_type, LARGE));
        ouro_runtime_leave(runtime);
        for (size_t spins = i * 997 % 4000; spins > 0; spins--)
            (void)ouro__load(&over);
        assert_int_equal(ouro_runtime_destroy(runtime, NULL), OURO_OK);
    }
    ouro__store_release(&over, 1);
    assert_int_equal(pthread_join(other, NULL), 0);
}

/* -- strings of another runtime ---------------------------------------------------------------- */

#define HANDED 256
static ouro_word handed[HANDED];
static OURO_TLS bool editing;
static ouro_word interrupted;

static void note_interrupted(struct hooked *dying)
{
    (void)dying;
    if (editing)
        ouro__fetch_add(&interrupted, 1);
}

static void *drop_handed(void *arg)
{
    (void)arg;
    KIT_CHECK(ouro_runtime_enter(runtime) == OURO_OK);
    for (size_t i = 0; !ouro__load_acquire(&over); i++)
        ouro_decref_biased((void *)ouro__exchange_full(&handed[i % HANDED], 0));
    ouro_runtime_leave(runtime);
    return NULL;
}

static void drop_shares(ouro_string *shared, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ouro_string s;
        assert_int_equal(ouro_dup(&s, shared, &ouro_string_type), OURO_OK);
        editing = true;
        ouro_string_destroy(&s);
        editing = false;
    }
}

static void a_string_of_another_runtime_is_dropped_without_a_hook(void **state)
{
    (void)state;
    static const struct ouro_runtime_config config = {.limit = 0};
    ouro_string shared;
    pthread_t other;
    assert_int_equal(ouro_runtime_new(&config, &runtime), OURO_OK);
    assert_int_equal(ouro_runtime_enter(runtime), OURO_OK);
    assert_int_equal(ouro_string_make(&shared, "of the other one", 16), OURO_OK);
    ouro_runtime_leave(runtime);
    ouro__store(&over, 0);
    kit_on_destroy = note_interrupted;
    assert_int_equal(pthread_create(&other, NULL, drop_handed, NULL), 0);
    ouro_word count = 0;
    for (size_t round = 0; round < kit_scaled(300); round++) {
        assert_int_equal(ouro_runtime_enter(runtime), OURO_OK);
        for (size_t i = 0; i < HANDED; i++) {
            if (ouro__load(&handed[i]) != 0)
                continue;
            ouro__exchange_full(&handed[i], (ouro_word)hooked_new(1));
            count++;
        }
        ouro_poll();
        ouro_runtime_leave(runtime);
        drop_shares(&shared, 200);
    }
    ouro__store_release(&over, 1);
    assert_int_equal(pthread_join(other, NULL), 0);
    assert_int_equal(ouro_runtime_enter(runtime), OURO_OK);
    for (size_t i = 0; i < HANDED; i++)
        ouro_decref((void *)ouro__exchange_full(&handed[i], 0));
    ouro_string_destroy(&shared);
    ouro_poll();
    ouro_runtime_leave(runtime);
    assert_int_equal(kit_destroyed, count);
    assert_int_equal(interrupted, 0);
    assert_int_equal(ouro_runtime_destroy(runtime, NULL), OURO_OK);
}

/* -- blocks that are held until nobody looks --------------------------------------------------- */

static struct ouro_type aligned_type = {
    .size = 64, .align = 64, .name = "aligned", .flags = OURO_ACYCLIC};
static ouro_word looking;   /* how far it came: one number for each step */
static unsigned first_turn; /* that the first who looks is in */

static void await(ouro_word step)
{
    while (ouro__load_acquire(&looking) < step)
        usleep(100);
}

/* The runtime's end waits for this one. */
static void *look_first(void *arg)
{
    ouro__arena_hold();
    first_turn = ouro__own.parity;
    ouro__fetch_add_full(&looking, 1);
    await(2);
    ouro__arena_release();
    return arg;
}

/* And not for this one, who looks from after it began to wait until it is over. */
static void *look_later(void *arg)
{
    await(1);
    for (;;) {
        ouro__arena_hold();
        if (ouro__own.parity != first_turn)
            break;
        ouro__arena_release();
        usleep(100);
    }
    ouro__fetch_add_full(&looking, 1);
    await(3);
    ouro__arena_release();
    return arg;
}

static void what_is_held_goes_with_its_runtime(void **state)
{
    (void)state;
    if (!OURO_THREADS)
        skip();
    pthread_t others[2];
    ouro__store(&looking, 0);
    assert_int_equal(pthread_create(&others[0], NULL, look_first, NULL), 0);
    assert_int_equal(pthread_create(&others[1], NULL, look_later, NULL), 0);
    await(1);
    assert_int_equal(ouro_runtime_new(NULL, &runtime), OURO_OK);
    assert_int_equal(ouro_runtime_enter(runtime), OURO_OK);
    for (size_t i = 0; i < 100; i++)
        ouro_decref(ouro_new(&aligned_type, 64));
    ouro_runtime_leave(runtime);
    assert_int_equal(ouro_runtime_destroy(runtime, NULL), OURO_OK);
    ouro_trim();
    ouro__fetch_add_full(&looking, 1);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_join(others[i], NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(a_string_of_another_runtime_is_dropped_without_a_hook),
        kit_test(a_runtime_ends_while_others_free),
        kit_test(what_is_held_goes_with_its_runtime),
    };
    return kit_run(tests);
}
