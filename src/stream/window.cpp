#include "stream/window.hpp"

#include <atomic>
#include <cerrno>

#include "wait/held.hpp"
#include "sys/sys.hpp"

namespace usocket {
namespace {

using State = Window::State;

// Reads up to this long may be so many that a window pays, which shows this many of them.
constexpr std::size_t longest_read = 4096;
constexpr std::size_t reads_shown = 64;
constexpr std::uint8_t most_in_row = 0x7f;

bool acquire(Window& window, State from, State to) noexcept {
    return window.state.compare_exchange_strong(from, to, std::memory_order_acquire, std::memory_order_relaxed);
}

}  // namespace

Window Windows::pool[pool_size == 0 ? 1 : pool_size];

Result<bool> Windows::open(Socket& socket, std::size_t most) noexcept {
    const Held held;
    for (std::size_t i = 0; i < pool_size; ++i) {
        Window& window = pool[i];
        if (window.state.load(std::memory_order_relaxed) != State::free) continue;
        if (!acquire(window, State::free, State::owned)) continue;
        window.begin = 0;
        window.end = 0;
        window.owner = &socket;
        socket.window_ = static_cast<std::uint8_t>(i + 1);
        const auto peeked =
            sys::recv(socket.fd_.load(std::memory_order_relaxed),
                      MutableBuffer(window.bytes, sizeof window.bytes).first(most), sys::msg_peek | sys::msg_dontwait);
        window.end = static_cast<std::uint32_t>(peeked.value_or(0u));
        // A fork or a fileno() may have come between the caller's look and now.
        if (window.end != 0 && !socket.exposed()) return true;
        close(socket);
        const bool is_failed = !peeked && peeked.error() != Error(EAGAIN) && peeked.error() != Error(EINTR);
        return is_failed ? Result<bool>(peeked.error()) : false;
    }
    return false;
}

// The third in a row looks whether there is more; where that did not pay, the next look comes after twice as many.
Result<bool> Windows::open_for_reads(Socket& socket, std::size_t size) noexcept {
    if (size > longest_read) {
        socket.window_ = 0;
        return false;
    }
    unsigned reads = (socket.window_ & most_in_row) + 1u;
    if (reads > most_in_row) reads = most_in_row / 2 + 1;
    socket.window_ = static_cast<std::uint8_t>(row + reads);
    const bool is_time = reads > 2 && (reads & (reads + 1)) == 0;
    if (!is_time || socket.exposed()) return false;
    const auto opened = open(socket, size * reads_shown);
    if (view(socket).size() > size) return true;
    close(socket);
    socket.window_ = static_cast<std::uint8_t>(row + reads);
    return opened ? false : opened;
}

void Windows::finish(Socket& socket) noexcept {
    close_open(socket);
    socket.window_ = used_up;
}

void Windows::close_open(Socket& socket) noexcept {
    const Held held;
    Window& window = *of(socket);
    // A fork that holds the window wants the reader lock, which the caller has: it lets go.
    while (!acquire(window, State::owned, State::held)) sys::yield_thread();
    while (window.begin != 0) {
        const auto dropped =
            sys::discard(socket.fd_.load(std::memory_order_relaxed), {window.bytes, window.begin}, socket.is_tcp());
        if (dropped.value_or(0u) != 0) {
            window.begin -= static_cast<std::uint32_t>(*dropped);
        } else if (dropped.error() != Error(EINTR)) {
            break;  // another holder of the descriptor has been here
        }
    }
    socket.window_ = 0;
    window.owner = nullptr;
    window.state.store(State::free, std::memory_order_release);
}

void Windows::moved(Socket& socket) noexcept {
    if (!is_open(socket)) return;
    Window& window = *of(socket);
    while (!acquire(window, State::owned, State::held)) sys::yield_thread();
    window.owner = &socket;
    window.state.store(State::owned, std::memory_order_release);
}

void Windows::before_fork() noexcept {
    for (std::size_t i = 0; i < pool_size; ++i) {
        Window& window = pool[i];
        for (;;) {
            if (acquire(window, State::free, State::held)) break;
            if (acquire(window, State::owned, State::held)) {
                // Whoever holds the reader lock is about to close the window or to leave: wait for that.
                Socket* owner = window.owner;
                const bool is_locked = owner != nullptr && owner->try_lock_reader(Socket::fork_reader);
                window.state.store(State::owned, std::memory_order_release);
                if (is_locked) {
                    close(*owner);
                    owner->unlock_reader();
                    continue;
                }
            }
            sys::yield_thread();
        }
    }
}

void Windows::after_fork() noexcept {
    for (Window& window : pool) window.state.store(State::free, std::memory_order_release);
}

const bool Windows::knows_forks_ = (sys::on_fork(0, before_fork, after_fork), true);

}  // namespace usocket
