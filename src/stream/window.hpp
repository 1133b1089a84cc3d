// Windows: how readline() reads fast without reading ahead (STRM-5).
//
// A window is a copy, got by MSG_PEEK, of the front of a socket's receive queue. Lines are handed out of it while
// the queue still holds them: {handed out | not yet}. It is discarded from the queue in one call when its second
// part becomes empty, or when anything but a stream method touches the socket. A poll stays right because the
// queue is never empty while an open window has bytes to give.
//
// Only for a descriptor that nobody else holds; a few windows serve all sockets, and before a fork all are closed.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "usocket/buffer.hpp"
#include "usocket/socket.hpp"

// How many bytes a window shows, and how many windows there are; a small device sets less (0 windows: none).
#if !defined(USOCKET_WINDOW_SIZE)
#define USOCKET_WINDOW_SIZE 262144
#endif
#if !defined(USOCKET_WINDOWS)
#define USOCKET_WINDOWS 16
#endif

namespace usocket {

struct Window {
    // free -> owned -> free; a fork holds each window, from before it until after it, so that none is open then.
    enum class State : std::uint32_t { free, owned, held };

    std::atomic<State> state{State::free};
    std::uint32_t begin = 0;  // bytes handed out
    std::uint32_t end = 0;    // bytes peeked
    std::atomic<Socket*> owner{nullptr};
    std::uint8_t bytes[USOCKET_WINDOWS == 0 ? 1 : USOCKET_WINDOW_SIZE];

    [[nodiscard]] ConstBuffer view() const noexcept { return {bytes + begin, end - begin}; }
};

class Windows {
public:
    // Under the socket's reader lock, all of them.
    // The socket's open window, or null.
    static Window* of(const Socket& socket) noexcept { return is_open(socket) ? &opened(socket) : nullptr; }
    // Only with is_open().
    static Window& opened(const Socket& socket) noexcept { return pool[socket.window_ - 1]; }
    static bool is_open(const Socket& socket) noexcept { return socket.window_ != 0 && socket.window_ < row; }
    // What it has to give; empty without one.
    static ConstBuffer view(const Socket& socket) noexcept {
        const Window* window = of(socket);
        return window == nullptr ? ConstBuffer() : window->view();
    }
    // What the first window of a reader of lines shows; once it is used up, the next one shows all that it has room
    // for.
    static constexpr std::size_t first_size = 65536;
    // Opens one over what is in the queue now, `most` bytes of it. False: none is free, or there is nothing in the
    // queue. An error is the socket's own (SO_ERROR), which the system tells but once.
    static Result<bool> open(Socket& socket, std::size_t most = SIZE_MAX) noexcept;
    // Opens one if the reads, of which the next is of `size` bytes, have been short for some time, and if the queue has
    // more than the next one takes.
    static Result<bool> open_for_reads(Socket& socket, std::size_t size) noexcept;
    // The last window was used up: more may have come meanwhile.
    static bool may_pay(const Socket& socket) noexcept { return socket.window_ == used_up; }
    // Hands out `count` bytes of view(); closes the window with its last one.
    static void consume(Socket& socket, Window& window, std::size_t count) noexcept {
        window.begin += static_cast<std::uint32_t>(count);
        if (window.begin == window.end) finish(socket);
    }
    // Takes what was handed out off the queue. Does nothing without a window.
    static void close(Socket& socket) noexcept {
        if (is_open(socket)) close_open(socket);
    }
    // The socket has moved in memory.
    static void moved(Socket& socket) noexcept;

private:
    // In Socket::window_: no window is open, and the bits below count the short reads since there was one.
    static constexpr std::uint8_t row = 0x80;
    static constexpr std::uint8_t used_up = row + 2;  // the next short read looks whether there is more
    static constexpr std::size_t pool_size = USOCKET_WINDOWS;
    static_assert(pool_size < row);

    static void finish(Socket& socket) noexcept;
    static void close_open(Socket& socket) noexcept;
    static void before_fork() noexcept;
    static void after_fork() noexcept;
    static const bool knows_forks_;
    static Window pool[pool_size == 0 ? 1 : pool_size];
};

}  // namespace usocket
