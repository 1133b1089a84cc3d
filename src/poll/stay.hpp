// Who is inside a poll, so that what destroys it can wait for them, as exit() does with a static one (SOCK-9).
#pragma once

#include <algorithm>
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
    explicit Stay(Poll& poll) noexcept : Stay(poll, sys::is_only_thread()) {}
    Stay(Poll& poll, const Blocking& blocking) noexcept : Stay(poll, blocking.unwinds() || sys::is_only_thread()) {}
    Stay(const Stay&) = delete;
    Stay& operator=(const Stay&) = delete;
    ~Stay() {
        if (inside_ == nullptr) return;
        const std::uint32_t word =
            update(*inside_, [](std::uint32_t now) { return now - std::min<std::uint32_t>(count_in(now), 1); });
        if ((word & ended_bit) != 0 && count_in(word) == 0) sys::wake_word(*inside_);
    }
    [[nodiscard]] bool is_over() const noexcept {
        return inside_ != nullptr && (inside_->load(std::memory_order_seq_cst) & ended_bit) != 0;
    }

    // The word: the poll is being destroyed, or has been | process generation | how many are inside.
    static constexpr std::uint32_t ended_bit = 0x80000000;
    [[nodiscard]] static std::uint32_t count(std::uint32_t word) noexcept { return count_in(in_this_process(word)); }

private:
    static constexpr std::uint32_t generation_mask = 0x7f000000;
    static constexpr std::uint32_t generation_shift = 24;

    Stay(Poll& poll, bool is_alone) noexcept : inside_(is_alone ? nullptr : &poll.inside_) {
        if (inside_ != nullptr) (void)update(*inside_, [](std::uint32_t now) { return now + 1; });
    }

    static std::uint32_t count_in(std::uint32_t word) noexcept { return word & ~(ended_bit | generation_mask); }
    // Those that a fork has left behind are not in the child.
    static std::uint32_t in_this_process(std::uint32_t word) noexcept {
        const std::uint32_t generation = (sys::process_generation() << generation_shift) & generation_mask;
        return (word & generation_mask) == generation ? word : (word & ended_bit) | generation;
    }
    // Returns what it is now.
    template <class Change> static std::uint32_t update(std::atomic<std::uint32_t>& word, Change change) noexcept {
        std::uint32_t old = word.load(std::memory_order_relaxed);
        std::uint32_t now = 0;
        do now = change(in_this_process(old));
        while (!word.compare_exchange_weak(old, now, std::memory_order_seq_cst));
        return now;
    }

    std::atomic<std::uint32_t>* inside_;
};

#endif

}  // namespace usocket
