# SPDX-License-Identifier: MIT
## handover: continuations of 32 and 40 bytes, made by one thread, run and dropped by another; see
## workloads/handover.c. They go through a Channel.
import common

type
  Continuation {.acyclic, inheritable.} = ref object
  Small = ref object of Continuation
    a, b, c: uint64
  Large = ref object of Continuation
    a, b, c, d: uint64

method resume(c: Continuation): uint64 {.base.} = discard
method resume(s: Small): uint64 = s.a + s.b * s.c
method resume(l: Large): uint64 = (l.a xor l.d) + l.b * l.c

var channel: Channel[Continuation]
channel.open(1024) # once: Nim 1.6 frees the queue of a channel that is opened again twice
var sum: uint64

proc make(i: int): Continuation =
  if (i and 1) != 0: Large(a: uint64(i), b: 2, c: 3, d: uint64(i shr 3))
  else: Small(a: uint64(i), b: 5, c: 7)

proc taker(count: int) {.thread.} =
  for i in 1 .. count:
    {.cast(gcsafe).}:
      sum += channel.recv().resume()

proc handover*(): Deed =
  let count = if quick: 300_000 else: 1_500_000
  var thread: Thread[int]
  sum = 0
  let start = now()
  createThread(thread, taker, count)
  for i in 0 ..< count:
    channel.send(make(i))
  joinThread(thread)
  (now() - start, count, sum)
