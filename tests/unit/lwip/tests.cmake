# lwIP's own tests: as it is, and with small pools.
set(here ${CMAKE_CURRENT_LIST_DIR})
set(support ${CMAKE_CURRENT_SOURCE_DIR}/support/lwip)
usocket_stack_tests(usocket_lwip_tests usocket_static system
    ${here}/lwip_test.cpp ${here}/lasting_test.cpp ${here}/wire_test.cpp ${support}/wire.cpp)
target_include_directories(usocket_lwip_tests PRIVATE ${support})

add_library(usocket_lwip_numbers OBJECT ${here}/lwip_numbers.cpp)
target_link_libraries(usocket_lwip_numbers PRIVATE usocket_lwip)
target_compile_features(usocket_lwip_numbers PRIVATE cxx_std_20)
usocket_stack_tests(usocket_lwip_numbers_tests usocket_static system ${here}/numbers_test.cpp)
target_link_libraries(usocket_lwip_numbers_tests PRIVATE usocket_lwip_numbers)

usocket_add_lwip(usocket_lwip_scarce USOCKET_LWIP_SCARCE)
set(USOCKET_STACK_LIBRARIES usocket_lwip_scarce_core)
set(scarce_sources ${USOCKET_STACK_SOURCES})
list(FILTER scarce_sources EXCLUDE REGEX /memory.cpp)
usocket_add_core(usocket_over_scarce_lwip STATIC ${scarce_sources})
usocket_stack_tests(usocket_lwip_scarce_tests usocket_over_scarce_lwip system
    ${here}/scarce_test.cpp ${support}/wire.cpp ${support}/memory_hook.cpp)
target_include_directories(usocket_lwip_scarce_tests PRIVATE ${support})
