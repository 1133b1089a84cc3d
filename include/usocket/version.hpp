// Which version this is (NAME-5). The three numbers here are the only place that says so: the build, the packages and
// the libraries' soname take them from here. usocket.h includes it: the macros are for C, too.
#pragma once

#define USOCKET_VERSION_MAJOR 0
#define USOCKET_VERSION_MINOR 1
#define USOCKET_VERSION_PATCH 0

// For #if: USOCKET_VERSION >= USOCKET_MAKE_VERSION(0, 1, 0)
#define USOCKET_MAKE_VERSION(major, minor, patch) ((major) * 1000000 + (minor) * 1000 + (patch))
#define USOCKET_VERSION USOCKET_MAKE_VERSION(USOCKET_VERSION_MAJOR, USOCKET_VERSION_MINOR, USOCKET_VERSION_PATCH)

#define USOCKET_TEXT_OF_(number) #number
#define USOCKET_DOTTED_(major, minor, patch) \
    USOCKET_TEXT_OF_(major) "." USOCKET_TEXT_OF_(minor) "." USOCKET_TEXT_OF_(patch)
// "0.1.0"
#define USOCKET_VERSION_STRING USOCKET_DOTTED_(USOCKET_VERSION_MAJOR, USOCKET_VERSION_MINOR, USOCKET_VERSION_PATCH)

#if defined(__cplusplus) && __cplusplus >= 201703L
#include <string_view>

namespace usocket {

inline constexpr std::string_view version = USOCKET_VERSION_STRING;

}  // namespace usocket
#endif
