# SPDX-License-Identifier: MIT
# What module variables hold lives to the end of the program and is destroyed then, in Nim's order.
type
  Probe = object
    name: string

proc `=destroy`(x: var Probe) =
  if x.name.len > 0: echo "gone ", x.name
  `=destroy`(x.name)

proc `=copy`(dest: var Probe; src: Probe) {.error.}

type
  Node = ref object
    probe: Probe
    next: Node

proc node(name: string; next: sink Node = nil): Node = Node(probe: Probe(name: name), next: next)

let first = node("first", node("behind first"))
var
  second = node("second")
  list = @[node("l1"), node("l2"), node("l3")]
  shared = second
  ring = node("ring")
  value = Probe(name: "value")

proc useAll(): int =
  second = node("second, new")
  list.del 0
  list.add node("l4")
  ring.next = node("ring's", ring)
  result = list.len + value.name.len

proc holder(): proc (): string =
  let held = node("held by a closure")
  result = proc (): string = held.probe.name

let call = holder()

echo useAll()
echo call()
shared = nil
echo "shared given up"
block:
  let inBlock = node("in a block")
  echo inBlock.probe.name
for i in 1 .. 2:
  let inLoop = node("in a loop " & $i)
  if inLoop.next == nil: echo "turn ", i
ring = nil
GC_fullCollect()
echo "end ", first.next.probe.name
