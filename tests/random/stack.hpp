// The stack under the trials: what it lacks (STACK-1), and what it needs before one.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>

#if !defined(USOCKET_STACK_LACKS)
#define USOCKET_STACK_LACKS ""
#endif

namespace usocket::tests {

// By the names of src/sys/<stack>/stack.cmake.
constexpr bool lacks(std::string_view what) {
    for (std::string_view rest = USOCKET_STACK_LACKS; !rest.empty();) {
        const std::size_t end = rest.find(' ');
        if (rest.substr(0, end) == what) return true;
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
    return false;
}

// random/<stack>/worker.cpp
void prepare_stack(std::uint64_t seed);
// As ::send(); `beside` goes with the bytes, where the stack does not lack "ancillary".
ssize_t send_beside(int fd, std::string_view bytes, int beside);

}  // namespace usocket::tests
