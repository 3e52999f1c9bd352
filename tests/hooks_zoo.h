/* SPDX-License-Identifier: MIT */
/* hooks_zoo.h: a value with a field of every kind, in and out of every other. White-box. */
#ifndef OURO_TESTS_HOOKS_ZOO_H
#define OURO_TESTS_HOOKS_ZOO_H

#include "hooks_mock.h"

struct leafy {
    int64_t plain;
    void *ref;
    void *weak;
    void *back;
    ouro_string text;
    ouro_seq refs;
};

enum { ZOO_NOTHING = 0, ZOO_NUMBER = 1, ZOO_REF = 7, ZOO_LEAFY = -5 };
struct zoo {
    struct leafy value;
    int8_t has;
    struct leafy array[2];
    ouro_seq leafies;
    struct leafy option;
    union {
        int64_t number;
        void *ref;
        struct leafy leafy;
    } u;
    int16_t tag;
    ouro_seq texts;
};

extern struct ouro_type target_type; /* of the objects that it refers to */
extern struct ouro_type leafy_type;
extern struct ouro_type zoo_type;

/* An object that all references of one zoo point to, so that its count tells how many there are. */
struct leafy make_leafy(void *target);
/* With the union in the given state and the option present. */
struct zoo make_zoo(void *target, int16_t tag);
/* What a zoo holds: references, and weak handles. */
#define LEAFY_REFS 3
int64_t zoo_refs(const struct zoo *zoo);
int64_t zoo_weaks(const struct zoo *zoo);
/* Whether two hold the same, and no payload is common to both. */
void assert_same_zoo(const struct zoo *a, const struct zoo *b);

#endif
