// The POSIX stack over a bad network (DEV-6): the linker puts these functions between it and the system (--wrap), in a
// build of its own, which `python -m usocket --chaos SEED` loads.
//
// What happens follows from the seed, from which socket it is, counted as they are opened and accepted, and from which
// byte of its stream or which datagram is next: not from time, nor from how many system calls it takes. So the same
// program meets the same again. Between two points of a stream, chosen by the seed, nothing happens; a transfer ends at
// the next one.
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include "wait/lock.hpp"

// NOLINTBEGIN(bugprone-reserved-identifier): the linker names them
extern "C" {
int __real_socket(int family, int type, int proto);
int __real_socketpair(int family, int type, int proto, int* fds);
int __real_accept4(int fd, sockaddr* address, socklen_t* size, int flags);
int __real_close(int fd);
int __real_connect(int fd, const sockaddr* address, socklen_t size);
ssize_t __real_recv(int fd, void* buffer, size_t size, int flags);
ssize_t __real_recvfrom(int fd, void* buffer, size_t size, int flags, sockaddr* from, socklen_t* from_size);
ssize_t __real_recvmsg(int fd, msghdr* message, int flags);
ssize_t __real_send(int fd, const void* data, size_t size, int flags);
ssize_t __real_sendto(int fd, const void* data, size_t size, int flags, const sockaddr* to, socklen_t to_size);
ssize_t __real_sendmsg(int fd, const msghdr* message, int flags);
ssize_t __real_sendfile(int fd, int file, off_t* offset, size_t size);
}

namespace {

// In the order in which the summary names them.
enum Kind : unsigned { cut, again, delay, interrupt, lost, refused, reset, kind_count };

// --- Chance: splitmix64, which any two numbers make a sequence of
class Chance {
public:
    void start(std::uint64_t seed, std::uint64_t number) noexcept { state_ = mix(seed) ^ mix(~number); }
    std::uint64_t next() noexcept { return mix(state_ += 0x9e3779b97f4a7c15); }
    std::uint64_t below(std::uint64_t limit) noexcept { return next() % limit; }
    // 1 to 2^most, as often short as long
    std::uint64_t span(unsigned most) noexcept { return 1 + below(std::uint64_t{1} << below(most + 1)); }

private:
    static std::uint64_t mix(std::uint64_t value) noexcept {
        value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
        value = (value ^ value >> 27) * 0x94d049bb133111eb;
        return value ^ value >> 31;
    }
    std::uint64_t state_ = 0;
};

// How many of a thousand are of a kind; what is left of them just cuts a transfer, or is nothing.
struct Share {
    Kind kind;
    unsigned per_mille;
};
constexpr std::array stream_shares{Share{again, 150}, Share{delay, 150}, Share{interrupt, 150}};
constexpr std::array datagram_shares{Share{again, 100}, Share{delay, 150}, Share{interrupt, 100}, Share{lost, 30}};
constexpr std::array accept_shares{Share{again, 200}, Share{delay, 200}, Share{interrupt, 200}};
constexpr std::array connect_shares{Share{delay, 300}, Share{refused, 30}};
constexpr unsigned longest_stretch = 10;  // 2^10 bytes
// Of a thousand connections, in each direction; whoever tries again comes through.
constexpr unsigned broken_per_mille = 250;
constexpr unsigned longest_life = 14;  // 2^14 bytes
constexpr std::uint64_t longest_delay_us = 20000;

template <std::size_t count> Kind choose(Chance& chance, const std::array<Share, count>& shares) noexcept {
    std::uint64_t drawn = chance.below(1000);
    for (const Share& share : shares) {
        if (drawn < share.per_mille) return share.kind;
        drawn -= share.per_mille;
    }
    return cut;
}

// --- What is known of a socket; guarded by the lock
class Direction {
public:
    void start(std::uint64_t seed, std::uint64_t number) noexcept {
        *this = Direction();
        chance_.start(seed, number);
        point_ = chance_.span(longest_stretch);
        if (chance_.below(1000) < broken_per_mille) end_ = chance_.span(longest_life);
    }
    [[nodiscard]] bool is_at_point() const noexcept { return position_ >= std::min(point_, end_); }
    Kind pass_point() noexcept {
        if (position_ >= end_) {
            end_ = UINT64_MAX;
            return reset;
        }
        point_ += chance_.span(longest_stretch);
        return choose(chance_, stream_shares);
    }
    [[nodiscard]] std::size_t stretch() const noexcept {
        return static_cast<std::size_t>(std::min(point_, end_) - position_);
    }
    void advance(std::size_t size) noexcept { position_ += size; }
    Chance& chance() noexcept { return chance_; }

