/* SPDX-License-Identifier: MIT */
/* Failure reports: composed on the stack, written in one go. A runtime's handler is stored by
 * release after its argument, and loaded by acquire before it. */
#include "alloc/fail.h"
#include "alloc/arena.h"
#include "alloc/harden.h"
#include "alloc/text.h"

const char *ouro_failure_kind_name(ouro_failure_kind kind)
{
    static const char *const names[OURO_FAIL_COUNT] = {
        [OURO_FAIL_OVER_RELEASE] = "over-release",
        [OURO_FAIL_USE_AFTER_FREE] = "use after free",
        [OURO_FAIL_WRONG_THREAD] = "wrong thread",
        [OURO_FAIL_WRONG_ACYCLIC] = "wrong acyclic",
        [OURO_FAIL_FOREIGN_POINTER] = "foreign pointer",
        [OURO_FAIL_INTERIOR_POINTER] = "interior pointer",
        [OURO_FAIL_DOUBLE_FREE] = "double free",
        [OURO_FAIL_CORRUPT] = "corrupt memory",
        [OURO_FAIL_BAD_TYPE] = "bad type",
        [OURO_FAIL_MISUSE] = "misuse",
        [OURO_FAIL_BAD_TAG] = "unknown tag",
        [OURO_FAIL_SEALED] = "sealed",
        [OURO_FAIL_BAD_HANDLE] = "bad handle",
        [OURO_FAIL_LOCK_ORDER] = "lock order",
        [OURO_FAIL_NOT_HELD] = "lock not held",
    };
    return (unsigned)kind < OURO_FAIL_COUNT ? names[kind] : "failure";
}

void ouro_set_fail_handler(ouro_fail_handler *handler, void *arg)
{
    struct ouro_runtime *runtime = ouro__own.runtime;
    ouro__store(&runtime->fail_arg, (ouro_word)arg);
    /* Release: pairs with the acquire in ouro_fail, which finds the argument, too. */
    ouro__store_release(&runtime->fail_handler, (ouro_word)handler);
}

static void say(const struct ouro_failure *failure, const char *end)
{
    char room[512];
    struct ouro__text t = {room, sizeof room, 0};
    ouro__text_add(&t, "ouro: ");
    ouro__text_add(&t, failure->kind_name);
    if (failure->object) {
        ouro__text_add(&t, ": object ");
        ouro__text_hex(&t, (uintptr_t)failure->object);
    }
    if (failure->type_name) {
        ouro__text_add(&t, " of type ");
        ouro__text_add(&t, failure->type_name);
    }
    if (failure->detail) {
        ouro__text_add(&t, ": ");
        ouro__text_add(&t, failure->detail);
    }
    ouro__text_end(&t, end);
    ouro__os_say(room, t.len);
}

void ouro_fail(ouro_failure_kind kind, const void *object, const char *type_name,
               const char *detail)
{
    struct ouro_failure failure = {kind, ouro_failure_kind_name(kind), object, type_name, detail};
    const struct ouro_runtime *runtime = ouro__own.runtime;
    ouro_fail_handler *handler = (ouro_fail_handler *)ouro__load_acquire(&runtime->fail_handler);
    if (handler)
        handler(&failure, (void *)ouro__load(&runtime->fail_arg));
    say(&failure, "\n");
    ouro__os_abort();
}

void ouro__misused(ouro_failure_kind kind, const void *block, const char *detail)
{
    static ouro_word told;
    if (!OURO__PASSES_OVER)
        ouro_fail(kind, block, NULL, detail);
    ouro_word bit = (ouro_word)1 << kind;
    if (ouro__fetch_or_full(&told, bit) & bit)
        return;
    int was = ouro__os_errno();
    struct ouro_failure failure = {kind, ouro_failure_kind_name(kind), block, NULL, detail};
    say(&failure, " (passed over, and not told again)\n");
    ouro__os_set_errno(was);
}
