# SPDX-License-Identifier: MIT
# With -d:nimAllocStats what is born and freed is counted as Nim's own runtime counts it.
# options: -d:nimAllocStats
type
  Leaf = ref object
    value: int
  Node = ref object
    next: Node
    name: string

proc refs() =
  for i in 1 .. 100:
    let leaf = Leaf(value: i)
    doAssert leaf.value == i

proc list() =
  var head: Node
  for i in 1 .. 100: head = Node(next: head)

proc strings() =
  var all: seq[string]
  for i in 1 .. 50: all.add "string " & $i

proc cycles() =
  for i in 1 .. 10:
    let a = Node(name: "cycle " & $i)
    a.next = Node(next: a)
  GC_fullCollect()

template count(run: untyped) =
  block:
    let before = getAllocStats()
    run()
    echo astToStr(run), " ", getAllocStats() - before

proc main() =
  count refs
  count list
  count strings
  count cycles
  count cycles

main()
