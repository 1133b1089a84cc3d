// Connections made by system calls alone: what is under test begins with descriptors that somebody else opened.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>

namespace usocket::tests {

enum class Medium { tcp, tcp6, unix_stream };
inline constexpr const char* medium_names[] = {"TCP", "TCP over IPv6", "AF_UNIX"};

struct Connection {
    int here = -1, there = -1;
    int listener = -1;  // where `here` can connect to again; none for AF_UNIX
};

inline int checked(int result) {
    if (result < 0) std::abort();
    return result;
}

// The loopback address with a port of the system's choice.
inline socklen_t loopback(int family, sockaddr_storage& address) {
    address = {};
    address.ss_family = static_cast<sa_family_t>(family);
    if (family == AF_INET6) {
        reinterpret_cast<sockaddr_in6&>(address).sin6_addr = in6addr_loopback;
        return sizeof(sockaddr_in6);
    }
    reinterpret_cast<sockaddr_in&>(address).sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return sizeof(sockaddr_in);
}

inline bool has_ipv6() {
    sockaddr_storage address;
    const socklen_t size = loopback(AF_INET6, address);
    const int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool can = fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0;
    if (fd >= 0) ::close(fd);
    return can;
}

// `buffer`: SO_RCVBUF of `here` and SO_SNDBUF of `there`; 0: as the system has it.
inline Connection connect(Medium medium, int buffer) {
    Connection made;
    const auto shrink = [buffer](int fd, int name) {
        if (buffer != 0) (void)::setsockopt(fd, SOL_SOCKET, name, &buffer, sizeof buffer);
    };
    if (medium == Medium::unix_stream) {
        int ends[2];
        checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
        made.here = ends[0];
        made.there = ends[1];
    } else {
        const int family = medium == Medium::tcp ? AF_INET : AF_INET6;
        sockaddr_storage address;
        socklen_t size = loopback(family, address);
        auto* name = reinterpret_cast<sockaddr*>(&address);
        made.listener = checked(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        checked(::bind(made.listener, name, size));
        checked(::listen(made.listener, 16));
        checked(::getsockname(made.listener, name, &size));
        made.here = checked(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        shrink(made.here, SO_RCVBUF);
        checked(::connect(made.here, name, size));
        made.there = checked(::accept4(made.listener, nullptr, nullptr, SOCK_CLOEXEC));
    }
    shrink(made.there, SO_SNDBUF);
    return made;
}

}  // namespace usocket::tests
