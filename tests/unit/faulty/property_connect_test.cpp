// SOCK-3 SOCK-5 TIME-2 TIME-3 TIME-4 TIME-5: connecting and accepting over a network that is slow and fails: deadlines
// hold, what is connected works, and what is not leaks nothing.
#include <optional>
#include <string>
#include <vector>

#include "faulty.hpp"
#include "gtest/gtest.h"
#include "print.hpp"
#include "scripted_host.hpp"
#include "trial.hpp"

namespace usocket::tests {
namespace {

using faulty::Kind;

class Connecting : Trial {
public:
    explicit Connecting(std::uint64_t seed) : Trial(seed) {
        faulty::when_idle([this] { return is_accepting_ ? add_client() : take_client(); });
        family_ = random_.chance(500) ? AF_INET : AF_UNIX;
        address_ =
            family_ == AF_INET ? Address::inet(AF_INET, "127.0.0.1", 80).value() : Address::unix_path("here").value();
        server_ = Socket::open(family_, SOCK_STREAM).value();
        server_.bind(address_).value();
        server_.listen(static_cast<int>(random_.below(4))).value();
        if (random_.chance(600)) faulty::set_connect_time(static_cast<std::int64_t>(random_.below(20'000'000)));
        host_.on_signal = [this] { return random_.chance(200); };
        choose_faults();
    }

    void run() {
        const std::uint64_t steps = random_.between(2, 25);
        for (step_ = 0; step_ < steps && !failed_; ++step_) {
            switch (random_.below(6)) {
                case 0: faulty::advance(static_cast<std::int64_t>(random_.below(10'000'000))); break;
                case 1:
                case 2: accept(); break;
                default: connect(); break;
            }
            const std::size_t sockets = 1 + clients_.size() + accepted_.size();
            require(faulty::open_descriptors() == sockets, "a descriptor leaks (SOCK-3)");
        }
        finish();
    }

private:
    struct Before {
        std::int64_t time = faulty::now();
        unsigned given_up = 0;
        std::array<std::size_t, faulty::kind_count> injected{};
    };

    void choose_faults() {
        faulty::Faults faults;
        for (const Kind kind : {Kind::interrupt, Kind::again, Kind::no_buffers, Kind::no_memory}) {
            if (random_.chance(500)) faults[kind] = static_cast<unsigned>(random_.between(1, 150));
        }
        faulty::set_faults(faults);
    }

    Timeout choose_timeout() {
        const auto kind = random_.below(10);
        if (kind < 3) return Timeout::zero();
        return kind > 5 ? Timeout::of_nanoseconds(static_cast<std::int64_t>(random_.between(1, 30'000'000)))
                        : Timeout();
    }

    Before snapshot() {
        Before before;
        before.given_up = host_.given_up();
        for (std::size_t i = 0; i < faulty::kind_count; ++i)
            before.injected[i] = faulty::injected(static_cast<Kind>(i));
        return before;
    }

    void connect() {
        auto client = Socket::open(family_, SOCK_STREAM);
        if (!client) return;
        if (!client->settimeout(choose_timeout())) return;
        const Before before = snapshot();
        const auto connected = client->connect(address_, Call(host_.host()));
        say("connect", client->gettimeout(), connected.error());
        check(before, client->gettimeout(), connected.error(), true);
        if (connected) require(client->getpeername().has_value(), "connected, but to nobody");
        if (connected.error() == Error(EINPROGRESS)) await_connection(*client);
        if (client->getpeername()) clients_.push_back(std::move(*client));
    }

    // What the reference of connect(2) says: poll for POLLOUT, then ask for SO_ERROR.
    void await_connection(Socket& client) {
        const faulty::Calm calm;
        Poll poll;
        Poll::Event event[1];
        poll.register_(client, POLLOUT, nullptr).value();
        is_accepting_ = false;
        const auto count = poll.poll(event);
        require(count && *count == 1 && (event[0].events & POLLOUT) != 0, "a connection in progress ends with POLLOUT");
        require(client.getsockopt(SOL_SOCKET, SO_ERROR).value_or(-1) == 0, "SO_ERROR");
        require(client.getpeername().has_value(), "connected, but to nobody");
    }

