// Waiting: until when, and the one place where this stack sleeps.
#pragma once

#include "sys/lwip/lwip.hpp"

namespace usocket::sys {

// Guarded; sleeping lets go of the guard.
class Waiting {
public:
    explicit Waiting(Timeout timeout) noexcept;

    enum class Slept : std::uint8_t { some, interrupted, timed_out };
    // Until something may have happened, lwIP has to do something, or the time is over.
    Slept sleep() noexcept;

private:
    std::int64_t end_ = INT64_MAX;
};

}  // namespace usocket::sys
