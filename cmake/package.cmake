# What find_package(usocket) and pkg-config read (CPP-3), twice: for the build tree as it lies, and for an install,
# which may be moved.
include(CMakePackageConfigHelpers)

set(usocket_targets ${USOCKET_KINDS})
list(TRANSFORM usocket_targets PREPEND usocket_)
set(usocket_tls_targets ${USOCKET_KINDS})
list(TRANSFORM usocket_tls_targets PREPEND usocket_tls_)

set(build_libdir ${CMAKE_LIBRARY_OUTPUT_DIRECTORY})
if(NOT build_libdir)
    set(build_libdir ${PROJECT_BINARY_DIR})
endif()
set(build_package_dir ${build_libdir}/cmake/usocket)
set(install_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/usocket)

# find_package: both share the config and version files, and have a targets file each.
configure_package_config_file(cmake/usocketConfig.cmake.in ${build_package_dir}/usocketConfig.cmake
    INSTALL_DESTINATION ${install_package_dir} NO_SET_AND_CHECK_MACRO)
configure_file(cmake/usocketConfigVersion.cmake.in ${build_package_dir}/usocketConfigVersion.cmake @ONLY)
export(TARGETS ${usocket_targets} NAMESPACE usocket:: FILE ${build_package_dir}/usocketTargets.cmake)
if(usocket_has_tls)
    export(TARGETS ${usocket_tls_targets} NAMESPACE usocket::
        FILE ${build_package_dir}/usocketTlsTargets.cmake)
    install(TARGETS ${usocket_tls_targets} EXPORT usocketTlsTargets)
    install(EXPORT usocketTlsTargets NAMESPACE usocket:: DESTINATION ${install_package_dir})
endif()
install(EXPORT usocketTargets NAMESPACE usocket:: DESTINATION ${install_package_dir})
install(FILES ${build_package_dir}/usocketConfig.cmake ${build_package_dir}/usocketConfigVersion.cmake
    DESTINATION ${install_package_dir})

# pkg-config: the installed files find their prefix from where they lie.
set(pc_names usocket)
if(usocket_has_tls)
    list(APPEND pc_names usocket-tls)
endif()
set(pc_prefix ${PROJECT_SOURCE_DIR})
set(pc_libdir ${build_libdir})
set(pc_includedir ${PROJECT_SOURCE_DIR}/include)
foreach(name IN LISTS pc_names)
    configure_file(cmake/${name}.pc.in ${build_libdir}/pkgconfig/${name}.pc @ONLY)
endforeach()

cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig
    OUTPUT_VARIABLE prefix_from_pc)
set(pc_prefix "\${pcfiledir}/${prefix_from_pc}")
set(pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
set(pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
foreach(name IN LISTS pc_names)
    configure_file(cmake/${name}.pc.in ${PROJECT_BINARY_DIR}/install/${name}.pc @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/install/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

install(TARGETS ${usocket_targets} EXPORT usocketTargets)
install(DIRECTORY include/usocket DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
