# SPDX-License-Identifier: MIT
# Generic containers, written for any type, release refs, strings, closures and plain values alike.
# 2.x takes Subject for acyclic, so its cycle is not found: one is left there (generics.out2).
# not: cpp
include parts/probe

type
  Item = ref object
    probe: Probe
    value: int
  Node[K, V] = ref object
    probe: Probe
    key: K
    value: V
    left, right, parent: Node[K, V]
  Map[K, V] = object
    root: Node[K, V]
    len: int
  Option[T] = object
    case has: bool
    of true: value: T
    of false: discard
  Ring[T; N: static int] = ref object
    slots: array[N, T]
    at: int
    self: Ring[T, N]
  Observer[T] = proc (x: T) {.closure.}
  Subject[T] = ref object
    value: T
    observers: seq[Observer[T]]

proc item(value: int): Item = Item(probe: probe(), value: value)
proc `$`(i: Item): string = (if i == nil: "nil" else: "#" & $i.value)

proc some[T](x: sink T): Option[T] = Option[T](has: true, value: x)

proc `[]=`[K, V](m: var Map[K, V]; key: K; value: sink V) =
  var parent: Node[K, V]
  var at = m.root
  while at != nil:
    if at.key == key:
      at.value = value
      return
    parent = at
    at = if key < at.key: at.left else: at.right
  let n = Node[K, V](probe: probe(), key: key, value: value, parent: parent)
  inc m.len
  if parent == nil: m.root = n
  elif key < parent.key: parent.left = n
  else: parent.right = n

proc get[K, V](m: Map[K, V]; key: K): Option[V] =
  var at = m.root
  while at != nil:
    if at.key == key: return some(at.value)
    at = if key < at.key: at.left else: at.right

proc first[K, V](m: Map[K, V]): Node[K, V] =
  result = m.root
  while result.left != nil: result = result.left

proc next[K, V](n: Node[K, V]): Node[K, V] =
  if n.right != nil:
    result = n.right
    while result.left != nil: result = result.left
  else:
    var child = n
    result = n.parent
    while result != nil and result.right == child:
      child = result
      result = result.parent

proc push[T, N](r: Ring[T, N]; x: sink T) =
  r.slots[r.at] = x
  r.at = (r.at + 1) mod N

proc set[T](s: Subject[T]; x: T) =
  s.value = x
  for o in s.observers: o(x)

proc maps() =
  var byInt: Map[int, Item]
  var byText: Map[string, string]
  for i in 0 ..< 40:
    byInt[i * 17 mod 41] = item(i)
    byText["key" & $(i mod 13)] = "value" & $i
  echo byInt.len, " ", byText.len, " alive ", alive
  byInt[17] = item(100)
  echo byInt.get(17).value, " ", byInt.get(99).has, " ", byText.get("key5").value, " alive ", alive
  var line = ""
  var n = byText.first
  while n != nil:
    line.add n.value & " "
    n = n.next
  echo line
  var nested: Map[int, Map[string, Item]]
  for i in 1 .. 3:
    var inner: Map[string, Item]
    for c in 'a' .. 'c': inner[$c] = item(i)
    nested[i] = inner
  echo nested.get(2).value.get("b").value

proc rings() =
  let a = Ring[Item, 4]()
  for i in 1 .. 10: a.push item(i)
  a.self = a
  let b = Ring[string, 2](slots: ["x", "y"])
  b.push "z"
  b.self = b
  let c = Ring[proc (): int, 3]()
  for i in 1 .. 3:
    (proc (i: int) =
      let held = item(i)
      c.push(proc (): int = held.value + c.at))(i)
  echo a.slots, " ", b.slots, " ", c.slots[1](), " alive ", alive

proc subjects() =
  let numbers = Subject[int](value: 1)
  let texts = Subject[string](value: "a")
  var seen = 0
  let held = item(10)
  numbers.observers.add proc (x: int) =
    seen += x * held.value
    texts.set "n" & $x
  texts.observers.add proc (x: string) =
    if numbers.value < 5: numbers.set numbers.value + 1
    seen += x.len
  numbers.set 2
  echo "seen ", seen, " ", numbers.value, " ", texts.value

template check(run: untyped) =
  run()
  GC_fullCollect()
  echo "left ", alive

proc main() =
  check maps
  check rings
  check subjects

main()
GC_fullCollect()
