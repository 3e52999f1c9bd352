/* SPDX-License-Identifier: MIT */
/* thread.c: threads get a heap on first touch, in each runtime that they touch, and leave it behind
 * when they end.
 *
 * A thread that starts takes over a heap of the runtime that another left, pages and all, or a
 * fresh one; so there are never more heaps than threads that ran in it at once. The heap's state
 * word says who serves it (remote.c, F2, F3).
 *
 * Exit order: what the layer above asks for, then batches are handed over, own lists settled, the
 * heap is abandoned. A thread may allocate later still, in the destructor of another library's
 * thread-local data, and the system does not say which round of destructors is the last. So after
 * its exit each operation borrows a heap for as long as it lasts, a free does without one, and
 * nothing is left behind; the same where the system has no memory to note the exit down. Only the
 * layer above, which cannot do without, gets a heap again, and is told of another exit, but not
 * after LAST_EXIT exits. (A thread whose very first touch comes after the last round leaves its
 * heap to nobody.)
 *
 * Memory order:
 *  E1  `state` is the lock of a heap's plain words: its lists, pages and batches. It is taken by
 *      CAS (ouro__heap_claim: full, the acquire counts) and left by exchange (ouro__heap_give_up:
 *      full, the release counts here, all of it for F2). Between the first store and a fork every
 *      change of it is an RMW, so whoever takes it reads the last leaving or what continues its
 *      release sequence, and sees all that any server before wrote. The first store needs no order:
 *      the heap is published after it (E2). FROZEN is stored in a fork's child while it has one
 *      thread; threads that it creates see it. A relaxed load of `state` before the CAS only saves
 *      a CAS that would fail.
 *  E2  `heaps` of a runtime is pushed to by CAS (the release counts), after next_heap and state of
 *      the new heap are written; ouro__heaps_first loads it by acquire. All changes are pushes, so
 *      one acquire of the head continues the release sequences of all before: the rest is read
 *      plainly. The pusher itself follows no pointer that it read relaxed.
 *  E3  `ready` (once.h: release when done, acquire on entry) orders supply, exit_key,
 *      exit_key_made, fork_handled, and the levels, secrets and rates of harden.c and profile.c
 *      before their use by anyone who went through set_up, or was handed a block by who did.
 *  E4  `supply` and `upper` are stored by release and loaded by acquire, because a free may come
 *      from a thread that went through nothing, and calls what they point to.
 */
#include "alloc/arena.h"
#include "alloc/context.h"
#include "alloc/fail.h"
#include "alloc/harden.h"
#include "alloc/once.h"
#include "alloc/profile.h"

/* What a thread without a heap sees: nothing ready, owner of nothing, watched. */
struct ouro__heap ouro__nobody = {.pub = {.watched = 1}};

OURO_TLS struct ouro_context ouro__context = {&ouro__nobody.pub, UINT32_MAX, UINT32_MAX};

/* Never inlined, and not without effects as far as a compiler can tell, should it look into the
 * library when it links: else it could take the address of before a switch for that of after it. */
OURO_NOINLINE struct ouro_context *ouro_context_here(void)
{
    struct ouro_context *context = &ouro__context;
    __asm__ volatile("" : "+r"(context) : : "memory");
    return context;
}

void ouro__context_check(const struct ouro_context *context)
{
    if (OURO_UNLIKELY(context != ouro_context_here()))
        ouro_fail(OURO_FAIL_WRONG_THREAD, NULL, NULL, "the context of another thread was used");
}

/* POSIX promises four rounds of destructors. */
#define LAST_EXIT 3

OURO__DEFINE_TOOLS;
static ouro_word ready;
static ouro_word exit_key_made; /* 0 or 1 */
static bool fork_handled;
static ouro__exit_key exit_key;
static ouro_word supply; /* const struct ouro_supply * */
static ouro_word upper;  /* const struct ouro__upper * */
OURO_TLS struct ouro__own ouro__own = {.runtime = &ouro__default_runtime};
static struct ouro__pool pool = {NULL, sizeof(struct ouro__heap),
                                 offsetof(struct ouro__heap, next_heap)};

struct ouro__heap *ouro__heaps_of(const struct ouro_runtime *runtime)
{
    return (struct ouro__heap *)ouro__load_acquire(&runtime->heaps); /* E2 */
}

