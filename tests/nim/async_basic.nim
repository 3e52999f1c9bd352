# SPDX-License-Identifier: MIT
# async procs: the order of awaits, values through futures, all, or, callbacks; none is left over.
import std/[asyncdispatch, strutils]
include parts/probe

type
  Item = ref object
    probe: Probe
    value: int
    waiting: Future[int]

var log {.threadvar.}: seq[string]

proc item(value: int): Item =
  Item(probe: probe(), value: value)

proc ready(value: int): Future[Item] {.async.} =
  return item(value)

proc later(value: int): Future[Item] {.async.} =
  let it = item(value)
  await sleepAsync(1)
  log.add "later " & $value
  return it

proc sum(n: int): Future[int] {.async.} =
  if n == 0: return 0
  let it = await ready(n)
  let rest = await sum(n - 1)
  return it.value + rest

proc producer(sink: Future[string]) {.async.} =
  log.add "producer waits"
  await sleepAsync(1)
  sink.complete("parcel")
  log.add "producer done"

proc consumer(source: Future[string]): Future[int] {.async.} =
  log.add "consumer waits"
  let text = await source
  log.add "consumer got " & text
  return text.len

proc gather(): Future[int] {.async.} =
  var futures: seq[Future[Item]]
  for i in 1 .. 5: futures.add later(i)
  let items = await all(futures)
  for it in items: result += it.value

proc firstOf(): Future[string] {.async.} =
  let slow = newFuture[void]("slow")
  let quick = ready(1)
  await slow or quick
  result = "quick " & $quick.finished & ", slow " & $slow.finished
  slow.complete()

proc selfWaiting() {.async.} =
  let it = item(9)
  it.waiting = newFuture[int]("waiting")
  it.waiting.addCallback(proc (f: Future[int]) = log.add "called back " & $(f.read + it.value))
  callSoon(proc () = it.waiting.complete(33))
  discard await it.waiting
  log.add "waited"

proc flush(title: string) =
  echo title, ": ", log.join(", ")
  log.setLen 0

proc run() =
  echo "sum ", waitFor sum(20)
  let parcel = newFuture[string]("parcel")
  let eaten = consumer(parcel)
  waitFor producer(parcel)
  echo "eaten ", waitFor eaten
  flush "order"
  echo "gathered ", waitFor gather()
  log.setLen 0
  echo waitFor firstOf()
  waitFor selfWaiting()
  flush "self"
  let done = newFuture[int]("done")
  done.callback = proc () = log.add "first"
  done.addCallback proc () = log.add "second"
  done.complete(4)
  while hasPendingOperations(): poll()
  flush "callbacks"
  echo "value ", done.read

run()
setGlobalDispatcher(newDispatcher())
GC_fullCollect()
echo "end ", alive
