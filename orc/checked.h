/* SPDX-License-Identifier: MIT */
/* checked.h: Internal to orc and isolate. The checked library's additions; without OURO_CHECKED
 * they fold away.
 *
 * Each finds a misuse or does nothing. None is called with a lock held, and none has changed
 * anything when it fails, so that a handler may leave by longjmp (alloc/fail.h). */
#ifndef OURO_ORC_CHECKED_H
#define OURO_ORC_CHECKED_H

#include "orc/object.h"

struct ouro__thread;
struct ouro_runtime;

/* Completes the word before the header (birth.c): which thread made it, and in what mode. */
void ouro__checked_born(void *object, const struct ouro__thread *me, unsigned mode);
/* Another thread's from now on, as if that had made it. */
void ouro__checked_given(void *object, const struct ouro__thread *me);
/* Nobody's, until it is given. */
void ouro__checked_sent(void *object);
/* Somebody uses the object, which lives: is this thread allowed to? */
void ouro__checked_touch(const void *object, const struct ouro__thread *me);
/* Whether touch would fail. */
bool ouro__checked_foreign(const void *object, const struct ouro__thread *me);
/* The same in any other way than by counting. */
void ouro__checked_use(const void *object);
/* The calling thread counts on the object by a function of the local mode. */
void ouro__checked_local(const void *object);
/* `value` (not NULL) is stored into a slot of `container`, which lives. */
void ouro__checked_store(const void *container, const void *value);
/* Whether `value` is a local-mode object which `container`, that other threads may reach, must not
 * refer to. Both live; for walks. */
bool ouro__checked_escapes(const void *container, const void *value);
/* Poisons a freed object and keeps it from reuse for a while. */
void ouro__checked_free(void *object, const struct ouro_type *type);
/* Whether a kept object was written since; each is told once. */
void ouro__checked_look(void);
/* What is kept of types that are about to be unregistered is given back. */
void ouro__checked_flush(void);
/* What is kept of a runtime whose memory goes is forgotten. */
void ouro__checked_forget(const struct ouro_runtime *runtime);
void ouro__checked_before_fork(void);
void ouro__checked_after_fork(bool child);

#endif
