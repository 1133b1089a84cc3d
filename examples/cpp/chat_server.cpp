// A chat: every line that one client sends, all others get: chat_server [PORT [IDLE_S]]
//
// Try it with chat_client, or with nc. The first line that a client sends is its name. One thread serves them all: a
// line at a time from each, and who does not read what the others say, or says nothing for IDLE_S seconds (3600), has
// to go. Listens on 127.0.0.1, on a free port unless told which, and prints the port; SIGINT and SIGTERM end it.
#include <usocket/server.hpp>
#include <usocket/usocket.hpp>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "port.hpp"
#include "text.hpp"

namespace {

using usocket::Address;
using usocket::Deadline;
using usocket::Socket;

// What one client may take up.
constexpr std::size_t longest_line = 1000;
constexpr std::size_t largest_backlog = 100'000;  // bytes that wait for it

// What a connection has: the part of a line that has come, and what waits to be sent.
class Client {
public:
    Client(usocket::Server<Client>& server, std::chrono::seconds idle_limit)
        : server_(server), idle_limit_(idle_limit) {}
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client() {
        if (!name_.empty()) tell_all("* " + name_ + " has left\n");
    }

    [[nodiscard]] Deadline deadline() const { return deadline_; }

    // Sends what waits, and takes one line; if there are more, there is another turn at once.
    unsigned take_turn(Socket& socket) {
        if (flush(socket) == 0) return 0;
        const auto piece = socket.readline(longest_line - line_.size());
        if (!piece) return piece.error().code() == EAGAIN ? wanted() : 0;
        line_ += piece->view();
        if (line_.empty()) return 0;
        if (piece->empty() || line_.ends_with('\n') || line_.size() == longest_line) {
            const std::string line = std::exchange(line_, {});
            hear(trim(line));
        }
        return wanted();
    }

private:
    // Sends what can be sent without waiting. Returns what to wait for, 0 if it has gone.
    unsigned flush(Socket& socket) {
        const auto count = socket.write(unsent_);
        if (!count && count.error().code() != EAGAIN) return 0;
        unsent_.erase(0, count.value_or(0u));
        return unsent_.size() > largest_backlog ? 0 : wanted();
    }

    // Room, only while there is something to send.
    [[nodiscard]] unsigned wanted() const { return POLLIN | (unsent_.empty() ? 0U : unsigned{POLLOUT}); }

    void hear(std::string_view line) {
        deadline_ = Deadline::after(idle_limit_);
        if (name_.empty()) {
            name_ = line.empty() ? "nobody" : line;
            tell_all("* " + name_ + " is here\n");
        } else {
            tell_all(name_ + ": " + std::string(line) + "\n");
        }
    }

    void tell_all(const std::string& line) {
        server_.for_each([&](Client& client, Socket& socket) {
            if (!client.name_.empty()) client.unsent_ += line;
            return client.flush(socket);
        });
    }

    usocket::Server<Client>& server_;
    std::chrono::seconds idle_limit_;
    Deadline deadline_ = Deadline::after(idle_limit_);
    std::string name_;
    std::string line_;
    std::string unsent_;
};

usocket::Server<Client>* serving;

usocket::Result<void, usocket::EndpointError> serve(int port, std::chrono::seconds idle_limit) {
    const Address address = USOCKET_TRY(Address::inet(AF_INET, "127.0.0.1", port));
    usocket::Server<Client> server(USOCKET_TRY(usocket::listen(address)));
    USOCKET_TRY(print_port(server.listener()));
    serving = &server;
    for (const int number : {SIGINT, SIGTERM}) std::signal(number, [](int) { serving->stop(); });
    auto served = server.run([&] { return Client(server, idle_limit); });
    for (const int number : {SIGINT, SIGTERM}) std::signal(number, SIG_DFL);  // another one finds no server any more
    return served;
}

}  // namespace

int main(int argc, char** argv) {
    const std::chrono::seconds idle_limit(argc > 2 ? std::atoi(argv[2]) : 3600);
    const auto served = serve(argc > 1 ? std::atoi(argv[1]) : 0, idle_limit);
    if (!served) std::fprintf(stderr, "chat_server: %s\n", served.error().message());
    return served ? 0 : 1;
}
