# SPDX-License-Identifier: MIT
## The same programs in Nim, with --mm:orc. Takes the options of worker/worker.c and prints the same
## line. For cycles only the drop and GC_fullCollect are timed.
import std/[monotimes, parseopt, strutils]

type
  Node = ref object          ## of trees
    left, right: Node
  Knot = ref object          ## of graphs
    to: array[3, Knot]
    id: int
  Link = ref object          ## of rings
    next: Link
    id: int
  Deed = tuple[ns: float, ops: int, check: uint64]

var quick = false

proc now(): float =
  float(getMonoTime().ticks)

proc random(state: var uint64): uint32 =
  state = state * 6364136223846793005'u64 + 1442695040888963407'u64
  uint32(state shr 32)

proc below(state: var uint64, n: int): int =
  int((uint64(random(state)) * uint64(n)) shr 32)

proc build(depth: int): Node =
  result = Node()
  if depth > 0:
    result.left = build(depth - 1)
    result.right = build(depth - 1)

proc count(n: Node): int =
  if n.left == nil: 1 else: 1 + count(n.left) + count(n.right)

proc trees(): Deed =
  let deepest = if quick: 12 else: 16
  let start = now()
  var longLived = build(deepest)
  var nodes = 0
  for depth in countup(4, deepest, 2):
    for i in 1 .. 1 shl (deepest - depth + 3):
      nodes += count(build(depth))
  nodes += count(longLived)
  longLived = nil
  (now() - start, nodes, uint64(nodes))

proc size(): int =
  if quick: 100_000 else: 1_000_000

proc rings(): Deed =
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

proc graph(): Deed =
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

proc live(): Deed =
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

proc statusKib(key: string): int =
  for line in lines("/proc/self/status"):
    if line.startsWith(key):
      return parseInt(line.splitWhitespace()[1])

proc main() =
  var workload = ""
  var repetitions = 3
  var options = initOptParser(shortNoVal = {}, longNoVal = @["quick"])
  for kind, key, value in options.getopt():
    case key
    of "workload": workload = value
    of "quick": quick = true
    of "repetitions": repetitions = parseInt(value)
    else: discard
  let idle = statusKib("VmRSS")
  GC_disableOrc()                     # only what is asked for
  if workload == "trees": GC_enableOrc()
  var figures: seq[string]
  var deed: Deed
  for i in 0 .. repetitions:
    deed = case workload
      of "trees": trees()
      of "rings": rings()
      of "graph": graph()
      of "live": live()
      else: quit("no such workload", 2)
    if i > 0:
      figures.add formatFloat(deed.ns / float(deed.ops), ffDecimal, 4)
  echo "{\"workload\":\"", workload, "\",\"ops\":", deed.ops, ",\"ns_per_op\":[",
    figures.join(","), "],\"base_ns_per_op\":0,\"check\":\"", deed.check,
    "\",\"peak_rss_kib\":", statusKib("VmHWM"), ",\"idle_rss_kib\":", idle,
    ",\"malloc\":\"nim\",\"version\":\"", NimVersion, "\"}"

main()
