# SPDX-License-Identifier: MIT
# Three hundred threads come and go; each leaves its result behind and its garbage is collected.
# options: --threads:on
include parts/probe

type
  Node = ref object
    probe: Probe
    value: int
    next, prev: Node

var results: array[300, int]

proc node(value: int): Node =
  Node(probe: probe(), value: value)

proc ring(n: int): Node =
  result = node(1)
  result.next = result
  result.prev = result
  for i in 2 .. n:
    let fresh = node(i)
    fresh.next = result.next
    fresh.prev = result
    result.next.prev = fresh
    result.next = fresh

proc sum(r: Node): int =
  result = r.value
  var at = r.next
  while at != r:
    result += at.value
    at = at.next

proc work(id: int) {.thread.} =
  for i in 1 .. 5: results[id] += ring(10 + id mod 7).sum
  GC_fullCollect()

proc batch(first, width: int) =
  var threads: seq[Thread[int]]
  newSeq(threads, width)
  for i in 0 ..< width: createThread(threads[i], work, first + i)
  joinThreads(threads)

proc run() =
  var first = 0
  for width in [1, 4, 20, 50, 25, 100, 75, 20, 4, 1]:
    batch(first, width)
    first += width
  var total = 0
  for i, value in results:
    let n = 10 + i mod 7
    doAssert value == 5 * n * (n + 1) div 2
    total += value
  echo "threads ", first, " total ", total

run()
GC_fullCollect()
echo "end ", alive