    bool has_come_to_it = false;  // what there is to come before the next datagram or connection has come

private:
    Chance chance_;
    std::uint64_t position_ = 0;
    std::uint64_t point_ = 0;         // the next one
    std::uint64_t end_ = UINT64_MAX;  // where the connection breaks
};

struct Known {
    bool is_known = false;
    bool is_inet = false;
    bool is_stream = false;
    std::uint64_t number = 0;
    std::uint64_t accepted = 0;
    Direction in, out;
};

constexpr std::size_t most_descriptors = 4096;  // what has a higher number is left alone
std::array<Known, most_descriptors> sockets;
std::array<std::uint64_t, kind_count> counts;
std::uint64_t seed;
std::uint64_t opened;    // by the program itself, which numbers them
std::uint64_t accepted;  // they have their number from the socket that listens
usocket::Lock lock;

class Locked : usocket::Locked {
public:
    Locked() noexcept : usocket::Locked(lock) {}
};

Known* find(int fd) noexcept {
    if (fd < 0 || static_cast<std::size_t>(fd) >= most_descriptors) return nullptr;
    Known& known = sockets[static_cast<std::size_t>(fd)];
    return known.is_known ? &known : nullptr;
}

// Under the lock.
void note(int fd, std::uint64_t number, int family, int type) noexcept {
    if (fd < 0 || static_cast<std::size_t>(fd) >= most_descriptors) return;
    const int bare = type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK);
    Known& known = sockets[static_cast<std::size_t>(fd)];
    known = Known();
    known.is_known = true;
    known.is_inet = family == AF_INET || family == AF_INET6;
    known.is_stream = bare == SOCK_STREAM;
    known.number = number;
    known.in.start(seed, 2 * number);
    known.out.start(seed, 2 * number + 1);
}

void note_opened(int fd, int family, int type) noexcept {
    const Locked locked;
    note(fd, opened++, family, type);
}

void note_accepted(int listener, int conn, int family) noexcept {
    const Locked locked;
    Known* from = find(listener);
    if (conn < 0 || from == nullptr) return;
    ++accepted;
    note(conn, (from->number + 1) << 32 | ++from->accepted, family, SOCK_STREAM);
}

// --- What happens

void sleep_for(std::uint64_t us) noexcept {
    const timespec span{0, static_cast<long>(us * 1000)};
    (void)::nanosleep(&span, nullptr);
}

// Both ends learn of it: the other is sent a reset, which is how TCP leaves a peer; this one has the call's error, and
// is as it would be after that.
void break_connection(int fd) noexcept {
    sockaddr nobody{};
    nobody.sa_family = AF_UNSPEC;
    (void)__real_connect(fd, &nobody, sizeof nobody);
    int error = 0;
    socklen_t size = sizeof error;
    (void)::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    (void)::shutdown(fd, SHUT_RDWR);
}

// What a call meets instead of being done, as an errno; 0: nothing.
int meet(int fd, Kind kind, std::uint64_t delay_us) noexcept {
    switch (kind) {
        case delay: sleep_for(delay_us); return 0;
        case again: return EAGAIN;
        case interrupt: return EINTR;
        case refused: return ECONNREFUSED;
        case reset: break_connection(fd); return ECONNRESET;
        default: return 0;
    }
}

struct Call {
    bool may_be_cut = true;
    bool may_be_put_off = true;  // EAGAIN would be taken for what it says
};

// Before a transfer of at most `size`, which may become less; an errno: it is not done at all.
int before_stream(int fd, Direction Known::* direction, Call call, std::size_t& size) noexcept {
    while (true) {
        Kind kind = cut;
        std::uint64_t delay_us = 0;
        {
            const Locked locked;
            Known* known = find(fd);
            if (known == nullptr || !known->is_stream) return 0;
            Direction& way = known->*direction;
            if (!way.is_at_point()) {
                if (call.may_be_cut) size = std::min(size, way.stretch());
                return 0;
            }
            kind = way.pass_point();
            if (kind == again && (!call.may_be_put_off || !known->is_inet)) kind = interrupt;
            if (kind == reset && !known->is_inet) kind = cut;
            if (kind == delay) delay_us = way.chance().below(longest_delay_us);
            ++counts[kind];
        }
        if (const int error = meet(fd, kind, delay_us); error != 0) return error;
    }
}

