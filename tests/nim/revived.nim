# SPDX-License-Identifier: MIT
# A destructor saves the object that it destroys: garbage of a cycle lives on, emptied, and the
# destructor runs again at its end. Nim's own frees it all the same.
# options-ouro: -d:revive
type
  NodeObj = object
    id: int
    text: string
    next: ref NodeObj
  Node = ref NodeObj

var ran = 0

proc save(p: pointer)

proc `=destroy`(x: var NodeObj) =
  if x.id == 0: return
  inc ran
  when defined(revive):
    if ran == 1: save(addr x)
  `=destroy`(x.text)
  wasMoved(x.text) # it may run again
  `=destroy`(x.next)

var saved: Node

proc save(p: pointer) = saved = cast[Node](p)

proc ring() =
  let a = Node(id: 1, text: "one")
  a.next = Node(id: 0, next: a)

ring()
GC_fullCollect()
doAssert ran == 1
when defined(revive):
  doAssert saved.id == 1 and saved.text == "" and saved.next == nil
  saved = nil
  GC_fullCollect()
  doAssert ran == 2
echo "empty ", getOccupiedMem() < 10_000
