/* SPDX-License-Identifier: MIT */
/* malloc_info.c: what malloc tells of itself, in glibc's words. `arena` is what is mapped in
 * chunks, uordblks the blocks in them that are in use, fordblks the rest, hblks and hblkhd the
 * blocks that have mappings of their own, keepcost what waits to go back to the system. */
#include "alloc/front.h"
#include "alloc/arena.h"
#include "alloc/os.h"
#include "alloc/stats.h"
#include "alloc/text.h"

/* -- figures ----------------------------------------------------------------------------------- */

/* Blocks come and go while they are counted. */
static size_t less(size_t all, size_t part)
{
    return part < all ? all - part : 0;
}

/* Of chunks: blocks that were cut or could be in pages that there are, and free slices. */
static size_t free_blocks(const struct ouro_stats *stats)
{
    size_t n = 0;
    for (unsigned cls = 0; cls < OURO__CLASSES; cls++) {
        size_t size = ouro__class_size(cls);
        size_t bytes = OURO__SLICE_SIZE * (size <= OURO__SMALL_MAX_SIZE ? 1 : 8);
        n += less(stats->by_class[cls].pages * (bytes / size), stats->by_class[cls].raw);
    }
    return n;
}

static void count_mappings(struct mallinfo2 *info)
{
    struct ouro__arena *arena = &ouro__default_runtime.arena;
    ouro__arena_lock(arena);
    for (const struct ouro__huge *huge = arena->huges; huge; huge = huge->next) {
        if (huge->gone)
            continue;
        info->hblks++;
        info->hblkhd += ouro__load(&huge->mapped);
    }
    for (const struct ouro__chunk *chunk = arena->chunks; chunk; chunk = chunk->all_next)
        info->ordblks += (size_t)__builtin_popcountll(chunk->free);
    ouro__arena_unlock(arena);
}

static void gather(struct mallinfo2 *info, struct ouro_stats *stats)
{
    ouro_stats_get(stats);
    memset(info, 0, sizeof *info);
    count_mappings(info);
    info->ordblks += free_blocks(stats);
    info->arena = stats->chunks * OURO__CHUNK_SIZE;
    info->uordblks = less(stats->raw.bytes, info->hblkhd);
    info->fordblks = less(info->arena, info->uordblks);
    info->keepcost = stats->idle;
}

struct mallinfo2 mallinfo2(void)
{
    struct mallinfo2 info;
    struct ouro_stats stats;
    gather(&info, &stats);
    return info;
}

static int to_int(size_t n)
{
    return n < INT32_MAX ? (int)n : INT32_MAX;
}

/* glibc's wrap around; these stop at the largest. */
struct mallinfo mallinfo(void)
{
    struct mallinfo2 all = mallinfo2();
    return (struct mallinfo){.arena = to_int(all.arena),
                             .ordblks = to_int(all.ordblks),
                             .hblks = to_int(all.hblks),
                             .hblkhd = to_int(all.hblkhd),
                             .uordblks = to_int(all.uordblks),
                             .fordblks = to_int(all.fordblks),
                             .keepcost = to_int(all.keepcost)};
}
struct mallinfo __libc_mallinfo(void)
{
    return mallinfo();
}

/* -- text -------------------------------------------------------------------------------------- */

static void put(struct ouro__text *t, const char *before, uint64_t n)
{
    ouro__text_add(t, before);
    ouro__text_decimal(t, n);
}

static void put_class(struct ouro__text *t, unsigned cls, uint64_t blocks, uint64_t pages)
{
    put(t, "<size from=\"", cls ? ouro__class_size(cls - 1) + 1 : 0);
    put(t, "\" to=\"", ouro__class_size(cls));
    put(t, "\" total=\"", blocks * ouro__class_size(cls));
    put(t, "\" count=\"", blocks);
    put(t, "\" pages=\"", pages);
    ouro__text_add(t, "\"/>\n");
}

