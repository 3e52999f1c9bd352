# SPDX-License-Identifier: MIT
# A ref marked acyclic is counted alone: it is destroyed with its last owner, in cycles too.
type
  Probe = object
    name: string

proc `=destroy`(x: var Probe) =
  if x.name.len > 0: echo "  gone ", x.name
  `=destroy`(x.name)

proc `=copy`(dest: var Probe; src: Probe) {.error.}

type
  Tree {.acyclic.} = ref object
    probe: Probe
    kids: seq[Tree]
  Leaf {.acyclic.} = ref object of RootObj
    probe: Probe
    next: Leaf
  Special {.acyclic.} = ref object of Leaf
    value: int
  Node = ref object
    next: Node
    tree: Tree
    leaf: Leaf

proc tree(name: string; depth: int): Tree =
  result = Tree(probe: Probe(name: name))
  if depth > 0:
    for i in 0 ..< 2: result.kids.add tree(name & $i, depth - 1)

proc count(t: Tree): int =
  result = 1
  for kid in t.kids: result += kid.count

proc trees() =
  echo "tree"
  var t = tree("t", 2)
  let sub = t.kids[1]
  echo "  count ", t.count
  t = nil
  echo "  root dropped, kept ", sub.count
  sub.kids.setLen 1
  echo "  shortened"

proc inherited() =
  echo "inherited"
  let s = Special(probe: Probe(name: "special"), value: 1, next: Leaf(probe: Probe(name: "next")))
  let l: Leaf = s
  echo "  ", l of Special, " ", Special(l).value, " ", l.next of Special

proc inCycle() =
  echo "held by a cycle"
  let shared = tree("shared", 0)
  let a = Node(tree: shared)
  let b = Node(tree: shared, leaf: Leaf(probe: Probe(name: "leaf")))
  a.next = b
  b.next = a
  a.leaf = b.leaf

proc long() =
  echo "list"
  var head: Leaf
  for i in 1 .. 3: head = Leaf(probe: Probe(name: $i), next: head)
  head = head.next
  echo "  cut"

proc main() =
  trees()
  inherited()
  inCycle()
  GC_fullCollect()
  echo "  collected"
  long()

main()
GC_fullCollect()
echo "end"
