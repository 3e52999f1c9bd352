/* SPDX-License-Identifier: MIT */
/* What clang's -Wthread-safety is to accept (WRONG 0) and to refuse (WRONG 1 and so on), each named
 * by what the warning says. isolate_locks_clang.sh compiles it, as C and as C++. */
#include "isolate/condition.h"
#include "isolate/guard.h"
#include "isolate/lock.h"

static struct ouro_lock lock = OURO_LOCK_INIT("lock", 2), other = OURO_LOCK_INIT("other", 1);
static struct ouro_condition changed = OURO_CONDITION_INIT;
static struct ouro_guarded place = OURO_GUARDED_INIT(&lock, NULL);
static int balance OURO_GUARDED_BY(lock);
static int *history OURO_PT_GUARDED_BY(lock);
static struct account {
    struct ouro_lock lock;
    int balance;
} account = {OURO_LOCK_INIT("account", 3), 0};

int balance_of(struct account *a);
int balance_of(struct account *a)
{
    ouro_lock_take(&a->lock, OURO_HERE);
    int found = a->balance;
    ouro_lock_release(&a->lock, OURO_HERE);
    return found;
}

static void add(int n) OURO_REQUIRES(lock)
{
    balance += n;
    *history = n;
}

static void log_it(void) OURO_EXCLUDES(lock)
{
    ouro_lock_take(&lock, OURO_HERE);
    balance++;
    ouro_lock_release(&lock, OURO_HERE);
}

void right(void);
void right(void)
{
    ouro_lock_take(&lock, OURO_HERE);
    add(1);
    while (balance == 0)
        ouro_condition_wait(&changed, &lock, OURO_HERE);
    (void)ouro_condition_wait_for(&changed, &lock, 1, OURO_HERE);
    ouro_lock_pause(&lock, OURO_HERE);
    log_it();
    ouro_lock_resume(&lock, OURO_HERE);
    add(1);
    ouro_lock_release(&lock, OURO_HERE);
    if (ouro_lock_try(&lock, OURO_HERE)) {
        add(1);
        ouro_lock_release(&lock, OURO_HERE);
    }
    if (!ouro_lock_take_for(&lock, 1, OURO_HERE))
        return;
    add(1);
    ouro_lock_release(&lock, OURO_HERE);
    ouro_lock_both(&lock, &other, OURO_HERE);
    add(1);
    ouro_guard_check(&lock, OURO_HERE);
    ouro_lock_release_both(&lock, &other, OURO_HERE);
    ouro_lock_take(place.lock, OURO_HERE);
    struct ouro_opening opening;
    (void)ouro_guard_open(&place, &opening, OURO_HERE);
    (void)ouro_guard_exchange(&place, NULL, OURO_HERE);
    ouro_lock_release(place.lock, OURO_HERE);
    (void)balance_of(&account);
}

void with_all(struct ouro_lock *const *locks, size_t n);
void with_all(struct ouro_lock *const *locks, size_t n)
{
    ouro_lock_all(locks, n, OURO_HERE);
    ouro_lock_assert(&lock, OURO_HERE);
    add(1);
    ouro_lock_release_all(locks, n, OURO_HERE);
}

void wrong(void);
void wrong(void)
{
#if WRONG == 1 /* writing variable 'balance' requires holding lock 'lock' */
    balance = 1;
#elif WRONG == 2  /* reading the value pointed to by 'history' requires holding lock 'lock' */
    balance_of(&account + *history);
#elif WRONG == 3  /* calling function 'add' requires holding lock 'lock' */
    ouro_lock_take(&other, OURO_HERE);
    add(1);
    ouro_lock_release(&other, OURO_HERE);
#elif WRONG == 4  /* 'lock' is still held at the end of function */
    ouro_lock_take(&lock, OURO_HERE);
#elif WRONG == 5  /* releasing lock 'lock' that was not held */
    ouro_lock_release(&lock, OURO_HERE);
#elif WRONG == 6  /* acquiring lock 'lock' that is already held */
    ouro_lock_take(&lock, OURO_HERE);
    ouro_lock_take(&lock, OURO_HERE);
    ouro_lock_release(&lock, OURO_HERE);
#elif WRONG == 7  /* calling function 'ouro_guard_open' requires holding lock 'place.lock' */
    (void)ouro_guard_open(&place, NULL, OURO_HERE);
#elif WRONG == 8  /* writing variable 'balance' requires holding lock 'lock' */
    ouro_lock_take(&lock, OURO_HERE);
    ouro_lock_pause(&lock, OURO_HERE);
    balance = 1;
    ouro_lock_resume(&lock, OURO_HERE);
    ouro_lock_release(&lock, OURO_HERE);
#elif WRONG == 9  /* calling function 'add' requires holding lock 'lock' */
    if (!ouro_lock_try(&lock, OURO_HERE))
        add(1);
    else
        ouro_lock_release(&lock, OURO_HERE);
#elif WRONG == 10 /* calling function 'ouro_condition_wait' requires holding lock 'lock' */
    ouro_condition_wait(&changed, &lock, OURO_HERE);
#elif WRONG == 11 /* cannot call function 'log_it' while lock 'lock' is held */
    ouro_lock_take(&lock, OURO_HERE);
    log_it();
    ouro_lock_release(&lock, OURO_HERE);
#elif WRONG == 12 /* 'other' is still held at the end of function */
    ouro_lock_both(&lock, &other, OURO_HERE);
    ouro_lock_release(&lock, OURO_HERE);
#elif WRONG == 13 /* calling function 'ouro_guard_check' requires holding lock 'lock' */
    ouro_guard_check(&lock, OURO_HERE);
#elif WRONG == 14 /* releasing lock 'lock' that was not held */
    (void)!ouro_lock_take_for(&lock, 1, OURO_HERE);
    ouro_lock_release(&lock, OURO_HERE);
#endif
}
