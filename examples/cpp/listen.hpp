// What the servers among the examples have in common.
#pragma once

#include <usocket/usocket.hpp>

#include <cstdio>

// A non-blocking socket that listens on the loopback interface; port 0 is any free one.
inline usocket::Result<usocket::Socket> listen_on(int port) {
    const auto address = usocket::Address::inet(AF_INET, "127.0.0.1", port);
    if (!address) return address.error();
    auto listener = usocket::socket();
    if (!listener) return listener;
    if (const auto done = listener->setsockopt(SOL_SOCKET, SO_REUSEADDR, 1); !done) return done.error();
    if (const auto done = listener->bind(*address); !done) return done.error();
    if (const auto done = listener->listen(); !done) return done.error();
    if (const auto done = listener->setblocking(false); !done) return done.error();
    return listener;
}

// Says where a server can be reached, for people and for scripts.
inline usocket::Result<void> print_port(usocket::Socket& socket) {
    const auto own_address = socket.getsockname();
    if (!own_address) return own_address.error();
    std::printf("listening on 127.0.0.1 port %d\n", own_address->port());
    std::fflush(stdout);
    return {};
}
