// What the tests over the system's stack name and lwIP has not. The functions by which they look at a descriptor from
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

#include "sys/sys.hpp"

#define SOCK_SEQPACKET 5
#define SOCK_CLOEXEC 02000000
#define SOCK_NONBLOCK 04000
#define AF_NETLINK 16
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
// FIONREAD; whether it is open, and O_NONBLOCK.
inline int usocket_ioctl(int fd, unsigned long, int* count) {
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

// One for each of the system's functions, whatever its arguments are.
#define USOCKET_IS_NOT_THERE(function) \
    template <class... Arguments> int function(Arguments...) { \
        std::fprintf(stderr, "%s() is the system's, and this stack another\n", #function); \
        std::abort(); \
    }
USOCKET_IS_NOT_THERE(socket)
USOCKET_IS_NOT_THERE(socketpair)
USOCKET_IS_NOT_THERE(connect)
USOCKET_IS_NOT_THERE(getaddrinfo)
USOCKET_IS_NOT_THERE(freeaddrinfo)
#undef USOCKET_IS_NOT_THERE
