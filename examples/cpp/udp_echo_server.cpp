// Sends every datagram back to where it came from: udp_echo_server [PORT]
//
// Listens on 127.0.0.1, on a free port unless told which, and prints the port. Poll waits, so that a device could watch
// its other sockets in the same loop.
#include <usocket/usocket.hpp>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "port.hpp"

namespace {

using usocket::Poll;
using usocket::Result;

Result<void> echo(int port) {
    auto socket = USOCKET_TRY(usocket::socket(AF_INET, SOCK_DGRAM));
    USOCKET_TRY(socket.bind(USOCKET_TRY(usocket::Address::inet(AF_INET, "127.0.0.1", port))));
    USOCKET_TRY(print_port(socket));
    Poll poll;
    USOCKET_TRY(poll.register_(socket, POLLIN));
    std::array<std::uint8_t, 65535> buffer;
    for (;;) {
        Poll::Event event;
        USOCKET_TRY(poll.poll(&event, 1));
        const auto [size, from] = USOCKET_TRY(socket.recvfrom_into(buffer));
        USOCKET_TRY(socket.sendto({buffer.data(), size}, from));
    }
}

}  // namespace

int main(int argc, char** argv) {
    const auto ended = echo(argc == 2 ? std::atoi(argv[1]) : 0);
    std::fprintf(stderr, "udp_echo_server: %s\n", ended.error().message());
    return 1;
}
