/* SPDX-License-Identifier: MIT */
/* runtimes.c: the runtimes that there are, and how one begins. The list has a lock, which comes
 * before all others. */
#include "alloc/arena.h"
#include "alloc/runtime.h"

struct ouro_runtime ouro__default_runtime = {.arena = {.lock = OURO__MUTEX_INIT}};
ouro_word ouro__more_runtimes;

static ouro__mutex list_lock = OURO__MUTEX_INIT;
static struct ouro__pool runtime_pool = {NULL, sizeof(struct ouro_runtime),
                                         offsetof(struct ouro_runtime, next)};

struct ouro_runtime *ouro_runtime_current(void)
{
    return ouro__own.runtime;
}

struct ouro_runtime *ouro_runtime_default(void)
{
    return &ouro__default_runtime;
}

ouro_word *ouro__runtime_above(struct ouro_runtime *runtime)
{
    return &runtime->above;
}

/* -- the list ---------------------------------------------------------------------------------- */

void ouro__runtimes_lock(void)
{
    ouro__lock_unless(ouro__own.arena_forks, &list_lock);
}
void ouro__runtimes_unlock(void)
{
    ouro__unlock_unless(ouro__own.arena_forks, &list_lock);
}
void ouro__runtimes_reset(void)
{
    ouro__mutex_reset(&list_lock);
}

void ouro__runtimes_each(void (*fn)(struct ouro_runtime *runtime, void *arg), void *arg)
{
    for (struct ouro_runtime *runtime = &ouro__default_runtime; runtime; runtime = runtime->next)
        fn(runtime, arg);
}

static void list_insert(struct ouro_runtime *runtime)
{
    ouro__runtimes_lock();
    runtime->prev = &ouro__default_runtime;
    runtime->next = ouro__default_runtime.next;
    if (runtime->next)
        runtime->next->prev = runtime;
    ouro__default_runtime.next = runtime;
    ouro__runtimes_unlock();
    /* Before anybody is told of the runtime: whoever meets something of it was told by a hand-over
     * that comes after this, so its relaxed load does not find 0. */
    ouro__fetch_add_full(&ouro__more_runtimes, 1);
}

void ouro__runtime_unlist(struct ouro_runtime *runtime)
{
    ouro__runtimes_lock();
    if (runtime->next)
        runtime->next->prev = runtime->prev;
    runtime->prev->next = runtime->next;
    ouro__runtimes_unlock();
    ouro__fetch_add_full(&ouro__more_runtimes, (ouro_word)-1);
}

/* -- beginning --------------------------------------------------------------------------------- */

static ouro_status check_supply(const struct ouro_supply *supply)
{
    if (!supply || supply == ouro__supply())
        return OURO_OK;
    return supply->map && supply->unmap && supply->purge && !supply->block ? OURO_OK
                                                                           : OURO_BAD_ARGUMENT;
}

static ouro_status configure(struct ouro_runtime *runtime, const struct ouro_runtime_config *config)
{
    ouro_status status = check_supply(config->supply);
    runtime->arena.supply = ouro__supply()->block ? NULL : config->supply;
    for (size_t i = 0; i < config->option_count && status == OURO_OK; i++)
        status = ouro__option_set_in(runtime, config->options[i].name, config->options[i].value);
    if (status == OURO_OK && config->limit) {
        size_t most = config->limit < INT64_MAX ? config->limit : INT64_MAX;
        status = ouro__option_set_in(runtime, "limit", (int64_t)most);
    }
    runtime->arena.callback = config->memory_callback;
    runtime->arena.callback_arg = config->memory_arg;
    runtime->fail_handler = (ouro_word)config->fail_handler;
    runtime->fail_arg = (ouro_word)config->fail_arg;
    runtime->run_hooks = config->run_hooks;
    return status;
}

ouro_status ouro_runtime_new(const struct ouro_runtime_config *config,
                             struct ouro_runtime **runtime)
{
    static const struct ouro_runtime_config usual;
    if (!runtime)
        return OURO_BAD_ARGUMENT;
    *runtime = NULL;
    if (ouro__own.arena_forks)
        return OURO_BUSY;
    ouro__set_up();
    ouro_option_get(0); /* reads the environment */
    struct ouro_runtime *fresh = ouro__pool_take(&runtime_pool);
    if (!fresh)
        return OURO_NO_MEMORY;
    memset(fresh, 0, sizeof *fresh);
    ouro__mutex_reset(&fresh->arena.lock);
    ouro__tool_words(&fresh->heaps, sizeof(ouro_word) * OURO__RUNTIME_WORDS);
    ouro__options_begin(fresh);
    ouro__arena_limit_changed(fresh);
    ouro_status status = configure(fresh, config ? config : &usual);
    if (status != OURO_OK) {
        ouro__store(&fresh->inside, OURO__CLOSED);
        ouro__runtime_give(fresh);
        return status;
    }
    list_insert(fresh);
    *runtime = fresh;
    return OURO_OK;
}

void ouro__runtime_give(struct ouro_runtime *runtime)
{
    ouro__mutex_end(&runtime->arena.lock);
    ouro__pool_give(&runtime_pool, runtime);
}
