// What every method of a Socket begins and ends with.
#pragma once

#include <cerrno>

#include "sys/sys.hpp"
#include "usocket/socket.hpp"

namespace usocket {

// Nobody can come between, not even the host's signal handlers.
inline bool Socket::is_alone(const Call& call) noexcept { return call.host_ == nullptr && sys::is_only_thread(); }

template <class Body> auto Socket::inside(Call& call, Body body) noexcept -> decltype(body()) {
    if (is_alone(call)) return gate_.closed() ? decltype(body())(Error(EBADF)) : body();
    return inside_with_others(call, body);
}

// The same for a method that never waits.
template <class Body> auto Socket::inside(Body body) noexcept -> decltype(body()) {
    if (sys::is_only_thread()) return gate_.closed() ? decltype(body())(Error(EBADF)) : body();
    Call call;
    return inside_with_others(call, body);
}

template <class Body> auto Socket::inside_with_others(Call& call, Body body) noexcept -> decltype(body()) {
    if (const Error error = enter(call); error != Error()) return error;
    auto result = body();
    const Error error = leave(call, result.error());
    if (error != result.error()) return error;
    return result;
}

}  // namespace usocket
