# SPDX-License-Identifier: MIT
# Twenty thousand self-cycles that hold 100 KB each come and go: two gigabytes pass, few stay.
# few: 2000
include parts/peak

type
  Holder = ref object
    buffer: seq[byte]
    text: string
    self: Holder

proc make(i: int): int =
  let h = Holder(buffer: newSeq[byte](100_000))
  h.buffer[i] = 7
  h.self = h
  for at in countup(i mod 16, 99_999, 16): result += int(h.self.buffer[at])

proc strings(i: int): int =
  let h = Holder(text: newStringOfCap(100_000))
  h.text.add "x"
  h.self = h
  h.self.text.len

proc main() =
  let count = rounds(20_000)
  var sum = 0
  for i in 1 .. count: sum += make(i)
  echo "buffers ", sum == 7 * count
  sum = 0
  for i in 1 .. 2_000: sum += strings(i)
  echo "strings ", sum
  if full: doAssert peakKb() < 64 * 1024, $peakKb() # Nim's own ORC lets pile up what it may
  GC_fullCollect()
  # What is left then is nothing: the last cycles were collected too.
  echo "small at the end ", getOccupiedMem() < 1_000_000

main()
GC_fullCollect()
