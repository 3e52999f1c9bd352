/* SPDX-License-Identifier: MIT */
/* The code of docs/abi.md, and that its numbers hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ouro.h"
#include "orc/abi.h"

#include <string.h>

/* [require] */
/* Before code from a cache, made for ABI `number`, runs: NULL, or why it must not. */
static const char *why_not(unsigned number)
{
    const char *why;
    return ouro_abi_require(number, &why) == OURO_OK ? NULL : why;
}
/* [require] */

static void code_of_another_abi_is_not_run(void **state)
{
    (void)state;
    assert_null(why_not(1));
    assert_non_null(why_not(2));
}

/* [constants] */
#define NAME(name, value) {#name, OURO_ABI_##name},
static const struct {
    const char *name;
    int value;
} constants[] = {OURO_ABI_CONSTANTS(NAME)};
/* [constants] */

static void the_constants_are_named_once_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < OURO_COUNT_OF(constants); i++) {
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(constants[i].name, constants[k].name);
    }
    assert_string_equal(constants[0].name, "HEADER_SIZE");
    assert_int_equal(constants[0].value, 16);
}

/* F9, as the page has it. */
static void the_class_of_a_size_is_as_written(void **state)
{
    (void)state;
    for (uint64_t size = 1; size <= OURO_ABI_SMALL_MAX_SIZE; size++) {
        uint64_t top = 63 - (uint64_t)__builtin_clzll((size - 1) | 1);
        uint64_t cls = size <= 128   ? (size - 1) >> 4
                       : size <= 256 ? 4 + ((size - 1) >> 5)
                                     : 12 + (top - 8) * 8 + ((size - 1) >> (top - 3) & 7);
        assert_int_equal(cls, ouro__class_of(size));
    }
}

struct item {
    struct item *next;
};
extern struct ouro_type item_type;
static const struct ouro_field item_fields[] = {OURO_REF(struct item, next, &item_type)};
struct ouro_type item_type = OURO_TYPE(struct item, item_fields);

/* [fiber] */
/* A fiber adds what it is sent to a list, until there is no more. `receive` suspends it. */
static struct item *gather(struct item *(*receive)(void))
{
    struct ouro_context *in = ouro_context_here();
    struct item *all = ouro_new_in(in, &item_type, sizeof *all);
    for (struct item *item; all && (item = receive()) != NULL;) {
        in = ouro_context_here(); /* perhaps another thread's now */
        ouro_incref_in(in, item);
        struct item *rest = ouro_slot_move_in(in, all, (void **)&all->next);
        ouro_slot_store_in(in, item, (void **)&item->next, rest);
        ouro_slot_store_in(in, all, (void **)&all->next, item);
    }
    return all;
}
/* [fiber] */

static struct item *sent[3];
static size_t next_sent;
static struct item *receive(void)
{
    return next_sent < 3 ? sent[next_sent++] : NULL;
}

static void what_is_sent_is_gathered(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        sent[i] = OURO_NEW(struct item, &item_type);
    struct item *all = gather(receive);
    assert_ptr_equal(all->next, sent[2]);
    assert_ptr_equal(all->next->next->next, sent[0]);
    ouro_decref(all);
    for (int i = 2; i >= 0; i--) { /* each refers to the one that was sent before it */
        assert_int_equal(ouro_count(sent[i]), 1);
        ouro_decref(sent[i]);
    }
    ouro_collect(NULL);
    assert_int_equal(ouro_report_leaks(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_of_another_abi_is_not_run),
        cmocka_unit_test(the_constants_are_named_once_each),
        cmocka_unit_test(the_class_of_a_size_is_as_written),
        cmocka_unit_test(what_is_sent_is_gathered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
