# SPDX-License-Identifier: MIT
# =copy and =sink written by hand: every copy is counted, moves are free, each buffer is freed once.
# also: -d:release --newruntime
type
  Buffer = object
    data: ptr UncheckedArray[int]
    len: int
  Holder = ref object
    buffer: Buffer
    more: seq[Buffer]
    self: Holder

var copies, sinks, buffers: int

proc free(b: Buffer) =
  if b.data != nil:
    dec buffers
    dealloc(b.data)

proc `=destroy`(b: var Buffer) = free(b)

proc `=copy`(dest: var Buffer; src: Buffer) =
  if dest.data == src.data: return
  free(dest)
  dest.data = nil
  dest.len = src.len
  if src.data != nil:
    inc copies
    inc buffers
    dest.data = cast[ptr UncheckedArray[int]](alloc(src.len * sizeof(int)))
    for i in 0 ..< src.len: dest.data[i] = src.data[i]

proc `=sink`(dest: var Buffer; src: Buffer) =
  inc sinks
  free(dest)
  dest.data = src.data
  dest.len = src.len

proc buffer(values: varargs[int]): Buffer =
  inc buffers
  result.len = values.len
  result.data = cast[ptr UncheckedArray[int]](alloc(values.len * sizeof(int)))
  for i, v in values: result.data[i] = v

proc `$`(b: Buffer): string =
  for i in 0 ..< b.len: result.add $b.data[i] & " "

proc flush(title: string) =
  echo title, ": copies ", copies, " buffers ", buffers
  copies = 0

proc values() =
  var a = buffer(1, 2, 3)
  var b = a
  b.data[0] = 10
  echo a, b
  a = b
  a = a
  echo a, b
  b = move a
  echo a, "| ", b
  flush "values"

proc containers() =
  var all: seq[Buffer]
  for i in 1 .. 4: all.add buffer(i, i * i)
  var twin = all
  twin[0].data[0] = 100
  all[1] = twin[0]
  echo all[0], all[1], twin[0], twin[3]
  flush "seqs"
  twin.delete(1)
  let last = all.pop()
  echo last, twin.len
  flush "taken out"

proc refs() =
  let h = Holder(buffer: buffer(5))
  h.self = h
  h.more = @[h.buffer, h.buffer]
  h.more[0].data[0] = 6
  echo h.buffer, h.more[0], h.more[1]
  let inner = h.more[1]
  h.more.setLen 0
  echo inner
  flush "refs"

proc give(b: sink Buffer): Buffer =
  result = b
  if result.len > 0: inc result.data[0]

proc calls() =
  var a = buffer(7)
  a = give(a)
  let b = give(give(buffer(8)))
  let c = give(b)
  echo a, b, c
  flush "calls"

proc tuples() =
  var pair = (left: buffer(1), right: buffer(2))
  (pair.left, pair.right) = (pair.right, pair.left)
  swap(pair.left, pair.right)
  let (x, y) = pair
  echo pair.left, pair.right, x, y
  echo "tuples: buffers ", buffers

proc main() =
  values()
  flush "after values"
  containers()
  flush "after containers"
  refs()
  GC_fullCollect()
  flush "after refs"
  calls()
  flush "after calls"
  tuples()
  echo "sinks ran ", sinks > 0

main()
GC_fullCollect()
echo "end ", buffers
