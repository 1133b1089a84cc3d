# usocket::tls: the engine over OpenSSL 3, static and shared like the core that it goes with. Devices have the engine over
# mbedTLS (bindings/micropython); here it is for the tests.
find_package(OpenSSL 3.0 COMPONENTS SSL Crypto)
if(NOT OpenSSL_FOUND)
    return()
endif()
set(usocket_has_tls ON)

# usocket_add_tls(<target> STATIC|SHARED <core> <engine> <library>...): src/tls/<engine>
function(usocket_add_tls target kind core engine)
    file(GLOB sources CONFIGURE_DEPENDS ${usocket_SOURCE_DIR}/src/tls/${engine}/*.cpp)
    add_library(${target} ${kind} ${sources})
    target_compile_options(${target} PRIVATE
        -fno-exceptions -fno-rtti
        $<TARGET_PROPERTY:usocket_warnings,INTERFACE_COMPILE_OPTIONS>)
    target_include_directories(${target} PRIVATE ${usocket_SOURCE_DIR}/src)
    target_link_libraries(${target} PUBLIC ${core} PRIVATE ${ARGN})
    set_target_properties(${target} PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
    if(kind STREQUAL SHARED)
        target_compile_definitions(${target} PRIVATE USOCKET_BUILDS_SHARED)
        target_link_options(${target} PRIVATE LINKER:--as-needed)
    else()
        target_compile_options(${target} PRIVATE -ffunction-sections -fdata-sections)
        set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    endif()
endfunction()

foreach(kind IN LISTS USOCKET_KINDS)
    string(TOUPPER ${kind} KIND)
    usocket_add_tls(usocket_tls_${kind} ${KIND} usocket_${kind} openssl OpenSSL::SSL OpenSSL::Crypto)
    target_sources(usocket_tls_${kind} PRIVATE ${PROJECT_SOURCE_DIR}/src/c/tls/context.cpp)
    add_library(usocket::tls_${kind} ALIAS usocket_tls_${kind})
    set_target_properties(usocket_tls_${kind} PROPERTIES OUTPUT_NAME usocket-tls EXPORT_NAME tls_${kind}
        VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
    if(NOT usocket_whole_project)
        set_target_properties(usocket_tls_${kind} PROPERTIES EXCLUDE_FROM_ALL ON)
    endif()
endforeach()
if(TARGET usocket_tls_static AND TARGET usocket_tls_shared)
    set_target_properties(usocket_tls_shared PROPERTIES EXPORT_COMPILE_COMMANDS OFF)
endif()
add_library(usocket::tls ALIAS usocket_tls_${usocket_kind})
