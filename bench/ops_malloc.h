/* SPDX-License-Identifier: MIT */
/* ops_malloc.h: the operations of ops.h on malloc, in plain C. Include ops.h instead.
 *
 * The yardstick for foreign allocators: counts stand right before the fields, a destructor is
 * written out for each type, no call is virtual, and a chain is followed by a loop.
 *   plain   one 8-byte count
 *   atomic  the same, changed by fetch_add; the last one acquires
 *   biased  16 bytes: owner, its plain count, and a shared count that one thread never needs. Only
 *           for workloads of one thread: it has no answer to a foreign last decref. */
#ifndef OURO_BENCH_OPS_MALLOC_H
#define OURO_BENCH_OPS_MALLOC_H

#include <stdatomic.h>
#include <stdlib.h>

#define OPS_PLAIN  1
#define OPS_ATOMIC 2
#define OPS_BIASED 3

#define OPS_INLINE      static inline __attribute__((always_inline, unused))
#define OPS_UNLIKELY(x) __builtin_expect(!!(x), 0)

#if OPS_COUNTS == OPS_PLAIN

struct ops_head {
    long count;
};
OPS_INLINE void ops_head_init(struct ops_head *h)
{
    h->count = 1;
}
OPS_INLINE void ops_head_keep(struct ops_head *h)
{
    h->count++;
}
OPS_INLINE bool ops_head_last(struct ops_head *h)
{
    return --h->count == 0;
}

#elif OPS_COUNTS == OPS_ATOMIC

struct ops_head {
    _Atomic long count;
};
OPS_INLINE void ops_head_init(struct ops_head *h)
{
    atomic_init(&h->count, 1);
}
OPS_INLINE void ops_head_keep(struct ops_head *h)
{
    atomic_fetch_add_explicit(&h->count, 1, memory_order_relaxed);
}
OPS_INLINE bool ops_head_last(struct ops_head *h)
{
    if (atomic_fetch_sub_explicit(&h->count, 1, memory_order_release) != 1)
        return false;
    atomic_thread_fence(memory_order_acquire); /* pairs with the release of all other drops */
    return true;
}

#else /* OPS_BIASED */

struct ops_head {
    uint32_t owner;
    uint32_t local;
    _Atomic long shared;
};
extern __thread uint32_t ops_thread __attribute__((tls_model("initial-exec")));
void ops_head_keep_foreign(struct ops_head *h);
bool ops_head_last_foreign(struct ops_head *h);
OPS_INLINE void ops_head_init(struct ops_head *h)
{
    h->owner = ops_thread;
    h->local = 1;
    atomic_init(&h->shared, 0);
}
OPS_INLINE void ops_head_keep(struct ops_head *h)
{
    if (OPS_UNLIKELY(h->owner != ops_thread))
        ops_head_keep_foreign(h);
    else
        h->local++;
}
OPS_INLINE bool ops_head_last(struct ops_head *h)
{
    if (OPS_UNLIKELY(h->owner != ops_thread))
        return ops_head_last_foreign(h);
    return --h->local == 0 && atomic_load_explicit(&h->shared, memory_order_acquire) == 0;
}

#endif

/* Strings and sequences: length, room, bytes. */
typedef struct ops_string {
    size_t len, room;
    char *bytes;
} ops_string;
typedef struct ops_seq {
    size_t len, room;
    void **items;
} ops_seq;

void ops_string_grow(ops_string *s, size_t len);
void ops_seq_grow(ops_seq *seq);

OPS_INLINE struct ops_head *ops_head(void *p)
{
    return (struct ops_head *)p - 1;
}
OPS_INLINE void *ops_object(size_t size)
{
    struct ops_head *h = malloc(sizeof(struct ops_head) + size);
    if (OPS_UNLIKELY(h == NULL))
        bench_die("no memory for an object");
    ops_head_init(h);
    return h + 1;
}

#define OPS__END(kind, T, member, target) OPS__END_##kind(member, target)
#define OPS__END_ref(member, target)      target##_drop(p->member);
#define OPS__END_chain(member, target)    tail = p->member;
#define OPS__END_refs(member, target)     target##_seq_end(&p->member);
#define OPS__END_string(member, target)   ops_string_end(&p->member);
#define OPS__END_borrow(member, target)

/* Says that a type of that name follows, for types that refer to each other. */
#define OPS_FORWARD(N)                                                                             \
    struct N;                                                                                      \
    static void N##_destroy(struct N *p);

