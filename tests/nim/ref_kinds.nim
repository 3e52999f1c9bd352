# SPDX-License-Identifier: MIT
# Refs to what is no object (seq, string, tuple, array, number, set, proc) own what is inside.
# also: --gc:arc --threads:on
type
  Probe = object
    id: int
  Leaf = ref object
    probe: Probe
  Pair = tuple[left, right: Leaf]
  Handler = proc (x: int): int {.nimcall.}

var alive = 0

proc `=destroy`(x: var Probe) =
  if x.id != 0: dec alive

proc `=copy`(dest: var Probe; src: Probe) {.error.}

proc leaf(id: int): Leaf =
  inc alive
  Leaf(probe: Probe(id: id))

proc boxed[T](x: sink T): ref T =
  new(result)
  result[] = x

proc twice(x: int): int = 2 * x

proc numbers() =
  let a = boxed(41)
  let b = a
  inc b[]
  echo "int ", a[], " ", a == b
  let f = boxed(2.5)
  f[] *= 2
  echo "float ", f[]
  let s = boxed({1'u8, 3, 200})
  s[].incl 7
  s[].excl 3
  echo "set ", s[]
  let h = boxed(Handler(twice))
  echo "proc ", h[](21)

proc strings() =
  let s = boxed("abc")
  let t = s
  t[].add "def"
  s[][0] = 'X'
  echo "string ", s[], " ", t[].len
  var u: ref string
  new(u)
  echo "empty [", u[], "]"
  u[] = s[] & "!"
  echo "string ", u[]

proc sequences() =
  let s = boxed(@[leaf(1), leaf(2), leaf(3)])
  let t = s
  t[].add leaf(4)
  s[].delete(0)
  echo "seq ", s[].len, " alive ", alive
  t[].setLen(1)
  echo "seq ", s[].len, " alive ", alive, " first ", s[][0].probe.id

proc nested() =
  let s = boxed(@[boxed(@[boxed("x"), boxed("y")]), boxed(@[boxed("z")])])
  s[][0][][1][].add "yy"
  s[].add s[][0]
  s[][2][].add boxed("shared")
  var line = ""
  for inner in s[]:
    line.add '['
    for text in inner[]: line.add text[] & " "
    line.add ']'
  echo "nested ", line

proc tuples() =
  var pair: ref Pair
  new(pair)
  pair[] = (leaf(5), leaf(6))
  pair.left = pair.right
  echo "tuple alive ", alive, " same ", pair.left == pair.right
  swap(pair.left, pair.right)
  let copy = pair[]
  pair.left = nil
  echo "tuple copy ", copy.left.probe.id

proc arrays() =
  var grid: ref array[4, array[3, Leaf]]
  new(grid)
  for row in 0 ..< 4:
    for col in 0 ..< 3: grid[row][col] = leaf(100 + row * 10 + col)
  echo "array alive ", alive
  grid[1] = grid[2]
  echo "row shared, alive ", alive
  let row = grid[3]
  grid = nil
  echo "array gone, alive ", alive, " last ", row[2].probe.id

proc main() =
  numbers()
  strings()
  sequences()
  echo "alive ", alive
  nested()
  tuples()
  echo "alive ", alive
  arrays()
  echo "alive ", alive

main()
GC_fullCollect()
echo "end ", alive
