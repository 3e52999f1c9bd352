# SPDX-License-Identifier: MIT
# With -d:nimThinout a program breaks its cycles where it knows of them; none is left.
# options: -d:nimThinout
include parts/probe

type Node = ref object
  probe: Probe
  next, prev: Node
  kids: seq[Node]

proc ring(n: int): Node =
  result = Node(probe: probe())
  var last = result
  for i in 2 .. n:
    last.next = Node(probe: probe(), prev: last)
    last = last.next
  last.next = result
  result.prev = last

proc tree(depth: int; parent: Node = nil): Node =
  result = Node(probe: probe(), prev: parent)
  if depth > 0:
    for i in 1 .. 3: result.kids.add tree(depth - 1, result)

proc drop(n: sink Node) =
  doAssert alive > 0
  thinout(n) # Nim's own breaks the cycle for the drop that follows; Ouro collects what was dropped

proc main() =
  for n in [1, 2, 100]: drop(ring(n))
  drop(tree(4))

type Knot = ref object
  probe: Probe
  again: proc (n: int): int

proc knot() =
  let k = Knot(probe: probe())
  k.again = proc (n: int): int = (if n == 0: 0 else: 1 + k.again(n - 1))
  echo "knot ", k.again(3)
  thinout(k.again)

main()
knot()
when declared(GC_fullCollect): GC_fullCollect() # Nim's own then has none
echo "left ", alive
