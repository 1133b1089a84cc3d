# An overlay port: it builds the checkout that it lies in.
set(SOURCE_PATH ${CMAKE_CURRENT_LIST_DIR}/../../..)

set(kind static)
if(VCPKG_LIBRARY_LINKAGE STREQUAL dynamic)
    set(kind shared)
endif()
vcpkg_check_features(OUT_FEATURE_OPTIONS features FEATURES tls USOCKET_TLS)
vcpkg_cmake_configure(SOURCE_PATH ${SOURCE_PATH} OPTIONS ${features}
    -DUSOCKET_KINDS=${kind} -DUSOCKET_INSTALL=ON -DUSOCKET_BUILD_TESTS=OFF -DUSOCKET_BUILD_EXAMPLES=OFF -DUSOCKET_BUILD_BENCH=OFF)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(PACKAGE_NAME usocket CONFIG_PATH lib/cmake/usocket)
vcpkg_fixup_pkgconfig()
vcpkg_install_copyright(FILE_LIST ${SOURCE_PATH}/LICENSE)
file(REMOVE_RECURSE ${CURRENT_PACKAGES_DIR}/debug/include ${CURRENT_PACKAGES_DIR}/debug/share)
