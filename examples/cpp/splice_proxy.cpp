// Passes TCP connections on to another server: splice_proxy TARGET [ADDRESS]
//
// TARGET and ADDRESS are as "127.0.0.1:80". Two threads for each connection, one a direction; splice() moves the bytes
// without copying them. Listens on ADDRESS, any free port of 127.0.0.1 unless told, and prints it.
#include <usocket/usocket.hpp>

#include <chrono>
#include <cstdio>
#include <thread>
#include <utility>

#include "port.hpp"

namespace {

using namespace std::chrono_literals;
using usocket::Address;
using usocket::Socket;

// All that comes, until its end; that is passed on, too. What breaks one direction ends both.
void pass_on(Socket& from, Socket& to) {
    if (from.splice(to) && to.shutdown(SHUT_WR)) return;
    from.close();
    to.close();
}

void serve(Socket client, const Address& target) {
    auto server = usocket::connect(target, usocket::Deadline::after(10s));
    if (!server) return (void)std::fprintf(stderr, "splice_proxy: %s\n", server.error().message());
    const std::jthread answers([&] { pass_on(*server, client); });
    pass_on(client, *server);
}

usocket::Result<void, usocket::EndpointError> run(const char* target, const char* address) {
    const Address to = USOCKET_TRY(Address::parse(target));
    auto listener = USOCKET_TRY(usocket::listen(address));
    USOCKET_TRY(print_port(listener));
    for (;;) {
        if (auto accepted = listener.accept()) {
            std::thread(serve, std::move(accepted->socket), to).detach();
        } else {
            std::this_thread::sleep_for(100ms);  // no descriptor is left: some connection will end
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2 || argc > 3) {
        std::fprintf(stderr, "usage: splice_proxy TARGET [ADDRESS]\n");
        return 2;
    }
    const auto ended = run(argv[1], argc > 2 ? argv[2] : "127.0.0.1:0");
    std::fprintf(stderr, "splice_proxy: %s\n", ended.error().message());
    return 1;
}