void after_stream(int fd, Direction Known::* direction, ssize_t moved) noexcept {
    if (moved <= 0) return;
    const int before = errno;
    {
        const Locked locked;
        if (Known* known = find(fd); known != nullptr) (known->*direction).advance(static_cast<std::size_t>(moved));
    }
    errno = before;
}

// Before a datagram, a connection: once for each, however often it is tried. `is_lost`: it gets lost on its way.
template <std::size_t count>
int before_one(int fd, Direction Known::* direction, const std::array<Share, count>& shares, bool may_be_put_off,
               bool* is_lost) noexcept {
    Kind kind = cut;
    std::uint64_t delay_us = 0;
    {
        const Locked locked;
        Known* known = find(fd);
        if (known == nullptr) return 0;
        Direction& way = known->*direction;
        if (way.has_come_to_it) return 0;
        way.has_come_to_it = true;
        kind = choose(way.chance(), shares);
        if (kind == lost && (is_lost == nullptr || !known->is_inet)) kind = cut;
        if (kind == refused && !known->is_inet) kind = cut;
        if (kind == again && !may_be_put_off) kind = interrupt;
        if (kind == delay) delay_us = way.chance().below(longest_delay_us);
        if (kind != cut) ++counts[kind];
    }
    if (is_lost != nullptr) *is_lost = kind == lost;
    return meet(fd, kind, delay_us);
}

void after_one(int fd, Direction Known::* direction, bool is_done) noexcept {
    if (!is_done) return;
    const Locked locked;
    if (Known* known = find(fd); known != nullptr) (known->*direction).has_come_to_it = false;
}

bool is_stream(int fd) noexcept {
    const Locked locked;
    const Known* known = find(fd);
    return known == nullptr || known->is_stream;
}

ssize_t failed(int error) noexcept {
    errno = error;
    return -1;
}

