/* SPDX-License-Identifier: MIT */
/* Memory that the system will not take back: pages that the program locked. And what calls that
 * give memory back do to errno. */
#include "alloc_util.h"
#include <sys/mman.h>

#define BLOCK ((size_t)200000)

/* A block whose pages stay, whatever the system is told, until munlock. */
static char *locked_block(void)
{
    char *p = ouro_malloc(BLOCK);
    assert_non_null(p);
    if (mlock(p, BLOCK) != 0) {
        ouro_free(p);
        skip();
    }
    memset(p, 0xEE, BLOCK);
    return p;
}

static void calloc_gives_zeroes_where_locked_pages_could_not_be_purged(void **state)
{
    (void)state;
    char *p = locked_block();
    ouro_free(p);
    ouro_trim();
    char *q = ouro_calloc(1, BLOCK);
    for (size_t i = 0; i < BLOCK; i++)
        assert_int_equal(q[i], 0);
    ouro_free(q);
    munlock(p, BLOCK);
    ouro_trim();
}

static void free_leaves_errno_alone(void **state)
{
    (void)state;
    ouro_option_set("purge_delay", 0);
    char *p = locked_block();
    errno = EXDEV;
    ouro_free(p); /* purges at once, in vain */
    assert_int_equal(errno, EXDEV);
    munlock(p, BLOCK);
    ouro_option_set("purge_delay", 100);
    p = ouro_malloc(8 * MIB);
    errno = EXDEV;
    ouro_free(p);
    ouro_free(NULL);
    assert_int_equal(errno, EXDEV);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calloc_gives_zeroes_where_locked_pages_could_not_be_purged),
        cmocka_unit_test(free_leaves_errno_alone),
    };
    return cmocka_run_group_tests(tests, use_mmap, NULL);
}
