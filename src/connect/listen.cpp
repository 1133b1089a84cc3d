// listen: open, the usual options, bind and listen as one step; and connect to one address.
#include <cerrno>

#include "sys/sys.hpp"
#include "usocket/connect.hpp"

namespace usocket {
namespace {

EndpointError at(const Address& address, Error error) noexcept {
    EndpointError failure;
    failure.add(address, error);
    return failure;
}

EndpointError at(std::string_view place, Error error) noexcept {
    EndpointError failure;
    failure.add(place, error);
    return failure;
}

Result<Socket> open_listening(const Address& address, const ListenOptions& options, bool is_dual) noexcept {
    auto socket = Socket::open(address.family(), sys::sock_stream);
    if (!socket) return socket;
    if (options.reuse_address) USOCKET_TRY(socket->setsockopt(sys::sol_socket, sys::so_reuseaddr, 1));
    if (options.reuse_port) USOCKET_TRY(socket->setsockopt(sys::sol_socket, sys::so_reuseport, 1));
    if (is_dual) USOCKET_TRY(socket->setsockopt(sys::ipproto_ipv6, sys::ipv6_v6only, 0));
    USOCKET_TRY(socket->bind(address));
    const bool has_backlog = options.backlog != ListenOptions::default_backlog;
    USOCKET_TRY(has_backlog ? socket->listen(options.backlog) : socket->listen());
    return socket;
}

}  // namespace

Result<Socket, EndpointError> listen(const Address& address, const ListenOptions& options) noexcept {
    auto socket = open_listening(address, options, false);
    if (!socket) return at(address, socket.error());
    return *std::move(socket);
}

Result<Socket, EndpointError> listen(std::string_view address, const ListenOptions& options) noexcept {
    const auto parsed = Address::parse(address);
    if (!parsed) return at(address, parsed.error());
    return listen(*parsed, options);
}

Result<Socket, EndpointError> listen_on_port(std::int64_t port, const ListenOptions& options) noexcept {
    const auto both = Address::inet(sys::af_inet6, "", port);
    if (!both) return EndpointError(both.error());
    auto socket = open_listening(*both, options, true);
    if (socket) return *std::move(socket);
    const bool has_no_ipv6 = socket.error() == Error(EAFNOSUPPORT) || socket.error() == Error(EADDRNOTAVAIL);
    if (!has_no_ipv6) return at(*both, socket.error());
    return listen(*Address::inet(sys::af_inet, "", port), options);
}

Result<Socket, EndpointError> listen_on_host(std::string_view host, Service service, Call&& call,
                                             const ListenOptions& options) noexcept {
    const auto found = getaddrinfo(host, service, 0, sys::sock_stream, 0, sys::ai_passive, static_cast<Call&&>(call));
    if (!found) return at(host, found.error());
    EndpointError failure;
    for (const AddressInfo info : *found) {
        auto socket = open_listening(info.sockaddr, options, false);
        if (socket) return *std::move(socket);
        failure.add(info.sockaddr, socket.error());
    }
    return failure;
}

Result<Socket, EndpointError> connect(const Address& address, Call&& call, const ConnectOptions& options) noexcept {
    auto socket = Socket::open(address.family(), sys::sock_stream);
    if (!socket) return at(address, socket.error());
    if (!options.source.empty()) {
        if (const auto bound = socket->bind(options.source); !bound) return at(options.source, bound.error());
    }
    // Non-blocking for the deadline's sake, but not for good.
    const bool switches = call.has_deadline();
    if (switches) USOCKET_TRY(socket->setblocking(false));
    const auto connected = socket->connect(address, static_cast<Call&&>(call));
    if (!connected) return at(address, connected.error());
    if (switches) USOCKET_TRY(socket->setblocking(true));
    return *std::move(socket);
}

}  // namespace usocket
