# SPDX-License-Identifier: MIT
## rings, graph, live and closures: what cycles cost; see workloads/cycles.c and closures.c. But for
## closures only the drop and GC_fullCollect are timed.
import common

type
  Knot = ref object          ## of graphs
    to: array[3, Knot]
    id: int
  Link = ref object          ## of rings
    next: Link
    id: int

proc size(): int =
  if quick: 100_000 else: 1_000_000

proc rings*(): Deed =
  var held = newSeq[Link](size())
  for i in 0 ..< held.len:
    let a = Link(id: i)
    let c = Link(id: i, next: a)
    a.next = Link(id: i, next: c)
    held[i] = a
  let start = now()
  held.setLen(0)
  GC_fullCollect()
  (now() - start, 3 * size(), 0'u64)

proc graph*(): Deed =
  var held = newSeq[Knot](size())
  var seed = 12345'u64
  for i in 0 ..< held.len:
    held[i] = Knot(id: i)
  for node in held:
    for k in 0 .. 2:
      node.to[k] = held[below(seed, held.len)]
  let start = now()
  held.setLen(0)
  GC_fullCollect()
  (now() - start, size(), 0'u64)

var root: Knot

proc makeLive(raw: var seq[pointer]) =
  ## One ring through all in random order, made of moves; two random edges more.
  let n = raw.len
  var held = newSeq[Knot](n)
  var order = newSeq[int](n)
  var seed = 12345'u64
  for i in 0 ..< n:
    held[i] = Knot(id: i)
    raw[i] = cast[pointer](held[i])
    order[i] = i
  for i in countdown(n - 1, 1):
    swap(order[i], order[below(seed, i + 1)])
  root = held[0]
  for i in 0 ..< n:
    let node {.cursor.} = cast[Knot](raw[order[i]])
    node.to[0] = move held[order[(i + 1) mod n]]
    for k in 1 .. 2:
      let other {.cursor.} = cast[Knot](raw[below(seed, n)])
      node.to[k] = other

proc live*(): Deed =
  root = nil
  GC_fullCollect()
  var raw = newSeq[pointer](size())
  makeLive(raw)
  var seed = 99'u64
  for i in 0 ..< raw.len div 100:
    let node {.cursor.} = cast[Knot](raw[below(seed, raw.len)])
    GC_ref(node)
    GC_unref(node)
  let start = now()
  GC_fullCollect()
  let ns = now() - start
  doAssert root.to[0] != nil
  (ns, size(), 0'u64)

const
  underWay = 64
  steps = 6

type Step = proc(): bool {.closure.}

proc startOne(sum: ptr uint64): Step =
  ## An async procedure: its environment holds the closure that runs it, and a buffer.
  var buffer = newString(200)
  var state, mine = 0
  var self: Step
  self = proc(): bool =
    let me = self              # what keeps the environment in a cycle
    buffer.add char(ord('a') + state)
    mine += buffer.len
    inc state
    result = state == steps and me != nil
    if result: sum[] += uint64(mine)
  self

proc closures*(): Deed =
  let total = if quick: 50_000 else: 400_000
  var ring: array[underWay, Step]
  var begun, i, sum = 0'u64
  var left = total
  let start = now()
  while begun < underWay:
    ring[begun] = startOne(addr sum)
    inc begun
  while left > 0:
    let call = ring[i]
    if call != nil and call():
      dec left
      ring[i] = if begun < uint64(total): startOne(addr sum) else: nil
      if begun < uint64(total): inc begun
    i = (i + 1) mod underWay
  (now() - start, total, sum)
