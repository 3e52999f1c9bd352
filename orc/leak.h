/* SPDX-License-Identifier: MIT */
/* leak.h: what is alive, and whether the heap contradicts itself.
 *
 * These walk every page. Call them while no other thread uses counted objects. With the `system`
 * supply there are no pages to walk: they find nothing, and the tool that the supply is for tells.
 */
#ifndef OURO_ORC_LEAK_H
#define OURO_ORC_LEAK_H

#include "alloc/platform.h"

OURO_EXTERN_C_BEGIN

/* Live objects of one type. */
struct ouro_alive {
    const char *type_name; /* NULL: born without a descriptor; then all blocks are of one size */
    size_t count;
    size_t bytes;     /* of their blocks, headers included */
    size_t size;      /* of each block where there is no type, else 0 */
    size_t foreign;   /* bytes that they declared by ouro_foreign_bytes */
    const void *site; /* where those without a type were born: a code address; NULL: not known */
};

/* Calls `visit` (not NULL) once a type, and once a size of block and site without one, most bytes
 * first, after settling what this thread has pending; immortal objects do not count. Returns how
 * many objects are alive. Allocates nothing; beyond 512 lines the rest comes as one with the name
 * "(other types)". Sites are known where the option `leaks` was 2 when the thread first touched a
 * counted object: births of bare objects (orc/bare.h) cost a table's look-up then. May run destroy
 * hooks. `visit` must return; one list at a time: 0 from inside `visit`. Beside running threads the
 * figures are a snapshot that is torn at their edges. */
OURO_API size_t ouro_list_alive(void (*visit)(const struct ouro_alive *alive, void *arg),
                                void *arg);

/* Writes that list to the standard error, a line a type, then open handles (orc/handle.h), a line a
 * site and type, and foreign bytes (orc/foreign.h) in one; nothing if there is nothing. Returns how
 * many objects are alive. Happens by itself at the program's end, after all atexit handlers, with
 * the option `leaks` (environment: OURO_LEAKS=1), and always in the checked library unless it is 0;
 * there ouro_check_heap comes first if no other thread is left. */
OURO_API size_t ouro_report_leaks(void);

/* Checks every live object: its header, that each reference leads to a live object, that no object
 * is referred to more often than it is counted, that none of an acyclic type is part of a cycle. A
 * contradiction is a programmer's error (ouro_fail) that names the object. Returns how many objects
 * were looked at; 0 as well when there is no memory for the check. O(n log n) for n references. */
OURO_API size_t ouro_check_heap(void);

OURO_EXTERN_C_END

#endif
