// What every server among the examples says first.
#pragma once

#include <usocket/usocket.hpp>

#include <cstdio>

// Says where a server can be reached, for people and for scripts.
inline usocket::Result<void> print_port(usocket::Socket& socket) {
    std::printf("listening on 127.0.0.1 port %d\n", USOCKET_TRY(socket.getsockname()).port());
    std::fflush(stdout);
    return {};
}
