// Sends datagrams to an echo server and prints what comes back: udp_echo_client HOST PORT [TEXT...]
//
// Datagrams get lost, so whoever sends one waits for the answer a while and then sends it again.
#include <usocket/usocket.hpp>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <string_view>

namespace {

using namespace std::literals;
using usocket::Address;
using usocket::Bytes;
using usocket::Error;
using usocket::Poll;
using usocket::Result;
using usocket::Socket;

constexpr int tries = 5;
constexpr auto patience = 500ms;

// The answer; ETIMEDOUT if none of the tries had one.
Result<Bytes> ask(Socket& socket, const Address& address, std::string_view question) {
    Poll poll;
    if (const auto registered = poll.register_(socket, POLLIN, nullptr); !registered) return registered.error();
    for (int i = 0; i < tries; ++i) {
        if (const auto sent = socket.sendto(question, address); !sent) return sent.error();
        Poll::Event event;
        const auto ready = poll.poll(&event, 1, patience);
        if (!ready) return ready.error();
        if (*ready == 0) continue;
        auto received = socket.recvfrom(65535);
        if (!received) return received.error();
        if (received->address == address) return std::move(received->bytes);
    }
    return Error(ETIMEDOUT);
}

int fail(const char* what, Error error) {
    std::fprintf(stderr, "udp_echo_client: %s: %s\n", what, error.message());
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: udp_echo_client HOST PORT [TEXT...]\n");
        return 2;
    }
    const auto found = usocket::getaddrinfo(argv[1], argv[2], 0, SOCK_DGRAM);
    if (!found) return fail(argv[1], found.error());
    const auto info = found->front();
    auto socket = usocket::socket(info.family, info.type);
    if (!socket) return fail("socket", socket.error());
    for (int i = 3; i < argc; ++i) {
        const auto answer = ask(*socket, info.sockaddr, argv[i]);
        if (!answer) return fail(argv[i], answer.error());
        std::printf("%.*s\n", static_cast<int>(answer->size()), answer->view().data());
    }
    return 0;
}
