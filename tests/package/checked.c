/* SPDX-License-Identifier: MIT */
/* A program that is compiled against the release headers, optimised, and misuses each inlined path
 * once. checked N: does the N-th misuse, and says first what it is to be called and of which type;
 * exit status 9 when there is no N-th. checked: uses everything as it should be. */
#define _GNU_SOURCE
#define OURO_SEAL_VIEWS 1
#include <ouro.h>

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node {
    struct node *next;
    long id;
};
extern struct ouro_type node_type;
static const struct ouro_field node_fields[] = {OURO_REF(struct node, next, NULL)};
struct ouro_type node_type = OURO_TYPE(struct node, node_fields);
struct leaf {
    long id[4];
};
static struct ouro_type leaf_type = OURO_PLAIN_TYPE(struct leaf);
static struct ouro_type prompt_type = {.size = sizeof(struct node),
                                       .name = "prompt",
                                       .flags = OURO_PROMPT,
                                       .fields = node_fields,
                                       .field_count = 1};
static struct ouro_type *const types[] = {&node_type, &leaf_type, &prompt_type};

/* -- the inlined paths, with and without a context --------------------------------------------- */

static struct ouro_context *given; /* NULL: this thread's */
static struct ouro_context *in(void)
{
    return given ? given : ouro_context_here();
}

#define MODE(mode)                                                                                 \
    static void *make_in_##mode(struct ouro_type *type, size_t size)                               \
    {                                                                                              \
        return ouro_new_in_##mode(in(), type, size);                                               \
    }                                                                                              \
    static void incref_in_##mode(void *object)                                                     \
    {                                                                                              \
        ouro_incref_in_##mode(in(), object);                                                       \
    }                                                                                              \
    static void decref_in_##mode(void *object)                                                     \
    {                                                                                              \
        ouro_decref_in_##mode(in(), object);                                                       \
    }                                                                                              \
    static void decref_acyclic_in_##mode(void *object)                                             \
    {                                                                                              \
        ouro_decref_acyclic_in_##mode(in(), object);                                               \
    }
MODE(local)
MODE(atomic)
MODE(biased)

#define PATHS(mode)                                                                                \
    {ouro_new_##mode, ouro_incref_##mode, ouro_decref_##mode, ouro_decref_acyclic_##mode},         \
    {                                                                                              \
        make_in_##mode, incref_in_##mode, decref_in_##mode, decref_acyclic_in_##mode               \
    }
static const struct paths {
    void *(*make)(struct ouro_type *, size_t);
    void (*incref)(void *), (*decref)(void *), (*decref_acyclic)(void *);
} paths[] = {PATHS(local), PATHS(atomic), PATHS(biased)};
enum { MODES = sizeof paths / sizeof *paths, TYPES = sizeof types / sizeof *types };

static void slot_store(void *c, void **slot, void *value)
{
    ouro_slot_store(c, slot, value);
}
static void slot_copy(void *c, void **slot, void *value)
{
    ouro_slot_copy(c, slot, value);
}
static void slot_exchange(void *c, void **slot, void *value)
{
    ouro_slot_exchange(c, slot, value);
}
static void slot_move(void *c, void **slot, void *value)
{
    (void)value;
    ouro_slot_move(c, slot);
}
static void slot_store_in(void *c, void **slot, void *value)
{
    ouro_slot_store_in(in(), c, slot, value);
}
static void slot_copy_in(void *c, void **slot, void *value)
{
    ouro_slot_copy_in(in(), c, slot, value);
}
static void slot_exchange_in(void *c, void **slot, void *value)
{
    ouro_slot_exchange_in(in(), c, slot, value);
}
static void slot_move_in(void *c, void **slot, void *value)
{
    (void)value;
    ouro_slot_move_in(in(), c, slot);
}
static void (*const slots[])(void *, void **, void *) = {
    slot_store,   slot_copy,        slot_exchange, slot_store_in,
    slot_copy_in, slot_exchange_in, slot_move,     slot_move_in};
enum { STORES = 6, SLOTS = sizeof slots / sizeof *slots };

/* -- cases ------------------------------------------------------------------------------------- */

static int wanted, at; /* the case to do, the one that is next */

/* Whether it is this one's turn; says then what is expected. */
static int is_due(const char *kind, const struct ouro_type *type)
{
    if (at++ != wanted)
        return 0;
    printf("%s\n%s\n", kind, type ? type->name : "");
    fflush(stdout);
    return 1;
}

struct call {
    void (*act)(void *);
    void *object;
};
static void *run(void *arg)
{
    struct call *call = arg;
    call->act(call->object);
    return NULL;
}
static void elsewhere(void (*act)(void *), void *object)
{
    struct call call = {act, object};
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, &call) != 0)
        exit(8);
    pthread_join(thread, NULL);
}

