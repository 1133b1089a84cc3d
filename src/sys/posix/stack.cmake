# What the build has to know of this stack: its sources, and what must be found out about the system.
file(GLOB USOCKET_STACK_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.cpp)

# poller/: epoll where there is one
include(CheckIncludeFileCXX)
check_include_file_cxx(sys/epoll.h USOCKET_HAS_EPOLL)
if(USOCKET_HAS_EPOLL)
    set(usocket_best_poller epoll)
else()
    set(usocket_best_poller poll)
endif()
set(USOCKET_POLLER ${usocket_best_poller} CACHE STRING "how many descriptors are waited for: epoll or poll")
list(APPEND USOCKET_STACK_SOURCES ${CMAKE_CURRENT_LIST_DIR}/poller/${USOCKET_POLLER}.cpp)

# constants.inc, the names that the compiler's headers have (NAME-3)
separate_arguments(flags UNIX_COMMAND "${CMAKE_CXX_FLAGS}")
set(list_constants ${CMAKE_CURRENT_LIST_DIR}/list_constants.sh)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${list_constants})
execute_process(COMMAND sh ${list_constants} ${CMAKE_CXX_COMPILER} ${flags}
    OUTPUT_VARIABLE rows COMMAND_ERROR_IS_FATAL ANY)
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/constants.inc CONTENT "${rows}" @ONLY)
