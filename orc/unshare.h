/* SPDX-License-Identifier: MIT */
/* unshare.h: objects that are shared until somebody edits one: copy on write. */
#ifndef OURO_ORC_UNSHARE_H
#define OURO_ORC_UNSHARE_H

#include "alloc/status.h"

OURO_EXTERN_C_BEGIN

/* Makes *reference (owned, not NULL) the only reference to its object: if ouro_is_unique says no,
 * it becomes one to a new object, a copy by ouro_dup (what the object refers to is counted, not
 * copied), and the old reference is dropped. OURO_OK: the object may be edited. OURO_NO_MEMORY, or
 * what a dup hook answered: nothing has changed. OURO_BAD_TYPE: it has no descriptor.
 * OURO_BAD_ARGUMENT: NULL. Any thread that has the reference; may run destroy hooks and a
 * collection; O(1), or a dup. */
OURO_API ouro_status ouro_unshare(void **reference);
/* The same of a reference in a slot of an object, as slot.h says of slots. */
OURO_API ouro_status ouro_unshare_slot(void *container, void **slot);

OURO_EXTERN_C_END

#endif
