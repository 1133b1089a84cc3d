// What the tests over the system's stack name and lwIP has not. The functions by which they use a descriptor from
// outside are the seam's; the rest is there so that their files compile, and whoever runs such a test
// (tests/needs.cmake leaves it out) is told so.
#pragma once

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "sys/lwip/table.hpp"
#include "sys/sys.hpp"

#define SOCK_SEQPACKET 5
#define SOCK_CLOEXEC 02000000
#define SOCK_NONBLOCK 04000
#define AF_NETLINK 16
#define SO_OOBINLINE 10
#define SO_PEEK_OFF 42
#define SO_PROTOCOL 38
#define SO_MAX_PACING_RATE 47
#define SCM_RIGHTS 1
#define IP_PKTINFO 8
#define TCP_INFO 11
#define MSG_ERRQUEUE 0x2000
#define AI_V4MAPPED 0x10
#define EAI_SYSTEM (-11)
#define NI_NUMERICHOST 1
#define UDP_CORK 1

struct tcp_info {
    unsigned tcpi_state, tcpi_sacked;
};
struct in_pktinfo {
    int ipi_ifindex;
    in_addr ipi_spec_dst, ipi_addr;
};
struct addrinfo {
    int ai_flags, ai_family, ai_socktype, ai_protocol;
    socklen_t ai_addrlen;
    sockaddr* ai_addr;
    char* ai_canonname;
    addrinfo* ai_next;
};
struct pollfd {
    int fd;
    short events, revents;
};

inline constexpr in6_addr in6addr_loopback = {{{0, 0, 0, 0x01000000}}};

inline const char* gai_strerror(int code) { return usocket::sys::resolver_message(code); }

template <class T> long usocket_result_of(const usocket::Result<T>& result) {
    if (result) return static_cast<long>(*result);
    errno = result.error().code();
    return -1;
}
inline ssize_t recv(int fd, void* data, std::size_t size, int flags) {
    return usocket_result_of(usocket::sys::recv(fd, {data, size}, flags));
}
inline ssize_t send(int fd, const void* data, std::size_t size, int flags) {
    return usocket_result_of(usocket::sys::send(fd, {data, size}, flags));
}
inline int setsockopt(int fd, int level, int name, const void* value, socklen_t size) {
    return usocket::sys::setsockopt(fd, level, name, {value, size}) ? 0 : -1;
}
inline int getsockopt(int fd, int level, int name, void* value, socklen_t* size) {
    if (level == SOL_SOCKET && name == SO_PROTOCOL) {
        const auto opened = usocket::sys::inspect(fd);
        const int proto = opened ? opened->proto : 0;
        std::memcpy(value, &proto, sizeof proto);
        return 0;
    }
    const auto got = usocket::sys::getsockopt(fd, level, name, {value, *size});
    if (got) *size = static_cast<socklen_t>(*got);
    return usocket_result_of(got) < 0 ? -1 : 0;
}
// Whether something has not been acknowledged, bytes or their end.
inline int usocket_unacknowledged(int fd) {
    const usocket::sys::Guard guard;
    usocket::sys::turn();
    const usocket::sys::Sock* sock = usocket::sys::find(fd);
    const bool has_queue = sock != nullptr && sock->kind == usocket::sys::Sock::Kind::tcp && sock->tcp != nullptr &&
                           sock->state == usocket::sys::Sock::State::connected;
    return has_queue && (sock->tcp->unsent != nullptr || sock->tcp->unacked != nullptr) ? 1 : 0;
}
// FIONREAD and two others; whether it is open, and O_NONBLOCK.
inline int usocket_ioctl(int fd, unsigned long request, int* count) {
    if (request == FIONBIO) return usocket::sys::set_nonblocking(fd, *count != 0) ? 0 : -1;
    if (request == TIOCOUTQ) {  // SIOCOUTQ too
        *count = usocket_unacknowledged(fd);
        return 0;
    }
    const auto queued = usocket::sys::queued(fd);
    *count = static_cast<int>(queued.value_or(0u));
    return queued ? 0 : -1;
}
inline int usocket_fcntl(int fd, int command, ...) {
    const auto opened = usocket::sys::inspect(fd);
    if (!opened) return -1;
    return command != F_GETFL ? FD_CLOEXEC : opened->nonblocking ? O_NONBLOCK : 0;
}
#define ioctl usocket_ioctl
#define fcntl usocket_fcntl
// Of one descriptor.
inline int poll(pollfd* one, unsigned long count, int milliseconds) {
    if (count != 1) std::abort();
    const auto span = usocket::Timeout::of_nanoseconds(std::int64_t{milliseconds} * 1'000'000);
    const auto ready = usocket::sys::wait(one->fd, static_cast<unsigned>(one->events),
                                          milliseconds < 0 ? usocket::Timeout::none() : span);
    one->revents = static_cast<short>(ready.value_or(0u));
    return ready ? (*ready == 0 ? 0 : 1) : -1;
}

