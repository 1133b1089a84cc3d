// TIME-2 TIME-3 TIME-4 TIME-5 STRM-4 SOCK-6: whatever is sent, by whatever mix of calls, over a network that fails all
// the time: the peer gets what was said to be sent, in order, each byte once, and deadlines hold.
#include <csetjmp>
#include <cstdio>
#include <optional>
#include <string>

#include "faulty.hpp"
#include "gtest/gtest.h"
#include "print.hpp"
#include "scripted_host.hpp"
#include "trial.hpp"

namespace usocket::tests {
namespace {

using faulty::Kind;

enum class Op { send, sendall, write, count };

// One run: a socket that sends, and a peer that takes now and then.
class Sending : Trial {
public:
    Sending(std::uint64_t seed, HostKind host_kind)
        : Trial(seed), host_kind_(host_kind), host_(host_kind == HostKind::unwinds) {
        faulty::set_single_threaded(host_kind == HostKind::none && random_.chance(500));
        faulty::when_idle([this] { return take_some(); });
        auto connection = faulty::connect_pair(random_.chance(500) ? AF_INET : AF_UNIX, SOCK_STREAM);
        socket_ = std::move(connection.socket);
        peer_ = std::move(connection.peer);
        peer_.set_room(random_.between(1, 2 + random_.below(5000)));
        choose_faults();
        host_.on_signal = [this] { return random_.chance(200); };
        host_.while_left = [this] {
            if (random_.chance(50)) (void)take_some();
        };
    }

    void run() {
        const std::uint64_t steps = random_.between(3, 60);
        for (step_ = 0; step_ < steps && !failed_; ++step_) {
            switch (random_.below(8)) {
                case 0: (void)take_some(); break;
                case 1: take_later(); break;
                case 2: set_timeout(); break;
                default: send(); break;
            }
            if (is_broken_) break;
        }
        finish();
    }

private:
    struct Before {
        std::int64_t time;
        Timeout timeout;
        unsigned given_up;
        std::array<std::size_t, faulty::kind_count> injected;
    };
    struct Outcome {
        Error error;
        std::size_t sent = 0;
        bool jumped = false;
    };

    void choose_faults() {
        faulty::Faults faults;
        for (const Kind kind :
             {Kind::cut, Kind::interrupt, Kind::again, Kind::no_buffers, Kind::no_memory, Kind::spurious}) {
            if (random_.chance(500)) continue;
            faults[kind] = static_cast<unsigned>(random_.between(1, kind == Kind::cut ? 600 : 120));
        }
        if (random_.chance(100)) faults[Kind::reset] = 5;
        faulty::set_faults(faults);
    }

    // The peer takes what has arrived: it must be what comes next.
    bool take_some() {
        const std::string bytes = peer_.take(random_.between(1, 2 + random_.below(3000)));
        require(to_come_.compare(0, bytes.size(), bytes) == 0, "the peer got other bytes than were sent");
        if (!failed_) to_come_.erase(0, bytes.size());
        return !bytes.empty();
    }
    void take_later() {
        faulty::at(faulty::now() + static_cast<std::int64_t>(random_.below(10'000'000)), [this] { (void)take_some(); });
    }

    void set_timeout() {
        const faulty::Calm calm;
        const auto kind = random_.below(10);
        Timeout timeout;
        if (kind < 3) timeout = Timeout::zero();
        if (kind > 5) timeout = Timeout::of_nanoseconds(static_cast<std::int64_t>(random_.between(1, 30'000'000)));
        require(socket_.settimeout(timeout).has_value(), "settimeout");
    }

    // While a call is under way the peer may get any part of it; afterwards exactly what the call said.
    void send() {
        const auto op = static_cast<Op>(random_.below(static_cast<std::uint64_t>(Op::count)));
        std::string bytes(random_.between(op == Op::sendall ? 0 : 1, 1 + random_.below(4000)), '\0');
        for (char& byte : bytes) byte = static_cast<char>(sent_++ * 2654435761U >> 9);
        if (host_kind_ == HostKind::unwinds && random_.chance(200)) {
            faulty::arm_jump(jump_, static_cast<unsigned>(random_.below(6)), random_.chance(500));
        }
        to_come_ += bytes;
        const Before before = snapshot();
        const Outcome outcome = perform(op, bytes);
        faulty::disarm_jump();
        last_ = "op " + std::to_string(static_cast<int>(op)) + " of " + std::to_string(bytes.size()) + " -> " +
                std::to_string(outcome.error.code()) + ", " + std::to_string(outcome.sent);
        check(op, bytes.size(), before, outcome);
        settle(bytes.size(), outcome);
    }

