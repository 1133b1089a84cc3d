// Pending: what has left the system's queue and has not been returned (TIME-6); next in line for every read.
#pragma once

#include <cstddef>
#include <cstdint>

#include "usocket/buffer.hpp"
#include "usocket/detail/atomic.hpp"

namespace usocket {

// A call takes bytes by consume(). If it succeeds it says commit(); else give_back(), which undoes that and adds what
// the call had got besides. Guarded by the reader lock; only empty() is for everybody. A child of fork finds it empty:
// the bytes are its parent's.
class Pending {
public:
    // There are none that no call has consumed.
    [[nodiscard]] bool empty() const noexcept { return left_.load(std::memory_order_acquire) == 0 || is_parents(); }
    // Those that there are.
    [[nodiscard]] ConstBuffer front() const noexcept;
    void consume(std::size_t count) noexcept { left_.fetch_sub(count, std::memory_order_acq_rel); }
    void commit() noexcept;
    // The sink holds what was consumed and, if that was all, what came behind it. False: no memory, nothing changed.
    bool give_back(Sink& sink) noexcept;
    // After commit(), undoes that of the last call, whose bytes the sink holds. False: no memory, nothing changed.
    bool unread(Sink& sink) noexcept;
    // Gets memory for a sink that cannot give its own away, so that give_back() cannot fail: for all that it may come
    // to hold, or for less if there is not so much. Returns how many bytes more it may hold.
    std::size_t reserve(const Sink& sink) noexcept;
    void clear() noexcept;
    // Neither bytes nor memory for some.
    [[nodiscard]] bool is_unused() const noexcept { return size_ == 0 && reserve_.data == nullptr; }

private:
    [[nodiscard]] bool is_parents() const noexcept;

    Atomic<std::size_t> left_{0};  // not consumed; they end where the block ends
    std::size_t size_ = 0;         // with what the call that reads has consumed
    Block block_;
    Block reserve_;
    Atomic<std::uint32_t> generation_{0};  // of the process whose they are
};

}  // namespace usocket
