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
using usocket::Socket;

Result<void> echo(int port) {
    const auto address = usocket::Address::inet(AF_INET, "127.0.0.1", port);
    if (!address) return address.error();
    auto socket = usocket::socket(AF_INET, SOCK_DGRAM);
    if (!socket) return socket.error();
    if (const auto bound = socket->bind(*address); !bound) return bound;
    if (const auto printed = print_port(*socket); !printed) return printed;

    Poll poll;
    if (const auto registered = poll.register_(*socket, POLLIN, nullptr); !registered) return registered.error();
    std::array<std::uint8_t, 65535> buffer;
    for (;;) {
        Poll::Event event;
        if (const auto ready = poll.poll(&event, 1); !ready) return ready.error();
        const auto received = socket->recvfrom_into(buffer);
        if (!received) return received.error();
        const auto sent = socket->sendto({buffer.data(), received->size}, received->address);
        if (!sent) return sent.error();
    }
}

}  // namespace

int main(int argc, char** argv) {
    const auto ended = echo(argc == 2 ? std::atoi(argv[1]) : 0);
    std::fprintf(stderr, "udp_echo_server: %s\n", ended.error().message());
    return 1;
}
