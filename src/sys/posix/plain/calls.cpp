// The same by POSIX alone, as on macOS. Between a descriptor and its FD_CLOEXEC another thread may fork and exec.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstring>

#include "sys/posix/native.hpp"
#include "sys/posix/span.hpp"

namespace usocket::sys::calls {
namespace {

// Leaves errno alone.
void close_quietly(int fd) noexcept {
    const int before = errno;
    (void)::close(fd);
    errno = before;
}

int closed_on_exec(int fd) noexcept {
    if (fd < 0 || ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0) return fd;
    close_quietly(fd);
    return -1;
}

// A new socket.
int prepared(int fd) noexcept {
    const int result = closed_on_exec(fd);
    if (result >= 0) mute(result);
    return result;
}

// Two that have just been opened.
int both(int (&fds)[2], int (*prepare)(int)) noexcept {
    if (prepare(fds[0]) < 0) {
        close_quietly(fds[1]);
        return -1;
    }
    if (prepare(fds[1]) >= 0) return 0;
    close_quietly(fds[0]);
    return -1;
}

int set_blocking(int fd, bool is_blocking) noexcept {
    int is_nonblocking = is_blocking ? 0 : 1;
    return ::ioctl(fd, FIONBIO, &is_nonblocking);
}

int nonblocking(int fd) noexcept {
    const int result = closed_on_exec(fd);
    if (result < 0 || set_blocking(result, false) == 0) return result;
    close_quietly(fd);
    return -1;
}

// Descriptors that came with a message.
void close_on_exec(const msghdr& message) noexcept {
    for (const cmsghdr* item = CMSG_FIRSTHDR(&message); item != nullptr;
         item = CMSG_NXTHDR(const_cast<msghdr*>(&message), const_cast<cmsghdr*>(item))) {
        if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS || item->cmsg_len < CMSG_LEN(0)) continue;
        const std::size_t count = (item->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(item) + i * sizeof fd, sizeof fd);
            (void)::fcntl(fd, F_SETFD, FD_CLOEXEC);
        }
    }
}

}  // namespace

int socket(int family, int type, int proto) noexcept { return prepared(::socket(family, type, proto)); }

int socketpair(int family, int type, int proto, int (&fds)[2]) noexcept {
    return ::socketpair(family, type, proto, fds) < 0 ? -1 : both(fds, prepared);
}

// Elsewhere than on Linux it has inherited O_NONBLOCK.
int accept(int fd, sockaddr* peer, socklen_t* size) noexcept {
    const int conn = prepared(::accept(fd, peer, size));
    if (conn >= 0) (void)set_blocking(conn, true);
    return conn;
}

int pipe(int (&ends)[2]) noexcept { return ::pipe(ends) < 0 ? -1 : both(ends, nonblocking); }

int dup2(int fd, int place) noexcept { return closed_on_exec(::dup2(fd, place)); }

ssize_t recvmsg(int fd, msghdr* message, int flags) noexcept {
    const ssize_t size = ::recvmsg(fd, message, flags);
    if (size >= 0) close_on_exec(*message);
    return size;
}

int poll(pollfd* watched, std::size_t count, Timeout timeout) noexcept {
    return ::poll(watched, static_cast<nfds_t>(count), milliseconds(timeout));
}

void mute([[maybe_unused]] int fd) noexcept {
#if defined(SO_NOSIGPIPE)
    const int on = 1;
    (void)::setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
}

}  // namespace usocket::sys::calls
