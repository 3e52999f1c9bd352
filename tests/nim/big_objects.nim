# SPDX-License-Identifier: MIT
# Objects of several megabytes: arrays of numbers and of refs, zeroed when new, alone and in cycles.
include parts/probe

type
  Item = ref object
    probe: Probe
    value: int
    home: Shelf
  Shelf = ref object
    probe: Probe
    items: array[300_000, Item]
    self: Shelf
  Numbers = ref array[400_000, int]

proc numbers() =
  for round in 1 .. 6:
    let a = new Numbers
    var zero = 0
    for x in a[]: zero = zero or x
    for i in 0 ..< a[].len: a[i] = i * round
    let b = new Numbers
    b[] = a[]
    var sum = 0
    for x in b[]: sum += x
    doAssert zero == 0
    if round mod 3 == 0: echo "numbers ", sum

proc shelf(count: int; cyclic: bool): Shelf =
  result = Shelf(probe: probe())
  for i in 0 ..< count:
    let at = i * (300_000 div count)
    result.items[at] = Item(probe: probe(), value: i)
    if cyclic: result.items[at].home = result
  if cyclic: result.self = result

proc sum(s: Shelf): int =
  for item in s.items:
    if item != nil: result += item.value

proc plain() =
  let s = shelf(1000, false)
  echo "plain ", s.sum, " alive ", alive

proc cyclic() =
  for i in 1 .. 3:
    let s = shelf(500 * i, true)
    doAssert s.items[0].home == s
    echo "cyclic ", s.sum

proc outlived() =
  var item: Item
  block:
    let s = shelf(100, false)
    item = s.items[3000]
  GC_fullCollect()
  echo "one item left ", item.value, " alive ", alive

proc sequences() =
  var all: seq[seq[Item]]
  for i in 1 .. 3:
    var s = newSeq[Item](300_000)
    for at in countup(0, 299_999, 30_000): s[at] = Item(probe: probe(), value: at)
    all.add s
  all.del 0
  echo "seqs ", all.len, " ", all[1][270_000].value, " alive ", alive

template check(run: untyped) =
  run()
  GC_fullCollect()
  echo "left ", alive

proc main() =
  numbers()
  check plain
  check cyclic
  check outlived
  check sequences

main()
GC_fullCollect()
