// Where a socket under test can connect to; made by system calls alone.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>

#include "usocket/usocket.hpp"

namespace usocket::tests {

enum class Medium { tcp, tcp6, unix_stream };
inline constexpr const char* medium_names[] = {"TCP", "TCP over IPv6", "AF_UNIX"};

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
    if (family == AF_UNIX) return sizeof address.ss_family;  // unix(7): an abstract name of the system's choice
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

struct Listener {
    int fd = -1;
    Address address;
};

inline Address name_of(int fd) {
    Address address;
    socklen_t size = Address::max_size;
    checked(::getsockname(fd, reinterpret_cast<sockaddr*>(address.raw()), &size));
    address.set_size(size);
    return address;
}

inline Listener listen(Medium medium, int backlog = 16) {
    Listener made;
    const int family = medium == Medium::tcp ? AF_INET : medium == Medium::tcp6 ? AF_INET6 : AF_UNIX;
    sockaddr_storage address;
    const socklen_t size = loopback(family, address);
    made.fd = checked(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    checked(::bind(made.fd, reinterpret_cast<sockaddr*>(&address), size));
    checked(::listen(made.fd, backlog));
    made.address = name_of(made.fd);
    return made;
}

// The number that the next descriptor will have.
inline int next_descriptor() {
    const int fd = checked(::dup(0));
    ::close(fd);
    return fd;
}

}  // namespace usocket::tests
