// Connects without waiting: connect_nonblocking HOST PORT [TIMEOUT_MS]
//
// A non-blocking connect() only starts the attempt and returns EINPROGRESS. The socket is ready for POLLOUT when the
// attempt is over, and the option SO_ERROR says how it ended. Meanwhile the program has its hands free.
#include <usocket/usocket.hpp>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace {

using namespace std::literals;
using usocket::Error;
using usocket::Poll;
using usocket::Result;
using usocket::Socket;

Result<Socket> start(const usocket::AddressInfo& info) {
    auto socket = usocket::socket(info.family, info.type);
    if (!socket) return socket;
    if (const auto set = socket->setblocking(false); !set) return set.error();
    const auto connected = socket->connect(info.sockaddr);
    if (!connected && connected.error().code() != EINPROGRESS) return connected.error();
    return socket;
}

Result<void> finish(Socket& socket, int patience_ms) {
    Poll poll;
    if (const auto registered = poll.register_(socket, POLLOUT, nullptr); !registered) return registered.error();
    for (int waited_ms = 0; waited_ms < patience_ms; waited_ms += 10) {
        Poll::Event event;
        const auto ready = poll.poll(&event, 1, 10ms);
        if (!ready) return ready.error();
        if (*ready != 0) {
            const auto error = socket.getsockopt(SOL_SOCKET, SO_ERROR);
            return error ? Error(*error) : error.error();
        }
        // Here a device would blink, measure, or serve somebody else.
    }
    return Error(ETIMEDOUT);
}

int fail(const char* what, Error error) {
    std::fprintf(stderr, "%s: %s\n", what, error.message());
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3 && argc != 4) {
        std::fprintf(stderr, "usage: connect_nonblocking HOST PORT [TIMEOUT_MS]\n");
        return 2;
    }
    const auto found = usocket::getaddrinfo(argv[1], argv[2], 0, SOCK_STREAM);
    if (!found) return fail(argv[1], found.error());
    auto socket = start(found->front());
    if (!socket) return fail("failed", socket.error());
    const auto connected = finish(*socket, argc == 4 ? std::atoi(argv[3]) : 5000);
    if (!connected) return fail("failed", connected.error());
    std::puts("connected");
    return 0;
}
