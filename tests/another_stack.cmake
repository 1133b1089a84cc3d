# The tests of tests/unit/system over a stack that is not POSIX's, but for those that need what it lacks (STACK-1), and
# the stack's own: tests/unit/<stack>.
include(${CMAKE_CURRENT_LIST_DIR}/needs.cmake)

function(usocket_stack_tests target core labels)
    add_executable(${target} ${ARGN})
    target_link_libraries(${target} PRIVATE ${core} usocket_test_options)
    target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/support ${usocket_SOURCE_DIR}/src)
    add_dependencies(usocket_tests ${target})
    gtest_discover_tests(${target} TEST_PREFIX ${target}. DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
        TEST_FILTER "-${USOCKET_LEFT_OUT_TESTS}" PROPERTIES TIMEOUT 120 LABELS "${labels}")
endfunction()

file(GLOB system_tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/unit/system/*_test.cpp)
usocket_stack_tests(usocket_system usocket_static system ${system_tests})
target_compile_options(usocket_system PRIVATE
    -include ${CMAKE_CURRENT_SOURCE_DIR}/support/${USOCKET_STACK}/posix_names.hpp)


include(${CMAKE_CURRENT_LIST_DIR}/random.cmake)
target_sources(usocket_random PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/support/${USOCKET_STACK}/wire.cpp)
target_include_directories(usocket_random PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/support/${USOCKET_STACK})
list(JOIN USOCKET_STACK_LACKS " " lacks)
target_compile_definitions(usocket_random PRIVATE "USOCKET_STACK_LACKS=\"${lacks}\"")
target_compile_options(usocket_random PRIVATE
    -include ${CMAKE_CURRENT_SOURCE_DIR}/support/${USOCKET_STACK}/posix_names.hpp)

include(${CMAKE_CURRENT_LIST_DIR}/unit/${USOCKET_STACK}/tests.cmake)
