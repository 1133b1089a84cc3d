// Atomic: what the threads of a program share, as std::atomic. Stands here because a Socket holds some; not for
// programs.
#pragma once

#include <atomic>
#include <utility>

namespace usocket {

#if defined(USOCKET_ONE_THREAD)

// Where there never is a second one it is a plain value: neither fences nor locked instructions are of any use. What
// interrupts touch is a std::atomic there, too.
template <class T> class Atomic {
public:
    constexpr Atomic(T value) noexcept : value_(value) {}
    Atomic(const Atomic&) = delete;
    Atomic& operator=(const Atomic&) = delete;

    operator T() const noexcept { return value_; }
    T operator=(T value) noexcept { return value_ = value; }
    [[nodiscard]] T load(std::memory_order = {}) const noexcept { return value_; }
    void store(T value, std::memory_order = {}) noexcept { value_ = value; }
    T exchange(T value, std::memory_order = {}) noexcept { return std::exchange(value_, value); }
    bool compare_exchange_strong(T& old, T now, std::memory_order = {}) noexcept {
        const bool is_same = value_ == old;
        if (is_same) {
            value_ = now;
        } else {
            old = value_;
        }
        return is_same;
    }
    bool compare_exchange_weak(T& old, T now, std::memory_order = {}) noexcept {
        return compare_exchange_strong(old, now);
    }
    T fetch_sub(T count, std::memory_order = {}) noexcept { return exchange(value_ - count); }
    T fetch_or(T bits, std::memory_order = {}) noexcept { return exchange(value_ | bits); }
    T fetch_and(T bits, std::memory_order = {}) noexcept { return exchange(value_ & bits); }

private:
    T value_;
};

#else

template <class T> using Atomic = std::atomic<T>;

#endif

}  // namespace usocket
