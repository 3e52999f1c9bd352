/* SPDX-License-Identifier: MIT */
/* lend.c: arrays that are lent in slices.
 *
 *  S1  The slices of an array whose tasks are not DONE are in its list, by place, and disjoint: a
 *      new one is let in, with the lock of the scope's place, between two that end before it and
 *      begin after it. It is looked for from the end, where one that comes in order is at once.
 *  S2  A slice leaves the list in the hold in which its task is DONE: before the scope is closed,
 *      so an array that is gone has none. */
#include "isolate/task_state.h"
#include "isolate/home.h"

struct ouro_lent {
    struct ouro_scope *scope;
    char *elements;
    size_t count, size;
    struct ouro_task *first, *last; /* the slices that are out */
    struct ouro_lent *next;         /* of the scope's */
};

void *ouro__slice_of(const struct ouro_task *task)
{
    const struct ouro__slice *s = &task->slice;
    return s->lent->elements + s->first * s->lent->size;
}

ouro_status ouro__slice_out(struct ouro_task *task)
{
    struct ouro__slice *s = &task->slice;
    struct ouro_lent *lent = s->lent;
    if (!lent)
        return OURO_OK;
    struct ouro_task *before = lent->last;
    while (before && before->slice.first >= s->first + s->count)
        before = before->slice.before;
    if (before && before->slice.first + before->slice.count > s->first)
        return OURO_BUSY;
    s->before = before;
    s->next = before ? before->slice.next : lent->first;
    if (s->next)
        s->next->slice.before = task;
    else
        lent->last = task;
    if (before)
        before->slice.next = task;
    else
        lent->first = task;
    return OURO_OK;
}

void ouro__slice_back(struct ouro_task *task)
{
    struct ouro__slice *s = &task->slice;
    if (!s->lent)
        return;
    if (s->next)
        s->next->slice.before = s->before;
    else
        s->lent->last = s->before;
    if (s->before)
        s->before->slice.next = s->next;
    else
        s->lent->first = s->next;
    s->lent = NULL;
}

/* What is left of tasks that a fork's child does not have refers to it no more. */
void ouro__lent_end(struct ouro_scope *scope)
{
    while (scope->lent) {
        struct ouro_lent *lent = scope->lent;
        while (lent->first)
            ouro__slice_back(lent->first);
        scope->lent = lent->next;
        ouro_free(lent);
    }
}

/* With the lock. */
static bool overlaps(const struct ouro_scope *scope, const struct ouro_lent *fresh)
{
    const char *end = fresh->elements + fresh->count * fresh->size;
    const struct ouro_lent *lent = scope->lent;
    while (lent &&
           (lent->elements >= end || lent->elements + lent->count * lent->size <= fresh->elements))
        lent = lent->next;
    return lent != NULL;
}

ouro_status ouro_lend(struct ouro_scope *scope, void *elements, size_t count, size_t size,
                      struct ouro_lent **lent)
{
    size_t bytes;
    if (!lent)
        return OURO_BAD_ARGUMENT;
    *lent = NULL;
    if (!scope || !elements || count == 0 || size == 0 ||
        __builtin_mul_overflow(count, size, &bytes) || (uintptr_t)elements > UINTPTR_MAX - bytes)
        return OURO_BAD_ARGUMENT;
    struct ouro_lent *fresh = ouro__home_alloc(16, sizeof *fresh);
    if (!fresh)
        return OURO_NO_MEMORY;
    *fresh = (struct ouro_lent){
        .scope = scope, .elements = elements, .count = count, .size = size, .next = NULL};
    ouro__scope_lock(scope);
    bool busy = overlaps(scope, fresh);
    if (!busy) {
        fresh->next = scope->lent;
        scope->lent = fresh;
    }
    ouro__place_unlock(scope->place);
    if (busy)
        ouro_free(fresh);
    else
        *lent = fresh;
    return busy ? OURO_BUSY : OURO_OK;
}

ouro_status ouro_unlend(struct ouro_lent *lent)
{
    if (!lent)
        return OURO_OK;
    struct ouro_scope *scope = lent->scope;
    ouro__scope_lock(scope);
    bool busy = lent->first != NULL;
    if (!busy) {
        struct ouro_lent **link = &scope->lent;
        while (*link != lent)
            link = &(*link)->next;
        *link = lent->next;
    }
    ouro__place_unlock(scope->place);
    if (!busy)
        ouro_free(lent);
    return busy ? OURO_BUSY : OURO_OK;
}

ouro_status ouro_spawn_slice(struct ouro_lent *lent, size_t first, size_t count,
                             ouro_slice_run *run, void *context, struct ouro_flow **flow)
{
    if (flow)
        *flow = NULL;
    if (!lent || !run || count == 0 || first >= lent->count || count > lent->count - first)
        return OURO_BAD_ARGUMENT;
    struct ouro_task *task = ouro__task_new(lent->scope);
    if (!task)
        return OURO_NO_MEMORY;
    task->slice = (struct ouro__slice){
        .lent = lent, .run = run, .context = context, .first = first, .count = count};
    return ouro__task_spawn(task, flow);
}
