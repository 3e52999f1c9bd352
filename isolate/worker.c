/* SPDX-License-Identifier: MIT */
/* worker.c: the threads that run tasks: where they look, how they sleep and are woken, their end.
 *
 *  K1  A worker that has found nothing takes a seat among the sleepers, and then looks once more,
 *      in all places, with their locks. Who puts a task somewhere looks for sleepers in that hold
 *      or after it. So, whichever of the two holds of the place's lock is first, either the worker
 *      sees the task, or who puts it there sees the seat: no task stays while a worker sleeps that
 *      was not woken. The locks order it; there is no fence.
 *  K2  A worker that was woken, and has found something by itself already, wakes another (W3); so
 *      does one that leaves more where it took something.
 *  K3  A worker sleeps parked: others settle for it what they drop. One that has slept for a while
 *      collects what its tasks left.
 *
 * Fork: all locks of tasks are held over it, so lists are whole in the child. There are no workers;
 * scopes and flows of before have another generation, and are cancelled when they are next touched
 * (task_state.h, ouro__scope_lock): what nobody had begun is dropped, what another thread ran is
 * taken for ended. Those that other threads may come to (scopes in lists, and what the thread is in
 * that forked) are brought to it at once, while they can be told from what vanished. A worker that
 * forked in a task goes when that returns, and ends the workers that the child has by then. */
#include "isolate/task_state.h"
#include "alloc/fail.h"
#include "alloc/options.h"
#include "orc/cycle.h"
#include "orc/thread.h"

enum {
    WORKERS_MOST = 256,
    COLLECTS = 50000000, /* nanoseconds of sleep after which it does */
    LAST_LOOKS = 100     /* milliseconds for what runs when the program ends */
};

static struct ouro__task_place places[WORKERS_MOST];
static struct worker {
    ouro__os_thread thread;
    ouro_half away; /* in a task, or where hooks run */
    ouro_half left;
} workers[WORKERS_MOST];

static struct {
    ouro__mutex lock; /* of beginnings and ends */
    bool ends;
    ouro_half ready;  /* workers were made */
    ouro_half count;  /* so many */
    ouro_half places; /* in use; never fewer */
    ouro_half stop, generation;
    ouro_word turn;
    ouro_half idle_lock;
    ouro_half idle; /* in the list; a hint without the lock */
    struct ouro__seats sleepers;
} pool = {.lock = OURO__MUTEX_INIT};

static OURO_TLS struct ouro__task_place *mine; /* for the scopes that the thread opens */
static OURO_TLS struct worker *myself;         /* NULL: no worker */

ouro_half ouro__generation(void)
{
    return ouro__half_load(&pool.generation);
}

bool ouro__is_worker(void)
{
    return myself != NULL;
}

unsigned ouro_workers(void)
{
    return ouro__half_load(&pool.count);
}

struct ouro__task_place *ouro__place_mine(void)
{
    if (!mine)
        mine = &places[ouro__fetch_add(&pool.turn, 1) % ouro__half_load(&pool.places)];
    return mine;
}

/* -- looking ----------------------------------------------------------------------------------- */

/* In its own place a worker goes on with what is warm; elsewhere it takes what is oldest, and so
 * probably largest. What was not spawned by tasks goes in order. */
static struct ouro_task *take_from(struct ouro__task_place *place, bool own)
{
    struct ouro_task *task = NULL;
    if (ouro__half_load(&place->count) == 0)
        return NULL;
    ouro__place_lock(place);
    bool newest = own && place->last && place->last->opener;
    struct ouro_scope *scope = newest ? place->last : place->first;
    if (scope)
        task = ouro__task_take(scope, newest);
    bool more = place->first != NULL;
    ouro__place_unlock(place);
    if (task && more)
        (void)ouro__workers_wake(); /* K2 */
    return task;
}

static struct ouro_task *find(void)
{
    size_t count = ouro__half_load(&pool.places), at = (size_t)(mine - places);
    struct ouro_task *task = take_from(mine, true);
    for (size_t i = 1; !task && i < count; i++)
        task = take_from(&places[(at + i) % count], false);
    return task;
}

/* With the place's lock: a scope with tasks, below that one. */
static struct ouro_scope *listed_below(const struct ouro__task_place *place,
                                       const struct ouro_scope *scope)
{
    struct ouro_scope *at = place->first;
    while (at && !ouro__scope_below(at, scope))
        at = at->next;
    return at;
}

struct ouro_task *ouro__task_below(const struct ouro_scope *scope)
{
    size_t count = ouro__half_load(&pool.places);
    struct ouro_task *task = NULL;
    for (size_t i = 0; !task && i < count; i++) {
        struct ouro__task_place *place = &places[i];
        if (ouro__half_load(&place->count) == 0)
            continue;
        ouro__place_lock(place);
        struct ouro_scope *at = listed_below(place, scope);
        if (at)
            task = ouro__task_take(at, false);
        ouro__place_unlock(place);
    }
    return task;
}

