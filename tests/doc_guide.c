/* SPDX-License-Identifier: MIT */
/* doc_guide.c: the code of docs/guide.md, literally, run. */
/* clang-format off */
/* [includes] */
#include <ouro.h>
#include <pthread.h>
#include <stdio.h>
/* [includes] */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

/* [types] */
struct person {
    ouro_string name;
    struct person *friend;    /* counted */
    struct ouro_weak *mentor; /* a weak handle: keeps nobody alive */
};
extern struct ouro_type person_type;
static const struct ouro_field person_fields[] = {
    OURO_STRING(struct person, name),
    OURO_REF(struct person, friend, &person_type),
    OURO_WEAK(struct person, mentor),
};
struct ouro_type person_type = OURO_TYPE(struct person, person_fields);
/* [types] */

/* [birth] */
static struct person *person_new(const char *name, size_t length)
{
    struct person *p = OURO_NEW(struct person, &person_type); /* zeroed: all fields are empty */
    if (p == NULL)
        return NULL;
    if (ouro_string_make(&p->name, name, length) != OURO_OK) {
        ouro_decref(p);
        return NULL;
    }
    return p; /* one reference, the caller's */
}
/* [birth] */

/* [slots] */
static void befriend(struct person *a, struct person *b)
{
    ouro_slot_copy(a, (void **)&a->friend, b); /* a has one more reference to b */
}

static struct person *part(struct person *a)
{
    return ouro_slot_move(a, (void **)&a->friend); /* a's reference is the caller's now */
}
/* [slots] */

/* [weak] */
static ouro_status set_mentor(struct person *a, struct person *mentor)
{
    struct ouro_weak *handle = ouro_weak_new(mentor); /* owned */
    if (handle == NULL)
        return OURO_NO_MEMORY;
    ouro_weak_decref(a->mentor); /* may be NULL */
    a->mentor = handle;          /* given back when a dies: the descriptor names the field */
    return OURO_OK;
}

static bool has_mentor(struct person *a)
{
    struct person *mentor = ouro_weak_upgrade(a->mentor); /* a counted reference, or NULL */
    bool there = mentor != NULL;
    ouro_decref(mentor);
    return there;
}
/* [weak] */

/* [handover] */
struct box {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct person *letter; /* the box owns one reference */
};

static void *receiver(void *arg)
{
    struct box *box = arg;
    pthread_mutex_lock(&box->lock);
    while (box->letter == NULL)
        pthread_cond_wait(&box->filled, &box->lock);
    struct person *letter = box->letter; /* the reference changes hands: no count */
    box->letter = NULL;
    pthread_mutex_unlock(&box->lock);
    size_t length = letter->name.len; /* use it, keep it, count it: as any other */
    ouro_decref(letter);              /* perhaps the last reference, and not its owner's thread */
    return (void *)length;
}

static void post(struct box *box, struct person *letter) /* takes over the reference */
{
    pthread_mutex_lock(&box->lock);
    box->letter = letter;
    pthread_cond_signal(&box->filled);
    pthread_mutex_unlock(&box->lock);
}
/* [handover] */

/* [join] */
static size_t send_one(struct box *box, struct person *letter)
{
    pthread_t thread;
    void *length = NULL;
    if (pthread_create(&thread, NULL, receiver, box) != 0)
        return 0;
    post(box, letter);
    ouro_park(); /* this thread waits: what others drop of its objects, they destroy at once */
    pthread_join(thread, &length);
    ouro_unpark();
    return (size_t)length;
}
/* [join] */

/* [steps] */
static size_t drop_in_steps(struct person *first)
{
    size_t destroyed = 0, now;
    ouro_decref_later(first); /* noted; nothing is destroyed yet */
    do {
        now = ouro_release_pending(100); /* at most a hundred objects */
        destroyed += now;
        /* ... handle a request, draw a frame ... */
    } while (now == 100);
    return destroyed;
}
/* [steps] */

/* [alive] */
static void print_alive(const struct ouro_alive *alive, void *arg)
{
    const char *name = alive->type_name ? alive->type_name : "(unknown)";
    fprintf(arg, "%zu of %s, %zu bytes\n", alive->count, name, alive->bytes);
}

static size_t list_what_is_alive(FILE *out)
{
    return ouro_list_alive(print_alive, out); /* one call a type, most bytes first */
}
/* [alive] */

/* [failure] */
static void tell_failure(const struct ouro_failure *failure, void *arg)
{
    fprintf(arg, "%s: %s (object %p of type %s)\n", failure->kind_name, failure->detail,
            (void *)(uintptr_t)failure->object, failure->type_name ? failure->type_name : "unknown");
} /* after it returns the message goes to the standard error, and the process aborts */
/* [failure] */

