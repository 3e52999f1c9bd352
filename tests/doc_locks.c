/* SPDX-License-Identifier: MIT */
/* The code of docs/locks.md, compiled and run. */
#include "ouro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#if OURO_THREADS
#include <pthread.h>
#endif

/* [levels] */
enum { LEVEL_LOG = 1, LEVEL_ACCOUNT = 5, LEVEL_BANK = 9 }; /* taken from high to low */

static struct ouro_lock bank = OURO_LOCK_INIT("bank", LEVEL_BANK);
static struct ouro_lock journal = OURO_LOCK_INIT("log", LEVEL_LOG);
static int64_t transfers OURO_GUARDED_BY(journal);

struct account {
    struct ouro_lock lock;
    int64_t balance;
};

static void note_transfer(void)
{
    ouro_lock_take(&journal, OURO_HERE); /* fine under any other lock */
    transfers++;
    ouro_lock_release(&journal, OURO_HERE);
}
/* [levels] */

/* [both] */
static void transfer(struct account *from, struct account *to, int64_t sum)
{
    ouro_lock_both(&from->lock, &to->lock, OURO_HERE); /* in whatever order: no deadlock */
    from->balance -= sum;
    to->balance += sum;
    note_transfer();
    ouro_lock_release_both(&from->lock, &to->lock, OURO_HERE);
}
/* [both] */

/* [all] */
enum { ACCOUNTS = 3 };
static int64_t sum_up(struct account *accounts)
{
    struct ouro_lock *locks[ACCOUNTS];
    int64_t sum = 0;
    for (int i = 0; i < ACCOUNTS; i++)
        locks[i] = &accounts[i].lock;
    ouro_lock_take(&bank, OURO_HERE);
    ouro_lock_all(locks, ACCOUNTS, OURO_HERE);
    for (int i = 0; i < ACCOUNTS; i++)
        sum += accounts[i].balance;
    ouro_lock_release_all(locks, ACCOUNTS, OURO_HERE);
    ouro_lock_release(&bank, OURO_HERE);
    return sum;
}
/* [all] */

/* [queue] */
struct job {
    struct job *next;
    int64_t number;
};
extern struct ouro_type job_type;
static const struct ouro_field job_fields[] = {OURO_REF(struct job, next, &job_type)};
struct ouro_type job_type = OURO_TYPE(struct job, job_fields);

static struct ouro_lock jobs_lock = OURO_LOCK_INIT("jobs", LEVEL_ACCOUNT);
static struct ouro_guarded jobs = OURO_GUARDED_INIT(&jobs_lock, NULL); /* owns the first one */
static struct ouro_condition jobs_changed = OURO_CONDITION_INIT;

static void add_job(struct job *job) /* owned */
{
    ouro_lock_take(jobs.lock, OURO_HERE);
    ouro_slot_init(job, (void **)&job->next, ouro_guard_exchange(&jobs, NULL, OURO_HERE));
    ouro_guard_set(&jobs, job, OURO_HERE);
    ouro_condition_signal(&jobs_changed);
    ouro_lock_release(jobs.lock, OURO_HERE);
}

/* One job, owned; NULL: there was none for a second. */
static struct job *take_job(void)
{
    struct job *job;
    ouro_lock_take(jobs.lock, OURO_HERE);
    while (!(job = ouro_guard_open(&jobs, NULL, OURO_HERE))) {
        if (!ouro_condition_wait_for(&jobs_changed, jobs.lock, 1000000000, OURO_HERE))
            break;
    }
    if (job)
        ouro_guard_exchange(&jobs, ouro_slot_move(job, (void **)&job->next), OURO_HERE);
    ouro_lock_release(jobs.lock, OURO_HERE);
    return job;
}
/* [queue] */

/* [pause] */
static int64_t first_number(void (*tell)(int64_t))
{
    struct ouro_opening opening;
    ouro_lock_take(jobs.lock, OURO_HERE);
    struct job *first = ouro_guard_open(&jobs, &opening, OURO_HERE);
    int64_t number = first ? first->number : 0;
    ouro_lock_pause(jobs.lock, OURO_HERE); /* `first` may be gone from here on */
    tell(number);
    ouro_lock_resume(jobs.lock, OURO_HERE);
    /* ouro_opening_pointer(&opening, OURO_HERE) would be a failure in the checked library */
    first = ouro_guard_open(&jobs, &opening, OURO_HERE);
    number = first ? first->number : 0;
    ouro_lock_release(jobs.lock, OURO_HERE);
    return number;
}
/* [pause] */

static int64_t told;
static void tell(int64_t number)
{
    told = number;
    ouro_decref(take_job());
}

static void sums_are_transferred(void **state)
{
    (void)state;
    struct account accounts[ACCOUNTS];
    for (int i = 0; i < ACCOUNTS; i++) {
        ouro_lock_init(&accounts[i].lock, "account", LEVEL_ACCOUNT);
        accounts[i].balance = 100;
    }
    transfer(&accounts[0], &accounts[1], 30);
    transfer(&accounts[1], &accounts[0], 10);
    assert_int_equal(accounts[0].balance, 80);
    assert_int_equal(sum_up(accounts), 300);
    ouro_lock_take(&journal, OURO_HERE);
    assert_int_equal(transfers, 2);
    ouro_lock_release(&journal, OURO_HERE);
    for (int i = 0; i < ACCOUNTS; i++)
        ouro_lock_end(&accounts[i].lock);
}

#if OURO_THREADS
static void *work(void *sum)
{
    for (int i = 0; i < 10; i++) {
        struct job *job = take_job();
        *(int64_t *)sum += job->number;
        ouro_decref(job);
    }
    return NULL;
}
#endif

static struct job *job_new(int64_t number)
{
    struct job *job = OURO_NEW(struct job, &job_type);
    job->number = number;
    return job;
}

static void jobs_go_through_a_guarded_list(void **state)
{
    (void)state;
#if OURO_THREADS
    int64_t sum = 0;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, work, &sum), 0);
    for (int i = 1; i <= 10; i++)
        add_job(job_new(i));
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(sum, 55);
#endif
    add_job(job_new(1));
    add_job(job_new(2));
    assert_int_equal(first_number(tell), 1);
    assert_int_equal(told, 2);
    ouro_decref(take_job());
    ouro_collect(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sums_are_transferred),
                                       cmocka_unit_test(jobs_go_through_a_guarded_list)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
