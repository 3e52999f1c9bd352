# SPDX-License-Identifier: MIT
# What is alive at the end is listed by the name of its type, where a drop or a collection told one:
# leaks_named.err. The compiler names objects; of generic ones it tells a hash that its C files have
# (nim.sh looks it up), of other refs nothing.
# leaks: 1
# options-2: -d:nimTypeNames
type
  Account = ref object
    next: Account
    name: string
  Boxed = object
    self: ref Boxed
  Base = ref object of RootObj
    peer: Base
  Special = ref object of Base
  Third = ref object of Special
    x: int
  Box[T] = ref object
    value: T
    next: Box[T]
  Pair[K, V] = ref object
    key: K
    value: V
    self: Pair[K, V]
  Names = ref object
    kids: seq[Names]
    words: seq[string]
  Kinded = ref object
    case deep: bool
    of true: self: Kinded
    of false: discard
  Plain {.acyclic.} = ref object
    a: int
  Handler = ref object
    call: proc ()
  Failure = object of CatchableError
    about: Account

# No owner: what is in it is alive at the end, and memcheck can see that.
var
  held: array[64, pointer]
  count = 0

proc keep[T](x: ref T) =
  GC_ref(x)
  held[count] = cast[pointer](x)
  inc count
  var again = x
  again = nil # a drop, which tells the type if that can be in a cycle

proc handler() =
  let h = Handler()
  h.call = proc () = h.call = nil
  keep h

proc main() =
  for i in 1 .. 3: keep Account(name: "account " & $i)
  keep (ref Boxed)()
  keep Base()
  keep Special(peer: Third())
  keep Box[int]()
  keep Box[string](value: "text")
  keep Pair[string, Account](value: Account())
  keep Names(kids: @[Names(words: @["a", "b"]), Names()])
  keep Kinded(deep: true)
  keep Plain()
  keep newException(Failure, "failure")
  handler()
  GC_fullCollect()
  echo "kept ", count

main()
