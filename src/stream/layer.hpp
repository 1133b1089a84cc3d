// Layer: what makes a stream's bytes out of those in the system's queue, and back, where something does: TLS. It stands
// where Reader and Outbox would ask the system; nothing else of a socket knows whether there is one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "sys/sys.hpp"
#include "usocket/buffer.hpp"
#include "usocket/result.hpp"

namespace usocket {

class Blocking;
struct Layer;

// What a look has found to read.
enum class Seen : std::uint8_t {
    nothing,    // the system's queue is empty
    so_far,     // nothing yet: there was more than is worth one look
    something,  // or the end
    unknown,    // another call has its hands on it, or is being woken for it: there may be something, for now
};

// Each waits, where it must, through the call's Blocking. What a call leaves halfway, whatever ended it, a later one
// goes on with.
struct LayerHooks {
    // The system's socket is connected: agrees with the peer. Does nothing the second time.
    Result<void> (*establish)(Layer& layer, Blocking& waiting) noexcept;
    // By the reader, when the front is empty: until there is something in it, or the stream has ended, which is true.
    Result<bool> (*refill)(Layer& layer, Blocking& waiting) noexcept;
    // By the reader, when its call ends: makes the front of what has been taken off the system's queue, so that nothing
    // is unread of which a poll does not know. Whether there is something to read, or the end.
    bool (*settle)(Layer& layer) noexcept;
    // By a poll, which the system has shown that something has come: takes it off the system's queue until it is known
    // whether there is something to read, or the end. What comes may be of no use to a program, as a server's tickets
    // for later sessions. Leaves the front alone, and waits for nothing.
    Seen (*look)(Layer& layer) noexcept;
    // How many bytes have gone out. They count once the system has all of them; when the call ends before, the next
    // send of the same bytes goes on with them.
    Result<std::size_t> (*send)(Layer& layer, Blocking& waiting, ConstBuffer data) noexcept;
    // Tells the peer that nothing more will be sent.
    Result<void> (*end_sending)(Layer& layer, Blocking& waiting) noexcept;
    // For `fd`, a connection that the listener has accepted: a layer that agrees with the peer when the first call
    // needs it; or ENOMEM. By several threads at once.
    Result<Layer*> (*another)(const Layer& listener, sys::Fd fd) noexcept;
    // The socket is closed, and nobody is inside: says goodbye, as far as that needs no wait, and frees the layer.
    void (*release)(Layer& layer) noexcept;
};

// Instead of events: what can be read is only known after a look.
inline constexpr unsigned waits_for_plaintext = 0x40000000;

// Which of several calls waits at the system's queue. The system wakes it for what comes, and nobody would tell it that
// another has taken that meanwhile: so nobody else takes anything. Those that want some wait until it has gone.
class Watch {
public:
    // Of a call, by its address.
    static std::uint32_t id_of(const void* call) noexcept {
        return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(call) >> 3) & ~waiters_bit;
    }
    [[nodiscard]] bool is_free() const noexcept { return word_.load(std::memory_order_acquire) == 0; }
    [[nodiscard]] bool is_anothers(std::uint32_t id) const noexcept {
        const std::uint32_t holder = word_.load(std::memory_order_acquire) & ~waiters_bit;
        return holder != 0 && holder != id;
    }
    // Nobody else has it.
    void take(std::uint32_t id) noexcept {
        std::uint32_t none = 0;
        (void)word_.compare_exchange_strong(none, id, std::memory_order_seq_cst);
    }
    // False: the call did not have it.
    bool give_up(std::uint32_t id) noexcept {
        if ((word_.load(std::memory_order_relaxed) & ~waiters_bit) != id) return false;
        if ((word_.exchange(0, std::memory_order_seq_cst) & waiters_bit) != 0) sys::wake_word(word_);
        return true;
    }
    // What changes when it becomes free, and its value to wait with; 0: it is free.
    [[nodiscard]] const std::atomic<std::uint32_t>& word() const noexcept { return word_; }
    [[nodiscard]] std::uint32_t announce_wait() noexcept {
        std::uint32_t holder = word_.load(std::memory_order_seq_cst);
        while (holder != 0 && !word_.compare_exchange_weak(holder, holder | waiters_bit, std::memory_order_seq_cst)) {
        }
        return holder == 0 ? 0 : holder | waiters_bit;
    }

private:
    static constexpr std::uint32_t waiters_bit = 0x80000000;
    std::atomic<std::uint32_t> word_{0};  // somebody waits | the call's id; 0: free
};

struct Layer {
    const LayerHooks* hooks = nullptr;
    // Whose it is (sys::process_generation()): a child of fork has none of what it holds. A server's is nobody's until
    // the client has said something to whoever listens to it.
    static constexpr std::uint32_t nobody = UINT32_MAX;
    std::atomic<std::uint32_t> process{nobody};
    bool is_server = false;
    std::atomic<bool> is_established{false};
    // Until it is: what the system has to show before a call gets further, whatever that call is for. Then
    // waits_for_plaintext. 0: that of a socket that listens, which has no peer.
    std::atomic<unsigned> waits_for{0};
    std::atomic<bool> has_shut_reading{false};  // this side, by shutdown()
    std::atomic<bool> has_failed{false};        // for good
    Watch watch;

    // --- The front; for whoever holds the inbox's lock
    std::uint8_t* bytes = nullptr;
    std::size_t begin = 0;
    std::size_t end = 0;
    bool has_told_failure = false;

    [[nodiscard]] ConstBuffer front() const noexcept { return {bytes + begin, end - begin}; }
    void consume(std::size_t count) noexcept { begin += count; }
};

}  // namespace usocket
