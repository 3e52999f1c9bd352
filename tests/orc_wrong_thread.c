/* SPDX-License-Identifier: MIT */
/* Objects counted by local mode that other threads use, or can reach: the checked library names it,
 * in each count mode. */
#include "named.h"

static void touch_twice(void *object)
{
    ouro_incref_biased(object);
    ouro_decref_biased(object);
}

static void local_mode_objects_belong_to_their_thread(void **state)
{
    (void)state;
    if (!THREADS_IN_CHILDREN)
        skip();
    void (*uses[])(void *) = {ouro_incref_local,
                              ouro_incref_atomic,
                              ouro_incref_biased,
                              ouro_decref_local,
                              ouro_decref_atomic,
                              ouro_decref_biased,
                              ouro_decref_acyclic_local,
                              ouro_decref_acyclic_atomic,
                              ouro_decref_acyclic_biased,
                              ouro__incref_out,
                              ouro__decref_out,
                              ouro_decref_later,
                              drop_for_reuse,
                              drop_last_out,
                              weak_of,
                              unique,
                              into_a_slot_of};
    for (size_t t = 0; t < OURO_COUNT_OF(types); t++) {
        struct use u = {.object = make(0, types[t])};
        size_t n = OURO_COUNT_OF(uses) - (types[t] == &node_type ? 0 : 1);
        bool merged = types[t] == &prompt_type; /* inlined atomic counts on those are not seen */
        for (size_t i = merged ? 9 : 0; i < n; i++) {
            u.second = uses[i];
            named_if_checked(OURO_FAIL_WRONG_THREAD, u.object, types[t]->name, use_elsewhere, &u);
        }
        u.second = touch_twice;
        not_named(use, &u);
        ouro_decref(u.object);
    }
}

static struct ouro_weak *weak;
static void upgrade(void *arg)
{
    (void)arg;
    ouro_weak_upgrade(weak);
}

static void a_weak_upgrade_of_a_local_mode_object_elsewhere_is_named(void **state)
{
    (void)state;
    if (!THREADS_IN_CHILDREN)
        skip();
    struct use u = {.object = make(0, &leaf_type), .second = upgrade};
    weak = ouro_weak_new(u.object);
    named_if_checked(OURO_FAIL_WRONG_THREAD, u.object, leaf_type.name, use_elsewhere, &u);
    not_named(use, &u);
    ouro_decref(u.object);
    ouro_weak_decref(weak);
}

static void local_functions_are_for_the_owner(void **state)
{
    (void)state;
    if (!THREADS_IN_CHILDREN)
        skip();
    void (*uses[])(void *) = {ouro_incref_local, ouro_decref_local, ouro_decref_acyclic_local};
    for (size_t born = 1; born < 3; born++) {
        struct use u = {.object = make(born, &leaf_type)};
        for (size_t i = 0; i < OURO_COUNT_OF(uses); i++) {
            u.second = uses[i];
            named_if_checked(OURO_FAIL_WRONG_THREAD, u.object, leaf_type.name, use_elsewhere, &u);
        }
        ouro_decref(u.object);
    }
}

static void make_local(void *arg)
{
    struct node **made = arg;
    made[0] = ouro_new_local(&node_type, sizeof(struct node));
    made[1] = ouro_new_local(&node_type, sizeof(struct node)); /* a cycle that it leaves */
    made[1]->a = made[1];
    ouro_incref_local(made[1]);
    ouro_decref_local(made[1]);
}
static void nothing(void *arg)
{
    (void)arg;
    ouro_poll();
}

/* The end of a thread hands its objects over, to whoever is given its token as well. */
static void what_an_ended_thread_made_is_anybodys(void **state)
{
    (void)state;
    if (!OURO_THREADS)
        skip();
    struct node *made[2] = {NULL, NULL};
    kit_elsewhere(make_local, made);
    touch_twice(made[0]);
    ouro_decref_local(made[0]);
    kit_alone();
    ouro_collect(NULL);
    kit_elsewhere(make_local, made);
    struct kit_other *next = kit_other_start(); /* has the token now */
    kit_other_do(next, nothing, NULL);
    ouro_collect(NULL);
    kit_other_do(next, ouro_decref_biased, made[0]);
    kit_other_end(next);
}

/* -- shared objects that refer to local-mode ones ---------------------------------------------- */

static void *local;
static void store_local(void *object)
{
    struct node *n = object;
    ouro_slot_store(n, (void **)&n->a, local);
}
static void store_plainly(void *object)
{
    ((struct node *)object)->a = local;
    ouro_check_heap();
}
static void share_and(void *object, void (*store)(void *))
{
    struct kit_other *other = kit_other_start();
    kit_other_do(other, ouro_incref_biased, object);
    store(object);
    kit_other_end(other);
}
static void share_and_store(void *object)
{
    share_and(object, store_local);
}
static void share_and_store_plainly(void *object)
{
    share_and(object, store_plainly);
}
static void make_and_store(void *arg)
{
    (void)arg;
    store_local(ouro_new_biased(&node_type, sizeof(struct node)));
}
static void store_elsewhere(void *arg)
{
    kit_elsewhere(make_and_store, arg);
}

/* So many references that the shared word counts some of them. */
static void store_where_many_refer_to(void *object)
{
    for (int i = 0; i < 40000; i++)
        ouro_incref_biased(object);
    store_local(object);
    for (int i = 0; i < 40000; i++)
        ouro_decref_biased(object);
}

static void shared_objects_do_not_refer_to_local_mode_ones(void **state)
{
    (void)state;
    if (!THREADS_IN_CHILDREN)
        skip();
    local = make(0, &leaf_type);
    struct node *atomic = make(1, &node_type), *biased = make(2, &node_type);
    struct node *own = make(0, &node_type);
    static struct ouro_type prompt_node = {
        .size = sizeof(struct node), .name = "prompt node", .flags = OURO_PROMPT};
    prompt_node.fields = node_type.fields;
    prompt_node.field_count = node_type.field_count;
    struct node *prompt = make(2, &prompt_node);
    struct {
        void *container;
        void (*store)(void *);
    } wrong[] = {{atomic, store_local},     {atomic, store_plainly},
                 {prompt, store_local},     {prompt, store_plainly},
                 {biased, share_and_store}, {biased, share_and_store_plainly},
                 {NULL, store_elsewhere}};
    for (size_t i = 0; i < OURO_COUNT_OF(wrong); i++) {
        struct use u = {.object = wrong[i].container, .second = wrong[i].store};
        named_if_checked(OURO_FAIL_WRONG_THREAD, local, leaf_type.name, use, &u);
    }
    struct {
        void *container;
        void (*store)(void *);
    } right[] = {
        {biased, store_local}, {biased, store_plainly}, {biased, store_where_many_refer_to},
        {own, store_local},    {own, store_plainly},    {own, store_where_many_refer_to}};
    for (size_t i = 0; i < OURO_COUNT_OF(right); i++) {
        struct use u = {.object = right[i].container, .second = right[i].store};
        not_named(use, &u);
    }
    ouro_decref(prompt);
    ouro_decref(atomic);
    ouro_decref(biased);
    ouro_decref(own);
    ouro_decref_local(local);
}

int main(void)
{
    report_share();
    const struct CMUnitTest tests[] = {
        kit_test(local_mode_objects_belong_to_their_thread),
        kit_test(a_weak_upgrade_of_a_local_mode_object_elsewhere_is_named),
        kit_test(local_functions_are_for_the_owner),
        kit_test(what_an_ended_thread_made_is_anybodys),
        kit_test(shared_objects_do_not_refer_to_local_mode_ones),
    };
    return kit_run(tests);
}
