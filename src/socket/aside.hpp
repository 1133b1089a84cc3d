// Aside: what few sockets have, allocated when the first needs it.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "stream/layer.hpp"
#include "stream/pending.hpp"
#include "sys/sys.hpp"
#include "usocket/detail/atomic.hpp"
#include "usocket/detail/gate.hpp"
#include "usocket/result.hpp"
#include "wait/held.hpp"
#include "wait/lock.hpp"
#include "wait/replace.hpp"

namespace usocket {

struct Aside;
struct Registration;

// How a socket tells the polls that watch it what the system does not know; a program that has no Poll has none.
struct WatchHooks {
    // Its pending bytes have changed, or it has been closed.
    void (*changed)(Aside& aside, bool pending, bool closed) noexcept;
    // Others may hold its descriptor from now on.
    void (*exposed)(Aside& aside) noexcept;
    // It is gone: its registrations stand alone.
    void (*orphaned)(Aside& aside) noexcept;
};

// How long unfinished reads of a shared stream have waited for more than `there`. For whoever holds the inbox's lock.
struct Standstill {
    std::uint32_t process = sys::process_generation();  // whose: a child of fork has not waited yet
    std::size_t there = 0;
    std::int64_t waited = 0;    // in nanoseconds
    bool was_full = false;      // the queue was taken for full, and that was right: something came then
    bool was_stuck = false;     // it was taken for full the last time
    bool is_refilled = false;   // the last time something came soon after
    std::size_t left = 0;       // how much was left of it then
    std::int64_t taken_at = 0;  // and when, if nothing has come since
};

// What calls watch beside a descriptor that is not to be shut down, so that close() ends them (SOCK-4). One that a
// child of fork has inherited would ring in its parent too: it opens its own.
class Bell {
public:
    // no_fd: this process has none.
    [[nodiscard]] sys::Fd fd() const noexcept {
        const std::uint32_t word = word_.load(std::memory_order_acquire);
        return is_own(word) ? fd_of(word) : sys::no_fd;
    }
    // The same, opened if need be. no_fd: no descriptor is left for it.
    sys::Fd open() noexcept {
        std::uint32_t word = word_.load(std::memory_order_acquire);
        if (is_own(word)) return fd_of(word);
        const Held held;
        const auto opened = sys::bell_open();
        if (!opened) return sys::no_fd;
        const std::uint32_t made = generation() | (static_cast<std::uint32_t>(*opened) + 1);
        const bool is_new =
            fd_of(made) == *opened && word_.compare_exchange_strong(word, made, std::memory_order_acq_rel);
        const sys::Fd useless = is_new ? fd_of(word) : *opened;
        if (useless != sys::no_fd) sys::close(useless);
        return fd();
    }
    // Of whoever is alone.
    void close() noexcept {
        const sys::Fd fd = fd_of(word_.exchange(0, std::memory_order_acq_rel));
        if (fd != sys::no_fd) sys::close(fd);
    }

private:
    // The word: process generation | 1 + the descriptor; 0: none.
    static constexpr std::uint32_t fd_mask = 0x00ffffff;
    static std::uint32_t generation() noexcept { return sys::process_generation() << 24; }
    static sys::Fd fd_of(std::uint32_t word) noexcept { return static_cast<sys::Fd>(word & fd_mask) - 1; }
    static bool is_own(std::uint32_t word) noexcept {
        return fd_of(word) != sys::no_fd && (word & ~fd_mask) == generation();
    }

    Atomic<std::uint32_t> word_{0};
};

// A connection attempt. Why it has failed the system tells one of those who wait for it; here the others learn it.
#if defined(USOCKET_SMALL)
// They do not.
class Attempt {
public:
    static std::uint32_t number() noexcept { return 0; }
    static void note(Error /*told*/) noexcept {}
    template <class Ask> static Error outcome(std::uint32_t /*number*/, Ask ask) noexcept { return ask(); }
};
#else
class Attempt {
public:
    // Which one there is.
    [[nodiscard]] std::uint32_t number() noexcept {
        const Held held;
        const Locked alone(lock_);
        return number_;
    }
    // What connect(2) has said.
    void note(Error told) noexcept {
        const Held held;
        const Locked alone(lock_);
        if (told == Error(EINPROGRESS)) {
            ++number_;
            has_failed_ = false;
        }
    }
    // How the one of this number has ended; `ask` asks the system.
    template <class Ask> Error outcome(std::uint32_t number, Ask ask) noexcept {
        const Held held;
        const Locked alone(lock_);
        const Error told = ask();
        if (told == Error() || told == Error(ECONNABORTED)) {
            const bool is_known = (number != number_ || has_failed_) && failure_ != Error();
            return told != Error() && is_known ? failure_ : told;
        }
        has_failed_ = true;
        failure_ = told;
        return told;
    }

private:
    Lock lock_;
    std::uint32_t number_ = 0;
    bool has_failed_ = false;
    Error failure_;  // of the last that has failed
};
#endif

// What keeps calls from their short ways, in one word for those to look at: SO_RCVTIMEO or SO_SNDTIMEO may be set;
// bytes stand before an urgent mark that nothing else tells of.
class Detours {
public:
    [[nodiscard]] bool any() const noexcept { return word_.load(std::memory_order_relaxed) != 0; }
    [[nodiscard]] bool has_spans() const noexcept { return (word_.load(std::memory_order_relaxed) & spans_bit) != 0; }
    void set_spans(bool is_set) noexcept {
        update([=](std::uint32_t word) { return (word & ~spans_bit) | (is_set ? spans_bit : 0); });
    }
    // How many bytes, at most; fewer if another holder of the descriptor has read. 0: there is no such mark.
    [[nodiscard]] std::size_t before_mark() const noexcept { return word_.load(std::memory_order_relaxed) >> 1; }
    void set_before_mark(std::size_t count) noexcept {
        update([=](std::uint32_t word) { return (word & spans_bit) | static_cast<std::uint32_t>(count << 1); });
    }
    // So many have come off the queue. A receive ends at the mark, so none of them stood behind it unless they are
    // more.
    void pass(std::size_t count) noexcept {
        if (before_mark() == 0) return;
        update([=](std::uint32_t word) {
            const std::size_t before = word >> 1;
            return (word & spans_bit) | static_cast<std::uint32_t>((before - std::min(before, count)) << 1);
        });
    }

private:
    static constexpr std::uint32_t spans_bit = 1;
    template <class Change> void update(Change change) noexcept {
        std::uint32_t word = word_.load(std::memory_order_relaxed);
        while (!replace(word_, word, change(word))) {
        }
    }

