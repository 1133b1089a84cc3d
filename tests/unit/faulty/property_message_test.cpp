// SOCK-6 TIME-2 TIME-3 TIME-4 STRM-1 STRM-3: sockets that keep message boundaries, over a network that fails: each
// message comes whole or not at all, once, in order, whatever method takes it.
#include <deque>
#include <string>

#include "faulty.hpp"
#include "gtest/gtest.h"
#include "print.hpp"
#include "scripted_host.hpp"
#include "trial.hpp"

namespace usocket::tests {
namespace {

using faulty::Kind;

class Messaging : Trial {
public:
    Messaging(std::uint64_t seed, HostKind host_kind) : Trial(seed), host_kind_(host_kind) {
        faulty::set_single_threaded(host_kind == HostKind::none && random_.chance(500));
        faulty::when_idle([this] { return feed(); });
        auto connection = faulty::connect_pair(random_.chance(500) ? AF_INET : AF_UNIX, SOCK_DGRAM);
        socket_ = std::move(connection.socket);
        peer_ = std::move(connection.peer);
        host_.on_signal = [this] { return random_.chance(200); };
        faulty::Faults faults;
        for (const Kind kind : {Kind::interrupt, Kind::again, Kind::no_buffers, Kind::spurious, Kind::refuse}) {
            if (random_.chance(400)) faults[kind] = static_cast<unsigned>(random_.between(1, 150));
        }
        faulty::set_faults(faults);
    }

    void run() {
        const std::uint64_t steps = random_.between(3, 40);
        for (step_ = 0; step_ < steps && !failed_; ++step_) {
            switch (random_.below(8)) {
                case 0: (void)feed(); break;
                case 1: feed_later(); break;
                case 2: set_timeout(); break;
                case 3: send(); break;
                default: receive(); break;
            }
        }
        socket_ = Socket();
        peer_ = faulty::Peer();
        require_nothing_left();
    }

private:
    bool feed() {
        std::string message(random_.below(200), '\0');
        for (char& byte : message) byte = static_cast<char>('a' + (sent_++ % 26));
        if (random_.chance(500)) message += '\n';
        if (peer_.feed(message) == message.size()) to_come_.push_back(message);
        return true;
    }
    void feed_later() {
        faulty::at(faulty::now() + static_cast<std::int64_t>(random_.below(20'000'000)), [this] { (void)feed(); });
    }

    void set_timeout() {
        const faulty::Calm calm;
        const auto kind = random_.below(10);
        Timeout timeout;
        if (kind < 3) timeout = Timeout::zero();
        if (kind > 5) timeout = Timeout::of_nanoseconds(static_cast<std::int64_t>(random_.between(1, 20'000'000)));
        socket_.settimeout(timeout).value();
    }

    void send() {
        const std::string message(random_.between(1, 100), 'x');
        const bool sends = random_.chance(500);
        const auto sent = with_host([&](auto&&... call) {
            return sends ? socket_.send(message, 0, std::move(call)...) : socket_.write(message, std::move(call)...);
        });
        if (sent) {
            require(*sent == message.size(), "a message is sent whole");
            require(peer_.take() == message, "and arrives so");
        } else {
            require(peer_.arrived() == 0, "it failed, and yet something was sent");
        }
    }

    void receive() {
        const std::size_t size = random_.below(250);
        const bool is_peek = random_.chance(200);
        const std::int64_t deadline =
            faulty::now() + (socket_.gettimeout().is_none() ? 0 : socket_.gettimeout().nanoseconds());
        std::string memory(size, '\0');
        const auto kind = random_.below(5);
        is_taken_ = kind < 3 || !is_peek;
        const auto got = with_host([&](auto&&... call) {
            switch (kind) {
                case 0: return socket_.readinto(memory, std::move(call)...);
                case 1: return socket_.readline_into(memory, std::move(call)...);
                case 2: return recvfrom_size(socket_, memory, std::move(call)...);
                default: return socket_.recv_into(memory, is_peek ? MSG_PEEK : 0, std::move(call)...);
            }
        });
        if (!socket_.gettimeout().is_none()) require(faulty::now() <= deadline, "it lasted longer than its timeout");
        if (got) {
            require(!to_come_.empty(), "a message out of nowhere");
            if (failed_) return;
            require(memory.substr(0, *got) == to_come_.front().substr(0, size),
                    "another message, or not all that fits");
            if (is_taken_) to_come_.pop_front();
        } else {
            check_error(got.error(), deadline);
        }
    }

    // Does it with the call of the host, or without one as a C++ program does.
    template <class Body> Result<std::size_t> with_host(Body body) {
        return host_kind_ == HostKind::none ? body() : body(Call(host_.host()));
    }

    void check_error(Error error, std::int64_t deadline) {
        const Timeout timeout = socket_.gettimeout();
        switch (error.code()) {
            case EAGAIN: require(timeout.is_zero(), "EAGAIN from a socket that blocks (TIME-3)"); break;
            case ETIMEDOUT: require(!timeout.is_none() && faulty::now() == deadline, "it timed out too early"); break;
            case EINTR: require(host_.given_up() != 0, "EINTR though no handler gave up (TIME-5)"); break;
            case ENOBUFS: require(faulty::injected(Kind::no_buffers) != 0, "ENOBUFS out of nowhere"); break;
            case ENOMEM: require(faulty::injected(Kind::refuse) != 0, "ENOMEM out of nowhere"); break;
            default: require(false, error.message()); break;
        }
    }

    HostKind host_kind_;
    ScriptedHost host_;
    Socket socket_;
    faulty::Peer peer_;
    std::deque<std::string> to_come_;
    std::uint64_t sent_ = 0;
    bool is_taken_ = true;
};

TEST(PropertyMessage, WholeOnceInOrder) {
    for_each_seed([](std::uint64_t seed) { Messaging(seed, HostKind::hooks).run(); });
}

TEST(PropertyMessage, WithoutAHost) {
    for_each_seed([](std::uint64_t seed) { Messaging(seed, HostKind::none).run(); });
}

}  // namespace
}  // namespace usocket::tests
