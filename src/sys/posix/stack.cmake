# What the build has to know of this stack: its sources, and what must be found out about the system.
file(GLOB USOCKET_STACK_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.cpp)
include(CheckIncludeFileCXX)

# linux/ or plain/: what Linux has beyond POSIX, or the same by POSIX alone
check_include_file_cxx(linux/futex.h USOCKET_HAS_LINUX)
if(USOCKET_HAS_LINUX)
    set(usocket_best_calls linux)
else()
    set(usocket_best_calls plain)
endif()
set(USOCKET_CALLS ${usocket_best_calls} CACHE STRING "which system calls there are: linux or plain")
file(GLOB usocket_calls CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/${USOCKET_CALLS}/*.cpp)
list(APPEND USOCKET_STACK_SOURCES ${usocket_calls})

# poller/: epoll or kqueue where there is one
check_include_file_cxx(sys/epoll.h USOCKET_HAS_EPOLL)
check_include_file_cxx(sys/event.h USOCKET_HAS_KQUEUE)
if(USOCKET_HAS_EPOLL)
    set(usocket_best_poller epoll)
elseif(USOCKET_HAS_KQUEUE)
    set(usocket_best_poller kqueue)
else()
    set(usocket_best_poller poll)
endif()
set(USOCKET_POLLER ${usocket_best_poller} CACHE STRING "how many descriptors are waited for: epoll, kqueue or poll")
list(APPEND USOCKET_STACK_SOURCES ${CMAKE_CURRENT_LIST_DIR}/poller/${USOCKET_POLLER}.cpp)

# constants.inc, the names that the compiler's headers have (NAME-3)
separate_arguments(flags UNIX_COMMAND "${CMAKE_CXX_COMPILER_ARG1} ${CMAKE_CXX_FLAGS}")
set(list_constants ${CMAKE_CURRENT_LIST_DIR}/list_constants.sh)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${list_constants})
execute_process(COMMAND sh ${list_constants} ${CMAKE_CXX_COMPILER} ${flags}
    OUTPUT_VARIABLE rows COMMAND_ERROR_IS_FATAL ANY)
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/constants.inc CONTENT "${rows}" @ONLY)
