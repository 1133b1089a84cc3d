#include "window.hpp"

#include <atomic>

#include "sys/sys.hpp"

// How many bytes a window shows, and how many windows there are; a small device sets less (0 windows: none).
#if !defined(USOCKET_WINDOW_SIZE)
#define USOCKET_WINDOW_SIZE 65536
#endif
#if !defined(USOCKET_WINDOWS)
#define USOCKET_WINDOWS 16
#endif

namespace usocket {
namespace {

// free -> owned -> free; a fork holds each window, from before it until after it, so that none is open then.
enum class State : std::uint32_t { free, owned, held };

struct Window {
    std::atomic<State> state{State::free};
    std::uint32_t begin = 0;  // bytes handed out
    std::uint32_t end = 0;    // bytes peeked
    std::atomic<Socket*> owner{nullptr};
    std::uint8_t bytes[USOCKET_WINDOW_SIZE];
};

constexpr std::size_t window_count = USOCKET_WINDOWS;
static_assert(window_count < 255);
Window pool[window_count == 0 ? 1 : window_count];

bool acquire(Window& window, State from, State to) noexcept {
    return window.state.compare_exchange_strong(from, to, std::memory_order_acquire, std::memory_order_relaxed);
}

}  // namespace

ConstBuffer Windows::view(const Socket& socket) noexcept {
    if (socket.window_ == 0) return {};
    const Window& window = pool[socket.window_ - 1];
    return {window.bytes + window.begin, window.end - window.begin};
}

bool Windows::open(Socket& socket) noexcept {
    for (std::size_t i = 0; i < window_count; ++i) {
        Window& window = pool[i];
        if (window.state.load(std::memory_order_relaxed) != State::free) continue;
        if (!acquire(window, State::free, State::owned)) continue;
        const auto peeked = sys::recv(socket.fd_.load(std::memory_order_relaxed), {window.bytes, sizeof window.bytes},
                                      sys::msg_peek | sys::msg_dontwait);
        window.begin = 0;
        window.end = static_cast<std::uint32_t>(peeked.value_or(0u));
        // A fork or a fileno() may have come between the caller's look and now.
        if (window.end == 0 || socket.exposed()) {
            window.state.store(State::free, std::memory_order_release);
            return false;
        }
        window.owner = &socket;
        socket.window_ = static_cast<std::uint8_t>(i + 1);
        return true;
    }
    return false;
}

void Windows::consume(Socket& socket, std::size_t count) noexcept {
    Window& window = pool[socket.window_ - 1];
    window.begin += static_cast<std::uint32_t>(count);
    if (window.begin == window.end) close(socket);
}

void Windows::close(Socket& socket) noexcept {
    if (socket.window_ == 0) return;
    Window& window = pool[socket.window_ - 1];
    // A fork that holds the window wants the reader lock, which the caller has: it lets go.
    while (!acquire(window, State::owned, State::held)) sys::yield_thread();
    if (window.begin != 0) {
        (void)sys::discard(socket.fd_.load(std::memory_order_relaxed), window.begin, {window.bytes, window.begin},
                           socket.is_tcp());
    }
    socket.window_ = 0;
    window.owner = nullptr;
    window.state.store(State::free, std::memory_order_release);
}

void Windows::moved(Socket& socket) noexcept {
    if (socket.window_ == 0) return;
    Window& window = pool[socket.window_ - 1];
    while (!acquire(window, State::owned, State::held)) sys::yield_thread();
    window.owner = &socket;
    window.state.store(State::owned, std::memory_order_release);
}

void Windows::before_fork() noexcept {
    for (std::size_t i = 0; i < window_count; ++i) {
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

const bool Windows::knows_forks_ = (sys::on_fork(before_fork, after_fork), true);

}  // namespace usocket
