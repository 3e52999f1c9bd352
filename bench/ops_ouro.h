/* SPDX-License-Identifier: MIT */
/* ops_ouro.h: the operations of ops.h on Ouro. Include ops.h instead. */
#ifndef OURO_BENCH_OPS_OURO_H
#define OURO_BENCH_OPS_OURO_H

#include "alloc/pool.h"
#include "hooks/value.h"
#include "orc/cycle.h"
#include "orc/rc.h"
#include "orc/slot.h"
#include "orc/thread.h"

typedef ouro_string ops_string;
typedef ouro_seq ops_seq;

#define OPS__FIELD(kind, T, member, target)  OPS__FIELD_##kind(T, member, target)
#define OPS__FIELD_ref(T, member, target)    OURO_REF(T, member, &target##_type),
#define OPS__FIELD_chain(T, member, target)  OURO_REF(T, member, &target##_type),
#define OPS__FIELD_refs(T, member, target)   OURO_SEQ(T, member, &ouro_ref_type),
#define OPS__FIELD_string(T, member, target) OURO_STRING(T, member),
#define OPS__FIELD_borrow(T, member, target) OURO_BORROW(T, member),

/* Says that a type of that name follows, for types that refer to each other. */
#define OPS_FORWARD(N)                                                                             \
    struct N;                                                                                      \
    static struct ouro_type N##_type;

#define OPS_TYPE(N, FIELDS, ACYCLIC)                                                               \
    static struct ouro_type N##_type;                                                              \
    static const struct ouro_field N##_fields[] = {FIELDS(OPS__FIELD)};                            \
    static struct ouro_type N##_type = {.flags = (ACYCLIC) ? OURO_ACYCLIC : 0,                     \
                                        .size = sizeof(struct N),                                  \
                                        .align = _Alignof(struct N),                               \
                                        .name = #N,                                                \
                                        .fields = N##_fields,                                      \
                                        .field_count = OURO_COUNT_OF(N##_fields)};                 \
    OPS__FUNCTIONS(N, ACYCLIC)

/* A type without counted fields. */
#define OPS_LEAF(N)                                                                                \
    static struct ouro_type N##_type = OURO_PLAIN_TYPE(struct N);                                  \
    OPS__FUNCTIONS(N, OPS_ACYCLIC)

#define OPS__FUNCTIONS(N, ACYCLIC)                                                                 \
    OURO_INLINE struct N *N##_new(void)                                                            \
    {                                                                                              \
        return ops_checked(ouro_new_uninit(&N##_type, sizeof(struct N)));                          \
    }                                                                                              \
    OURO_INLINE void N##_keep(struct N *p)                                                         \
    {                                                                                              \
        ouro_incref(p);                                                                            \
    }                                                                                              \
    OURO_INLINE void N##_drop(struct N *p)                                                         \
    {                                                                                              \
        if (ACYCLIC)                                                                               \
            ouro_decref_acyclic(p);                                                                \
        else                                                                                       \
            ouro_decref(p);                                                                        \
    }                                                                                              \
    OURO_INLINE void N##_init(void *o, struct N **slot, struct N *p)                               \
    {                                                                                              \
        ouro_slot_init(o, (void **)(void *)slot, p);                                               \
    }                                                                                              \
    OURO_INLINE void N##_put(void *o, struct N **slot, struct N *p)                                \
    {                                                                                              \
        ouro_slot_store(o, (void **)(void *)slot, p);                                              \
    }                                                                                              \
    OURO_INLINE void N##_copy(void *o, struct N **slot, struct N *p)                               \
    {                                                                                              \
        ouro_slot_copy(o, (void **)(void *)slot, p);                                               \
    }                                                                                              \
    OURO_INLINE struct N *N##_take(void *o, struct N **slot)                                       \
    {                                                                                              \
        return ouro_slot_move(o, (void **)(void *)slot);                                           \
    }                                                                                              \
    OURO_INLINE void N##_push(ops_seq *seq, struct N *p)                                           \
    {                                                                                              \
        ops_done(ouro_seq_push(seq, &ouro_ref_type, &p));                                          \
    }                                                                                              \
    OURO_INLINE struct N **N##_at(const ops_seq *seq, size_t i)                                    \
    {                                                                                              \
        return (struct N **)ouro_seq_data(seq) + i;                                                \
    }                                                                                              \
    OURO_INLINE void N##_seq_end(ops_seq *seq)                                                     \
    {                                                                                              \
        ouro_seq_destroy(seq, &ouro_ref_type);                                                     \
    }

OURO_INLINE void *ops_checked(void *p)
{
    if (OURO_UNLIKELY(p == NULL))
        bench_die("no memory for an object");
    return p;
}
OURO_INLINE void ops_done(ouro_status status)
{
    if (OURO_UNLIKELY(status != OURO_OK))
        bench_die("no memory for a string or a sequence");
}

OURO_INLINE void ops_string_make(ops_string *s, const char *bytes, size_t len)
{
    ops_done(ouro_string_make(s, bytes, len));
}
OURO_INLINE void ops_string_append(ops_string *s, const char *bytes, size_t len)
{
    ops_done(ouro_string_append(s, bytes, len));
}
OURO_INLINE const char *ops_string_data(const ops_string *s)
{
    return ouro_string_data(s);
}
OURO_INLINE void ops_string_end(ops_string *s)
{
    ouro_string_destroy(s);
}

/* Settles what is under way between threads. */
OURO_INLINE void ops_poll(void)
{
    ouro_poll();
}

#endif
