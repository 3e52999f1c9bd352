# SPDX-License-Identifier: MIT
# A ref dies with its last owner, at once: overwritten, set to nil, out of scope, swapped, returned.
# also: -d:release --mm:arc
type
  Probe = object
    id: int
  Node = ref object
    probe: Probe
    next: Node

proc `=destroy`(x: var Probe) =
  if x.id != 0: echo "  gone ", x.id

proc `=copy`(dest: var Probe; src: Probe) {.error.}

proc node(id: int; next: Node = nil): Node = Node(probe: Probe(id: id), next: next)

proc pass(n: Node): Node = n

proc pick(first: bool; a, b: Node): Node =
  if first: a else: b

proc drop(n: sink Node) = echo "  sunk ", n.probe.id

proc overwrite() =
  echo "overwrite"
  var a = node(1)
  echo "  made"
  a = node(2)
  echo "  overwritten"
  let b = a
  a = nil
  echo "  still ", b.probe.id

proc selfAssign() =
  echo "self-assignment"
  var a = node(3)
  let same = a
  a = same
  a = a
  a = pass(a)
  echo "  alive ", a.probe.id, " ", a == same

proc chain() =
  echo "chain"
  var a = node(10, node(11, node(12)))
  a = a.next
  echo "  head dropped, now ", a.probe.id
  a.next = nil
  echo "  tail dropped"

proc swapped() =
  echo "swap"
  var a = node(20)
  var b = node(21)
  swap(a, b)
  echo "  ", a.probe.id, " ", b.probe.id
  b = nil
  echo "  first gone"

proc choice() =
  echo "choice"
  var kept: Node
  block:
    let a = node(30)
    let b = node(31)
    kept = pick(false, a, b)
  echo "  kept ", kept.probe.id

proc temporaries() =
  echo "temporaries"
  echo "  id ", node(40).probe.id
  discard node(41)
  drop(node(42))
  var a = node(43)
  drop(a)
  echo "  ", a.probe.id
  drop(move a)
  echo "  moved out ", a == nil

proc shadow(depth: int): Node =
  if depth == 0: return node(50)
  let inner = shadow(depth - 1)
  result = inner

proc main() =
  overwrite()
  selfAssign()
  chain()
  swapped()
  choice()
  temporaries()
  echo "returned ", shadow(20).probe.id
  var none: Node
  let other = none
  echo "nil ", none == other, " ", none.isNil

main()
GC_fullCollect()
echo "end"
