/* SPDX-License-Identifier: MIT */
/* stats.c: figures read off pages. countdown + rest of a page are its blocks that are not in its
 * free list (layout.h, A2): live, ready, or on their way home. */
#include "alloc/stats.h"
#include "alloc/arena.h"
#include "alloc/harden.h"
#include "alloc/text.h"

/* -- gathering --------------------------------------------------------------------------------- */

/* What others freed of heaps that nobody has, and of ours, goes home. */
static void take_home(struct ouro__heap *mine)
{
    ouro__remote_drain(mine, mine);
    ouro__remote_flush(mine);
    for (struct ouro__heap *heap = ouro__heaps_first(); heap; heap = heap->next_heap) {
        if (ouro__load(&heap->state) == OURO__HEAP_ABANDONED && ouro__remote_pending(heap))
            ouro__remote_serve(heap, mine);
    }
    ouro__remote_flush(mine);
}

static void count_large(struct ouro_stats *stats, unsigned tag, size_t blocks, size_t bytes)
{
    struct ouro_stats_count *kind = tag == OURO__RAW ? &stats->raw : &stats->counted;
    kind->blocks += blocks;
    kind->bytes += bytes;
    stats->large.blocks += blocks;
    stats->large.bytes += bytes;
}

static void count_class(struct ouro_stats *stats, unsigned tag, unsigned cls, uint64_t blocks)
{
    struct ouro_stats_count *kind = tag == OURO__RAW ? &stats->raw : &stats->counted;
    kind->blocks += blocks;
    kind->bytes += blocks * ouro__class_size(cls);
    if (tag == OURO__RAW)
        stats->by_class[cls].raw += blocks;
    else
        stats->by_class[cls].counted += blocks;
}

/* The owner may be counting down meanwhile. Volatile, lest the compiler move the loads to where
 * they are instrumented. */
OURO_READS_RACY static uint64_t blocks_out(const volatile struct ouro__page *page)
{
    return (uint64_t)page->pub.countdown + page->pub.rest;
}

OURO_READS_RACY static uint64_t batched(const volatile struct ouro__heap *heap)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < OURO__BATCHES; i++)
        n += heap->batches[i].count;
    return n;
}

static void count_chunk(struct ouro_stats *stats, struct ouro__chunk *chunk)
{
    for (unsigned i = 1; i < OURO__SLICES; i++) {
        const struct ouro__page *page = ouro__description(chunk, i);
        if (page->kind == OURO__PAGE_SPAN)
            count_large(stats, page->tag, 1, page->bytes);
        if (page->kind != OURO__PAGE_BLOCKS)
            continue;
        stats->pages++;
        stats->by_class[page->cls].pages++;
        count_class(stats, page->tag, page->cls, blocks_out(page));
    }
}

static void count_arena(struct ouro_stats *stats)
{
    struct ouro__arena *arena = ouro__arena_mine();
    ouro__arena_lock(arena);
    stats->mapped = arena->mapped;
    stats->peak_mapped = arena->mapped_peak;
    stats->used = arena->used;
    stats->peak_used = arena->peak;
    stats->limit = arena->limit;
    stats->foreign = ouro__foreign_bytes();
    stats->chunks = arena->chunk_count;
    stats->idle = arena->idle;
    for (struct ouro__chunk *chunk = arena->chunks; chunk; chunk = chunk->all_next) {
        stats->idle += (uint64_t)__builtin_popcountll(chunk->dirty) * OURO__SLICE_SIZE;
        count_chunk(stats, chunk);
    }
    for (struct ouro__huge *huge = arena->huges; huge; huge = huge->next) {
        if (!huge->gone)
            count_large(stats, huge->tag, 1, huge->mapped);
    }
    if (ouro__supply()->block)
        stats->raw = (struct ouro_stats_count){arena->system_blocks, arena->used};
    ouro__arena_unlock(arena);
}

static void count_heaps(struct ouro_stats *stats)
{
    for (struct ouro__heap *heap = ouro__heaps_first(); heap; heap = heap->next_heap) {
        if (heap->apart)
            continue; /* no thread's */
        stats->heaps++;
        stats->threads += ouro__load(&heap->state) == OURO__HEAP_OWNED;
        stats->failed += ouro__load(&heap->failed);
        stats->remote += batched(heap);
        /* In this order (M6 of remote.c): what is counted as drained was counted as pushed. */
        uint64_t drained = ouro__load_acquire(&heap->drained);
        stats->remote += ouro__load_acquire(&heap->pushed) - drained;
    }
}

