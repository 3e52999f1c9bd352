# SPDX-License-Identifier: MIT
# Timers fire in the order of their times; what waits on them, repeats or runs out is let go.
import std/asyncdispatch
include parts/probe

type
  Job = ref object
    probe: Probe
    name: string
    rounds: int
    done: Future[void]
    again: proc () {.gcsafe.}

var log {.threadvar.}: seq[string]

proc job(name: string): Job =
  Job(probe: probe(), name: name, done: newFuture[void](name))

proc wait(j: Job; ms: int) {.async.} =
  await sleepAsync(ms)
  log.add j.name
  j.done.complete()

proc ordered() {.async.} =
  let jobs = [job("c"), job("a"), job("b")]
  let times = [900, 10, 450] # far apart: a busy machine may halt between two of the timers
  for i, j in jobs: asyncCheck j.wait(times[i])
  for j in jobs: await j.done

proc repeated(j: Job) =
  j.again = proc () {.gcsafe.} =
    inc j.rounds
    if j.rounds == 5: j.done.complete()
    else: sleepAsync(1).addCallback(j.again)
  j.again()

proc timer() {.async.} =
  let j = job("t")
  addTimer(1, oneshot = false, proc (fd: AsyncFD): bool =
    inc j.rounds
    if j.rounds == 3: j.done.complete()
    j.rounds == 3)
  await j.done
  log.add "timer " & $j.rounds

proc tooLate() {.async.} =
  let never = newFuture[int]("never")
  let soon = sleepAsync(1)
  log.add "never " & $(await never.withTimeout(10))
  log.add "soon " & $(await soon.withTimeout(250))
  never.complete(1)

proc run() =
  waitFor ordered()
  echo log
  log.setLen 0
  let j = job("again")
  repeated(j)
  waitFor j.done
  echo "rounds ", j.rounds
  waitFor timer()
  waitFor tooLate()
  echo log
  log.setLen 0
  # A withTimeout that was won leaves its timer behind.
  while hasPendingOperations(): poll()

run()
setGlobalDispatcher(newDispatcher())
GC_fullCollect()
echo "end ", alive
