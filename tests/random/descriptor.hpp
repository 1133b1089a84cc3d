// What any holder of a descriptor may do with it, by system calls of its own.
#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>

#if !defined(USOCKET_CLOSE)  // tests/support/<stack>/posix_names.hpp
#define USOCKET_CLOSE ::close
#define USOCKET_DUPLICATE(fd) ::fcntl(fd, F_DUPFD_CLOEXEC, 200)
#endif

namespace usocket::tests {

inline void close_descriptor(int fd) { USOCKET_CLOSE(fd); }
// With a number that nobody else is going to get.
inline int duplicate(int fd) { return USOCKET_DUPLICATE(fd); }

inline int option(int fd, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    return ::getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}
inline void set_option(int fd, int name, int value) { (void)::setsockopt(fd, SOL_SOCKET, name, &value, sizeof value); }
inline bool is_tcp(int fd) { return option(fd, SO_PROTOCOL) == IPPROTO_TCP; }
inline bool is_nonblocking(int fd) { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0; }
inline void set_nonblocking(int fd, bool on) {
    int value = on ? 1 : 0;
    (void)::ioctl(fd, FIONBIO, &value);
}
// How many bytes are in the receive queue.
inline std::size_t queued(int fd) {
    int count = 0;
    return ::ioctl(fd, FIONREAD, &count) == 0 ? static_cast<std::size_t>(count) : 0;
}
// How much memory that takes; -1: it is not told.
inline int queue_memory(int fd) {
#if defined(SO_MEMINFO)
    std::uint32_t numbers[9] = {};  // the first is sk_rmem_alloc, see sock_diag(7)
    socklen_t size = sizeof numbers;
    if (::getsockopt(fd, SOL_SOCKET, SO_MEMINFO, numbers, &size) == 0) return static_cast<int>(numbers[0]);
#else
    (void)fd;
#endif
    return -1;
}
inline bool is_readable(int fd) {
    pollfd one{fd, POLLIN, 0};
    return ::poll(&one, 1, 0) == 1 && (one.revents & POLLIN) != 0;
}
// What there is, at most `size` bytes.
inline std::string take(int fd, std::size_t size, int flags = 0) {
    std::string bytes(size, ' ');
    const ssize_t count = ::recv(fd, bytes.data(), size, MSG_DONTWAIT | flags);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
}

}  // namespace usocket::tests