#define OPS_TYPE(N, FIELDS, ACYCLIC)                                                               \
    static void N##_destroy(struct N *p);                                                          \
    OPS__FUNCTIONS(N)                                                                              \
    static void N##_destroy(struct N *p)                                                           \
    {                                                                                              \
        for (;;) {                                                                                 \
            struct N *tail = NULL;                                                                 \
            FIELDS(OPS__END)                                                                       \
            free(ops_head(p));                                                                     \
            if (tail == NULL || !ops_head_last(ops_head(tail)))                                    \
                return;                                                                            \
            p = tail;                                                                              \
        }                                                                                          \
    }

#define OPS_LEAF(N)                                                                                \
    static inline void N##_destroy(struct N *p)                                                    \
    {                                                                                              \
        free(ops_head(p));                                                                         \
    }                                                                                              \
    OPS__FUNCTIONS(N)

#define OPS__FUNCTIONS(N)                                                                          \
    OPS_INLINE struct N *N##_new(void)                                                             \
    {                                                                                              \
        return ops_object(sizeof(struct N));                                                       \
    }                                                                                              \
    OPS_INLINE void N##_keep(struct N *p)                                                          \
    {                                                                                              \
        if (p)                                                                                     \
            ops_head_keep(ops_head(p));                                                            \
    }                                                                                              \
    OPS_INLINE void N##_drop(struct N *p)                                                          \
    {                                                                                              \
        if (p && ops_head_last(ops_head(p)))                                                       \
            N##_destroy(p);                                                                        \
    }                                                                                              \
    OPS_INLINE void N##_init(void *o, struct N **slot, struct N *p)                                \
    {                                                                                              \
        (void)o;                                                                                   \
        *slot = p;                                                                                 \
    }                                                                                              \
    OPS_INLINE void N##_put(void *o, struct N **slot, struct N *p)                                 \
    {                                                                                              \
        struct N *old = *slot;                                                                     \
        (void)o;                                                                                   \
        *slot = p;                                                                                 \
        N##_drop(old);                                                                             \
    }                                                                                              \
    OPS_INLINE void N##_copy(void *o, struct N **slot, struct N *p)                                \
    {                                                                                              \
        N##_keep(p);                                                                               \
        N##_put(o, slot, p);                                                                       \
    }                                                                                              \
    OPS_INLINE struct N *N##_take(void *o, struct N **slot)                                        \
    {                                                                                              \
        struct N *old = *slot;                                                                     \
        (void)o;                                                                                   \
        *slot = NULL;                                                                              \
        return old;                                                                                \
    }                                                                                              \
    OPS_INLINE void N##_push(ops_seq *seq, struct N *p)                                            \
    {                                                                                              \
        if (OPS_UNLIKELY(seq->len == seq->room))                                                   \
            ops_seq_grow(seq);                                                                     \
        seq->items[seq->len++] = p;                                                                \
    }                                                                                              \
    OPS_INLINE struct N **N##_at(const ops_seq *seq, size_t i)                                     \
    {                                                                                              \
        return (struct N **)(void *)seq->items + i;                                                \
    }                                                                                              \
    OPS_INLINE void N##_seq_end(ops_seq *seq)                                                      \
    {                                                                                              \
        for (size_t i = 0; i < seq->len; i++)                                                      \
            N##_drop(seq->items[i]);                                                               \
        free(seq->items);                                                                          \
        *seq = (ops_seq){0, 0, NULL};                                                              \
    }

OPS_INLINE void ops_string_append(ops_string *s, const char *bytes, size_t len)
{
    if (OPS_UNLIKELY(s->len + len >= s->room))
        ops_string_grow(s, s->len + len);
    memcpy(s->bytes + s->len, bytes, len);
    s->len += len;
    s->bytes[s->len] = '\0';
}
OPS_INLINE void ops_string_make(ops_string *s, const char *bytes, size_t len)
{
    *s = (ops_string){0, 0, NULL};
    ops_string_append(s, bytes, len);
}
OPS_INLINE const char *ops_string_data(const ops_string *s)
{
    return s->bytes ? s->bytes : "";
}
OPS_INLINE void ops_string_end(ops_string *s)
{
    free(s->bytes);
    *s = (ops_string){0, 0, NULL};
}
OPS_INLINE void ops_poll(void)
{
}

#endif
