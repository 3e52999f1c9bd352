/* SPDX-License-Identifier: MIT */
/* doc_malloc.c: the code of docs/malloc.md, literally, run on libouro-malloc.so. */
#include "malloc_util.h"

/* clang-format off */
/* [idle] */
int malloc_trim(size_t pad); /* glibc's <malloc.h> has it; another libc may not */

/* Much was dropped, and now the program waits: what is idle goes back to the system. */
static void about_to_wait(void)
{
    malloc_trim(0);
}
/* [idle] */

/* [room] */
size_t malloc_usable_size(void *p);

/* A text that may grow to what its block has anyhow. */
static char *with_room(size_t size, size_t *room)
{
    char *text = malloc(size);
    *room = malloc_usable_size(text); /* all of it may be written, at each level of hardening */
    return text;
}
/* [room] */
/* clang-format on */

static void what_is_idle_goes_back(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    static char *blocks[COUNT];
    for (int i = 0; i < COUNT; i++)
        memset(blocks[i] = malloc(1000), 1, 1000);
    size_t full = resident();
    for (int i = 0; i < COUNT; i++)
        free(blocks[i]);
    about_to_wait();
    assert_true(resident() + 18 * MIB < full);
}

static void all_the_room_may_be_written(void **state)
{
    (void)state;
    size_t room;
    char *text = with_room(100, &room);
    assert_true(room >= 100);
    memset(text, 'x', room);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_idle_goes_back),
        cmocka_unit_test(all_the_room_may_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
