/* SPDX-License-Identifier: MIT */
/* Bare objects of one thread: births, drops, types, ends. White-box: see bare_kit.h. */
#include "bare_kit.h"

static void births_of_every_size_and_alignment_are_zeroed_and_aligned(void **state)
{
    (void)state;
    static const size_t sizes[] = {0,    1,    8,     16,    24,        40,     100,
                                   1000, 8000, 40000, 65519, 64 * 1024, 100000, 3 << 20};
    for (size_t i = 0; i < OURO_COUNT_OF(sizes); i++) {
        for (size_t align = 1; align <= 65536; align *= align < 8 ? 8 : 2) {
            for (int again = 0; again < 3; again++) {
                char *object = ouro_new_bare(sizes[i], align);
                assert_non_null(object);
                assert_int_equal((uintptr_t)object % align, 0);
                assert_int_equal((uintptr_t)object % 16, 0);
                assert_int_equal(ouro_count(object), 1);
                for (size_t k = 0; k<sizes[i]; k += sizes[i]> 5000 ? 97 : 1)
                    assert_int_equal(object[k], 0);
                if (sizes[i])
                    object[sizes[i] - 1] = 1;
                memset(object, 0xA5, sizes[i]);
                char *more = ouro_new_bare_uninit(sizes[i], align);
                assert_non_null(more);
                assert_true(more + sizes[i] <= object || object + sizes[i] <= more);
                assert_true(ouro_decref_is_last(more));
                ouro_dispose(more, align);
                assert_true(ouro_decref_is_last(object));
                ouro_dispose(object, align);
            }
        }
    }
    (void)ouro_check_heap();
}

static void what_cannot_be_born_is_refused(void **state)
{
    (void)state;
    assert_null(ouro_new_bare(8, 0));
    assert_null(ouro_new_bare(8, 24));
    assert_null(ouro_new_bare(8, 48));
    assert_null(ouro_new_bare(SIZE_MAX, 8));
    assert_null(ouro_new_bare(SIZE_MAX - 8, 8));
    assert_null(ouro_new_bare(SIZE_MAX - 15, 64));
    assert_null(ouro_new_bare(SIZE_MAX / 2 + 1, 8));
    assert_null(ouro_new_bare(8, (size_t)1 << 40));
    assert_null(ouro_new_bare(PTRDIFF_MAX / 2, 8));
}

static void births_of_no_object_write_no_more_than_they_have(void **state)
{
    (void)state;
    char *many[200];
    for (size_t i = 0; i < OURO_COUNT_OF(many); i++) {
        size_t size = i % 70;
        many[i] = ouro_new_bare(size, i % 3 ? 8 : 32);
        assert_non_null(many[i]);
        memset(many[i], (int)i, size);
    }
    for (size_t i = 0; i < OURO_COUNT_OF(many); i++) {
        for (size_t k = 0; k < i % 70; k++)
            assert_int_equal((unsigned char)many[i][k], i);
        assert_true(ouro_decref_is_last(many[i]));
        ouro_dispose(many[i], i % 3 ? 8 : 32);
    }
}

/* Exactly the last of n drops is answered with yes, and the object is as it was. */
static void exactly_the_last_drop_is_told(void **state)
{
    (void)state;
    for (int typed = 0; typed < 2; typed++) {
        for (int n = 1; n < 40; n += n < 5 ? 1 : 7) {
            struct bnode *x = bnode_new(n);
            for (int i = 1; i < n; i++)
                ouro_incref(x);
            for (int i = n; i > 0; i--) {
                assert_int_equal(ouro_count(x), i);
                bool last = typed ? ouro_decref_is_last_of(x, &bnode_type) : ouro_decref_is_last(x);
                assert_int_equal(last, i == 1);
                assert_int_equal(ouro_candidates(), typed && i > 1);
            }
            assert_int_equal(x->id, n);
            ouro_dispose(x, 8);
            assert_int_equal(ouro_candidates(), 0);
        }
    }
    assert_false(ouro_decref_is_last(NULL));
    assert_false(ouro_decref_is_last_of(NULL, &bnode_type));
}

