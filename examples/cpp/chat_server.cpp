// A chat: every line that one client sends, all others get: chat_server [PORT]
//
// Try it with chat_client, or with nc. The first line that a client sends is its name. Listens on 127.0.0.1, on a free
// port unless told which, and prints the port.
#include <usocket/usocket.hpp>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <optional>
#include <string>
#include <string_view>

#include "listen.hpp"
#include "text.hpp"

namespace {

using usocket::Poll;
using usocket::Registration;
using usocket::Socket;

constexpr std::size_t longest_line = 1000;
constexpr std::size_t largest_backlog = 100'000;  // bytes waiting for one client; who is that far behind has to go

// A connection, with the part of a line that has come, and what waits to be sent.
struct Client {
    explicit Client(Socket&& connection) : socket(std::move(connection)) {}

    // The next line; nothing if it is not all there yet, "" after the last one.
    std::optional<std::string> read_line() {
        const auto piece = socket.readline(longest_line);
        if (!piece && piece.error().code() == EAGAIN) return std::nullopt;
        if (!piece) return "";
        line += piece->view();
        if (!piece->empty() && !line.ends_with('\n') && line.size() < longest_line) return std::nullopt;
        return std::exchange(line, {});
    }

    // Sends what can be sent without waiting. What fails is forgotten: the poll will report it.
    void flush() {
        if (unsent.empty()) return;
        const auto count = socket.write(unsent);
        if (count) {
            unsent.erase(0, *count);
        } else if (count.error().code() != EAGAIN) {
            unsent.clear();
        }
    }

    Socket socket;
    Registration* registration = nullptr;
    std::string name;
    std::string line;
    std::string unsent;
    bool is_gone = false;
};

class Chat {
public:
    explicit Chat(Socket& listener) : listener_(listener) {}

    usocket::Result<void> run() {
        if (const auto done = poll_.register_(listener_, POLLIN, nullptr); !done) return done.error();
        Poll::Event event;
        for (;;) {
            if (const auto ready = poll_.poll(&event, 1); !ready) return ready.error();
            if (event.userdata == nullptr) {
                accept();
            } else {
                attend(*static_cast<Client*>(event.userdata));
            }
            remove_gone();
        }
    }

private:
    void accept() {
        auto accepted = listener_.accept();
        if (!accepted || !accepted->socket.setblocking(false)) return;
        Client& client = clients_.emplace_back(std::move(accepted->socket));
        const auto registered = poll_.register_(client.socket, POLLIN, &client);
        if (registered) {
            client.registration = *registered;
        } else {
            clients_.pop_back();
        }
    }

    // Sends a client what waits, and takes a line of its own; if there are more, the poll will say so again.
    void attend(Client& client) {
        client.flush();
        watch(client);
        const auto line = client.read_line();
        if (!line) return;
        if (line->empty()) {
            client.is_gone = true;
        } else {
            hear(client, trim(*line));
        }
    }

    void hear(Client& client, std::string_view line) {
        if (client.name.empty()) {
            client.name = line.empty() ? "nobody" : line;
            tell_all("* " + client.name + " is here\n");
        } else {
            tell_all(client.name + ": " + std::string(line) + "\n");
        }
    }

    void tell_all(const std::string& line) {
        for (Client& client : clients_) {
            if (client.name.empty() || client.is_gone) continue;
            client.unsent += line;
            client.flush();
            watch(client);
            client.is_gone = client.unsent.size() > largest_backlog;
        }
    }

    // Waits for room only while there is something to send.
    void watch(Client& client) {
        const unsigned events = POLLIN | (client.unsent.empty() ? 0U : unsigned{POLLOUT});
        if (!poll_.modify(client.registration, events)) client.is_gone = true;
    }

    // Not sooner, because somebody may still be telling all of them something.
    void remove_gone() {
        for (auto client = clients_.begin(); client != clients_.end();) {
            if (!client->is_gone) {
                ++client;
                continue;
            }
            const std::string name = client->name;
            poll_.unregister(client->registration);
            clients_.erase(client);
            if (!name.empty()) tell_all("* " + name + " has left\n");
            client = clients_.begin();  // which may have shown somebody else to be gone
        }
    }

    Socket& listener_;
    Poll poll_;
    std::list<Client> clients_;
};

int fail(const char* what, usocket::Error error) {
    std::fprintf(stderr, "chat_server: %s: %s\n", what, error.message());
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    auto listener = listen_on(argc == 2 ? std::atoi(argv[1]) : 0);
    if (!listener) return fail("listening", listener.error());
    if (const auto printed = print_port(*listener); !printed) return fail("getsockname", printed.error());
    return fail("polling", Chat(*listener).run().error());
}
