/* SPDX-License-Identifier: MIT */
/* The out-of-line halves of ops_malloc.h. */
#include "bench/ops.h"

#if OPS_COUNTS == OPS_BIASED
__thread uint32_t ops_thread = 1;

void ops_head_keep_foreign(struct ops_head *h)
{
    atomic_fetch_add_explicit(&h->shared, 1, memory_order_relaxed);
}
bool ops_head_last_foreign(struct ops_head *h)
{
    atomic_fetch_sub_explicit(&h->shared, 1, memory_order_acq_rel);
    return false;
}
#endif

void ops_string_grow(ops_string *s, size_t len)
{
    size_t room = s->room * 2 > len + 1 ? s->room * 2 : len + 1;
    char *bytes = realloc(s->bytes, room);
    if (bytes == NULL)
        bench_die("no memory for a string");
    s->bytes = bytes;
    s->room = room;
}

void ops_seq_grow(ops_seq *seq)
{
    size_t room = seq->room ? seq->room * 2 : 4;
    void **items = realloc(seq->items, room * sizeof *items);
    if (items == NULL)
        bench_die("no memory for a sequence");
    seq->items = items;
    seq->room = room;
}