    Atomic<std::uint32_t> word_{0};
};

struct Aside {
    Registration* watches = nullptr;  // guarded by the polls' lock
    Atomic<const WatchHooks*> hooks{nullptr};
    Pending pending;
    Standstill standstill;
    Error early;  // told by the system before the bytes that had come before it; for whoever holds the inbox's lock
    Atomic<Layer*> layer{nullptr};  // of a wrapped socket, until it is closed
    // It has something to read, or the end, of which the system does not know. (No bool: where a processor lacks
    // atomics, a firmware supplies those of four bytes.)
    Atomic<unsigned> layer_holds{0};
    Atomic<unsigned> layer_waits{0};  // its waits_for
    Lock looking;                     // whoever finds out what the layer holds; a poll then keeps both alive by it
    Lock switching;                   // O_NONBLOCK, for one system call
    [[no_unique_address]] Attempt attempt;
    Atomic<int> lowat{1};  // SO_RCVLOWAT, as this program has set it
    Detours detours;
    Bell bell;
    int proto = 0;              // if it is too large for the socket itself
    void* host_word = nullptr;  // Socket::host_word()

    // There is something to read, whatever the system says (POLL-5).
    [[nodiscard]] bool has_unread() const noexcept {
        return !pending.empty() || layer_holds.load(std::memory_order_acquire) != 0;
    }

    // What it holds now; returns whether that is news.
    bool note_held(bool holds) noexcept {
        const unsigned now = holds ? 1 : 0;
        return layer_holds.exchange(now, std::memory_order_acq_rel) != now;
    }
    // The same of what it waits for.
    bool note_waits(const Layer& of) noexcept {
        const unsigned waits = of.waits_for.load(std::memory_order_relaxed);
        if (layer_waits.load(std::memory_order_relaxed) == waits) return false;
        return layer_waits.exchange(waits, std::memory_order_acq_rel) != waits;
    }
    // By whoever has locked `looking`. What the front has is known already.
    Seen look() noexcept {
        Layer* shown = layer.load(std::memory_order_acquire);
        if (shown == nullptr || layer_holds.load(std::memory_order_relaxed)) return Seen::nothing;
        const Seen seen = shown->hooks->look(*shown);
        if (seen == Seen::something) (void)note_held(true);
        return seen;
    }

#if defined(USOCKET_WITHOUT_poll)
    void tell(bool /*closed*/) noexcept {}
    void tell_exposed() noexcept {}
    void tell_orphaned() noexcept {}
#else
    void tell(bool closed) noexcept {
        if (const WatchHooks* set = hooks.load(std::memory_order_acquire)) set->changed(*this, has_unread(), closed);
    }
    void tell_exposed() noexcept {
        if (const WatchHooks* set = hooks.load(std::memory_order_seq_cst)) set->exposed(*this);
    }
    void tell_orphaned() noexcept {
        if (const WatchHooks* set = hooks.load(std::memory_order_acquire)) set->orphaned(*this);
    }
#endif
};

// A poll of the system's shows nothing, though there is something to read: another holder of the descriptor has set
// SO_RCVLOWAT. What the program itself has set is meant (TIME-9). `aside` may be null.
[[nodiscard]] bool is_overlooked(sys::Fd fd, const Aside* aside) noexcept;

// SO_RCVTIMEO or SO_SNDTIMEO is set, as far as is known: those that somebody sets by the descriptor's number are, once
// a call has met them (TIME-7). Where no call sleeps in the system nobody has to know before it waits.
inline bool has_spans(const Gate& gate) noexcept {
    const Aside* aside = sys::calls_sleep ? gate.aside() : nullptr;
    return aside != nullptr && aside->detours.has_spans();
}
inline bool has_detours(const Gate& gate) noexcept {
    const Aside* aside = gate.aside();
    return aside != nullptr && aside->detours.any();
}
inline void note_spans(Gate& gate, bool is_set) noexcept {
    if (!sys::calls_sleep) return;
    Aside* aside = is_set ? gate.make_aside() : gate.aside();
    if (aside != nullptr) aside->detours.set_spans(is_set);
}

// A wrapped socket's layer, else null. A small device whose module has no TLS does not even look.
#if defined(USOCKET_SMALL) && !defined(USOCKET_TLS)
constexpr Layer* layer_of(const Gate& /*gate*/) noexcept { return nullptr; }
#else
inline Layer* layer_of(const Gate& gate) noexcept {
    const Aside* aside = gate.aside();
    return aside == nullptr ? nullptr : aside->layer.load(std::memory_order_acquire);
}
#endif

}  // namespace usocket
