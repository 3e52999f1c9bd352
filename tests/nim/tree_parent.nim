# SPDX-License-Identifier: MIT
# Trees whose children know their parents: subtrees cut off or moved to another parent.
import std/[algorithm, strutils]
include parts/probe

type
  Tree = ref object
    probe: Probe
    name: string
    parent: Tree
    kids: seq[Tree]

proc tree(name: string): Tree =
  Tree(probe: probe(), name: name)

proc add(parent, kid: Tree) =
  kid.parent = parent
  parent.kids.add kid

proc cut(kid: Tree) =
  let at = kid.parent.kids.find(kid)
  kid.parent.kids.delete(at)
  kid.parent = nil

proc grow(name: string; depth, width: int): Tree =
  result = tree(name)
  if depth > 0:
    for i in 0 ..< width: result.add grow(name & $i, depth - 1, width)

proc count(t: Tree): int =
  result = 1
  for kid in t.kids: result += kid.count

proc path(t: Tree): string =
  var names: seq[string]
  var at = t
  while at != nil:
    names.add at.name
    at = at.parent
  names.reverse()
  names.join("/")

proc find(t: Tree; name: string): Tree =
  if t.name == name: return t
  for kid in t.kids:
    result = kid.find(name)
    if result != nil: return

proc moves() =
  let a = grow("a", 3, 3)
  let b = grow("b", 2, 2)
  echo "a ", a.count, " b ", b.count, " alive ", alive
  echo a.find("a012").path
  let part = a.find("a01")
  part.cut()
  b.find("b1").add part
  echo "a ", a.count, " b ", b.count, " ", b.find("a012").path
  GC_fullCollect()
  echo "alive ", alive

proc cuts() =
  let a = grow("a", 4, 3)
  let leaf = a.find("a2222")
  a.find("a0").cut()
  GC_fullCollect()
  echo "first cut, alive ", alive, " count ", a.count
  leaf.parent.parent.cut()
  GC_fullCollect()
  echo "second cut, alive ", alive, " count ", a.count, " ", leaf.path

proc leafKeepsAll(): Tree =
  let a = grow("k", 3, 2)
  result = a.find("k010")

proc main() =
  moves()
  GC_fullCollect()
  echo "left ", alive
  cuts()
  GC_fullCollect()
  echo "left ", alive
  var leaf = leafKeepsAll()
  GC_fullCollect()
  echo "a leaf keeps all: ", leaf.path, " alive ", alive
  leaf = nil
  GC_fullCollect()
  echo "left ", alive
  for i in 1 .. 20: discard grow("x", 6, 2)
  GC_fullCollect()
  echo "left ", alive

main()
GC_fullCollect()
