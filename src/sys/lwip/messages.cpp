// Messages: the C library's, and those of resolving.
#include <netdb.h>

#include <cstring>

#include "sys/sys.hpp"

namespace usocket::sys {

// The C library knows no other numbers than its own.
#if defined(USOCKET_INTERNAL_ERRNO)
const char* error_message(int) noexcept { return ""; }
#else
const char* error_message(int code) noexcept { return std::strerror(code); }
#endif

const char* resolver_message(int code) noexcept {
    switch (code) {
        case EAI_BADFLAGS: return "Bad value for flags";
        case EAI_NONAME: return "Name or service not known";
        case EAI_AGAIN: return "Temporary failure in name resolution";
        case EAI_FAIL: return "Failure in name resolution";
        case EAI_FAMILY: return "Address family not supported";
        case EAI_SOCKTYPE: return "Socket type not supported";
        case EAI_SERVICE: return "Service not supported for this socket type";
        case EAI_MEMORY: return "Memory allocation failure";
        default: return "Unknown resolver error";
    }
}

}  // namespace usocket::sys
