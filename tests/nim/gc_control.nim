# SPDX-License-Identifier: MIT
# Collections on demand, switched off and on, and of the newest candidates alone, as the user asks.
include parts/probe

type
  Node = ref object
    probe: Probe
    next: Node

proc ring(n: int) =
  let first = Node(probe: probe())
  var last = first
  for i in 2 .. n:
    last.next = Node(probe: probe())
    last = last.next
  last.next = first

proc onDemand() =
  for i in 1 .. 20: ring(i)
  GC_runOrc()
  echo "GC_runOrc left ", alive
  for i in 1 .. 20: ring(i)
  GC_fullCollect()
  echo "GC_fullCollect left ", alive
  GC_fullCollect()
  GC_runOrc()
  echo "again, left ", alive

proc disabled() =
  GC_disableOrc()
  for i in 1 .. 20_000: ring(2)
  echo "disabled, alive ", alive
  GC_enableOrc()
  for i in 1 .. 20_000: ring(2)
  echo "enabled, far fewer: ", alive < 40_000
  GC_fullCollect()
  echo "left ", alive

proc disabledOnDemand() =
  GC_disableOrc()
  for i in 1 .. 500: ring(3)
  GC_runOrc()
  echo "disabled, collected on demand, left ", alive
  GC_disableMarkAndSweep()
  GC_enableMarkAndSweep()
  GC_enableOrc()

proc partial() =
  GC_disableOrc()
  for i in 1 .. 10: ring(2)
  let mark = GC_prepareOrc()
  echo "older candidates ", mark > 0
  for i in 1 .. 10: ring(5)
  GC_partialCollect(mark)
  echo "newer collected, alive ", alive
  GC_partialCollect(mark)
  echo "nothing new, alive ", alive
  GC_partialCollect(0)
  echo "all collected, alive ", alive
  GC_enableOrc()

proc main() =
  onDemand()
  disabled()
  disabledOnDemand()
  partial()
  GC_fullCollect()
  echo "left ", alive, " candidates ", GC_prepareOrc()

main()
GC_fullCollect()
