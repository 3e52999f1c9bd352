# SPDX-License-Identifier: MIT
# Doubly linked lists, our own and the library's: nodes cut out die, dropped lists are found.
import std/lists
include parts/probe

type
  Node = ref object
    probe: Probe
    value: int
    prev, next: Node
  List = object
    head, tail: Node
    len: int
  Item = ref object
    probe: Probe
    value: int

proc append(l: var List; value: int) =
  let n = Node(probe: probe(), value: value, prev: l.tail)
  if l.tail == nil: l.head = n
  else: l.tail.next = n
  l.tail = n
  inc l.len

proc unlink(l: var List; n: Node) =
  if n.prev == nil: l.head = n.next
  else: n.prev.next = n.next
  if n.next == nil: l.tail = n.prev
  else: n.next.prev = n.prev
  n.prev = nil
  n.next = nil
  dec l.len

proc reverse(l: var List) =
  var at = l.head
  while at != nil:
    swap(at.prev, at.next)
    at = at.prev
  swap(l.head, l.tail)

iterator items(l: List): int =
  var at = l.head
  while at != nil:
    yield at.value
    at = at.next

proc show(l: List): string =
  for v in l: result.add $v & " "

proc own() =
  var l: List
  for i in 1 .. 10: l.append i
  echo "list ", l.show, "alive ", alive
  var at = l.head
  while at != nil:
    let next = at.next
    if at.value mod 3 == 0: l.unlink at
    at = next
  at = nil
  GC_fullCollect()
  echo "without threes ", l.show, "alive ", alive
  l.reverse()
  echo "reversed ", l.show
  let middle = l.head.next.next
  l = List()
  GC_fullCollect()
  echo "one node holds all ", middle.value, " alive ", alive
  middle.prev = nil
  GC_fullCollect()
  echo "front still refers back ", alive
  middle.next.prev = nil
  middle.next = nil
  GC_fullCollect()
  echo "alone ", alive

proc long() =
  var l: List
  for i in 1 .. 50_000: l.append i
  var sum = 0
  for v in l: sum += v
  echo "long ", sum, " alive ", alive

proc library() =
  var l = initDoublyLinkedList[Item]()
  for i in 1 .. 8: l.append Item(probe: probe(), value: i)
  l.prepend Item(probe: probe(), value: 0)
  var at = l.head
  while at != nil:
    let next = at.next
    if at.value.value mod 2 == 1: l.remove at
    at = next
  var line = ""
  for item in l: line.add $item.value & " "
  at = nil
  GC_fullCollect()
  # The list is used once more: 1.6 moves it into the loop that is its last use.
  echo "library ", line, "alive ", alive, " first ", l.head.value.value

proc circular() =
  var r = initDoublyLinkedRing[Item]()
  for i in 1 .. 5: r.append Item(probe: probe(), value: i)
  r.head = r.head.next.next
  var line = ""
  for item in r: line.add $item.value & " "
  echo "ring ", line, "alive ", alive, " first ", r.head.value.value

proc main() =
  own()
  GC_fullCollect()
  echo "own left ", alive
  long()
  GC_fullCollect()
  echo "long left ", alive
  library()
  GC_fullCollect()
  echo "library left ", alive
  circular()
  GC_fullCollect()
  echo "ring left ", alive

main()
GC_fullCollect()
