// Who is inside a poll, so that what destroys it can wait for them, as exit() does with a static one (SOCK-9).
#pragma once

#include <atomic>
#include <cstdint>

#include "poll/state.hpp"
#include "wait/blocking.hpp"

namespace usocket {

#if defined(USOCKET_SMALL)

class Poll::Stay {
public:
    explicit Stay(Poll& /*poll*/) noexcept {}
    Stay(Poll& /*poll*/, const Blocking& /*blocking*/) noexcept {}
    [[nodiscard]] static bool is_over() noexcept { return false; }
};

#else

// A wait or a registering, for its length. A wait that a longjmp would leave counted is not counted.
class Poll::Stay {
public:
    // In the count: the poll is being destroyed, or has been.
    static constexpr std::uint32_t ended_bit = 0x80000000;

    explicit Stay(Poll& poll) noexcept : Stay(poll, sys::is_only_thread()) {}
    Stay(Poll& poll, const Blocking& blocking) noexcept : Stay(poll, blocking.unwinds() || sys::is_only_thread()) {}
    Stay(const Stay&) = delete;
    Stay& operator=(const Stay&) = delete;
    ~Stay() {
        if (inside_ != nullptr && inside_->fetch_sub(1, std::memory_order_seq_cst) == (ended_bit | 1)) {
            sys::wake_word(*inside_);
        }
    }
    [[nodiscard]] bool is_over() const noexcept {
        return inside_ != nullptr && (inside_->load(std::memory_order_seq_cst) & ended_bit) != 0;
    }

private:
    Stay(Poll& poll, bool is_alone) noexcept : inside_(is_alone ? nullptr : &poll.inside_) {
        if (inside_ != nullptr) inside_->fetch_add(1, std::memory_order_seq_cst);
    }

    std::atomic<std::uint32_t>* inside_;
};

#endif

}  // namespace usocket
