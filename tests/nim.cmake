# SPDX-License-Identifier: MIT
# Programs in Nim, compiled by an unmodified compiler, on Ouro: tests/nim.
find_program(OURO_NIM nim)
mark_as_advanced(OURO_NIM)
if(NOT OURO_NIM)
    message(STATUS "ouro: nim is absent (package nim): its programs are not tested")
    return()
endif()
file(GLOB programs CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/nim/*.nim")
foreach(program IN LISTS programs)
    get_filename_component(name "${program}" NAME_WE)
    set(directory "${CMAKE_CURRENT_BINARY_DIR}/nim/${name}")
    add_test(NAME nim.${name} COMMAND sh "${CMAKE_CURRENT_SOURCE_DIR}/nim.sh" "${OURO_NIM}"
             "${PROJECT_SOURCE_DIR}/orc/nim/ouro.nims"
             "${PROJECT_SOURCE_DIR}:${PROJECT_BINARY_DIR}/include/ouro" $<TARGET_FILE:ouro-static>
             "${program}" "${directory}")
    set_tests_properties(nim.${name} PROPERTIES LABELS nim TIMEOUT 300
                         FIXTURES_SETUP nim.${name})
    add_test(NAME nim.${name}.memcheck COMMAND sh "${CMAKE_CURRENT_SOURCE_DIR}/nim.sh" memcheck
             "${program}" "${directory}")
    set_tests_properties(nim.${name}.memcheck PROPERTIES LABELS "nim;valgrind" TIMEOUT 300
                         SKIP_RETURN_CODE 77 FIXTURES_REQUIRED nim.${name})
endforeach()
