# SPDX-License-Identifier: MIT
# A node with several refs is traced last field first: the order in which a cycle's destructors run.
type
  Probe = object
    name: string
  Node = ref object
    probe: Probe
    parent: Node
    left, right: Node
  Wide = ref object
    probe: Probe
    parent: Wide
    kids: seq[Wide]

var log: seq[string]

proc `=destroy`(x: var Probe) =
  if x.name.len > 0: log.add x.name
  `=destroy`(x.name)

proc `=copy`(dest: var Probe; src: Probe) {.error.}

proc flush(title: string) =
  echo title, ": ", log
  log.setLen 0

proc tree(depth: int; name: string; parent: Node): Node =
  result = Node(probe: Probe(name: name), parent: parent)
  if depth > 0:
    result.left = tree(depth - 1, name & "l", result)
    result.right = tree(depth - 1, name & "r", result)

proc wide(depth: int; name: string; parent: Wide): Wide =
  result = Wide(probe: Probe(name: name), parent: parent)
  if depth > 0:
    for i in 0 ..< 3: result.kids.add wide(depth - 1, name & $i, result)

proc binary(depth: int) =
  let t = tree(depth, "t", nil)
  doAssert t.parent == nil

proc broad(depth: int) =
  let w = wide(depth, "w", nil)
  doAssert w.kids.len == 3

proc subtree() =
  let t = tree(2, "t", nil)
  GC_fullCollect()
  flush "nothing yet"
  t.left.parent = nil
  t.left = nil
  GC_fullCollect()
  flush "left cut"

proc main() =
  for depth in 0 .. 2:
    binary(depth)
    GC_fullCollect()
    log.setLen min(log.len, 64)
    flush "binary " & $depth
  for depth in 1 .. 2:
    broad(depth)
    GC_fullCollect()
    flush "wide " & $depth
  subtree()
  GC_fullCollect()
  flush "rest"

main()
GC_fullCollect()
flush "end"
