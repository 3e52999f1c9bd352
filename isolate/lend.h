/* SPDX-License-Identifier: MIT */
/* lend.h: an array lent to the tasks of a scope, each of which has a slice of its own.
 *
 * The elements stay where they are; no two tasks that have not ended have the same one, which is
 * seen to when they are spawned. Until the scope is closed, or the array is back, only they touch
 * it. (The idea: `parallel` of Nim, where a compiler proves the slices disjoint.) docs/tasks.md. */
#ifndef OURO_ISOLATE_LEND_H
#define OURO_ISOLATE_LEND_H

#include "isolate/task.h"

OURO_EXTERN_C_BEGIN

struct ouro_lent;

/* What a task does with its slice: `count` elements from `elements` on (borrowed, for the call).
 * `task`, the answer: as ouro_task_run. */
typedef ouro_status ouro_slice_run(struct ouro_task *task, void *elements, size_t count,
                                   void *context);

/* Lends `count` elements of `size` bytes at `elements` (borrowed until they are back; not NULL) to
 * the scope (borrowed), whose opener the caller is. *lent (not NULL) is the scope's, and gone with
 * it. Elements of a sequence: where its view is (ouro_seq_view), which keeps it as it is.
 *
 * OURO_BUSY: a part of it is lent to the scope already. OURO_NO_MEMORY; OURO_BAD_ARGUMENT: NULL, 0,
 * or more than there are addresses. Then *lent is NULL. Allocates, in the default runtime. O(arrays
 * lent to the scope). */
OURO_API ouro_status ouro_lend(struct ouro_scope *scope, void *elements, size_t count, size_t size,
                               struct ouro_lent **lent);

/* Spawns a task of that scope that has `count` of the elements, from the one numbered `first` on.
 * `lent` is borrowed, `context` (borrowed until the task has ended) may be NULL, `flow` as for
 * ouro_spawn. OURO_BUSY: a task that has not ended has one of these. OURO_BAD_ARGUMENT: NULL; 0; or
 * they are not all there. All else as ouro_spawn. O(slices that are out and begin behind it). */
OURO_API ouro_status ouro_spawn_slice(struct ouro_lent *lent, size_t first, size_t count,
                                      ouro_slice_run *run, void *context, struct ouro_flow **flow);

/* Takes the array back before the scope's end (lent owned, if the answer is OURO_OK; may be NULL).
 * OURO_BUSY: a task that has not ended has a slice of it. O(arrays lent to the scope). */
OURO_API ouro_status ouro_unlend(struct ouro_lent *lent);

OURO_EXTERN_C_END

#endif
