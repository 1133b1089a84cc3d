#include "sys/lwip/table.hpp"

#include <new>

#include "lwip/priv/tcp_priv.h"
#include "sys/lwip/tcp.hpp"
#include "sys/lwip/udp.hpp"

namespace usocket::sys {
namespace {

struct File {
    Sock* sock = nullptr;
    std::uint32_t serial = 0;
};

PcbOptions options_of(Sock::Kind kind) noexcept {
    PcbOptions options;
    options.ttl = kind == Sock::Kind::udp ? UDP_TTL : TCP_TTL;
    options.keep_idle_ms = TCP_KEEPIDLE_DEFAULT;
    options.keep_intvl_ms = TCP_KEEPINTVL_DEFAULT;
    options.keep_cnt = TCP_KEEPCNT_DEFAULT;
    return options;
}

// Free is all zero: a device keeps no image of it in its flash.
Sock socks[USOCKET_LWIP_SOCKETS];
File files[USOCKET_LWIP_SOCKETS];

}  // namespace

Sock* new_sock(Sock::Kind kind) noexcept {
    for (Sock& sock : socks) {
        if (sock.kind != Sock::Kind::free) continue;
        sock = Sock();
        sock.kind = kind;
        sock.lowat = 1;
        sock.options = options_of(kind);
        return &sock;
    }
    return nullptr;
}

void free_sock(Sock& sock) noexcept {
    drop_watches(sock);
    switch (sock.kind) {
        case Sock::Kind::tcp: end_tcp(sock); break;
        case Sock::Kind::udp: end_udp(sock); break;
        case Sock::Kind::growth: let_go(*sock.target); break;
        default: break;
    }
    sock.kind = Sock::Kind::free;
}

void let_go(Sock& sock) noexcept {
    if (--sock.holders == 0) free_sock(sock);
}

Fd new_fd(Sock& sock) noexcept {
    for (File& file : files) {
        if (file.sock != nullptr) continue;
        file.sock = &sock;
        ++file.serial;
        ++sock.holders;
        return static_cast<Fd>(&file - files);
    }
    return no_fd;
}

Sock* find(Fd fd) noexcept { return fd < 0 || fd >= USOCKET_LWIP_SOCKETS ? nullptr : files[fd].sock; }

Found::Found(Fd fd) noexcept : sock_(find(fd)) {
    const bool is_socket = sock_ != nullptr && (sock_->kind == Sock::Kind::tcp || sock_->kind == Sock::Kind::udp);
    if (!is_socket) error_ = Error(sock_ == nullptr ? EBADF : ENOTSOCK);
}

std::uint32_t serial_of(Fd fd) noexcept { return find(fd) == nullptr ? 0 : files[fd].serial; }

void close(Fd fd) noexcept {
    const Guard guard;
    Sock* sock = find(fd);
    if (sock == nullptr) return;
    files[fd].sock = nullptr;
    note_watches(*sock);
    let_go(*sock);
    turn();
}

Result<Fd> duplicate(Fd fd) noexcept {
    const Found sock(fd);
    if (!sock) return sock.error();
    const Fd copy = new_fd(*sock);
    return copy == no_fd ? Result<Fd>(Error(EMFILE)) : copy;
}

unsigned ready(const Sock& sock) noexcept {
    switch (sock.kind) {
        case Sock::Kind::tcp: return ready_tcp(sock);
        case Sock::Kind::udp: return ready_udp(sock);
        case Sock::Kind::bell: return sock.eof ? poll_in : 0;
        case Sock::Kind::growth: return sock.target->changes != sock.changes ? poll_in : 0;
        case Sock::Kind::lookup: return is_lookup_done(sock) ? poll_in : 0;
        case Sock::Kind::free: break;
    }
    return poll_nval;
}

// As turn() is.
[[gnu::noinline]] void changed(Sock& sock) noexcept {
    ++sock.changes;
    note_watches(sock);
    usocket_port_wake();
}

}  // namespace usocket::sys

void usocket_lwip_reset(void) {
    {
        const usocket::sys::Guard guard;
        usocket::sys::leave_lookups();
    }
    for (int fd = 0; fd < USOCKET_LWIP_SOCKETS; ++fd) {
        {
            const usocket::sys::Guard guard;
            usocket::sys::Sock* sock = usocket::sys::find(fd);
            if (sock != nullptr) sock->lingers = true, sock->linger_s = 0;
        }
        usocket::sys::close(fd);
    }
    const usocket::sys::Guard guard;
    usocket::sys::forget_closed_tcp();
}
