/* SPDX-License-Identifier: MIT */
/* A thread that comes during a collection of bare objects, and drops what that looks at; a sweep
 * beside another thread's capture; ordinary candidates among bare ones. White-box: see bare_kit.h.
 */
#include "again.h"
#include "bare_kit.h"
#include "orc/index.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* The first thread that joins a process is told from later ones: such a case is a process of its
 * own. */
static const char *program;
static void in_a_process(const char *name)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        exec_again(program, name);
        _exit(9);
    }
    int status = -1;
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    assert_int_equal(status, 0);
}

static void join(pthread_t thread)
{
    KIT_CHECK(pthread_join(thread, NULL) == 0);
}

/* -- a capture that is joined ------------------------------------------------------------------ */

static struct bnode *given, *last; /* candidates, in this order */
static unsigned looks, coming;     /* which of the looks at `last` lets the thread come */
static sem_t come, go_on;
static ouro_word dropped;
static struct ouro__thread *newcomer;

static void *come_and_drop(void *arg)
{
    (void)arg;
    sem_wait(&come);
    bnode_drop(given);
    newcomer = ouro__self;
    ouro__store_release(&dropped, 1);
    sem_wait(&go_on);
    ouro_collect(NULL);
    ouro_collect(NULL);
    return NULL;
}

/* The thread may be made to wait till the capture ends: so this does not wait for it for ever. */
static void let_it_come(struct bnode *traced)
{
    if (traced != last || ++looks != coming)
        return;
    sem_post(&come);
    for (int ms = 0; ms < 200 && !ouro__load_acquire(&dropped); ms++)
        usleep(1000);
}

static size_t entries_of(const struct ouro__thread *thread, const void *object)
{
    size_t n = 0;
    for (uint32_t i = 0; thread && i < thread->visited.count; i++)
        n += thread->visited.entries[i].object == object;
    return n;
}

/* What is gone is in no array, and what is left in one; a foreign array shows AWAY (B6). */
static void check_arrays(bool cyclic)
{
    size_t mine = entries_of(ouro__self, given), others = entries_of(newcomer, given);
    KIT_CHECK(mine + others == (cyclic ? 1 : 0));
    KIT_CHECK(mine == 0 || (ouro__half_load(&ouro__header(given)->visited) & OURO__AWAY));
    KIT_CHECK(bnode_destroyed == (cyclic ? 0 : 1));
}

static void collect_once_and_be_joined(void)
{
    looks = 0;
    bnode_on_trace = let_it_come;
    ouro__self->visited.threshold = 1;
    ouro__collect_if_due(ouro__self);
    bnode_on_trace = NULL;
    KIT_CHECK(looks >= coming);
    while (!ouro__load_acquire(&dropped))
        usleep(1000);
}

/* `cyclic`: the newcomer's drop leaves a reference, that of the object to itself. */
static void join_a_capture(bool cyclic, unsigned look)
{
    pthread_t thread;
    uint64_t before = bare_blocks();
    coming = look;
    given = bnode_new(1);
    last = bnode_new(2);
    if (cyclic)
        given->a = bare_share(given);
    bnode_drop(bare_share(given));
    bnode_drop(bare_share(last));
    sem_init(&come, 0, 0);
    sem_init(&go_on, 0, 0);
    KIT_CHECK(pthread_create(&thread, NULL, come_and_drop, NULL) == 0);
    collect_once_and_be_joined();
    check_arrays(cyclic);
    sem_post(&go_on);
    join(thread);
    bnode_drop(last);
    for (int i = 0; i < 2; i++)
        ouro_collect(NULL);
    if (!kit_alone())
        return;
    ouro_collect(NULL);
    KIT_CHECK(bnode_destroyed == 2 && ouro_candidates() == 0);
    KIT_CHECK(bare_blocks() == before);
}

static void last_drop_while_captured(void)
{
    join_a_capture(false, 1);
}
static void last_drop_while_the_living_are_found(void)
{
    join_a_capture(false, 2);
}
static void drop_while_captured(void)
{
    join_a_capture(true, 1);
}
static void drop_while_the_living_are_found(void)
{
    join_a_capture(true, 2);
}

static void what_the_first_newcomer_ends_is_no_candidate_any_more(void **state)
{
    (void)state;
    in_a_process("last_drop_while_captured");
    in_a_process("last_drop_while_the_living_are_found");
}
static void what_the_first_newcomer_drops_is_one_threads_candidate(void **state)
{
    (void)state;
    in_a_process("drop_while_captured");
    in_a_process("drop_while_the_living_are_found");
}

/* -- a sweep that is joined -------------------------------------------------------------------- */

static struct bnode *fresh;

static void *drop_the_fresh(void *arg)
{
    (void)arg;
    bnode_drop(fresh);
    return NULL;
}

