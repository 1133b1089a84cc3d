// Socket: life and connections, options, names. What moves bytes is in stream.cpp, what guards them in gate.cpp.
#include "usocket/socket.hpp"

#include <cerrno>
#include <cstring>
#include <new>

#include "socket/aside.hpp"
#include "socket/gate.hpp"
#include "wait/held.hpp"
#include "stream/window.hpp"

namespace usocket {

// --- Life

Socket::Socket(Socket&& other) noexcept { take(other); }

Socket& Socket::operator=(Socket&& other) noexcept {
    if (this == &other) return *this;
    destroy();
    take(other);
    return *this;
}

Socket::~Socket() { destroy(); }

// Both are nobody else's while they move.
void Socket::take(Socket& other) noexcept {
    const auto move = [](auto& to, auto& from, auto left_behind) {
        to.store(from.load(std::memory_order_relaxed), std::memory_order_relaxed);
        from.store(left_behind, std::memory_order_relaxed);
    };
    move(fd_, other.fd_, sys::no_fd);
    move(gate_, other.gate_, closed_gate);
    move(aside_, other.aside_, nullptr);
    reader_.store(0, std::memory_order_relaxed);
    timeout_ = other.timeout_;
    kind_ = other.kind_;
    family_ = other.family_;
    window_ = std::exchange(other.window_, std::uint8_t{0});
    Windows::moved(*this);
}

void Socket::destroy() noexcept {
    const bool is_empty = fd_.load(std::memory_order_acquire) == sys::no_fd && aside_.load() == nullptr;
    if (is_empty) return;
    close();
    // A longjmp may have left the count of calls too high; by now nobody is inside.
    release();
    Aside* aside = aside_.exchange(nullptr, std::memory_order_acq_rel);
    if (aside == nullptr) return;
    aside->tell_orphaned();
    aside->kept.clear();
    (void)sys::resize(aside, 0);
}

template <class Opened> Socket Socket::from_opened(const Opened& opened, int proto) noexcept {
    Socket socket(opened.fd, opened.family, opened.type, proto);
    if (opened.nonblocking) socket.timeout_ = Timeout::zero();
    return socket;
}

Result<Socket> Socket::open() noexcept { return open(sys::af_inet, sys::sock_stream); }

Result<Socket> Socket::open(int af, int type, int proto) noexcept {
    const bool is_secure = proto == IPPROTO_SEC && type == sys::sock_stream;
    const auto opened = sys::open(af, type, is_secure ? sys::ipproto_tcp : proto);
    if (!opened) return opened.error();
    return from_opened(*opened, is_secure ? IPPROTO_SEC : opened->proto);
}

Result<SocketPair> Socket::pair() noexcept { return pair(sys::af_unix, sys::sock_stream); }

Result<SocketPair> Socket::pair(int af, int type, int proto) noexcept {
    const auto opened = sys::open_pair(af, type, proto);
    if (!opened) return opened.error();
    SocketPair pair;
    pair.first = from_opened(opened->first, opened->first.proto);
    pair.second = from_opened(opened->second, opened->second.proto);
    return pair;
}

Result<Socket> Socket::adopt(int fd) noexcept {
    const auto opened = sys::inspect(fd);
    if (!opened) return opened.error();
    Socket socket = from_opened(*opened, opened->proto);
    socket.expose();
    return socket;
}

Aside* Socket::make_aside() noexcept {
    Aside* aside = aside_.load(std::memory_order_acquire);
    if (aside != nullptr) return aside;
    void* memory = sys::resize(nullptr, sizeof(Aside));
    if (memory == nullptr) return nullptr;
    auto* made = new (memory) Aside;
    if (aside_.compare_exchange_strong(aside, made, std::memory_order_acq_rel)) return made;
    (void)sys::resize(made, 0);
    return aside;
}

// --- Connections

Result<void> Socket::bind(const Address& address) noexcept {
    return inside([&]() noexcept { return sys::bind(fd_, address); });
}

Result<void> Socket::listen() noexcept { return listen(sys::default_backlog); }

Result<void> Socket::listen(int backlog) noexcept {
    return inside([&]() noexcept { return sys::listen(fd_, backlog < 0 ? 0 : backlog); });
}

Result<Accepted> Socket::accept(Call&& call) noexcept {
    Accepted accepted;
    auto peer = accept_into(accepted.socket, static_cast<Call&&>(call));
    if (!peer) return peer.error();
    accepted.address = *peer;
    return accepted;
}

Result<Address> Socket::accept_into(Socket& conn, Call&& call) noexcept {
    Address peer;
    const auto accepted = inside(call, [&]() noexcept {
        // A longjmp out of accept() would lose the descriptor: it waits outside.
        const bool must_not_sleep = (call.unwinds() || call.looks_for_signals()) && timeout_.is_none();
        return Blocking(call, timeout_, this).perform(fd_, sys::poll_in, [&]() noexcept -> Result<void> {
            const Held held;
            if (must_not_sleep) (void)sys::set_nonblocking(fd_, true);
            const auto fd = sys::accept(fd_, peer);
            if (fd) conn = Socket(*fd, family_, type(), proto());
            if (must_not_sleep) (void)sys::set_nonblocking(fd_, false);
            return fd.error();
        });
    });
    if (!accepted) return accepted.error();
    return peer;
}

// A connection attempt goes on in the system whatever ends the first call: EINTR and EINPROGRESS both mean to wait
// for its end. Not so for AF_UNIX: while the backlog is full it is EAGAIN, the call is to be repeated, and there is
// nothing to poll for.
Result<void> Socket::connect(const Address& address, Call&& call) noexcept {
    return inside(call, [&]() noexcept -> Result<void> {
        Blocking blocking(call, timeout_, this);
        const bool is_unix = family_ == sys::af_unix;
        for (;;) {
            const auto connected = blocking.once([&]() noexcept {
                // In the system it would wait out of reach of a close() that has just begun, and for room in the
                // backlog of AF_UNIX out of reach of any (SOCK-4). Only another thread closes meanwhile.
                const bool is_alone = *sys::single_threaded != 0 && !call.looks_for_signals();
                const bool must_not_sleep = (is_unix || is_stream()) && timeout_.is_none() && !is_alone;
                if (must_not_sleep) (void)sys::set_nonblocking(fd_, true);
                const auto result = sys::connect(fd_, address);
                if (must_not_sleep) (void)sys::set_nonblocking(fd_, false);
                return result;
            });
            const int code = connected.error().code();
            const bool goes_on = code == EINPROGRESS ? !timeout_.is_zero() : code == EINTR && !is_unix;
            if (goes_on) {
                const Error error = finish_connect(call);
                // Told so once more, Linux takes it for connected: from now on another connect is EISCONN.
                if (error == Error()) (void)sys::connect(fd_, address);
                return error;
            }
            if (code == EINTR) {
                if (const Error error = blocking.check_signals(); error != Error()) return error;
                if (closed()) return Error(EBADF);
                continue;
            }
            if (code != EAGAIN) return connected;
            const auto paused = blocking.pause(sys::no_fd, 0, Timeout::of_nanoseconds(2'000'000));
            if (!paused) return paused;
            if (closed()) return Error(EBADF);
        }
    });
}

Error Socket::finish_connect(Call& call) noexcept {
    Blocking blocking(call, timeout_, this);
    if (const Error error = blocking.check_signals(); error != Error()) return error;
    const auto ready = blocking.wait(fd_, sys::poll_out);
    if (!ready) return ready.error();
    int code = 0;
    const auto asked = sys::getsockopt(fd_, sys::sol_socket, sys::so_error, {&code, sizeof code});
    return asked ? Error(code) : asked.error();
}

Result<void> Socket::shutdown(int how) noexcept {
    return inside([&]() noexcept { return sys::shutdown(fd_, how); });
}

// --- Options

Result<void> Socket::settimeout(Timeout timeout) noexcept {
    return inside([&]() noexcept -> Result<void> {
        // The descriptor is blocking only while there is no deadline: then one system call both waits and works.
        if (timeout.is_none() != timeout_.is_none()) {
            const auto set = sys::set_nonblocking(fd_, !timeout.is_none());
            if (!set) return set;
        }
        timeout_ = timeout;
        return {};
    });
}

Result<void> Socket::setblocking(bool blocking) noexcept {
    return settimeout(blocking ? Timeout::none() : Timeout::zero());
}

Result<void> Socket::setsockopt(int level, int name, int value) noexcept {
    return setsockopt(level, name, ConstBuffer(&value, sizeof value));
}

Result<void> Socket::setsockopt(int level, int name, ConstBuffer value) noexcept {
    return inside([&]() noexcept {
        // A poll that counts bytes must not count those that readline() has handed out already.
        if (level == sys::sol_socket && name == sys::so_rcvlowat) expose();
        return sys::setsockopt(fd_, level, name, value);
    });
}

Result<int> Socket::getsockopt(int level, int name) noexcept {
    int value = 0;
    const auto size = getsockopt(level, name, MutableBuffer(&value, sizeof value));
    if (!size) return size.error();
    return value;
}

Result<std::size_t> Socket::getsockopt(int level, int name, MutableBuffer value) noexcept {
    return inside([&]() noexcept { return sys::getsockopt(fd_, level, name, value); });
}

// --- What it is

Result<Address> Socket::getsockname() noexcept {
    return inside([&]() noexcept { return sys::getsockname(fd_); });
}

Result<Address> Socket::getpeername() noexcept {
    return inside([&]() noexcept { return sys::getpeername(fd_); });
}

int Socket::fileno() noexcept {
    const auto fd = inside([&]() noexcept -> Result<int> {
        expose();
        return fd_.load(std::memory_order_relaxed);
    });
    return fd ? *fd : sys::no_fd;
}

Result<Socket> Socket::dup() noexcept {
    return inside([&]() noexcept -> Result<Socket> {
        const auto fd = sys::duplicate(fd_);
        if (!fd) return fd.error();
        expose();
        Socket copy(*fd, family_, type(), proto());
        copy.expose();
        copy.timeout_ = timeout_;
        return copy;
    });
}

bool Socket::has_kept() const noexcept { return Aside::keeps(aside_.load(std::memory_order_acquire)); }

unsigned Socket::poll_now(unsigned events) noexcept {
    const auto ready = inside([&]() noexcept { return sys::wait(fd_, events, Timeout::zero()); });
    if (ready.error() == Error(EBADF)) return sys::poll_nval;
    return ready.value_or(0u) | (has_kept() ? events & sys::poll_in : 0u);
}

bool Socket::is_stream() const noexcept { return type() == sys::sock_stream; }

bool Socket::is_tcp() const noexcept { return is_stream() && (proto() == sys::ipproto_tcp || proto() == IPPROTO_SEC); }

}  // namespace usocket
