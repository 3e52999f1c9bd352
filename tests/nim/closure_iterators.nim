# SPDX-License-Identifier: MIT
# Closure iterators own what they capture and what their body holds, finished or abandoned half way.
include parts/probe

type
  Item = ref object
    probe: Probe
    value: int
    again: iterator (): int
  Tree = ref object
    probe: Probe
    value: int
    left, right: Tree

proc item(value: int): Item =
  Item(probe: probe(), value: value)

proc tree(lo, hi: int): Tree =
  if lo > hi: return nil
  let mid = (lo + hi) div 2
  Tree(probe: probe(), value: mid, left: tree(lo, mid - 1), right: tree(mid + 1, hi))

proc upTo(start: Item; last: int): iterator (): int =
  result = iterator (): int {.closure.} =
    var own = item(start.value)
    while own.value <= last:
      yield own.value
      inc own.value

proc walk(t: Tree): iterator (): int =
  result = iterator (): int {.closure.} =
    if t != nil:
      let left = walk(t.left)
      for value in left(): yield value
      yield t.value
      let right = walk(t.right)
      for value in right(): yield value

proc whole() =
  let next = upTo(item(1), 5)
  var line = ""
  for value in next(): line.add $value & " "
  echo "whole ", line, finished(next)

proc half() =
  let next = upTo(item(10), 20)
  echo "half ", next(), " ", next(), " ", next(), " ", finished(next), " alive ", alive

proc never() =
  let next = upTo(item(1), 5)
  echo "never started ", finished(next), " alive ", alive

proc two() =
  let start = item(1)
  let a = upTo(start, 9)
  let b = upTo(start, 9)
  echo "two ", a(), a(), a(), " ", b(), " ", a(), " ", b()

proc shared() =
  let a = upTo(item(1), 9)
  let b = a
  echo "one, twice held ", a(), b(), a(), b()

proc itself() =
  let it = item(3)
  it.again = iterator (): int {.closure.} =
    for i in 1 .. 3: yield it.value * i
  echo "held by what it captures ", it.again(), " ", it.again()

proc trees() =
  let t = tree(1, 31)
  let next = walk(t)
  var sum = 0
  for i in 1 .. 20: sum += next()
  echo "tree, 20 of 31: ", sum
  let same = walk(t)
  sum = 0
  for value in same(): sum += value
  echo "tree, all: ", sum

proc merged(a, b: iterator (): int): iterator (): int =
  result = iterator (): int {.closure.} =
    var x = a()
    var y = b()
    while not finished(a) or not finished(b):
      if finished(b) or not finished(a) and x <= y:
        yield x
        x = a()
      else:
        yield y
        y = b()

proc pipeline() =
  let next = merged(upTo(item(1), 6), upTo(item(4), 8))
  var line = ""
  for value in next(): line.add $value & " "
  echo "merged ", line

template check(run: untyped) =
  run()
  GC_fullCollect()
  echo "left ", alive

proc main() =
  check whole
  check half
  check never
  check two
  check shared
  check itself
  check trees
  check pipeline

main()
GC_fullCollect()
