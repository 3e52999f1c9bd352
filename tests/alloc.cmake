# SPDX-License-Identifier: MIT
# The tests of alloc/.
ouro_test(alloc_sizes VARIANTS main off checked)
ouro_test(alloc_blocks VARIANTS main off checked)
ouro_test(alloc_misuse VARIANTS main off checked)
ouro_test(alloc_limits VARIANTS main off checked)
ouro_test(alloc_options VARIANTS main off)
ouro_test(alloc_supply VARIANTS main off)
ouro_test(alloc_pages WHITEBOX VARIANTS main off checked)
ouro_test(alloc_huge WHITEBOX VARIANTS main off checked TIMEOUT 120)
ouro_test(alloc_threads WHITEBOX NEEDS_THREADS TIMEOUT 120)
ouro_test(alloc_fork NEEDS_THREADS TIMEOUT 120)
ouro_test(alloc_atfork NEEDS_THREADS)
ouro_test(alloc_exit WHITEBOX NEEDS_THREADS)
# It has a calloc of its own. (Where libc has no other name for its own, notes need no memory: musl.)
if(OURO_TEST_LIBC_NAMES AND NOT OURO_SANITIZE AND NOT OURO_TEST_WRAPPER)
    ouro_test(alloc_setspecific WHITEBOX NEEDS_THREADS)
endif()
ouro_test(alloc_stack WHITEBOX NEEDS_THREADS)
ouro_test(alloc_locked VARIANTS main off)
ouro_test(alloc_system_limit NEEDS_THREADS)
ouro_test(alloc_stats VARIANTS main off checked)
ouro_test(alloc_random WHITEBOX VARIANTS main checked NEEDS_THREADS)

# The machine code of the inlined paths, as a program has it: optimised, with and without -fPIC.
if(CMAKE_OBJDUMP AND NOT OURO_SANITIZE AND NOT OURO_TEST_WRAPPER AND NOT OURO_TEST_FOREIGN)
    foreach(pic IN ITEMS ON OFF)
        add_library(fastpath-pic-${pic} OBJECT fastpath.c)
        ouro_compile_options(fastpath-pic-${pic})
        target_compile_options(fastpath-pic-${pic} PRIVATE -O2 -g0)
        set_target_properties(fastpath-pic-${pic} PROPERTIES POSITION_INDEPENDENT_CODE ${pic})
        target_link_libraries(fastpath-pic-${pic} PRIVATE ouro-shared)
    endforeach()
    ouro_script_test(fastpath fastpath.sh
        ARGS "${CMAKE_OBJDUMP}" $<TARGET_OBJECTS:fastpath-pic-ON> $<TARGET_OBJECTS:fastpath-pic-OFF>
        LABELS structure)
endif()

# With jemalloc. Its own locks are hidden from sanitizers.
if(TARGET ouro-jemalloc-shared AND NOT OURO_SANITIZE)
    ouro_test(alloc_jemalloc LIBS ouro-jemalloc-shared)
    ouro_test(alloc_jemalloc_static WHITEBOX SOURCES alloc_jemalloc.c LIBS ouro-jemalloc-static)
endif()

# The pages of docs/.
ouro_test(doc_memory VARIANTS main off)
ouro_test(doc_options PLAIN DEFINES "OURO_OPTIONS_PAGE=\"${PROJECT_SOURCE_DIR}/docs/options.md\"")