static void discount_kept(const struct ouro__place *place, void *arg)
{
    if (place->kind == OURO__PAGE_SPAN)
        count_large(arg, place->tag, (size_t)-1, -place->bytes);
    else
        count_class(arg, place->tag, place->page->cls, (uint64_t)-1);
}

/* Blocks that the calling thread holds ready, or keeps back, are not live. */
static void discount_ready(struct ouro_stats *stats, struct ouro__heap *heap)
{
    for (unsigned tag = 0; tag < OURO__TAGS; tag++) {
        for (unsigned cls = 0; cls < OURO__CLASSES; cls++) {
            const void *cell = *ouro__ready_of(heap, tag, cls);
            uint64_t n = 0;
            for (; cell; cell = ouro__next_free(cell))
                n++;
            count_class(stats, tag, cls, -n);
        }
    }
    if (OURO__HARD)
        ouro__quarantine_each(heap, discount_kept, stats);
}

void ouro_stats_get(struct ouro_stats *stats)
{
    memset(stats, 0, sizeof *stats);
    for (unsigned cls = 0; cls < OURO__CLASSES; cls++)
        stats->by_class[cls].size = ouro__class_size(cls);
    struct ouro__heap *heap = ouro__heap_enter();
    if (heap)
        take_home(heap);
    if (ouro__supply())
        count_arena(stats);
    count_heaps(stats);
    if (heap) {
        discount_ready(stats, heap);
        ouro__heap_leave(heap);
    }
}

/* -- JSON -------------------------------------------------------------------------------------- */

/* "key":n with what comes before it. */
static void put_number(struct ouro__output *out, const char *before, const char *key, uint64_t n)
{
    ouro__output_add(out, before);
    ouro__output_add(out, "\"");
    ouro__output_add(out, key);
    ouro__output_add(out, "\":");
    ouro__output_decimal(out, n);
}

static void put_count(struct ouro__output *out, const char *key,
                      const struct ouro_stats_count *count)
{
    ouro__output_add(out, ",\"");
    ouro__output_add(out, key);
    put_number(out, "\":{", "blocks", count->blocks);
    put_number(out, ",", "bytes", count->bytes);
    ouro__output_add(out, "}");
}

static void put_classes(struct ouro__output *out, const struct ouro_stats *stats)
{
    const char *before = "{";
    ouro__output_add(out, ",\"classes\":[");
    for (unsigned cls = 0; cls < OURO__CLASSES; cls++) {
        if (stats->by_class[cls].pages == 0)
            continue;
        put_number(out, before, "size", stats->by_class[cls].size);
        put_number(out, ",", "raw", stats->by_class[cls].raw);
        put_number(out, ",", "counted", stats->by_class[cls].counted);
        put_number(out, ",", "pages", stats->by_class[cls].pages);
        ouro__output_add(out, "}");
        before = ",{";
    }
    ouro__output_add(out, "]");
}

size_t ouro_stats_json(char *room, size_t size)
{
    struct ouro__output out = {room, size, 0};
    struct ouro_stats stats;
    ouro_stats_get(&stats);
    const struct {
        const char *key;
        uint64_t n;
    } numbers[] = {
        {"used", stats.used},     {"peak_used", stats.peak_used}, {"limit", stats.limit},
        {"idle", stats.idle},     {"chunks", stats.chunks},       {"pages", stats.pages},
        {"heaps", stats.heaps},   {"threads", stats.threads},     {"failed", stats.failed},
        {"remote", stats.remote}, {"foreign", stats.foreign},
    };
    put_number(&out, "{", "mapped", stats.mapped);
    put_number(&out, ",", "peak_mapped", stats.peak_mapped);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        put_number(&out, ",", numbers[i].key, numbers[i].n);
    put_count(&out, "raw", &stats.raw);
    put_count(&out, "counted", &stats.counted);
    put_count(&out, "large", &stats.large);
    put_classes(&out, &stats);
    ouro__output_add(&out, "}");
    return ouro__output_end(&out);
}
