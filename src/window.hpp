// Windows: how readline() reads fast without reading ahead (STRM-5).
//
// A window is a copy, got by MSG_PEEK, of the front of a socket's receive queue. Lines are handed out of it while
// the queue still holds them: {handed out | not yet}. It is discarded from the queue in one call when its second
// part becomes empty, or when anything but a stream method touches the socket. A poll stays right because the
// queue is never empty while an open window has bytes to give.
//
// Only for a descriptor that nobody else holds; a few windows serve all sockets, and before a fork all are closed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "usocket/buffer.hpp"
#include "usocket/socket.hpp"

namespace usocket {

class Windows {
public:
    // Under the socket's reader lock, all of them.
    // What the socket's open window has to give; empty without one.
    static ConstBuffer view(const Socket& socket) noexcept;
    static bool is_open(const Socket& socket) noexcept { return socket.window_ != 0 && socket.window_ < row; }
    // Opens one over what is in the queue now, `most` bytes of it. False: none is free, or there is nothing in the
    // queue. An error is the socket's own (SO_ERROR), which the system tells but once.
    static Result<bool> open(Socket& socket, std::size_t most = SIZE_MAX) noexcept;
    // Opens one if the reads, of which the next is of `size` bytes, have been short for some time, and if the queue has
    // more than the next one takes.
    static Result<bool> open_for_reads(Socket& socket, std::size_t size) noexcept;
    // Hands out `count` bytes of view(); closes the window with its last one.
    static void consume(Socket& socket, std::size_t count) noexcept;
    // Takes what was handed out off the queue. Does nothing without a window.
    static void close(Socket& socket) noexcept {
        if (is_open(socket)) close_open(socket);
    }
    // The socket has moved in memory.
    static void moved(Socket& socket) noexcept;

private:
    // In Socket::window_: no window is open, and the bits below count the short reads since there was one.
    static constexpr std::uint8_t row = 0x80;

    static void close_open(Socket& socket) noexcept;
    static void before_fork() noexcept;
    static void after_fork() noexcept;
    static const bool knows_forks_;
};

}  // namespace usocket
