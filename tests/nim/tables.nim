# SPDX-License-Identifier: MIT
# Tables, ordered tables, sets and heaps own the refs in them, as values and as keys.
import std/[algorithm, hashes, heapqueue, sequtils, sets, tables]
include parts/probe

type
  Item = ref object
    probe: Probe
    name: string
    rank: int
    by: Table[string, Item]
    home: TableRef[int, Item]

proc item(name: string; rank = 0): Item =
  Item(probe: probe(), name: name, rank: rank)

proc hash(i: Item): Hash = hash(i.name)
proc `==`(a, b: Item): bool =
  if a.isNil or b.isNil: a.isNil and b.isNil
  else: a.name == b.name
proc `<`(a, b: Item): bool = a.rank < b.rank

proc asValues() =
  var t: Table[string, Item]
  for i in 1 .. 300: t["k" & $(i mod 100)] = item("v" & $i, i)
  echo "values ", t.len, " alive ", alive
  for i in 0 ..< 90: t.del("k" & $i)
  let copy = t
  t.clear()
  var ranks: seq[int]
  for v in copy.values: ranks.add v.rank
  echo sorted(ranks), " alive ", alive
  var taken: Item
  var other = copy
  discard other.pop("k95", taken)
  echo taken.name, " ", "k95" in other, " ", "k95" in copy

proc asKeys() =
  var t: OrderedTable[Item, seq[Item]]
  for i in 1 .. 12: t.mgetOrPut(item("n" & $(i mod 4)), @[]).add item("m" & $i, i)
  for k, v in t: echo k.name, " ", v.mapIt(it.name)
  echo "alive ", alive
  t.del item("n1")
  echo toSeq(t.keys).mapIt(it.name), " alive ", alive

proc inSets() =
  var a, b: HashSet[Item]
  for i in 1 .. 20:
    a.incl item("x" & $i)
    if i mod 2 == 0: b.incl item("x" & $i)
  echo "sets ", len(a + b), " ", len(a * b), " ", len(a - b), " alive ", alive
  a.excl item("x2")
  echo item("x2") in a, " ", item("x3") in a

proc heap() =
  var q = initHeapQueue[Item]()
  for i in 0 ..< 50: q.push item("h" & $i, i * 31 mod 50)
  var line = ""
  for i in 1 .. 10: line.add $q.pop().rank & " "
  echo "heap ", line, "alive ", alive

proc cyclic() =
  let root = item("root")
  root.home = newTable[int, Item]()
  for i in 1 .. 30:
    let i2 = item("c" & $i, i)
    i2.by["root"] = root
    i2.by["self"] = i2
    i2.home = root.home
    root.home[i] = i2
    root.by[i2.name] = i2
  root.home.del 5
  root.by.del "c5"
  echo "cyclic ", root.home.len, " ", root.home[7].by["root"].by["c9"].home[3].name

proc counts() =
  var words = initCountTable[string]()
  for w in ["a", "b", "a", "c", "b", "a"]: words.inc w
  words.sort()
  echo toSeq(words.pairs)

template check(run: untyped) =
  run()
  GC_fullCollect()
  echo "left ", alive

proc main() =
  check asValues
  check asKeys
  check inSets
  check heap
  check cyclic
  counts()

main()
GC_fullCollect()
