// Lock: for the few steps on lists that several threads share. A child of fork finds it free.
#pragma once

#include <cstdint>

#include "sys/sys.hpp"
#include "usocket/detail/atomic.hpp"

namespace usocket {

class Lock {
public:
    void lock() noexcept {
        const std::uint32_t mine = sys::process_generation() + 1;
        if (sys::is_only_thread()) return word_.store(mine, std::memory_order_relaxed);
        for (;;) {
            std::uint32_t holder = 0;
            if (word_.compare_exchange_strong(holder, mine, std::memory_order_acquire)) return;
            if (holder != mine && word_.compare_exchange_strong(holder, mine, std::memory_order_acquire)) return;
            sys::yield_thread();
        }
    }
    [[nodiscard]] bool try_lock() noexcept {
        const std::uint32_t mine = sys::process_generation() + 1;
        std::uint32_t holder = word_.load(std::memory_order_relaxed);
        return holder != mine && word_.compare_exchange_strong(holder, mine, std::memory_order_acquire);
    }
    [[nodiscard]] bool is_free() const noexcept { return word_.load(std::memory_order_relaxed) == 0; }
    void unlock() noexcept { word_.store(0, std::memory_order_release); }

private:
    Atomic<std::uint32_t> word_{0};  // 0, or 1 + the holder's process generation
};

// For a scope in which nothing waits.
class Locked {
public:
    explicit Locked(Lock& lock) noexcept : lock_(lock) { lock_.lock(); }
    ~Locked() { lock_.unlock(); }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;

private:
    Lock& lock_;
};

}  // namespace usocket
