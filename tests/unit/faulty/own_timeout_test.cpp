// TIME-7: SO_RCVTIMEO and SO_SNDTIMEO are how long a call waits while nothing moves, to the nanosecond of the virtual
// clock, on every method, whatever goes on inside it.
#include <sys/time.h>

#include <functional>
#include <optional>
#include <string>

#include "descriptor.hpp"
#include "faulty.hpp"
#include "gtest/gtest.h"
#include "print.hpp"
#include "scripted_host.hpp"
#include "sys/sys.hpp"

namespace usocket::tests {
namespace {

using faulty::Kind;

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t span = 250 * ms;
// Between two bytes of a peer that goes on.
constexpr std::int64_t step = 150 * ms;
// How late a host that looks for signals may begin to count.
constexpr std::int64_t first_look = 5 * ms;

struct Method {
    const char* name;
    bool is_whole;  // a part of what is wanted is not enough
    std::function<Error(Socket&, Call&&)> wait;
};

char memory[100];
const std::string too_much(1'000'000, 'x');

const Method receivers[] = {
    {"recv", false, [](Socket& s, Call&& c) { return s.recv(10, 0, std::move(c)).error(); }},
    {"recvfrom", false, [](Socket& s, Call&& c) { return s.recvfrom(10, 0, std::move(c)).error(); }},
    {"recv all", true, [](Socket& s, Call&& c) { return s.recv(100, MSG_WAITALL, std::move(c)).error(); }},
    {"recvmsg all", true,
     [](Socket& s, Call&& c) { return s.recvmsg(MutableBuffer(memory), {}, MSG_WAITALL, std::move(c)).error(); }},
    {"read", true, [](Socket& s, Call&& c) { return s.read(std::move(c)).error(); }},
    {"read n", true, [](Socket& s, Call&& c) { return s.read(100, std::move(c)).error(); }},
    {"readinto", true, [](Socket& s, Call&& c) { return s.readinto(MutableBuffer(memory), std::move(c)).error(); }},
    {"readline", true, [](Socket& s, Call&& c) { return s.readline(std::move(c)).error(); }},
};
const Method senders[] = {
    {"send", false, [](Socket& s, Call&& c) { return s.send("x", 0, std::move(c)).error(); }},
    {"sendmsg", false,
     [](Socket& s, Call&& c) {
         const ConstBuffer pieces[] = {"x", "y"};
         return s.sendmsg(pieces, {}, 0, nullptr, std::move(c)).error();
     }},
    {"sendall", true, [](Socket& s, Call&& c) { return s.sendall(too_much, 0, std::move(c)).error(); }},
    {"write", true, [](Socket& s, Call&& c) { return s.write(too_much, std::move(c)).error(); }},
    {"sendfile", true,
     [](Socket& s, Call&& c) {
         std::size_t sent = 0;
         return s.sendfile(faulty::add_file(too_much), 0, too_much.size(), sent, std::move(c)).error();
     }},
};

// How the socket is held, and by whom.
enum class Kept { by_threads, alone, exposed, exposed_alone, looking_often, looking_seldom };
std::string name_of(Kept how) {
    static const char* const names[] = {"threads", "alone", "exposed", "exposed_alone", "looks_often", "looks_seldom"};
    return names[static_cast<int>(how)];
}

class OwnTimeout : public ::testing::TestWithParam<std::tuple<int, Kept>> {
protected:
    void begin() {
        connection_ = {};
        host_.reset();
        faulty::set_single_threaded(false);
        faulty::reset(1);
        connection_ = faulty::connect_pair(std::get<0>(GetParam()), SOCK_STREAM);
        const timeval own{0, span / 1000};
        for (const int name : {SO_RCVTIMEO, SO_SNDTIMEO}) socket().setsockopt(SOL_SOCKET, name, own).value();
        const Kept how = std::get<1>(GetParam());
        if (how == Kept::exposed || how == Kept::exposed_alone) (void)socket().fileno();
        if (how == Kept::looking_often || how == Kept::looking_seldom) {
            host_.emplace();
            host_->notes_signals(how == Kept::looking_often ? Looks::often : Looks::seldom);
        }
        faulty::set_single_threaded(how == Kept::alone || how == Kept::exposed_alone);
        start_ = faulty::now();
    }
    void TearDown() override { faulty::set_single_threaded(false); }

    // It ends so long after something has moved for the last time.
    void expect_end(const Method& method, std::int64_t last_move) {
        SCOPED_TRACE(method.name);
        EXPECT_EQ(method.wait(socket(), host_ ? Call(host_->host()) : Call()), Error(EAGAIN));
        const std::int64_t late = faulty::now() - (start_ + last_move + span);
        EXPECT_GE(late, 0);
        EXPECT_LE(late, host_ ? first_look : 0);
    }
    // What a peer does three times.
    std::int64_t three_times(std::function<void()> act) {
        for (int i = 1; i <= 3; ++i) faulty::at(start_ + i * step, act);
        return 3 * step;
    }
    Socket& socket() { return connection_.socket; }
    faulty::Peer& peer() { return connection_.peer; }

