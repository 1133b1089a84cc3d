// The core's values as usocket.h has them, and back: the same bytes by another name. Whatever is opaque there is the
// core's object, in memory of the caller's.
#pragma once

#include <bit>
#include <cstddef>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

#include "usocket/buffer.hpp"
#include "usocket/connect.hpp"
#include "usocket/host.hpp"
#include "usocket/poll.hpp"
#include "usocket/resolver.hpp"
#include "usocket/socket.hpp"
#include "usocket/timeout.hpp"
#include "usocket/usocket.h"

namespace usocket::c_face {

// --- Objects

template <class Cxx, class Opaque> Cxx& opened(Opaque* opaque) noexcept {
    static_assert(sizeof(Cxx) <= sizeof(Opaque) && alignof(Cxx) <= alignof(Opaque));
    return *reinterpret_cast<Cxx*>(opaque);
}
template <class Cxx, class Opaque> const Cxx& opened(const Opaque* opaque) noexcept {
    return opened<Cxx>(const_cast<Opaque*>(opaque));
}

inline Socket& cxx(usocket_socket_t* socket) noexcept { return opened<Socket>(socket); }
inline const Socket& cxx(const usocket_socket_t* socket) noexcept { return opened<Socket>(socket); }
inline Address& cxx(usocket_address_t* address) noexcept { return opened<Address>(address); }
inline const Address& cxx(const usocket_address_t* address) noexcept { return opened<Address>(address); }
inline Sink& cxx(usocket_sink_t* sink) noexcept { return opened<Sink>(sink); }
inline const Sink& cxx(const usocket_sink_t* sink) noexcept { return opened<Sink>(sink); }
inline Call&& cxx(usocket_call_t* call) noexcept { return std::move(opened<Call>(call)); }
inline Poll& cxx(usocket_poll_t* poll) noexcept { return opened<Poll>(poll); }
inline const Poll& cxx(const usocket_poll_t* poll) noexcept { return opened<Poll>(poll); }
inline AddressInfoList& cxx(usocket_addrinfo_list_t* list) noexcept { return opened<AddressInfoList>(list); }

// A device's heap has no more of it than there must be.
static_assert(sizeof(Socket) == sizeof(usocket_socket_t));
static_assert(sizeof(usocket_socket_t) + sizeof(void*) <= (sizeof(void*) == 8 ? 40 : 32));
// What lives in a frame that a longjmp skips has nothing to destroy (invariant 5).
static_assert(std::is_trivially_destructible_v<Address> && std::is_trivially_destructible_v<Sink> &&
              std::is_trivially_destructible_v<Call>);
static_assert(IPPROTO_SEC == USOCKET_IPPROTO_SEC);

// --- Values

inline usocket_error_t c(Error error) noexcept { return std::bit_cast<usocket_error_t>(error); }
template <class T, class E> usocket_error_t c(const Result<T, E>& result) noexcept {
    return c(static_cast<Error>(result.error()));
}
inline Error cxx(usocket_error_t error) noexcept { return std::bit_cast<Error>(error); }

inline usocket_bytes_t c(ConstBuffer bytes) noexcept { return {bytes.data(), bytes.size()}; }
inline ConstBuffer cxx(usocket_bytes_t bytes) noexcept { return {bytes.data, bytes.size}; }
inline MutableBuffer cxx(usocket_room_t room) noexcept { return {room.data, room.size}; }
inline std::string_view text(usocket_bytes_t bytes) noexcept {
    return {static_cast<const char*>(bytes.data), bytes.size};
}

static_assert(sizeof(Timeout) == sizeof(usocket_timeout_t));
inline Timeout cxx(usocket_timeout_t timeout) noexcept { return std::bit_cast<Timeout>(timeout); }
inline usocket_timeout_t c(Timeout timeout) noexcept { return std::bit_cast<usocket_timeout_t>(timeout); }

// A service, or else a port.
inline Service service_of(usocket_bytes_t service, std::int64_t port) noexcept {
    return service.data != nullptr ? Service(text(service)) : Service(port);
}

// Puts what a result holds to where C wants it.
template <class T, class To> usocket_error_t give(const Result<T>& result, To* to) noexcept {
    if (result) *to = static_cast<To>(*result);
    return c(result);
}
inline usocket_error_t give(const Result<Timeout>& result, usocket_timeout_t* to) noexcept {
    if (result) *to = c(*result);
    return c(result);
}
usocket_error_t give(const Result<Address>& result, usocket_address_t* to) noexcept;  // address.cpp

// The caller's call, or where there is none, one without host and deadline. Lives as long as the call is made.
class Given {
public:
    explicit Given(usocket_call_t* call) noexcept : call_(call != nullptr ? &opened<Call>(call) : new (none_) Call) {}
    Given(const Given&) = delete;
    Given& operator=(const Given&) = delete;
    ~Given() = default;
    operator Call&&() && noexcept { return std::move(*call_); }

private:
    alignas(Call) unsigned char none_[sizeof(Call)];
    Call* call_;
};

}  // namespace usocket::c_face
