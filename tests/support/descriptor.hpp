// A descriptor as others see it, and that of a socket that does not know that somebody looks.
#pragma once

#include <poll.h>

#include <cstdlib>
#include <string>

#include "usocket/socket.hpp"

namespace usocket::tests {

inline bool shows_input(int fd) {
    pollfd one{fd, POLLIN, 0};
    return ::poll(&one, 1, 0) == 1 && (one.revents & POLLIN) != 0;
}

// Other than fileno(), this does not tell the socket that others may hold its descriptor. -1: closed.
inline int hidden_fileno(Socket& socket) {
    char text[1024];
    const std::string state(text, socket.describe(MutableBuffer(text)));
    return std::atoi(state.c_str() + state.find("fd=") + 3);
}

}  // namespace usocket::tests
