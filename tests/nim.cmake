# SPDX-License-Identifier: MIT
# Programs in Nim, compiled by an unmodified compiler, on Ouro: tests/nim.
find_program(OURO_NIM nim)
mark_as_advanced(OURO_NIM)
if(NOT OURO_NIM)
    message(STATUS "ouro: nim is absent (package nim): its programs are not tested")
    return()
endif()
set(nim_sh sh "${CMAKE_CURRENT_SOURCE_DIR}/nim.sh")
set(nim_ouro "${OURO_NIM}" "${PROJECT_SOURCE_DIR}/orc/nim/ouro.nims"
    "${PROJECT_SOURCE_DIR}:${PROJECT_BINARY_DIR}/include/ouro" $<TARGET_FILE:ouro-static>)
file(GLOB programs CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/nim/*.nim")
foreach(program IN LISTS programs)
    get_filename_component(name "${program}" NAME_WE)
    set(directory "${CMAKE_CURRENT_BINARY_DIR}/nim/${name}")
    add_test(NAME nim.${name} COMMAND ${nim_sh} run ${nim_ouro} "${directory}" "${program}")
    set_tests_properties(nim.${name} PROPERTIES LABELS nim TIMEOUT 300
                         FIXTURES_SETUP nim.${name})
    add_test(NAME nim.${name}.memcheck COMMAND ${nim_sh} memcheck "${directory}" "${program}")
    set_tests_properties(nim.${name}.memcheck PROPERTIES LABELS "nim;valgrind" TIMEOUT 300
                         SKIP_RETURN_CODE 77 FIXTURES_REQUIRED nim.${name})
endforeach()

# Every program once more, with threads on and for debugging, in one of these ways in turn.
set(rows c cpp "c -d:useMalloc" "c -d:nimAllocStats -d:nimThinout")
list(LENGTH rows n)
foreach(row IN LISTS rows)
    list(FIND rows "${row}" at)
    set(mine)
    foreach(program IN LISTS programs)
        list(FIND programs "${program}" i)
        math(EXPR i "${i} % ${n}")
        if(i EQUAL at)
            list(APPEND mine "${program}")
        endif()
    endforeach()
    add_test(NAME nim.also.${at} COMMAND ${nim_sh} also ${nim_ouro}
             "${CMAKE_CURRENT_BINARY_DIR}/nim/also.${at}" "${row}" ${mine})
    set_tests_properties(nim.also.${at} PROPERTIES LABELS nim TIMEOUT 300)
endforeach()
