// CPP-4 TIME-2 TIME-3 TIME-4 TIME-6 TIME-10: one stream moved into another, over a network that fails all the time:
// the other end gets what was said to have moved, and the rest is what the next call finds; deadlines hold.
#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <utility>

#include "faulty.hpp"
#include "gtest/gtest.h"
#include "print.hpp"
#include "trial.hpp"

namespace usocket::tests {
namespace {

using faulty::Kind;

// One run: a source that a peer feeds, and a destination whose peer takes now and then.
class Splicing : Trial {
public:
    explicit Splicing(std::uint64_t seed) : Trial(seed) {
        faulty::set_single_threaded(random_.chance(500));
        faulty::when_idle([this] { return take_some() || feed(); });
        auto from = faulty::connect_pair(random_.chance(500) ? AF_INET : AF_UNIX, SOCK_STREAM);
        auto to = faulty::connect_pair(random_.chance(500) ? AF_INET : AF_UNIX, SOCK_STREAM);
        from_ = std::move(from.socket);
        feeder_ = std::move(from.peer);
        to_ = std::move(to.socket);
        taker_ = std::move(to.peer);
        taker_.set_room(random_.between(1, 2 + random_.below(60'000)));
        for (Socket* socket : {&from_, &to_}) {
            if (random_.chance(300)) (void)socket->fileno();
            if (random_.chance(300)) must(socket->settimeout(Timeout(std::chrono::seconds(1))));
        }
        choose_faults();
    }

    void run() {
        const std::uint64_t steps = random_.between(3, 40);
        for (step_ = 0; step_ < steps && !failed_ && !is_reset(); ++step_) {
            switch (random_.below(9)) {
                case 0: (void)take_some(); break;
                case 1: (void)feed(); break;
                case 2:
                    faulty::at(faulty::now() + static_cast<std::int64_t>(random_.below(10'000'000)),
                               [this] { (void)(random_.chance(500) ? take_some() : feed()); });
                    break;
                case 3: set_timeout(); break;
                case 4: read(); break;
                default: splice(); break;
            }
        }
        finish();
    }

private:
    static void must(const Result<void>& done) { EXPECT_TRUE(done.has_value()); }

    void choose_faults() {
        faulty::Faults faults;
        for (const Kind kind : {Kind::cut, Kind::interrupt, Kind::again, Kind::no_buffers, Kind::no_memory,
                                Kind::spurious, Kind::refuse}) {
            if (random_.chance(600)) continue;
            faults[kind] = static_cast<unsigned>(random_.between(1, kind == Kind::cut ? 600 : 100));
        }
        if (random_.chance(50)) faults[Kind::reset] = 5;
        faulty::set_faults(faults);
    }
    [[nodiscard]] static bool is_reset() { return faulty::injected(Kind::reset) != 0; }

    bool feed() {
        std::string bytes(random_.between(1, 1 + random_.below(random_.chance(300) ? 100'000 : 3'000)), '\0');
        for (char& byte : bytes) byte = static_cast<char>(made_++ * 2654435761U >> 9);
        bytes.resize(feeder_.feed(bytes));
        fed_ += bytes;
        if (random_.chance(100)) feeder_.mark();
        return !bytes.empty();
    }

    // The other end takes what has arrived: it must be what comes next, of what has moved or is moving.
    bool take_some() {
        const std::string bytes = taker_.take(random_.between(1, 2 + random_.below(60'000)));
        const std::size_t known = std::min(bytes.size(), moved_.size() - std::min(taken_, moved_.size()));
        const std::size_t moving = returned_ + std::max(taken_, moved_.size()) - moved_.size();
        require(moved_.compare(std::min(taken_, moved_.size()), known, bytes, 0, known) == 0, "other bytes than moved");
        require(
            known == bytes.size() || (is_splicing_ && fed_.compare(moving, bytes.size() - known, bytes, known) == 0),
            "other bytes than were to move");
        taken_ += bytes.size();
        return !bytes.empty();
    }

    void set_timeout() {
        const faulty::Calm calm;
        const auto kind = random_.below(10);
        Timeout timeout;
        if (kind < 4) timeout = Timeout::zero();
        if (kind > 6) timeout = Timeout::of_nanoseconds(static_cast<std::int64_t>(random_.between(1, 30'000'000)));
        must(from_.settimeout(timeout));
    }

    void splice() {
        const Timeout timeout = from_.gettimeout();
        const std::int64_t before = faulty::now();
        const auto troubles = [] {
            return faulty::injected(Kind::no_memory) + faulty::injected(Kind::no_buffers) +
                   faulty::injected(Kind::refuse);
        };
        const std::size_t troubles_before = troubles();
        const std::size_t count = random_.between(1, 1 + random_.below(200'000));
        std::size_t moved = 0;
        is_splicing_ = true;
        const auto done = from_.splice(to_, count, moved);
        is_splicing_ = false;
        last_ = "splice of " + std::to_string(count) + " -> " + std::to_string(done.error().code()) + ", " +
                std::to_string(moved);
        if (is_reset()) return;
        require(moved <= count && returned_ + moved <= fed_.size(), "more than there was");
        if (failed_) return;
        moved_ += fed_.substr(returned_, moved);
        returned_ += moved;
        require(taken_ + taker_.arrived() == moved_.size(), "the other end got more or less than was said");
        if (done) require(*done == moved, "the count is the count");
        if (done && moved < count) require(timeout.is_zero(), "short, though nothing has ended");
        switch (done.error().code()) {
            case 0: break;
            case EAGAIN: require(timeout.is_zero() && moved == 0, "EAGAIN from a socket that blocks (TIME-3)"); break;
            case ETIMEDOUT:
                require(faulty::now() == before + timeout.nanoseconds(), "it timed out too early or too late");
                break;
            case ENOMEM:
            case ENOBUFS: require(troubles() != troubles_before, "no memory, out of nowhere"); break;
            default: require(false, std::string("unexpected: ") + done.error().message()); break;
        }
    }

    // What a splice has not moved is next in line, whatever ended it.
    void read() {
        const faulty::Calm calm;
        const std::size_t there = fed_.size() - returned_;
        if (there == 0) return;
        const auto bytes = random_.chance(500) ? from_.recv(1 + random_.below(5'000))
                                               : from_.read(1 + random_.below(std::min<std::size_t>(there, 5'000)));
        last_ = "a read of " + std::to_string(bytes ? bytes->size() : 0);
        require(bytes.has_value(), "what is there can be read");
        if (!bytes) return;
        require(bytes->view() == std::string_view(fed_).substr(returned_, bytes->size()), "other bytes (TIME-6)");
        returned_ += bytes->size();
    }

    void finish() {
        faulty::set_faults(faulty::Faults());
        if (!failed_ && !is_reset()) {
            must(from_.settimeout(Timeout::none()));
            feeder_.shut_down();
            const auto rest = from_.read();
            require(rest && rest->view() == std::string_view(fed_).substr(returned_), "the rest is lost (TIME-6)");
        }
        from_ = Socket();
        to_ = Socket();
        feeder_ = faulty::Peer();
        taker_ = faulty::Peer();
        require_nothing_left();
    }

    Socket from_, to_;
    faulty::Peer feeder_, taker_;
    std::string fed_;           // all that has arrived at the source
    std::size_t returned_ = 0;  // how much of it was moved or read
    std::string moved_;         // all that was said to have moved
    std::size_t taken_ = 0;     // how much of it the other end has taken
    bool is_splicing_ = false;
    std::uint64_t made_ = 0;
};

TEST(PropertySplice, CPP_4_TIME_6_nothing_is_lost_and_the_count_is_right) {
    for_each_seed([](std::uint64_t seed) { Splicing(seed).run(); });
}

// Neither socket ever has to be waited for.
TEST(PropertySplice, CPP_4_TIME_2_the_deadline_holds_while_bytes_never_stop) {
    faulty::reset(1);
    auto from = faulty::connect_pair(AF_INET, SOCK_STREAM);
    auto to = faulty::connect_pair(AF_INET, SOCK_STREAM);
    constexpr std::int64_t span = 50'000'000;
    const std::int64_t until = faulty::now() + span;
    EXPECT_TRUE(from.socket.settimeout(Timeout(std::chrono::nanoseconds(span))).has_value());
    std::function<void()> move_on = [&] {
        from.peer.feed(std::string(200, 'x'));
        (void)to.peer.take();
        if (faulty::now() < until + 2 * span) faulty::at(faulty::now() + 10'000, move_on);
    };
    move_on();
    faulty::Faults faults;
    faults[Kind::delay] = 1000;
    faults.longest_delay = 100'000;
    faulty::set_faults(faults);
    EXPECT_EQ(from.socket.splice(to.socket).error(), Error(ETIMEDOUT));
    EXPECT_LE(faulty::now(), until + 6 * faults.longest_delay);  // those of a round's system calls
    faulty::set_faults(faulty::Faults());
}

// A flood that passes through a conduit, in the end: there are system calls of both ways.
TEST(PropertySplice, CPP_4_what_is_much_goes_through_a_conduit) {
    for (const bool is_conduit_refused : {false, true}) {
        faulty::reset(1);
        auto from = faulty::connect_pair(AF_INET, SOCK_STREAM);
        auto to = faulty::connect_pair(AF_INET, SOCK_STREAM);
        to.peer.set_room(1'000'000);
        const std::string much(300'000, 'x');
        from.peer.feed(much);
        from.peer.shut_down();
        if (is_conduit_refused) faulty::fail(faulty::Sys::conduit_take, EINVAL);
        EXPECT_EQ(from.socket.splice(to.socket).value_or(std::size_t{0}), much.size());
        EXPECT_EQ(faulty::calls(faulty::Sys::conduit_take), is_conduit_refused ? 1u : 3u);
        EXPECT_EQ(to.peer.take(), much);
    }
}

// A conduit ends there, the stream does not.
TEST(PropertySplice, CPP_4_TIME_4_an_urgent_mark_is_not_the_end) {
    for (const bool is_nonblocking : {false, true}) {
        faulty::reset(1);
        auto from = faulty::connect_pair(AF_INET, SOCK_STREAM);
        auto to = faulty::connect_pair(AF_INET, SOCK_STREAM);
        to.peer.set_room(1'000'000);
        const std::string much(100'000, 'x');
        from.peer.feed(much);
        from.peer.mark();
        from.peer.feed(much);
        if (!is_nonblocking) from.peer.shut_down();
        EXPECT_TRUE(from.socket.setblocking(!is_nonblocking).has_value());
        EXPECT_EQ(from.socket.splice(to.socket).value_or(std::size_t{0}), 2 * much.size());
        EXPECT_EQ(to.peer.arrived(), 2 * much.size());
    }
}

}  // namespace
}  // namespace usocket::tests