struct ouro__heap *ouro__heaps_first(void)
{
    return ouro__heaps_of(ouro__own.runtime);
}

void ouro__heaps_drop(struct ouro_runtime *runtime)
{
    struct ouro__heap *heap = ouro__heaps_of(runtime);
    ouro__store(&runtime->heaps, 0);
    while (heap) {
        struct ouro__heap *next = heap->next_heap;
        ouro__pool_give(&pool, heap);
        heap = next;
    }
}

bool ouro__heaps_exist(void)
{
    return ouro__load_acquire(&ready) != 0;
}

void ouro__upper_install(const struct ouro__upper *above)
{
    ouro__store_release(&upper, (ouro_word)above); /* E4 */
}

const struct ouro__upper *ouro__upper(void)
{
    return (const struct ouro__upper *)ouro__load_acquire(&upper);
}

/* -- exit -------------------------------------------------------------------------------------- */

static void abandon(struct ouro__heap *heap, void (*settle)(struct ouro__heap *))
{
    do {
        if (OURO__HARD)
            ouro__quarantine_empty(heap);
        ouro__remote_drain(heap, heap);
        ouro__remote_flush(heap);
        settle(heap);
        heap->fail_in = 0;
        heap->unready = false;
        ouro__heap_give_up(heap); /* E1, and then the look of F2 */
        if (ouro__load_seq(&heap->remote) == 0)
            return;
    } while (ouro__heap_claim(heap));
}

void ouro__heap_abandon(struct ouro__heap *heap)
{
    ouro__store(&heap->thread, 0);
    if (heap == ouro__own.heap)
        ouro__own.heap = NULL;
    heap->record = NULL;
    ouro__context.heap = &ouro__nobody.pub;
    abandon(heap, ouro__heap_settle);
}

static void thread_exit(void *arg)
{
    (void)arg;
    bool elsewhere = ouro__leave_all();
    if (ouro__upper())
        ouro__upper()->thread_exit(true);
    struct ouro__heap *heap = ouro__heap_whole(ouro__context.heap);
    ouro__own.exits += elsewhere || heap != &ouro__nobody;
    if (heap != &ouro__nobody)
        ouro__heap_abandon(heap);
}

/* A plugin that links the static library may be closed while threads run that used it. They must
 * not come here when they end: there is nothing here then. (fork handlers go by themselves.) */
OURO_AT_UNLOAD static void forget_threads(void)
{
    if (ouro__exchange_full(&exit_key_made, 0))
        ouro__exit_key_forget(exit_key);
}

/* -- first touch ------------------------------------------------------------------------------- */

static const struct ouro_supply *choose_supply(void)
{
    int64_t option = ouro_option_get(OURO_OPTION_supply);
    if (OURO_FRONT) /* libc's blocks are its own */
        return &ouro_supply_mmap;
    switch (option) {
    case 1:
        return &ouro_supply_mmap;
    case 2:
        return &ouro_supply_system;
    default:
        return OURO_ASAN || ouro__on_valgrind() ? &ouro_supply_system : &ouro_supply_mmap;
    }
}

static void look_for_tools(void)
{
    OURO__LOOK_FOR_TOOLS();
    ouro__tool_words(&ouro__default_runtime.heaps, sizeof(ouro_word) * OURO__RUNTIME_WORDS);
    ouro__apart_tell();
    ouro__tool_words(&ouro__more_runtimes, sizeof ouro__more_runtimes);
    ouro__tool_words(&ready, sizeof ready);
    ouro__tool_words(&supply, sizeof supply);
    ouro__tool_words(&upper, sizeof upper);
    ouro__tool_words(ouro__map_root, sizeof ouro__map_root);
    ouro__tool_words(ouro__chunks_seen, sizeof ouro__chunks_seen);
}

void ouro__set_up(void)
{
    if (!ouro__once_enter(&ready))
        return;
    look_for_tools();
    if (OURO_FRONT) {
        ouro__harden_begin();
        ouro__profile_begin();
    }
    if (!ouro__load(&supply))
        ouro__store_release(&supply, (ouro_word)choose_supply());
    if (!ouro__load(&exit_key_made))
        ouro__store(&exit_key_made, ouro__exit_key_make(&exit_key, thread_exit));
    bool first = !fork_handled;
    fork_handled = true;
    if (first && !OURO_FRONT)
        ouro__fork_handlers();
    ouro__arena_limit_changed(&ouro__default_runtime);
    ouro__once_done(&ready);
    if (OURO_FRONT && first) { /* some libcs allocate for it: that comes back to here */
        ouro__fork_handlers();
        ouro__profile_fork_handlers(); /* after the others: its lock is taken before theirs */
    }
}