static void make_one_that_another_ends(struct bnode *dying)
{
    pthread_t thread;
    (void)dying;
    bnode_on_destroy = NULL;
    fresh = bnode_new(8);
    bnode_drop(bare_share(fresh));
    KIT_CHECK(ouro__half_load(&ouro__header(fresh)->visited) != 0);
    KIT_CHECK(pthread_create(&thread, NULL, drop_the_fresh, NULL) == 0);
    join(thread);
    KIT_CHECK(ouro__index_is_gone(fresh));
}

static void join_a_sweep(void)
{
    uint64_t before = bare_blocks();
    bnode_drop(bnode_ring(1));
    bnode_on_destroy = make_one_that_another_ends;
    ouro_collect(NULL);
    KIT_CHECK(bnode_destroyed == 2);
    KIT_CHECK(ouro_candidates() == 0);
    ouro_collect(NULL);
    KIT_CHECK(bare_blocks() == before);
}

static void what_a_newcomer_ends_during_a_sweep_leaves_no_cell(void **state)
{
    (void)state;
    in_a_process("join_a_sweep");
}

/* -- an index that moves ----------------------------------------------------------------------- */

/* The last candidate takes the place of one that dies. Its header's page is made read-only, so that
 * the newcomer comes between any look that precedes the store and that. */
static struct bnode *moved;
static sem_t gone;

static void *drop_the_moved(void *arg)
{
    (void)arg;
    sem_wait(&come);
    bnode_drop(moved);
    sem_post(&gone);
    return NULL;
}

static void protect(int protection)
{
    uintptr_t page = (uintptr_t)ouro__header(moved) & -(uintptr_t)getpagesize();
    KIT_CHECK(mprotect((void *)page, (size_t)getpagesize(), protection) == 0);
}

static void at_the_store(int signal_number)
{
    (void)signal_number;
    protect(PROT_READ | PROT_WRITE);
    sem_post(&come);
    sem_wait(&gone);
}

static void move_an_index(void)
{
    enum { APART = 1024 }; /* objects: pages between */
    static struct bnode *filler[APART];
    pthread_t thread;
    struct sigaction action = {.sa_handler = at_the_store};
    uint64_t before = bare_blocks();
    struct bnode *dying = bnode_new(1);
    for (size_t i = 0; i < APART; i++)
        filler[i] = bnode_new((int64_t)i);
    moved = bnode_new(2);
    for (size_t i = 0; i < APART; i++)
        bnode_drop(filler[i]);
    bnode_destroyed = 0;
    bnode_drop(bare_share(dying));
    bnode_drop(bare_share(moved));
    KIT_CHECK(ouro_candidates() == 2);
    sem_init(&come, 0, 0);
    sem_init(&gone, 0, 0);
    KIT_CHECK(pthread_create(&thread, NULL, drop_the_moved, NULL) == 0);
    KIT_CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
    protect(PROT_READ);
    bnode_drop(dying);
    join(thread);
    ouro_collect(NULL);
    KIT_CHECK(bnode_destroyed == 2 && ouro_candidates() == 0);
    KIT_CHECK(bare_blocks() == before);
}

static void what_a_newcomer_ends_while_its_index_moves_leaves_no_cell(void **state)
{
    (void)state;
    if (OURO_TSAN)
        skip(); /* it has a lock of its own while it stores, which both threads want */
    in_a_process("move_an_index");
}

/* -- a capture within one that was left -------------------------------------------------------- */

static jmp_buf outside;

static void leave_by_a_jump(struct bnode *traced)
{
    (void)traced;
    bnode_on_trace = NULL;
    longjmp(outside, 1);
}

static void collect_elsewhere(void)
{
    struct ouro_runtime *other = NULL;
    KIT_CHECK(ouro_runtime_new(NULL, &other) == OURO_OK);
    bnode_drop(bnode_ring(1));
    bnode_on_trace = leave_by_a_jump;
    if (setjmp(outside) == 0)
        ouro_collect(NULL);
    KIT_CHECK(ouro__load(&ouro__lone_capture) == (ouro_word)&ouro__own);
    KIT_CHECK(ouro_runtime_enter(other) == OURO_OK);
    (void)kit_garbage_ring(2);
    KIT_CHECK(ouro_collect(NULL) == 2);
    KIT_CHECK(ouro__load(&ouro__lone_capture) == (ouro_word)&ouro__own);
    _exit(0); /* it was never unwound */
}

static void a_capture_within_does_not_end_the_word_of_the_one_that_was_left(void **state)
{
    (void)state;
    in_a_process("collect_elsewhere");
}

/* -- a sweep beside a capture ------------------------------------------------------------------ */

static struct {
    struct bnode *z, *w; /* a ring of both: the giver's, and the receiver's candidate */
    pthread_t receiver;
    unsigned looks;
    sem_t arrived, go_on;
} two;

static void wait_before_the_second_look(struct bnode *traced)
{
    if (traced != two.w || !pthread_equal(pthread_self(), two.receiver) || ++two.looks != 2)
        return;
    sem_post(&two.arrived);
    sem_wait(&two.go_on);
}

