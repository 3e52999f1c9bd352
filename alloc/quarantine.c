/* SPDX-License-Identifier: MIT */
/* quarantine.c: what was freed is kept back for a while at level 3 of the option `harden`, first
 * in, first out: a use of it meets nobody's memory, and a second free of it is seen (S1 of
 * harden.c).
 *
 * Each heap has a ring, which its thread alone touches, or who serves the heap when that ends. The
 * ring stands in metadata, not in the blocks. It has room for RING blocks, and for the bytes that
 * the option `quarantine` says; a block above a quarter of these is not kept back. One that has
 * pages of its own counts with what was asked for, though it has no memory there (O2 of
 * harden_own.c). */
#include "alloc/arena.h"
#include "alloc/harden.h"

#define RING 4096

struct ouro__quarantine {
    size_t first, count, bytes;
    struct {
        void *block;
        size_t bytes;
    } kept[RING];
};

static void let_first_go(struct ouro__quarantine *q)
{
    void *block = q->kept[q->first].block;
    q->bytes -= q->kept[q->first].bytes;
    q->first = (q->first + 1) % RING;
    q->count--;
    ouro__hard_release(block);
}

bool ouro__quarantine_put(struct ouro__heap *heap, void *block, size_t bytes)
{
    size_t most = (size_t)ouro__load(&heap->runtime->options[OURO_OPTION_quarantine]);
    if (bytes > most / 4)
        return false;
    if (!heap->quarantine)
        heap->quarantine = ouro__meta_take(sizeof *heap->quarantine);
    struct ouro__quarantine *q = heap->quarantine;
    if (!q)
        return false;
    while (q->count > 0 && (q->count == RING || q->bytes + bytes > most))
        let_first_go(q);
    size_t at = (q->first + q->count) % RING;
    q->kept[at].block = block;
    q->kept[at].bytes = bytes;
    q->count++;
    q->bytes += bytes;
    return true;
}

void ouro__quarantine_empty(struct ouro__heap *heap)
{
    while (heap->quarantine && heap->quarantine->count > 0)
        let_first_go(heap->quarantine);
}

void ouro__quarantine_each(const struct ouro__heap *heap,
                           void (*visit)(const struct ouro__place *place, void *arg), void *arg)
{
    const struct ouro__quarantine *q = heap->quarantine;
    for (size_t i = 0; q && i < q->count; i++) {
        struct ouro__place place = ouro__place_of(q->kept[(q->first + i) % RING].block);
        visit(&place, arg);
    }
}
