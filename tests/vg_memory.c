/* SPDX-License-Identifier: MIT */
/* What memcheck is to find, one misuse a run: valgrind.sh starts this under memcheck with the name
 * of one. */
#include "ouro.h"

#include <stdio.h>
#include <string.h>

struct thing {
    struct thing *next;
    int64_t number, more;
};
static struct ouro_type thing_type;
static const struct ouro_field thing_fields[] = {OURO_REF(struct thing, next, &thing_type)};
static struct ouro_type thing_type = OURO_TYPE(struct thing, thing_fields);

static void *volatile kept; /* what is kept is not lost */
static volatile int64_t sum;

static struct thing *thing_new(void)
{
    return OURO_NEW(struct thing, &thing_type);
}

static void read_freed_object(void)
{
    struct thing *thing = thing_new(), *other = thing_new();
    ouro_decref(thing);
    sum += thing->number;
    ouro_decref(other);
}

static void read_freed_block(void)
{
    int64_t *block = ouro_malloc(64), *other = ouro_malloc(64);
    ouro_free(block);
    sum += block[3];
    ouro_free(other);
}

static void read_behind_object(void)
{
    struct thing *thing = thing_new();
    sum += ((volatile int64_t *)(void *)thing)[3];
    ouro_decref(thing);
}

static void use_unwritten_object(void)
{
    struct thing *thing = ouro_new_uninit(&thing_type, sizeof *thing);
    thing->next = NULL;
    if (thing->number > 5)
        sum++;
    ouro_decref(thing);
}

static void use_unwritten_block(void)
{
    for (int i = 0; i < 3; i++) { /* as well when it was used before */
        int64_t *block = ouro_malloc(48);
        if (i == 2 && block[1] > 5)
            sum++;
        memset(block, 1, 48);
        ouro_free(block);
    }
}

static OURO_NOINLINE void lose_object(void)
{
    struct thing *lost = thing_new();
    lost->number = 1;
}
static OURO_NOINLINE void lose_block(void)
{
    for (int i = 0; i < 2; i++) /* to the first one of a page its description points */
        memset(ouro_malloc(1234), 1, 1234);
}
static OURO_NOINLINE void clear_stack(void)
{
    volatile char room[4096];
    for (size_t i = 0; i < sizeof room; i++)
        room[i] = 0;
}

static void keep_all(void)
{
    struct thing *thing = thing_new(); /* pointed to at its start only */
    thing->next = thing_new();
    kept = thing;
}

static void nothing_wrong(void)
{
    static const size_t sizes[] = {1, 16, 40, 100, 1000, 5000, 60000, 300000, 5000000};
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < OURO_COUNT_OF(sizes); i++) {
            char *zeroes = ouro_calloc(1, sizes[i]), *grown = ouro_malloc(8);
            for (size_t at = 0; at < sizes[i]; at += 13)
                sum += zeroes[at] ? 1 : 0;
            memset(grown, 1, 8);
            grown = ouro_realloc(grown, sizes[i] + 8);
            sum += grown[3] > 0 ? 1 : 0;
            memset(grown, 1, ouro_usable_size(grown));
            ouro_free(grown);
            ouro_free(zeroes);
            ouro_free(ouro_aligned_alloc(256, sizes[i]));
        }
        static struct ouro_type aligned[] = {
            {.size = 64, .align = 64, .name = "aligned", .flags = OURO_ACYCLIC},
            {.size = 100000, .align = 1024, .name = "large", .flags = OURO_ACYCLIC}};
        for (int i = 0; i < 100; i++) {
            struct ouro_type *type = &aligned[i % 10 == 0];
            char *object = ouro_new(type, type->size);
            memset(object, 1, type->size);
            ouro_decref(object);
            struct thing *ring = thing_new();
            ring->next = ring;
            ouro_incref(ring);
            ouro_decref(ring);
            ouro_weak_decref(ouro_weak_new(ring));
        }
        ouro_collect(NULL);
        ouro_trim();
    }
}

/* What is left in runtimes that end is not lost, and others are born in its place. */
static void end_runtimes(void)
{
    static const size_t sizes[] = {24, 64, 100, 3000, 70000, 5000000};
    static struct ouro_type any = {.size = 24, .align = 8, .name = "any", .flags = OURO_ACYCLIC};
    static struct ouro_type aligned = {
        .size = 24, .align = 128, .name = "aligned", .flags = OURO_ACYCLIC};
    for (size_t round = 0; round < 30; round++) {
        struct ouro_runtime *runtime;
        if (ouro_runtime_new(NULL, &runtime) != OURO_OK || ouro_runtime_enter(runtime) != OURO_OK)
            return;
        for (size_t i = 0; i < 40; i++) {
            size_t size = sizes[(i + round) % (OURO_COUNT_OF(sizes) - (i > 20))];
            memset(ouro_new(&any, size), 1, size);
            memset(ouro_new(&aligned, 24), 1, 24);
            memset(ouro_malloc(size), 1, size);
        }
        ouro_runtime_leave(runtime);
        (void)ouro_runtime_destroy(runtime, NULL);
    }
}

static const struct {
    const char *name;
    void (*act)(void);
} acts[] = {{"read_freed_object", read_freed_object},
            {"read_freed_block", read_freed_block},
            {"read_behind_object", read_behind_object},
            {"use_unwritten_object", use_unwritten_object},
            {"use_unwritten_block", use_unwritten_block},
            {"lose_object", lose_object},
            {"lose_block", lose_block},
            {"keep_all", keep_all},
            {"end_runtimes", end_runtimes},
            {"nothing_wrong", nothing_wrong}};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < OURO_COUNT_OF(acts); i++) {
        if (argc > 1 && strcmp(argv[1], acts[i].name) == 0) {
            acts[i].act();
            clear_stack();
            return 0;
        }
    }
    fprintf(stderr, "usage: %s ACT\n", argv[0]);
    return 2;
}
