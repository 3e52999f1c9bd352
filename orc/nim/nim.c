/* SPDX-License-Identifier: MIT */
/* nim.c: Nim's descriptors as types, and the slow halves of nim.h.
 *
 * A type is made for a descriptor on first sight, and stays: descriptors are static data of the
 * program. Types are found by the descriptor's address, in lists that only grow: whoever reads one
 * takes no lock. */
#include "orc/nim/nim.h"
#include "alloc/heap.h"
#include "alloc/options.h"
#include "alloc/os.h"
#include "alloc/stats.h"
#include "hooks/value.h"
#include "orc/cycle.h"
#include "orc/index.h"
#include "orc/site.h"

/* -- types ------------------------------------------------------------------------------------- */

struct nim_type {
    struct ouro_type type;
    const void *desc;
    void (*destructor)(void *);
    bool *(*raising)(void);
    bool (*keep)(void);
    bool (*run)(void *value, void *destructor);
    void (*rethrow)(void);
    void (*trace)(void *, void *);
    struct nim_type *next;
};

#define LISTS 1024 /* a power of two */
static ouro_word lists[LISTS];
static ouro_word describer; /* an ouro__nim_describe */

static const struct nim_type *of(const struct ouro_type *type)
{
    return OURO_CONTAINER_OF(type, const struct nim_type, type);
}

/* A destructor that the library runs may raise an exception, which must not leave the loop that it
 * runs in: it is kept in Nim's hands, and raised when all destructors are done. */
static OURO_TLS void (*rethrow)(void); /* NULL: none is kept */

static void destroy(void *value, const struct ouro_type *type)
{
    of(type)->destructor(value);
}

/* Nim returns as ever where an exception flies, with a flag set that is the thread's. */
static OURO_TLS const bool *raising; /* NULL: nobody asked where it is */

static OURO_NOINLINE void look_again(const struct nim_type *t)
{
    if (!raising)
        raising = t->raising();
    if (*raising && t->keep())
        rethrow = t->rethrow;
}

static void destroy_flagged(void *value, const struct ouro_type *type)
{
    const struct nim_type *t = of(type);
    t->destructor(value);
    const bool *flag = raising;
    if (OURO_UNLIKELY(!flag || *flag))
        look_again(t);
}

/* Nim jumps or throws. */
static void destroy_guarded(void *value, const struct ouro_type *type)
{
    const struct nim_type *t = of(type);
    if (OURO_UNLIKELY(t->run(value, (void *)t->destructor)))
        rethrow = t->rethrow;
}

static OURO_NOINLINE void rethrow_now(void)
{
    const struct ouro__thread *me = ouro__self;
    if (me && (me->releasing || me->visited.collecting))
        return; /* there are more destructors to run: a drop in one of them led here */
    void (*raise)(void) = rethrow;
    rethrow = NULL;
    raise();
}

/* Where destructors may have run, last of all: with some exceptions of Nim's it is a jump. */
OURO_INLINE void rethrow_kept(void)
{
    if (OURO_UNLIKELY(rethrow != NULL))
        rethrow_now();
}

static void trace(void *value, const struct ouro_type *type, struct ouro_visitor *visitor)
{
    of(type)->trace(value, visitor);
}

static ouro_word *list_of(const void *desc)
{
    OURO_STATIC_ASSERT(LISTS == 1 << 10, "ten bits");
    return &lists[((uintptr_t)desc >> 4) * 0x9E3779B97F4A7C15u >> 54];
}

static struct nim_type *find(const void *desc)
{
    /* Acquire: pairs with the CAS that adds one. */
    struct nim_type *t = (struct nim_type *)ouro__load_acquire(list_of(desc));
    while (t && t->desc != desc)
        t = t->next;
    return t;
}

static struct ouro_type *resolve(const void *object, const void *told);

/* Nim 1.6 names a type by all that it inherits from, "|package.module.Name:ObjectType|...|": the
 * first part is its own name, and all that 2.x has. NULL: no memory. */
