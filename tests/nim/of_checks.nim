# SPDX-License-Identifier: MIT
# `of`, checked conversions and their failure follow the real type of what a ref points to.
# also: -d:release --mm:arc
type
  Animal = ref object of RootObj
    name: string
  Dog = ref object of Animal
    tricks: seq[string]
  Puppy = ref object of Dog
    age: int
  Cat = ref object of Animal
    enemy: Animal
  Cage[T] = ref object of Animal
    content: T
  Plain = object of RootObj
    x: int
  Fancy = object of Plain
    y: int

proc label(a: Animal): string =
  if a == nil: "nil"
  elif a of Puppy: "puppy " & a.name & " " & $Puppy(a).age
  elif a of Dog: "dog " & a.name & " " & $Dog(a).tricks.len
  elif a of Cat: "cat " & a.name
  elif a of Cage[int]: "caged int"
  elif a of Cage[string]: "caged string"
  else: "animal " & a.name

proc convert(a: Animal): string =
  try:
    result = $Dog(a).tricks
  except ObjectConversionDefect as e:
    result = "no dog: " & $e.name

proc isFancy(p: Plain): bool = p of Fancy

proc change(p: var Plain) =
  if p of Fancy: Fancy(p).y += 1
  else: p.x += 1

proc objects() =
  var p = Plain(x: 1)
  var f = Fancy(x: 2, y: 3)
  change(p)
  change(f)
  echo p.isFancy, " ", f.isFancy, " ", p.x, " ", f.x, " ", f.y

proc swapped() =
  let cat = Cat(name: "tom")
  let dog = Dog(name: "rex", tricks: @["sit"])
  cat.enemy = dog
  var a: Animal = cat
  a = Cat(a).enemy
  echo a of Dog, " ", a of Cat, " ", Dog(a).tricks[0]
  cat.enemy = cat
  echo Cat(cat.enemy).enemy.name

proc main() =
  let all = [Animal(name: "a"), Dog(name: "d", tricks: @["x", "y"]), Puppy(name: "p", age: 1),
    Cat(name: "c"), nil, Cage[int](content: 5), Cage[string](content: "s")]
  for a in all:
    if a == nil: continue # Nim's own `of` does not survive nil in a release build.
    echo a.label, " | dog ", a of Dog, " puppy ", a of Puppy, " cat ", a of Cat, " animal ",
      a of Animal
  for i in 0 .. 3: echo convert(all[i])
  echo "nil converts ", Dog(all[4]) == nil
  echo Cage[int](all[5]).content, Cage[string](all[6]).content
  try: echo Cage[int](all[6]).content
  except ObjectConversionDefect: echo "another instance"
  objects()
  swapped()
  var wrong = 0
  for i in 1 .. 1000:
    let a = if i mod 3 == 0: Animal(Dog(name: "d")) else: Cat(name: "c", enemy: nil)
    try: Dog(a).tricks.add "t"
    except ObjectConversionDefect: inc wrong
  echo "wrong ", wrong

main()
GC_fullCollect()