/* The figures as XML, of the same root and version as glibc's. */
static void describe(struct ouro__text *t)
{
    struct mallinfo2 info;
    struct ouro_stats stats;
    gather(&info, &stats);
    ouro__text_add(t, "<malloc version=\"1\">\n<heap nr=\"0\">\n<sizes>\n");
    for (unsigned cls = 0; cls < OURO__CLASSES; cls++) {
        if (stats.by_class[cls].pages > 0)
            put_class(t, cls, stats.by_class[cls].raw, stats.by_class[cls].pages);
    }
    put(t, "</sizes>\n</heap>\n<total type=\"rest\" count=\"", info.ordblks);
    put(t, "\" size=\"", info.fordblks);
    put(t, "\"/>\n<total type=\"used\" count=\"", less(stats.raw.blocks, info.hblks));
    put(t, "\" size=\"", info.uordblks);
    put(t, "\"/>\n<total type=\"mmap\" count=\"", info.hblks);
    put(t, "\" size=\"", info.hblkhd);
    put(t, "\"/>\n<system type=\"current\" size=\"", stats.mapped);
    put(t, "\"/>\n<system type=\"max\" size=\"", stats.peak_mapped);
    put(t, "\"/>\n<aspace type=\"total\" size=\"", stats.mapped);
    ouro__text_add(t, "\"/>\n</malloc>\n");
}

/* glibc's: no option is known. The stream may allocate: nothing is locked. */
int malloc_info(int options, FILE *stream)
{
    char room[8192];
    struct ouro__text t = {room, sizeof room, 0};
    if (options != 0)
        return EINVAL;
    describe(&t);
    return fputs(room, stream) < 0 ? -1 : 0;
}

static void describe_classes(struct ouro__text *t, const struct ouro_stats *stats)
{
    for (unsigned cls = 0; cls < OURO__CLASSES; cls++) {
        if (stats->by_class[cls].pages == 0)
            continue;
        put(t, "ouro: blocks of ", stats->by_class[cls].size);
        put(t, " bytes: ", stats->by_class[cls].raw);
        put(t, " in use, pages: ", stats->by_class[cls].pages);
        ouro__text_add(t, "\n");
    }
}

void ouro__front_describe(struct ouro__text *t, bool all)
{
    struct mallinfo2 info;
    struct ouro_stats stats;
    gather(&info, &stats);
    put(t, "ouro: system bytes     = ", stats.mapped);
    put(t, "\nouro: in use bytes     = ", stats.raw.bytes);
    put(t, "\nouro: max in use bytes = ", stats.peak_used);
    put(t, "\nouro: mmap regions     = ", info.hblks);
    put(t, "\nouro: mmap bytes       = ", info.hblkhd);
    put(t, "\nouro: threads          = ", stats.threads);
    ouro__text_add(t, "\n");
    if (!all)
        return;
    put(t, "ouro: process          = ", ouro__os_process());
    put(t, "\nouro: in use blocks    = ", stats.raw.blocks);
    put(t, "\nouro: idle bytes       = ", stats.idle);
    put(t, "\nouro: refused          = ", stats.failed);
    put(t, "\nouro: blocks under way = ", stats.remote);
    ouro__text_add(t, "\n");
    describe_classes(t, &stats);
}

void malloc_stats(void)
{
    char room[512];
    struct ouro__text t = {room, sizeof room, 0};
    ouro__front_describe(&t, false);
    ouro__os_say(room, t.len);
}

/* -- doing ------------------------------------------------------------------------------------- */

/* Whether anything went back. All that is idle goes: there is no top whose rest could be kept. */
int malloc_trim(size_t pad)
{
    (void)pad;
    return ouro_trim() > 0;
}

/* glibc's parameters, from M_MXFAST to M_ARENA_MAX, are hints for an allocator of another build:
 * 1, as there, and nothing is done. Others are not known: 0. */
int mallopt(int what, int value)
{
    (void)value;
    return what == 1 || (what <= -1 && what >= -8);
}
int __libc_mallopt(int what, int value)
{
    return mallopt(what, value);
}
