/* SPDX-License-Identifier: MIT */
/* payload.h: Internal to orc. Payloads of strings and sequences: the operations that refops.h asks
 * for, and what they need of births and deaths. */
#ifndef OURO_ORC_PAYLOAD_H
#define OURO_ORC_PAYLOAD_H

#include "hooks/payload.h"
#include "orc/state.h"

struct ouro_payload *ouro__payload_birth(size_t bytes, bool string, size_t *room);
struct ouro_payload *ouro__payload_enlarge(struct ouro_payload *old, size_t bytes, bool string,
                                           size_t *room);
void ouro__payload_free(struct ouro_payload *payload);
void ouro__payload_incref(struct ouro_payload *payload);
void ouro__payload_decref(struct ouro_payload *payload);
bool ouro__payload_is_unique(const struct ouro_payload *payload);
size_t ouro__payload_room(const struct ouro_payload *payload);
/* Whether objects of `type` (may be NULL) are payloads. */
bool ouro__is_payload_type(const struct ouro_type *type);

/* birth.c: a birth out of line that runs no hook and no collection. */
void *ouro__new_quiet(struct ouro_type *type, size_t size);
/* The bytes from an object to the end of its block. */
size_t ouro__object_room(const void *object);

/* release.c: from hush to plain deaths are only chained; false: they are so already, and hush did
 * nothing. plain destroys those that own nothing and notes the others: it runs no hook. */
bool ouro__release_hush(struct ouro__thread *me);
void ouro__release_plain(struct ouro__thread *me);

#endif
