// connect and listen: from a host and a port to a socket, in one call under one deadline (CPP-4, GAI-5).
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "usocket/address.hpp"
#include "usocket/host.hpp"
#include "usocket/poll.hpp"
#include "usocket/resolver.hpp"
#include "usocket/result.hpp"
#include "usocket/socket.hpp"

namespace usocket {

// An Error that names where it happened: every address that was tried, in the order in which they failed, and why.
// code() is that of the last one, ETIMEDOUT if the deadline ended it all. A plain value of about 500 bytes; where an
// Error is wanted it is one.
class [[nodiscard]] USOCKET_API EndpointError : public Error {
public:
    EndpointError() noexcept = default;
    EndpointError(Error error) noexcept : Error(error) {}

    // "[::1]:80: Connection refused; 127.0.0.1:80: Connection refused". Lives as long as this object. What there is no
    // room for is counted: "; and 3 more".
    [[nodiscard]] const char* message() const noexcept USOCKET_BORROWS {
        return size_ == 0 ? Error::message() : text_.data();
    }

    // One more place where it went wrong, and why.
    void add(std::string_view place, Error why) noexcept;
    void add(const Address& address, Error why) noexcept { add(address.text().view(), why); }

private:
    bool append(std::string_view place, std::string_view cut, Error why) noexcept;

    std::array<char, 500> text_;  // with a NUL behind size_ of them
    std::uint16_t size_ = 0;
    std::uint16_t untold_ = 0;  // places that found no room
};

struct ConnectOptions {
    // AF_INET or AF_INET6: only such addresses; 0: both.
    int family = 0;
    // Where to connect from; only addresses of its family are tried. Empty: the system's choice.
    Address source{};
    // How long one address has before the next is tried beside it (RFC 8305, Connection Attempt Delay). With more
    // addresses under way than fit (eight), one that has had eight delays makes room for one that has had none.
    std::chrono::milliseconds attempt_delay{250};
};

// A connection to the host: a name or numeric text, with a port or a service's name. Its addresses are tried in turns
// of both families, the system's first one first, each as soon as the one before has failed or had its delay; the first
// that is connected wins, and the rest are closed. The deadline is for all of it, resolving included:
//
//     auto socket = usocket::connect("example.org", 80, usocket::Deadline::after(5s));
//
// The socket is blocking and has no timeout. Errors: resolver codes and errno, ETIMEDOUT once the deadline has passed.
[[nodiscard]] USOCKET_API Result<Socket, EndpointError> connect(std::string_view host, Service service,
                                                                Call&& call = Call(),
                                                                const ConnectOptions& options = {}) noexcept;
// To one address, of any family that has streams.
[[nodiscard]] USOCKET_API Result<Socket, EndpointError> connect(const Address& address, Call&& call = Call(),
                                                                const ConnectOptions& options = {}) noexcept;

struct ListenOptions {
    // Socket::listen()'s own.
    static constexpr int default_backlog = -1;

    int backlog = default_backlog;
    bool reuse_address = true;  // SO_REUSEADDR: connections of an earlier listener may still be dying
    bool reuse_port = false;    // SO_REUSEPORT: several listeners share the port
};

// A socket that listens on this address.
[[nodiscard]] USOCKET_API Result<Socket, EndpointError> listen(const Address& address,
                                                               const ListenOptions& options = {}) noexcept;
// The same from an address's text: "127.0.0.1:8080", "[::1]:0", "unix:/run/server" (Address::parse).
[[nodiscard]] USOCKET_API Result<Socket, EndpointError> listen(std::string_view address,
                                                               const ListenOptions& options = {}) noexcept;
// On every address of this machine, of both families by one socket where the system has both. 0: a free port.
[[nodiscard]] USOCKET_API Result<Socket, EndpointError> listen_on_port(std::int64_t port,
                                                                       const ListenOptions& options = {}) noexcept;
template <class Integer>
    requires std::is_integral_v<Integer>
[[nodiscard]] Result<Socket, EndpointError> listen(Integer port, const ListenOptions& options = {}) noexcept {
    return listen_on_port(static_cast<std::int64_t>(port), options);
}
// On the first of the host's addresses that can be bound; the deadline is for resolving it.
[[nodiscard]] USOCKET_API Result<Socket, EndpointError> listen_on_host(std::string_view host, Service service,
                                                                       Call&& call = Call(),
                                                                       const ListenOptions& options = {}) noexcept;
// A template, so that listen("unix:/run/server", {}) means the options.
template <class Port = Service>
    requires std::is_convertible_v<const Port&, Service>
[[nodiscard]] Result<Socket, EndpointError> listen(std::string_view host, const Port& service, Call&& call = Call(),
                                                   const ListenOptions& options = {}) noexcept {
    return listen_on_host(host, service, static_cast<Call&&>(call), options);
}

// What connect() has under way, for a host that unwinds: it lies where the host finds it after a longjmp.
class Connecting {
public:
    Connecting() noexcept = default;
    Connecting(const Connecting&) = delete;
    Connecting& operator=(const Connecting&) = delete;
    ~Connecting() = default;

    // Once.
    USOCKET_API Result<Socket, EndpointError> connect(std::string_view host, Service service,
                                                      const ConnectOptions& options, Call&& call) noexcept;
    // The same into a closed socket that is there.
    USOCKET_API Result<void, EndpointError> connect_into(Socket& conn, std::string_view host, Service service,
                                                         const ConnectOptions& options, Call&& call) noexcept;
    // After a longjmp out of connect() that was given `call`: nothing is left open.
    USOCKET_API void unwound(Call& call) noexcept;

private:
#if defined(USOCKET_SMALL)
    static constexpr std::size_t most_at_once = 2;
#else
    static constexpr std::size_t most_at_once = 8;
#endif
    // One address, being connected to; a closed socket: none.
    struct Attempt {
        Socket socket;
        Address address;
        std::int64_t started = 0;
    };
    // What an address has for itself where there are too many to try all at once.
    static constexpr std::int64_t delays_of_patience = 8;

    Error resolve(std::string_view host, Service service, const ConnectOptions& options, Call& call) noexcept;
    [[nodiscard]] bool has_one_candidate() const noexcept;
    [[nodiscard]] bool take_candidate(AddressInfo& candidate) noexcept;
    static Result<Socket> open(const AddressInfo& candidate, const ConnectOptions& options) noexcept;
    Result<Attempt*> connect_only(const ConnectOptions& options, Call& call) noexcept;
    Result<Attempt*> race(const ConnectOptions& options, Call& call) noexcept;
    Error start(const AddressInfo& candidate, const ConnectOptions& options, Attempt& attempt) noexcept;
    Result<Attempt*> wait(Timeout span, Call& call) noexcept;
    static Error outcome(Attempt& attempt) noexcept;
    void fail(Attempt& attempt, Error why) noexcept;
    [[nodiscard]] Attempt* free_attempt() noexcept;
    [[nodiscard]] Attempt& oldest_attempt() noexcept;
    Attempt* make_room(std::int64_t now) noexcept;
    [[nodiscard]] Timeout turn(bool has_candidate, std::int64_t now, Timeout left) noexcept;
    [[nodiscard]] bool is_idle() const noexcept;
    void end() noexcept;

    AddressInfoList found_;
    AddressInfoList::Iterator next_of_[2];  // of the first address's family, and of any other
    bool is_other_next_ = false;
    std::int64_t next_start_ = 0;  // when the next address is tried though others are under way
    std::int64_t patience_ = 0;
    std::array<Attempt, most_at_once> attempts_;
    Poll poll_;  // watches them
    EndpointError failure_;
};

}  // namespace usocket
