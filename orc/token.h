/* SPDX-License-Identifier: MIT */
/* token.h: Internal to orc. The registry of threads and tokens, for the parts that keep it:
 * token.c, attach.c, park.c, fork.c. */
#ifndef OURO_ORC_TOKEN_H
#define OURO_ORC_TOKEN_H

#include "orc/state.h"

struct ouro__registry {
    ouro__mutex lock;
    struct ouro__thread *all, *spare;
    uint32_t fresh;       /* the next token never given out; above 0xFFFF: there is none */
    uint32_t back_first;  /* those of runtimes that are gone, linked by next_gone */
    uint64_t attachments; /* so far */
};
extern struct ouro__registry ouro__registry;

/* With the lock: a token for a thread that is new in its runtime, or NO_TOKEN. */
unsigned ouro__token_issue(struct ouro__thread *me);
/* Leaves token t to whoever needs it; what came in meanwhile is settled first (T4). Outside hooks
 * and collections: what it makes a candidate must be looked at before nobody remembers it. An
 * adopted one stays in the list while hooks run: one that leaves leaves it held. */
void ouro__token_give_up(struct ouro__thread *me, unsigned t);

/* For alloc (heap.h, struct ouro__upper). */
void ouro__counts_before_fork(void);
void ouro__counts_after_fork(bool child);

#endif
