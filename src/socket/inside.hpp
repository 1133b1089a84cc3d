// What every method of a Socket begins and ends with.
#pragma once

#include <cerrno>

#include "socket/aside.hpp"
#include "sys/sys.hpp"
#include "usocket/socket.hpp"
#include "wait/blocking.hpp"
#include "wait/uncancelled.hpp"

namespace usocket {

inline bool Socket::is_alone(const Call& call) noexcept { return is_undisturbed(call.host_); }

template <class Body> auto Socket::inside(Call& call, Body body) noexcept -> decltype(body()) {
    if (is_alone(call)) return gate_.closed() ? decltype(body())(Error(EBADF)) : body();
    const Uncancelled uncancelled(call.host_ != nullptr);
    return inside_with_others(call, body);
}

// The same for a method that never waits, and asks nothing of the system at which a thread can be cancelled.
template <class Body> auto Socket::inside(Body body) noexcept -> decltype(body()) {
    if (sys::is_only_thread()) return gate_.closed() ? decltype(body())(Error(EBADF)) : body();
    if (const Error error = enter(); error != Error()) return error;
    auto result = body();
    const Error error = leave(result.error());
    if (error != result.error()) return error;
    return result;
}

// For one that changes nothing. While a socket is really const nobody can close it, which is all that might.
template <class Body> auto Socket::inside(Body body) const noexcept -> decltype(body()) {
    return const_cast<Socket*>(this)->inside(body);
}

template <class Body> auto Socket::inside_with_others(Call& call, Body body) noexcept -> decltype(body()) {
    if (const Error error = enter(call); error != Error()) return error;
    auto result = body();
    const Error error = leave(call, result.error());
    if (error != result.error()) return error;
    return result;
}

// Linux says so once, instead of beginning an attempt, if the one before has failed and SO_ERROR has told why.
inline bool tells_of_another(Error error) noexcept { return sys::calls_sleep && error == Error(ECONNABORTED); }

// What is sent with MSG_FASTOPEN opens the connection, too. Of a peer that the system does not know yet it has only
// begun to, and has sent nothing: whoever may wait does so, as in connect(), and then sends.
template <class Send>
Result<std::size_t> Socket::sending(Call& call, int flags, const Address* to, Send send) noexcept {
    return inside(call, [&]() noexcept -> Result<std::size_t> {
        for (;;) {
            Result<std::size_t> sent = send(flags, to);
            const bool opens = to != nullptr && (flags & sys::msg_fastopen) != 0;
            if (opens && tells_of_another(sent.error())) sent = send(flags, to);
            const bool is_begun = sent.error() == Error(EINPROGRESS) || sent.error() == Error(EALREADY);
            if (!opens || !is_begun) return sent;
            if (Aside* const shared = attempt_shared()) shared->attempt.note(sent.error());
            if ((flags & sys::msg_dontwait) != 0) return sent;
            Blocking waiting(call, timeout_, &gate_);
            if (waiting.is_nonblocking()) return sent;
            if (const Error error = finish_connect(waiting, *to); error != Error()) return error;
            flags &= ~sys::msg_fastopen;
            to = nullptr;
        }
    });
}

// --- Before a call on a stream returns what it has got: a signal may have come meanwhile. If the host's handler raises
// nobody gets the bytes, so they are unread again (TIME-6).

// A receive with these flags takes what is next in line, into its buffer.
inline bool takes_next(int flags) noexcept {
    return (flags & (sys::msg_peek | sys::msg_trunc | sys::msg_oob | sys::msg_errqueue)) == 0;
}

// The handler has raised.
inline bool Socket::is_given_up(const Call& call) noexcept {
    return call.looks_last() && call.host_->interrupted != nullptr && call.host_->interrupted();
}

// Messages, of which nothing can be unread, do not ask.
inline Error Socket::last_look(Call& call, Sink& got) noexcept {
    return got.size() != 0 && is_stream() && is_given_up(call) ? unread(call, got) : Error();
}

}  // namespace usocket
