# SPDX-License-Identifier: MIT
# In a collected cycle each destructor runs once, in the order of the trace, and its refs are nil.
type
  Node = ref NodeObj
  NodeObj = object
    name: string
    next: Node

proc `=destroy`(x: var NodeObj) =
  if x.name.len > 0:
    echo "  ", x.name, " next ", if x.next == nil: "nil" else: x.next.name
  `=destroy`(x.name)
  `=destroy`(x.next)

proc ring(names: varargs[string]): Node =
  var all: seq[Node]
  for name in names: all.add Node(name: name)
  for i in 0 ..< all.len: all[i].next = all[(i + 1) mod all.len]
  result = all[0]

proc single(names: varargs[string]) =
  let r = ring(names)
  echo "ring of ", names.len
  r.next.next = r.next.next

proc tail() =
  let r = ring("a", "b")
  echo "chain into ", r.name
  discard Node(name: "front", next: Node(name: "middle", next: r))
  echo "  chain left"

proc open() =
  echo "no ring"
  discard Node(name: "x", next: Node(name: "y", next: Node(name: "z")))

proc main() =
  for names in [@["one"], @["a", "b"], @["a", "b", "c"], @["p", "q", "r", "s", "t"]]:
    GC_fullCollect()
    single(names)
    GC_fullCollect()
  tail()
  GC_fullCollect()
  open()
  GC_fullCollect()

main()
echo "end"
