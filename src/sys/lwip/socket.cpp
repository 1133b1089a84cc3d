// Sockets: life, connections, names. Nothing here sleeps: what would have to wait is EAGAIN or EINPROGRESS.
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "sys/lwip/endpoint.hpp"
#include "sys/lwip/tcp.hpp"
#include "sys/lwip/udp.hpp"

namespace usocket::sys {
namespace {

using Kind = Sock::Kind;
using State = Sock::State;

#if defined(ESOCKTNOSUPPORT)
constexpr int no_such_type = ESOCKTNOSUPPORT;
#else
constexpr int no_such_type = EPROTONOSUPPORT;  // newlib has no other
#endif

Opened opened(Fd fd, const Sock& sock) noexcept {
    const bool is_stream = sock.kind == Kind::tcp;
    return {fd, sock.family, is_stream ? SOCK_STREAM : SOCK_DGRAM, is_stream ? IPPROTO_TCP : IPPROTO_UDP,
            sock.nonblocking};
}

bool has_family(int family) noexcept { return family == AF_INET || (LWIP_IPV6 != 0 && family == AF_INET6); }

Result<Sock*> make(int family, Kind kind) noexcept {
    Sock* sock = new_sock(kind);
    if (sock == nullptr) return Error(ENFILE);
    sock->family = static_cast<std::uint8_t>(family);
    const Error error = kind == Kind::tcp ? need_tcp(*sock) : open_udp(*sock);
    if (error == Error()) return sock;
    free_sock(*sock);
    return error;
}

// A local address must be one of an interface's, a group's, or any.
bool is_local(const ip_addr_t* ip) noexcept {
    if (ip_addr_isany(ip) || ip_addr_ismulticast(ip)) return true;
    netif* one = nullptr;
    NETIF_FOREACH(one) {
#if LWIP_IPV6
        if (IP_IS_V6(ip)) {
            if (netif_get_ip6_addr_match(one, ip_2_ip6(ip)) >= 0) return true;
            continue;
        }
#endif
        if (ip4_addr_cmp(netif_ip4_addr(one), ip_2_ip4(ip))) return true;
    }
    return false;
}

Error bind_to(Sock& sock, const Endpoint& local) noexcept {
    if (sock.bound || sock.state != State::fresh) return Error(EINVAL);
    if (!is_local(&local.ip)) return Error(EADDRNOTAVAIL);
    const bool is_ipv4 = !IP_IS_V6_VAL(local.ip);
    const ip_addr_t& ip = is_ipv4 || !ip_addr_isany(&local.ip) ? local.ip : any_ip(sock);
    err_t error = ERR_OK;
    std::uint16_t port = 0;
    if (sock.kind == Kind::tcp) {
        if (const Error lacks = need_tcp(sock); lacks != Error()) return lacks;
        error = tcp_bind(sock.tcp, &ip, local.port);
        port = sock.tcp->local_port;
    } else {
        error = udp_bind(sock.udp, &ip, local.port);
        port = sock.udp->local_port;
    }
    if (error != ERR_OK) return error == ERR_BUF ? Error(EADDRINUSE) : error_of(error);
    sock.bound = true;
    sock.local = {ip, port};
    return Error();
}

}  // namespace

Result<Opened> open(int family, int type, int proto) noexcept {
    if (!has_family(family)) return Error(EAFNOSUPPORT);
    if (type != SOCK_STREAM && type != SOCK_DGRAM) return Error(no_such_type);
    if (proto != 0 && proto != (type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP)) return Error(EPROTONOSUPPORT);
    const Guard guard;
    turn();
    const auto sock = make(family, type == SOCK_STREAM ? Kind::tcp : Kind::udp);
    if (!sock) return sock.error();
    const Fd fd = new_fd(**sock);
    if (fd != no_fd) return opened(fd, **sock);
    free_sock(**sock);
    return Error(EMFILE);
}

Result<Opened> inspect(Fd fd) noexcept {
    const Found sock(fd);
    if (!sock) return sock.error();
    return opened(fd, *sock);
}

Result<void> set_nonblocking(Fd fd, bool nonblocking) noexcept {
    const Found sock(fd);
    if (sock) sock->nonblocking = nonblocking;
    return sock.error();
}

// Whatever it is set to, nothing sleeps in here.
bool is_nonblocking(Fd) noexcept { return true; }

bool knows_shutdown(int) noexcept { return true; }

// --- Connections

Result<void> bind(Fd fd, const Address& address) noexcept {
    const Found sock(fd);
    if (!sock) return sock.error();
    Endpoint local;
    if (const Error error = to_endpoint(address, sock->family, local); error != Error()) return error;
    if (const Error error = bind_to(*sock, local); error != Error()) return error;
    sock->keeps_port = true;
    sock->keeps_ip = !ip_addr_isany(&local.ip);
    return {};
}

Result<void> listen(Fd fd, int backlog) noexcept {
    const Found found(fd);
    if (!found) return found.error();
    Sock& sock = *found;
    if (sock.kind != Kind::tcp) return Error(EOPNOTSUPP);
    if (!sock.bound && sock.state == State::fresh) {
        if (const Error error = bind_to(sock, {any_ip(sock), 0}); error != Error()) return error;
    }
    return listen_tcp(sock, backlog);
}

Result<Fd> accept(Fd fd, Address& peer) noexcept {
    const Found sock(fd);
    if (!sock) return sock.error();
    if (sock->kind != Kind::tcp) return Error(EOPNOTSUPP);
    if (sock->state != State::listening) return Error(EINVAL);
    turn();
    if (sock->first_pending == nullptr) return Error(EAGAIN);
    // One that nobody can have stays where it is.
    const Fd conn = new_fd(*sock->first_pending);
    if (conn == no_fd) return Error(EMFILE);
    peer = to_address(accept_tcp(*sock)->peer, sock->family);
    return conn;
}

Result<void> connect(Fd fd, const Address& address) noexcept {
    const Found found(fd);
    if (!found) return found.error();
    Sock& sock = *found;
    turn();
    if (address.family() == AF_UNSPEC) {
        if (sock.kind == Kind::tcp) {
            dissolve_tcp(sock);
        } else {
            udp_disconnect(sock.udp);
            sock.state = State::fresh;
            sock.peer = {};
        }
        return {};
    }
    Endpoint peer;
    if (const Error error = to_peer(address, sock.family, peer); error != Error()) return error;
    return sock.kind == Kind::tcp ? connect_tcp(sock, peer) : connect_udp(sock, peer);
}

Result<void> shutdown(Fd fd, int how) noexcept {
    const Found found(fd);
    if (!found) return found.error();
    if (how < SHUT_RD || how > SHUT_RDWR) return Error(EINVAL);
    Sock& sock = *found;
    turn();
    if (sock.kind == Kind::tcp) return shutdown_tcp(sock, how != SHUT_WR, how != SHUT_RD);
    // Whoever sleeps in it wakes up, connected or not.
    if (how != SHUT_WR) sock.no_read = true;
    if (how != SHUT_RD) sock.no_write = true;
    changed(sock);
    if (sock.state != State::connected) return Error(ENOTCONN);
    return {};
}

namespace {

// Where frames to ourselves take a way, they take their time. What the host has to do meanwhile, it does afterwards.
Error wait_for_peer(Fd listener) noexcept {
    constexpr std::int64_t longest = 10'000'000'000;
    const std::int64_t end = now() + longest;
    for (;;) {
        const auto events =
            wait(listener, poll_in, Timeout::of_nanoseconds(std::max<std::int64_t>(end - now(), 0)), no_fd);
        if (events) return *events != 0 ? Error() : Error(ETIMEDOUT);
        if (events.error() != Error(EINTR)) return events.error();
    }
}

}  // namespace

// For AF_UNIX, of which there is none, a connection with ourselves; what is written is there at once.
Result<OpenedPair> open_pair(int family, int type, int proto) noexcept {
    if (family != AF_UNIX && !has_family(family)) return Error(EAFNOSUPPORT);
    if (family != AF_UNIX || type != SOCK_STREAM) return Error(EOPNOTSUPP);
    if (proto != 0) return Error(EPROTONOSUPPORT);
    const auto listener = open(AF_INET, SOCK_STREAM, 0);
    if (!listener) return listener.error();
    OpenedPair pair;
    const auto made = [&]() noexcept -> Error {
        Address address;
        if (const auto listens = listen(listener->fd, 1); !listens) return listens.error();
        if (const auto name = getsockname(listener->fd); !name)
            return name.error();
        else
            address = *name;
        const int on = 1;
        (void)setsockopt(listener->fd, IPPROTO_TCP, TCP_NODELAY, {&on, sizeof on});
        const auto first = open(AF_INET, SOCK_STREAM, 0);
        if (!first) return first.error();
        pair.first = *first;
        (void)setsockopt(first->fd, IPPROTO_TCP, TCP_NODELAY, {&on, sizeof on});
        const auto connected = connect(pair.first.fd, address);
        if (connected.error() != Error(EINPROGRESS)) return connected.error();
        if (const Error error = wait_for_peer(listener->fd); error != Error()) return error;
        const auto second = accept(listener->fd, address);
        if (!second) return second.error();
        const auto inspected = inspect(*second);
        pair.second = *inspected;
        return Error();
    }();
    close(listener->fd);
    if (made == Error()) return pair;
    if (pair.first.fd != no_fd) close(pair.first.fd);
    return made;
}

// --- Names

Result<Address> getsockname(Fd fd) noexcept {
    const Found found(fd);
    if (!found) return found.error();
    const Sock& sock = *found;
    if (sock.kind == Kind::tcp) return to_address(sock.local, sock.family);
    Endpoint local{sock.udp->local_ip, sock.udp->local_port};
    if (sock.state == State::connected && ip_addr_isany(&local.ip)) {
        netif* way = ip_route(&sock.udp->local_ip, &sock.peer.ip);
        const ip_addr_t* source = way == nullptr ? nullptr : ip_netif_get_local_ip(way, &sock.peer.ip);
        if (source != nullptr) local.ip = *source;
    }
    return to_address(local, sock.family);
}

Result<Address> getpeername(Fd fd) noexcept {
    const Found sock(fd);
    if (!sock) return sock.error();
    const bool is_over = sock->kind == Kind::tcp && sock->tcp == nullptr;
    if (sock->state != State::connected || is_over) return Error(ENOTCONN);
    return to_address(sock->peer, sock->family);
}

}  // namespace usocket::sys
