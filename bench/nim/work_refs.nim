# SPDX-License-Identifier: MIT
## trees, list and shuffle: what counting and destroying cost. Sizes and values are those of
## workloads/trees.c, list.c and shuffle.c.
import common

type
  Node = ref object               ## can be in a cycle, as far as the compiler knows
    left, right: Node
  Leafy {.acyclic.} = ref object  ## the same, and said to be in none
    left, right: Leafy

proc build[T](depth: int): T =
  result = T()
  if depth > 0:
    result.left = build[T](depth - 1)
    result.right = build[T](depth - 1)

proc count[T](n: T): int =
  if n.left == nil: 1 else: 1 + count(n.left) + count(n.right)

proc treesOf[T](): Deed =
  let deepest = if quick: 12 else: 16
  let start = now()
  var longLived = build[T](deepest)
  var nodes = 0
  for depth in countup(4, deepest, 2):
    for i in 1 .. 1 shl (deepest - depth + 3):
      nodes += count(build[T](depth))
  nodes += count(longLived)
  longLived = nil
  (now() - start, nodes, uint64(nodes))

proc trees*(): Deed = treesOf[Node]()
proc treesAcyclic*(): Deed = treesOf[Leafy]()

type
  Item {.acyclic.} = ref object
    next: Item
    prev {.cursor.}: Item
    key, value: uint64
  Link = ref object               ## can be in a cycle: each drop to more than nothing is a suspicion
    next: Link
    prev {.cursor.}: Link
    key, value: uint64
  Walk[T] = object                ## a cursor that the compiler does not borrow
    at: T

proc newItem[T](prev: T, key: uint64): T =
  T(prev: prev, key: key, value: key xor 0x5555)

proc walk[T](first: T): uint64 =
  var w = Walk[T](at: first)
  var last {.cursor.} = first
  while w.at != nil:
    result += w.at.value
    last = w.at
    w.at = w.at.next
  w.at = last
  while w.at != nil:
    result = result xor w.at.key
    w.at = w.at.prev

proc listOf[T](): Deed =
  ## Ten lists, for the recursion of Nim's own runtime has an end.
  let n = if quick: 10_000 else: 100_000
  let start = now()
  for round in 1 .. 10:
    var first = newItem[T](nil, 0)
    var last {.cursor.} = first
    for i in 1 ..< n:
      var item = newItem[T](last, uint64(i))
      last.next = item
      last = item
    let sum = walk(first)
    if round > 1: doAssert sum == result.check
    result.check = sum
    first = nil
  (now() - start, 10 * n, 0'u64)

proc list*(): Deed = listOf[Item]()
proc listCyclic*(): Deed = listOf[Link]()

type Card = ref object
  value, rest: uint64

var cards: seq[Card]

proc shuffleOf(n, swaps: int): Deed =
  if cards.len == 0:
    for i in 0 ..< n:
      cards.add Card(value: uint64(i), rest: uint64(i))
  var seed = 42'u64
  let start = now()
  for k in 1 .. swaps:
    let i = below(seed, n)
    let j = below(seed, n)
    let t = cards[i]
    cards[i] = cards[j]
    cards[j] = t
  result = (now() - start, swaps, 0'u64)
  for card in cards:
    result.check = result.check * 31 + card.value

proc shuffle*(): Deed =
  shuffleOf(1000, if quick: 500_000 else: 3_000_000)
proc shuffleCold*(): Deed =
  if quick: shuffleOf(200_000, 200_000) else: shuffleOf(2_000_000, 1_000_000)
