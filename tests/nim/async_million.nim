# SPDX-License-Identifier: MIT
# A million rounds of timers, futures and closures that refer to themselves: memory stays flat.
# few: 20000
include parts/peak
import std/asyncdispatch

type Task = ref object
  id: int
  buffer: string
  done: Future[int]
  step: proc () {.gcsafe.}
  rest: int

proc task(id: int): Task =
  let t = Task(id: id, buffer: newString(60), done: newFuture[int]("task"), rest: id mod 3)
  t.step = proc () {.gcsafe.} =
    if t.rest > 0:
      dec t.rest
      callSoon(t.step)
    elif t.id mod 16 == 0 and t.buffer.len == 60:
      t.buffer.setLen 50
      sleepAsync(0).addCallback(t.step)
    else:
      t.done.complete(t.id)
  t

proc round(i: int): Future[int] {.async.} =
  let t = task(i)
  callSoon(t.step)
  if i mod 32 == 0: await sleepAsync(0)
  return await t.done

proc part(first, last: int): Future[int] {.async.} =
  for i in first .. last: result += await round(i)

proc maxMem(): int =
  when declared(getMaxMem): getMaxMem() else: 0 # -d:useMalloc

proc main() =
  let tenth = rounds(1_000_000) div 10
  var sum, occupied, most, resident: int
  for i in 0 .. 9:
    sum += waitFor part(i * tenth + 1, (i + 1) * tenth)
    GC_fullCollect()
    if i == 0:
      occupied = getOccupiedMem()
      most = maxMem()
      resident = peakKb()
  echo "sum ", sum == 5 * tenth * (10 * tenth + 1)
  # One round holds some 700 bytes, and eight in each of 900,000 would show. With few, memcheck's
  # own memory is seen too.
  echo "flat ", getOccupiedMem() - occupied < 256 * 1024
  if full:
    doAssert maxMem() - most < 1024 * 1024, $most & " " & $maxMem()
    doAssert peakKb() - resident < 1024, $resident & " " & $peakKb()

main()
setGlobalDispatcher(newDispatcher())
GC_fullCollect()
