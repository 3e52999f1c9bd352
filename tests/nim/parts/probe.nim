# SPDX-License-Identifier: MIT
# Included by the programs here: a field that is counted from its birth to its destructor.
type
  Probe = object
    live: bool

var alive: int # by all threads

proc `=destroy`(x: var Probe) =
  if x.live: atomicDec alive

proc `=copy`(dest: var Probe; src: Probe) {.error.}

func probe(): Probe =
  # Only what has no side effects can be seen to be isolated.
  {.cast(noSideEffect).}: discard atomicInc(alive)
  Probe(live: true)
