# SPDX-License-Identifier: MIT
# Tests of the isolate layer.
macro(ouro_isolate_test name)
    ouro_test(${name} SOURCES ${name}.c orc_kit.c WHITEBOX LABELS isolate ${ARGN})
endmacro()

ouro_isolate_test(isolate_graphs ${every})
ouro_isolate_test(isolate_misuse ${every})
ouro_isolate_test(isolate_others ${every})
ouro_isolate_test(isolate_regions ${every})
ouro_isolate_test(isolate_region_proofs ${every})
ouro_isolate_test(isolate_region_misuse ${every})
ouro_isolate_test(isolate_region_threads VARIANTS main checked RC local atomic biased NEEDS_THREADS
                  TIMEOUT 120)
ouro_isolate_test(isolate_counters ${every})
ouro_isolate_test(isolate_races VARIANTS main checked RC biased NEEDS_THREADS TIMEOUT 120)
ouro_isolate_test(isolate_guards ${every})
ouro_isolate_test(isolate_locks ${every})
ouro_isolate_test(isolate_lock_races VARIANTS main checked RC biased NEEDS_THREADS TIMEOUT 120)
ouro_isolate_test(isolate_tasks TIMEOUT 120 ${every})
ouro_isolate_test(isolate_lend TIMEOUT 120 ${every})
ouro_isolate_test(isolate_task_storm VARIANTS main checked RC biased NEEDS_THREADS TIMEOUT 120)
ouro_isolate_test(isolate_task_threads VARIANTS main checked RC biased NEEDS_THREADS TIMEOUT 120)
ouro_isolate_test(isolate_task_edges VARIANTS main checked RC biased NEEDS_THREADS TIMEOUT 120)
ouro_test(doc_isolate VARIANTS main off checked RC local atomic biased)
ouro_test(doc_regions VARIANTS main off checked RC local atomic biased)
ouro_test(doc_tasks VARIANTS main off checked RC atomic biased) # its objects have several threads
ouro_test(doc_locks VARIANTS main off checked RC atomic biased) # its objects have several threads

# What clang's -Wthread-safety refuses of programs that use Ouro's locks.
if(NOT OURO_TEST_FOREIGN AND OURO_THREADS)
    find_program(OURO_CLANG clang)
    mark_as_advanced(OURO_CLANG)
    if(NOT OURO_CLANG)
        message(STATUS "ouro: clang is absent (package clang): isolate_locks_clang will be skipped")
    endif()
    ouro_script_test(isolate_locks_clang isolate_locks_clang.sh LABELS isolate
        ARGS "${OURO_CLANG}" "${CMAKE_CURRENT_SOURCE_DIR}/isolate_locks_clang.c"
             "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}/include/ouro")
endif()

if(OURO_CK_INCLUDE)
    ouro_isolate_test(isolate_channels ${every})
    ouro_isolate_test(isolate_channel_threads VARIANTS main checked RC biased NEEDS_THREADS TIMEOUT 120)
    ouro_test(doc_channels VARIANTS main off checked RC local atomic biased)
    ouro_test(doc_words VARIANTS main checked RC atomic biased NEEDS_THREADS)
endif()
