# SPDX-License-Identifier: MIT
## For a project's config.nims: include "PREFIX/share/ouro/nim/ouro.nims". Puts the modules beside this
## file in the place of Nim's, and tells where Ouro's headers and library are: as they were installed,
## or -d:ouroInclude=DIR[:DIR] and -d:ouroLib=FILE (docs/nim.md).

const
  ouroInclude {.strdefine.} = ""
  ouroLib {.strdefine.} = ""
  ouroHere = currentSourcePath()[0 ..< ^len("/ouro.nims")]
  ouroPrefix = ouroHere[0 ..< max(0, ouroHere.len - len("/share/ouro/nim"))]

proc ouroFirst(files: openArray[string]): string =
  for file in files:
    if fileExists(file): return file

proc ouroMemory(): bool =
  ## Whether the command line chooses the memory management.
  for i in 1 .. paramCount():
    let word = paramStr(i)
    for option in ["--mm:", "--mm=", "--gc:", "--gc="]:
      if word.len > option.len and word[0 ..< option.len] == option: return true

proc ouroQuoted(path: string): string =
  ## As the shell that starts the C compiler reads it.
  result = "'"
  for c in path:
    if c == '\'': result.add "'\\''"
    else: result.add c
  result.add '\''

proc ouroUse() =
  var includes = ouroInclude
  if includes == "":
    includes = ouroPrefix & "/include/ouro"
    if not fileExists(includes & "/orc/nim/nim.h"):
      quit "ouro: no headers in " & includes & "; say -d:ouroInclude=DIR"
  var lib = ouroLib
  if lib == "":
    lib = ouroFirst([ouroPrefix & "/lib/libouro.a", ouroPrefix & "/lib64/libouro.a",
                     ouroPrefix & "/lib/" & hostCPU & "-linux-gnu/libouro.a",
                     ouroPrefix & "/lib/x86_64-linux-gnu/libouro.a",
                     ouroPrefix & "/lib/aarch64-linux-gnu/libouro.a"])
    if lib == "":
      quit "ouro: no libouro.a under " & ouroPrefix & "; say -d:ouroLib=FILE"
  if not ouroMemory():
    switch("mm", "orc")
  patchFile("stdlib", "arc", ouroHere & "/arc")
  patchFile("stdlib", "alloc", ouroHere & "/alloc")
  var at = 0
  for i in 0 .. includes.len:
    if i == includes.len or includes[i] == ':':
      switch("passC", "-I" & ouroQuoted(includes[at ..< i]))
      at = i + 1
  switch("passL", ouroQuoted(lib) & " -lpthread -Wl,--gc-sections") # only what is called
  # Of what is linked into the program itself: thread-local words without a detour.
  let shared = lib.len > 3 and lib[^3 .. ^1] == ".so"
  if not shared and not compileOption("app", "lib") and not compileOption("app", "staticlib"):
    switch("passC", "-ftls-model=local-exec -DOURO_TLS_MODEL='\"local-exec\"'")

ouroUse()
