# SPDX-License-Identifier: MIT
# A table of refs that threads share under a lock: each ref is counted by one thread at a time.
# options: --threads:on
# also: --gc:arc --threads:on
import std/[algorithm, locks, tables]
include parts/probe

type
  # Acyclic: a possible root noted in one thread must not die in another under Nim's own ORC.
  Account {.acyclic.} = ref object
    probe: Probe
    name: string
    total: int
    history: seq[int]
  Bank = object
    lock: Lock
    accounts: Table[string, Account]

var bank: Bank

template locked(body: untyped) =
  {.cast(gcsafe).}:
    withLock bank.lock: body

proc deposit(name: string; amount: int) =
  locked:
    var a = bank.accounts.getOrDefault(name)
    if a == nil:
      a = Account(probe: probe(), name: name)
      bank.accounts[name] = a
    a.total += amount
    a.history.add amount
    a = nil

proc replace(name: string) =
  locked:
    let old = bank.accounts[name]
    bank.accounts[name] = Account(probe: probe(), name: name, total: old.total,
                                  history: @[old.total])

proc worker(id: int) {.thread.} =
  for i in 1 .. 600:
    deposit("shared", 1)
    deposit("own" & $id, i)
    if i mod 50 == 0: replace("own" & $id)
    if i mod 3 == 0: deposit("thirds", id)

proc report() =
  var names: seq[string]
  for name in bank.accounts.keys: names.add name
  names.sort()
  for name in names:
    let a = bank.accounts[name]
    echo name, " ", a.total, " in ", a.history.len
  echo "alive ", alive

proc run() =
  initLock(bank.lock)
  var threads: array[4, Thread[int]]
  for i in 0 ..< 4: createThread(threads[i], worker, i)
  joinThreads(threads)
  report()
  bank.accounts.del("shared")
  echo "one deleted, alive ", alive
  bank.accounts = initTable[string, Account]()
  deinitLock(bank.lock)

run()
GC_fullCollect()
echo "end ", alive
