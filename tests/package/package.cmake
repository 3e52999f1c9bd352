# SPDX-License-Identifier: MIT
# Tests of Ouro as others use it: installed, embedded, linked -static, opened at run time. Each
# script builds programs of its own; package/common.sh tells what they are given.

function(ouro_package_test name script)
    ouro_script_test(package.${name} package/${script} ARGS ${ARGN} LABELS package TIMEOUT 300)
    set_tests_properties(package.${name} PROPERTIES ENVIRONMENT
        "OURO_SOURCE=${PROJECT_SOURCE_DIR};OURO_BUILD=${PROJECT_BINARY_DIR};\
OURO_CMAKE=${CMAKE_COMMAND};CC=${CMAKE_C_COMPILER};CXX=${CMAKE_CXX_COMPILER};\
OURO_GENERATOR=${CMAKE_GENERATOR};OURO_THREADS=${OURO_THREADS};\
OURO_WORK=${CMAKE_CURRENT_BINARY_DIR}/package/${name}")
endfunction()

if(OURO_INSTALL)
    ouro_package_test(find_package find_package.sh)
    ouro_package_test(pkg_config pkg_config.sh)
    ouro_package_test(bench bench.sh)
    if(OURO_THREADS)
        ouro_package_test(nim nim.sh)
        set_tests_properties(package.nim PROPERTIES RESOURCE_LOCK install)
    endif()
    # All run the build's install rules, which write one manifest.
    set_tests_properties(package.find_package package.pkg_config package.bench
        PROPERTIES RESOURCE_LOCK install)
endif()
ouro_package_test(subdirectory_shared subdirectory.sh ON)
ouro_package_test(subdirectory_static subdirectory.sh OFF)
ouro_package_test(static_keeps_malloc static_malloc.sh $<TARGET_FILE:ouro-static>)
ouro_package_test(abi abi.sh $<TARGET_FILE:ouro-shared> $<TARGET_FILE:ouro-static>)
if(OURO_THREADS AND TARGET ouro-checked-shared)
    ouro_package_test(checked checked.sh
        $<TARGET_FILE:ouro-shared> $<TARGET_FILE:ouro-checked-shared>)
endif()
ouro_package_test(dlopen dlopen.sh $<TARGET_FILE:ouro-shared>)
if(OURO_THREADS AND NOT OURO_SANITIZE)
    ouro_package_test(plugin plugin.sh $<TARGET_FILE:ouro-static>)
endif()
ouro_package_test(ctypes ctypes.sh $<TARGET_FILE:ouro-shared>)
if(TARGET ouro-malloc-shared)
    ouro_package_test(malloc malloc.sh $<TARGET_FILE:ouro-malloc-shared>)
endif()
