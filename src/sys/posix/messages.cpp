// Messages: the system's own.
#include <netdb.h>

#include <cstring>

#include "sys/posix/native.hpp"

namespace usocket::sys {

const char* error_message(int code) noexcept { return std::strerror(code); }
const char* resolver_message(int code) noexcept { return ::gai_strerror(resolver_code(code)); }

}  // namespace usocket::sys
