/* SPDX-License-Identifier: MIT */
/* site.h: Internal to orc. Where bare objects were born, for leak reports (option leaks, 2). */
#ifndef OURO_ORC_SITE_H
#define OURO_ORC_SITE_H

#include "alloc/platform.h"

/* Whether births are noted; then none of the calling thread's is inlined. */
bool ouro__sites_wanted(void);
/* An object was born there, in the place of whatever was at its address before. Without memory it
 * has no site. */
void ouro__site_note(const void *object, const void *site);
/* Where the object that lives at this address was born; NULL: not known. */
const void *ouro__site_of(const void *object);
/* The name of types that have none: their objects are listed as those of no type, by site. */
extern const char ouro__nameless[];
void ouro__sites_before_fork(void);
void ouro__sites_after_fork(bool child);

#endif
