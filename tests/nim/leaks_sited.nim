# SPDX-License-Identifier: MIT
# What no drop told the type of is listed by its size and the place of its birth: leaks_sited.err.
# leaks: 2
type
  Leaf = ref object
    a, b: int
  Row = ref array[20, int]
  Words = ref seq[string]
  Plain {.acyclic.} = ref object
    next: Plain

# No owner: what is in it is alive at the end, and memcheck can see that.
var
  held: array[64, pointer]
  count = 0

proc keep[T](x: sink ref T) =
  var mine = x
  held[count] = cast[pointer](mine)
  wasMoved(mine) # never dropped
  inc count

proc leaf() {.noinline.} =
  keep Leaf(a: count)

proc row() {.noinline.} =
  var r: Row
  new r
  keep move(r)

proc words() {.noinline.} =
  var w: Words
  new w
  w[] = @["one", "two"]
  keep move(w)

proc plain() {.noinline.} =
  keep Plain(next: Plain())

proc text() {.noinline.} =
  var t: ref string
  new t
  t[] = "text " & $count
  keep move(t)

proc dropped() {.noinline.} =
  var r: ref array[30, int]
  new r
  held[count] = cast[pointer](r)
  inc count
  GC_ref r # the drop at the end tells its type, which has no name

for i in 1 .. 5: leaf()
row()
words()
plain()
text()
dropped()
echo "kept ", count