/* More than `local` has room for. */
static void many_references_are_counted(void **state)
{
    (void)state;
    const int n = 200000;
    for (int typed = 0; typed < 2; typed++) {
        struct bnode *x = bnode_new(1);
        for (int i = 1; i < n; i++)
            ouro_incref(x);
        for (int i = n; i > 1; i--)
            assert_false(typed ? ouro_decref_is_last_of(x, &bnode_type) : ouro_decref_is_last(x));
        bnode_drop(x);
        assert_int_equal(bnode_destroyed, typed + 1);
    }
}

/* -- misuse ------------------------------------------------------------------------------------ */

static void drop_twice(void *typed)
{
    struct bnode *x = bnode_new(1);
    if (typed ? ouro_decref_is_last_of(x, &bnode_type) : ouro_decref_is_last(x))
        ouro_dispose(x, 8);
    (void)(typed ? ouro_decref_is_last_of(x, &bnode_type) : ouro_decref_is_last(x));
}
static void dispose_twice(void *align)
{
    size_t to = (size_t)(uintptr_t)align;
    void *x = ouro_new_bare(40, to);
    if (ouro_decref_is_last(x))
        ouro_dispose(x, to);
    ouro_dispose(x, to);
}

static void over_release_and_double_dispose_are_named(void **state)
{
    (void)state;
    bnode_drop(bnode_new(0));
    if (!heapcheck_can_walk())
        skip(); /* the block is gone */
    assert_int_equal(kit_failure_of(drop_twice, NULL), OURO_FAIL_OVER_RELEASE);
    assert_int_equal(kit_failure_of(drop_twice, &bnode_type), OURO_FAIL_OVER_RELEASE);
    assert_int_equal(kit_failure_of(dispose_twice, (void *)8), OURO_FAIL_OVER_RELEASE);
    assert_int_equal(kit_failure_of(dispose_twice, (void *)16), OURO_FAIL_OVER_RELEASE);
    assert_int_equal(kit_failure_of(dispose_twice, (void *)64), OURO_FAIL_OVER_RELEASE);
}

/* -- types ------------------------------------------------------------------------------------- */

static struct ouro_type flat_type = {.size = 24, .name = "flat", .flags = OURO_BARE | OURO_ACYCLIC};

static void acyclic_types_make_no_candidates(void **state)
{
    (void)state;
    void *x = ouro_new_bare(24, 8);
    ouro_incref(x);
    ouro_incref(x);
    assert_false(ouro_decref_is_last_of(x, &flat_type));
    assert_int_equal(ouro_candidates(), 0);
    assert_ptr_equal(ouro_type_of(x), &flat_type);
    assert_false(ouro_decref_is_last_of(x, &flat_type));
    assert_true(ouro_decref_is_last_of(x, &flat_type));
    ouro_dispose(x, 8);
    x = ouro_new_bare(24, 8);
    assert_true(ouro_decref_is_last_of(x, &flat_type));
    ouro_dispose(x, 8);
}

static size_t typed_alive, untyped_alive, untyped_size;
static void count_alive(const struct ouro_alive *alive, void *arg)
{
    (void)arg;
    if (!alive->type_name) {
        untyped_alive += alive->count;
        untyped_size = alive->size;
    } else if (strcmp(alive->type_name, bnode_type.name) == 0) {
        typed_alive = alive->count;
    }
}

static void lists_name_the_type_where_it_was_told(void **state)
{
    (void)state;
    typed_alive = untyped_alive = 0;
    bnode_drop(bnode_new(0));
    if (!heapcheck_can_walk())
        skip();
    struct bnode *told = bnode_new(1), *not_told = bnode_new(2);
    ouro_incref(told);
    bnode_drop(told);
    assert_ptr_equal(ouro_type_of(told), &bnode_type);
    (void)ouro_list_alive(count_alive, NULL);
    assert_int_equal(typed_alive, 1);
    assert_int_equal(untyped_alive, 1);
    if (!OURO_CHECKED)
        assert_in_range(untyped_size, sizeof(struct bnode) + 16, sizeof(struct bnode) + 64);
    bnode_drop(told);
    bnode_drop(not_told);
}

