// Takes part in a chat: chat_client HOST PORT NAME
//
// Sends what is typed, prints what the others say. Two threads share the socket, one for each direction; after the end
// of the input (Ctrl-D) it says so to the server with shutdown() and leaves when the server has closed.
#include <usocket/usocket.hpp>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>

namespace {

using usocket::Error;
using usocket::Socket;

void send_input(Socket& socket, std::string line) {
    do {
        line += '\n';
        if (!socket.write(line)) return;  // the server has gone; the other thread sees that too
    } while (std::getline(std::cin, line));
    (void)socket.shutdown(SHUT_WR);
}

int fail(const char* what, Error error) {
    std::fprintf(stderr, "chat_client: %s: %s\n", what, error.message());
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "usage: chat_client HOST PORT NAME\n");
        return 2;
    }
    const auto found = usocket::getaddrinfo(argv[1], argv[2], AF_INET, SOCK_STREAM);
    if (!found) return fail(argv[1], found.error());
    const auto info = found->front();
    auto socket = usocket::socket(info.family, info.type);
    if (!socket) return fail("socket", socket.error());
    if (const auto connected = socket->connect(info.sockaddr); !connected) return fail(argv[1], connected.error());

    std::thread(send_input, std::ref(*socket), std::string(argv[3])).detach();
    for (;;) {
        const auto line = socket->readline();
        if (!line || line->empty()) break;
        std::fwrite(line->data(), 1, line->size(), stdout);
        std::fflush(stdout);
    }
    // The other thread may be waiting for input still: end without asking it.
    std::quick_exit(0);
}
