# SPDX-License-Identifier: MIT
# Ten million nodes of a type that can be in a cycle are dropped at once, on the stack as it is.
# Nim's own ORC crashes; it is asked for few.
# few: 20000
include parts/[peak, probe]

type
  Node = ref object
    probe: Probe
    next: Node
  Left = ref object
    probe: Probe
    next: Right
  Right = ref object
    next: Left
  Base = ref object of RootObj
    prev: Base
  Derived = ref object of Base
    probe: Probe
  Step = ref object
    probe: Probe
    run: proc (): int

# A proc of its own, as in long_lists.nim.
proc drop[T](head: var T) = head = nil

template check(count: int; head, push: untyped) =
  block:
    for i in 1 .. count: push
    doAssert alive == count
    drop head
    echo astToStr(head), ", left ", alive

proc step(then: Step): Step =
  Step(probe: probe(), run: proc (): int = (if then == nil: 1 else: 2))

proc main() =
  var list: Node
  check(rounds(10_000_000), list): list = Node(probe: probe(), next: list)
  var two: Left
  check(rounds(1_000_000), two): two = Left(probe: probe(), next: Right(next: two))
  var inherited: Base
  check(rounds(2_000_000), inherited): inherited = Derived(probe: probe(), prev: inherited)
  var closures: Step
  check(rounds(1_000_000), closures): closures = step(closures)
  GC_fullCollect()
  echo "all gone ", getOccupiedMem() < 1_000_000

main()
