/* SPDX-License-Identifier: MIT */
/* Something for a C compiler to do: hash tables of many key and value types, stamped out. It needs
 * no headers of the system, so that any compiler takes it. -DTIMES=1: nine times as many. */
typedef __SIZE_TYPE__ size;
void *grow(void *block, size bytes);

#define TABLE(name, key, value, mix)                                                               \
    struct name##_entry {                                                                          \
        key k;                                                                                     \
        value v;                                                                                   \
        unsigned used;                                                                             \
    };                                                                                             \
    struct name {                                                                                  \
        struct name##_entry *entries;                                                              \
        size room, count;                                                                          \
    };                                                                                             \
    static size name##_place(const struct name *t, key k)                                          \
    {                                                                                              \
        size i = (size)((unsigned long)k * (mix)) & (t->room - 1);                                 \
        while (t->entries[i].used && t->entries[i].k != k)                                         \
            i = (i + 1) & (t->room - 1);                                                           \
        return i;                                                                                  \
    }                                                                                              \
    static void name##_grow(struct name *t)                                                        \
    {                                                                                              \
        struct name old = *t;                                                                      \
        t->room = old.room ? old.room * 2 : 16;                                                    \
        t->entries = grow(0, t->room * sizeof *t->entries);                                        \
        for (size i = 0; i < t->room; i++)                                                         \
            t->entries[i].used = 0;                                                                \
        for (size i = 0; i < old.room; i++)                                                        \
            if (old.entries[i].used)                                                               \
                t->entries[name##_place(t, old.entries[i].k)] = old.entries[i];                    \
        grow(old.entries, 0);                                                                      \
    }                                                                                              \
    void name##_put(struct name *t, key k, value v)                                                \
    {                                                                                              \
        if (t->count * 4 >= t->room * 3)                                                           \
            name##_grow(t);                                                                        \
        struct name##_entry *e = &t->entries[name##_place(t, k)];                                  \
        t->count += !e->used;                                                                      \
        e->k = k;                                                                                  \
        e->v = v;                                                                                  \
        e->used = 1;                                                                               \
    }                                                                                              \
    value name##_sum(const struct name *t, key from, key to)                                       \
    {                                                                                              \
        value sum = 0;                                                                             \
        for (size i = 0; i < t->room; i++)                                                         \
            if (t->entries[i].used && t->entries[i].k >= from && t->entries[i].k < to)             \
                sum += t->entries[i].v * (value)(i & 3 ? 1 : 2);                                   \
        return sum;                                                                                \
    }                                                                                              \
    value name##_take(struct name *t, key k)                                                       \
    {                                                                                              \
        size i = name##_place(t, k);                                                               \
        value v = t->entries[i].v;                                                                 \
        if (!t->entries[i].used)                                                                   \
            return 0;                                                                              \
        t->entries[i].used = 0;                                                                    \
        t->count--;                                                                                \
        while (t->entries[i = (i + 1) & (t->room - 1)].used) {                                     \
            struct name##_entry e = t->entries[i];                                                 \
            t->entries[i].used = 0;                                                                \
            t->entries[name##_place(t, e.k)] = e;                                                  \
        }                                                                                          \
        return v;                                                                                  \
    }

#define KEYS(n, mix)                                                                               \
    TABLE(ints##n, int, double, mix)                                                               \
    TABLE(longs##n, long, int, mix)                                                                \
    TABLE(shorts##n, unsigned short, float, mix)                                                   \
    TABLE(bytes##n, unsigned char, long, mix)
#define KEYS4(n, mix) KEYS(n##a, mix) KEYS(n##b, mix + 2) KEYS(n##c, mix + 4) KEYS(n##d, mix + 6)

KEYS(one, 0x9E3779B1u)
#if TIMES > 0
KEYS4(w, 0x9E3779B1u)
KEYS4(x, 0x85EBCA6Bu)
#endif
