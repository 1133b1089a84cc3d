// TIME-5: a signal ends no call by itself; a host whose handler raises ends it at once, and nothing is lost.
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "loopback.hpp"
#include "scripted_host.hpp"
#include "signals.hpp"
#include "waiting.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// Calls wait(timeout), which must take that long, until it says that signals have met it: on a busy machine the thread
// that sends them may have no turn in a short one.
template <class Wait> void until_signals_meet(Wait wait) {
    for (std::chrono::milliseconds timeout = 30ms;; timeout *= 2) {
        const auto start = Clock::now();
        const bool has_met_signals = wait(timeout);
        EXPECT_GE(Clock::now() - start, timeout);
        if (has_met_signals) return;
        ASSERT_LT(timeout, 4s) << "no signal";
    }
}

// TIME-5 TIME-2
TEST(Signals, TIME_5_without_a_host_they_end_nothing_before_the_deadline) {
    const Signals signals;
    for (const Waiting& waiting : all_waiting()) {
        SCOPED_TRACE(waiting.name);
        Pair pair = waiting.make();
        until_signals_meet([&](Timeout timeout) {
            pair.here.settimeout(timeout).value();
            const unsigned before = Signals::count();
            EXPECT_EQ(waiting.call(pair.here, Call()), Error(ETIMEDOUT));
            return Signals::count() > before;
        });
    }
}

TEST(Signals, TIME_5_a_host_that_goes_on_gets_what_is_left_of_the_deadline) {
    const Signals signals;
    for (const Waiting& waiting : all_waiting()) {
        if (!waiting.takes_call) continue;
        SCOPED_TRACE(waiting.name);
        ScriptedHost host;
        Pair pair = waiting.make();
        until_signals_meet([&](Timeout timeout) {
            pair.here.settimeout(timeout).value();
            EXPECT_EQ(waiting.call(pair.here, Call(host.host())), Error(ETIMEDOUT));
            EXPECT_TRUE(host.is_inside());
            return host.signals() > 0;
        });
    }
}

// Every call that takes a host ends when the host, asked for the third time, gives it up.
void expect_given_up(bool notes_signals) {
    for (const Timeout timeout : {Timeout::none(), Timeout(1h)}) {
        for (const Waiting& waiting : all_waiting()) {
            if (!waiting.takes_call) continue;
            SCOPED_TRACE(waiting.name);
            ScriptedHost host;
            if (notes_signals) host.notes_signals();
            host.on_signal = [&] { return host.signals() == 3; };
            Pair pair = waiting.make();
            pair.here.settimeout(timeout).value();
            EXPECT_EQ(waiting.call(pair.here, Call(host.host())), Error(EINTR));
            EXPECT_EQ(host.signals(), 3u);
            EXPECT_TRUE(host.is_inside());
            EXPECT_FALSE(pair.here.closed());
        }
    }
}

TEST(Signals, TIME_5_a_host_that_gives_up_ends_every_call) {
    const Signals signals;
    expect_given_up(false);
}

// As if a signal had come just before the system slept: it interrupts no system call, the host has it to raise.
TEST(Signals, TIME_5_a_host_that_notes_signals_is_asked_without_any) { expect_given_up(true); }

// What the call waits for happens in a handler.
TEST(Signals, TIME_5_a_call_without_a_deadline_goes_on_after_signals) {
    const Signals signals;
    for (const Timeout timeout : {Timeout::none(), Timeout(1h)}) {
        Pair pair = tcp_pair();
        pair.here.settimeout(timeout).value();
        ScriptedHost host;
        host.on_signal = [&] {
            if (host.signals() == 2) pair.there.write("first, ").value();
            if (host.signals() == 4) pair.there.write("second\n").value();
            return false;
        };
        std::array<char, 14> room{};
        EXPECT_EQ(pair.here.readinto(room, Call(host.host())).value(), 14u);
        EXPECT_EQ(std::string_view(room.data(), room.size()), "first, second\n");
        EXPECT_GE(host.signals(), 4u);
    }
}

TEST(Signals, TIME_5_accept_goes_on_after_signals) {
    const Signals signals;
    Address address;
    Socket server = listener(address);
    Socket client = socket().value();
    client.setblocking(false).value();
    ScriptedHost host;
    host.on_signal = [&] {
        if (host.signals() == 3) (void)client.connect(address);
        return false;
    };
    EXPECT_TRUE(server.accept(Call(host.host())));
    EXPECT_GE(host.signals(), 3u);
}

// TIME-6
TEST(Signals, TIME_6_what_came_before_the_host_gave_up_is_read_next) {
    const Signals signals;
    for (const bool is_tcp : {true, false}) {
        for (const Timeout timeout : {Timeout::none(), Timeout(1h)}) {
            Pair pair = is_tcp ? tcp_pair() : unix_pair();
            pair.here.settimeout(timeout).value();
            pair.there.write("one, ").value();
            await_bytes(pair.here, 5);
            ScriptedHost host;
            host.on_signal = [&] { return true; };
            std::array<char, 100> room{};
            EXPECT_EQ(pair.here.readinto(room, Call(host.host())).error(), Error(EINTR));
            EXPECT_NE(pair.here.poll_now(POLLIN) & POLLIN, 0u);
            pair.there.write("two").value();
            EXPECT_EQ(pair.here.readline_into(room, Call(host.host())).error(), Error(EINTR));
            pair.there.write("!\n").value();
            EXPECT_EQ(pair.here.recv(3).value().view(), "one");
            EXPECT_EQ(pair.here.readline().value().view(), ", two!\n");
        }
    }
}

