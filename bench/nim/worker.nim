# SPDX-License-Identifier: MIT
## The same programs in Nim, with --mm:orc, on Nim's own runtime or on Ouro (ouro/worker.nim). Takes
## the options of worker/worker.c and prints the same line.
import std/[parseopt, strutils]
import common, work_refs, work_cycles, work_values

when compileOption("threads"):
  import work_handover

  proc haveHadAThread() =
    ## Libraries that look for that have seen it.
    var thread: Thread[void]
    createThread(thread, proc () {.thread.} = discard)
    joinThread(thread)
else:
  proc haveHadAThread() = discard
  proc handover(): Deed = quit("handover needs threads", 2)

proc statusKib(key: string): int =
  for line in lines("/proc/self/status"):
    if line.startsWith(key):
      return parseInt(line.splitWhitespace()[1])

proc run(workload, dir: string): Deed =
  case workload
  of "trees": trees()
  of "trees-acyclic": treesAcyclic()
  of "list": list()
  of "list-cyclic": listCyclic()
  of "shuffle": shuffle()
  of "shuffle-cold": shuffleCold()
  of "strings": strings()
  of "seqs": seqs()
  of "words": words(dir)
  of "rings": rings()
  of "graph": graph()
  of "live": live()
  of "closures": closures()
  of "handover": handover()
  else: quit("no such workload", 2)

proc main() =
  var workload = ""
  var dir = "/usr/share/doc"
  var repetitions = 3
  var options = initOptParser(shortNoVal = {}, longNoVal = @["quick"])
  for kind, key, value in options.getopt():
    case key
    of "workload": workload = value
    of "dir": dir = value
    of "quick": quick = true
    of "repetitions": repetitions = parseInt(value)
    else: discard
  haveHadAThread()
  let idle = statusKib("VmRSS")
  if workload in ["rings", "graph", "live"]:
    GC_disableOrc()                   # only what is asked for
  let warmUps = if workload == "words": 0 else: 1
  var figures: seq[string]
  var deed: Deed
  for i in 1 - warmUps .. repetitions:
    deed = run(workload, dir)
    if i > 0:
      figures.add formatFloat(deed.ns / float(deed.ops), ffDecimal, 4)
  echo "{\"workload\":\"", workload, "\",\"ops\":", deed.ops, ",\"ns_per_op\":[",
    figures.join(","), "],\"base_ns_per_op\":0,\"check\":\"", deed.check,
    "\",\"peak_rss_kib\":", statusKib("VmHWM"), ",\"idle_rss_kib\":", idle,
    ",\"malloc\":\"nim\",\"version\":\"", NimVersion, "\"}"

main()
