// replace(): what a compare-and-exchange is to a thread that is alone.
#pragma once

#include <atomic>
#include <cstdint>

#include "sys/sys.hpp"

namespace usocket {

// Stores `now` where `old` has been found, unless another thread was quicker: `old` is then what that has stored. A
// thread alone needs no locked instruction for it, which are what a call would spend most of its own time on.
template <class Word> bool replace(Word& word, std::uint32_t& old, std::uint32_t now) noexcept {
    if (!sys::is_only_thread()) return word.compare_exchange_weak(old, now, std::memory_order_seq_cst);
    word.store(now, std::memory_order_relaxed);
    return true;
}

}  // namespace usocket
