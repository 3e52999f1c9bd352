# SPDX-License-Identifier: MIT
# Tests of runtimes.
ouro_orc_test(runtime_values ${every})
ouro_orc_test(runtime_end VARIANTS main off checked RC biased)
ouro_orc_test(runtime_memory VARIANTS main off checked RC biased)
ouro_orc_test(runtime_beside VARIANTS main checked RC biased NEEDS_THREADS TIMEOUT 120)
ouro_orc_test(runtime_cross VARIANTS main off checked RC atomic biased)
ouro_orc_test(runtime_threads VARIANTS main checked RC biased NEEDS_THREADS TIMEOUT 120)
ouro_orc_test(runtime_many VARIANTS main off checked RC biased TIMEOUT 120)
ouro_test(doc_runtimes VARIANTS main off checked LIBS ${CMAKE_DL_LIBS})

# A plug-in that is opened and closed: its symbols of Ouro are those of the program's library.
if(OURO_THREADS AND TARGET ouro-shared)
    add_library(test-plugin MODULE plugin.c)
    ouro_compile_options(test-plugin)
    set_target_properties(test-plugin PROPERTIES PREFIX "" OUTPUT_NAME plugin)
    target_include_directories(test-plugin PRIVATE
        $<TARGET_PROPERTY:ouro-shared,INTERFACE_INCLUDE_DIRECTORIES>)
    set(slow 0)
    if(OURO_SANITIZE OR OURO_TEST_WRAPPER)
        set(slow 1)
    endif()
    ouro_test(runtime_types VARIANTS main checked NEEDS_THREADS LIBS ${CMAKE_DL_LIBS} TIMEOUT 120
        DEFINES "PLUGIN_PATH=\"$<TARGET_FILE:test-plugin>\"" PLUGIN_SLOW=${slow})
    foreach(program IN ITEMS test-runtime_types test-runtime_types.checked)
        if(TARGET ${program})
            add_dependencies(${program} test-plugin)
        endif()
    endforeach()
endif()