static const char *plain_name(const char *name)
{
    static const char suffix[] = ":ObjectType", no_package[] = "unknown.";
    if (!name)
        return NULL;
    name += *name == '|';
    if (strncmp(name, no_package, sizeof no_package - 1) == 0)
        name += sizeof no_package - 1;
    const char *end = strchr(name, '|');
    size_t length = end ? (size_t)(end - name) : strlen(name), cut = sizeof suffix - 1;
    if (length > cut && strncmp(name + length - cut, suffix, cut) == 0)
        length -= cut;
    char *plain = ouro__meta_take(length + 1);
    if (plain)
        memcpy(plain, name, length);
    return plain;
}

static OURO_NOINLINE struct nim_type *add(void *desc, ouro__nim_describe *describe)
{
    struct ouro__nim_info info = {.name = NULL};
    struct nim_type *t = ouro__meta_take(sizeof *t);
    if (!t)
        return NULL;
    if (ouro__load(&describer) == 0) { /* there is no candidate yet */
        ouro__store(&describer, (ouro_word)describe);
        ouro_set_resolver(resolve);
    }
    describe(desc, &info);
    const char *name = plain_name(info.name);
    /* Of nothing but plain data: a candidate of Nim 1.6's, though it is in no cycle and nobody can
     * see when it goes. With a destructor it stays one, for the order of destruction. */
    bool plain = !info.trace && !info.destructor;
    t->type = (struct ouro_type){.flags = OURO_BARE | (info.acyclic || plain ? OURO_ACYCLIC : 0),
                                 .size = info.size ? info.size : 1,
                                 .align = info.align,
                                 .name = name ? name : ouro__nameless};
    memcpy(&t->destructor, &info.destructor, sizeof t->destructor);
    t->raising = info.raising;
    t->keep = info.keep;
    t->run = info.run;
    t->rethrow = info.rethrow;
    memcpy(&t->trace, &info.trace, sizeof t->trace);
    if (t->destructor)
        t->type.hooks.destroy = info.raising ? destroy_flagged
                                : info.run   ? destroy_guarded
                                             : destroy;
    t->type.hooks.trace = t->trace ? trace : NULL;
    t->desc = desc;
    ouro_word first = ouro__load(list_of(desc));
    do { /* another thread may have added it: then one of the two is never found again */
        t->next = (struct nim_type *)first;
    } while (!ouro__cas_full(list_of(desc), &first, (ouro_word)t));
    return find(desc);
}

static OURO_TLS struct nim_type *last; /* what the thread looked for last */

/* The type of a descriptor; NULL: no memory. */
OURO_INLINE struct ouro_type *type_of(void *desc, ouro__nim_describe *describe)
{
    struct nim_type *t = last;
    if (OURO_LIKELY(t && t->desc == desc))
        return &t->type;
    t = find(desc);
    if (OURO_UNLIKELY(!t))
        t = add(desc, describe);
    if (OURO_UNLIKELY(!t))
        return NULL;
    last = t;
    return &t->type;
}

/* For collections. An object of inheritance begins with the address of its descriptor. */
static struct ouro_type *resolve(const void *object, const void *told)
{
    void *desc = told ? (void *)(uintptr_t)told : *(void *const *)object;
    ouro_word set = ouro__load(&describer); /* ordered by ouro_set_resolver */
    ouro__nim_describe *describe;
    memcpy(&describe, &set, sizeof describe);
    return desc ? type_of(desc, describe) : NULL;
}

/* -- drops ------------------------------------------------------------------------------------- */

/* Some programs, and modules of Nim's library, count on a ref that is gone; with Nim's own runtime
 * that shows nowhere, as long as nobody else has the memory. So it is told, and the program goes on
 * (in the checked library it fails): nothing is counted on what is gone. */
#define TOLD_MOST 10

static void told_gone(const char *what)
{
    static ouro_word told;
    if (ouro__fetch_add(&told, 1) < TOLD_MOST)
        ouro__warn(what, NULL);
}

static bool warn_if_gone(const void *object, const char *what)
{
    if (OURO_CHECKED || !ouro__is_freed(ouro__load(&ouro__header(object)->shared)))
        return false;
    told_gone(what);
    return true;
}

