// Inbox: the unread bytes of a stream, which have one order: what is pending, then the rest of the window or of the
// layer, then the system's queue. Stands here because a Socket holds one; not for programs.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "usocket/buffer.hpp"

namespace usocket {

class Gate;

// One reader at a time: all but has_pending() is for whoever holds the lock, or is alone in the process.
class Inbox {
public:
    constexpr Inbox() noexcept = default;
    Inbox(const Inbox&) = delete;
    Inbox& operator=(const Inbox&) = delete;
    ~Inbox() = default;
    // Becomes the other, which is empty then. Nobody reads either.
    void take(Inbox& other) noexcept;

    // --- The lock. `id`: odd, at most 24 bits; a lock that a thread held when its process forked is nobody's in the
    // child.
    [[nodiscard]] bool try_lock(std::uint32_t id) noexcept { return replace_holder(id) != not_free; }
    // The same, only if nobody has read since the reader with this id had the lock.
    [[nodiscard]] bool try_lock_again(std::uint32_t id) noexcept;
    // Somebody is about to read without the lock, who is alone.
    void forget_reader() noexcept { lock_.store(0, std::memory_order_relaxed); }
    [[nodiscard]] bool is_locked_by(std::uint32_t id) const noexcept;
    // A descriptor that is exposed by then has no window left.
    void unlock(const Gate& gate, std::uint32_t id) noexcept;
    // What changes when the lock becomes free, and its value to wait with, if somebody else holds it; else 0.
    [[nodiscard]] const std::atomic<std::uint32_t>& lock_word() const noexcept { return lock_; }
    [[nodiscard]] std::uint32_t announce_wait() noexcept;
    // Whoever waits for the lock looks again: the socket has been closed.
    void wake_waiters() noexcept;
    // With the lock or without: when it returns no window is open. While somebody reads it waits for that, which
    // is not long: nobody sleeps with an open window.
    void close_window() noexcept;
    // The same, and no call that has ended gives anything back any more (try_lock_again()). By whoever is alone inside.
    void forget_calls() noexcept;

    // --- The front: what can be had without asking the system; empty if nothing can.
    [[nodiscard]] ConstBuffer front(const Gate& gate) const noexcept;
    // Hands out the first `count` bytes of it: to a call that may yet fail.
    void consume(const Gate& gate, std::size_t count) noexcept;
    // That call succeeds: they are gone.
    void commit(const Gate& gate) noexcept;
    // That call fails, with what it has got in the sink, which is empty afterwards: all of it is unread again. False:
    // there is no memory to keep it in.
    bool give_back(Gate& gate, Sink& sink) noexcept;
    // Gets the memory that give_back() of this sink will need, and returns how many bytes more it may hold then.
    std::size_t keepable(Gate& gate, const Sink& sink) noexcept;
    // The call that had the lock last has succeeded, but what it got, which is in the sink, has reached nobody: as
    // give_back().
    bool unread(Gate& gate, Sink& sink) noexcept;
    // Another connection: what is unread of the old one is gone.
    void forget(const Gate& gate) noexcept;
    // A call ends: a layer makes what it holds known. The second is for a call that does not read.
    void settle(const Gate& gate) noexcept;
    void settle_unless_read(const Gate& gate) noexcept;

    // Bytes that the socket holds itself; from any thread.
    [[nodiscard]] static bool has_pending(const Gate& gate) noexcept;
    [[nodiscard]] bool has_window() const noexcept {
        const std::uint8_t open = window();
        return open != 0 && open < no_window;
    }

private:
    friend class Windows;

    static constexpr std::uint8_t no_window = 0x80;
    [[nodiscard]] std::uint8_t window() const noexcept { return window_.load(std::memory_order_relaxed); }
    void set_window(std::uint8_t window) noexcept { window_.store(window, std::memory_order_relaxed); }
    // Returns what the lock was; not_free: somebody has it, nothing changed.
    static constexpr std::uint32_t not_free = 0x80000000;
    std::uint32_t replace_holder(std::uint32_t id) noexcept;
    void release(std::uint32_t free) noexcept;

    std::atomic<std::uint32_t> lock_{0};
    std::atomic<std::uint8_t> window_{0};  // 1 + the number of its open window; 0 and from no_window on: none (Windows)
};

}  // namespace usocket
