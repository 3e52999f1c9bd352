/* SPDX-License-Identifier: MIT */
/* White-box: see orc_kit.h. */
#include "orc_kit.h"
#include "small_stack.h"
#include "alloc/valgrind.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

ouro_word kit_destroyed;
void (*kit_on_destroy)(struct hooked *dying);
int64_t kit_log[64];

static const struct ouro_field node_fields[] = {
    OURO_REF(struct node, a, &node_type),
    OURO_REF(struct node, b, &node_type),
};
struct ouro_type node_type = OURO_TYPE(struct node, node_fields);

static void hooked_destroy(void *value, const struct ouro_type *type)
{
    struct hooked *dying = value;
    size_t at = ouro__fetch_add_full(&kit_destroyed, 1);
    if (at < OURO_COUNT_OF(kit_log))
        kit_log[at] = dying->id;
    if (kit_on_destroy)
        kit_on_destroy(dying);
    ouro_lifted_destroy(value, type);
}

static const struct ouro_field hooked_fields[] = {
    OURO_REF(struct hooked, a, &hooked_type),
    OURO_REF(struct hooked, b, &hooked_type),
};
struct ouro_type hooked_type = {.size = sizeof(struct hooked),
                                .name = "hooked",
                                .fields = hooked_fields,
                                .field_count = OURO_COUNT_OF(hooked_fields),
                                .hooks = {.destroy = hooked_destroy}};

static void leaf_destroy(void *value, const struct ouro_type *type)
{
    (void)value;
    (void)type;
    ouro__fetch_add_full(&kit_destroyed, 1);
}

struct ouro_type leaf_type = {.size = sizeof(struct leaf),
                              .name = "leaf",
                              .flags = OURO_ACYCLIC,
                              .hooks = {.destroy = leaf_destroy}};

struct node *node_new(int64_t id)
{
    struct node *n = OURO_NEW(struct node, &node_type);
    KIT_CHECK(n != NULL);
    n->id = id;
    return n;
}

static void *merged_new(const struct ouro_type *type, struct ouro_type *prompt)
{
    if (prompt->size == 0) {
        prompt->size = type->size;
        prompt->name = type->name;
        prompt->flags = type->flags | (OURO_CHECKED ? OURO_PROMPT : 0);
        prompt->fields = type->fields;
        prompt->field_count = type->field_count;
        prompt->hooks = type->hooks;
    }
    void *object = ouro_new_atomic(prompt, prompt->size);
    KIT_CHECK(object != NULL);
    KIT_CHECK((ouro__header(object)->shared & OURO__MERGED) || !OURO_THREADS);
    return object;
}

struct node *node_new_merged(int64_t id)
{
    static struct ouro_type prompt;
    struct node *n = merged_new(&node_type, &prompt);
    n->id = id;
    return n;
}

struct leaf *leaf_new_merged(int64_t id)
{
    static struct ouro_type prompt;
    struct leaf *l = merged_new(&leaf_type, &prompt);
    l->id = id;
    return l;
}

struct hooked *hooked_new(int64_t id)
{
    struct hooked *h = OURO_NEW(struct hooked, &hooked_type);
    KIT_CHECK(h != NULL);
    h->id = id;
    return h;
}

struct leaf *leaf_new(int64_t id)
{
    struct leaf *l = OURO_NEW(struct leaf, &leaf_type);
    KIT_CHECK(l != NULL);
    l->id = id;
    return l;
}

struct node *kit_ring(size_t n)
{
    struct node *first = node_new(0), *last = first;
    for (size_t i = 1; i < n; i++) {
        struct node *next = node_new((int64_t)i);
        last->a = next;
        last = next;
    }
    last->a = first;
    return first;
}

struct node *kit_garbage_ring(size_t n)
{
    struct node *first = kit_ring(n);
    kit_touch(first);
    return first;
}

void kit_link(struct node *from, struct node *to)
{
    from->a = to;
    ouro_incref(to);
}

static size_t alive_before; /* what an earlier test that failed left */

int kit_setup(void **state)
{
    (void)state;
    kit_destroyed = 0;
    kit_on_destroy = NULL;
    alive_before = heapcheck_count(NULL);
    return 0;
}

int kit_teardown(void **state)
{
    (void)state;
    ouro_fail_nth_alloc(0, false);
    kit_on_destroy = NULL;
    bool alone = kit_alone();
    size_t alive = heapcheck_alive();
    if (!alone)
        alive -= heapcheck_waiting(); /* merged candidates wait for that */
    if (alive > alive_before)
        print_error("%zu objects more are alive than before\n", alive - alive_before);
    return alive > alive_before;
}

void kit_check_failed(const char *truth, const char *file, int line)
{
    fprintf(stderr, "%s:%d: %s\n", file, line, truth);
    fflush(NULL);
    abort();
}

bool kit_instrumented(void)
{
    return OURO_ASAN || OURO_TSAN || OURO_EMULATED || ouro__on_valgrind();
}