bool ouro__task_is_below(const struct ouro_scope *scope)
{
    bool some = false;
    for (size_t i = 0; !some && i < ouro__half_load(&pool.places); i++) {
        ouro__place_lock(&places[i]);
        some = listed_below(&places[i], scope) != NULL;
        ouro__place_unlock(&places[i]);
    }
    return some;
}

/* K1: in all places, with their locks. */
static bool anything(void)
{
    bool some = false;
    for (size_t i = 0; !some && i < ouro__half_load(&pool.places); i++) {
        ouro__place_lock(&places[i]);
        some = places[i].first != NULL;
        ouro__place_unlock(&places[i]);
    }
    return some;
}

/* -- sleeping ---------------------------------------------------------------------------------- */

static void lock_idle(void)
{
    if (OURO_LIKELY(!ouro__own.tasks_fork))
        ouro__short_lock(&pool.idle_lock);
}
static void unlock_idle(void)
{
    if (OURO_LIKELY(!ouro__own.tasks_fork))
        ouro__short_unlock(&pool.idle_lock);
}

/* With the lock. */
static struct ouro__sleeper *wake_one(void)
{
    struct ouro__sleeper *who = ouro__wake_one(&pool.sleepers);
    if (who)
        ouro__half_store(&pool.idle, ouro__half_load(&pool.idle) - 1);
    return who;
}

bool ouro__workers_wake(void)
{
    if (ouro__half_load(&pool.idle) == 0)
        return false;
    lock_idle();
    struct ouro__sleeper *who = wake_one();
    unlock_idle();
    ouro__sleeper_call(who);
    return who != NULL;
}

static void wake_all(void)
{
    struct ouro__sleeper *who;
    lock_idle();
    while ((who = wake_one()) != NULL)
        ouro__sleeper_call(who);
    unlock_idle();
}

/* False: the workers end. */
static bool take_seat(struct ouro__seat *seat)
{
    lock_idle();
    bool stays = !ouro__half_load(&pool.stop);
    if (stays) {
        ouro__seats_add(&pool.sleepers, seat);
        ouro__half_store(&pool.idle, ouro__half_load(&pool.idle) + 1);
    }
    unlock_idle();
    return stays;
}

/* Whether it was woken. */
static bool leave_seat(struct ouro__seat *seat)
{
    lock_idle();
    bool woken = !seat->listed;
    if (!woken)
        ouro__half_store(&pool.idle, ouro__half_load(&pool.idle) - 1);
    ouro__seats_remove(&pool.sleepers, seat);
    unlock_idle();
    return woken;
}

/* What the worker does next may last as long as a program likes; or no more. The child of a fork
 * has other workers in these places. */
static void away(bool is)
{
    if (myself)
        ouro__half_store(&myself->away, is);
}

/* Until there is something to do (false: until then; 0: for ever). */
static bool rest(uint64_t until)
{
    bool some = true;
    away(true);
    ouro_park();
    away(false);
    struct ouro__sleeper *me = ouro__sleeper_mine();
    struct ouro__seat seat = {.who = me, .why = 1};
    ouro__tool_words(&seat, sizeof seat);
    if (take_seat(&seat)) {
        some = anything();
        if (!some)
            ouro__sleep(me, until);
        bool woken = leave_seat(&seat);
        if (some && woken)
            (void)ouro__workers_wake(); /* K2 */
        some |= woken;
    }
    ouro__tool_no_words(&seat, sizeof seat);
    away(true);
    ouro_unpark();
    away(false);
    return some;
}

/* -- workers ----------------------------------------------------------------------------------- */

static void *work(void *arg)
{
    bool collected = true; /* there is nothing yet */
    myself = arg;
    mine = &places[myself - workers];
    while (myself && !ouro__half_load(&pool.stop)) {
        struct ouro_task *task = find();
        if (task) {
            away(true);
            ouro__task_run(task);
            away(false);
            collected = false;
        } else if (!rest(collected ? 0 : ouro__late(COLLECTS)) && !collected) {
            away(true);
            ouro_collect(NULL); /* K3 */
            away(false);
            collected = true;
        }
    }
    if (myself)
        ouro__half_store(&myself->left, 1);
    else
        ouro_workers_end(); /* else the child of a fork would never come to its end */
    return NULL;
}

static void before_fork(void)
{
    ouro__lock(&pool.lock);
    for (size_t i = 0; i < ouro__half_load(&pool.places); i++)
        ouro__short_lock(&places[i].lock);
    ouro__short_lock(&pool.idle_lock);
    ouro__own.tasks_fork = true;
}