static int guide_main(void);
#define main guide_main
/* [main] */
int main(void)
{
    struct box box = {.lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};
    struct person *ann = person_new("Ann", 3), *bob = person_new("Bob", 3);
    struct person *letter = person_new("a letter", 8);
    if (ann == NULL || bob == NULL || letter == NULL || set_mentor(ann, bob) != OURO_OK)
        return 1;
    ouro_set_fail_handler(tell_failure, stderr);
    printf("a letter of %zu bytes was read\n", send_one(&box, letter));

    befriend(ann, bob);
    befriend(bob, ann); /* a ring */
    ouro_decref(bob);
    list_what_is_alive(stdout); /* 2 of struct person, 96 bytes; 2 of string: their names */
    ouro_decref(ann);           /* nobody has the ring any more */
    printf("%zu people were collected\n", ouro_collect(NULL));

    ann = person_new("Ann", 3), bob = person_new("Bob", 3);
    if (ann == NULL || bob == NULL)
        return 1;
    befriend(ann, bob);
    ouro_decref(bob);
    bob = part(ann); /* our reference again */
    printf("%zu of them went in steps, ", drop_in_steps(ann));
    printf("Bob has %s mentor\n", has_mentor(bob) ? "a" : "no");
    ouro_decref(bob);
    return list_what_is_alive(stdout) == 0 ? 0 : 1; /* nothing is left */
}
/* [main] */
#undef main
/* clang-format on */

static struct person *person_named(const char *name)
{
    struct person *p = person_new(name, strlen(name));
    assert_non_null(p);
    return p;
}

static void nothing_is_alive(void)
{
    ouro_collect(NULL);
    assert_int_equal(list_what_is_alive(stderr), 0);
}

static void slots_own_what_they_hold(void **state)
{
    (void)state;
    struct person *ann = person_named("Ann"), *bob = person_named("Bob");
    befriend(ann, bob);
    assert_int_equal(ouro_count(bob), 2);
    ouro_decref(bob);
    bob = part(ann);
    assert_int_equal(ouro_count(bob), 1);
    befriend(ann, bob);
    befriend(bob, ann);
    ouro_decref(ann);
    ouro_decref(bob);
    nothing_is_alive(); /* a ring */
}

static void a_mentor_may_go(void **state)
{
    (void)state;
    struct person *ann = person_named("Ann"), *eve = person_named("Eve");
    assert_false(has_mentor(ann));
    assert_int_equal(set_mentor(ann, eve), OURO_OK);
    assert_true(has_mentor(ann));
    ouro_decref(eve);
    assert_false(has_mentor(ann));
    ouro_decref(ann);
    nothing_is_alive();
}

static void a_letter_is_handed_over(void **state)
{
    (void)state;
#if OURO_THREADS && OURO_RC != OURO_RC_LOCAL
    struct box box = {.lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};
    assert_int_equal(send_one(&box, person_named("a letter")), 8);
    nothing_is_alive();
#else
    (void)send_one;
    skip(); /* local counts are for one thread */
#endif
}

static void a_list_goes_in_steps(void **state)
{
    (void)state;
    struct person *first = NULL;
    for (int i = 0; i < 1000; i++) {
        struct person *p = person_named("x");
        ouro_slot_init(p, (void **)&p->friend, first);
        first = p;
    }
    assert_int_equal(drop_in_steps(first), 1000);
    nothing_is_alive();
}

static void what_is_alive_is_listed_by_type(void **state)
{
    (void)state;
    struct person *ann = person_named("Ann");
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    size_t alive = list_what_is_alive(out);
    fclose(out);
    if (ouro_supply_get()->block == NULL) { /* else the tool that the supply is for tells */
        assert_int_equal(alive, 2);
        assert_non_null(strstr(text, "1 of struct person, "));
        assert_non_null(strstr(text, "1 of string, ")); /* her name */
    }
    free(text);
    ouro_decref(ann);
}

static jmp_buf back;
static void leave(const struct ouro_failure *failure, void *arg)
{
    tell_failure(failure, arg);
    longjmp(back, 1);
}

static void a_failure_tells_the_facts(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    ouro_set_fail_handler(leave, out);
    if (setjmp(back) == 0)
        ouro_fail(OURO_FAIL_MISUSE, NULL, NULL, "a test");
    ouro_set_fail_handler(NULL, NULL);
    fclose(out);
    assert_memory_equal(text, "misuse: a test (object ", 23);
    free(text);
}

static void the_program_of_the_page_runs(void **state)
{
    (void)state;
#if OURO_THREADS && OURO_RC != OURO_RC_LOCAL
    assert_int_equal(guide_main(), 0);
    ouro_set_fail_handler(NULL, NULL);
#else
    (void)guide_main;
    skip(); /* it has a second thread */
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_own_what_they_hold),
        cmocka_unit_test(a_mentor_may_go),
        cmocka_unit_test(a_letter_is_handed_over),
        cmocka_unit_test(a_list_goes_in_steps),
        cmocka_unit_test(what_is_alive_is_listed_by_type),
        cmocka_unit_test(a_failure_tells_the_facts),
        cmocka_unit_test(the_program_of_the_page_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
