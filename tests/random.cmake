# The random tester: tests/random, a program of its own over a core whose memory may run out. By what the stack lacks
# trials leave things out (STACK-1).
file(GLOB random_sources CONFIGURE_DEPENDS
    ${CMAKE_CURRENT_SOURCE_DIR}/random/*.cpp ${CMAKE_CURRENT_SOURCE_DIR}/random/${USOCKET_STACK}/*.cpp)
set(random_core_sources ${USOCKET_STACK_SOURCES})
list(FILTER random_core_sources EXCLUDE REGEX /memory.cpp)
list(REMOVE_ITEM random_sources ${CMAKE_CURRENT_SOURCE_DIR}/random/memory.cpp)
usocket_add_core(usocket_random_core STATIC ${random_core_sources} ${CMAKE_CURRENT_SOURCE_DIR}/random/memory.cpp)
target_include_directories(usocket_random_core PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/support)
add_executable(usocket_random ${random_sources})
target_include_directories(usocket_random PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/random ${usocket_SOURCE_DIR}/src)
target_link_libraries(usocket_random PRIVATE usocket_random_core usocket_warnings Threads::Threads)
if(TARGET usocket_tls_static)
    usocket_add_tls(usocket_random_tls STATIC usocket_random_core openssl OpenSSL::SSL OpenSSL::Crypto)
    target_sources(usocket_random PRIVATE random/with_tls/secure_trial.cpp support/certificates.cpp)
    target_link_libraries(usocket_random PRIVATE usocket_random_tls OpenSSL::SSL OpenSSL::Crypto)
else()
    target_sources(usocket_random PRIVATE random/without_tls/secure_trial.cpp)
endif()