size_t kit_scaled(size_t n)
{
    size_t slow = ouro__on_valgrind() ? 50 : OURO_TSAN ? 20 : OURO_ASAN || OURO_EMULATED ? 8 : 1;
    return n / slow ? n / slow : 1;
}

void kit_on_small_stack(void (*fn)(void *), void *arg)
{
    small_stack(fn, arg, kit_instrumented() && !OURO_EMULATED);
}

struct kit_other {
    pthread_t thread;
    pthread_barrier_t start, done;
    void (*fn)(void *);
    void *arg;
};

static void *obey(void *arg)
{
    struct kit_other *other = arg;
    for (;;) {
        pthread_barrier_wait(&other->start);
        if (other->fn == NULL)
            return NULL;
        other->fn(other->arg);
        pthread_barrier_wait(&other->done);
    }
}

struct kit_other *kit_other_start(void)
{
    struct kit_other *other = calloc(1, sizeof *other);
    KIT_CHECK(other != NULL);
    pthread_barrier_init(&other->start, NULL, 2);
    pthread_barrier_init(&other->done, NULL, 2);
    KIT_CHECK(pthread_create(&other->thread, NULL, obey, other) == 0);
    return other;
}

void kit_other_begin(struct kit_other *other, void (*fn)(void *), void *arg)
{
    other->fn = fn;
    other->arg = arg;
    pthread_barrier_wait(&other->start);
}

void kit_other_finish(struct kit_other *other)
{
    pthread_barrier_wait(&other->done);
}

void kit_other_do(struct kit_other *other, void (*fn)(void *), void *arg)
{
    kit_other_begin(other, fn, arg);
    kit_other_finish(other);
}

void kit_other_end(struct kit_other *other)
{
    other->fn = NULL;
    pthread_barrier_wait(&other->start);
    pthread_join(other->thread, NULL);
    pthread_barrier_destroy(&other->start);
    pthread_barrier_destroy(&other->done);
    free(other);
}

void kit_elsewhere(void (*fn)(void *), void *arg)
{
    struct kit_other *other = kit_other_start();
    kit_other_do(other, fn, arg);
    kit_other_end(other);
}

/* -- what the other is told to do -------------------------------------------------------------- */

void kit_park(void *arg)
{
    (void)arg;
    ouro_park();
}
void kit_unpark(void *arg)
{
    (void)arg;
    ouro_unpark();
}
void kit_poll(void *arg)
{
    (void)arg;
    ouro_poll();
}
void kit_incref(void *object)
{
    ouro_incref(object);
}
void kit_decref(void *object)
{
    ouro_decref(object);
}
void kit_touch(void *object)
{
    ouro_incref(object);
    ouro_decref(object);
}
void kit_collect(void *arg)
{
    (void)arg;
    ouro_collect(NULL);
}

/* -- children ---------------------------------------------------------------------------------- */

static volatile int *child_status; /* shared with children */

pid_t kit_fork(void)
{
    if (child_status == NULL)
        child_status = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    *child_status = -2;
    fflush(NULL);
    pid_t child = fork();
    KIT_CHECK(child >= 0);
    return child;
}

void kit_child_ends(int status)
{
    *child_status = status;
    kill(getpid(), SIGKILL); /* so that no tool looks for leaks in it */
    abort();
}

int kit_wait(pid_t child)
{
    int status = 0;
    KIT_CHECK(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? *child_status : -2;
}

static void on_failure(const struct ouro_failure *failure, void *arg)
{
    (void)arg;
    kit_child_ends((int)failure->kind);
}

int kit_failure_of(void (*fn)(void *), void *arg)
{
    pid_t child = kit_fork();
    if (child == 0) {
        ouro_set_fail_handler(on_failure, NULL);
        fn(arg);
        kit_child_ends(-1);
    }
    return kit_wait(child);
}

const char *kit_stderr_of(void (*fn)(void *), void *arg)
{
    static char text[4096];
    fflush(stderr);
    FILE *file = tmpfile();
    int saved = dup(2);
    KIT_CHECK(file != NULL && saved >= 0 && dup2(fileno(file), 2) == 2);
    fn(arg);
    fflush(stderr);
    KIT_CHECK(dup2(saved, 2) == 2);
    close(saved);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

bool kit_alone(void)
{
    for (int i = 0; i < (OURO_TSAN ? 10 : 2000); i++) {
        if (ouro__os_threads() == 1)
            return true;
        usleep(1000);
    }
    return false;
}

uint64_t kit_seed(uint64_t usual)
{
    const char *text = getenv("OURO_TEST_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 0) : usual;
    print_message("seed %llu\n", (unsigned long long)seed);
    return seed;
}

uint64_t kit_random(uint64_t *seed)
{
    uint64_t z = (*seed += 0x9E3779B97F4A7C15u); /* splitmix64 */
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

size_t kit_resident(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    KIT_CHECK(file != NULL && fscanf(file, "%*u %zu", &pages) == 1);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}
