// System calls that do at once what elsewhere takes two.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "sys/posix/native.hpp"
#include "sys/posix/span.hpp"

namespace usocket::sys::calls {

int socket(int family, int type, int proto) noexcept { return ::socket(family, type | SOCK_CLOEXEC, proto); }

int socketpair(int family, int type, int proto, int (&fds)[2]) noexcept {
    return ::socketpair(family, type | SOCK_CLOEXEC, proto, fds);
}

int accept(int fd, sockaddr* peer, socklen_t* size) noexcept { return ::accept4(fd, peer, size, SOCK_CLOEXEC); }

int pipe(int (&ends)[2]) noexcept { return ::pipe2(ends, O_CLOEXEC | O_NONBLOCK); }

int dup2(int fd, int place) noexcept { return ::dup3(fd, place, O_CLOEXEC); }

namespace {

// Only sockets of AF_UNIX bring descriptors.
bool may_bring_descriptors(int fd) noexcept {
    int family = AF_UNIX;
    socklen_t size = sizeof family;
    return ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0 || family == AF_UNIX;
}

}  // namespace

// Some families, AF_PACKET among them, refuse the flag: they are asked again without.
ssize_t recvmsg(int fd, msghdr* message, int flags) noexcept {
    const ssize_t size = ::recvmsg(fd, message, flags | MSG_CMSG_CLOEXEC);
    if (size < 0 && errno == EINVAL) {
        if (!may_bring_descriptors(fd)) return ::recvmsg(fd, message, flags);
        errno = EINVAL;
    }
    if (size >= 0) message->msg_flags &= ~(MSG_CMSG_CLOEXEC & ~flags);
    return size;
}

int poll(pollfd* watched, std::size_t count, Timeout timeout) noexcept {
    const Span span(timeout);
    return ::ppoll(watched, count, span.get(), nullptr);
}

void mute(int /*fd*/) noexcept {}

}  // namespace usocket::sys::calls
