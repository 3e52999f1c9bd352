# SPDX-License-Identifier: MIT
# Tests of the orc layer: every count mode, with threads and without.
macro(ouro_orc_test name)
    ouro_test(${name} SOURCES ${name}.c orc_kit.c WHITEBOX LABELS orc ${ARGN})
endmacro()
set(every VARIANTS main off checked RC local atomic biased)
set(threaded VARIANTS main checked RC atomic biased NEEDS_THREADS)

ouro_orc_test(orc_counts ${every})
ouro_orc_test(orc_reentry ${every})
ouro_orc_test(orc_births ${every})
ouro_orc_test(orc_random ${every})
ouro_orc_test(orc_crossfire VARIANTS main RC biased NEEDS_THREADS TIMEOUT 120)
ouro_orc_test(orc_beside VARIANTS main RC biased NEEDS_THREADS)
ouro_orc_test(orc_steps ${threaded})
ouro_orc_test(orc_tokens ${threaded})
ouro_orc_test(orc_fold ${threaded})
ouro_orc_test(orc_limits ${threaded})
ouro_orc_test(orc_fork VARIANTS main checked RC biased NEEDS_THREADS TIMEOUT 120)
ouro_orc_test(orc_atfork VARIANTS main checked RC biased NEEDS_THREADS TIMEOUT 120)

ouro_orc_test(codegen VARIANTS main checked NEEDS_THREADS)
# Sanitizers and tools do not know that the stack has changed.
include(CheckFunctionExists)
check_function_exists(makecontext OURO_HAVE_MAKECONTEXT)
if(OURO_HAVE_MAKECONTEXT AND NOT OURO_SANITIZE AND NOT OURO_TEST_WRAPPER)
    ouro_orc_test(fibers ${threaded})
endif()
ouro_test(abi_json PLAIN DEFINES "OURO_ABI_PAGE=\"${PROJECT_SOURCE_DIR}/orc/abi.json\"")

# The code of README.md and of the pages of docs/ about orc.
ouro_test(doc_readme VARIANTS main off checked RC local atomic biased)
ouro_test(doc_guide VARIANTS main off checked RC local atomic biased)
ouro_test(doc_abi VARIANTS main off checked RC local atomic biased)
ouro_test(doc_counts VARIANTS main off checked RC local atomic biased)
ouro_test(doc_cycles VARIANTS main off checked RC local atomic biased)
ouro_test(doc_values VARIANTS main off checked RC local atomic biased)
ouro_test(doc_strings VARIANTS main off checked RC local atomic biased)
ouro_test(doc_checking VARIANTS main off checked)
ouro_orc_test(orc_threads ${threaded} TIMEOUT 120)
ouro_orc_test(orc_races ${threaded} TIMEOUT 120)
ouro_orc_test(orc_release ${every} TIMEOUT 120)
ouro_orc_test(orc_order ${every})
ouro_orc_test(orc_cycle ${every})
ouro_orc_test(orc_triggers ${every})
ouro_orc_test(orc_bare_triggers ${every})
ouro_orc_test(orc_values ${every}) # tails, closures, interior pointers, subtypes
ouro_orc_test(orc_filter ${every})
ouro_orc_test(orc_slot ${every}) # with weak references and reuse
ouro_orc_test(orc_reuse ${every})
ouro_orc_test(orc_owner ${threaded})
ouro_orc_test(orc_entries ${threaded} TIMEOUT 120) # with both supplies
ouro_orc_test(orc_many VARIANTS main off checked RC biased TIMEOUT 180 LONG) # threads, types, closures
ouro_orc_test(orc_leaving ${every}) # handlers of failures that leave by longjmp
ouro_orc_test(orc_misuse ${every} TIMEOUT 120) # each is named; what only the checked library finds
ouro_orc_test(orc_wrong_thread ${every} TIMEOUT 120) # local-mode objects that others reach
ouro_orc_test(orc_leaks VARIANTS main off checked TIMEOUT 120)
ouro_orc_test(bad_input VARIANTS main off checked RC local atomic biased) # docs/errors.md
ouro_orc_test(orc_exhaust ${every} TIMEOUT 120) # every allocation fails, once and for good

# Objects whose callers know the type (docs/adr/0015).
ouro_orc_test(orc_bare ${every} TIMEOUT 120)
ouro_orc_test(orc_bare_cycles ${every} TIMEOUT 120)
ouro_orc_test(orc_bare_order ${every})
ouro_orc_test(orc_bare_deep ${every} TIMEOUT 120)
ouro_orc_test(orc_bare_exhaust ${every} TIMEOUT 120)
ouro_orc_test(orc_bare_jumps ${every} TIMEOUT 120) # hooks that leave a collection
ouro_orc_test(orc_bare_threads ${threaded} TIMEOUT 120)
ouro_orc_test(orc_bare_left ${threaded} TIMEOUT 120) # candidates that no thread has
ouro_orc_test(orc_bare_beside ${threaded} TIMEOUT 120) # a giver's collections beside the receiver's drops
ouro_orc_test(orc_bare_joined VARIANTS main checked RC local atomic biased NEEDS_THREADS TIMEOUT 120) # by a thread meanwhile

# Strings and sequences.
set(hash 0)
if(OURO_XXHASH_INCLUDE)
    set(hash 1)
endif()
ouro_orc_test(strings_text ${every} DEFINES OURO_TEST_HASH=${hash} TIMEOUT 120)
ouro_orc_test(strings_seq ${every} TIMEOUT 120)
ouro_orc_test(strings_large ${every} TIMEOUT 120)
ouro_orc_test(strings_views ${every} TIMEOUT 120)
ouro_orc_test(strings_threads ${threaded} TIMEOUT 120)
# At the edges: threads of others, jumps, handles, foreign bytes (docs/edges.md).
ouro_orc_test(orc_attach ${every})
ouro_orc_test(orc_frames ${every})
set(exceptions 0) # what is compiled for them does not link with every C library's compiler
if(OURO_HAVE_CXX)
    set(exceptions 1)
    set_source_files_properties(cxx_middle.c PROPERTIES COMPILE_OPTIONS -fexceptions)
endif()
ouro_test(orc_ends SOURCES orc_ends.c orc_kit.c cxx_middle.c WHITEBOX LABELS orc ${every}
    DEFINES OURO_TEST_EXCEPTIONS=${exceptions})
ouro_orc_test(orc_unwind ${every})
ouro_orc_test(orc_unwind_values ${every})
ouro_orc_test(orc_handles ${every} TIMEOUT 120)
ouro_orc_test(orc_foreign ${every} TIMEOUT 120)
ouro_orc_test(orc_fork_load VARIANTS main checked RC biased NEEDS_THREADS TIMEOUT 120)
if(OURO_HAVE_CXX)
    ouro_test(cxx_unwind SOURCES cxx_unwind.cc cxx_middle.c PLAIN LABELS orc
        VARIANTS main off checked RC local atomic biased)
endif()
ouro_test(doc_edges VARIANTS main off checked RC local atomic biased)
ouro_test(doc_nim VARIANTS main off checked)
