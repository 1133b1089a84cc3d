// TIME-1..4, TIME-6: timeouts of every method that may wait, over real sockets.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "loopback.hpp"
#include "waiting.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// --- The class

// TIME-1
TEST(Timeouts, TIME_1_from_seconds) {
    EXPECT_EQ(Timeout::from_seconds(0).value(), Timeout::zero());
    EXPECT_EQ(Timeout::from_seconds(-0.0).value(), Timeout::zero());
    EXPECT_EQ(Timeout::from_seconds(1.5).value().nanoseconds(), 1'500'000'000);
    EXPECT_EQ(Timeout::from_seconds(1e-9).value().nanoseconds(), 1);
    EXPECT_EQ(Timeout::from_seconds(9223372036.0).value().nanoseconds(), 9223372036'000'000'000);
    EXPECT_EQ(Timeout::from_seconds(1.5).value().seconds(), 1.5);
}

TEST(Timeouts, TIME_1_the_smallest_span_is_not_none_at_all) {
    for (const double seconds :
         {1e-10, 1e-30, std::numeric_limits<double>::min(), std::numeric_limits<double>::denorm_min()}) {
        EXPECT_EQ(Timeout::from_seconds(seconds).value().nanoseconds(), 1) << seconds;
    }
}

TEST(Timeouts, TIME_1_what_is_no_span_is_refused) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    for (const double seconds :
         {-1.0, -1e-300, 9223372037.0, 1e300, infinity, -infinity, std::nan(""), -std::nan("")}) {
        EXPECT_EQ(Timeout::from_seconds(seconds).error(), Error(Fault::timeout_range)) << seconds;
    }
    EXPECT_EQ(Error(Fault::timeout_range).code(), EINVAL);
}

TEST(Timeouts, TIME_10_deadlines_have_an_order) {
    const Deadline soon = Deadline::after(std::chrono::minutes(1)), late = Deadline::after(std::chrono::hours(1));
    EXPECT_LT(soon, late);
    EXPECT_EQ(std::min(late, soon), soon);
    EXPECT_FALSE(soon.has_passed());
    EXPECT_TRUE(Deadline(Clock::now()).has_passed());
}

TEST(Timeouts, TIME_1_from_durations) {
    static_assert(Timeout().is_none() && Timeout(std::nullopt).is_none() && Timeout::none() == Timeout());
    static_assert(!Timeout::zero().is_none() && Timeout::zero().is_zero());
    static_assert(!Timeout::none().is_zero());
    static_assert(Timeout(std::chrono::milliseconds(3)).nanoseconds() == 3'000'000);
    // A span that is used up is a deadline that has passed, not non-blocking (TIME-10).
    static_assert(Timeout(std::chrono::seconds(-3)) == Timeout::passed());
    static_assert(Timeout(std::chrono::seconds(0)) == Timeout::passed() && !Timeout::passed().is_zero());
    static_assert(Timeout::of_nanoseconds(-3).is_zero());
    static_assert(Timeout(std::chrono::hours(24 * 365 * 1000)).nanoseconds() == INT64_MAX);
    static_assert(Timeout(std::chrono::hours::max()).nanoseconds() == INT64_MAX);
    static_assert(Timeout(std::chrono::hours::min()) == Timeout::passed());
    static_assert(Timeout(std::chrono::nanoseconds::max()).nanoseconds() == INT64_MAX);
    EXPECT_EQ(Timeout(std::chrono::duration<double, std::pico>(1)).nanoseconds(), 1);
    EXPECT_EQ(Timeout(std::chrono::duration<double>(std::nan(""))), Timeout::passed());
}

TEST(Timeouts, TIME_1_gettimeout_returns_what_was_set_in_every_order) {
    Socket sock = socket().value();
    EXPECT_TRUE(sock.gettimeout().is_none());
    const Timeout timeouts[] = {Timeout::none(), Timeout::zero(), 1ns, 1500ms, 24h * 365 * 200};
    for (const Timeout first : timeouts) {
        for (const Timeout second : timeouts) {
            sock.settimeout(first).value();
            EXPECT_EQ(sock.gettimeout(), first);
            sock.settimeout(second).value();
            EXPECT_EQ(sock.gettimeout(), second);
            EXPECT_EQ(sock.getblocking(), second != Timeout::zero());
        }
        sock.settimeout(first).value();
        sock.setblocking(false).value();
        EXPECT_TRUE(sock.gettimeout().is_zero());
        sock.setblocking(true).value();
        EXPECT_TRUE(sock.gettimeout().is_none());
        sock.settimeout(first).value();
        sock.setblocking(true).value();
        EXPECT_TRUE(sock.gettimeout().is_none());
    }
}

// The mode is what calls do, not only what gettimeout() says.
TEST(Timeouts, TIME_1_each_mode_works_after_each_other) {
    const Timeout modes[] = {Timeout::none(), Timeout::zero(), 20ms};
    for (const Timeout first : modes) {
        for (const Timeout second : modes) {
            Pair pair = tcp_pair();
            pair.here.settimeout(first).value();
            pair.here.settimeout(second).value();
            if (second.is_none()) {
                std::jthread writer([&] { pair.there.write("x").value(); });
                EXPECT_EQ(pair.here.recv(1).value().view(), "x");
            } else {
                EXPECT_EQ(pair.here.recv(1).error(), Error(second.is_zero() ? EAGAIN : ETIMEDOUT));
            }
        }
    }
}

// --- Every method that may wait

// TIME-2 TIME-3
TEST(Timeouts, TIME_3_expired_is_ETIMEDOUT_for_every_method_and_not_before_the_deadline) {
    for (const Waiting& waiting : all_waiting()) {
        SCOPED_TRACE(waiting.name);
        Pair pair = waiting.make();
        const auto timeout = 30ms;
        pair.here.settimeout(timeout).value();
        const auto start = Clock::now();
        EXPECT_EQ(waiting.call(pair.here, Call()), Error(ETIMEDOUT));
        EXPECT_GE(Clock::now() - start, timeout);
    }
}

// TIME-3, the shortest there is
TEST(Timeouts, TIME_3_a_nanosecond_is_ETIMEDOUT_too) {
    for (const Waiting& waiting : all_waiting()) {
        SCOPED_TRACE(waiting.name);
        Pair pair = waiting.make();
        pair.here.settimeout(1ns).value();
        EXPECT_EQ(waiting.call(pair.here, Call()), Error(ETIMEDOUT));
    }
}

// TIME-4. In C++ the None of the stream methods is EAGAIN.
TEST(Timeouts, TIME_4_non_blocking_is_EAGAIN_for_every_method) {
    for (const Waiting& waiting : all_waiting()) {
        SCOPED_TRACE(waiting.name);
        Pair pair = waiting.make();
        pair.here.setblocking(false).value();
        // What is written in parts may fit in part.
        Error error = waiting.call(pair.here, Call());
        for (int i = 0; i < 100 && error == Error(); ++i) error = waiting.call(pair.here, Call());
        EXPECT_EQ(error, Error(EAGAIN));
    }
}

// TIME-2: data that trickles in faster than the timeout does not put the deadline off.
TEST(Timeouts, TIME_2_one_deadline_for_the_whole_call_however_data_trickles) {
    for (const bool is_readline : {false, true}) {
        SCOPED_TRACE(is_readline ? "readline" : "read");
        Pair pair = tcp_pair();
        pair.here.settimeout(60ms).value();
        std::atomic<bool> stop = false;
        std::jthread trickle([&] {
            while (!stop) {
                pair.there.send("x").value();
                std::this_thread::sleep_for(1ms);
            }
        });
        const auto start = Clock::now();
        const Error error = is_readline ? pair.here.readline().error() : pair.here.read(1 << 20).error();
        EXPECT_EQ(error, Error(ETIMEDOUT));
        EXPECT_GE(Clock::now() - start, 60ms);
        stop = true;
    }
}

// TIME-2: nor does a peer that reads slowly.
TEST(Timeouts, TIME_2_one_deadline_for_the_whole_call_however_slowly_the_peer_reads) {
    static const std::string endless(std::size_t{1} << 28, 'e');
    for (const bool is_write : {false, true}) {
        SCOPED_TRACE(is_write ? "write" : "sendall");
        Pair pair = unix_pair();
        pair.here.settimeout(60ms).value();
        std::jthread reader([&] {
            while (pair.there.recv(1024).value_or(Bytes()).size() != 0) std::this_thread::sleep_for(1ms);
        });
        const Error error = is_write ? pair.here.write(endless).error() : pair.here.sendall(endless).error();
        EXPECT_EQ(error, Error(ETIMEDOUT));
        pair.here.close();
        pair.there.shutdown(SHUT_RD).value();
    }
}

// TIME-2: each call has a deadline of its own.
TEST(Timeouts, TIME_2_the_next_call_has_all_its_time) {
    Pair pair = tcp_pair();
    pair.here.settimeout(20ms).value();
    for (int round = 0; round < 3; ++round) {
        const auto start = Clock::now();
        EXPECT_EQ(pair.here.recv(1).error(), Error(ETIMEDOUT));
        EXPECT_GE(Clock::now() - start, 20ms);
    }
}

// TIME-6
TEST(Timeouts, TIME_6_what_came_before_the_deadline_is_read_next) {
    Pair pair = tcp_pair();
    pair.here.settimeout(20ms).value();
    pair.there.write("part").value();
    EXPECT_EQ(pair.here.read(100).error(), Error(ETIMEDOUT));
    EXPECT_NE(pair.here.poll_now(POLLIN) & POLLIN, 0u);
    EXPECT_EQ(pair.here.readline().error(), Error(ETIMEDOUT));
    EXPECT_EQ(pair.here.read().error(), Error(ETIMEDOUT));
    std::array<char, 100> room{};
    EXPECT_EQ(pair.here.readinto(room).error(), Error(ETIMEDOUT));
    EXPECT_EQ(pair.here.recv(2).value().view(), "pa");
    pair.there.write(" and more\n").value();
    EXPECT_EQ(pair.here.readline().value().view(), "rt and more\n");
}

// TIME-4
TEST(Timeouts, TIME_4_stream_methods_return_what_moved) {
    Pair pair = tcp_pair();
    pair.here.setblocking(false).value();
    pair.there.write("part").value();
    while ((pair.here.poll_now(POLLIN) & POLLIN) == 0) std::this_thread::yield();
    EXPECT_EQ(pair.here.read(100).value().view(), "part");
    EXPECT_EQ(pair.here.read(100).error(), Error(EAGAIN));
    const std::string much(1 << 24, 'm');
    const std::size_t moved = pair.here.write(much).value();
    EXPECT_GT(moved, 0u);
    EXPECT_LT(moved, much.size());
}

// TIME-2 TIME-3 TIME-4: connect
#if defined(__linux__)
TEST(Timeouts, TIME_3_connect_expires_as_ETIMEDOUT) {
    const FullBacklog backlog;
    ASSERT_TRUE(backlog.is_full());
    Socket client = socket().value();
    client.settimeout(30ms).value();
    const auto start = Clock::now();
    EXPECT_EQ(client.connect(backlog.address()).error(), Error(ETIMEDOUT));
    EXPECT_GE(Clock::now() - start, 30ms);
}

TEST(Timeouts, TIME_4_connect_is_EINPROGRESS) {
    const FullBacklog backlog;
    ASSERT_TRUE(backlog.is_full());
    Socket client = socket().value();
    client.setblocking(false).value();
    EXPECT_EQ(client.connect(backlog.address()).error(), Error(EINPROGRESS));
    EXPECT_EQ(client.poll_now(POLLOUT) & POLLOUT, 0u) << "not yet connected";
}
#endif

TEST(Timeouts, TIME_4_a_non_blocking_connect_ends_by_poll_and_SO_ERROR) {
    Address address;
    Socket server = listener(address);
    Socket client = socket().value();
    client.setblocking(false).value();
    const Error error = client.connect(address).error();
    EXPECT_TRUE(error == Error(EINPROGRESS) || error == Error()) << error.code();
    Poll poll;
    poll.register_(client, POLLOUT, nullptr).value();
    Poll::Event events[1];
    ASSERT_EQ(poll.poll(events, 10s).value(), 1u);
    EXPECT_EQ(client.getsockopt(SOL_SOCKET, SO_ERROR).value(), 0);
    EXPECT_TRUE(server.accept());
    EXPECT_TRUE(client.getpeername());
}

TEST(Timeouts, TIME_2_a_timeout_that_does_not_expire_changes_nothing) {
    Address address;
    Socket server = listener(address);
    server.settimeout(10s).value();
    Socket client = socket().value();
    client.settimeout(10s).value();
    client.connect(address).value();
    Socket conn = server.accept().value().socket;
    conn.settimeout(10s).value();
    const std::string much(4'000'000, 'm');
    std::jthread writer([&] {
        client.sendall(much).value();
        client.write("line\n").value();
        EXPECT_EQ(client.send("z").value(), 1u);
    });
    EXPECT_EQ(conn.read(much.size()).value().size(), much.size());
    EXPECT_EQ(conn.readline().value().view(), "line\n");
    EXPECT_EQ(conn.recv(1).value().view(), "z");
}

TEST(Timeouts, TIME_2_a_span_of_centuries_does_not_overflow) {
    Pair pair = tcp_pair();
    pair.here.settimeout(Timeout::of_nanoseconds(INT64_MAX)).value();
    std::jthread writer([&] { pair.there.write("x\n").value(); });
    EXPECT_EQ(pair.here.readline().value().view(), "x\n");
}

// Datagrams to one who does not read: AF_UNIX waits for room (TIME-2), and goes on once there is some.
TEST(Timeouts, TIME_2_a_datagram_waits_for_room) {
    Pair pair = full_unix_datagrams();
    pair.here.settimeout(10s).value();
    std::jthread reader([&] {
        while (pair.there.recv(100).value().view() == "datagram") {
        }
    });
    EXPECT_EQ(pair.here.send("x").value(), 1u);
}

}  // namespace
}  // namespace usocket::tests
