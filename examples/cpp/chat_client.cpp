// Takes part in a chat: chat_client HOST PORT NAME
//
// Sends what is typed, prints what the others say. Two threads share the socket, one for each direction; after the end
// of the input (Ctrl-D) it says so to the server with shutdown() and leaves when the server has closed.
#include <usocket/usocket.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>

namespace {

using usocket::Socket;

void send_input(Socket& socket, std::string line) {
    do {
        line += '\n';
        if (!socket.write(line)) return;  // the server has gone; the other thread sees that too
    } while (std::getline(std::cin, line));
    (void)socket.shutdown(SHUT_WR);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "usage: chat_client HOST PORT NAME\n");
        return 2;
    }
    auto socket = usocket::connect(argv[1], argv[2], usocket::Deadline::after(std::chrono::seconds(10)));
    if (!socket) {
        std::fprintf(stderr, "chat_client: %s\n", socket.error().message());
        return 1;
    }

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
