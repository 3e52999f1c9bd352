/* SPDX-License-Identifier: MIT */
/* profile_write.c: the heap profile as a file. Two forms:
 *
 *   gperftools' text, "heap_v2", which every pprof reads: samples as they are, the rate, addresses,
 *   and what was mapped where; pprof works out what they stand for, and the names;
 *   collapsed stacks, for flame graphs, of a file whose name ends in ".collapsed": a line for each
 *   stack, its callers from the outermost in, and the bytes that its samples stand for: those that
 *   were allocated in all, or, if the name ends in ".live.collapsed", those that are there now.
 *
 * No lock is held: asking the loader for names takes one of its own, under which others
 * allocate. */
#include "alloc/front.h"
#include "alloc/arena.h"
#include "alloc/profile.h"
#include "alloc/text.h"

/* -- text that is written as it fills ---------------------------------------------------------- */

struct out {
    int file;
    size_t len;
    char room[4096];
};

static void flush(struct out *out)
{
    ouro__os_write(out->file, out->room, out->len);
    out->len = 0;
}

static void put_bytes(struct out *out, const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (out->len == sizeof out->room)
            flush(out);
        out->room[out->len++] = s[i];
    }
}

static void put(struct out *out, const char *s)
{
    put_bytes(out, s, strlen(s));
}

static void put_number(struct out *out, uint64_t n, unsigned base)
{
    char digits[24];
    struct ouro__text t = {digits, sizeof digits, 0};
    ouro__text_number(&t, n, base);
    put(out, digits);
}

/* -- gperftools' ------------------------------------------------------------------------------- */

static void put_counts(struct out *out, const struct ouro__site *site)
{
    put_number(out, ouro__load(&site->live), 10);
    put(out, ": ");
    put_number(out, ouro__load(&site->live_bytes), 10);
    put(out, " [");
    put_number(out, ouro__load(&site->all), 10);
    put(out, ": ");
    put_number(out, ouro__load(&site->all_bytes), 10);
    put(out, "] @");
}

static void put_maps(struct out *out)
{
    char room[1024];
    int maps = ouro__os_open("/proc/self/maps");
    put(out, "\nMAPPED_LIBRARIES:\n");
    if (maps < 0)
        return;
    for (size_t n; (n = ouro__os_read(maps, room, sizeof room)) > 0;)
        put_bytes(out, room, n);
    ouro__os_close(maps);
}

static void write_pprof(struct out *out)
{
    struct ouro__site *first = ouro__profile_sites(), sum = {0};
    for (const struct ouro__site *site = first; site; site = site->next_site) {
        sum.live += ouro__load(&site->live);
        sum.live_bytes += ouro__load(&site->live_bytes);
        sum.all += ouro__load(&site->all);
        sum.all_bytes += ouro__load(&site->all_bytes);
    }
    put(out, "heap profile: ");
    put_counts(out, &sum);
    put(out, " heap_v2/");
    put_number(out, (uint64_t)ouro__profile_rate(), 10);
    put(out, "\n");
    for (const struct ouro__site *site = first; site; site = site->next_site) {
        put_counts(out, site);
        for (size_t i = 0; i < site->depth; i++) {
            put(out, " 0x");
            put_number(out, (uintptr_t)site->callers[i], 16);
        }
        put(out, "\n");
    }
    put_maps(out);
}

/* -- collapsed --------------------------------------------------------------------------------- */

/* A name in which nothing ends a frame. */
static void put_name(struct out *out, const char *name)
{
    for (; *name; name++)
        put_bytes(out, *name == ';' || *name == ' ' || *name == '\n' ? "_" : name, 1);
}

static void put_frame(struct out *out, const void *caller)
{
    const char *code = (const char *)caller - 1; /* the call, not what it returns to */
    const char *name = ouro__os_function_of(code);
    if (name) {
        put_name(out, name);
        return;
    }
    uintptr_t offset;
    const char *module = ouro__os_module_of(code, &offset), *last = strrchr(module, '/');
    put_name(out, last ? last + 1 : *module ? module : ouro__os_program());
    put(out, "+0x");
    put_number(out, offset, 16);
}

static void write_collapsed(struct out *out, bool live)
{
    for (const struct ouro__site *site = ouro__profile_sites(); site; site = site->next_site) {
        size_t bytes = ouro__load(live ? &site->live_share : &site->all_share);
        if (bytes == 0)
            continue;
        put_name(out, ouro__os_program());
        for (size_t i = site->depth; i > 0; i--) {
            put(out, ";");
            put_frame(out, site->callers[i - 1]);
        }
        put(out, " ");
        put_number(out, bytes, 10);
        put(out, "\n");
    }
}

static bool ends_in(const char *name, const char *end)
{
    size_t len = strlen(name), tail = strlen(end);
    return len >= tail && strcmp(name + len - tail, end) == 0;
}

void ouro__profile_write(const char *name)
{
    struct out out = {.file = ouro__report_file(name)};
    if (out.file < 0)
        return;
    if (ends_in(name, ".collapsed"))
        write_collapsed(&out, ends_in(name, ".live.collapsed"));
    else
        write_pprof(&out);
    flush(&out);
    ouro__os_close(out.file);
}
