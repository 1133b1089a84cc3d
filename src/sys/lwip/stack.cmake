# What the build has to know of this stack: its sources, what it lacks, lwIP itself and the port to it.
file(GLOB USOCKET_STACK_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.cpp)
list(APPEND USOCKET_STACK_SOURCES
    ${CMAKE_CURRENT_LIST_DIR}/../posix/constants.cpp ${CMAKE_CURRENT_LIST_DIR}/../posix/memory.cpp)
# Each has names of its own that others have as well.
set_source_files_properties(${USOCKET_STACK_SOURCES} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)

# STACK-1: what it cannot do, beside what TCP, UDP, IPv4 and IPv6 are. Tests skip by this list and by nothing else
# (tests/needs.cmake, tests/conformance/run.py).
#   unix       AF_UNIX, and pairs of datagrams
#   fork       descriptors that a child shares with its parent
#   files      descriptors of files and pipes: in a poll, for sendfile(), and the process's own table of them
#   ancillary  what comes beside a message
#   options    what lwIP has no option for: SO_PEEK_OFF, SO_REUSEPORT, TCP_INFO, SO_TYPE's flags, sizes of buffers
#   errors     ICMP's errors of datagrams, urgent bytes, the error queue
#   services   services by name, and a resolver of the system's
#   loopback   addresses of 127.0.0.0/8 other than 127.0.0.1
#   nonblock   a descriptor that blocks in the system, and a type that asks for one that does not
#   layout     addresses and numbers that are the system's own: the former have their length in the first byte
set(USOCKET_STACK_LACKS unix fork files ancillary options errors services loopback nonblock layout)

enable_language(C)
set(USOCKET_LWIP_DIR ${PROJECT_SOURCE_DIR}/build/lwip-2.2/tree CACHE PATH "lwIP's sources (tools/lwip)")
set(USOCKET_LWIP_PORT ${CMAKE_CURRENT_LIST_DIR}/linux CACHE PATH "the port: port.c, lwipopts.h, arch/cc.h")
if(NOT EXISTS ${USOCKET_LWIP_DIR}/src/core/tcp.c)
    message(FATAL_ERROR "lwIP's sources are not there; tools/lwip gets them, or -DUSOCKET_LWIP_DIR names others")
endif()

# usocket_add_lwip(<target> <definition>...): lwIP with the port's options, and the port; and <target>_core, what a core
# over it is compiled with, where the headers of a system with BSD sockets are this stack's own.
find_package(Threads REQUIRED)
function(usocket_add_lwip target)
    set(here ${usocket_SOURCE_DIR}/src/sys/lwip)
    file(GLOB lwip_sources CONFIGURE_DEPENDS ${USOCKET_LWIP_DIR}/src/core/*.c ${USOCKET_LWIP_DIR}/src/core/ipv[46]/*.c)
    add_library(${target} STATIC ${lwip_sources} ${USOCKET_LWIP_PORT}/port.c)
    target_include_directories(${target} SYSTEM PUBLIC ${USOCKET_LWIP_DIR}/src/include)
    target_include_directories(${target} PUBLIC ${USOCKET_LWIP_PORT} PRIVATE ${usocket_SOURCE_DIR}/src)
    target_compile_definitions(${target} PUBLIC ${ARGN})
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)
    # Its own business: it shifts into signs and the like.
    target_compile_options(${target} PRIVATE -w)
    if(USOCKET_SANITIZE)
        target_compile_options(${target} PRIVATE -fno-sanitize=undefined)
    endif()
    target_link_libraries(${target} PUBLIC Threads::Threads)
    add_library(${target}_core INTERFACE)
    target_include_directories(${target}_core BEFORE INTERFACE ${here}/headers)
    target_link_libraries(${target}_core INTERFACE ${target})
    target_compile_definitions(${target}_core INTERFACE USOCKET_LWIP_THREADS)
endfunction()
usocket_add_lwip(usocket_lwip)
target_compile_definitions(usocket_lwip_core INTERFACE
    USOCKET_LWIP_SOCKETS=4096 USOCKET_LWIP_DATAGRAMS=1024 USOCKET_LWIP_RCVBUF=212992)
set(USOCKET_STACK_LIBRARIES usocket_lwip_core)

# constants.inc, the names that those headers have (NAME-3)
set(list_constants ${CMAKE_CURRENT_LIST_DIR}/../posix/list_constants.sh)
execute_process(COMMAND sh ${list_constants} ${CMAKE_CXX_COMPILER} -I${CMAKE_CURRENT_LIST_DIR}/headers
    OUTPUT_VARIABLE rows COMMAND_ERROR_IS_FATAL ANY)
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/constants.inc CONTENT "${rows}" @ONLY)
