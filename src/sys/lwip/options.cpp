// Options, with the numbers that lwIP has for them.
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "sys/lwip/groups.hpp"
#include "sys/lwip/tcp.hpp"
#include "sys/lwip/udp.hpp"
#include "sys/lwip/values.hpp"

namespace usocket::sys {
namespace {

using Kind = Sock::Kind;

constexpr std::uint8_t so_option(int name) noexcept {
    return name == SO_REUSEADDR   ? SOF_REUSEADDR
           : name == SO_KEEPALIVE ? SOF_KEEPALIVE
           : name == SO_BROADCAST ? SOF_BROADCAST
                                  : 0;
}

ip_pcb* pcb_of(Sock& sock) noexcept {
    return sock.kind == Kind::tcp ? reinterpret_cast<ip_pcb*>(sock.tcp) : reinterpret_cast<ip_pcb*>(sock.udp);
}

// --- SOL_SOCKET

// Milliseconds, 0 for none. EDOM: no time.
Result<std::uint32_t> milliseconds_of(const timeval& span) noexcept {
    if (span.tv_usec < 0 || span.tv_usec >= 1'000'000) return Error(EDOM);
    if (span.tv_sec < 0) return 0u;
    const std::uint64_t whole =
        static_cast<std::uint64_t>(span.tv_sec) * 1000 + (static_cast<std::uint32_t>(span.tv_usec) + 999) / 1000;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(whole, UINT32_MAX));
}

Error set_socket_option(Sock& sock, int name, ConstBuffer value) noexcept {
    if (is_timeout_option(SOL_SOCKET, name)) {
        timeval span{};
        if (!take(value, span)) return Error(EINVAL);
        const auto milliseconds = milliseconds_of(span);
        if (milliseconds) sock.timeouts_ms[name == SO_SNDTIMEO ? 1 : 0] = *milliseconds;
        return milliseconds.error();
    }
    if (name == SO_LINGER) {
        linger wanted{};
        if (!take(value, wanted)) return Error(EINVAL);
        sock.lingers = wanted.l_onoff != 0;
        sock.linger_s = static_cast<std::uint16_t>(std::clamp(wanted.l_linger, 0, 0xffff));
        return Error();
    }
    int number = 0;
    if (!take(value, number)) return Error(EINVAL);
    if (const std::uint8_t option = so_option(name); option != 0) {
        std::uint8_t& options = sock.options.so;
        options = static_cast<std::uint8_t>(number != 0 ? options | option : options & ~option);
        put_options(sock);
    } else if (name == SO_RCVLOWAT) {
        sock.lowat = static_cast<std::uint32_t>(std::clamp<std::int64_t>(number, 1, TCP_WND));
        changed(sock);
    } else if (name == SO_RCVBUF && sock.kind == Kind::udp) {
        sock.rcvbuf = static_cast<std::uint32_t>(std::max(number, 1));
    } else {
        return Error(ENOPROTOOPT);
    }
    return Error();
}

timeval timeval_of(std::uint32_t milliseconds) noexcept {
    timeval span{};
    span.tv_sec = static_cast<decltype(span.tv_sec)>(milliseconds / 1000);
    span.tv_usec = static_cast<decltype(span.tv_usec)>(milliseconds % 1000 * 1000);
    return span;
}

Result<std::size_t> get_socket_option(Sock& sock, int name, MutableBuffer value) noexcept {
    switch (name) {
        case SO_RCVTIMEO: return put(value, timeval_of(sock.timeouts_ms[0]));
        case SO_SNDTIMEO: return put(value, timeval_of(sock.timeouts_ms[1]));
        case SO_LINGER: return put(value, linger{sock.lingers, sock.linger_s});
        case SO_ERROR: return put(value, std::exchange(sock.error, 0));
        case SO_TYPE: return put(value, sock.kind == Kind::tcp ? SOCK_STREAM : SOCK_DGRAM);
        case SO_ACCEPTCONN: return put(value, sock.state == Sock::State::listening ? 1 : 0);
        case SO_RCVLOWAT: return put(value, static_cast<int>(sock.lowat));
        case SO_RCVBUF: return put(value, sock.kind == Kind::udp ? static_cast<int>(sock.rcvbuf) : int{TCP_WND});
        case SO_SNDBUF: return put(value, sock.kind == Kind::udp ? 0xffff : int{TCP_SND_BUF});
        default: break;
    }
    const std::uint8_t option = so_option(name);
    if (option == 0) return Error(ENOPROTOOPT);
    return put(value, (sock.options.so & option) != 0 ? 1 : 0);
}

// --- IPPROTO_TCP

// Where an option is in milliseconds, how many make its unit; nullptr: it is none of these. And the largest that there
// may be, tcp(7)'s: idle + interval * count, which lwIP computes, fits into its 32 bits.
struct Keep {
    std::uint32_t PcbOptions::* field = nullptr;
    std::uint32_t unit = 1;
    int largest = 0;
};
Keep keep_of(int name) noexcept {
    switch (name) {
        case TCP_KEEPALIVE: return {&PcbOptions::keep_idle_ms, 1, 32767 * 1000};
        case TCP_KEEPIDLE: return {&PcbOptions::keep_idle_ms, 1000, 32767};
#if LWIP_TCP_KEEPALIVE
        case TCP_KEEPINTVL: return {&PcbOptions::keep_intvl_ms, 1000, 32767};
        case TCP_KEEPCNT: return {&PcbOptions::keep_cnt, 1, 127};
#endif
        default: return {};
    }
}

Error set_tcp_option(Sock& sock, int name, ConstBuffer value) noexcept {
    int number = 0;
    if (!take(value, number)) return Error(EINVAL);
    if (name == TCP_NODELAY) {
        sock.options.nodelay = number != 0;
    } else {
        const Keep keep = keep_of(name);
        if (keep.field == nullptr) return Error(ENOPROTOOPT);
        if (number < 1 || number > keep.largest) return Error(EINVAL);
        sock.options.*keep.field = static_cast<std::uint32_t>(number) * keep.unit;
    }
    put_options(sock);
    return Error();
}

Result<std::size_t> get_tcp_option(const Sock& sock, int name, MutableBuffer value) noexcept {
    if (name == TCP_NODELAY) return put(value, sock.options.nodelay ? 1 : 0);
    const Keep keep = keep_of(name);
    if (keep.field == nullptr) return Error(ENOPROTOOPT);
    return put(value, static_cast<int>(sock.options.*keep.field / keep.unit));
}

// --- IPPROTO_IP and IPPROTO_IPV6

Error set_ip_option(Sock& sock, int name, ConstBuffer value) noexcept {
    std::uint8_t byte = 0;
    if (name != IP_TOS && name != IP_TTL) return set_group_option(sock, name, value);
    if (!take_byte(value, byte)) return Error(EINVAL);
    if (name == IP_TTL && byte == 0) return Error(EINVAL);
    (name == IP_TOS ? sock.options.tos : sock.options.ttl) = byte;
    put_options(sock);
    return Error();
}

Result<std::size_t> get_ip_option(Sock& sock, int name, MutableBuffer value) noexcept {
    if (name == IP_TOS) return put(value, int{sock.options.tos});
    if (name == IP_TTL) return put(value, int{sock.options.ttl});
    return get_group_option(sock, name, value);
}

#if LWIP_IPV6
Error set_ipv6_option(Sock& sock, int name, ConstBuffer value) noexcept {
    if (name == IPV6_V6ONLY) {
        int number = 0;
        if (!take(value, number) || sock.bound) return Error(EINVAL);
        sock.v6only = number != 0;
        return Error();
    }
    return set_group_option6(sock, name, value);
}
#endif

}  // namespace