const struct ouro_supply *ouro__supply(void)
{
    /* Acquire: pairs with the releases in ouro__set_up and ouro_supply_use; the table is read
     * next. */
    return (const struct ouro_supply *)ouro__load_acquire(&supply);
}

ouro_status ouro_supply_use(const struct ouro_supply *chosen)
{
    if (!chosen)
        return OURO_BAD_ARGUMENT;
    bool maps = chosen->map && chosen->unmap && chosen->purge;
    bool passes = chosen->block && chosen->block_free && chosen->block_size;
    if ((!maps && !passes) || (!passes && (chosen->block || chosen->block_free)))
        return OURO_BAD_ARGUMENT;
    if (ouro__heaps_exist())
        return OURO_TOO_LATE;
    ouro__store_release(&supply, (ouro_word)chosen);
    return OURO_OK;
}

const struct ouro_supply *ouro_supply_get(void)
{
    ouro__set_up();
    return ouro__supply();
}

static struct ouro__heap *take_over(void)
{
    for (struct ouro__heap *heap = ouro__heaps_first(); heap; heap = heap->next_heap) {
        if (ouro__load(&heap->state) == OURO__HEAP_ABANDONED && ouro__heap_claim(heap)) /* E1 */
            return heap;
    }
    return NULL;
}

struct ouro__heap *ouro__heap_fresh(struct ouro_runtime *runtime, bool apart)
{
    struct ouro__heap *heap = ouro__pool_take(&pool);
    if (!heap)
        return NULL;
    memset(heap, 0, offsetof(struct ouro__heap, batched));
    heap->runtime = runtime;
    heap->apart = apart;
    ouro__tool_words(heap, sizeof *heap);
    ouro__store(&heap->state, OURO__HEAP_OWNED);
    ouro_word first = ouro__load(&runtime->heaps);
    do {
        heap->next_heap = (struct ouro__heap *)first;
    } while (!ouro__cas_full(&runtime->heaps, &first, (ouro_word)heap)); /* E2 */
    return heap;
}

static struct ouro__heap *any_heap(void)
{
    ouro__set_up();
    struct ouro__heap *heap = take_over();
    return heap ? heap : ouro__heap_fresh(ouro__own.runtime, false);
}

void ouro__heap_watch_first(struct ouro__heap *heap)
{
    heap->pub.watched = OURO_CHECKED || ouro__supply()->block != NULL || ouro__tools || OURO__ASIDE;
}

struct ouro__heap *ouro__heap_mine(void)
{
    if (OURO_LIKELY(ouro__context.heap != &ouro__nobody.pub))
        return ouro__heap_whole(ouro__context.heap);
    struct ouro__heap *heap = ouro__own.exits < LAST_EXIT ? any_heap() : NULL;
    if (!heap)
        return NULL;
    ouro__heap_watch_first(heap);
    ouro__store(&heap->thread, (ouro_word)&ouro__own);
    if (heap->runtime == &ouro__default_runtime)
        ouro__own.heap = heap;
    ouro__own.elsewhere |= heap->runtime != &ouro__default_runtime;
    ouro__context.heap = &heap->pub;
    if (ouro__load(&exit_key_made) && !ouro__exit_key_arm(exit_key, heap)) {
        ouro__heap_abandon(heap);
        return NULL;
    }
    return heap;
}

struct ouro__heap *ouro__heap_borrow(void)
{
    struct ouro__heap *heap = ouro__own.exits == 0 ? ouro__heap_mine() : NULL;
    return heap ? heap : any_heap();
}

void ouro__heap_return(struct ouro__heap *heap)
{
    abandon(heap, ouro__heap_settle_lists);
}

struct ouro__heap *ouro__heap_if_any(void)
{
    struct ouro__heap *heap = ouro__heap_whole(ouro__context.heap);
    if (OURO_LIKELY(heap != &ouro__nobody))
        return heap;
    return ouro__own.exits == 0 ? ouro__heap_mine() : NULL;
}