static void after_fork(bool child)
{
    ouro__own.tasks_fork = false;
    ouro__short_unlock(&pool.idle_lock);
    for (size_t i = 0; i < ouro__half_load(&pool.places); i++)
        ouro__short_unlock(&places[i].lock);
    ouro__mutex_after_fork(&pool.lock, child);
}

static void parent_after_fork(void)
{
    after_fork(false);
}

/* With all locks, in the only thread. */
static void renew_all(void)
{
    for (size_t i = 0; i < ouro__half_load(&pool.places); i++)
        for (struct ouro_scope *at = places[i].first; at; at = at->next)
            ouro__scope_in_child(at);
    for (struct ouro__running *at = ouro__running; at; at = at->below) {
        ouro__scope_in_child(at->task->scope);
        ouro__flow_renew(at->task);
    }
}

static void child_after_fork(void)
{
    pool.sleepers = (struct ouro__seats){NULL, NULL};
    ouro__half_store(&pool.idle, 0);
    ouro__half_store(&pool.count, 0);
    ouro__half_store(&pool.ready, 0);
    ouro__half_store(&pool.stop, 0);
    ouro__half_store(&pool.generation, ouro__generation() + 1);
    pool.ends = false;
    myself = NULL;
    renew_all();
    after_fork(true);
}

/* Before there is a pool: a fork while it is made would find its lock taken, and nobody to free
 * it. */
OURO_AT_LOAD static void watch_forks(void)
{
    ouro__os_at_fork(before_fork, parent_after_fork, child_after_fork);
}

/* With the lock. */
static void start(void)
{
    ouro__tool_words(&pool, sizeof pool);
    ouro__tool_words(places, sizeof places);
    ouro__tool_words(workers, sizeof workers);
    int64_t asked = ouro_option_get(OURO_OPTION_workers);
    ouro_half most = asked < 0 ? ouro__os_processors() : (ouro_half)asked, count = 0;
    if (ouro__half_load(&pool.stop)) /* the program ends */
        most = 0;
    if (most > WORKERS_MOST)
        most = WORKERS_MOST;
    if (ouro__half_load(&pool.places) == 0 || ouro__half_load(&pool.places) < most)
        ouro__half_store(&pool.places, most > 0 ? most : 1);
    while (count < most) {
        workers[count].away = workers[count].left = 0;
        if (!ouro__os_thread_start(&workers[count].thread, work, &workers[count]))
            break;
        ouro__half_store(&pool.count, ++count);
    }
    ouro__half_store_release(&pool.ready, 1);
}

void ouro__workers_need(void)
{
    /* Acquire: pairs with the release of start, after places. */
    if (OURO_LIKELY(ouro__half_load_acquire(&pool.ready)))
        return;
    ouro__lock_unless(ouro__own.tasks_fork, &pool.lock);
    if (!ouro__half_load(&pool.ready))
        start();
    ouro__unlock_unless(ouro__own.tasks_fork, &pool.lock);
}

void ouro_workers_end(void)
{
    if (ouro__running || myself)
        ouro_fail(OURO_FAIL_MISUSE, NULL, NULL,
                  "the workers are ended by a task, or by a hook on one of them");
    ouro__lock_unless(ouro__own.tasks_fork, &pool.lock);
    bool ends = ouro__half_load(&pool.ready) && !pool.ends;
    pool.ends |= ends;
    ouro__unlock_unless(ouro__own.tasks_fork, &pool.lock);
    if (!ends)
        return;
    bool parked = ouro__wait_park();
    ouro__half_store(&pool.stop, 1);
    wake_all();
    for (size_t i = 0; i < ouro_workers(); i++) /* without the lock: a task may fork */
        ouro__os_thread_join(workers[i].thread);
    if (parked)
        ouro_unpark();
    ouro__lock(&pool.lock);
    ouro__half_store(&pool.count, 0);
    ouro__half_store(&pool.stop, 0);
    ouro__half_store(&pool.ready, 0);
    pool.ends = false;
    ouro__unlock(&pool.lock);
}

/* Of the program, or of the library's time in it: tasks and hooks that run, such as one that called
 * exit, are not waited for for long. From then on there are no workers, nor will there be: waits
 * help. */
OURO_AT_UNLOAD static void last_end(void)
{
    ouro__half_store(&pool.stop, 1);
    wake_all();
    unsigned looks = LAST_LOOKS;
    for (size_t i = 0; i < ouro_workers(); i++) {
        struct worker *one = &workers[i];
        if (one == myself)
            continue;
        while (!ouro__half_load(&one->left) && (!ouro__half_load(&one->away) || looks > 0)) {
            ouro__os_doze();
            looks -= looks > 0;
        }
        if (ouro__half_load(&one->left))
            ouro__os_thread_join(one->thread);
        else
            ouro__os_thread_leave(one->thread);
    }
    ouro__half_store(&pool.count, 0);
}