// A handler may use the socket that the call is waiting on.
TEST(Signals, TIME_5_a_handler_reads_what_the_call_has_taken_in) {
    const Signals signals;
    Pair pair = tcp_pair();
    pair.there.write("abc").value();
    std::string read_inside;
    ScriptedHost host;
    host.on_signal = [&] {
        if (host.signals() == 3) read_inside = pair.here.recv(2).value().view();
        if (host.signals() == 4) pair.there.write("defg").value();
        return false;
    };
    std::array<char, 5> room{};
    EXPECT_EQ(pair.here.readinto(room, Call(host.host())).value(), 5u);
    EXPECT_EQ(read_inside + std::string(room.data(), room.size()), "abcdefg");
}

TEST(Signals, TIME_5_a_handler_that_closes_the_socket_ends_the_call) {
    const Signals signals;
    for (const Waiting& waiting : all_waiting()) {
        if (!waiting.takes_call) continue;
        SCOPED_TRACE(waiting.name);
        Pair pair = waiting.make();
        pair.here.settimeout(1h).value();
        ScriptedHost host;
        host.on_signal = [&] {
            pair.here.close();
            return false;
        };
        EXPECT_EQ(waiting.call(pair.here, Call(host.host())), Error(EBADF));
        EXPECT_EQ(pair.here.fileno(), -1);
    }
}

#if defined(__linux__)
TEST(Signals, TIME_5_connect) {
    const FullBacklog backlog;
    ASSERT_TRUE(backlog.is_full());
    const Signals signals;
    ScriptedHost host;
    until_signals_meet([&](Timeout timeout) {
        Socket patient = socket().value();
        patient.settimeout(timeout).value();
        EXPECT_EQ(patient.connect(backlog.address(), Call(host.host())).error(), Error(ETIMEDOUT));
        return host.signals() > 0;
    });
    for (const Timeout timeout : {Timeout::none(), Timeout(1h)}) {
        Socket impatient = socket().value();
        impatient.settimeout(timeout).value();
        ScriptedHost raising;
        raising.on_signal = [&] { return true; };
        EXPECT_EQ(impatient.connect(backlog.address(), Call(raising.host())).error(), Error(EINTR));
    }
}
#endif

TEST(Signals, TIME_5_connect_to_a_full_backlog_of_AF_UNIX) {
    const TemporaryDirectory directory;
    const Address path = Address::unix_path(directory.path("a")).value();
    Socket server = socket(AF_UNIX, SOCK_STREAM).value();
    server.bind(path).value();
    server.listen(0).value();
    Socket first = socket(AF_UNIX, SOCK_STREAM).value();
    first.connect(path).value();
    const Signals signals;
    for (const Timeout timeout : {Timeout::none(), Timeout(1h)}) {
        Socket client = socket(AF_UNIX, SOCK_STREAM).value();
        client.settimeout(timeout).value();
        ScriptedHost raising;
        raising.on_signal = [&] { return raising.signals() == 2; };
        EXPECT_EQ(client.connect(path, Call(raising.host())).error(), Error(EINTR));
        ScriptedHost patient;
        Accepted accepted;
        patient.on_signal = [&] {
            if (patient.signals() == 2) accepted = server.accept().value();
            return false;
        };
        EXPECT_TRUE(client.connect(path, Call(patient.host()))) << "once there is room";
        EXPECT_FALSE(accepted.socket.closed());
    }
}

TEST(Signals, TIME_5_poll) {
    const Signals signals;
    Pair pair = tcp_pair();
    Poll poll;
    poll.register_(pair.here, POLLIN, nullptr).value();
    Poll::Event events[1];
    ScriptedHost host;
    until_signals_meet([&](Timeout timeout) {
        EXPECT_EQ(poll.poll(events, 1, timeout, false, Call(host.host())).value(), 0u);
        return host.signals() > 0;
    });
    host.on_signal = [] { return true; };
    EXPECT_EQ(poll.poll(events, 1, Timeout::none(), false, Call(host.host())).error(), Error(EINTR));
    host.on_signal = [&] {
        pair.there.write("x").value();
        return false;
    };
    EXPECT_EQ(poll.poll(events, 1, Timeout::none(), false, Call(host.host())).value(), 1u);
}

// GAI-4: names that the machine knows itself are found so fast that not every signal meets the wait.
TEST(Signals, GAI_4_a_host_that_gives_up_ends_the_wait_for_a_name) {
    const Signals signals(20us);
    ScriptedHost host;
    host.on_signal = [] { return true; };
    const auto end = Clock::now() + 60s;
    while (host.given_up() < 3 && Clock::now() < end) {
        const unsigned before = host.given_up();
        const auto list = getaddrinfo("localhost", 80, AF_INET, SOCK_STREAM, 0, 0, Call(host.host()));
        EXPECT_EQ(list.error(), host.given_up() == before ? Error() : Error(EINTR));
        EXPECT_TRUE(host.is_inside());
    }
    EXPECT_GE(host.given_up(), 3u);
}

}  // namespace
}  // namespace usocket::tests
