// POLL-7: descriptors that are closed behind a poll's back, and numbers that are handed out anew, with either poller.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <vector>

#include "polling.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

constexpr unsigned gone = POLLHUP | POLLNVAL;

// How often the thread has been asleep.
long naps() {
    rusage usage{};
    ::getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nvcsw;
}

// How often the thread sleeps in a wait for nothing: in the first of up to five that `is_right` takes, else in the
// last. Whoever spins, or wakes up to look, does so in each; a busy machine adds a nap now and then, or leaves no time
// for one.
template <class IsRight> long naps_in_a_wait(Poll& poll, Timeout span, IsRight is_right) {
    long count = -1;
    for (int i = 0; i < 5 && !is_right(count); ++i) {
        Event events[4];
        const long before = naps();
        EXPECT_EQ(must(poll.poll(events, span)), 0u);
        count = naps() - before;
    }
    return count;
}

// A pipe with a byte in it, whose read end is registered and then closed while a duplicate of it lives on.
class StaleDuplicate : public ::testing::Test {
protected:
    void SetUp() override {
        must(poll_.register_(number_, POLLIN, tag(1)));
        ASSERT_EQ(::write(pipe_.write_end(), "x", 1), 1);
        ASSERT_EQ(events_now(poll_), unsigned{POLLIN});
        duplicate_ = ::dup(number_);
        pipe_.close_read();
    }
    void TearDown() override { ::close(duplicate_); }
    // Another pipe, whose read end has the number now.
    void reuse_number() {
        fresh_ends_[0] = fresh_.read_end();
        if (fresh_ends_[0] != number_) {
            ASSERT_EQ(::dup2(fresh_.read_end(), number_), number_);
            reused_by_hand_ = true;
        }
    }
    ~StaleDuplicate() override {
        if (reused_by_hand_) ::close(number_);
    }

    Pipe pipe_;
    Pipe fresh_;
    const int number_ = pipe_.read_end();
    int fresh_ends_[1] = {-1};
    int duplicate_ = -1;
    bool reused_by_hand_ = false;
    Poll poll_;
};

TEST_F(StaleDuplicate, Poll7ItsFileIsNotReportedForIt) {
    EXPECT_EQ(events_now(poll_), gone);
    EXPECT_EQ(events_now(poll_), gone) << "until it is unregistered";
}

TEST_F(StaleDuplicate, Poll7NorForANewFileWithItsNumber) {
    reuse_number();
    ASSERT_EQ(::write(fresh_.write_end(), "y", 1), 1);
    const auto events = ready_now(poll_);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].events, gone);
    EXPECT_EQ(events[0].fd, -1);
    EXPECT_EQ(events[0].userdata, tag(1));
}

TEST_F(StaleDuplicate, Poll7NorAmongOthersThatAreReady) {
    reuse_number();
    ASSERT_EQ(::write(fresh_.write_end(), "y", 1), 1);
    auto pair = unix_pair();
    must(poll_.register_(pair.here, POLLOUT, tag(3)));
    const auto events = ready_now(poll_);
    ASSERT_EQ(events.size(), 2u);
    for (const Event& event : events) EXPECT_EQ(event.events, event.userdata == tag(1) ? gone : unsigned{POLLOUT});
}

TEST_F(StaleDuplicate, Poll7NorInOneShotMode) {
    Event events[2];
    ASSERT_EQ(must(poll_.poll(events, Timeout::zero(), true)), 1u);
    EXPECT_EQ(events[0].events, gone);
    EXPECT_EQ(must(poll_.poll(events, Timeout(10ms), true)), 0u);
}

TEST_F(StaleDuplicate, Poll7UnregisteredItDoesNotSpin) {
    must(poll_.unregister(number_));
    EXPECT_GE(naps_in_a_wait(poll_, 100ms, [](long count) { return count >= 1; }), 1) << "it has not slept";
}

TEST_F(StaleDuplicate, Poll7ANewFileWithTheNumberIsNotReadable) {
    must(poll_.unregister(number_));
    reuse_number();
    must(poll_.register_(number_, POLLIN, tag(2)));
    EXPECT_TRUE(ready_now(poll_).empty());
    ASSERT_EQ(::write(fresh_.write_end(), "y", 1), 1);
    const auto events = ready_now(poll_);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].userdata, tag(2));
}

