/* SPDX-License-Identifier: MIT */
/* task_state.h: Internal to isolate. What scopes and tasks are made of. Rules: task.c. */
#ifndef OURO_ISOLATE_TASK_STATE_H
#define OURO_ISOLATE_TASK_STATE_H

#include "alloc/own.h"
#include "isolate/lend.h"
#include "isolate/task.h"
#include "isolate/wait.h"

/* Where tasks wait to be begun: one for each worker, on a line of its own. There for good (T1). */
struct ouro__task_place {
    ouro_half lock;
    ouro_half count;                 /* of scopes in the list; a hint without the lock */
    struct ouro_scope *first, *last; /* that have tasks that nobody has begun, oldest first */
} __attribute__((aligned(64)));

struct ouro_scope {
    struct ouro__task_place *place;
    struct ouro_task *opener; /* NULL: no task's */
    size_t limit;
    /* with the place's lock: */
    size_t in_flight;
    struct ouro_task *first, *last;   /* that nobody has begun, oldest first */
    struct ouro_scope *next, *before; /* of the place's */
    struct ouro__seats waiting;       /* who closes it, or waits for room */
    struct ouro_lent *lent;
    ouro_status error;
    bool closing;
    ouro_half cancelled;  /* read without it */
    ouro_half sleeps;     /* somebody is in `waiting`; a hint without it */
    ouro_half generation; /* of the process (worker.c) */
};

/* What is waited for in a scope, as bits of a seat's `why`: a spawner waits for room, and for work
 * if it helps; who closes it for work there and below, and for its end. */
enum { OURO__FOR_ROOM = 1, OURO__FOR_WORK = 2, OURO__FOR_END = 4 };

enum ouro__task_state { OURO__TASK_QUEUED, OURO__TASK_RUNS, OURO__TASK_DONE };

struct ouro_task {
    struct ouro__task_place *place; /* its scope's */
    struct ouro_scope *scope;       /* gone when the task is done */
    ouro_task_run *run;
    struct ouro_isolated *argument, *result; /* owned; NULL: none, or taken */
    unsigned open;                           /* scopes that it has open; its thread's */
    ouro_half cancelled;                     /* by its flow; read without the lock */
    /* with the place's lock: */
    enum ouro__task_state state;
    ouro_status status; /* when done */
    bool wanted;        /* it has a flow */
    bool taken;
    int event; /* the flow's descriptor + 1 */
    ouro_half generation;
    struct ouro_task *next, *before; /* of the scope's */
    struct ouro__seats waiting;      /* who awaits it, in `seat` */
    struct ouro__seat seat;
    struct ouro__slice {
        struct ouro_lent *lent; /* NULL: it is no slice */
        ouro_slice_run *run;
        void *context;
        size_t first, count;
        struct ouro_task *next, *before; /* of the lent, by place */
    } slice;
};

struct ouro_flow {
    struct ouro_task task;
};

/* -- task.c ------------------------------------------------------------------------------------ */

/* What the calling thread is in, the last one first. */
struct ouro__running {
    struct ouro_task *task;
    struct ouro__running *below;
    unsigned deep; /* so many spawns run tasks at once on this thread (T4) */
};
extern OURO_TLS struct ouro__running *ouro__running;
bool ouro__task_is_mine(const struct ouro_task *task);

/* A place's lock; of a scope, which is brought to the generation of the process first. */
static inline void ouro__place_lock(struct ouro__task_place *place)
{
    if (OURO_LIKELY(!ouro__own.tasks_fork))
        ouro__short_lock(&place->lock);
}
static inline void ouro__place_unlock(struct ouro__task_place *place)
{
    if (OURO_LIKELY(!ouro__own.tasks_fork))
        ouro__short_unlock(&place->lock);
}
void ouro__scope_lock(struct ouro_scope *scope);

/* A task of the scope that nobody has begun, which the caller is to run now; NULL: there is none.
 * With the lock. */
struct ouro_task *ouro__task_take(struct ouro_scope *scope, bool newest);
/* This one; it is QUEUED. */
void ouro__task_take_this(struct ouro_task *task);
/* Runs it, or not, if it is cancelled; it is gone then, unless it has a flow. */
void ouro__task_run(struct ouro_task *task);
/* A new task's record, all else 0; NULL: no memory. */
struct ouro_task *ouro__task_new(struct ouro_scope *scope);
void ouro__task_free(struct ouro_task *task);
/* Spawns it, or frees it and answers why not. */
ouro_status ouro__task_spawn(struct ouro_task *task, struct ouro_flow **flow);
/* There is something to do in the scope: wakes a worker that sleeps, or else who waits for this
 * scope and helps, or closes one above. Without a lock. */
void ouro__task_tell(struct ouro_scope *scope);

/* -- flow.c ------------------------------------------------------------------------------------ */

/* In the child of a fork: a task that has a flow. With the lock. */
void ouro__flow_renew(struct ouro_task *task);

/* -- scope.c ----------------------------------------------------------------------------------- */

bool ouro__scope_is_cancelled(const struct ouro_scope *scope);
/* Whether `scope` is `above`, or was opened by a task of it, or .. */
bool ouro__scope_below(const struct ouro_scope *scope, const struct ouro_scope *above);
/* Something happened to the scope: with its lock. */
void ouro__scope_wake_all(struct ouro_scope *scope);
/* One that waits for any of that: who is to be called without the lock (wait.h); NULL: nobody. */
struct ouro__sleeper *ouro__scope_wake_one(struct ouro_scope *scope, size_t bits);
/* In the child of a fork, in the thread that forked, with all locks: a scope that is listed, or has
 * a task that the thread is in. */
void ouro__scope_in_child(struct ouro_scope *scope);
/* Outside of tasks and workers. Returns with the lock, when there is room, or it is cancelled. */
void ouro__scope_room(struct ouro_scope *scope);

/* -- lend.c: with the lock --------------------------------------------------------------------- */

void *ouro__slice_of(const struct ouro_task *task);
ouro_status ouro__slice_out(struct ouro_task *task); /* OURO_BUSY: it overlaps */
void ouro__slice_back(struct ouro_task *task);
/* What is lent to a scope that ends. Without the lock. */
void ouro__lent_end(struct ouro_scope *scope);

/* -- worker.c ---------------------------------------------------------------------------------- */

/* Starts the workers if there are none. */
void ouro__workers_need(void);
/* The place for scopes that the calling thread opens. */
struct ouro__task_place *ouro__place_mine(void);
/* Wakes one worker that sleeps; false: none does. After the hold of the place's lock in which there
 * came to be something to do. */
bool ouro__workers_wake(void);
/* A task below that scope that nobody has begun, as ouro__task_take. O(scopes that have some). */
struct ouro_task *ouro__task_below(const struct ouro_scope *scope);
/* Whether there is one; K1. */
bool ouro__task_is_below(const struct ouro_scope *scope);
/* The calling thread is one of the workers, in a task or a hook. */
bool ouro__is_worker(void);
ouro_half ouro__generation(void);

#endif
