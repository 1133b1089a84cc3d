// Uncancelled: for the length of a call nobody ends its thread (pthread_cancel). The system would leave our frames
// without undoing anything: a lock held, a count too high, a descriptor open.
#pragma once

#include "sys/sys.hpp"

namespace usocket {

// A thread that is cancelled meanwhile ends at its next cancellation point outside. Hosts end their threads themselves,
// and may leave by a longjmp: none of it for them. Nor for who is alone: nobody can cancel it.
#if defined(USOCKET_SMALL)

class Uncancelled {
public:
    explicit Uncancelled(bool /*has_host*/ = false) noexcept {}
    ~Uncancelled() {}  // NOLINT(modernize-use-equals-default): it is used
};

#else

class Uncancelled {
public:
    explicit Uncancelled(bool has_host = false) noexcept : is_needed_(!has_host && !sys::is_only_thread()) {
        if (is_needed_) before_ = sys::hold_cancellation();
    }
    ~Uncancelled() {
        if (is_needed_) sys::release_cancellation(before_);
    }
    Uncancelled(const Uncancelled&) = delete;
    Uncancelled& operator=(const Uncancelled&) = delete;

private:
    const bool is_needed_;
    int before_ = 0;
};

#endif

}  // namespace usocket
