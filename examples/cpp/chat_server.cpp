// A chat: every line that one client sends, all others get: chat_server [PORT [IDLE_S]]
//
// Try it with chat_client, or with nc. The first line that a client sends is its name. One thread serves them all: a
// line at a time from each, and who does not read what the others say, or says nothing for IDLE_S seconds (3600), has
// to go. Listens on 127.0.0.1, on a free port unless told which, and prints the port; SIGINT and SIGTERM end it.
#include <usocket/usocket.hpp>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "serving.hpp"
#include "text.hpp"

namespace {

using usocket::Poll;
using usocket::Registration;
using usocket::Socket;

// What one client may take up.
constexpr std::size_t longest_line = 1000;
constexpr std::size_t largest_backlog = 100'000;  // bytes that wait for it

// A connection, with the part of a line that has come, and what waits to be sent.
struct Client {
    explicit Client(Socket&& connection) : socket(std::move(connection)) {}

    // The next line; nothing if it is not all there yet, "" after the last one.
    std::optional<std::string> read_line() {
        const auto piece = socket.readline(longest_line - line.size());
        if (!piece && piece.error().code() == EAGAIN) return std::nullopt;
        if (!piece) return "";
        line += piece->view();
        if (!piece->empty() && !line.ends_with('\n') && line.size() < longest_line) return std::nullopt;
        return std::exchange(line, {});
    }

    // Sends what can be sent without waiting.
    void flush() {
        if (unsent.empty()) return;
        const auto count = socket.write(unsent);
        if (count) {
            unsent.erase(0, *count);
        } else if (count.error().code() != EAGAIN) {
            is_gone = true;
        }
    }

    Socket socket;
    Registration* registration = nullptr;
    Clock::time_point last_line = Clock::now();
    std::string name;
    std::string line;
    std::string unsent;
    bool is_gone = false;
};

class Chat {
public:
    explicit Chat(std::chrono::seconds idle_limit) : idle_limit_(idle_limit) {}

    usocket::Result<void> open(int port) { return listener_.open(port, poll_); }

    // Until a signal.
    usocket::Result<void> run() {
        Poll::Event events[64];
        while (!is_stopping) {
            const auto ready = poll_.poll(events, tick);
            if (!ready) return ready.error();
            for (std::size_t i = 0; i < *ready; ++i) {
                if (events[i].userdata == nullptr) {
                    accept();
                } else {
                    attend(*static_cast<Client*>(events[i].userdata));
                }
            }
            look_around();
            remove_gone();
        }
        return {};
    }

private:
    void accept() {
        auto socket = listener_.accept();
        if (!socket) return;
        Client& client = clients_.emplace_back(*std::move(socket));
        const auto registered = poll_.register_(client.socket, POLLIN, &client);
        if (registered) {
            client.registration = *registered;
        } else {
            clients_.pop_back();
        }
    }

    // Sends a client what waits, and takes one line of its own; if there are more, the poll will say so again.
    void attend(Client& client) {
        client.flush();
        watch(client);
        const auto line = client.read_line();
        if (!line) return;
        if (line->empty()) {
            client.is_gone = true;
        } else {
            client.last_line = Clock::now();
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
            if (client.unsent.size() > largest_backlog) client.is_gone = true;
            watch(client);
        }
    }

    // Waits for room only while there is something to send.
    void watch(Client& client) {
        const unsigned events = POLLIN | (client.unsent.empty() ? 0U : unsigned{POLLOUT});
        if (!poll_.modify(client.registration, events)) client.is_gone = true;
    }

    // What no event tells.
    void look_around() {
        const auto now = Clock::now();
        if (now < next_look_) return;
        next_look_ = now + tick;
        listener_.resume_if_due(now);
        for (Client& client : clients_) {
            if (now - client.last_line >= idle_limit_) client.is_gone = true;
        }
    }

    // Not sooner, because an event may still point to it, or somebody be telling all of them something.
    void remove_gone() {
        for (auto client = clients_.begin(); client != clients_.end();) {
            if (!client->is_gone) {
                ++client;
                continue;
            }
            const std::string name = client->name;
            poll_.unregister(client->registration);
            clients_.erase(client);
            listener_.resume();
            if (!name.empty()) tell_all("* " + name + " has left\n");
            client = clients_.begin();  // which may have shown somebody else to be gone
        }
    }

    Poll poll_;
    Listener listener_;
    std::chrono::seconds idle_limit_;
    std::list<Client> clients_;
    Clock::time_point next_look_;
};

int fail(const char* what, usocket::Error error) {
    std::fprintf(stderr, "chat_server: %s: %s\n", what, error.message());
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    stop_on_signals();
    Chat chat(std::chrono::seconds(argc > 2 ? std::atoi(argv[2]) : 3600));
    if (const auto done = chat.open(argc > 1 ? std::atoi(argv[1]) : 0); !done) return fail("listening", done.error());
    if (const auto done = chat.run(); !done) return fail("polling", done.error());
    return 0;
}
