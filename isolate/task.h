/* SPDX-License-Identifier: MIT */
/* task.h: functions that other threads run, on isolated graphs, in scopes that end when they have.
 *
 * A task is a function with an isolated graph (isolate/isolated.h) as its argument and one as its
 * result. It belongs to a scope; closing the scope waits for all tasks of it, so none outlives the
 * block of code that it was begun in. A flow is the end of a task at which its result arrives.
 * (Scopes: structured concurrency, as in Trio; flows: FlowVar of Nim; workers that steal: Cilk.)
 *
 * Tasks run on workers, threads of the library's own, as many as OURO_WORKERS says, which are made
 * with the first scope; and on threads that wait for them. No count is touched on the way of a
 * graph. Without threads (OURO_THREADS=OFF) tasks run when somebody waits for them, or asks.
 * docs/tasks.md. */
#ifndef OURO_ISOLATE_TASK_H
#define OURO_ISOLATE_TASK_H

#include "isolate/isolated.h"

OURO_EXTERN_C_BEGIN

struct ouro_scope;
struct ouro_task;
struct ouro_flow;

/* What a task does. `task` is borrowed, for the call. *result, which is NULL, may be given a graph
 * (owned). The answer: OURO_OK; OURO_CANCELLED, where it stops because it was told to; else an
 * error, of Ouro's or the program's own (OURO_STATUS_USER and above), which cancels the scope; then
 * a result is dropped. It returns, by no jump or exception, and closes the scopes that it opens. */
typedef ouro_status ouro_task_run(struct ouro_task *task, struct ouro_isolated **result);

/* -- scopes ------------------------------------------------------------------------------------ */

/* A scope with at most `limit` tasks in flight, that are spawned and have not ended: 1 to 2^30.
 * *scope (not NULL) is the caller's until ouro_scope_close: in a task, of that task; else of any
 * thread that is in none. OURO_NO_MEMORY; OURO_BAD_ARGUMENT. Then *scope is NULL, and nothing has
 * changed. Any thread; allocates, in the default runtime; the first starts the workers. O(1). */
OURO_API ouro_status ouro_scope_open(size_t limit, struct ouro_scope **scope);

/* Waits until all tasks of the scope (owned, not NULL) have ended, running such as nobody has
 * begun, and ends it. The error of the first task that had one; OURO_CANCELLED: tasks were
 * cancelled with it, or would have been; else OURO_OK. The scope is gone in any case. A
 * programmer's error (OURO_FAIL_MISUSE) in a task, or outside of any, that did not open it. Runs
 * tasks, and hooks of what others dropped; does not fail. No cancellation point. */
OURO_API ouro_status ouro_scope_close(struct ouro_scope *scope);

/* Cancels the scope's tasks (scope borrowed, not NULL), also those of scopes opened in them: what
 * has not begun does not run, and its argument is dropped; what runs is told
 * (ouro_task_is_cancelled); nothing is spawned any more. Any thread; does not wait. */
OURO_API void ouro_scope_cancel(struct ouro_scope *scope);

/* -- tasks ------------------------------------------------------------------------------------- */

/* Has `run` (not NULL) called with `argument` (owned, if the answer is OURO_OK; else still the
 * caller's; may be NULL), in the scope (borrowed). `flow` may be NULL: the result is dropped; else
 * *flow is the caller's, to be dropped; NULL where the answer is not OURO_OK.
 *
 * Where the scope has no room the call waits for it: outside of tasks it sleeps. In a task, or in a
 * hook on a worker, it does not wait: in a task of this scope, or of one below, it runs the new
 * task itself, at once, in the place of its own; elsewhere it runs tasks of the scope that nobody
 * has begun, and where there is none, the new one. 64 such one in the other on a thread are the
 * most: from there on the task is queued, though there be no room.
 *
 * OURO_CANCELLED: the scope, or one above, is cancelled. OURO_NO_MEMORY, OURO_BAD_ARGUMENT. Who
 * opened the scope spawns in it, and its tasks do, and who they, or it, know not to be closing it.
 * Allocates, in the default runtime; may run hooks, as a wait. O(1). */
