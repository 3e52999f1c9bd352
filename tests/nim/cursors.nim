# SPDX-License-Identifier: MIT
# A .cursor ref does not count: with cursors for back pointers everything dies at once, in order.
# also: -d:release --mm:arc
type
  Probe = object
    name: string
  Tree = ref object
    probe: Probe
    parent {.cursor.}: Tree
    kids: seq[Tree]
  Node = ref object
    probe: Probe
    prev {.cursor.}: Node
    next: Node

proc `=destroy`(x: var Probe) =
  if x.name.len > 0: echo "  gone ", x.name
  `=destroy`(x.name)

proc `=copy`(dest: var Probe; src: Probe) {.error.}

proc tree(name: string; kids: varargs[Tree]): Tree =
  result = Tree(probe: Probe(name: name))
  for kid in kids:
    kid.parent = result
    result.kids.add kid

proc depth(t: Tree): int =
  var at {.cursor.} = t
  while at.parent != nil:
    at = at.parent
    inc result

proc trees() =
  echo "tree"
  let t = tree("root", tree("a", tree("aa"), tree("ab")), tree("b"))
  echo "  depth ", t.kids[0].kids[1].depth
  t.kids[0].kids.delete(0)
  echo "  cut one"

proc list() =
  echo "list"
  var head = Node(probe: Probe(name: "1"))
  var last {.cursor.} = head
  for i in 2 .. 5:
    last.next = Node(probe: Probe(name: $i), prev: last)
    last = last.next
  var back = ""
  while last != nil:
    back.add last.probe.name
    last = last.prev
  echo "  backwards ", back
  head.next.next.next.prev = head.next
  head.next.next = head.next.next.next
  echo "  one unlinked"

proc walk() =
  echo "walk"
  let head = Node(probe: Probe(name: "x"), next: Node(probe: Probe(name: "y")))
  var steps = 0
  var at {.cursor.}: Node = head
  while at != nil:
    inc steps
    at = at.next
  echo "  steps ", steps

proc ownedByNone() =
  echo "weak"
  var strong = Node(probe: Probe(name: "target"))
  let weak {.cursor.} = strong
  echo "  same ", weak == strong
  strong = nil
  echo "  after"

proc main() =
  trees()
  list()
  walk()
  ownedByNone()

main()
GC_fullCollect()
echo "end"
