# SPDX-License-Identifier: MIT
set(channels "")
if(OURO_CK_INCLUDE)
    set(channels channel.c channel_ends.c channel_event.c ring.c select.c)
    if(OURO_SANITIZE MATCHES "thread") # ring.c says why
        set_source_files_properties("${PROJECT_SOURCE_DIR}/isolate/ring.c" PROPERTIES
            COMPILE_OPTIONS -fno-sanitize=thread)
    endif()
endif()
ouro_layer(isolate
    SOURCES
        ${channels}
        condition.c
        escape.c
        extract.c
        flow.c
        guard.c
        held.c
        isolate.c
        lend.c
        links.c
        list.c
        lock.c
        region.c
        region_proof.c
        scope.c
        task.c
        wait.c
        walk.c
        worker.c
    PUBLIC
        channel.h
        condition.h
        guard.h
        isolated.h
        lend.h
        lock.h
        region.h
        task.h
)
