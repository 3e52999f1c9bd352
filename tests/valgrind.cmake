# SPDX-License-Identifier: MIT
# What Valgrind's tools see of objects, blocks and hand-overs: valgrind.sh runs programs under them
# and looks at the reports.
function(ouro_valgrind_program name library)
    add_executable(${name} ${ARGN})
    ouro_compile_options(${name})
    target_compile_options(${name} PRIVATE -O1 -g)
    target_link_libraries(${name} PRIVATE ${library})
endfunction()

if(NOT OURO_SANITIZE AND NOT OURO_TEST_WRAPPER AND OURO_HAVE_VALGRIND)
    foreach(variant IN ITEMS ouro ouro-checked)
        if(NOT TARGET ${variant}-shared)
            continue()
        endif()
        ouro_valgrind_program(vg_memory-${variant} ${variant}-shared vg_memory.c)
        ouro_script_test(valgrind_memory-${variant} valgrind.sh LABELS valgrind TIMEOUT 300
            ARGS memory $<TARGET_FILE:vg_memory-${variant}>)
        if(OURO_THREADS)
            ouro_valgrind_program(vg_threads-${variant} ${variant}-static vg_threads.c)
            target_compile_definitions(vg_threads-${variant} PRIVATE
                OURO_CHECKED=$<STREQUAL:${variant},ouro-checked> OURO_HAVE_VALGRIND=1)
            ouro_script_test(valgrind_threads-${variant} valgrind.sh LABELS valgrind TIMEOUT 300
                ARGS threads $<TARGET_FILE:vg_threads-${variant}>)
        endif()
    endforeach()
    foreach(program IN ITEMS isolate_graphs isolate_races isolate_lock_races isolate_channels
                            isolate_channel_threads isolate_lend isolate_region_threads
                            isolate_tasks isolate_task_storm isolate_task_threads)
        if(TARGET test-${program}.biased)
            ouro_script_test(valgrind_${program} valgrind.sh LABELS valgrind TIMEOUT 300
                ARGS quiet $<TARGET_FILE:test-${program}.biased>)
        endif()
    endforeach()
elseif(NOT OURO_HAVE_VALGRIND)
    message(STATUS "ouro: Valgrind's headers are absent: its tests are left out")
endif()
