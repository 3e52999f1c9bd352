/* SPDX-License-Identifier: MIT */
/* hooks_random.h: random descriptors and random values of them, for hooks_random.c. White-box: on
 * the counted objects of hooks_mock.h. */
#ifndef OURO_TESTS_HOOKS_RANDOM_H
#define OURO_TESTS_HOOKS_RANDOM_H

#include "hooks/closure.h"
#include "hooks_mock.h"

#include <stdlib.h>
#include <string.h>

enum { TYPES = 8, OBJECTS = 12, FIELDS_MAX = 6, CASES_MAX = 3 };

/* hooks_random_types.c: */

extern uint64_t seed, random_state;
uint64_t next_random(void);
size_t below(size_t n);
bool one_in(size_t n);

/* Type i nests types below it by value, and any type in sequences. A *resource* is a word that
 * written hooks count: `user` tells its offset, plus one. */
extern struct family {
    struct ouro_type types[TYPES];
    struct ouro_field fields[TYPES][FIELDS_MAX];
    struct ouro_case cases[TYPES][FIELDS_MAX][CASES_MAX];
    struct ouro_field case_fields[TYPES][FIELDS_MAX][CASES_MAX][2];
    struct family *before; /* types stay registered */
} * family;
extern const struct ouro_filter random_filters[2];
extern int64_t resources;
int64_t *resource_of(const void *value, const struct ouro_type *type);
/* A new family, registered. */
void make_types(void);

/* hooks_random_values.c: */

/* Objects that references point to: object i refers to those below it, so there are no cycles. */
extern void *objects[OBJECTS];
extern size_t object_count;
/* Makes the value (uninitialized) a random one. */
void fill(void *value, const struct ouro_type *type);
/* A fingerprint of all that a value holds; adds to `expected` of the objects that it refers to, and
 * to counted_resources. */
uint64_t print_of(void *value, const struct ouro_type *type);
extern int64_t counted_resources;

#endif
