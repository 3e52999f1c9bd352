# SPDX-License-Identifier: MIT
# Sequences of refs grow, shrink, are copied, sliced, sorted, nested: no element is lost or kept.
import std/[algorithm, deques, sequtils]
include parts/probe

type
  Item = ref object
    probe: Probe
    value: int
    group: seq[Item]

proc item(value: int): Item =
  Item(probe: probe(), value: value)

proc show(s: openArray[Item]): string =
  for x in s: result.add (if x == nil: "-" else: $x.value) & " "

proc edit() =
  var s = (1 .. 10).toSeq.mapIt(item(it))
  s.delete(0)
  s.del(0)
  s.insert(item(50), 3)
  s.insert(s[0], 0)
  discard s.pop()
  echo s.show, "alive ", alive
  s.setLen 4
  echo s.show, "alive ", alive
  s.setLen 6
  echo s.show, "alive ", alive
  s = s[1 .. 3] & s[0] & @[item(7)]
  echo s.show, "alive ", alive

proc copies() =
  let a = @[item(1), item(2), item(3)]
  var b = a
  b[0] = item(10)
  b.add a
  echo a.show, "| ", b.show, "alive ", alive
  let c = b.filterIt(it.value < 3)
  b.setLen 0
  echo a.show, "| ", c.show, "alive ", alive

proc sorting() =
  var s: seq[Item]
  for i in 0 ..< 200: s.add item(i * 37 mod 200)
  s.sort(proc (a, b: Item): int = cmp(a.value, b.value))
  doAssert toSeq(0 ..< 200) == s.mapIt(it.value)
  s.reverse()
  s.keepItIf(it.value mod 20 == 0)
  echo s.show, "alive ", alive
  echo s.foldl(a + b.value, 0)

proc nested() =
  var grid: seq[seq[Item]]
  for row in 0 ..< 5: grid.add newSeqWith(row, item(row))
  grid.add grid[4]
  grid.delete(4)
  swap(grid[0], grid[4])
  echo grid.mapIt(it.len), " alive ", alive
  grid[0].setLen 1
  echo grid.concat.show, "alive ", alive

proc inside() =
  let a = item(0)
  for i in 1 .. 5:
    let b = item(i)
    b.group = @[a, b]
    a.group.add b
    a.group.add a
  echo "cyclic ", a.group.len, " alive ", alive
  a.group.keepItIf(it != a)
  echo a.group.show

proc queue() =
  var q = initDeque[Item]()
  var sum = 0
  for i in 1 .. 500:
    q.addLast item(i)
    if i mod 3 == 0: sum += q.popFirst().value
    if i mod 5 == 0: q.addFirst q.popLast()
  echo "queue ", q.len, " ", sum, " alive ", alive

template check(run: untyped) =
  run()
  GC_fullCollect()
  echo "left ", alive

proc main() =
  check edit
  check copies
  check sorting
  check nested
  check inside
  check queue

main()
GC_fullCollect()