void ouro__nim_incref_out(void *object)
{
    if (!warn_if_gone(object, "a ref to what is gone was copied"))
        ouro__incref_out(object);
}

bool ouro__nim_last(void *object)
{
    return !warn_if_gone(object, "a ref to what is gone was dropped") &&
           ouro__decref_last_bare_out(object);
}

/* A type that memory cannot be had for: the object is no candidate this time. */
bool ouro__nim_last_of(void *object, void *desc, ouro__nim_describe *describe)
{
    if (ouro__forget_last(object))
        return true;
    if (OURO_UNLIKELY(warn_if_gone(object, "a ref to what is gone was dropped")))
        return false;
    struct ouro_type *type = type_of(desc, describe);
    bool is_last =
        type ? ouro__decref_last_of_out(object, type) : ouro__decref_last_bare_out(object);
    rethrow_kept();
    return is_last;
}

bool ouro__nim_deep(void *object, void *desc, ouro__nim_describe *describe)
{
    struct ouro_type *type = type_of(desc, describe);
    bool is_last = !type || ouro__decref_deep(object, type);
    rethrow_kept();
    return is_last;
}

void ouro__nim_candidate(void *object, void *desc, ouro__nim_describe *describe)
{
    struct ouro_type *type = type_of(desc, describe);
    struct ouro__thread *me = ouro__me();
    if (type && me)
        ouro__candidate_dropped(me, object, type);
    else
        (void)ouro__decref_last_bare_out(object); /* it is not the last */
    rethrow_kept();
}

/* -- collections ------------------------------------------------------------------------------- */

void ouro__nim_collect(void)
{
    (void)ouro_collect(NULL);
    rethrow_kept();
}

/* How much a figure of the thread's collections grew since it was asked for. */
static intptr_t grown(uint64_t now, uint64_t *told)
{
    uint64_t fresh = now - *told;
    *told = now;
    return (intptr_t)fresh;
}

intptr_t ouro__nim_freed(void)
{
    static OURO_TLS uint64_t told;
    struct ouro_collection total = {0};
    ouro_collect_stats(&total);
    return grown(total.freed, &told);
}

intptr_t ouro__nim_collections(void)
{
    static OURO_TLS uint64_t told;
    struct ouro_collection total = {0};
    ouro_collect_stats(&total);
    return grown(total.collections, &told);
}

void ouro__nim_pause(bool paused)
{
    struct ouro__thread *me = ouro__me();
    if (me)
        me->visited.paused = paused;
}

intptr_t ouro__nim_roots(void)
{
    return (intptr_t)ouro_candidates();
}

void ouro__nim_collect_above(intptr_t limit)
{
    struct ouro__thread *me = ouro__me();
    if (me)
        ouro__collect_above(me, limit < 0 ? 0 : limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX);
    rethrow_kept();
}

/* -- raw memory -------------------------------------------------------------------------------- */

void ouro__nim_dealloc(void *p)
{
    if (OURO_UNLIKELY(!ouro__free_once(p))) /* a channel that is opened again, in Nim 1.6 */
        told_gone("a block was freed twice");
}

/* The thread's own candidate roots are none of the program's. */
static uint64_t live_bytes(const struct ouro_stats *stats)
{
    const struct ouro__thread *me = ouro__self;
    return stats->raw.bytes + stats->counted.bytes -
           (me ? ouro_usable_size(me->visited.entries) : 0);
}

intptr_t ouro__nim_occupied(void)
{
    struct ouro_stats stats;
    ouro_stats_get(&stats);
    return (intptr_t)live_bytes(&stats);
}

intptr_t ouro__nim_free(void)
{
    struct ouro_stats stats;
    ouro_stats_get(&stats);
    return (intptr_t)(stats.used + stats.idle - live_bytes(&stats));
}

intptr_t ouro__nim_peak(void)
{
    struct ouro_stats stats;
    ouro_stats_get(&stats);
    return (intptr_t)stats.peak_used;
}
