/* SPDX-License-Identifier: MIT */
/* The kernels in plain C. */
#include "bench/workloads/kernels.h"

#include <stdlib.h>
#include <string.h>

#define NOINLINE    __attribute__((noinline))
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* -- a vector that doubles --------------------------------------------------------------------- */

struct vector {
    int64_t *data;
    size_t len, capacity;
};

NOINLINE static void vector_grow(struct vector *v)
{
    v->capacity = v->capacity ? 2 * v->capacity : 4;
    v->data = realloc(v->data, v->capacity * sizeof *v->data);
    if (v->data == NULL)
        bench_die("no memory for a vector");
}

static inline void vector_push(struct vector *v, int64_t value)
{
    if (UNLIKELY(v->len == v->capacity))
        vector_grow(v);
    v->data[v->len++] = value;
}

static double vectors(size_t n, size_t len, uint64_t *check)
{
    double start = bench_now();
    for (size_t batch = n / len; batch > 0; batch--) {
        struct vector v = {NULL, 0, 0};
        for (size_t i = 0; i < len; i++)
            vector_push(&v, (int64_t)(i ^ batch));
        *check += (uint64_t)v.data[len / 2] + v.len;
        free(v.data);
    }
    return bench_now() - start;
}

double kernel_append(size_t n, uint64_t *check)
{
    return vectors(n, APPEND_SHORT, check);
}
double kernel_append_long(size_t n, uint64_t *check)
{
    return vectors(n, n, check);
}

/* -- a string that doubles --------------------------------------------------------------------- */

struct buffer {
    char *data;
    size_t len, capacity;
};

NOINLINE static void buffer_grow(struct buffer *b)
{
    b->capacity = b->capacity ? 2 * b->capacity : 16;
    b->data = realloc(b->data, b->capacity);
    if (b->data == NULL)
        bench_die("no memory for a string");
}

static inline void buffer_add(struct buffer *b, char c)
{
    if (UNLIKELY(b->len == b->capacity))
        buffer_grow(b);
    b->data[b->len++] = c;
}

double kernel_append_char(size_t n, uint64_t *check)
{
    double start = bench_now();
    for (size_t batch = n / APPEND_SHORT; batch > 0; batch--) {
        struct buffer b = {NULL, 0, 0};
        for (size_t i = 0; i < APPEND_SHORT; i++)
            buffer_add(&b, (char)('a' + (i ^ batch) % 16));
        *check += (unsigned char)b.data[b.len / 2] + b.len;
        buffer_add(&b, 0); /* once, before somebody reads it as a string */
        free(b.data);
    }
    return bench_now() - start;
}

/* -- concatenation ----------------------------------------------------------------------------- */

struct text {
    char *bytes;
    size_t len;
};

static inline struct text join(const struct word *a, const struct word *b, const struct word *c)
{
    struct text t = {NULL, a->len + b->len + c->len};
    t.bytes = malloc(t.len + 1);
    if (t.bytes == NULL)
        bench_die("no memory for a string");
    memcpy(t.bytes, a->bytes, a->len);
    memcpy(t.bytes + a->len, b->bytes, b->len);
    memcpy(t.bytes + a->len + b->len, c->bytes, c->len);
    t.bytes[t.len] = 0;
    return t;
}

double kernel_concat(size_t n, uint64_t *check)
{
    static struct text live[CONCAT_LIVE];
    double start = bench_now();
    for (size_t batch = n / CONCAT_LIVE; batch > 0; batch--) {
        for (size_t i = 0; i < CONCAT_LIVE; i++)
            live[i] = join(&concat_words[i % WORDS], &concat_words[(i ^ batch) % WORDS],
                           &concat_words[(i / WORDS) % WORDS]);
        for (size_t i = 0; i < CONCAT_LIVE; i++) {
            *check += (unsigned char)live[i].bytes[live[i].len / 2] + live[i].len;
            free(live[i].bytes);
        }
    }
    return bench_now() - start;
}

/* -- slices ------------------------------------------------------------------------------------ */

struct slice slices[SLICES];

double kernel_slice(size_t n, uint64_t *check)
{
    struct text text[WORDS];
    for (size_t i = 0; i < WORDS; i++) {
        const struct word nothing = {"", 0};
        text[i] = join(&concat_words[i], &nothing, &nothing);
    }
    uint64_t sum = 0;
    double start = bench_now();
    for (size_t batch = n / SLICES; batch > 0; batch--)
        for (size_t i = 0; i < SLICES; i++) {
            const struct slice *s = &slices[i];
            struct text view = {text[s->word].bytes + s->from, s->len};
            sum +=
                (unsigned char)view.bytes[0] + view.len + (unsigned char)view.bytes[view.len - 1];
        }
    double ns = bench_now() - start;
    for (size_t i = 0; i < WORDS; i++)
        free(text[i].bytes);
    *check = sum;
    return ns;
}
