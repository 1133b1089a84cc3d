// What the files of this stack share: a system call's result as a Result, and the calls that not every system has in
// the same form: linux/ has its own, plain/ has the same by POSIX alone.
#pragma once

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <cerrno>
#include <cstddef>

#include "sys/sys.hpp"

namespace usocket::sys {

inline Error last_error() noexcept { return Error(errno == EWOULDBLOCK ? EAGAIN : errno); }

inline Result<void> check(int result) noexcept {
    if (result < 0) return last_error();
    return {};
}

inline Result<std::size_t> checked_size(ssize_t result) noexcept {
    if (result < 0) return last_error();
    return static_cast<std::size_t>(result);
}

// A resolver's code as we have it, negative, whatever the system's own sign is; and back.
constexpr int resolver_code(int code) noexcept { return EAI_NONAME < 0 ? code : -code; }

// As the system calls of these names, with their results. Descriptors that they open are close-on-exec, and what is
// sent on them raises no signal, if it is sent with `no_sigpipe`.
namespace calls {

#if defined(MSG_NOSIGNAL)
inline constexpr int no_sigpipe = MSG_NOSIGNAL;
#else
inline constexpr int no_sigpipe = 0;
#endif

int socket(int family, int type, int proto) noexcept;
int socketpair(int family, int type, int proto, int (&fds)[2]) noexcept;
// The new descriptor is blocking.
int accept(int fd, sockaddr* peer, socklen_t* size) noexcept;
// Both ends are non-blocking.
int pipe(int (&ends)[2]) noexcept;
int dup2(int fd, int place) noexcept;
ssize_t recvmsg(int fd, msghdr* message, int flags) noexcept;
// Not shorter than the timeout.
int poll(pollfd* watched, std::size_t count, Timeout timeout) noexcept;
// Somebody else has opened it: no signal from what is sent on it.
void mute(int fd) noexcept;

}  // namespace calls

// A part of a file that goes to a socket, `count` of which the system can count.
Result<std::size_t> send_file(Fd fd, Fd file, std::uint64_t offset, std::size_t count, bool waits) noexcept;
// By memory of our own.
Result<std::size_t> copy_file(Fd fd, Fd file, std::uint64_t offset, std::size_t count, int flags) noexcept;

}  // namespace usocket::sys