static struct ouro_type stamped_types[3][2];

static void a_type_is_stamped_once(void **state)
{
    (void)state;
    size_t n = 0;
    for (size_t align = 8; align <= 128; align *= 4, n++) {
        struct ouro_type *type = &stamped_types[n][0], *twin = &stamped_types[n][1];
        *type = (struct ouro_type){.size = sizeof(struct bnode),
                                   .align = align,
                                   .name = "stamped",
                                   .flags = OURO_BARE,
                                   .hooks = bnode_type.hooks};
        *twin = *type;
        struct bnode *x = ouro_new_bare(sizeof *x, align);
        x->magic = BNODE_LIVES;
        for (int i = 0; i < 3; i++)
            ouro_incref(x);
        assert_false(ouro_decref_is_last_of(x, type));
        assert_ptr_equal(ouro_type_of(x), type);
        assert_false(ouro_decref_is_last_of(x, twin));
        assert_ptr_equal(ouro_type_of(x), type);
        assert_false(ouro_decref_is_last_of(x, type));
        assert_int_equal(ouro_candidates(), 1);
        assert_true(ouro_decref_is_last_of(x, type));
        bnode_destroy(x);
        ouro_dispose(x, align);
        assert_int_equal(ouro_candidates(), 0);
    }
}

static void garbage_of_any_size_and_alignment_is_freed(void **state)
{
    (void)state;
    static struct ouro_type types[12];
    size_t n = 0;
    uint64_t before = bare_blocks();
    for (size_t align = 8; align <= 4096; align *= 8) {
        static const size_t sizes[] = {sizeof(struct bnode), 70000, 3 << 20};
        for (int k = 0; k < 3; k++, n++) {
            types[n] = bnode_type;
            types[n] = (struct ouro_type){.size = sizes[k],
                                          .align = align,
                                          .name = "odd",
                                          .flags = OURO_BARE,
                                          .hooks = bnode_type.hooks};
            for (int how = 0; how < 3; how++) {
                struct bnode *x = ouro_new_bare(sizes[k], align);
                x->magic = BNODE_LIVES;
                x->a = bare_share(x);
                assert_false(ouro_decref_is_last_of(x, &types[n]));
                if (how == 0) {
                    assert_int_equal(ouro_collect(NULL), 1);
                    continue;
                }
                x->a = NULL; /* broken by hand */
                if (how == 2)
                    assert_int_equal(ouro_collect(NULL), 0);
                assert_true(ouro_decref_is_last_of(x, &types[n]));
                bnode_destroy(x);
                ouro_dispose(x, align);
            }
            assert_int_equal(ouro_candidates(), 0);
        }
    }
    assert_int_equal(bnode_destroyed, 3 * n);
    assert_int_equal(bare_blocks(), before);
}

static void fork_free_child(void)
{
    struct bnode *ring = bnode_ring(10);
    bnode_drop(ring);
    pid_t child = kit_fork();
    if (child == 0) {
        bool good = ouro_collect(NULL) == 10;
        kit_child_ends(good ? -1 : 99);
    }
    assert_int_equal(kit_wait(child), -1);
    assert_int_equal(ouro_collect(NULL), 10);
}
static void a_child_of_one_thread_collects_too(void **state)
{
    (void)state;
    fork_free_child();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        bare_test(births_of_every_size_and_alignment_are_zeroed_and_aligned),
        bare_test(what_cannot_be_born_is_refused),
        bare_test(births_of_no_object_write_no_more_than_they_have),
        bare_test(exactly_the_last_drop_is_told),
        bare_test(many_references_are_counted),
        bare_test(over_release_and_double_dispose_are_named),
        bare_test(acyclic_types_make_no_candidates),
        bare_test(lists_name_the_type_where_it_was_told),
        bare_test(a_type_is_stamped_once),
        bare_test(garbage_of_any_size_and_alignment_is_freed),
        bare_test(a_child_of_one_thread_collects_too),
    };
    return kit_run(tests);
}