TEST_F(StaleDuplicate, Poll7BothRegisteredEachIsReportedForItself) {
    reuse_number();
    must(poll_.register_another(number_, POLLIN, tag(2)));
    auto events = ready_now(poll_);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].userdata, tag(1));
    EXPECT_EQ(events[0].events, gone);
    EXPECT_EQ(events[0].fd, -1);
    poll_.unregister(events[0].registration);
    EXPECT_TRUE(ready_now(poll_).empty());
    ASSERT_EQ(::write(fresh_.write_end(), "y", 1), 1);
    events = ready_now(poll_);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].userdata, tag(2));
}

TEST_F(StaleDuplicate, Poll7RegisteredAgainItIsTheNewFile) {
    reuse_number();
    must(poll_.register_(number_, POLLIN, tag(2)));
    EXPECT_EQ(poll_.size(), 1u);
    EXPECT_TRUE(ready_now(poll_).empty());
    ASSERT_EQ(::write(fresh_.write_end(), "y", 1), 1);
    const auto events = ready_now(poll_);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].userdata, tag(2));
    EXPECT_EQ(events[0].fd, number_);
}

TEST_F(StaleDuplicate, Poll7AnotherThatIsGoneTooIsNotTakenForTheNewFile) {
    reuse_number();
    Pipe quiet;
    const int number = quiet.read_end();
    must(poll_.register_(number, POLLIN, tag(2)));
    const int quiet_duplicate = ::dup(number);
    ASSERT_EQ(::write(fresh_.write_end(), "y", 1), 1);
    ASSERT_EQ(::dup2(fresh_.read_end(), number), number);
    must(poll_.unregister(number_));
    for (int i = 0; i < 3; ++i) {
        for (const Event& event : ready_now(poll_)) EXPECT_EQ(event.events, gone);
    }
    ::close(quiet_duplicate);
}

TEST_F(StaleDuplicate, Poll7WhatElseIsRegisteredStays) {
    auto pair = unix_pair();
    must(poll_.register_(pair.here, POLLIN, tag(3)));
    must(poll_.unregister(number_));
    EXPECT_TRUE(ready_now(poll_).empty());
    must(pair.there.send("x"));
    const auto events = ready_now(poll_);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].userdata, tag(3));
}

TEST_F(StaleDuplicate, Poll7ModifyFindsOut) {
    reuse_number();
    EXPECT_EQ(poll_.modify(number_, POLLOUT).error(), Error(EBADF));
    EXPECT_EQ(events_now(poll_), gone);
    must(poll_.unregister(number_));
    EXPECT_EQ(poll_.size(), 0u);
    EXPECT_TRUE(ready_now(poll_).empty());
}

TEST_F(StaleDuplicate, Poll7SpentAndReused) {
    must(poll_.register_(duplicate_, 0, tag(2)));
    Event events[4];
    ASSERT_EQ(must(poll_.poll(events, Timeout::zero(), true)), 1u);
    reuse_number();
    ASSERT_EQ(::write(fresh_.write_end(), "y", 1), 1);
    EXPECT_EQ(poll_.modify(number_, POLLIN).error(), Error(EBADF));
    const auto ready = ready_now(poll_);
    ASSERT_EQ(ready.size(), 1u);
    EXPECT_EQ(ready[0].events, gone);
}

// --- Without a duplicate: the system says nothing, so the wait has to look

TEST(PollGone, Poll7ClosedBeforeTheWait) {
    Pipe pipe;
    Poll poll;
    must(poll.register_(pipe.read_end(), POLLIN, tag(1)));
    EXPECT_TRUE(ready_now(poll).empty());
    pipe.close_read();
    Event events[2];
    ASSERT_EQ(must(poll.poll(events, Timeout(10s))), 1u);
    EXPECT_EQ(events[0].events, gone);
    EXPECT_EQ(events[0].fd, -1);
    EXPECT_EQ(events[0].userdata, tag(1));
    ASSERT_EQ(must(poll.poll(events)), 1u) << "until it is unregistered";
    poll.unregister(events[0].registration);
    EXPECT_TRUE(ready_now(poll).empty());
}

TEST(PollGone, Poll7ShortWaitsLookToo) {
    Pipe pipe;
    auto pair = unix_pair();
    Poll poll;
    must(poll.register_(pipe.read_end(), POLLIN));
    must(poll.register_(pair.here.fileno(), POLLIN));
    pipe.close_read();
    std::size_t count = 0;
    Event events[2];
    for (int i = 0; i < 10 && count == 0; ++i) count = must(poll.poll(events, Timeout(1ms)));
    ASSERT_EQ(count, 1u);
    EXPECT_EQ(events[0].events, gone);
}

