// POLL-6 TIME-5: a signal handler that longjmps out of a poll, or out of a change to it, leaves it as good as new.
#include <csetjmp>
#include <string>

#include "faulty.hpp"
#include "gtest/gtest.h"
#include "print.hpp"
#include "scripted_host.hpp"

namespace usocket::tests {
namespace {

class PollJumped : public ::testing::Test {
protected:
    void SetUp() override {
        connection_ = {};
        faulty::reset(1);
        connection_ = faulty::connect_pair(AF_INET, SOCK_STREAM);
        other_ = faulty::connect_pair(AF_INET, SOCK_STREAM);
        poll_.register_(connection_.socket, POLLIN).value();
    }
    void TearDown() override {
        poll_ = Poll();
        connection_ = {};
        other_ = {};
        EXPECT_EQ(faulty::live_blocks(), 0u);
        EXPECT_EQ(faulty::open_descriptors(), 0u);
    }
    // False: it came back by itself.
    template <class Body> bool jumps_out_of(unsigned calls, bool after, Body body) {
        faulty::arm_jump(target_, calls, after);
        const bool jumped = run(body);
        faulty::disarm_jump();
        return jumped;
    }
    template <class Body> bool run(Body& body) {
        if (setjmp(target_) != 0) return true;
        body();
        return false;
    }
    // The lock is free, and whoever waits is told.
    void expect_as_good_as_new(const std::string& what) {
        Poll::Event events[4];
        connection_.peer.feed("x");
        EXPECT_EQ(poll_.poll(events, Timeout::zero()).value(), 1u) << what;
        EXPECT_EQ(events[0].events, unsigned{POLLIN}) << what;
        (void)connection_.socket.recv(1).value();
        EXPECT_EQ(poll_.poll(events, Timeout::zero()).value(), 0u) << what;
        faulty::at(faulty::now() + 1'000'000, [&] { poll_.wake(); });
        EXPECT_EQ(poll_.poll(events).value(), 0u) << what;
        poll_.register_(other_.socket, POLLOUT).value();
        EXPECT_EQ(poll_.poll(events).value(), 1u) << what;
        poll_.unregister(other_.socket).value();
        EXPECT_EQ(poll_.size(), 1u) << what;
    }

    ScriptedHost host_{true};
    faulty::Connection connection_, other_;
    std::jmp_buf target_{};
    Poll poll_;
};

TEST_F(PollJumped, Poll6OutOfAWait) {
    unsigned jumps = 0;
    for (unsigned calls = 0; calls < 12; ++calls) {
        for (const bool after : {false, true}) {
            connection_.peer.feed("y");
            const bool jumped = jumps_out_of(calls, after, [&] {
                Poll::Event events[4];
                poll_.wake();  // so that the bell is hushed as well
                for (int i = 0; i < 2; ++i) (void)poll_.poll(events, 4, Timeout::zero(), false, Call(host_.host()));
            });
            jumps += jumped ? 1 : 0;
            (void)connection_.socket.recv(1).value();
            Poll::Event events[4];
            (void)poll_.poll(events, Timeout::zero());  // a wake that is left
            expect_as_good_as_new("after " + std::to_string(calls) + (after ? ", after" : ", before"));
        }
    }
    EXPECT_GE(jumps, 6u);
}

TEST_F(PollJumped, Poll6OutOfAChange) {
    unsigned jumps = 0;
    for (unsigned calls = 0; calls < 8; ++calls) {
        const bool jumped = jumps_out_of(calls, false, [&] {
            (void)poll_.register_(other_.socket, POLLIN);
            (void)poll_.modify(other_.socket, POLLOUT);
            (void)poll_.unregister(other_.socket);
        });
        jumps += jumped ? 1 : 0;
        (void)poll_.unregister(other_.socket);
        expect_as_good_as_new("after " + std::to_string(calls));
    }
    EXPECT_GE(jumps, 3u);
}

// TIME-5: a host that only notes its signals is asked now and then, so that one which comes just before the system
// sleeps ends the wait too.
TEST(PollLooks, Time5ForSignalsThatTheHostNotes) {
    faulty::reset(1);
    ScriptedHost host;
    host.notes_signals();
    unsigned looks = 0;
    host.on_signal = [&] { return ++looks == 3; };
    Poll poll;
    Poll::Event events[1];
    const std::int64_t before = faulty::now();
    EXPECT_EQ(poll.poll(events, 1, Timeout::none(), false, Call(host.host())).error(), Error(EINTR));
    EXPECT_EQ(looks, 3u);
    EXPECT_LT(faulty::now() - before, 1'000'000'000);
}

// TIME-5: what a wait has found is returned, and the host then runs its handlers by itself; a one-shot report, which
// does not come again, waits for them.
TEST(PollLooks, Time5AfterWhatIsReady) {
    faulty::reset(1);
    ScriptedHost host;
    host.notes_signals();
    host.on_signal = [] { return true; };
    faulty::Connection connection = faulty::connect_pair(AF_INET, SOCK_STREAM);
    connection.peer.feed("x");
    Poll poll;
    poll.register_(connection.socket, POLLIN).value();
    Poll::Event events[1];
    const auto wait = [&](bool one_shot) { return poll.poll(events, 1, Timeout::none(), one_shot, Call(host.host())); };
    EXPECT_EQ(wait(false).value_or(0), 1u);
    EXPECT_EQ(host.signals(), 0u);
    EXPECT_EQ(wait(true).error(), Error(EINTR));
    host.on_signal = nullptr;
    EXPECT_EQ(wait(true).value_or(0), 1u);
}

}  // namespace
}  // namespace usocket::tests
