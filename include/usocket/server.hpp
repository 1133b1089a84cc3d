// Server<Client>: many connections in one thread, each with its turn (POLL-1, TIME-4, SOCK-3).
#pragma once

#include <atomic>
#include <cerrno>
#include <chrono>
#include <new>
#include <span>
#include <utility>

#include "usocket/constants.hpp"
#include "usocket/poll_of.hpp"
#include "usocket/result.hpp"
#include "usocket/socket.hpp"
#include "usocket/timeout.hpp"

namespace usocket {

// Accepts connections, and lets whoever has something to do take his turn. A Client is what the server remembers of one
// connection; it is made without arguments, and has
//
//     unsigned take_turn(usocket::Socket& socket);
//
// which does what can be done now, a request or a block of a file, and returns what to wait for: POLLIN, POLLOUT or
// both; 0 closes the connection. The socket is non-blocking. A turn should be short, so that the others have theirs;
// what is left unread gives the next one.
//
// Where there is no room for another connection (descriptors, memory) the listener rests until one has gone, or for a
// second.
//
// run() is for one thread; stop() for any, and for signal handlers.
template <class Client> class Server {
public:
    // Takes over a socket that listens.
    explicit Server(Socket listener) noexcept : listener_(std::move(listener)) {}
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server() {
        while (first_ != nullptr) remove(*first_);
    }

    // The socket that listens, for its address.
    [[nodiscard]] Socket& listener() noexcept { return listener_; }

    // Serves until stop(), which it returns from without an error. The connections stay until the server goes.
    Result<void> run() noexcept {
        USOCKET_TRY(listener_.setblocking(false));
        USOCKET_TRY(poll_.register_(listener_, POLLIN));
        typename PollOf<Connection>::Event events[64];
        while (!is_stopped_.load(std::memory_order_relaxed)) {
            const auto ready = USOCKET_TRY(poll_.poll(events, rests_ ? Timeout(rest) : Timeout::none()));
            if (ready.empty()) let_rest(false);
            for (const auto& event : ready) {
                if (event.userdata() == nullptr) {
                    accept();
                } else {
                    take_turn(*event.userdata());
                }
            }
        }
        return {};
    }

    // Ends run(), or the next one.
    void stop() noexcept {
        is_stopped_.store(true, std::memory_order_relaxed);
        poll_.wake();
    }

private:
    static_assert(std::atomic<bool>::is_always_lock_free);  // a signal handler may set no other
    static constexpr std::chrono::seconds rest{1};

    struct Connection {
        Socket socket;
        Client client{};
        Registration* registration = nullptr;
        unsigned wanted = POLLIN;
        Connection* before = nullptr;
        Connection* behind = nullptr;
    };

    void accept() noexcept {
        auto accepted = listener_.accept();
        if (!accepted) {
            const int code = accepted.error().code();
            return let_rest(code != EAGAIN && code != ECONNABORTED);
        }
        auto* connection = new (std::nothrow) Connection{std::move(accepted->socket)};
        if (connection == nullptr) return let_rest(true);
        connection->behind = first_;
        if (first_ != nullptr) first_->before = connection;
        first_ = connection;
        if (!connection->socket.setblocking(false)) return remove(*connection);
        const auto registered = poll_.register_(connection->socket, POLLIN, *connection);
        if (!registered) return remove(*connection);
        connection->registration = *registered;
    }

    void take_turn(Connection& connection) noexcept {
        const unsigned wanted = connection.client.take_turn(connection.socket);
        const bool stays =
            wanted != 0 && (wanted == connection.wanted || poll_.modify(connection.registration, wanted));
        connection.wanted = wanted;
        if (!stays) remove(connection);
    }

    void remove(Connection& connection) noexcept {
        if (connection.registration != nullptr) poll_.unregister(connection.registration);
        (connection.before != nullptr ? connection.before->behind : first_) = connection.behind;
        if (connection.behind != nullptr) connection.behind->before = connection.before;
        delete &connection;
        let_rest(false);
    }

    void let_rest(bool rests) noexcept {
        if (rests != rests_) (void)poll_.modify(listener_, rests ? 0 : POLLIN);
        rests_ = rests;
    }

    Socket listener_;
    PollOf<Connection> poll_;
    std::atomic<bool> is_stopped_{false};
    bool rests_ = false;
    Connection* first_ = nullptr;
};

}  // namespace usocket
