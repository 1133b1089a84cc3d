// Gate: a socket's descriptor, who is inside the socket, and who else may hold the descriptor (SOCK-4, STRM-5).
// Stands here because a Socket holds one; not for programs.
#pragma once

#include <cstdint>

#include "usocket/detail/atomic.hpp"
#include "usocket/result.hpp"

namespace usocket {

struct Aside;

// The descriptor is freed by whoever leaves last after the close, so its number cannot be handed out anew under a call.
// A longjmp past Socket::unwound() can only leave the count of calls too high: then the destructor frees it.
class Gate {
public:
    static constexpr int no_fd = -1;

    // Closed.
    constexpr Gate() noexcept = default;
    explicit Gate(int fd) noexcept;
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;
    ~Gate() = default;
    // Becomes the other, which is closed then. Nobody is inside either.
    void take(Gate& other) noexcept;

    [[nodiscard]] int fd() const noexcept { return fd_.load(std::memory_order_relaxed); }
    [[nodiscard]] bool closed() const noexcept { return (word_.load(std::memory_order_acquire) & closed_bit) != 0; }

    // Counts a call in. EBADF: closed; EBUSY: as many as can be counted are inside, which leaves one for close();
    // EAGAIN: one is alone, or is about to close, which is soon over.
    Error enter() noexcept { return enter(calls_mask - 1, 1); }
    Error enter_to_close() noexcept { return enter(calls_mask, 1); }
    // Counts it out. `last`: closed, and nobody is inside any more: whoever is told so frees the descriptor.
    enum class Left : std::uint8_t { open, closed, last };
    Left leave() noexcept { return leave(1); }
    // For a few steps in which nothing waits, with signals held: nobody else is inside, or gets in. EBADF; EBUSY:
    // somebody is inside; EAGAIN as above.
    Error enter_alone() noexcept { return enter(1, calls_mask); }
    Left leave_alone() noexcept { return leave(calls_mask); }
    // From inside: nobody else enters from now on.
    struct Shut {
        bool is_first = false;      // nobody had shut it before
        bool has_others = false;    // other calls are inside
        bool has_sleepers = false;  // of which one may sleep in the system
    };
    Shut shut() noexcept;
    // From inside, if nobody else is: shut, and left. False: somebody is.
    bool shut_alone() noexcept;
    // Whoever is last takes the descriptor out, to free it or to give it away.
    int take_fd() noexcept { return fd_.exchange(no_fd, std::memory_order_acq_rel); }

    // Who asks is inside.
    [[nodiscard]] bool has_others() const noexcept;

    // --- Who else may hold the descriptor: since expose(), or a fork since it was opened
    void expose() noexcept;
#if defined(USOCKET_WITHOUT_sharing)
    // Nobody, as nothing hands it out.
    [[nodiscard]] static constexpr bool exposed() noexcept { return false; }
#else
    [[nodiscard]] bool exposed() const noexcept;
#endif
    // The same for the short way of a program with one thread, which knows how often the process has forked.
    [[nodiscard]] bool exposed(std::uint32_t forks) const noexcept {
        const std::uint32_t word = word_.load(std::memory_order_relaxed) & (exposed_bit | forks_mask);
        return word != forks << forks_shift || forks == forks_limit;
    }
    // The call that asks, inside, may sleep where only shutdown(2) ends it. Not with a descriptor that is exposed:
    // shutting that down would be felt by its other holders; and not where that does not help (needs_bell).
    bool let_sleep() noexcept;

    // What is known of the descriptor, once it is known.
    enum Fact : std::uint32_t {
        peeks_elsewhere = 0x4000,    // SO_PEEK_OFF is set: MSG_PEEK does not show the front of the queue
        stays_nonblocking = 0x2000,  // O_NONBLOCK is set and stays so, whatever the timeout is
        needs_bell = 0x1000,         // its family knows no shutdown(2)
    };
    [[nodiscard]] bool knows(Fact fact) const noexcept { return (word_.load(std::memory_order_relaxed) & fact) != 0; }
    void learn(Fact fact) noexcept { word_.fetch_or(fact, std::memory_order_relaxed); }
    void forget(Fact fact) noexcept { word_.fetch_and(~std::uint32_t{fact}, std::memory_order_relaxed); }
    // Of a duplicate of the other's descriptor the same is known.
    void learn_from(const Gate& other) noexcept {
        word_.fetch_or(other.word_.load(std::memory_order_relaxed) & facts_mask, std::memory_order_relaxed);
    }

    // --- What few sockets have. Allocated when the first needs it, freed by the socket's end.
    [[nodiscard]] Aside* aside() const noexcept { return aside_.load(std::memory_order_acquire); }
    // nullptr: no memory.
    Aside* make_aside() noexcept;
    Aside* take_aside() noexcept { return aside_.exchange(nullptr, std::memory_order_acq_rel); }

private:
    // The word: closed | exposed | process generation | forks at its opening | sleepers | facts | calls inside.
    static constexpr std::uint32_t closed_bit = 0x80000000;
    static constexpr std::uint32_t exposed_bit = 0x40000000;
    static constexpr std::uint32_t generation_mask = 0x3f000000;
    static constexpr std::uint32_t generation_shift = 24;
    static constexpr std::uint32_t forks_mask = 0x00ff0000;
    static constexpr std::uint32_t forks_shift = 16;
    static constexpr std::uint32_t forks_limit = 255;
    static constexpr std::uint32_t sleepers_bit = 0x00008000;
    static constexpr std::uint32_t facts_mask = peeks_elsewhere | stays_nonblocking | needs_bell;
    static constexpr std::uint32_t calls_mask = 0x00000fff;

    Error enter(std::uint32_t most, std::uint32_t count) noexcept;
    Left leave(std::uint32_t count) noexcept;
    static std::uint32_t in_this_process(std::uint32_t word) noexcept;
    template <class Change> std::uint32_t update(Change change) noexcept;

    Atomic<int> fd_{no_fd};
    Atomic<std::uint32_t> word_{closed_bit};
    Atomic<Aside*> aside_{nullptr};
};

}  // namespace usocket
