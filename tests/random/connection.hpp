// Where a socket under test can connect to; made by system calls alone, or what stands for them
// (tests/support/<stack>).
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>

#include "descriptor.hpp"
#include "stack.hpp"
#include "usocket/usocket.hpp"

namespace usocket::tests {

// third: AF_UNIX; where there is none, TCP over what prepare_stack() has made.
enum class Medium { tcp, tcp6, third };
inline constexpr const char* medium_names[] = {"TCP", "TCP over IPv6", lacks("unix") ? "TCP over a wire" : "AF_UNIX"};

inline int checked(int result) {
    if (result < 0) std::abort();
    return result;
}

// The loopback address with a port of the system's choice.
inline socklen_t loopback(int family, sockaddr_storage& address) {
    address = {};
    address.ss_family = static_cast<decltype(address.ss_family)>(family);
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
    if (fd >= 0) close_descriptor(fd);
    return can;
}

// support/lwip/wire.hpp: what is sent to 10.0.0.2 comes to 10.0.0.1.
inline constexpr std::uint32_t wire_here = 0x0a000001;

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
    const int third = lacks("unix") ? AF_INET : AF_UNIX;
    const int family = medium == Medium::tcp ? AF_INET : medium == Medium::tcp6 ? AF_INET6 : third;
    sockaddr_storage address;
    const socklen_t size = loopback(family, address);
    const bool is_wire = medium == Medium::third && lacks("unix");
    if (is_wire) reinterpret_cast<sockaddr_in&>(address).sin_addr.s_addr = htonl(wire_here);
    made.fd = checked(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    checked(::bind(made.fd, reinterpret_cast<sockaddr*>(&address), size));
    checked(::listen(made.fd, backlog));
    made.address = name_of(made.fd);
    if (is_wire) made.address = Address::inet(AF_INET, "10.0.0.2", made.address.port()).value_or(Address());
    return made;
}

// The number that the next descriptor will have.
inline int next_descriptor() {
    const int fd = checked(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    close_descriptor(fd);
    return fd;
}
inline int next_descriptor_but_one() {
    const int next = checked(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const int fd = next_descriptor();
    close_descriptor(next);
    return fd;
}

}  // namespace usocket::tests
