# SPDX-License-Identifier: MIT
# Cycles of many shapes are kept while they are reachable and all found when they are not.
include parts/probe

type
  Node = ref object
    probe: Probe
    id: int
    next, other: Node
    many: seq[Node]
  Left = ref object
    probe: Probe
    right: Right
  Right = ref object
    probe: Probe
    left: Left
    box: ref Left

proc node(id: int): Node = Node(probe: probe(), id: id)

proc ring(n: int): Node =
  result = node(0)
  var last = result
  for i in 1 ..< n:
    last.next = node(i)
    last = last.next
  last.next = result

proc sum(start: Node): int =
  var at = start
  while true:
    result += at.id
    at = at.next
    if at == start: break

template shape(name: string; body: untyped) =
  proc run() {.gensym.} = body
  let before = alive
  run()
  let dropped = alive
  GC_fullCollect()
  echo name, ": grew ", dropped >= before, ", left ", alive - before

proc main() =
  shape "self":
    let a = node(1)
    a.next = a
  shape "self twice":
    let a = node(1)
    a.next = a
    a.other = a
    a.many = @[a, a, a]
  shape "pair":
    let a = node(1)
    let b = node(2)
    a.next = b
    b.next = a
  shape "rings":
    for n in [1, 2, 3, 10, 1000]:
      let r = ring(n)
      doAssert r.sum == n * (n - 1) div 2
  shape "rings in a chain":
    var last: Node
    for i in 1 .. 50:
      let r = ring(4)
      r.other = last
      last = r
  shape "ring of rings":
    var rings: seq[Node]
    for i in 0 ..< 20: rings.add ring(5)
    for i in 0 ..< 20: rings[i].other = rings[(i + 1) mod 20]
  shape "complete":
    var all: seq[Node]
    for i in 0 ..< 12: all.add node(i)
    for a in all: a.many = all
  shape "two types":
    for i in 0 ..< 10:
      let l = Left(probe: probe())
      let r = Right(probe: probe(), left: l)
      new(r.box)
      r.box[] = l
      l.right = r
  shape "ladder":
    var a = node(0)
    var b = node(0)
    for i in 1 .. 100:
      let c = node(i)
      let d = node(i)
      c.next = a
      a.other = c
      d.next = b
      b.other = d
      c.many = @[d]
      d.many = @[c]
      a = c
      b = d
  shape "tail out of a ring":
    let r = ring(3)
    r.other = node(7)
    r.other.other = node(8)
  shape "tail into a ring":
    let tail = node(7)
    tail.next = ring(3)
  shape "ring broken by hand":
    let r = ring(100)
    r.next = nil

  var kept = ring(10)
  let before = alive
  for i in 1 .. 30:
    let extra = ring(3)
    extra.other = kept
    kept.other = extra
    GC_fullCollect()
    doAssert kept.sum == 45
    doAssert kept.other.sum == 3
  GC_fullCollect()
  echo "kept ", kept.sum, ", grew by ", alive - before
  kept = kept.next.next
  GC_fullCollect()
  echo "moved along ", kept.sum, ", alive ", alive
  kept = nil
  GC_fullCollect()
  echo "dropped, alive ", alive

main()
GC_fullCollect()
echo "end ", alive
