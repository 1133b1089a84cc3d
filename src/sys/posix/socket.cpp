// Sockets: one function, one system call, as far as the system allows.
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>

#include "sys/posix/native.hpp"

namespace usocket::sys {

USOCKET_NAMES(USOCKET_DEFINE_NAME)
const int msg_trunc = MSG_TRUNC;
const int sock_seqpacket = SOCK_SEQPACKET;
#if defined(MSG_ERRQUEUE)
const int msg_errqueue = MSG_ERRQUEUE;
#else
const int msg_errqueue = 0;
#endif
#if defined(MSG_FASTOPEN)
const int msg_fastopen = MSG_FASTOPEN;
#else
const int msg_fastopen = 0;
#endif
#if defined(SO_PEEK_OFF)
const int so_peek_off = SO_PEEK_OFF;
#else
const int so_peek_off = -1;
#endif
const int so_oobinline = SO_OOBINLINE;
#if defined(SO_REUSEPORT)
const int so_reuseport = SO_REUSEPORT;
#else
const int so_reuseport = -1;
#endif
const int default_backlog = SOMAXCONN < 128 ? SOMAXCONN : 128;
const bool has_af_unix = true;
const bool has_large_protos = true;  // of AF_PACKET
const bool calls_sleep = true;

namespace {

const sockaddr* native(const Address& address) noexcept { return reinterpret_cast<const sockaddr*>(address.data()); }
sockaddr* native(Address& address) noexcept { return reinterpret_cast<sockaddr*>(address.raw()); }
socklen_t native_size(const Address& address) noexcept { return static_cast<socklen_t>(address.size()); }

int option_or(Fd fd, int name, int other) noexcept {
    int value = 0;
    socklen_t size = sizeof value;
    return ::getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : other;
}

// type selects the protocol where the caller has not.
int default_protocol(int family, int type) noexcept {
    if (family != AF_INET && family != AF_INET6) return 0;
    if (type == SOCK_STREAM) return IPPROTO_TCP;
    return type == SOCK_DGRAM ? IPPROTO_UDP : 0;
}

// What a type may ask for besides, where the system has that.
#if defined(SOCK_NONBLOCK)
constexpr int nonblock_flag = SOCK_NONBLOCK;
constexpr int type_flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
#else
constexpr int nonblock_flag = 0;
constexpr int type_flags = 0;
#endif

Opened opened(Fd fd, int family, int type, int proto) noexcept {
    const int bare = type & ~type_flags;
    return {fd, family, bare, proto != 0 ? proto : default_protocol(family, bare), (type & nonblock_flag) != 0};
}

}  // namespace

Result<Opened> open(int family, int type, int proto) noexcept {
    const int fd = calls::socket(family, type, proto);
    if (fd < 0) return last_error();
    return opened(fd, family, type, proto);
}

Result<OpenedPair> open_pair(int family, int type, int proto) noexcept {
    int fds[2];
    if (calls::socketpair(family, type, proto, fds) < 0) return last_error();
    return OpenedPair{opened(fds[0], family, type, proto), opened(fds[1], family, type, proto)};
}

Result<Opened> inspect(Fd fd) noexcept {
    const int type = option_or(fd, SO_TYPE, -1);
    if (type < 0) return last_error();
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ::fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return last_error();
    calls::mute(fd);
    sockaddr_storage name{};
    socklen_t name_size = sizeof name;
    int family = AF_UNSPEC;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &name_size) == 0) family = name.ss_family;
#if defined(SO_PROTOCOL)
    const int proto = option_or(fd, SO_PROTOCOL, 0);
#else
    const int proto = 0;
#endif
    Opened found = opened(fd, family, type, proto);
    found.nonblocking = (flags & O_NONBLOCK) != 0;
    return found;
}

Result<Fd> duplicate(Fd fd) noexcept {
    const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return last_error();
    return copy;
}

// The number is free whatever close(2) says: nothing to repeat, nothing to report.
void close(Fd fd) noexcept { (void)::close(fd); }

Result<void> set_nonblocking(Fd fd, bool nonblocking) noexcept {
    int on = nonblocking ? 1 : 0;
    return check(::ioctl(fd, FIONBIO, &on));
}

bool is_nonblocking(Fd fd) noexcept { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0; }

// Linux: EINVAL into what has O_APPEND (sendfile(2), splice(2)), which is nothing else to a socket. Elsewhere: nothing.
void refuse_sendfile(Fd fd) noexcept {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags >= 0) (void)::fcntl(fd, F_SETFL, flags | O_APPEND);
}

Result<void> bind(Fd fd, const Address& address) noexcept {
    return check(::bind(fd, native(address), native_size(address)));
}

