// What the servers among the examples have in common: a listener in a poll, and the end on a signal.
#pragma once

#include <usocket/usocket.hpp>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <utility>

#include "port.hpp"

using Clock = std::chrono::steady_clock;

// How often a server looks after what no event tells: idle clients, a pause that is over, a signal.
inline constexpr auto tick = std::chrono::seconds(1);

// Set by SIGINT and SIGTERM. A server asks after each wait, so that it ends where it may.
inline std::atomic<bool> is_stopping = false;
static_assert(std::atomic<bool>::is_always_lock_free);  // a signal handler may set no other

inline void stop_on_signals() {
    for (const int number : {SIGINT, SIGTERM}) std::signal(number, [](int) { is_stopping = true; });
}

// A socket that listens on the loopback interface, and the poll that watches it.
//
// It pauses when the system has no room for another connection (EMFILE, ENFILE, ENOBUFS, ENOMEM). A client that is not
// taken in keeps the listener readable: every wait would end at once, and the server would spin.
class Listener {
public:
    // Port 0 is any free one. In the poll it is what has no userdata.
    usocket::Result<void> open(int port, usocket::Poll& poll) {
        const auto address = usocket::Address::inet(AF_INET, "127.0.0.1", port);
        if (!address) return address.error();
        auto opened = usocket::socket();
        if (!opened) return opened.error();
        socket_ = *std::move(opened);
        if (const auto done = socket_.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1); !done) return done;
        if (const auto done = socket_.bind(*address); !done) return done;
        if (const auto done = socket_.listen(); !done) return done;
        if (const auto done = socket_.setblocking(false); !done) return done;
        if (const auto done = poll.register_(socket_, POLLIN); !done) return done.error();
        poll_ = &poll;
        return print_port(socket_);
    }

    // A client's connection, non-blocking; none if it has gone again, or if there is no room for it.
    std::optional<usocket::Socket> accept() {
        auto accepted = socket_.accept();
        if (accepted && accepted->socket.setblocking(false)) return std::move(accepted->socket);
        const int code = accepted.error().code();
        if (code != EAGAIN && code != ECONNABORTED) watch(0, Clock::now() + tick);  // whatever it is: not at once
        return std::nullopt;
    }

    // A connection has closed, so there may be room.
    void resume() {
        if (resume_at_ != not_paused) watch(POLLIN, not_paused);
    }
    void resume_if_due(Clock::time_point now) {
        if (now >= resume_at_) resume();
    }

private:
    static constexpr auto not_paused = Clock::time_point::max();

    void watch(unsigned events, Clock::time_point resume_at) {
        (void)poll_->modify(socket_, events);
        resume_at_ = resume_at;
    }

    usocket::Socket socket_;
    usocket::Poll* poll_ = nullptr;
    Clock::time_point resume_at_ = not_paused;
};
