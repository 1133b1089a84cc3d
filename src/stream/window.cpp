#include "stream/window.hpp"

#include <atomic>
#include <cerrno>

#include "socket/aside.hpp"
#include "usocket/detail/gate.hpp"
#include "wait/held.hpp"
#include "wait/settling.hpp"

namespace usocket {
namespace {

using State = Window::State;

// Reads up to this long may be so many that a window pays, which shows this many of them.
constexpr std::size_t longest_read = 4096;
constexpr std::size_t reads_shown = 64;
constexpr std::uint8_t most_in_row = 0x7f;

// Of whoever prepares a fork, or sleeps: no call's.
constexpr std::uint32_t fork_reader = 0x00ffffff;
constexpr std::uint32_t settling_reader = 0x00fffffb;

bool acquire(Window& window, State from, State to) noexcept {
    return window.state.compare_exchange_strong(from, to, std::memory_order_acquire, std::memory_order_relaxed);
}

}  // namespace

// All zero: its memory is in no file, and nobody's until it is used.
constinit Window Windows::pool[pool_size == 0 ? 1 : pool_size];

// Not behind an urgent byte that may yet count (AF_UNIX): what is handed out would no longer be what stands in front.
// TCP takes that off before it knows of another; setsockopt() sees to SO_OOBINLINE.
Result<std::size_t> Windows::open_one(Inbox& inbox, Queue queue, std::size_t most) noexcept {
    const Held held;
    if (!queue.is_tcp && !sys::holds_nothing_urgent(queue.gate->fd())) return std::size_t{0};
    // Each receive counts what stands before a mark that was noted.
    if (const Aside* aside = queue.gate->aside(); aside != nullptr && aside->detours.before_mark() != 0)
        return std::size_t{0};
    for (std::size_t i = 0; i < pool_size; ++i) {
        Window& window = pool[i];
        if (window.state.load(std::memory_order_relaxed) != State::free) continue;
        if (!acquire(window, State::free, State::owned)) continue;
        window.begin = window.end = window.trimmed = 0;
        window.fd = queue.gate->fd();
        window.is_tcp = queue.is_tcp;
        window.owner = &inbox;
        open_windows.fetch_add(1, std::memory_order_relaxed);
        // Either this call sees that the gate is exposed, or whoever exposes it sees the window.
        inbox.window_.store(static_cast<std::uint8_t>(i + 1), std::memory_order_seq_cst);
        const MutableBuffer room = MutableBuffer(window.bytes, sizeof window.bytes).first(most);
        const auto peeked = sys::recv(queue.gate->fd(), room, sys::msg_peek | sys::msg_dontwait);
        window.end = static_cast<std::uint32_t>(peeked.value_or(0u));
        window.set_due();
        // A fork or a fileno() may have come between the caller's look and now.
        if (window.end != 0 && !queue.gate->exposed()) return peeked;
        close(inbox);
        const bool is_failed = !peeked && peeked.error() != Error(EAGAIN) && peeked.error() != Error(EINTR);
        return is_failed ? peeked : std::size_t{0};
    }
    return std::size_t{0};
}

// The third in a row looks whether there is more; where that did not pay, the next look comes after twice as many.
Result<std::size_t> Windows::open_if_it_pays(Inbox& inbox, Queue queue, std::size_t size) noexcept {
    if (size > longest_read) {
        inbox.set_window(0);
        return std::size_t{0};
    }
    unsigned reads = (inbox.window() & most_in_row) + 1u;
    if (reads > most_in_row) reads = most_in_row / 2 + 1;
    inbox.set_window(static_cast<std::uint8_t>(row + reads));
    const bool is_time = reads > 2 && (reads & (reads + 1)) == 0;
    if (!is_time || queue.gate->exposed()) return std::size_t{0};
    auto opened = open(inbox, queue, size * reads_shown);
    if (opened && *opened > size) return opened;
    if (opened) opened = std::size_t{0};
    close(inbox);
    inbox.set_window(static_cast<std::uint8_t>(row + reads));
    return opened;
}

void Windows::trim_or_finish(Inbox& inbox) noexcept {
    Window& window = of(inbox);
    if (window.begin == window.end) {
        close_open(inbox);
        inbox.set_window(used_up);
        return;
    }
    const Held held;
    trim(window);
    window.set_due();
}

// Takes what was handed out off the queue; its memory in the window serves as the place to put it.
void Windows::trim(Window& window) noexcept {
    while (window.trimmed != window.begin) {
        const auto dropped = sys::discard(window.fd, {window.bytes, window.begin - window.trimmed}, window.is_tcp);
        if (dropped.value_or(0u) != 0) {
            window.trimmed += static_cast<std::uint32_t>(*dropped);
        } else if (dropped.error() != Error(EINTR)) {
            break;  // another holder of the descriptor has been here
        }
    }
}

void Windows::close_open(Inbox& inbox) noexcept {
    const Held held;
    Window& window = of(inbox);
    // A fork that holds the window wants the inbox's lock, which the caller has: it lets go.
    while (!acquire(window, State::owned, State::held)) sys::yield_thread();
    trim(window);
    inbox.set_window(0);
    window.owner = nullptr;
    open_windows.fetch_sub(1, std::memory_order_relaxed);
    window.state.store(State::free, std::memory_order_release);
}

void Windows::forget_open(Inbox& inbox) noexcept {
    of(inbox).trimmed = of(inbox).begin;
    close_open(inbox);
}

void Windows::moved_open(Inbox& inbox) noexcept {
    Window& window = of(inbox);
    while (!acquire(window, State::owned, State::held)) sys::yield_thread();
    window.owner = &inbox;
    window.state.store(State::owned, std::memory_order_release);
}

// False: it is not open, or whoever holds the inbox's lock is about to close it or to leave.
bool Windows::close_idle(Window& window, std::uint32_t reader) noexcept {
    if (!acquire(window, State::owned, State::held)) return false;
    Inbox* owner = window.owner;
    const std::uint32_t free = owner != nullptr ? owner->replace_holder(reader) : Inbox::not_free;
    window.state.store(State::owned, std::memory_order_release);
    if (free == Inbox::not_free) return false;
    close(*owner);
    owner->release(free);
    return true;
}

void Windows::before_fork() noexcept {
    for (std::size_t i = 0; i < pool_size; ++i) {
        while (!acquire(pool[i], State::free, State::held)) {
            if (!close_idle(pool[i], fork_reader)) sys::yield_thread();
        }
    }
}

void settle() noexcept {
    const Held held;
    for (std::size_t i = 0; i < Windows::pool_size; ++i) (void)Windows::close_idle(Windows::pool[i], settling_reader);
}

void Windows::after_fork() noexcept {
    for (Window& window : pool) window.state.store(State::free, std::memory_order_release);
}

const bool Windows::knows_forks_ = (sys::on_fork(0, before_fork, after_fork), true);

}  // namespace usocket
