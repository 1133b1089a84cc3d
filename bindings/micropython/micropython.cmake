# usocket as a user C module of MicroPython, for ports that are built with CMake:
#
#   cmake -DUSER_C_MODULES=<usocket>/bindings/micropython/micropython.cmake ...
#
# with MICROPY_PY_SOCKET and MICROPY_PY_SELECT defined as (0), so that the names are free.
#
# The same sources and flags as usocket/micropython.mk, which says why. -DUSOCKET_STACK_NAME=lwip puts it over lwIP, whose
# headers the firmware's target has to find; -DUSOCKET_INTERNAL_ERRNO=ON goes with MICROPY_USE_INTERNAL_ERRNO. What bounds
# it, and that the port has threads: -DUSOCKET_DEFINES="USOCKET_LWIP_THREADS;USOCKET_WINDOWS=2", or others of docs/porting.md.
# -DUSOCKET_WITHOUT="poll;creating;sharing;windows;texts;groups;quick", or some of these, leaves parts out (docs/firmware.md).

set(usocket_module ${CMAKE_CURRENT_LIST_DIR}/usocket)
get_filename_component(usocket_root ${CMAKE_CURRENT_LIST_DIR}/../.. ABSOLUTE)
set(usocket_core ${usocket_root}/src)
set(USOCKET_STACK_NAME posix CACHE STRING "what is under it: posix or lwip")
option(USOCKET_INTERNAL_ERRNO "errno has MicroPython's own numbers" OFF)
set(usocket_stack ${usocket_core}/sys/${USOCKET_STACK_NAME})
set(USOCKET_DEFINES "" CACHE STRING "macros for all of it")

set(USOCKET_WITHOUT "" CACHE STRING "parts that are left out")
foreach(usocket_part IN LISTS USOCKET_WITHOUT)
    if(NOT usocket_part MATCHES "^(poll|creating|sharing|windows|texts|groups|quick)$")
        message(FATAL_ERROR "usocket: USOCKET_WITHOUT has no part of this name: ${usocket_part}")
    endif()
endforeach()
# For the host's scan too.
set(usocket_without ${USOCKET_WITHOUT})
list(TRANSFORM usocket_without PREPEND USOCKET_WITHOUT_)
list(APPEND MICROPY_CPP_DEF_EXTRA ${usocket_without})

file(GLOB usocket_c CONFIGURE_DEPENDS ${usocket_module}/*.c)
if("poll" IN_LIST USOCKET_WITHOUT)
    list(FILTER usocket_c EXCLUDE REGEX "/(poll|callbacks|callbacks_lwip|callbacks_thread)\\.c$")
endif()
file(GLOB usocket_cxx CONFIGURE_DEPENDS ${usocket_module}/*.cpp)
file(GLOB usocket_core_cxx CONFIGURE_DEPENDS ${usocket_core}/*.cpp ${usocket_core}/*/*.cpp)
list(FILTER usocket_core_cxx EXCLUDE REGEX "/src/tls/|/constants\\.cpp$")
file(GLOB usocket_stack_cxx CONFIGURE_DEPENDS ${usocket_stack}/*.cpp)
list(FILTER usocket_stack_cxx EXCLUDE REGEX "/constants\\.cpp$")
if(USOCKET_STACK_NAME STREQUAL lwip)
    # The names that a system with BSD sockets has in its headers, for our files alone: mbedTLS would take it for such a
    # system. And which stack it is, for the host's scan too.
    set(usocket_headers ${usocket_stack}/headers)
    list(APPEND MICROPY_CPP_INC_EXTRA ${usocket_headers})
    list(APPEND MICROPY_CPP_DEF_EXTRA USOCKET_OVER_lwip)
    if(NOT "USOCKET_LWIP_THREADS" IN_LIST USOCKET_DEFINES)
        list(APPEND usocket_without USOCKET_ONE_THREAD)
    endif()
    # A port that runs lwIP itself has a `socket` over it, whatever MICROPY_PY_SOCKET is.
    list(FILTER MICROPY_SOURCE_EXTMOD EXCLUDE REGEX "/modlwip\\.c$")
    list(APPEND usocket_stack_cxx ${usocket_core}/sys/posix/memory.cpp)
else()
    # As in stack.cmake there.
    include(CheckIncludeFileCXX)
    check_include_file_cxx(linux/futex.h USOCKET_HAS_LINUX)
    check_include_file_cxx(sys/epoll.h USOCKET_HAS_EPOLL)
    check_include_file_cxx(sys/event.h USOCKET_HAS_KQUEUE)
    set(usocket_calls plain)
    if(USOCKET_HAS_LINUX)
        set(usocket_calls linux)
    endif()
    set(usocket_poller poll)
    if(USOCKET_HAS_EPOLL)
        set(usocket_poller epoll)
    elseif(USOCKET_HAS_KQUEUE)
        set(usocket_poller kqueue)
    endif()
    file(GLOB usocket_calls_cxx CONFIGURE_DEPENDS ${usocket_stack}/${usocket_calls}/*.cpp)
    list(APPEND usocket_stack_cxx ${usocket_calls_cxx} ${usocket_stack}/poller/${usocket_poller}.cpp)
endif()
list(APPEND usocket_cxx ${usocket_core_cxx} ${usocket_stack_cxx})

# The constants of NAME-3 that the compiler's headers have, for constants.cpp.
set(usocket_generated ${CMAKE_CURRENT_BINARY_DIR}/usocket-generated)
separate_arguments(usocket_flags UNIX_COMMAND "${CMAKE_CXX_FLAGS}")
if(usocket_headers)
    list(APPEND usocket_flags -I${usocket_headers})
endif()
set(usocket_list ${usocket_core}/sys/posix/list_constants.sh)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${usocket_list})
execute_process(COMMAND sh ${usocket_list} ${CMAKE_CXX_COMPILER} -DUSOCKET_SMALL ${usocket_flags}
    OUTPUT_VARIABLE usocket_rows COMMAND_ERROR_IS_FATAL ANY)
file(CONFIGURE OUTPUT ${usocket_generated}/constants.inc CONTENT "${usocket_rows}" @ONLY)

# Flags are the sources' own: those of a library would become the whole firmware's.
set_source_files_properties(${usocket_c} PROPERTIES
    COMPILE_DEFINITIONS "USOCKET_SMALL;USOCKET_HOST_HOOKS;USOCKET_OVER_${USOCKET_STACK_NAME};${usocket_without};${USOCKET_DEFINES}"
    INCLUDE_DIRECTORIES "${usocket_headers}"
    COMPILE_OPTIONS "-fno-unwind-tables;-fno-asynchronous-unwind-tables")
set_source_files_properties(${usocket_cxx} PROPERTIES
    COMPILE_DEFINITIONS "USOCKET_SMALL;USOCKET_HOST_HOOKS;${usocket_without};${USOCKET_DEFINES};$<$<BOOL:${USOCKET_INTERNAL_ERRNO}>:USOCKET_INTERNAL_ERRNO>"
    INCLUDE_DIRECTORIES "${usocket_headers}"
    COMPILE_OPTIONS "-std=c++20;-fno-exceptions;-fno-rtti;-fno-threadsafe-statics;-fno-unwind-tables;-fno-asynchronous-unwind-tables")

add_library(usermod_usocket INTERFACE)
target_sources(usermod_usocket INTERFACE ${usocket_c} ${usocket_cxx})
# The host's scan for qstrs needs them too.
target_include_directories(usermod_usocket INTERFACE ${usocket_root}/include ${usocket_core} ${usocket_generated})
target_link_libraries(usermod INTERFACE usermod_usocket)
