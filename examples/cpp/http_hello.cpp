// Answers every HTTP request with a greeting: http_hello [ADDRESS]
//
// Connections are kept alive; one thread serves thousands of them, a block of requests at a time from each. Listens on
// ADDRESS, "127.0.0.1:0" unless told, which is any free port, and prints it. SIGINT and SIGTERM end it.
#include <usocket/server.hpp>
#include <usocket/usocket.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>

#include "port.hpp"

namespace {

constexpr std::string_view greeting = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
constexpr std::size_t largest_request = 8192;

struct Client {
    std::string request;  // as far as it has come
    std::string unsent;

    // Reads a block, and answers the requests that are whole by then.
    unsigned take_turn(usocket::Socket& socket) {
        if (unsent.empty()) {
            std::array<char, 4096> block;
            const auto size = socket.recv_into(block);
            if (!size && size.error().code() == EAGAIN) return POLLIN;
            if (!size || *size == 0 || request.size() > largest_request) return 0;
            request.append(block.data(), *size);
            for (std::size_t end; (end = request.find("\r\n\r\n")) != request.npos; unsent += greeting) {
                request.erase(0, end + 4);
            }
        }
        const auto count = socket.write(unsent);
        if (!count) return count.error().code() == EAGAIN ? POLLOUT : 0;
        unsent.erase(0, *count);
        return unsent.empty() ? POLLIN : POLLOUT;
    }
};

usocket::Server<Client>* serving;

usocket::Result<void, usocket::EndpointError> serve(std::string_view address) {
    usocket::Server<Client> server(USOCKET_TRY(usocket::listen(address)));
    USOCKET_TRY(print_port(server.listener()));
    serving = &server;
    for (const int number : {SIGINT, SIGTERM}) std::signal(number, [](int) { serving->stop(); });
    auto served = server.run();
    for (const int number : {SIGINT, SIGTERM}) std::signal(number, SIG_DFL);  // another one finds no server any more
    return served;
}

}  // namespace

int main(int argc, char** argv) {
    const auto served = serve(argc > 1 ? argv[1] : "127.0.0.1:0");
    if (!served) std::fprintf(stderr, "http_hello: %s\n", served.error().message());
    return served ? 0 : 1;
}