/* Others are born meanwhile, so that the memory would have been used again. */
static void births(void)
{
    for (int i = 0; i < 1000; i++) {
        for (int t = 0; t < TYPES; t++)
            ouro_decref(ouro_new_in(ouro_context_here(), types[t], types[t]->size));
    }
}

static void counts(void)
{
    for (int t = 0; t < TYPES; t++) {
        for (int b = 0; b < MODES; b++) {
            for (int m = 0; m < MODES; m++) {
                void *object = paths[b].make(types[t], types[t]->size);
                void (*const drop[])(void *) = {paths[m].decref, paths[m].decref_acyclic};
                for (int d = 0; d < (types[t] == &leaf_type ? 2 : 1); d++) {
                    if (is_due("over-release", types[t])) {
                        paths[m].incref(object);
                        drop[d](object);
                        drop[d](object);
                        births();
                        drop[d](object);
                    }
                }
                if (is_due("use after free", types[t])) {
                    paths[b].decref(object);
                    births();
                    paths[m].incref(object);
                }
                paths[b].decref(object);
            }
        }
    }
}

/* Objects of local mode on another thread; functions of local mode on another thread's object. */
static void threads(void)
{
    for (int t = 0; t < TYPES; t++) {
        for (int m = 0; m < MODES; m++) {
            void *mine = paths[m % 2].make(types[t], types[t]->size);
            if (is_due("wrong thread", types[t]))
                elsewhere(paths[m].incref, mine);
            if (is_due("wrong thread", types[t]))
                elsewhere(paths[m].decref, mine);
            ouro_decref_local(mine);
            void *theirs = paths[m].make(types[t], types[t]->size);
            if (is_due("wrong thread", types[t]))
                elsewhere(paths[m % 2].incref, theirs);
            if (is_due("wrong thread", types[t]))
                elsewhere(paths[m % 2].decref, theirs);
            paths[m].decref(theirs);
        }
    }
}

static void take(void *object)
{
    ouro_take_reuse(object, &node_type);
}
static void take_in(void *object)
{
    ouro_take_reuse_in(in(), object, &node_type);
}
static void reuse(void)
{
    void (*const takes[])(void *) = {take, take_in};
    for (int i = 0; i < 2; i++) {
        void *object = ouro_new_local(&node_type, sizeof(struct node));
        if (is_due("wrong thread", &node_type))
            elsewhere(takes[i], object);
        if (is_due("use after free", &node_type)) {
            ouro_decref(object);
            births();
            takes[i](object);
        }
        ouro_decref_local(object);
    }
}

static void slot_uses(void)
{
    for (int i = 0; i < SLOTS; i++) {
        struct node *c = ouro_new_biased(&node_type, sizeof *c);
        struct leaf *value = ouro_new_biased(&leaf_type, sizeof *value);
        if (is_due("use after free", &node_type)) {
            ouro_decref(c);
            births();
            slots[i](c, (void **)&c->next, NULL);
        }
        if (i < STORES && is_due("use after free", &leaf_type)) {
            ouro_decref(value);
            births();
            slots[i](c, (void **)&c->next, value);
        }
        struct node *shared = ouro_new_atomic(&prompt_type, sizeof *shared);
        struct leaf *local = ouro_new_local(&leaf_type, sizeof *local);
        if (i < STORES && is_due("wrong thread", &leaf_type))
            slots[i](shared, (void **)&shared->next, local);
        ouro_decref(c);
        ouro_decref(value);
        ouro_decref(shared);
        ouro_decref(local);
    }
}

