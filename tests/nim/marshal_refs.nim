# SPDX-License-Identifier: MIT
# std/marshal builds refs from run-time type information: trees and variants come back as they were.
# also: --gc:arc --threads:on
import std/marshal

type
  Kind = enum kLeaf, kPair
  Tree = ref object
    name: string
    case kind: Kind
    of kLeaf: value: int
    of kPair: left, right: Tree
  Record = object
    title: string
    list: seq[ref int]
    tree: Tree
    flags: set[Kind]
    none: Tree

proc leaf(name: string; value: int): Tree = Tree(kind: kLeaf, name: name, value: value)

proc tree(depth: int): Tree =
  if depth == 0: leaf("leaf", depth + 1)
  else: Tree(kind: kPair, name: "pair" & $depth, left: tree(depth - 1), right: leaf("right", depth))

proc sum(t: Tree): int =
  case t.kind
  of kLeaf: t.value + t.name.len
  of kPair: t.left.sum + t.right.sum + t.name.len

proc run(i: int): string =
  let cell = new int
  cell[] = i
  let r = Record(title: "record " & $i, list: @[cell, new int], tree: tree(3), flags: {kPair})
  let back = to[Record]($$r)
  back.list[1][] = 7
  result = back.title & " " & $back.list.len & " " & $back.list[0][] & " " & $back.tree.sum & " " &
    $(back.tree.sum == r.tree.sum) & " " & $(back.tree == r.tree) & " " & $back.flags & " " &
    $(back.none == nil) & " " & $r.list[1][]

proc main() =
  echo run(1)
  echo $$(@["a", "b"], 5, 'c')
  echo to[seq[string]]("[\"x\", \"y\"]")
  for i in 2 .. 200: doAssert run(i).len > 20

main()
GC_fullCollect()