static void *receive(void *arg)
{
    (void)arg;
    two.receiver = pthread_self();
    bnode_drop(two.w);
    bnode_drop(two.w); /* left: the ring's own */
    ouro_collect(NULL);
    sem_post(&two.arrived);
    sem_wait(&two.go_on);
    ouro_collect(NULL);
    ouro_collect(NULL);
    return NULL;
}

/* The ring, and garbage that has a reference to it. */
static struct bnode *make_both(void)
{
    struct bnode *garbage = bnode_ring(1);
    struct bnode *z = two.z = bnode_new(11), *w = two.w = bnode_new(12);
    z->a = bare_share(bare_share(w)); /* two are the receiver's */
    w->a = bare_share(z);
    garbage->b = bare_share(z);
    bnode_drop(z);
    ouro_collect(NULL);
    KIT_CHECK(ouro_candidates() == 0);
    return garbage;
}

static void what_a_sweep_drops_beside_a_capture_is_not_lost(void **state)
{
    (void)state;
    pthread_t thread;
    bnode_drop(bnode_new(0));
    bnode_destroyed = 0;
    uint64_t before = bare_blocks();
    struct bnode *garbage = make_both();
    two.looks = 0;
    sem_init(&two.arrived, 0, 0);
    sem_init(&two.go_on, 0, 0);
    bnode_on_trace = wait_before_the_second_look;
    assert_int_equal(pthread_create(&thread, NULL, receive, NULL), 0);
    sem_wait(&two.arrived);
    bnode_drop(garbage);
    ouro_collect(NULL);
    assert_int_equal(bnode_destroyed, 1); /* the garbage: the ring is captured by the other */
    sem_post(&two.go_on);
    sem_wait(&two.arrived);
    assert_int_equal(two.looks, 2);
    ouro_collect(NULL);
    sem_post(&two.go_on);
    pthread_join(thread, NULL);
    bnode_on_trace = NULL;
    bool alone = kit_alone();
    for (int i = 0; i < 3; i++)
        ouro_collect(NULL);
    if (!alone)
        return;
    assert_int_equal(bnode_destroyed, 3);
    assert_int_equal(ouro_candidates(), 0);
    assert_int_equal(bare_blocks(), before);
}

/* -- ordinary candidates ----------------------------------------------------------------------- */

static struct hooked *ordinary;

static void drop_the_ordinary(struct bnode *dying)
{
    (void)dying;
    bnode_on_destroy = NULL;
    ouro_decref(ordinary);
}

static void an_ordinary_candidate_is_not_set_aside(void **state)
{
    (void)state;
    if (OURO_TSAN && KIT_ATOMIC)
        skip(); /* merged candidates wait till the process has one thread */
    bnode_drop(bnode_new(0));
    uint64_t before = bare_blocks();
    ordinary = hooked_new(1);
    kit_touch(ordinary);
    bnode_drop(bnode_ring(1));
    bnode_on_destroy = drop_the_ordinary;
    ouro__collect_above(ouro__self, 1);
    assert_null(bnode_on_destroy);
    assert_int_equal(kit_destroyed, 1);
    assert_int_equal(ouro_candidates(), 0);
    assert_int_equal(bare_blocks(), before);
}

static const struct {
    const char *name;
    void (*fn)(void);
} alone[] = {
    {"last_drop_while_captured", last_drop_while_captured},
    {"last_drop_while_the_living_are_found", last_drop_while_the_living_are_found},
    {"drop_while_captured", drop_while_captured},
    {"drop_while_the_living_are_found", drop_while_the_living_are_found},
    {"join_a_sweep", join_a_sweep},
    {"move_an_index", move_an_index},
    {"collect_elsewhere", collect_elsewhere},
};

static int be_alone(const char *name)
{
    bnode_drop(bnode_new(0)); /* the thread is one of Ouro's */
    bnode_destroyed = 0;
    for (size_t i = 0; i < OURO_COUNT_OF(alone); i++) {
        if (strcmp(alone[i].name, name) != 0)
            continue;
        KIT_CHECK(!ouro__load(&ouro__many_threads));
        alone[i].fn();
        return 0;
    }
    return 9;
}

int main(int argc, char **argv)
{
    program = argv[0];
    if (argc > 1)
        return be_alone(argv[1]);
    const struct CMUnitTest tests[] = {
        bare_test(what_the_first_newcomer_ends_is_no_candidate_any_more),
        bare_test(what_the_first_newcomer_drops_is_one_threads_candidate),
        bare_test(what_a_newcomer_ends_during_a_sweep_leaves_no_cell),
        bare_test(what_a_newcomer_ends_while_its_index_moves_leaves_no_cell),
        bare_test(a_capture_within_does_not_end_the_word_of_the_one_that_was_left),
        bare_test(an_ordinary_candidate_is_not_set_aside),
        bare_test(what_a_sweep_drops_beside_a_capture_is_not_lost),
    };
    return kit_run(tests);
}
