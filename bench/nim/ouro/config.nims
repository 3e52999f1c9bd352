# SPDX-License-Identifier: MIT
# Nim's runtime of refs and its allocator on Ouro; where Ouro is, the command line says.
patchFile("stdlib", "arc", "../../../orc/nim/arc")
patchFile("stdlib", "alloc", "../../../orc/nim/alloc")
