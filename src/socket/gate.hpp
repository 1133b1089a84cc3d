// The gate of a socket: closing it while other threads are inside (SOCK-4), one reader at a time, and knowing
// whether anybody else may hold the descriptor (STRM-5).
//
// Socket::gate_ is one word: closed | exposed | process generation | forks at its opening | polled | calls inside. The
// descriptor is freed by whoever leaves last after close(), so its number cannot be handed out anew under a call.
// A longjmp past Socket::unwound() can only leave the count too high: then the destructor frees it.
//
// Socket::reader_ is 0 or the id of the call that reads the stream. An id carries the process generation: a lock
// that a thread held when its process forked is nobody's in the child.
#pragma once

#include "wait/blocking.hpp"
#include "usocket/socket.hpp"

namespace usocket {

// Nobody can come between, not even the host's signal handlers.
inline bool Socket::alone(const Call& call) noexcept { return call.host_ == nullptr && sys::is_only_thread(); }

template <class Body> auto Socket::inside(Call& call, Body body) noexcept -> decltype(body()) {
    if (alone(call)) return closed() ? decltype(body())(Error(EBADF)) : body();
    return inside_with_others(call, body);
}

// The same for a method that never waits.
template <class Body> auto Socket::inside(Body body) noexcept -> decltype(body()) {
    if (sys::is_only_thread()) return closed() ? decltype(body())(Error(EBADF)) : body();
    Call call;
    return inside_with_others(call, body);
}

// A stream has one reader at a time; messages are whole whoever takes them.
template <class Body> auto Socket::reading_inside(Call& call, Body body) noexcept -> decltype(body()) {
    if (alone(call)) return closed() ? decltype(body())(Error(EBADF)) : body();
    return inside_with_others(call, [&]() noexcept -> decltype(body()) {
        if (!is_stream()) return body();
        for (;;) {
            if (const Error error = lock_reader(call); error != Error()) {
                give_up(call);
                return error;
            }
            take_back(call);
            auto result = body();
            if (reading(call)) unlock_reader(call);
            if (result.error() == start_over) continue;
            give_up(call);
            return result;
        }
    });
}

template <class Body> auto Socket::inside_with_others(Call& call, Body body) noexcept -> decltype(body()) {
    if (const Error error = enter(call); error != Error()) return error;
    auto result = body();
    const Error error = leave(call, result.error());
    if (error != result.error()) return error;
    return result;
}

}  // namespace usocket