    faulty::Connection connection_;
    std::optional<ScriptedHost> host_;
    std::int64_t start_ = 0;
};
INSTANTIATE_TEST_SUITE_P(OwnTimeout, OwnTimeout,
                         ::testing::Combine(::testing::Values(AF_INET, AF_UNIX),
                                            ::testing::Values(Kept::by_threads, Kept::alone, Kept::exposed,
                                                              Kept::exposed_alone, Kept::looking_often,
                                                              Kept::looking_seldom)),
                         [](const auto& one) {
                             return (std::get<0>(one.param) == AF_INET ? "tcp_" : "unix_") +
                                    name_of(std::get<1>(one.param));
                         });

TEST_P(OwnTimeout, TIME_7_nothing_comes) {
    for (const Method& method : receivers) {
        begin();
        expect_end(method, 0);
    }
}

TEST_P(OwnTimeout, TIME_7_TIME_6_a_part_that_is_there_does_not_double_it) {
    for (const Method& method : receivers) {
        if (!method.is_whole) continue;
        begin();
        peer().feed("abc");
        expect_end(method, 0);
        faulty::set_single_threaded(false);
        EXPECT_EQ(socket().recv(100)->view(), "abc") << method.name;
    }
}

TEST_P(OwnTimeout, TIME_7_each_byte_that_comes_begins_it_anew) {
    for (const Method& method : receivers) {
        if (!method.is_whole) continue;
        begin();
        expect_end(method, three_times([this] { peer().feed("x"); }));
        faulty::set_single_threaded(false);
        EXPECT_EQ(socket().recv(100)->view(), "xxx") << method.name;
    }
}

TEST_P(OwnTimeout, TIME_7_a_peer_that_takes_nothing) {
    for (const Method& method : senders) {
        begin();
        peer().set_room(0);
        expect_end(method, 0);
    }
}

TEST_P(OwnTimeout, TIME_7_a_part_that_went_out_does_not_double_it) {
    for (const Method& method : senders) {
        if (!method.is_whole) continue;
        begin();
        peer().set_room(10);
        expect_end(method, 0);
        EXPECT_EQ(peer().arrived(), 10u) << method.name;
    }
}

TEST_P(OwnTimeout, TIME_7_each_byte_that_goes_out_begins_it_anew) {
    for (const Method& method : senders) {
        if (!method.is_whole) continue;
        begin();
        peer().set_room(10);
        expect_end(method, three_times([this] { (void)peer().take(); }));
    }
}

TEST_P(OwnTimeout, TIME_7_TIME_5_signals_do_not_begin_it_anew) {
    for (const Method& method : receivers) {
        SCOPED_TRACE(method.name);
        begin();
        faulty::Faults faults;
        faults[Kind::interrupt] = 500;
        faults[Kind::spurious] = 200;
        faults[Kind::again] = 200;
        faulty::set_faults(faults);
        EXPECT_EQ(method.wait(socket(), host_ ? Call(host_->host()) : Call()), Error(EAGAIN));
        // The first call of the system's may be interrupted late.
        EXPECT_GE(faulty::now(), start_ + span);
        EXPECT_LT(faulty::now(), start_ + 2 * span);
    }
}

TEST_P(OwnTimeout, TIME_7_a_timeout_of_the_sockets_own_goes_before_it) {
    for (const Method& method : receivers) {
        begin();
        socket().settimeout(Timeout::of_nanoseconds(2 * span)).value();
        EXPECT_EQ(method.wait(socket(), host_ ? Call(host_->host()) : Call()), Error(ETIMEDOUT)) << method.name;
        EXPECT_EQ(faulty::now(), start_ + 2 * span) << method.name;
    }
}

TEST_P(OwnTimeout, TIME_7_once_it_is_taken_back_nothing_ends_the_wait) {
    begin();
    socket().setsockopt(SOL_SOCKET, SO_RCVTIMEO, timeval{}).value();
    socket().setsockopt(SOL_SOCKET, SO_SNDTIMEO, timeval{}).value();
    faulty::at(start_ + 3 * span, [this] { peer().feed("line\n"); });
    EXPECT_EQ(socket().readline(host_ ? Call(host_->host()) : Call())->view(), "line\n");
}

// By the descriptor's number: no call asks for it before it has slept, so the first may not know.
TEST_P(OwnTimeout, TIME_7_one_set_behind_the_sockets_back_is_known_after_a_call) {
    begin();
    socket().setsockopt(SOL_SOCKET, SO_RCVTIMEO, timeval{}).value();
    socket().setsockopt(SOL_SOCKET, SO_SNDTIMEO, timeval{}).value();
    const timeval own{0, span / 1000};
    sys::setsockopt(hidden_fileno(socket()), SOL_SOCKET, SO_SNDTIMEO, {&own, sizeof own}).value();
    peer().set_room(10);
    for (const std::int64_t longest : {2 * span, span + first_look}) {
        start_ = faulty::now();
        EXPECT_EQ(socket().write(too_much).error(), Error(EAGAIN));
        EXPECT_LE(faulty::now(), start_ + longest);
        (void)peer().take();
    }
}

TEST(OwnTimeoutOfListener, TIME_7_what_a_listener_hands_on_is_known_too) {
    faulty::reset(1);
    Socket server = Socket::open().value();
    server.bind(Address::inet(AF_INET, "127.0.0.1", 80).value()).value();
    server.listen().value();
    server.setsockopt(SOL_SOCKET, SO_RCVTIMEO, timeval{0, span / 1000}).value();
    Socket client = Socket::open().value();
    client.connect(server.getsockname().value()).value();
    Socket conn = std::move(server.accept().value().socket);
    // As Linux does for TCP.
    const timeval own{0, span / 1000};
    sys::setsockopt(hidden_fileno(conn), SOL_SOCKET, SO_RCVTIMEO, {&own, sizeof own}).value();
    client.write("abc").value();
    const std::int64_t start = faulty::now();
    EXPECT_EQ(conn.read(10).error(), Error(EAGAIN));
    EXPECT_EQ(faulty::now(), start + span);
    EXPECT_EQ(server.accept().error(), Error(EAGAIN));
    EXPECT_EQ(faulty::now(), start + 2 * span);
}

}  // namespace
}  // namespace usocket::tests
