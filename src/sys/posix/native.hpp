// What the files of this stack share: a system call's result as a Result.
#pragma once

#include <sys/types.h>
#include <cerrno>
#include <cstddef>

#include "sys/sys.hpp"

namespace usocket::sys {

inline Error last_error() noexcept { return Error(errno == EWOULDBLOCK ? EAGAIN : errno); }

inline Result<void> check(int result) noexcept {
    if (result < 0) return last_error();
    return {};
}

inline Result<std::size_t> checked_size(ssize_t result) noexcept {
    if (result < 0) return last_error();
    return static_cast<std::size_t>(result);
}

}  // namespace usocket::sys