inline usocket::Address usocket_address(const sockaddr* address, socklen_t size) {
    return usocket::Address::from_native({address, size}).value_or(usocket::Address());
}
inline bool usocket_is_blocking(int fd) {
    const auto opened = usocket::sys::inspect(fd);
    return opened && !opened->nonblocking;
}
inline void usocket_close(int fd) { usocket::sys::close(fd); }
#define USOCKET_CLOSE usocket_close
#define USOCKET_DUPLICATE(fd) usocket::sys::duplicate(fd).value_or(-1)

inline int socket(int family, int type, int proto) {
    const auto opened = usocket::sys::open(family, type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK), proto);
    if (!opened) return -1;
    if ((type & SOCK_NONBLOCK) != 0) (void)usocket::sys::set_nonblocking(opened->fd, true);
    return opened->fd;
}
inline int bind(int fd, const sockaddr* address, socklen_t size) {
    return usocket::sys::bind(fd, usocket_address(address, size)) ? 0 : -1;
}
inline int listen(int fd, int backlog) { return usocket::sys::listen(fd, backlog) ? 0 : -1; }
inline int shutdown(int fd, int how) { return usocket::sys::shutdown(fd, how) ? 0 : -1; }
inline int connect(int fd, const sockaddr* address, socklen_t size) {
    const auto connected = usocket::sys::connect(fd, usocket_address(address, size));
    if (!connected && usocket_is_blocking(fd)) (void)usocket::sys::wait(fd, usocket::sys::poll_out, {}, -1);
    return connected ? 0 : -1;
}
// Whom it has accepted nobody asks.
inline int accept4(int fd, sockaddr*, socklen_t*, int flags) {
    usocket::Address peer;
    auto conn = usocket::sys::accept(fd, peer);
    while (!conn && conn.error() == usocket::Error(EAGAIN) && usocket_is_blocking(fd)) {
        (void)usocket::sys::wait(fd, usocket::sys::poll_in, {}, -1);
        conn = usocket::sys::accept(fd, peer);
    }
    if (conn && (flags & SOCK_NONBLOCK) != 0) (void)usocket::sys::set_nonblocking(*conn, true);
    return static_cast<int>(usocket_result_of(conn));
}
inline int getsockname(int fd, sockaddr* address, socklen_t* size) {
    const auto name = usocket::sys::getsockname(fd);
    if (!name) return -1;
    std::memcpy(address, name->data(), name->size());
    *size = static_cast<socklen_t>(name->size());
    return 0;
}

// One for each of the system's functions, whatever its arguments are.
#define USOCKET_IS_NOT_THERE(function) \
    template <class... Arguments> int function(Arguments...) { \
        std::fprintf(stderr, "%s() is the system's, and this stack another\n", #function); \
        std::abort(); \
    }
USOCKET_IS_NOT_THERE(socketpair)
USOCKET_IS_NOT_THERE(getaddrinfo)
USOCKET_IS_NOT_THERE(freeaddrinfo)
#undef USOCKET_IS_NOT_THERE
