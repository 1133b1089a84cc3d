// Aside: what few sockets have, allocated when the first needs it: bytes kept back, and the polls that watch.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "usocket/buffer.hpp"

namespace usocket {

struct Registration;

// Bytes that a call had taken off the system's queue when it failed (TIME-6); next in line for every read.
// Guarded by the socket's reader lock; only `size` is read without it.
class Kept {
public:
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_acquire); }
    [[nodiscard]] const std::uint8_t* data() const noexcept { return data_; }

    // Room for `capacity` bytes that keep_copy() will need, so that it cannot fail. False: no memory.
    [[nodiscard]] bool reserve(std::size_t capacity) noexcept;
    // Only while empty, with that room.
    void keep_copy(const std::uint8_t* bytes, std::size_t size) noexcept;
    // Only while empty.
    void keep(Block block) noexcept;
    // Only while empty: shows memory of somebody else's, until take_back(), which returns how many bytes are left of
    // it.
    void lend(const std::uint8_t* bytes, std::size_t size) noexcept;
    std::size_t take_back(const std::uint8_t* bytes, std::size_t size) noexcept;
    // Forgets the first `count` bytes, and gives the memory back with the last one.
    void consume(std::size_t count) noexcept;
    // Gives back what was reserved and not needed.
    void trim() noexcept;
    void clear() noexcept;

private:
    std::atomic<std::size_t> size_{0};
    const std::uint8_t* data_ = nullptr;  // in the block, or what is lent
    Block block_;
};

struct Aside;

// How a socket tells the polls that watch it what the system does not know; a program that has no Poll has none.
struct WatchHooks {
    // Its kept bytes have changed, or it has been closed.
    void (*changed)(Aside& aside, bool kept, bool closed) noexcept;
    // It is gone: its registrations stand alone.
    void (*orphaned)(Aside& aside) noexcept;
};

struct Aside {
    Registration* watches = nullptr;  // guarded by poll.cpp's lock
    std::atomic<const WatchHooks*> hooks{nullptr};
    Kept kept;

    // Whether there is one that keeps bytes back.
    static bool keeps(const Aside* aside) noexcept { return aside != nullptr && !aside->kept.empty(); }
    void tell(bool closed) noexcept {
        if (const WatchHooks* set = hooks.load(std::memory_order_acquire)) set->changed(*this, !kept.empty(), closed);
    }
    void tell_orphaned() noexcept {
        if (const WatchHooks* set = hooks.load(std::memory_order_acquire)) set->orphaned(*this);
    }
};

}  // namespace usocket
