// A timeout for a system call that takes a span or, for none, null.
#pragma once

#include <time.h>

#include <climits>
#include <cstdint>

#include "usocket/timeout.hpp"

namespace usocket::sys {

class Span {
public:
    explicit Span(Timeout timeout) noexcept : is_none_(timeout.is_none()) {
        if (is_none_) return;
        span_.tv_sec = static_cast<time_t>(timeout.nanoseconds() / 1'000'000'000);
        span_.tv_nsec = static_cast<long>(timeout.nanoseconds() % 1'000'000'000);
    }
    [[nodiscard]] const timespec* get() const noexcept { return is_none_ ? nullptr : &span_; }

private:
    timespec span_{};
    bool is_none_;
};

// For one that counts in milliseconds: rounded up, so that a wait is not too short.
inline int milliseconds(Timeout timeout) noexcept {
    if (timeout.is_none()) return -1;
    const std::int64_t rounded = timeout.nanoseconds() / 1'000'000 + (timeout.nanoseconds() % 1'000'000 != 0 ? 1 : 0);
    return static_cast<int>(rounded < INT_MAX ? rounded : INT_MAX);
}

}  // namespace usocket::sys
