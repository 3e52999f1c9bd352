# SPDX-License-Identifier: MIT
# A graph changed at random is always exactly what can be reached: no less is kept, no more.
include parts/probe

type
  Node = ref object
    probe: Probe
    id, seen: int
    a, b: Node
    more: seq[Node]

var
  state = 12345'u64
  round = 0

proc next(limit: int): int =
  state = state * 6364136223846793005'u64 + 1442695040888963407'u64
  int((state shr 33) mod uint64(limit))

proc node(id: int): Node =
  Node(probe: probe(), id: id)

proc reachable(roots: openArray[Node]): tuple[count, sum: int] =
  inc round
  var todo: seq[Node]
  for r in roots:
    if r != nil: todo.add r
  while todo.len > 0:
    let n = todo.pop()
    if n.seen == round: continue
    n.seen = round
    inc result.count
    result.sum += n.id
    if n.a != nil: todo.add n.a
    if n.b != nil: todo.add n.b
    for m in n.more:
      if m != nil: todo.add m

proc wander(roots: openArray[Node]): Node =
  result = roots[next(roots.len)]
  for i in 0 ..< next(6):
    if result == nil: break
    let step = case next(3)
      of 0: result.a
      of 1: result.b
      else: (if result.more.len > 0: result.more[next(result.more.len)] else: nil)
    if step != nil: result = step

proc mutate(roots: var openArray[Node]; id: int) =
  let from1 = wander(roots)
  let to = wander(roots)
  case next(100)
  of 0 .. 1: roots[next(roots.len)] = node(id)
  of 2: roots[next(roots.len)] = to
  of 3 .. 14:
    if from1 != nil: from1.a = to
  of 15 .. 59:
    if from1 != nil: from1.b = node(id)
  of 60 .. 84:
    if from1 != nil: from1.more.add to
  of 85 .. 92:
    if from1 != nil and from1.more.len > 0: from1.more.del next(from1.more.len)
  of 93 .. 97:
    if from1 != nil and to != nil: swap(from1.more, to.more)
  else:
    if from1 != nil:
      from1.a = from1
      from1.b = nil

proc run(steps: int) =
  var roots: array[8, Node]
  for step in 1 .. steps:
    mutate(roots, step)
    if step mod 500 == 0:
      GC_fullCollect()
      let (count, sum) = reachable(roots)
      doAssert count == alive
      if step mod 5000 == 0:
        echo "step ", step, " reachable ", count, " alive ", alive, " sum ", sum
  for r in roots.mitems:
    r = nil
    GC_fullCollect()
    doAssert reachable(roots).count == alive
  echo "left ", alive

run(20_000)
GC_fullCollect()
