/* SPDX-License-Identifier: MIT */
/* channel.h: isolated graphs from thread to thread, in order, so many at a time.
 *
 * A channel carries the handles of isolated graphs (isolate/isolated.h). Any number of threads send
 * and receive. It has room for so many, made with it: a send where there is no room waits, and
 * nothing is allocated on the way. No count is touched. Graphs of one sender are received in the
 * order in which they were sent. (Channels: Hoare's CSP, as Go and Nim have them.)
 *
 * A channel belongs to no runtime, the graphs in it each to its own. Whoever made it ends it, when
 * no other thread is in a call with it, or will be. A thread that waits is parked (orc/thread.h);
 * waits are no cancellation points. Without threads (OURO_THREADS=OFF) nobody could end a wait: it
 * is refused, OURO_WOULD_BLOCK. docs/channels.md. */
#ifndef OURO_ISOLATE_CHANNEL_H
#define OURO_ISOLATE_CHANNEL_H

#include "isolate/isolated.h"

OURO_EXTERN_C_BEGIN

struct ouro_channel;

/* A channel for `capacity` graphs, 1 to 2^30: *channel (not NULL) is the caller's until
 * ouro_channel_drop. OURO_NO_MEMORY; OURO_BAD_ARGUMENT. Then *channel is NULL, and nothing has
 * changed. Any thread; allocates, in the default runtime (8 to 16 bytes a place); in another
 * runtime it may run destroy hooks of what others dropped. O(1). */
OURO_API ouro_status ouro_channel_new(size_t capacity, struct ouro_channel **channel);

/* Ends a channel (owned; may be NULL), and drops all graphs that are in it. A programmer's error
 * (OURO_FAIL_MISUSE) while threads wait in it: then nothing has changed. Runs destroy hooks; does
 * not fail. O(what is in it). */
OURO_API void ouro_channel_drop(struct ouro_channel *channel);

/* Sends `graph` (owned, if the answer is OURO_OK; else still the caller's). OURO_CLOSED: nothing is
 * sent on it any more. OURO_BAD_ARGUMENT: NULL. There is no room, and
 * - ouro_channel_send waits for it;
 * - ouro_channel_try_send does not: OURO_WOULD_BLOCK;
 * - ouro_channel_send_within waits so many nanoseconds at most, then OURO_TIMED_OUT; negative: for
 *   ever; 0: as try.
 * Any thread. A wait may run destroy hooks of what others dropped. Allocates nothing. O(1). */
OURO_API ouro_status ouro_channel_send(struct ouro_channel *channel, struct ouro_isolated *graph);
OURO_API ouro_status ouro_channel_try_send(struct ouro_channel *channel,
                                           struct ouro_isolated *graph);
OURO_API ouro_status ouro_channel_send_within(struct ouro_channel *channel,
                                              struct ouro_isolated *graph, int64_t timeout);

/* Receives: *graph (not NULL) is the caller's, to be extracted or dropped; NULL where the answer is
 * not OURO_OK. OURO_CLOSED: the channel is closed, and nothing is in it. The rest as for sends. */
OURO_API ouro_status ouro_channel_receive(struct ouro_channel *channel,
                                          struct ouro_isolated **graph);
OURO_API ouro_status ouro_channel_try_receive(struct ouro_channel *channel,
                                              struct ouro_isolated **graph);
OURO_API ouro_status ouro_channel_receive_within(struct ouro_channel *channel,
                                                 struct ouro_isolated **graph, int64_t timeout);

/* Nothing is sent on the channel (borrowed, not NULL) from now on; what is in it can be received
 * still. All who wait in it are woken. Closed already: nothing. Any thread; runs no hook, allocates
 * nothing; does not fail. O(threads that wait). */
OURO_API void ouro_channel_close(struct ouro_channel *channel);

/* How many graphs are in it now (borrowed, not NULL); others may change that at once. Any thread;
 * O(1). */
OURO_API size_t ouro_channel_count(const struct ouro_channel *channel);
/* What it (borrowed, not NULL) was made for. Any thread; O(1). */
OURO_API size_t ouro_channel_capacity(const struct ouro_channel *channel);

/* One of several things to be done: a receive, or a send. */
struct ouro_channel_case {
    struct ouro_channel *channel; /* borrowed; NULL: not this one */
    struct ouro_isolated *graph;  /* as for a send, or what was received */
    bool send;
    uintptr_t own[5]; /* the library's, during the call */
};

/* Does one of the cases (`count` of them, borrowed for the call): of those that can be done, each
 * has its turn. *chosen (not NULL) says which. OURO_OK: its graph was sent, and is NULL now, or was
 * received, and is the caller's. OURO_CLOSED: its channel is closed, and for a receive nothing is
 * in it. OURO_WOULD_BLOCK, OURO_TIMED_OUT: none can be done, as for one; *chosen is `count`.
 * OURO_BAD_ARGUMENT: NULL where it must not be, or no case has a channel. The graphs of other cases
 * are as they were. Threads, hooks: as for one. Allocates nothing. O(count). */
OURO_API ouro_status ouro_channel_select(struct ouro_channel_case *cases, size_t count,
                                         int64_t timeout, size_t *chosen);

/* A descriptor for poll, epoll and their kin: readable while something can be received, or the
 * channel (borrowed) is closed. *descriptor (not NULL) is the channel's, and gone with it; do not
 * read it, but call ouro_channel_try_receive, which may find that another thread was first. It is
 * made by the first call; sends and receives cost a system call from then on where the channel
 * becomes, or was, empty. OURO_NO_MEMORY: the system has none; OURO_BAD_ARGUMENT: NULL. Any thread;
 * runs no hook. */
OURO_API ouro_status ouro_channel_descriptor(struct ouro_channel *channel, int *descriptor);

/* Which end of a channel a thread is at. */
typedef enum ouro_channel_end { OURO_CHANNEL_SENDS, OURO_CHANNEL_RECEIVES } ouro_channel_end;

/* The calling thread says that it sends, or receives, until it says ouro_channel_leave as often, or
 * ends, or the channel (borrowed) is dropped. When the last that said so of an end has left, or
 * ended in whatever way, the channel is closed: who sends does not wait for receivers that are no
 * more, nor the other way. Of an end of which nobody says so nothing is known. OURO_NO_MEMORY: it
 * is not noted; OURO_TOO_LATE: nor is it in the last destructors of a thread; OURO_BAD_ARGUMENT:
 * NULL, or no such end. Any thread; allocates, in the default
 * runtime, as ouro_channel_new. O(1). */
OURO_API ouro_status ouro_channel_join(struct ouro_channel *channel, ouro_channel_end end);
/* Takes one ouro_channel_join of the calling thread, of that channel (borrowed), back; none:
 * nothing. Any thread; runs no hook. O(what it joined). */
OURO_API void ouro_channel_leave(struct ouro_channel *channel, ouro_channel_end end);

OURO_EXTERN_C_END

#endif
