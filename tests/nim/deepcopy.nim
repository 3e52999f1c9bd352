# SPDX-License-Identifier: MIT
# deepCopy makes a graph of its own, cycles and sharing kept; both graphs are then independent.
# options: --deepcopy:on
# also: --gc:arc --threads:on
type
  Node = ref object
    id: int
    name: string
    next, other: Node
    kids: seq[Node]
  Tree = ref object
    value: int
    tags: seq[string]
    left, right: Tree
  Base = ref object of RootObj
    id: int
  Derived = ref object of Base
    text: string
    peer: Base
  Kind = enum kText, kNode
  Variant = object
    case kind: Kind
    of kText: text: string
    of kNode: node: Node

proc tree(depth: int): Tree =
  if depth == 0: return nil
  Tree(value: depth, tags: @["t" & $depth], left: tree(depth - 1), right: tree(depth - 1))

proc sum(t: Tree): int =
  if t == nil: 0 else: t.value + t.tags.len + t.left.sum + t.right.sum

proc trees() =
  let a = tree(6)
  let b = deepCopy(a)
  b.left.value += 1000
  b.right.tags.add "more"
  echo "tree ", a.sum, " ", b.sum, " ", a == b

proc rings() =
  let a = Node(id: 1, name: "one")
  a.next = Node(id: 2, name: "two", next: a)
  a.other = a.next
  a.kids = @[a, a.next, nil]
  let b = deepCopy(a)
  echo "ring ", b.id, b.next.id, " ", b.next.next == b, " ", b.other == b.next, " ",
    b.kids[0] == b, " ", b.kids[1] == b.next, " ", b.kids[2] == nil, " apart ", b != a
  b.next.name.add "!"
  a.next.next = nil
  echo "apart ", a.next.name, " ", b.next.name, " ", b.next.next == b

proc values() =
  var a = (text: "abc", list: @[@[1, 2], @[3]], cell: new int)
  a.cell[] = 5
  var b = deepCopy(a)
  b.text[0] = 'X'
  b.list[0][1] = 20
  b.cell[] = 6
  echo "values ", a.text, a.list, a.cell[], " ", b.text, b.list, b.cell[]

proc derived() =
  let a: Base = Derived(id: 1, text: "derived", peer: Base(id: 2))
  let b = deepCopy(a)
  echo "derived ", b of Derived, " ", Derived(b).text, " ", Derived(b).peer.id, " ",
    Derived(b).peer of Derived

proc variants() =
  let a = @[Variant(kind: kText, text: "t"), Variant(kind: kNode, node: Node(id: 3))]
  let b = deepCopy(a)
  b[1].node.id = 4
  echo "variants ", b[0].text, " ", a[1].node.id, b[1].node.id

proc many() =
  let a = Node(id: 0)
  var last = a
  for i in 1 .. 300:
    last.next = Node(id: i, other: a)
    last = last.next
  last.next = a
  for round in 1 .. 20:
    let b = deepCopy(a)
    var at = b.next
    var steps = 1
    while at != b:
      doAssert at.other == b
      at = at.next
      inc steps
    doAssert steps == 301
  echo "many"

trees()
rings()
values()
derived()
variants()
many()
GC_fullCollect()
