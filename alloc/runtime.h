/* SPDX-License-Identifier: MIT */
/* runtime.h: runtimes: several Ouros in one process that do not notice each other.
 *
 * A runtime has memory, a limit and a memory callback, option values, a failure handler, triggers,
 * statistics and leak lists of its own. A thread is in one runtime at a time; what it makes belongs
 * to that one, and every function without a runtime among its parameters acts on that one. The
 * program that names none is in the default runtime, and pays nothing.
 *
 * References may lead from one runtime to another: a thread counts what belongs to another runtime
 * as if it were another thread than the one that made it. It may free its blocks as well. Only
 * local-mode functions, and tokens of reuse, are for the runtime of the object alone. A destroy
 * hook runs in the runtime of its object. A cycle through two runtimes is not collected. When a
 * runtime is destroyed all its memory goes: then nobody may have a reference, a weak handle or a
 * block of it any more. docs/runtimes.md. */
#ifndef OURO_ALLOC_RUNTIME_H
#define OURO_ALLOC_RUNTIME_H

#include "alloc/fail.h"
#include "alloc/pool.h"
#include "alloc/supply.h"

OURO_EXTERN_C_BEGIN

struct ouro_runtime;

/* An option by name, as for ouro_option_set. */
struct ouro_option_value {
    const char *name;
    int64_t value;
};

/* What a runtime begins with; all zeroes is fine. Options have the values that the environment
 * gives them, whatever the default runtime's are. */
struct ouro_runtime_config {
    size_t limit; /* in bytes, as for ouro_set_limit; 0: the option's */
    ouro_memory_callback *memory_callback;
    void *memory_arg;
    ouro_fail_handler *fail_handler; /* NULL: only the message; not the default runtime's */
    void *fail_arg;
    const struct ouro_option_value *options; /* may be NULL if option_count is 0 */
    size_t option_count;
    /* Where its chunks and large blocks come from, with map, unmap and purge; NULL: from the
     * process's supply. Borrowed for the life of the runtime. Where the process's supply passes
     * blocks on (`system`), that one serves all. */
    const struct ouro_supply *supply;
    /* At the end destroy hooks run for objects that are still alive. Without it they do not. */
    bool run_hooks;
};

/* Makes a runtime: *runtime (not NULL) is the caller's until ouro_runtime_destroy. `config`
 * (borrowed for the call) may be NULL. OURO_NO_MEMORY; OURO_BAD_ARGUMENT: `runtime` is NULL, an
 * option is out of range, or the supply lacks functions or passes blocks on; OURO_UNKNOWN_NAME:
 * there is no such option; OURO_TOO_LATE: the option `supply`; OURO_BUSY: in a handler of fork.
 * Then *runtime is NULL and nothing has changed. Any thread; runs nothing; O(1), without a mapping.
 */
OURO_API ouro_status ouro_runtime_new(const struct ouro_runtime_config *config,
                                      struct ouro_runtime **runtime);

/* Ends a runtime (owned). What threads left in it is settled, and all its cycles are collected,
 * with their hooks, whatever runtime the caller is in. What is alive then is reported if the
 * runtime's option `leaks` says so; its destroy hooks run if config.run_hooks was set, each once,
 * in no order, while the memory of all is there; what it holds of other runtimes is dropped,
 * handles of its objects closed. Then all memory of it goes. Hooks that go on making objects do not
 * hold it up (docs/runtimes.md).
 *
 * OURO_BUSY: a thread is in it, or it has regions (isolate/region.h); OURO_BAD_ARGUMENT: NULL,
 * the default runtime, or one that is destroyed, as long as that shows; then nothing has
 * changed. OURO_NO_MEMORY: there is none for the calling thread's part in it, or to look for its
 * cycles, though its limit does not count any more; then nothing is lost, and it can be
 * destroyed later. *why (`why` may be NULL) says which, in static storage; it is NULL after
 * OURO_OK. Any thread, outside of it; no other thread may use anything of it meanwhile. Runs
 * destroy hooks; may allocate. O(what is in it, and handles of the process). */
OURO_API ouro_status ouro_runtime_destroy(struct ouro_runtime *runtime, const char **why);

/* The calling thread is in `runtime` (borrowed, not NULL) from now on, until ouro_runtime_leave.
 * Pairs nest, in the same runtime too. What it made elsewhere stays: other threads may settle for
 * it what they drop of that, as while it is parked. OURO_NO_MEMORY (only where pairs nest deeper
 * than before); OURO_BAD_ARGUMENT: `runtime` is NULL. A destroyed runtime is a programmer's error
 * (OURO_FAIL_MISUSE), as long as that shows. Any thread, in hooks too; may run destroy hooks of
 * what others dropped; O(1) but for these, and O(threads) the first time. */
OURO_API ouro_status ouro_runtime_enter(struct ouro_runtime *runtime);
/* Back to where the thread was. `runtime` is the one that was entered last: another is a
 * programmer's error (OURO_FAIL_MISUSE). Cost as enter; does not fail. A thread that ends leaves
 * what it is in. */
OURO_API void ouro_runtime_leave(struct ouro_runtime *runtime);

/* The runtime that the calling thread is in, the default one (both borrowed). Any thread; never
 * NULL; O(1). */
OURO_API struct ouro_runtime *ouro_runtime_current(void);
OURO_API struct ouro_runtime *ouro_runtime_default(void);

OURO_EXTERN_C_END

#endif