    void accept() {
        {
            const faulty::Calm calm;
            server_.settimeout(choose_timeout()).value();
        }
        const Before before = snapshot();
        is_accepting_ = true;
        auto accepted = server_.accept(Call(host_.host()));
        is_accepting_ = false;
        say("accept", server_.gettimeout(), accepted.error());
        check(before, server_.gettimeout(), accepted.error(), false);
        if (!accepted) return;
        require(accepted->socket.gettimeout().is_none(), "an accepted socket blocks (SOCK-5)");
        require(accepted->socket.family() == family_, "of the same family");
        accepted_.push_back(std::move(accepted->socket));
    }

    // The backlog is full: somebody must go.
    bool take_client() {
        const faulty::Calm calm;
        server_.settimeout(Timeout::zero()).value();
        auto accepted = server_.accept();
        if (accepted) accepted_.push_back(std::move(accepted->socket));
        return accepted.has_value();
    }

    bool add_client() {
        const faulty::Calm calm;
        auto client = Socket::open(family_, SOCK_STREAM).value();
        client.settimeout(Timeout::zero()).value();
        (void)client.connect(address_);
        clients_.push_back(std::move(client));
        return true;
    }

    void check(const Before& before, Timeout timeout, Error error, bool is_connect) {
        if (!timeout.is_none()) {
            const std::int64_t deadline = before.time + timeout.nanoseconds();
            require(faulty::now() <= deadline, "it lasted longer than its timeout");
            if (error == Error(ETIMEDOUT)) require(faulty::now() == deadline, "it timed out too early");
        }
        switch (error.code()) {
            case 0: break;
            case EINPROGRESS:
                require(is_connect && timeout.is_zero(), "EINPROGRESS from a socket that blocks (TIME-3)");
                break;
            case EAGAIN: require(timeout.is_zero(), "EAGAIN from a socket that blocks (TIME-3)"); break;
            case ETIMEDOUT: require(!timeout.is_none() && !timeout.is_zero(), "ETIMEDOUT without a timeout"); break;
            case EINTR: require(host_.given_up() != before.given_up, "EINTR though no handler gave up (TIME-5)"); break;
            case ENOMEM: require(happened(before, Kind::no_memory), "ENOMEM out of nowhere"); break;
            case ENOBUFS: require(happened(before, Kind::no_buffers), "ENOBUFS out of nowhere"); break;
            default: require(false, std::string("unexpected: ") + error.message()); break;
        }
    }
    [[nodiscard]] static bool happened(const Before& before, Kind kind) {
        return faulty::injected(kind) != before.injected[static_cast<std::size_t>(kind)];
    }

    // Who has been connected talks to one who has been accepted.
    void finish() {
        faulty::set_faults(faulty::Faults());
        while (!failed_ && take_client()) {
        }
        std::size_t heard = 0;
        for (Socket& client : clients_) {
            if (!client.getpeername()) continue;
            client.settimeout(Timeout::none()).value();
            require(client.sendall("hello\n").has_value(), "a connected socket sends");
        }
        for (Socket& conn : accepted_) {
            conn.settimeout(Timeout::zero()).value();
            const auto line = conn.readline();
            heard += line && line->view() == "hello\n" ? 1 : 0;
        }
        std::size_t connected = 0;
        for (Socket& client : clients_) connected += client.getpeername().has_value() ? 1 : 0;
        require(heard == connected, "not every connection carries bytes");
        clients_.clear();
        accepted_.clear();
        server_ = Socket();
        require_nothing_left();
    }

    void say(const std::string& what, Timeout timeout, Error error) {
        last_ = what + ", timeout " + (timeout.is_none() ? "none" : std::to_string(timeout.nanoseconds())) + " -> " +
                std::to_string(error.code());
    }

    ScriptedHost host_;
    int family_ = 0;
    Address address_;
    Socket server_;
    std::vector<Socket> clients_;
    std::vector<Socket> accepted_;
    bool is_accepting_ = false;
};

TEST(PropertyConnect, DeadlinesHoldAndNothingLeaks) {
    for_each_seed([](std::uint64_t seed) { Connecting(seed).run(); });
}

}  // namespace
}  // namespace usocket::tests
