// What ends the calls of others on a socket that is closed: something that they watch beside it. Elsewhere than on
// Linux shutdown(2) wakes nobody who accepts, or who receives datagrams from anybody.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include "sys/posix/native.hpp"

namespace usocket::sys {

bool knows_shutdown(int /*family*/) noexcept { return false; }

// A datagram socket that has a peer, from which nothing ever comes; shut down it is readable for good.
Result<Fd> bell_open() noexcept {
    const int bell = calls::socket(AF_INET, SOCK_DGRAM, 0);
    if (bell < 0) return last_error();
    sockaddr_in nobody{};
    nobody.sin_family = AF_INET;
    nobody.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    nobody.sin_port = htons(9);
    if (::connect(bell, reinterpret_cast<const sockaddr*>(&nobody), sizeof nobody) == 0) return bell;
    const Error error = last_error();
    (void)::close(bell);
    return error;
}

void bell_ring(Fd bell) noexcept { (void)::shutdown(bell, SHUT_RDWR); }

}  // namespace usocket::sys