    // What of the call's bytes is still to come, now that it has ended.
    void settle(std::size_t size, const Outcome& outcome) {
        const std::size_t arrived = peer_.arrived();
        if (outcome.error == Error() && !outcome.jumped) {
            to_come_.resize(to_come_.size() - (size - outcome.sent));
            require(to_come_.size() == arrived || is_reset(), "the peer got more or less than was said");
            return;
        }
        // It failed: a part of its bytes went out, the first ones.
        require(arrived <= to_come_.size() && (arrived + size >= to_come_.size() || is_reset()),
                "the peer got more or less than was sent");
        if (!failed_) to_come_.resize(std::min(arrived, to_come_.size()));
        is_broken_ = is_reset();
    }
    [[nodiscard]] static bool is_reset() { return faulty::injected(Kind::reset) != 0; }

    Before snapshot() {
        Before before{faulty::now(), socket_.gettimeout(), host_.given_up(), {}};
        for (std::size_t i = 0; i < faulty::kind_count; ++i)
            before.injected[i] = faulty::injected(static_cast<Kind>(i));
        return before;
    }

    Outcome perform(Op op, const std::string& bytes) {
        if (host_kind_ == HostKind::none) return do_call(op, bytes);
        std::optional<Call> call;
        call.emplace(host_.host());
        Outcome outcome;
        if (setjmp(jump_) == 0) return do_call(op, bytes, *call);
        socket_.unwound(*call);
        outcome.jumped = true;
        return outcome;
    }

    // With the call of a host, or without as a C++ program does.
    template <class... OfHost> Outcome do_call(Op op, const std::string& bytes, OfHost&&... call) {
        if (op == Op::sendall) return {socket_.sendall(bytes, 0, std::move(call)...).error(), bytes.size()};
        const auto sent =
            op == Op::send ? socket_.send(bytes, 0, std::move(call)...) : socket_.write(bytes, std::move(call)...);
        return {sent.error(), sent.value_or(0u)};
    }

    void check(Op op, std::size_t size, const Before& before, const Outcome& outcome) {
        if (!before.timeout.is_none()) {
            const std::int64_t deadline = before.time + before.timeout.nanoseconds();
            require(faulty::now() <= deadline, "it lasted longer than its timeout");
            if (outcome.error == Error(ETIMEDOUT)) require(faulty::now() == deadline, "it timed out too early");
        }
        if (outcome.jumped) return;
        switch (outcome.error.code()) {
            case 0:
                require(outcome.sent <= size, "more than there was");
                require(outcome.sent != 0 || size == 0, "nothing went out, and no error says so");
                if (op == Op::write && outcome.sent < size) require(before.timeout.is_zero(), "a short write (STRM-4)");
                break;
            case EAGAIN: require(before.timeout.is_zero(), "EAGAIN from a socket that blocks (TIME-3)"); break;
            case ETIMEDOUT:
                require(!before.timeout.is_none() && !before.timeout.is_zero(), "ETIMEDOUT without a timeout");
                break;
            case EINTR: require(host_.given_up() != before.given_up, "EINTR though no handler gave up (TIME-5)"); break;
            case ECONNRESET:
            case EPIPE: require(is_reset(), "a broken connection out of nowhere"); break;
            case ENOMEM: require(happened(before, Kind::no_memory), "ENOMEM out of nowhere"); break;
            case ENOBUFS: require(happened(before, Kind::no_buffers), "ENOBUFS out of nowhere"); break;
            default: require(false, std::string("unexpected: ") + outcome.error.message()); break;
        }
    }
    [[nodiscard]] static bool happened(const Before& before, Kind kind) {
        return faulty::injected(kind) != before.injected[static_cast<std::size_t>(kind)];
    }

    void finish() {
        faulty::set_faults(faulty::Faults());
        if (!failed_ && !is_broken_) {
            socket_.close();
            require(peer_.take() == to_come_, "the peer's last bytes are not what was sent");
        }
        socket_ = Socket();
        peer_ = faulty::Peer();
        require_nothing_left();
    }

    HostKind host_kind_;
    ScriptedHost host_;
    Socket socket_;
    faulty::Peer peer_;
    std::jmp_buf jump_{};
    std::string to_come_;  // sent, and not yet taken by the peer
    std::uint64_t sent_ = 0;
    bool is_broken_ = false;
};

TEST(PropertySend, ThePeerGetsWhatWasSaidToBeSent) {
    for_each_seed([](std::uint64_t seed) { Sending(seed, HostKind::hooks).run(); });
}

TEST(PropertySend, WithoutAHost) {
    for_each_seed([](std::uint64_t seed) { Sending(seed, HostKind::none).run(); });
}

TEST(PropertySend, AHandlerThatJumpsLeavesTheSocketUsable) {
    for_each_seed([](std::uint64_t seed) { Sending(seed, HostKind::unwinds).run(); });
}

}  // namespace
}  // namespace usocket::tests
