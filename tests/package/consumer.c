/* SPDX-License-Identifier: MIT */
/* A program that uses Ouro as an installed or embedded library. Compiled as C and as C++. */
#include <ouro.h>

#include <stdio.h>
#include <string.h>

/* Blocks through the inlined path and through calls. */
static int blocks_work(void)
{
    for (int i = 0; i < 100; i++) {
        char *inlined = (char *)ouro_alloc_sized(48);
        char *called = (char *)ouro_malloc(100000);
        if (!inlined || !called || ouro_usable_size(called) < 100000)
            return 0;
        memset(inlined, i, 48);
        memset(called, i, 100000);
        ouro_free_sized(inlined, 48);
        ouro_free(called);
    }
    return 1;
}

struct note {
    struct note *next;
    struct ouro_weak *origin;
    void *back;
    ouro_string text;
    ouro_seq more;
    ouro_string lines[2];
    int tag, kind;
    ouro_string title;
    union {
        struct note *note;
        long number;
    } u;
};
extern struct ouro_type note_type;
static const struct ouro_field note_case[] = {OURO_REF(struct note, u.note, &note_type)};
static const struct ouro_case note_cases[] = {{"note", 1, 1, note_case, 1}};
static const struct ouro_field note_fields[] = {
    OURO_REF(struct note, next, &note_type),
    OURO_WEAK(struct note, origin),
    OURO_BORROW(struct note, back),
    OURO_VALUE(struct note, text, &ouro_string_type),
    OURO_SEQ(struct note, more, &ouro_string_type),
    OURO_ARRAY(struct note, lines, 2, &ouro_string_type),
    OURO_OPTION(struct note, title, tag, &ouro_string_type),
    OURO_UNION(struct note, u, kind, note_cases),
};
struct ouro_type note_type = OURO_TYPE(struct note, note_fields);
static struct ouro_type plain_type = OURO_PLAIN_TYPE(long);

/* A ring of objects whose descriptor has every kind of field. */
static int objects_work(void)
{
    struct note *a = OURO_NEW(struct note, &note_type), *b = OURO_NEW(struct note, &note_type);
    long *plain = OURO_NEW(long, &plain_type);
    if (!a || !b || !plain)
        return 0;
    a->kind = 1;
    ouro_slot_store(a, (void **)&a->u.note, b);
    ouro_slot_copy(b, (void **)&b->next, a);
    ouro_decref(a);
    ouro_decref(plain);
    return ouro_collect(NULL) == 2;
}

int main(void)
{
    printf("linked %s, compiled against %s\n", ouro_version(), OURO_VERSION);
    return strcmp(ouro_version(), OURO_VERSION) == 0 && blocks_work() && objects_work() ? 0 : 1;
}