bool is_nonblocking(int fd, int flags) noexcept {
    return (flags & MSG_DONTWAIT) != 0 || (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

// A look takes nothing, and must show all there is; what is thrown away has been seen; and who sleeps in the system
// takes EAGAIN for the end of a timeout.
Call call_of(int fd, int flags) noexcept {
    const bool looks = (flags & (MSG_PEEK | MSG_TRUNC | MSG_OOB | MSG_ERRQUEUE)) != 0;
    return {!looks, !looks && is_nonblocking(fd, flags)};
}

template <class Receive> ssize_t receive(int fd, std::size_t size, int flags, Receive real) noexcept {
    if ((flags & (MSG_OOB | MSG_ERRQUEUE)) != 0) return real(size);
    if (!is_stream(fd)) {
        const int error = before_one(fd, &Known::in, datagram_shares, is_nonblocking(fd, flags), nullptr);
        if (error != 0) return failed(error);
        const ssize_t got = real(size);
        after_one(fd, &Known::in, got >= 0 && (flags & MSG_PEEK) == 0);
        return got;
    }
    std::size_t part = size;
    const int error = before_stream(fd, &Known::in, call_of(fd, flags), part);
    if (error != 0) return failed(error);
    const ssize_t got = real(part);
    if ((flags & MSG_PEEK) == 0) after_stream(fd, &Known::in, got);
    return got;
}

template <class Send> ssize_t send_by(int fd, std::size_t size, int flags, Send real) noexcept {
    if (!is_stream(fd)) {
        bool is_lost = false;
        const int error = before_one(fd, &Known::out, datagram_shares, is_nonblocking(fd, flags), &is_lost);
        if (error != 0) return failed(error);
        const ssize_t sent = is_lost ? static_cast<ssize_t>(size) : real(size);
        after_one(fd, &Known::out, sent >= 0);
        return sent;
    }
    std::size_t part = size;
    const int error = before_stream(fd, &Known::out, call_of(fd, flags), part);
    if (error != 0) return failed(error);
    const ssize_t sent = real(part);
    after_stream(fd, &Known::out, sent);
    return sent;
}

// The same pieces, but no more than `size` of them.
class Pieces {
public:
    Pieces(const msghdr& message, std::size_t size) noexcept : message_(message) {
        std::size_t used = 0;
        for (; used < std::min<std::size_t>(message.msg_iovlen, pieces_.size()) && size != 0; ++used) {
            pieces_[used] = message.msg_iov[used];
            pieces_[used].iov_len = std::min(pieces_[used].iov_len, size);
            size -= pieces_[used].iov_len;
        }
        message_.msg_iov = pieces_.data();
        message_.msg_iovlen = used;
    }
    [[nodiscard]] msghdr& message() noexcept { return message_; }
    static std::size_t size_of(const msghdr& message) noexcept {
        std::size_t size = 0;
        for (std::size_t i = 0; i < message.msg_iovlen; ++i) size += message.msg_iov[i].iov_len;
        return size;
    }

private:
    msghdr message_;
    std::array<iovec, 64> pieces_{};
};

}  // namespace

extern "C" {

int __wrap_socket(int family, int type, int proto) {
    const int fd = __real_socket(family, type, proto);
    note_opened(fd, family, type);
    return fd;
}

int __wrap_socketpair(int family, int type, int proto, int* fds) {
    const int result = __real_socketpair(family, type, proto, fds);
    if (result == 0) {
        note_opened(fds[0], family, type);
        note_opened(fds[1], family, type);
    }
    return result;
}

int __wrap_accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
    const int error = before_one(fd, &Known::in, accept_shares, is_nonblocking(fd, 0), nullptr);
    if (error != 0) return static_cast<int>(failed(error));
    const int conn = __real_accept4(fd, address, size, flags);
    after_one(fd, &Known::in, conn >= 0);
    note_accepted(fd, conn, address->sa_family);
    return conn;
}

int __wrap_close(int fd) {
    {
        const Locked locked;
        if (Known* known = find(fd); known != nullptr) known->is_known = false;
    }
    return __real_close(fd);
}

int __wrap_connect(int fd, const sockaddr* address, socklen_t size) {
    const int error = is_stream(fd) ? before_one(fd, &Known::out, connect_shares, false, nullptr) : 0;
    return error != 0 ? static_cast<int>(failed(error)) : __real_connect(fd, address, size);
}

ssize_t __wrap_recv(int fd, void* buffer, size_t size, int flags) {
    return receive(fd, size, flags, [&](std::size_t part) { return __real_recv(fd, buffer, part, flags); });
}

ssize_t __wrap_recvfrom(int fd, void* buffer, size_t size, int flags, sockaddr* from, socklen_t* from_size) {
    return receive(fd, size, flags,
                   [&](std::size_t part) { return __real_recvfrom(fd, buffer, part, flags, from, from_size); });
}

ssize_t __wrap_recvmsg(int fd, msghdr* message, int flags) {
    const std::size_t size = Pieces::size_of(*message);
    return receive(fd, size, flags, [&](std::size_t part) {
        if (part == size) return __real_recvmsg(fd, message, flags);
        Pieces pieces(*message, part);
        const ssize_t got = __real_recvmsg(fd, &pieces.message(), flags);
        message->msg_namelen = pieces.message().msg_namelen;
        message->msg_controllen = pieces.message().msg_controllen;
        message->msg_flags = pieces.message().msg_flags;
        return got;
    });
}

ssize_t __wrap_send(int fd, const void* data, size_t size, int flags) {
    return send_by(fd, size, flags, [&](std::size_t part) { return __real_send(fd, data, part, flags); });
}

ssize_t __wrap_sendto(int fd, const void* data, size_t size, int flags, const sockaddr* to, socklen_t to_size) {
    return send_by(fd, size, flags,
                   [&](std::size_t part) { return __real_sendto(fd, data, part, flags, to, to_size); });
}

ssize_t __wrap_sendmsg(int fd, const msghdr* message, int flags) {
    const std::size_t size = Pieces::size_of(*message);
    return send_by(fd, size, flags, [&](std::size_t part) {
        if (part == size) return __real_sendmsg(fd, message, flags);
        Pieces pieces(*message, part);
        return __real_sendmsg(fd, &pieces.message(), flags);
    });
}

ssize_t __wrap_sendfile(int fd, int file, off_t* offset, size_t size) {
    return send_by(fd, size, 0, [&](std::size_t part) { return __real_sendfile(fd, file, offset, part); });
}

// --- For usocket.desktop.chaos

[[gnu::visibility("default")]] void usocket_chaos_start(std::uint64_t with_seed) {
    const Locked locked;
    seed = with_seed;
}

// How many sockets there were, and how often each kind of trouble; the caller has room for 1 + kind_count.
[[gnu::visibility("default")]] void usocket_chaos_counts(std::uint64_t* into) {
    const Locked locked;
    *into = opened + accepted;
    std::copy(counts.begin(), counts.end(), into + 1);
}
}
// NOLINTEND(bugprone-reserved-identifier)
