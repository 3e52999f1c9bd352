/* SPDX-License-Identifier: MIT */
/* lock_kit.h: what the tests of locks share. White-box, for it includes orc_kit.h. */
#ifndef OURO_TESTS_LOCK_KIT_H
#define OURO_TESTS_LOCK_KIT_H

#include "named.h"

#include "isolate/held.h"

/* The misuse is named so, and each of the texts is in the message. */
static inline void said(ouro_failure_kind kind, const struct ouro_lock *lock, const char *first,
                        const char *second, const char *third, void (*act)(void *))
{
    run_in_child(act, NULL);
    if (!aborted())
        print_error("\"%s\": status %d: %s\n", first, report->status, report->text);
    assert_true(aborted());
    assert_int_equal(report->times, 1);
    assert_int_equal(report->failure.kind, kind);
    assert_ptr_equal(report->failure.object, lock);
    const char *all[] = {ouro_failure_kind_name(kind), first, second, third};
    for (size_t i = 0; i < OURO_COUNT_OF(all); i++) {
        if (!strstr(report->text, all[i]))
            print_error("no \"%s\" in: %s\n", all[i], report->text);
        assert_non_null(strstr(report->text, all[i]));
    }
}

/* Where only the checked library looks, the other one goes on. */
static inline void said_if_checked(ouro_failure_kind kind, const struct ouro_lock *lock,
                                   const char *first, const char *second, const char *third,
                                   void (*act)(void *))
{
    if (OURO_TEST_CHECKED)
        said(kind, lock, first, second, third, act);
    else
        not_named(act, NULL);
}

#endif