void put_options(Sock& sock) noexcept {
    ip_pcb* pcb = pcb_of(sock);
    if (pcb == nullptr) return;
    const PcbOptions& options = sock.options;
    pcb->so_options = options.so;
    pcb->ttl = options.ttl;
    pcb->tos = options.tos;
    // A listener's PCB is smaller: it has none of a connection's fields.
    if (sock.kind != Kind::tcp || sock.state == Sock::State::listening) return;
    if (options.nodelay) {
        tcp_nagle_disable(sock.tcp);
    } else {
        tcp_nagle_enable(sock.tcp);
    }
    sock.tcp->keep_idle = options.keep_idle_ms;
#if LWIP_TCP_KEEPALIVE
    sock.tcp->keep_intvl = options.keep_intvl_ms;
    sock.tcp->keep_cnt = options.keep_cnt;
#endif
}

Result<void> setsockopt(Fd fd, int level, int name, ConstBuffer value) noexcept {
    const Found found(fd);
    if (!found) return found.error();
    Sock& sock = *found;
    const bool has_tcp = sock.kind == Kind::tcp;
    if (level == SOL_SOCKET) return set_socket_option(sock, name, value);
    if (level == IPPROTO_TCP && has_tcp) return set_tcp_option(sock, name, value);
    if (level == IPPROTO_IP) return set_ip_option(sock, name, value);
#if LWIP_IPV6
    if (level == IPPROTO_IPV6 && sock.family == AF_INET6) return set_ipv6_option(sock, name, value);
#endif
    return Error(ENOPROTOOPT);
}

Result<std::size_t> getsockopt(Fd fd, int level, int name, MutableBuffer value) noexcept {
    const Found found(fd);
    if (!found) return found.error();
    Sock& sock = *found;
    turn();
    if (level == SOL_SOCKET) return get_socket_option(sock, name, value);
    if (level == IPPROTO_TCP && sock.kind == Kind::tcp) return get_tcp_option(sock, name, value);
    if (level == IPPROTO_IP) return get_ip_option(sock, name, value);
#if LWIP_IPV6
    if (level == IPPROTO_IPV6 && sock.family == AF_INET6) {
        if (name == IPV6_V6ONLY) return put(value, sock.v6only ? 1 : 0);
        return get_group_option6(sock, name, value);
    }
#endif
    return Error(ENOPROTOOPT);
}

Timeout descriptor_timeout(Fd fd, unsigned events) noexcept {
    const Guard guard;
    const Sock* sock = find(fd);
    if (sock == nullptr) return Timeout::none();
    const std::uint32_t milliseconds = sock->timeouts_ms[(events & poll_in) != 0 ? 0 : 1];
    return milliseconds == 0 ? Timeout::none() : Timeout::of_nanoseconds(std::int64_t{milliseconds} * 1'000'000);
}

bool is_timeout_option(int level, int name) noexcept {
    return level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO);
}

}  // namespace usocket::sys