/* The context of another thread. */
static void use_paths(void *object)
{
    paths[5].incref(object);
}
static void drop_paths(void *object)
{
    paths[5].decref(object);
}
static void make_paths(void *object)
{
    (void)object;
    paths[5].make(&node_type, sizeof(struct node));
}
static void move_paths(void *object)
{
    ouro_slot_move_in(in(), object, (void **)&((struct node *)object)->next);
}
static void reuse_paths(void *object)
{
    ouro_reuse none = {NULL};
    ouro_take_reuse_in(in(), object, &node_type);
    ouro_new_reuse_in(in(), none, &node_type, sizeof(struct node));
}
static void take_block(void *object)
{
    (void)object;
    ouro_alloc_sized_in(in(), 40);
}
static void give_block(void *object)
{
    (void)object;
    ouro_free_sized_in(in(), ouro_alloc_sized(40), 40);
}
static void contexts(void)
{
    void (*const uses[])(void *) = {reuse_paths, use_paths,  drop_paths, make_paths,
                                    move_paths,  take_block, give_block};
    struct node *object = ouro_new_biased(&node_type, sizeof *object);
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        if (is_due("wrong thread", NULL)) {
            given = ouro_context_here();
            elsewhere(uses[i], object);
        }
    }
    given = NULL;
    ouro_decref(object);
}

static void blocks(void)
{
    static const size_t sizes[] = {16, 40, 1000, 8192};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int form = 0; form < 2; form++) {
            size_t size = sizes[i];
            void *first = ouro_alloc_sized_in(in(), size), *second = ouro_alloc_sized(size);
            if (is_due("double free", NULL)) {
                ouro_free_sized(first, size);
                ouro_free_sized_in(in(), second, size);
                form ? ouro_free_sized_in(in(), first, size) : ouro_free_sized(first, size);
            }
            if (is_due("interior pointer", NULL)) {
                void *inside = (char *)first + 8;
                form ? ouro_free_sized_in(in(), inside, size) : ouro_free_sized(inside, size);
            }
            ouro_free_sized(first, size);
            ouro_free_sized_in(in(), second, size);
        }
    }
}

typedef ouro_view viewing(const ouro_string *s, size_t from, size_t len);
static ouro_view view_inlined(const ouro_string *s, size_t from, size_t len)
{
    return ouro_string_view(s, from, len);
}
static void views(void)
{
    union {
        void *symbol;
        viewing *view;
    } twin = {dlsym(RTLD_DEFAULT, "ouro_string_view")};
    viewing *const ways[] = {view_inlined, twin.view};
    for (int i = 0; i < 2; i++) {
        ouro_string s = {0, NULL};
        if (ouro_string_append(&s, "text", 4) != OURO_OK || ouro_string_reserve(&s, 100) != OURO_OK)
            exit(8);
        ouro_view view = ways[i](&s, 1, 2);
        if (is_due("sealed", NULL))
            ouro_string_add(&s, '!');
        if (is_due("sealed", NULL))
            ouro_string_destroy(&s);
        ouro_view_end(&view);
        if (is_due("misuse", NULL))
            ways[i](&s, 5, 0);
        if (is_due("misuse", NULL))
            ways[i](&s, 2, SIZE_MAX);
        ouro_string_add(&s, '!');
        ouro_string_destroy(&s);
    }
}

static void everything_is_fine(void)
{
    for (int t = 0; t < TYPES; t++) {
        for (int b = 0; b < MODES; b++) {
            for (int m = 0; m < MODES; m++) {
                void *object = paths[b].make(types[t], types[t]->size);
                for (int i = 0; i < 3; i++)
                    paths[m].incref(object);
                for (int i = 0; i < 3; i++)
                    paths[b].decref(object);
                paths[m].decref(object);
            }
        }
    }
    for (int i = 0; i < SLOTS; i++) {
        struct node *a = ouro_new_biased(&node_type, sizeof *a);
        struct node *b = ouro_new_biased(&node_type, sizeof *b);
        slots[i](a, (void **)&a->next, b);
        if (i % 3 == 1 || i >= STORES)
            ouro_decref(b); /* a copy, or not stored */
        ouro_decref(a);
    }
    births();
}

int main(int argc, char **argv)
{
    wanted = argc > 1 ? atoi(argv[1]) : -1;
    everything_is_fine();
    counts();
    threads();
    reuse();
    slot_uses();
    contexts();
    blocks();
    views();
    return argc > 1 && at <= wanted ? 9 : 0;
}
