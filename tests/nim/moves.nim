# SPDX-License-Identifier: MIT
# Refs moved out of variables, fields, containers and results are counted by their new owner alone.
type
  Probe = object
    name: string

var log: seq[string]

proc `=destroy`(x: var Probe) =
  if x.name.len > 0: log.add x.name
  `=destroy`(x.name)

proc `=copy`(dest: var Probe; src: Probe) {.error.}

type
  Node = ref object
    probe: Probe
    next: Node
    kids: seq[Node]
  Box = object
    node: Node
    nodes: array[3, Node]
  Stream = object
    pending: seq[Node]
    sent: int

proc node(name: string): Node = Node(probe: Probe(name: name))

proc flush(title: string) =
  echo title, ": ", log
  log.setLen 0

proc consume(n: sink Node): int = n.probe.name.len

proc send(s: var Stream; n: sink Node) =
  s.pending.add n
  inc s.sent

proc receive(s: var Stream): Node =
  result = move s.pending[0]
  s.pending.delete(0)

proc variables() =
  var a = node("a")
  var b = move a
  echo a == nil, " ", b.probe.name
  a = node("a2")
  b = move a
  flush "moved over"
  swap(a, b)
  echo consume(move a), " ", a == nil, " ", b == nil
  flush "consumed"

proc fields() =
  var box = Box(node: node("n"))
  for i in 0 ..< 3: box.nodes[i] = node("n" & $i)
  let taken = move box.node
  box.nodes[1] = move box.nodes[2]
  flush "array"
  let whole = move box
  echo taken.probe.name, " ", whole.nodes[1].probe.name, " ", whole.nodes[2] == nil, " ",
    box.nodes[0] == nil
  flush "whole"

proc containers() =
  var s = @[node("s0"), node("s1"), node("s2"), node("s3")]
  let third = move s[2]
  echo s[2] == nil, " ", third.probe.name
  s.del 1
  flush "deleted"
  let last = s.pop()
  var t = move s
  echo s.len, " ", t.len, " ", last == nil
  t.add third
  t[0] = nil
  flush "set to nil"
  echo t.len, " ", t[^1] == third

proc streams() =
  var s: Stream
  for i in 1 .. 5: s.send node("m" & $i)
  let first = s.receive()
  s.send first
  let second = s.receive()
  echo first.probe.name, " ", second.probe.name, " ", s.pending.len, " ", s.sent
  discard consume(s.receive())
  flush "received"

proc lists() =
  var head = node("h0")
  for i in 1 .. 4:
    let n = node("h" & $i)
    n.next = move head
    head = n
  # Reversed by moves.
  var back: Node
  while head != nil:
    var next = move head.next
    head.next = move back
    back = move head
    head = move next
  var line = ""
  var at = back
  while at != nil:
    line.add at.probe.name & " "
    at = at.next
  echo line
  flush "reversed"

proc cyclic() =
  let a = node("x")
  a.kids = @[node("y"), a]
  var kids = move a.kids
  echo a.kids.len, " ", kids[1] == a
  let y = kids[0]
  y.kids = move kids

proc pair(): (Node, Node) = (node("left"), node("right"))

proc tuples() =
  let (a, b) = pair()
  var p = pair()
  let c = move p[0]
  echo a.probe.name, b.probe.name, c.probe.name, " ", p[0] == nil
  flush "tuples"

template check(run: untyped) =
  run()
  GC_fullCollect()
  flush astToStr(run) & " left"

proc main() =
  check variables
  check fields
  check containers
  check streams
  check lists
  check cyclic
  check tuples

main()
GC_fullCollect()
