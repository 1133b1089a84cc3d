// Server<Client>: many connections in one thread, each with its turn (POLL-1, TIME-4, SOCK-3).
#pragma once

#include <atomic>
#include <cerrno>
#include <chrono>
#include <new>
#include <span>
#include <utility>

#include "usocket/constants.hpp"
#include "usocket/detail/runner.hpp"
#include "usocket/poll_of.hpp"
#include "usocket/result.hpp"
#include "usocket/socket.hpp"
#include "usocket/timeout.hpp"

namespace usocket {

// Accepts connections, and lets whoever has something to do take his turn. A Client is what the server remembers of one
// connection. It has
//
//     unsigned take_turn(usocket::Socket& socket);
//
// which does what can be done now, a request or a block of a file, and returns what to wait for: POLLIN, POLLOUT or
// both; 0 closes the connection, and so does a socket that the program has closed, or moved from, whatever is returned.
// The socket is non-blocking. A turn should be short, so that the others have theirs; what is left unread gives the
// next one. It may have
//
//     usocket::Deadline deadline();
//
// too, at which the connection is closed, up to a second later; every turn may put it off.
//
// Where there is no room for another connection (descriptors, memory) the listener rests until one has gone, or for a
// second.
//
// Closing the listener, listener().close(), drains the server: no one else comes in, those that are there are served
// on, and run() returns when the last of them has gone.
//
// run() and for_each() are for one thread; stop() for any, and for signal handlers; listener().close() for any.
// Destroying it, as exit() does with a static one, stops run() in another thread, and waits up to a second for it to
// return: for the turn that goes on. What a longer turn uses stays. So does, in a child of fork, what a thread of its
// parent's was running, and that is waited for by nobody.
//
// What these functions call must neither throw nor end its thread (pthread_exit). A thread that is cancelled
// (pthread_cancel) in one of them, in a turn too, goes on, and ends at its next cancellation point outside: stop() it,
// too.
template <class Client> class Server {
public:
    // Takes over a socket that listens.
    explicit Server(Socket listener) noexcept : listener_(std::move(listener)), was_open_(!listener_.closed()) {}
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server() {
        const CallsBack calls_back;
        if (!end_run()) return;
        while (first_ != nullptr) give_up(*first_);
        forget();
    }

    // The socket that listens, for its address, and to be closed.
    [[nodiscard]] Socket& listener() noexcept { return listener_; }

    // Serves until stop(), or until the listener is closed and all have gone; returns from both without an error. After
    // stop() the connections stay, for the next run() or until the server goes. A socket that does not listen, or does
    // not accept any more (shutdown()): the error of accept(); one that was closed when the server got it: EBADF.
    // Clients are what make() returns, so that they know what they share; without it they are made of nothing.
    Result<void> run() noexcept {
        return run([] { return Client{}; });
    }
    template <class Make> Result<void> run(Make make) noexcept {
        const Runner::Stay running(runner_);
        const Result<void> done = serve(make);
        forget();
        is_stopped_.store(false, std::memory_order_relaxed);
        return done;
    }

    // Calls f(client, socket) for each connection; it returns what that waits for from now on, as take_turn() does,
    // whose answer counts for the client in whose turn this is called. A client's destructor may call it, too, and so
    // may f itself: whom one of the calls sends away, none calls any more. His connection is closed before run()
    // waits again; where no run() goes on, before the outermost call returns.
    template <class Function> void for_each(Function f) noexcept {
        const CallsBack calls_back;
        {
            Walk walk(*this);
            while (Connection* one = walk.next()) watch(*one, f(one->client, one->socket));
        }
        if (walks_ == nullptr && runner_.who() == Runner::Who::nobody) forget();  // else who walks or runs it does
    }

    // Ends run(); the next one, if none goes on.
    void stop() noexcept {
        is_stopped_.store(true, std::memory_order_relaxed);
        poll_.wake();
    }

private:
    static_assert(std::atomic<bool>::is_always_lock_free);  // a signal handler may set no other
    // How often the server looks after what no event tells.
    static constexpr std::chrono::seconds tick{1};
    static constexpr bool has_deadlines = requires(Client& client) { Deadline(client.deadline()); };

    template <class Make> Result<void> serve(Make& make) noexcept {
        const Result<void> begun = begin(make);
        if (!begun && !(was_open_ && listener_.closed())) return begun;
        typename PollOf<Connection>::Event events[64];
        while (!has_to_stop() && !(listener_.closed() && first_ == nullptr)) {
            const auto ready = USOCKET_TRY(poll_.poll(events, looks_around() ? Timeout(tick) : Timeout::none()));
            for (const auto& event : ready) {
                if (event.userdata() == nullptr) {
                    USOCKET_TRY(accept(make));
                    if (listener_.closed()) poll_.unregister(event.registration);
                } else if (!event.userdata()->is_gone) {
                    take_turn(*event.userdata());
                }
            }
            if (looks_around()) look_around();
            forget();
        }
        return {};
    }

    template <class Make> Result<void> begin(Make& make) noexcept {
        USOCKET_TRY(listener_.setblocking(false));
        USOCKET_TRY(poll_.register_(listener_, POLLIN));
        rests_ = false;
        return accept(make);  // tells of one that does not listen, of which a poll may not
    }

    [[nodiscard]] bool has_to_stop() const noexcept {
        return is_stopped_.load(std::memory_order_relaxed) || is_ended_.load(std::memory_order_relaxed);
    }

    // That of another thread. False: it does not end. One in whose turn this thread has called exit() never goes on.
    bool end_run() noexcept {
        constexpr int patience = 100;
        is_ended_.store(true, std::memory_order_relaxed);
        if (runner_.who() == Runner::Who::another_thread) poll_.wake();
        Poll nothing;
        Poll::Event none[1];
        for (int i = 0; i < patience && runner_.who() == Runner::Who::another_thread; ++i)
            (void)nothing.poll(none, Timeout(std::chrono::milliseconds(10)));
        const Runner::Who who = runner_.who();
        return who == Runner::Who::nobody || who == Runner::Who::this_thread;
    }

    struct Connection {
        Socket socket;
        Client client;
        Registration* registration = nullptr;
        unsigned wanted = POLLIN;
        bool is_gone = false;  // not deleted yet: an event may point to it, or its own turn be going on
        Connection* before = nullptr;
        Connection* behind = nullptr;
    };

    // From the first connection to the last, whoever goes meanwhile. One walk may go on inside another.
    class Walk {
    public:
        explicit Walk(Server& server) noexcept
            : server_(server), next_(server.first_), around_(std::exchange(server.walks_, this)) {}
        Walk(const Walk&) = delete;
        Walk& operator=(const Walk&) = delete;
        ~Walk() { server_.walks_ = around_; }

        // Null: that was the last.
        [[nodiscard]] Connection* next() noexcept {
            return next_ != nullptr ? std::exchange(next_, next_->behind) : nullptr;
        }
        // For this one and those around it: `gone` is about to leave the list.
        void leave_out(const Connection& gone) noexcept {
            for (Walk* walk = this; walk != nullptr; walk = walk->around_) {
                if (walk->next_ == &gone) walk->next_ = gone.behind;
            }
        }

    private:
        Server& server_;
        Connection* next_;
        Walk* const around_;
    };

    // An error is one that does not pass. That the listener has been closed is none.
    template <class Make> Result<void> accept(Make& make) noexcept {
        auto accepted = listener_.accept();
        if (accepted) {
            let_in(std::move(accepted->socket), make);
            return {};
        }
        const int code = accepted.error().code();
        const bool stays = code == EINVAL || code == EBADF || code == ENOTSOCK || code == EOPNOTSUPP;
        if (stays && !listener_.closed()) return accepted.error();
        let_rest(!stays && code != EAGAIN && code != ECONNABORTED);
        return {};
    }

    template <class Make> void let_in(Socket&& socket, Make& make) noexcept {
        auto* connection = new (std::nothrow) Connection{std::move(socket), make()};
        if (connection == nullptr) return let_rest(true);
        connection->behind = first_;
        if (first_ != nullptr) first_->before = connection;
        first_ = connection;
        if (!connection->socket.setblocking(false)) return give_up(*connection);
        const auto registered = poll_.register_(connection->socket, POLLIN, *connection);
        if (!registered) return give_up(*connection);
        connection->registration = *registered;
    }

    void take_turn(Connection& connection) noexcept {
        watch(connection, connection.client.take_turn(connection.socket));
    }

    void watch(Connection& connection, unsigned wanted) noexcept {
        if (connection.socket.closed()) wanted = 0;  // or every poll would say so, again and again (POLL-3)
        if (connection.is_gone || wanted == connection.wanted) return;
        connection.wanted = wanted;
        if (wanted == 0 || !poll_.modify(connection.registration, wanted)) give_up(connection);
    }

    // From now on it is none of those that there are.
    void give_up(Connection& connection) noexcept {
        if (walks_ != nullptr) walks_->leave_out(connection);
        (connection.before != nullptr ? connection.before->behind : first_) = connection.behind;
        if (connection.behind != nullptr) connection.behind->before = connection.before;
        connection.is_gone = true;
        connection.behind = std::exchange(gone_, &connection);
    }

    // A client's destructor may send others away: one call sees to all.
    void forget() noexcept {
        if (std::exchange(forgets_, true)) return;
        while (gone_ != nullptr) {
            Connection* connection = std::exchange(gone_, gone_->behind);
            if (connection->registration != nullptr) poll_.unregister(connection->registration);
            delete connection;
            let_rest(false);
        }
        forgets_ = false;
    }

    [[nodiscard]] bool looks_around() const noexcept { return has_deadlines || rests_; }

    void look_around() noexcept {
        const auto now = std::chrono::steady_clock::now();
        if (now < next_look_) return;
        next_look_ = now + tick;
        let_rest(false);
        if constexpr (has_deadlines) {
            const Deadline passed(now);
            Walk walk(*this);
            while (Connection* one = walk.next()) {
                if (one->client.deadline() <= passed && !one->is_gone) give_up(*one);
            }
        }
    }

    void let_rest(bool rests) noexcept {
        if (rests == rests_) return;
        rests_ = rests;
        (void)poll_.modify(listener_, rests ? 0 : POLLIN);
        if (rests) next_look_ = std::chrono::steady_clock::now() + tick;
    }

    Socket listener_;
    PollOf<Connection> poll_;
    const bool was_open_;
    std::atomic<bool> is_stopped_{false};  // by stop(); until that has ended a run()
    std::atomic<bool> is_ended_{false};    // by the destructor
    Runner runner_;
    bool rests_ = false;
    bool forgets_ = false;  // just now
    std::chrono::steady_clock::time_point next_look_;
    Connection* first_ = nullptr;
    Connection* gone_ = nullptr;
    Walk* walks_ = nullptr;  // the innermost
};

}  // namespace usocket
