# SPDX-License-Identifier: MIT
# A small Lisp: its closures and environments refer to each other, and all of them are let go.
# not: cpp
import std/[strutils, tables]
include parts/probe

type
  Kind = enum kNil, kInt, kSymbol, kPair, kLambda, kBuiltin
  Env = ref object
    probe: Probe
    vars: Table[string, Value]
    outer: Env
  Value = ref object
    case kind: Kind
    of kNil: discard
    of kInt: number: int
    of kSymbol: name: string
    of kPair: head, tail: Value
    of kLambda:
      params, body: Value
      env: Env
    of kBuiltin: call: proc (args: seq[Value]): Value
  LispError = object of CatchableError

let none = Value(kind: kNil)

proc num(i: int): Value = Value(kind: kInt, number: i)
proc cons(a, b: Value): Value = Value(kind: kPair, head: a, tail: b)

proc fail(text: string) {.noreturn.} = raise newException(LispError, text)

proc env(outer: Env): Env =
  Env(probe: probe(), outer: outer)

iterator items(v: Value): Value =
  var at = v
  while at.kind == kPair:
    yield at.head
    at = at.tail

proc tokens(text: string): seq[string] =
  text.replace("(", " ( ").replace(")", " ) ").splitWhitespace

proc read(tokens: seq[string]; at: var int): Value =
  if at >= tokens.len: fail "unexpected end"
  let token = tokens[at]
  inc at
  if token == "(":
    var list: seq[Value]
    while at < tokens.len and tokens[at] != ")": list.add read(tokens, at)
    if at >= tokens.len: fail "missing )"
    inc at
    result = none
    for i in countdown(list.high, 0): result = cons(list[i], result)
  elif token[0].isDigit or token.len > 1 and token[0] == '-': result = num(parseInt(token))
  else: result = Value(kind: kSymbol, name: token)

proc `$`(v: Value): string =
  case v.kind
  of kNil: result = "()"
  of kInt: result = $v.number
  of kSymbol: result = v.name
  of kPair:
    for x in v: result.add (if result.len > 0: " " else: "") & $x
    result = "(" & result & ")"
  of kLambda: result = "<lambda " & $v.params & ">"
  of kBuiltin: result = "<builtin>"

proc find(e: Env; name: string): Env =
  result = e
  while result != nil and name notin result.vars: result = result.outer
  if result == nil: fail "unknown " & name

proc eval(v: Value; e: Env): Value

proc apply(f: Value; args: seq[Value]): Value =
  case f.kind
  of kBuiltin: result = f.call(args)
  of kLambda:
    let inner = env(f.env)
    var i = 0
    for p in f.params:
      if i >= args.len: fail "too few arguments"
      inner.vars[p.name] = args[i]
      inc i
    result = none
    for x in f.body: result = eval(x, inner)
  else: fail "cannot call " & $f

proc eval(v: Value; e: Env): Value =
  case v.kind
  of kSymbol: return e.find(v.name).vars[v.name]
  of kPair: discard
  else: return v
  if v.head.kind == kSymbol:
    let rest = v.tail
    case v.head.name
    of "quote": return rest.head
    of "if":
      if eval(rest.head, e).kind != kNil: return eval(rest.tail.head, e)
      elif rest.tail.tail.kind == kPair: return eval(rest.tail.tail.head, e)
      else: return none
    of "define":
      e.vars[rest.head.name] = eval(rest.tail.head, e)
      return rest.head
    of "set!":
      e.find(rest.head.name).vars[rest.head.name] = eval(rest.tail.head, e)
      return none
    of "lambda": return Value(kind: kLambda, params: rest.head, body: rest.tail, env: e)
    else: discard
  let f = eval(v.head, e)
  var args: seq[Value]
  for x in v.tail: args.add eval(x, e)
  result = apply(f, args)

proc global(): Env =
  let e = env(nil)
  template builtin(name: string; body: untyped) =
    e.vars[name] = Value(kind: kBuiltin, call: proc (args {.inject.}: seq[Value]): Value = body)
  proc truth(b: bool): Value = (if b: num(1) else: none)
  builtin "+":
    var sum = 0
    for a in args: sum += a.number
    num(sum)
  builtin "-": num(args[0].number - args[1].number)
  builtin "*": num(args[0].number * args[1].number)
  builtin "<": truth(args[0].number < args[1].number)
  builtin "=": truth(args[0].number == args[1].number)
  builtin "cons": cons(args[0], args[1])
  builtin "head": args[0].head
  builtin "tail": args[0].tail
  builtin "nil?": truth(args[0].kind == kNil)
  # Refers to the environment that it stands in.
  builtin "defined": num(e.vars.len)
  e.vars["nil"] = none
  e

const program = """
(define fib (lambda (n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2))))))
(fib 15)
(define map (lambda (f l) (if (nil? l) nil (cons (f (head l)) (map f (tail l))))))
(define range (lambda (a b) (if (< a b) (cons a (range (+ a 1) b)) nil)))
(map (lambda (x) (* x x)) (range 1 11))
(define counter (lambda (n) (lambda () (set! n (+ n 1)) n)))
(define c (counter 10))
(define d (counter 100))
(c) (c) (d) (c)
(define pair (lambda (x)
  (define even (lambda (n) (if (= n 0) 1 (odd (- n 1)))))
  (define odd (lambda (n) (if (= n 0) nil (even (- n 1)))))
  (cons (even x) (odd x))))
(pair 10)
(quote (a (b 1) ()))
fib
(define compose (lambda (f g) (lambda (x) (f (g x)))))
((compose (lambda (x) (+ x 1)) (lambda (x) (* x 2))) 20)
(unknown 1)
(1 2)
((lambda (x y) x) 1)
(defined)
"""

proc run() =
  let e = global()
  let all = tokens(program)
  var at = 0
  while at < all.len:
    let v = read(all, at)
    try: echo eval(v, e)
    except LispError as err: echo "error: ", err.msg
  for bad in ["(a", "(+ 1", ""]:
    try:
      at = 0
      discard read(tokens(bad), at)
    except LispError as err: echo "error: ", err.msg

run()
GC_fullCollect()
echo "left ", alive
for i in 1 .. 3: (proc () = doAssert global().vars.len == 11)()
GC_fullCollect()
echo "left ", alive