Result<void> listen(Fd fd, int backlog) noexcept { return check(::listen(fd, backlog)); }

Result<Fd> accept(Fd fd, Address& peer) noexcept {
    socklen_t size = Address::max_size;
    const int conn = calls::accept(fd, native(peer), &size);
    if (conn < 0) return last_error();
    peer.set_size(size);
    return conn;
}

Result<void> connect(Fd fd, const Address& address) noexcept {
    return check(::connect(fd, native(address), native_size(address)));
}

Result<void> shutdown(Fd fd, int how) noexcept { return check(::shutdown(fd, how)); }

Result<std::size_t> recv(Fd fd, MutableBuffer buffer, int flags) noexcept {
    return checked_size(::recv(fd, buffer.data(), buffer.size(), flags));
}

Result<std::size_t> recvfrom(Fd fd, MutableBuffer buffer, int flags, Address& from) noexcept {
    socklen_t size = Address::max_size;
    const ssize_t count = ::recvfrom(fd, buffer.data(), buffer.size(), flags, native(from), &size);
    if (count >= 0) from.set_size(size);
    return checked_size(count);
}

Result<std::size_t> discard(Fd fd, MutableBuffer scratch, bool is_tcp) noexcept {
    // Only TCP drops without copying (tcp(7)); AF_UNIX would leave the bytes where they are.
    return recv(fd, scratch, MSG_DONTWAIT | (is_tcp ? MSG_TRUNC : 0));
}

Result<std::size_t> send(Fd fd, ConstBuffer data, int flags) noexcept {
    return checked_size(::send(fd, data.data(), data.size(), flags | calls::no_sigpipe));
}

Result<std::size_t> sendto(Fd fd, ConstBuffer data, int flags, const Address& to) noexcept {
    return checked_size(::sendto(fd, data.data(), data.size(), flags | calls::no_sigpipe, native(to), native_size(to)));
}

Result<void> setsockopt(Fd fd, int level, int name, ConstBuffer value) noexcept {
    return check(::setsockopt(fd, level, name, value.data(), static_cast<socklen_t>(value.size())));
}

Result<std::size_t> getsockopt(Fd fd, int level, int name, MutableBuffer value) noexcept {
    auto size = static_cast<socklen_t>(value.size());
    if (::getsockopt(fd, level, name, value.data(), &size) < 0) return last_error();
    return static_cast<std::size_t>(size);
}

Timeout descriptor_timeout(Fd fd, unsigned events) noexcept {
    timeval span{};
    socklen_t size = sizeof span;
    const int name = (events & POLLIN) != 0 ? SO_RCVTIMEO : SO_SNDTIMEO;
    if (::getsockopt(fd, SOL_SOCKET, name, &span, &size) < 0) return Timeout::none();
    constexpr std::int64_t longest = INT64_MAX / 2'000'000'000;  // in seconds; more than a century
    const std::int64_t seconds = std::min(std::int64_t{span.tv_sec}, longest);
    const std::int64_t nanoseconds = seconds * 1'000'000'000 + std::int64_t{span.tv_usec} * 1000;
    return nanoseconds == 0 ? Timeout::none() : Timeout::of_nanoseconds(nanoseconds);
}

// Linux has two more names for them, of which one is what these two are.
bool is_timeout_option(int level, int name) noexcept {
    if (level != SOL_SOCKET) return false;
#if defined(SO_RCVTIMEO_OLD) && defined(SO_RCVTIMEO_NEW)
    if (name == SO_RCVTIMEO_OLD || name == SO_RCVTIMEO_NEW) return true;
    if (name == SO_SNDTIMEO_OLD || name == SO_SNDTIMEO_NEW) return true;
#endif
    return name == SO_RCVTIMEO || name == SO_SNDTIMEO;
}

bool peeks_at_offset(Fd fd) noexcept {
#if defined(SO_PEEK_OFF)
    return option_or(fd, SO_PEEK_OFF, -1) >= 0;
#else
    (void)fd;
    return false;
#endif
}

namespace {

Result<Address> name_by(int (*ask)(int fd, sockaddr* name, socklen_t* size), Fd fd) noexcept {
    Result<Address> address{Error()};
    socklen_t size = Address::max_size;
    if (ask(fd, native(*address), &size) < 0) {
        address = last_error();
    } else {
        address->set_size(size);
    }
    return address;
}

}  // namespace

Result<Address> getsockname(Fd fd) noexcept { return name_by(::getsockname, fd); }
Result<Address> getpeername(Fd fd) noexcept { return name_by(::getpeername, fd); }

}  // namespace usocket::sys
