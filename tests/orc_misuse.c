/* SPDX-License-Identifier: MIT */
/* Every misuse is named: its kind, the object, its type, once, and then the process aborts. In each
 * count mode; what the release library keeps, and what the checked one adds. White-box: writes to
 * freed objects.
 *
 * A misuse happens in a forked child, so that the object's address is known and the parent's heap
 * stays whole. */
#include "orc_kit.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS_IN_CHILDREN (OURO_THREADS && !OURO_TSAN)

/* -- what a child said ------------------------------------------------------------------------- */

static struct report {
    int times;
    struct ouro_failure failure;
    char type_name[64], detail[128], text[1024];
    int status;
} * report; /* shared with children */

static void on_failure(const struct ouro_failure *failure, void *arg)
{
    struct report *r = arg;
    r->times++;
    r->failure = *failure;
    strncpy(r->type_name, failure->type_name ? failure->type_name : "", 63);
    strncpy(r->detail, failure->detail ? failure->detail : "", 127);
}

static void run_in_child(void (*act)(void *), void *arg)
{
    memset(report, 0, sizeof *report);
    int ends[2];
    KIT_CHECK(pipe(ends) == 0);
    fflush(NULL);
    pid_t child = fork();
    KIT_CHECK(child >= 0);
    if (child == 0) {
        struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
        for (size_t i = 0; i < OURO_COUNT_OF(signals); i++)
            signal(signals[i], SIG_DFL); /* cmocka would go on with the next test */
        dup2(ends[1], 2);
        close(ends[0]);
        close(ends[1]);
        ouro_set_fail_handler(on_failure, report);
        act(arg);
        kill(getpid(), SIGKILL); /* nothing was found; no tool is to look for leaks */
    }
    close(ends[1]);
    for (size_t at = 0; at + 1 < sizeof report->text;) {
        ssize_t n = read(ends[0], report->text + at, sizeof report->text - 1 - at);
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    close(ends[0]);
    KIT_CHECK(waitpid(child, &report->status, 0) == child);
}

static bool aborted(void)
{
    return WIFSIGNALED(report->status) && WTERMSIG(report->status) == SIGABRT;
}

/* The misuse is named so, by the handler and on the standard error, once, and aborts. `object`
 * NULL: it is not known. */
static void named(ouro_failure_kind kind, const void *object, const char *type_name,
                  void (*act)(void *), void *arg)
{
    run_in_child(act, arg);
    assert_true(aborted());
    assert_int_equal(report->times, 1);
    assert_string_equal(ouro_failure_kind_name(report->failure.kind), ouro_failure_kind_name(kind));
    if (object)
        assert_ptr_equal(report->failure.object, object);
    assert_string_equal(report->type_name, type_name);
    assert_true(strlen(report->detail) > 0);
    char line[160];
    snprintf(line, sizeof line, "ouro: %s: object 0x%lx of type %s: ", ouro_failure_kind_name(kind),
             (unsigned long)report->failure.object, type_name);
    const char *first = strstr(report->text, "ouro: ");
    assert_non_null(first);
    assert_memory_equal(first, line, strlen(line));
    assert_null(strstr(first + 1, "ouro: "));
}

static void not_named(void (*act)(void *), void *arg)
{
    run_in_child(act, arg);
    assert_false(aborted());
    assert_int_equal(report->times, 0);
    assert_null(strstr(report->text, "ouro: "));
}

/* Only the checked library finds it; with the release one nothing is said. */
static void named_if_checked(ouro_failure_kind kind, const void *object, const char *type_name,
                             void (*act)(void *), void *arg)
{
    if (OURO_TEST_CHECKED)
        named(kind, object, type_name, act, arg);
}

/* -- modes ------------------------------------------------------------------------------------- */

static const struct {
    void *(*make)(struct ouro_type *, size_t);
    void (*incref)(void *), (*decref)(void *), (*decref_acyclic)(void *);
} modes[] = {{ouro_new_local, ouro_incref_local, ouro_decref_local, ouro_decref_acyclic_local},
             {ouro_new_atomic, ouro_incref_atomic, ouro_decref_atomic, ouro_decref_acyclic_atomic},
             {ouro_new_biased, ouro_incref_biased, ouro_decref_biased, ouro_decref_acyclic_biased},
             {ouro_new, ouro_incref, ouro_decref, ouro_decref_acyclic}};
#define MODES OURO_COUNT_OF(modes)

static struct ouro_type prompt_type = {
    .size = sizeof(struct leaf), .name = "prompt leaf", .flags = OURO_ACYCLIC | OURO_PROMPT};
static struct ouro_type *const types[] = {&leaf_type, &prompt_type, &node_type};

struct use {
    void *object, *other;
    void (*first)(void *), (*second)(void *);
};
static void use(void *arg)
{
    struct use *u = arg;
    if (u->first)
        u->first(u->object);
    u->second(u->object);
}
static void use_elsewhere(void *arg)
{
    kit_elsewhere(use, arg);
}
static void *make(size_t mode, struct ouro_type *type)
{
    void *object = modes[mode].make(type, type->size);
    KIT_CHECK(object != NULL);
    return object;
}

/* -- over-release ------------------------------------------------------------------------------ */

static void drop_last_out(void *object)
{
    ouro__decref_last_out(object);
}
static void drop_for_reuse(void *object)
{
    ouro_drop_reuse(object);
}
static void drop_later_twice(void *object)
{
    ouro_decref_later(object);
    ouro_decref_later(object);
}

static void a_drop_too_many_is_an_over_release(void **state)
{
    (void)state;
    for (size_t t = 0; t < OURO_COUNT_OF(types); t++) {
        for (size_t born = 0; born < MODES; born++) {
            struct use u = {.object = make(born, types[t])};
            for (size_t m = 0; m < MODES; m++) {
                u.first = u.second = modes[m].decref;
                named(OURO_FAIL_OVER_RELEASE, u.object, types[t]->name, use, &u);
                u.first = u.second = modes[m].decref_acyclic;
                if (types[t] != &node_type)
                    named(OURO_FAIL_OVER_RELEASE, u.object, types[t]->name, use, &u);
            }
            void (*others[])(void *) = {ouro__decref_out, ouro_decref_later, drop_for_reuse,
                                        drop_last_out};
            u.first = modes[born].decref;
            for (size_t i = 0; i < OURO_COUNT_OF(others); i++) {
                u.second = others[i];
                named(OURO_FAIL_OVER_RELEASE, u.object, types[t]->name, use, &u);
            }
            u.first = NULL;
            u.second = drop_later_twice; /* the object is dying, not gone */
            named(OURO_FAIL_OVER_RELEASE, u.object, types[t]->name, use, &u);
            ouro_decref_local(u.object);
        }
    }
}

static void untyped_drop_twice(void *object)
{
    KIT_CHECK(ouro__decref_last_out(object));
    ouro__decref_last_out(object);
}

static void a_drop_too_many_without_a_descriptor_is_an_over_release(void **state)
{
    (void)state;
    for (size_t born = 0; born < MODES; born++) {
        struct use u = {.object = make(born, &prompt_type), .second = untyped_drop_twice};
        named(OURO_FAIL_OVER_RELEASE, u.object, prompt_type.name, use, &u);
        ouro_decref(u.object);
        u.object = make(born, &leaf_type);
        named(OURO_FAIL_OVER_RELEASE, u.object, leaf_type.name, use, &u);
        ouro_decref(u.object);
    }
}

static void drop_twice(void *object)
{
    ouro_decref_biased(object);
    ouro_decref_biased(object);
}
static void others_drop_twice(void *object)
{
    kit_elsewhere(drop_twice, object);
    ouro_poll();
}

static void drops_too_many_by_another_thread_are_an_over_release(void **state)
{
    (void)state;
    if (!THREADS_IN_CHILDREN)
        skip();
    for (size_t t = 0; t < OURO_COUNT_OF(types); t++) {
        for (size_t born = 1; born < 3; born++) { /* atomic, biased */
            struct use u = {.object = make(born, types[t]), .second = others_drop_twice};
            named(OURO_FAIL_OVER_RELEASE, u.object, types[t]->name, use, &u);
            ouro_decref(u.object);
        }
    }
}

static void check_heap(void *arg)
{
    (void)arg;
    ouro_check_heap();
}

static void more_references_than_counts_are_found_in_the_heap(void **state)
{
    (void)state;
    for (size_t born = 0; born < MODES; born++) {
        struct node *holder = make(born, &node_type), *held = make(born, &node_type);
        holder->a = holder->b = held; /* two references, one is counted */
        named(OURO_FAIL_OVER_RELEASE, held, node_type.name, check_heap, NULL);
        holder->b = NULL;
        assert_true(ouro_check_heap() >= 2);
        ouro_decref(holder);
    }
}

/* -- use after free ---------------------------------------------------------------------------- */

static void weak_of(void *object)
{
    ouro_weak_new(object);
}
static void unique(void *object)
{
    ouro_is_unique(object);
}
static void count(void *object)
{
    ouro_count(object);
}
static void into_a_slot_of(void *object)
{
    struct node *n = object;
    ouro_slot_store(n, (void **)&n->a, NULL);
}
static void out_of_a_slot_of(void *object)
{
    struct node *n = object;
    ouro_slot_move(n, (void **)&n->a);
}

static void whatever_is_done_to_a_freed_object_is_named(void **state)
{
    (void)state;
    for (size_t t = 0; t < OURO_COUNT_OF(types); t++) {
        for (size_t born = 0; born < MODES; born++) {
            struct use u = {.object = make(born, types[t]), .first = modes[born].decref};
            for (size_t m = 0; m < MODES; m++) {
                u.second = modes[m].incref;
                named(OURO_FAIL_USE_AFTER_FREE, u.object, types[t]->name, use, &u);
            }
            void (*uses[])(void *) = {ouro__incref_out,   weak_of,        unique,          count,
                                      ouro_make_immortal, into_a_slot_of, out_of_a_slot_of};
            size_t n = OURO_COUNT_OF(uses) - (types[t] == &node_type ? 0 : 2);
            for (size_t i = 0; i < n; i++) {
                u.second = uses[i];
                named(OURO_FAIL_USE_AFTER_FREE, u.object, types[t]->name, use, &u);
            }
            modes[born].decref(u.object);
        }
    }
}

static struct node *container;
static void store_freed(void *object)
{
    ouro_slot_store(container, (void **)&container->a, object);
}

static void a_freed_object_stored_into_a_slot_is_named(void **state)
{
    (void)state;
    for (size_t born = 0; born < MODES; born++) {
        container = make(born, &node_type);
        struct use u = {
            .object = make(born, &leaf_type), .first = modes[born].decref, .second = store_freed};
        named_if_checked(OURO_FAIL_USE_AFTER_FREE, u.object, leaf_type.name, use, &u);
        ouro_decref(u.object);
        ouro_decref(container);
    }
}

static void dangle(void *object)
{
    container->a = object;
    ouro_decref(object);
    ouro_check_heap();
}

static void a_reference_to_a_freed_object_is_found_in_the_heap(void **state)
{
    (void)state;
    for (size_t born = 0; born < MODES; born++) {
        container = make(born, &node_type);
        struct use u = {.object = make(born, &leaf_type), .second = dangle};
        named(OURO_FAIL_USE_AFTER_FREE, container, node_type.name, use, &u);
        ouro_decref(u.object);
        ouro_decref(container);
    }
}

/* -- writes after free ------------------------------------------------------------------------- */

static struct ouro_type tail_type = {.size = 8, .name = "with a tail", .flags = OURO_ACYCLIC};
static size_t write_at;

static void write_and_check(void *object)
{
    ouro_decref(object);
    ((volatile char *)object)[write_at] = 1;
    ouro_check_heap();
}
static void write_and_go_on(void *object)
{
    ouro_decref(object);
    ((volatile char *)object)[write_at] = 1;
    for (int i = 0; i < 10000; i++)
        ouro_decref(leaf_new(i));
}
static volatile int jumped;
static jmp_buf back;
static void leave(const struct ouro_failure *failure, void *arg)
{
    on_failure(failure, arg);
    jumped++;
    longjmp(back, 1);
}
static void write_and_check_twice(void *object)
{
    ouro_set_fail_handler(leave, report);
    if (setjmp(back) == 0)
        write_and_check(object);
    KIT_CHECK(jumped == 1);
    for (int i = 0; i < 10000; i++) /* it leaves the quarantine: it was named already */
        ouro_decref(leaf_new(i));
    ouro_check_heap();
    KIT_CHECK(jumped == 1);
}

static void a_write_to_a_freed_object_is_named(void **state)
{
    (void)state;
    static const size_t sizes[] = {8, 40, 1000, 60000, 200000, 5000000};
    for (size_t i = 0; i < OURO_COUNT_OF(sizes); i++) {
        void *object = ouro_new(&tail_type, sizes[i]);
        struct use u = {.object = object, .second = write_and_check};
        for (write_at = 0; write_at < sizes[i]; write_at += sizes[i] / 2 - 1) {
            u.second = write_and_check;
            named_if_checked(OURO_FAIL_USE_AFTER_FREE, object, tail_type.name, use, &u);
            u.second = write_and_go_on;
            named_if_checked(OURO_FAIL_USE_AFTER_FREE, object, tail_type.name, use, &u);
        }
        ouro_decref(object);
    }
    write_at = 0;
    void *object = ouro_new(&tail_type, 8);
    if (OURO_TEST_CHECKED) {
        struct use u = {.object = object, .second = write_and_check_twice};
        run_in_child(use, &u);
        assert_false(aborted());
        assert_int_equal(report->times, 1);
    }
    ouro_decref(object);
}

/* -- wrong thread ------------------------------------------------------------------------------ */

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

/* -- wrong acyclic ----------------------------------------------------------------------------- */

static struct ouro_type tree_type = {
    .size = sizeof(struct node), .name = "tree", .flags = OURO_ACYCLIC};

static void tie(struct node *from, struct node *to)
{
    from->a = to;
    ouro_incref(to);
}
static void untie(struct node *from)
{
    struct node *to = from->a;
    from->a = NULL;
    ouro_decref(to);
}

static void an_acyclic_type_in_a_cycle_is_named(void **state)
{
    (void)state;
    tree_type.fields = node_type.fields;
    tree_type.field_count = node_type.field_count;
    for (size_t born = 0; born < MODES; born++) {
        struct node *n[5];
        for (size_t length = 1; length <= 5; length++) {
            for (size_t i = 0; i < length; i++) /* one tree among nodes */
                n[i] = make(born, i == length / 2 ? &tree_type : &node_type);
            for (size_t i = 0; i < length; i++)
                tie(n[i], n[(i + 1) % length]);
            named(OURO_FAIL_WRONG_ACYCLIC, n[length / 2], "tree", check_heap, NULL);
            untie(n[length - 1]); /* a list is none */
            not_named(check_heap, NULL);
            for (size_t i = 0; i < length; i++)
                ouro_decref(n[i]);
        }
    }
}

static void acyclic_objects_beside_cycles_are_right(void **state)
{
    (void)state;
    /* A ring of nodes, each of which holds one and the same long list of trees. */
    size_t length = kit_scaled(200000), held = 50;
    struct node *ring[50], *list = NULL;
    for (size_t i = 0; i < length; i++) {
        struct node *head = make(2, &tree_type);
        head->b = list;
        list = head;
    }
    for (size_t i = 0; i < held; i++)
        ring[i] = make(2, &node_type);
    for (size_t i = 0; i < held; i++) {
        tie(ring[i], ring[(i + 1) % held]);
        ring[i]->b = list;
        ouro_incref(list);
    }
    assert_int_equal(ouro_check_heap(), length + held); /* in good time, too */
    for (size_t i = 0; i < held; i++)
        ouro_decref(ring[i]);
    assert_int_equal(ouro_collect(NULL), held);
    ouro_decref(list);
}

int main(void)
{
    KIT_CHECK(ouro_supply_use(&ouro_supply_mmap) == OURO_OK); /* objects keep their addresses */
    report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    KIT_CHECK(report != MAP_FAILED);
    const struct CMUnitTest tests[] = {
        kit_test(a_drop_too_many_is_an_over_release),
        kit_test(a_drop_too_many_without_a_descriptor_is_an_over_release),
        kit_test(drops_too_many_by_another_thread_are_an_over_release),
        kit_test(more_references_than_counts_are_found_in_the_heap),
        kit_test(whatever_is_done_to_a_freed_object_is_named),
        kit_test(a_freed_object_stored_into_a_slot_is_named),
        kit_test(a_reference_to_a_freed_object_is_found_in_the_heap),
        kit_test(a_write_to_a_freed_object_is_named),
        kit_test(local_mode_objects_belong_to_their_thread),
        kit_test(a_weak_upgrade_of_a_local_mode_object_elsewhere_is_named),
        kit_test(local_functions_are_for_the_owner),
        kit_test(what_an_ended_thread_made_is_anybodys),
        kit_test(shared_objects_do_not_refer_to_local_mode_ones),
        kit_test(an_acyclic_type_in_a_cycle_is_named),
        kit_test(acyclic_objects_beside_cycles_are_right),
    };
    return kit_run(tests);
}
