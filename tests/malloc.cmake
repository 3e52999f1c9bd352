# SPDX-License-Identifier: MIT
# The tests of libouro-malloc.so. Valgrind replaces it, as it does libc's.
if(NOT TARGET ouro-malloc-shared OR OURO_TEST_WRAPPER)
    return()
endif()

# The compiler must not do away with what is to be looked at.
set(no_builtin -fno-builtin)
set_source_files_properties(malloc_surface.c malloc_life.c malloc_misuse.c malloc_operators.cc
    PROPERTIES COMPILE_OPTIONS "${no_builtin}")

set(emulated "OURO_TEST_EMULATED=$<BOOL:${OURO_EMULATED}>")
ouro_test(malloc_surface VARIANTS malloc DEFINES ${emulated})
ouro_test(malloc_misuse VARIANTS malloc DEFINES ${emulated})
ouro_test(malloc_life VARIANTS malloc TIMEOUT 120 DEFINES ${emulated})
if(OURO_HAVE_CXX)
    ouro_test(malloc_operators VARIANTS malloc SOURCES malloc_operators.cc PLAIN)
endif()
if(NOT OURO_TEST_FOREIGN)
    ouro_script_test(malloc_symbols malloc_symbols.sh
        ARGS "${CMAKE_NM}" "${PROJECT_SOURCE_DIR}/cmake/malloc.map"
             $<TARGET_FILE:ouro-malloc-shared>
        LABELS structure)
endif()