TEST(PollGone, Poll7ItsNumberIsSomebodyElses) {
    Pipe pipe;
    Poll poll;
    must(poll.register_(pipe.read_end(), POLLIN, tag(1)));
    auto pair = unix_pair();
    must(pair.there.send("x"));
    ASSERT_EQ(::dup2(pair.here.fileno(), pipe.read_end()), pipe.read_end());
    Event events[2];
    ASSERT_EQ(must(poll.poll(events, Timeout(10s))), 1u);
    EXPECT_EQ(events[0].events, gone);
    EXPECT_EQ(events[0].userdata, tag(1));
}

TEST(PollGone, Poll7UnregisteredByNumber) {
    Pipe pipe;
    const int number = pipe.read_end();
    Poll poll;
    must(poll.register_(number, POLLIN));
    pipe.close_read();
    Event events[2];
    ASSERT_EQ(must(poll.poll(events, Timeout(10s), true)), 1u);
    must(poll.unregister(number));
    EXPECT_EQ(poll.size(), 0u);
    EXPECT_EQ(poll.unregister(number).error(), Error(ENOENT));
}

TEST(PollGone, Poll7ASocketWhoseNumberWasGivenOut) {
    auto pair = unix_pair();
    const int number = pair.here.fileno();
    Poll poll;
    must(poll.register_(pair.here, POLLIN, tag(1)));
    ::close(number);
    Event events[2];
    ASSERT_EQ(must(poll.poll(events, Timeout(10s))), 1u);
    EXPECT_EQ(events[0].events, gone);
    must(poll.unregister(pair.here));
    EXPECT_EQ(poll.size(), 0u);
    (void)must(pair.here.detach());  // it has no descriptor to close
}

TEST(PollGone, Poll7ASocketWhoseNumberIsGivenOutOnceItIsRegistered) {
    auto pair = unix_pair();
    Poll poll;
    must(poll.register_(pair.here, POLLIN, tag(1)));
    ::close(pair.here.fileno());
    Event events[2];
    ASSERT_EQ(must(poll.poll(events, Timeout(5s))), 1u);
    EXPECT_EQ(events[0].events, gone);
    EXPECT_EQ(events[0].userdata, tag(1));
    poll.unregister(events[0].registration);
    EXPECT_EQ(poll.size(), 0u);
    (void)must(pair.here.detach());  // it has no descriptor to close
}

TEST(PollGone, Poll7AFileThatIsAlwaysReady) {
    const int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    ASSERT_GE(file, 0);
    Poll poll;
    must(poll.register_(file, POLLIN, tag(1)));
    EXPECT_EQ(events_now(poll), unsigned{POLLIN});
    Pipe pipe;
    ASSERT_EQ(::write(pipe.write_end(), "x", 1), 1);
    ASSERT_EQ(::dup2(pipe.read_end(), file), file);
    EXPECT_EQ(events_now(poll), gone);
    ::close(file);
    EXPECT_EQ(events_now(poll), gone);
}

TEST(PollGone, Poll7AmongManyTheyAreFoundInTurn) {
    Poll poll;
    std::vector<std::unique_ptr<Pipe>> pipes;
    for (int i = 0; i < 200; ++i) {
        pipes.push_back(std::make_unique<Pipe>());
        must(poll.register_(pipes.back()->read_end(), POLLIN, pipes.back().get()));
    }
    pipes[170]->close_read();
    Event events[2];
    ASSERT_EQ(must(poll.poll(events, Timeout(20s))), 1u);
    EXPECT_EQ(events[0].userdata, pipes[170].get());
}

TEST(PollGone, Poll7NobodyLooksForSocketsOfOurOwn) {
    auto pair = unix_pair();
    Poll poll;
    must(poll.register_(pair.here, POLLIN, nullptr));
    const auto is_one = [](long count) { return count == 1; };
    EXPECT_EQ(naps_in_a_wait(poll, 500ms, is_one), 1) << "it was woken up in between";
    Pipe pipe;
    must(poll.register_(pipe.read_end(), POLLIN));
    must(poll.unregister(pipe.read_end()));
    EXPECT_TRUE(ready_now(poll).empty());
    EXPECT_EQ(naps_in_a_wait(poll, 500ms, is_one), 1) << "nor when descriptors have come and gone";
}

}  // namespace
}  // namespace usocket::tests
