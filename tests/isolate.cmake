# SPDX-License-Identifier: MIT
# Tests of the isolate layer.
macro(ouro_isolate_test name)
    ouro_test(${name} SOURCES ${name}.c orc_kit.c WHITEBOX LABELS isolate ${ARGN})
endmacro()

ouro_isolate_test(isolate_graphs ${every})
ouro_isolate_test(isolate_races VARIANTS main checked RC biased NEEDS_THREADS TIMEOUT 120)
ouro_test(doc_isolate VARIANTS main off checked RC local atomic biased)