OURO_API ouro_status ouro_spawn(struct ouro_scope *scope, ouro_task_run *run,
                                struct ouro_isolated *argument, struct ouro_flow **flow);

/* The argument (owned by the caller from now on); NULL: there is none, or it was taken. What a task
 * does not take is dropped when it ends. In the task (borrowed), on its thread. O(1). */
OURO_API struct ouro_isolated *ouro_task_argument(struct ouro_task *task);
/* The scope that the task (borrowed) is in, to spawn more (borrowed). O(1). */
OURO_API struct ouro_scope *ouro_task_scope(const struct ouro_task *task);
/* Whether the task (borrowed), its scope, or a task or scope around that is cancelled. In the task;
 * O(scopes around it), a few loads. */
OURO_API bool ouro_task_is_cancelled(const struct ouro_task *task);

/* -- flows ------------------------------------------------------------------------------------- */

/* A flow is used by one thread at a time. It may outlive its scope. Timeouts are in nanoseconds
 * from now; negative: for ever; 0: do not wait.
 *
 * Waits until the task has ended; for ever: if nobody has begun it, the calling thread runs it.
 * *result (not NULL) is what it gave, the caller's; or NULL. The answer: the task's;
 * OURO_CANCELLED: it did not run; OURO_CLOSED: its result was taken before. OURO_WOULD_BLOCK,
 * OURO_TIMED_OUT: it has not ended (ouro_flow_is_done tells, if the task may answer these itself).
 * OURO_BAD_ARGUMENT. `flow` is borrowed. A programmer's error (OURO_FAIL_MISUSE): by the task
 * itself; by two threads at a time. May run tasks and hooks; allocates nothing. */
OURO_API ouro_status ouro_flow_await(struct ouro_flow *flow, struct ouro_isolated **result);
OURO_API ouro_status ouro_flow_await_within(struct ouro_flow *flow, int64_t timeout,
                                            struct ouro_isolated **result);

/* Waits until the task of one of `count` flows has ended; NULL among them (borrowed): not this one.
 * *chosen (not NULL) is its number; `count` where none has. OURO_OK; OURO_WOULD_BLOCK;
 * OURO_TIMED_OUT; OURO_BAD_ARGUMENT: NULL, or no flow. Of several the first; for ever: if nobody
 * has begun any of them, the calling thread runs one. All else as ouro_flow_await. O(count). */
OURO_API ouro_status ouro_flow_any(struct ouro_flow *const *flows, size_t count, int64_t timeout,
                                   size_t *chosen);

/* Whether its task (flow borrowed, not NULL) has ended. Without workers it runs the task, if nobody
 * has; then hooks too. Else O(1). */
OURO_API bool ouro_flow_is_done(struct ouro_flow *flow);

/* Cancels the task (flow borrowed, not NULL): not begun, it does not run, and its argument is
 * dropped now; running, it is told. Its scope's other tasks go on. Runs destroy hooks. O(1) and
 * what the argument's death costs. */
OURO_API void ouro_flow_cancel(struct ouro_flow *flow);

/* A descriptor for poll, epoll and their kin: readable when the task has ended. *descriptor (not
 * NULL) is the flow's (borrowed), and gone with it; it is not to be read. OURO_NO_MEMORY: the
 * system has none; OURO_BAD_ARGUMENT: NULL. In a fork's child: to be asked for again. */
OURO_API ouro_status ouro_flow_descriptor(struct ouro_flow *flow, int *descriptor);

/* Ends the flow (owned; may be NULL), not the task: that runs, and its result is dropped. Runs
 * destroy hooks if there is a result. O(1). */
OURO_API void ouro_flow_drop(struct ouro_flow *flow);

/* -- workers ----------------------------------------------------------------------------------- */

/* How many there are. Any thread; O(1). */
OURO_API unsigned ouro_workers(void);
/* Ends them: each goes when the task that it runs has ended; what has not begun waits for whoever
 * closes its scope. The next scope makes new ones. At the end of the program it is not needed; from
 * then on there are none. A programmer's error (OURO_FAIL_MISUSE) in a task, or in a hook on one of
 * them. Any thread; waits; does not fail. */
OURO_API void ouro_workers_end(void);

OURO_EXTERN_C_END

#endif
