// POLL-6: wake() ends a wait, from another thread's or a signal handler's hand, with either poller.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "polling.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

// Whether a wait that nothing ends does end in time, and not before.
bool sleeps(Poll& poll) {
    Event events[1];
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(must(poll.poll(events, Timeout(20ms))), 0u);
    return std::chrono::steady_clock::now() - before >= 20ms;
}

std::size_t wait(Poll& poll) {
    Event events[4];
    return must(poll.poll(events));
}

TEST(PollWake, Poll6BeforeAnythingIsRegistered) {
    Poll poll;
    poll.wake();
    EXPECT_EQ(wait(poll), 0u);
    EXPECT_TRUE(sleeps(poll));
}

TEST(PollWake, Poll6OneEndsOneWait) {
    auto pair = unix_pair();
    Poll poll;
    must(poll.register_(pair.here, POLLIN, nullptr));
    for (int i = 0; i < 3; ++i) poll.wake();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(wait(poll), 0u);
    EXPECT_TRUE(sleeps(poll));
    poll.wake();
    EXPECT_EQ(wait(poll), 0u);
    EXPECT_TRUE(sleeps(poll));
}

TEST(PollWake, Poll6WithATimeoutToo) {
    Poll poll;
    poll.wake();
    Event events[1];
    EXPECT_EQ(must(poll.poll(events, Timeout(1h))), 0u);
    poll.wake();
    EXPECT_EQ(must(poll.poll(events, Timeout::zero())), 0u);
    EXPECT_TRUE(sleeps(poll));
}

TEST(PollWake, Poll6EventsComeFirst) {
    auto pair = unix_pair();
    Poll poll;
    must(poll.register_(pair.here, POLLIN, nullptr));
    must(pair.there.send("x"));
    poll.wake();
    EXPECT_EQ(wait(poll), 1u);
    must(pair.here.recv(1));
    EXPECT_EQ(wait(poll), 0u);
    EXPECT_TRUE(sleeps(poll));
}

TEST(PollWake, Poll6BesideAClosedSocket) {
    auto pair = unix_pair();
    Poll poll;
    must(poll.register_(pair.here, POLLIN, nullptr));
    pair.here.close();
    poll.wake();
    EXPECT_EQ(wait(poll), 1u);
    must(poll.unregister(pair.here));
    EXPECT_EQ(wait(poll), 0u);
    EXPECT_TRUE(sleeps(poll));
}

TEST(PollWake, Poll6GoesWithAPollThatMoves) {
    Poll poll;
    poll.wake();
    Poll moved = std::move(poll);
    EXPECT_EQ(wait(moved), 0u);
    EXPECT_TRUE(sleeps(moved));
    moved.wake();
    Poll assigned;
    assigned = std::move(moved);
    EXPECT_EQ(wait(assigned), 0u);
}

TEST(PollWake, Poll6LeavesErrnoAlone) {
    Poll poll;
    EXPECT_TRUE(sleeps(poll));
    // Until the bell of either poller is full, and further.
    for (int i = 0; i < 70000; ++i) {
        errno = ERANGE;
        poll.wake();
        ASSERT_EQ(errno, ERANGE);
    }
}

TEST(PollWake, Poll6InAChildOfFork) {
    auto pair = unix_pair();
    Poll poll;
    must(poll.register_(pair.here, POLLIN, nullptr));
    EXPECT_TRUE(sleeps(poll));
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        poll.wake();
        ::_exit(wait(poll) == 0 && sleeps(poll) ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_TRUE(sleeps(poll));
}

// A timer whose signal wakes the poll that there is.
class Alarm {
public:
    explicit Alarm(Poll& poll) {
        target = &poll;
        struct sigaction action{};
        action.sa_handler = [](int) { target->wake(); };
        ::sigaction(SIGALRM, &action, &before_);
    }
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;
    ~Alarm() { ::sigaction(SIGALRM, &before_, nullptr); }

    static void in(std::chrono::microseconds span) {
        itimerval timer{};
        timer.it_value.tv_usec = static_cast<suseconds_t>(span.count());
        ::setitimer(ITIMER_REAL, &timer, nullptr);
    }

private:
    static inline Poll* target = nullptr;
    struct sigaction before_{};
};

TEST(PollWake, Poll6ASignalHandlerEndsTheWait) {
    auto pair = unix_pair();
    Poll poll;
    must(poll.register_(pair.here, POLLIN, nullptr));
    const Alarm alarm(poll);
    Alarm::in(20ms);
    EXPECT_EQ(wait(poll), 0u);
    EXPECT_TRUE(sleeps(poll));
}

// Whenever the signal comes: before the wait begins, just before the system sleeps, or while it does.
TEST(PollWake, Poll6ASignalIsNeverTooEarly) {
    auto pair = unix_pair();
    Poll poll;
    must(poll.register_(pair.here, POLLIN, nullptr));
    const Alarm alarm(poll);
    for (int i = 0; i < 2000; ++i) {
        Alarm::in(std::chrono::microseconds(1 + i % 50));
        ASSERT_EQ(wait(poll), 0u);
    }
    EXPECT_TRUE(sleeps(poll));
}

}  // namespace
}  // namespace usocket::tests
