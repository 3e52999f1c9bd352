# SPDX-License-Identifier: MIT
# The tests of libouro-malloc.so. Valgrind replaces it, as it does libc's.
if(NOT TARGET ouro-malloc-shared OR OURO_TEST_WRAPPER)
    return()
endif()

# The compiler must not do away with what is to be looked at.
set(no_builtin -fno-builtin)
set_source_files_properties(malloc_surface.c malloc_life.c malloc_reuse.c malloc_misuse.c malloc_operators.cc
    malloc_harden.c malloc_report.c doc_malloc.c
    PROPERTIES COMPILE_OPTIONS "${no_builtin}")

set(emulated "OURO_TEST_EMULATED=$<BOOL:${OURO_EMULATED}>")
ouro_test(malloc_surface VARIANTS malloc DEFINES ${emulated})
ouro_test(malloc_misuse VARIANTS malloc DEFINES ${emulated})
ouro_test(malloc_life VARIANTS malloc TIMEOUT 120 DEFINES ${emulated})
ouro_test(malloc_reuse VARIANTS malloc DEFINES ${emulated})
if(OURO_HAVE_CXX)
    ouro_test(malloc_operators VARIANTS malloc SOURCES malloc_operators.cc PLAIN)
endif()
ouro_test(malloc_harden VARIANTS malloc DEFINES ${emulated})
ouro_test(doc_malloc VARIANTS malloc DEFINES ${emulated})
# The functions of the program have names, and callers.
ouro_test(malloc_report VARIANTS malloc LIBS m -rdynamic -Wl,--eh-frame-hdr DEFINES ${emulated})

# ouro_malloc_again(<program> <suffix> <VARIABLE=value> ...): the test again as <program>.<suffix>, in
# that environment.
function(ouro_malloc_again program suffix)
    if(NOT TARGET test-${program})
        return()
    endif()
    math(EXPR timeout "180 * ${OURO_TEST_SLOWNESS}")
    add_test(NAME ${program}.${suffix} COMMAND
        ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:test-${program}>)
    set_tests_properties(${program}.${suffix} PROPERTIES TIMEOUT ${timeout} ENVIRONMENT "${ARGN}")
endfunction()
foreach(level IN ITEMS 0 1 2 3)
    ouro_malloc_again(malloc_harden ${level} OURO_HARDEN=${level})
endforeach()
set(programs malloc_surface malloc_life malloc_misuse malloc_operators)
if(OURO_TEST_QUICK)
    set(programs malloc_surface)
endif()
foreach(program IN LISTS programs)
    foreach(level IN ITEMS 2 3)
        ouro_malloc_again(${program} harden${level} OURO_HARDEN=${level})
    endforeach()
    ouro_malloc_again(${program} profile OURO_PROFILE_RATE=4096
        "OURO_PROFILE=${CMAKE_CURRENT_BINARY_DIR}/${program}.profile")
endforeach()
ouro_malloc_again(malloc_surface harden0 OURO_HARDEN=0)
ouro_malloc_again(doc_malloc harden3 OURO_HARDEN=3)
ouro_malloc_again(malloc_surface all OURO_HARDEN=3 OURO_STATS=1 OURO_PROFILE_RATE=1
    "OURO_PROFILE=${CMAKE_CURRENT_BINARY_DIR}/malloc_surface.collapsed")

if(NOT OURO_TEST_FOREIGN)
    ouro_script_test(malloc_symbols malloc_symbols.sh
        ARGS "${CMAKE_NM}" "${PROJECT_SOURCE_DIR}/cmake/malloc.map"
             $<TARGET_FILE:ouro-malloc-shared>
        LABELS structure)
endif()

# Test suites of other programs, as Debian installs them, with the library preloaded.
if(NOT OURO_TEST_FOREIGN AND NOT OURO_TEST_QUICK)
    find_program(OURO_PYTHON python3 HINTS /usr/bin)
    find_path(OURO_GLIB_TESTS array-test PATHS /usr/libexec/installed-tests/glib NO_DEFAULT_PATH)
    mark_as_advanced(OURO_PYTHON OURO_GLIB_TESTS)

    # ouro_preload_test(<name> <suite> <argument> ...)
    function(ouro_preload_test name)
        ouro_script_test(preload.${name} preload.sh TIMEOUT 600 LABELS preload
            ARGS $<TARGET_FILE:ouro-malloc-shared> "${CMAKE_CURRENT_BINARY_DIR}/preload/${name}" ${ARGN})
    endfunction()
    # ouro_python_can(<variable> <module> ...): whether it can import them.
    function(ouro_python_can variable)
        list(JOIN ARGN "," modules)
        execute_process(COMMAND "${OURO_PYTHON}" -c "import ${modules}"
            RESULT_VARIABLE result OUTPUT_QUIET ERROR_QUIET)
        set(can FALSE)
        if(result EQUAL 0)
            set(can TRUE)
        endif()
        set(${variable} ${can} PARENT_SCOPE)
    endfunction()

    ouro_python_can(python_tests test.libregrtest test.test_gc)
    if(python_tests)
        foreach(module IN ITEMS gc weakref finalization threading subprocess)
            ouro_preload_test(python_${module} python "${OURO_PYTHON}" test_${module})
        endforeach()
    else()
        message(STATUS "CPython's own tests are not here (package libpython3-testsuite)")
    endif()
    ouro_python_can(numpy_tests numpy pytest hypothesis)
    if(numpy_tests)
        set(modules "")
        foreach(module IN ITEMS regression records indexing shape_base defchararray scalarmath api)
            list(APPEND modules numpy.core.tests.test_${module})
        endforeach()
        ouro_preload_test(numpy numpy "${OURO_PYTHON}" ${modules})
    else()
        message(STATUS "NumPy's tests are not here (packages python3-numpy python3-pytest python3-hypothesis)")
    endif()
    if(OURO_GLIB_TESTS)
        ouro_preload_test(glib glib "${OURO_GLIB_TESTS}")
    else()
        message(STATUS "GLib's tests are not here (package libglib2.0-tests)")
    endif()
endif()
