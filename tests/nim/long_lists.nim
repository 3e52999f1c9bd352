# SPDX-License-Identifier: MIT
# Lists and towers of a hundred thousand nodes are dropped, counted alone or in a cycle, at once.
include parts/probe

type
  Node = ref object
    probe: Probe
    next: Node
  Plain {.acyclic.} = ref object
    probe: Probe
    next: Plain
  Base = ref object of RootObj
    next: Base
  Derived = ref object of Base
    probe: Probe
  Nested = ref object
    probe: Probe
    inner: seq[Nested]

const count = 50_000

# A proc of its own: after a loop 2.2.0 takes `head = nil` of a local for its first assignment, and
# what it held is never freed.
proc drop[T](head: var T) = head = nil

proc push(head: var Node) = head = Node(probe: probe(), next: head)
proc push(head: var Plain) = head = Plain(probe: probe(), next: head)
proc push(head: var Base) = head = Derived(probe: probe(), next: head)

proc cyclicType() =
  var head: Node
  for i in 1 .. 2 * count: push head
  echo "list ", alive
  drop head
  echo "dropped ", alive

proc acyclicType() =
  var head: Plain
  for i in 1 .. 2 * count: push head
  echo "acyclic ", alive
  drop head
  echo "dropped ", alive

proc inherited() =
  var head: Base
  for i in 1 .. count: push head
  echo "inherited ", alive
  drop head
  echo "dropped ", alive

proc nested() =
  var top = Nested(probe: probe())
  for i in 1 .. count:
    let outer = Nested(probe: probe())
    outer.inner.add top
    top = outer
  echo "nested ", alive

proc ring() =
  let first = Node(probe: probe())
  var last = first
  for i in 1 .. 4 * count:
    last.next = Node(probe: probe())
    last = last.next
  last.next = first
  echo "ring ", alive

proc tailKept() =
  var head: Node
  for i in 1 .. count: push head
  var tail = head
  for i in 1 .. count div 2: tail = tail.next
  drop head
  echo "half dropped ", alive

template check(run: untyped) =
  run()
  GC_fullCollect()
  echo "left ", alive

proc main() =
  check cyclicType
  check acyclicType
  check inherited
  check nested
  check ring
  check tailKept

main()
GC_fullCollect()
