# SPDX-License-Identifier: MIT
# Objects with aligned fields lie where they must, alone, in cycles, next to others and after reuse.
include parts/probe

type
  Vector = object
    lanes {.align: 32.}: array[4, float]
  Line = ref object
    probe: Probe
    data {.align: 64.}: array[16, int32]
    next: Line
  Page = ref object
    probe: Probe
    first {.align: 128.}: int
    lines: seq[Line]
    self: Page
  Mixed = ref object of RootObj
    small: int8
    vector: Vector
  Child = ref object of Mixed
    wide {.align: 64.}: int
    peer: Mixed

var wrong = 0

proc aligned(p: pointer; to: int) =
  if cast[int](p) mod to != 0: inc wrong

proc line(i: int; next: Line): Line =
  result = Line(probe: probe(), next: next)
  aligned(addr result.data, 64)
  for at in 0 ..< 16: result.data[at] = int32(i + at)

proc page(i: int): Page =
  result = Page(probe: probe(), first: i)
  aligned(addr result.first, 128)
  for j in 0 ..< 5: result.lines.add line(i * 10 + j, nil)

proc lines() =
  var head: Line
  var plain: seq[ref int]
  for i in 1 .. 500:
    head = line(i, head)
    plain.add new int
    plain[^1][] = i
  var sum = 0
  var at = head
  while at != nil:
    for x in at.data: sum += x
    at = at.next
  for x in plain: sum += x[]
  head.next.next = head
  echo "lines ", sum, " alive ", alive

proc pages() =
  var all: seq[Page]
  for i in 1 .. 100:
    let p = page(i)
    p.self = p
    if i mod 10 == 0: all.add p
  GC_fullCollect()
  var sum = 0
  for p in all: sum += p.first + p.self.lines[4].data[15]
  echo "pages ", sum, " alive ", alive

proc inherited() =
  for i in 1 .. 50:
    let c = Child(small: int8(i), wide: i)
    c.vector.lanes = [1.0, 2.0, 3.0, float(i)]
    c.peer = if i mod 2 == 0: Mixed(c) else: Mixed(small: 3)
    aligned(addr c.vector, 32)
    aligned(addr c.wide, 64)
    aligned(addr c.peer.vector, 32)
    doAssert c.vector.lanes[3] == float(i) and c.wide == i
  echo "inherited"

template check(run: untyped) =
  run()
  GC_fullCollect()
  echo "left ", alive

proc main() =
  check lines
  check pages
  check inherited
  check pages
  echo "wrong ", wrong

main()
GC_fullCollect()
