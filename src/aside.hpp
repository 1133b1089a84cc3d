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
    [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
    [[nodiscard]] const std::uint8_t* data() const noexcept { return block_.data + begin_; }

    // Room for `capacity` bytes that keep_copy() will need, so that it cannot fail. False: no memory.
    [[nodiscard]] bool reserve(std::size_t capacity) noexcept;
    // Only while empty, with that room.
    void keep_copy(const std::uint8_t* bytes, std::size_t size) noexcept;
    // Only while empty.
    void keep(Block block) noexcept;
    // Forgets the first `count` bytes, and gives the memory back with the last one.
    void consume(std::size_t count) noexcept;
    // Gives back what was reserved and not needed.
    void trim() noexcept;
    void clear() noexcept;

private:
    Block block_;
    std::size_t begin_ = 0;
    std::atomic<std::size_t> size_{0};
};

struct Aside {
    Kept kept;
    Registration* watches = nullptr;  // guarded by poll.cpp's lock
};

// poll.cpp: tells the polls that watch a socket what the system does not know. To be called after each change.
void notify_watches(Aside& aside, bool readable, bool closed) noexcept;
// The socket is gone: its registrations stand alone.
void orphan_watches(Aside& aside) noexcept;

}  // namespace usocket
