# SPDX-License-Identifier: MIT
# getOccupiedMem sees what is allocated and comes back to where it was: nothing is left over.
import std/tables

type
  Node = ref object
    id: int
    text: string
    next, prev: Node
    kids: seq[Node]
    call: proc (): int
  Big = ref array[100_000, int]

const slack = 64 * 1024 # what a runtime may keep for itself

proc refs() =
  var head: Node
  for i in 1 .. 1000: head = Node(id: i, next: head)

proc cycles() =
  for i in 1 .. 300:
    let a = Node(id: i, text: "cycle " & $i)
    let b = Node(prev: a, kids: @[a, a])
    a.next = b

proc closures() =
  for i in 1 .. 300:
    let n = Node(id: i)
    n.call = proc (): int = n.id
    doAssert n.call() == i

proc strings() =
  var all: seq[string]
  for i in 1 .. 300:
    all.add "string " & $i
    all[^1].add all[i div 2]

proc maps() =
  var t: Table[int, Node]
  for i in 1 .. 300:
    t[i] = Node(id: i)
    t[i].next = t[max(1, i div 2)]
  t.del 5

proc bigs() =
  for i in 1 .. 5:
    let b = new Big
    b[i] = i

proc exceptions() =
  for i in 1 .. 100:
    try:
      let n = Node(text: "in flight")
      n.next = n
      raise newException(ValueError, n.text & $i)
    except ValueError as e:
      doAssert e.msg.len > 9

proc iterators() =
  for i in 1 .. 100:
    let n = Node(id: i)
    let it = iterator (): int =
      for j in 1 .. 3: yield n.id + j
    doAssert it() == i + 1

template flat(run: untyped) =
  run()
  GC_fullCollect()
  let before = getOccupiedMem()
  for i in 1 .. 20: run()
  GC_fullCollect()
  echo astToStr(run), " flat ", abs(getOccupiedMem() - before) < slack

proc grows() =
  let before = getOccupiedMem()
  block:
    let s = newString(1_000_000)
    let b = new Big
    b[0] = s.len
    echo "seen ", getOccupiedMem() - before >= 1_800_000
  echo "gone ", getOccupiedMem() - before < slack
  echo "total at least occupied ", getTotalMem() >= getOccupiedMem(), " ", getFreeMem() >= 0

proc main() =
  flat refs
  flat cycles
  flat closures
  flat strings
  flat maps
  flat bigs
  flat exceptions
  flat iterators
  grows()

main()
GC_fullCollect()
