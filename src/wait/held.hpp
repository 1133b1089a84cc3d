// Held: a few steps that must not be left halfway, by a signal handler that longjmps (invariant 5).
#pragma once

#include <atomic>

#include "sys/sys.hpp"

namespace usocket {

// While it lives such a signal waits, for as long as a few steps take.
class Held {
public:
    Held() noexcept { sys::hold_signals(); }
    ~Held() { sys::release_signals(); }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
};

// Where a step must show in memory before the next one begins, to whoever has jumped out in between.
inline void in_this_order() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }

}  // namespace usocket
