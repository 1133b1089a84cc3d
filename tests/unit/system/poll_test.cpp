// POLL-1 POLL-2 POLL-3 POLL-4 POLL-5: polling sockets and descriptors of the system, with either poller.
#include "usocket/poll.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <latch>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "background.hpp"
#include "descriptor.hpp"
#include "loopback.hpp"
#include "polling.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

// On TCP and on AF_UNIX.
class PollStream : public ::testing::TestWithParam<const char*> {
protected:
    Pair pair_ = std::string(GetParam()) == "tcp" ? tcp_pair() : unix_pair();
    Poll poll_;
};
INSTANTIATE_TEST_SUITE_P(Families, PollStream, ::testing::Values("tcp", "unix"),
                         [](const auto& one) { return std::string(one.param); });

// --- POLL-1: register, modify, unregister

TEST(Poll1, RegisterWithoutMaskIsInAndOut) {
    auto pair = unix_pair();
    Poll poll;
    must(poll.register_(pair.here));
    EXPECT_EQ(events_now(poll), unsigned{POLLOUT});
    must(pair.there.send("x"));
    EXPECT_EQ(events_now(poll), unsigned{POLLIN | POLLOUT});
    EXPECT_EQ(poll.size(), 1u);
}

TEST(Poll1, EventNamesWhatWasRegistered) {
    auto pair = unix_pair();
    Poll poll;
    Registration* registration = must(poll.register_(pair.here, POLLOUT, tag(7)));
    const auto events = ready_now(poll);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].fd, hidden_fileno(pair.here));
    EXPECT_EQ(events[0].userdata, tag(7));
    EXPECT_EQ(events[0].registration, registration);
}

TEST(Poll1, RegisteringAgainChangesMaskAndUserdata) {
    auto pair = unix_pair();
    Poll poll;
    Registration* first = must(poll.register_(pair.here, POLLIN, tag(1)));
    Registration* again = must(poll.register_(pair.here, POLLOUT, tag(2)));
    EXPECT_EQ(first, again);
    EXPECT_EQ(poll.size(), 1u);
    const auto events = ready_now(poll);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].events, unsigned{POLLOUT});
    EXPECT_EQ(events[0].userdata, tag(2));
}

TEST(Poll1, RegisteringADescriptorAgainChangesMaskAndUserdata) {
    Pipe pipe;
    Poll poll;
    Registration* first = must(poll.register_(pipe.write_end(), 0, tag(1)));
    EXPECT_TRUE(ready_now(poll).empty());
    EXPECT_EQ(must(poll.register_(pipe.write_end(), POLLOUT, tag(2))), first);
    const auto events = ready_now(poll);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].userdata, tag(2));
}

TEST(Poll1, ModifyChangesTheMaskOnly) {
    auto pair = unix_pair();
    Poll poll;
    Registration* registration = must(poll.register_(pair.here, POLLIN, tag(1)));
    must(poll.modify(pair.here, POLLOUT));
    auto events = ready_now(poll);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].userdata, tag(1));
    must(poll.modify(registration, 0));
    EXPECT_TRUE(ready_now(poll).empty());
}

TEST(Poll1, UnregisteredIsNotReported) {
    auto pair = unix_pair();
    Pipe pipe;
    Poll poll;
    must(poll.register_(pair.here));
    must(poll.register_(pipe.write_end(), POLLOUT));
    EXPECT_EQ(ready_now(poll).size(), 2u);
    must(poll.unregister(pair.here));
    EXPECT_EQ(ready_now(poll).size(), 1u);
    must(poll.unregister(pipe.write_end()));
    EXPECT_TRUE(ready_now(poll).empty());
    EXPECT_EQ(poll.size(), 0u);
}

TEST(Poll1, SeparateRegistrationsOfOneDescriptor) {
    Pipe pipe;
    Poll poll;
    must(poll.register_(pipe.write_end(), POLLOUT, tag(1)));
    Registration* another = must(poll.register_another(pipe.write_end(), POLLOUT, tag(2)));
    auto events = ready_now(poll);
    ASSERT_EQ(events.size(), 2u);
    EXPECT_NE(events[0].userdata, events[1].userdata);
    must(poll.modify(another, 0));
    events = ready_now(poll);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].userdata, tag(1));
    poll.unregister(another);
    EXPECT_EQ(ready_now(poll).size(), 1u);
}

TEST(Poll1, ASocketAndItsDescriptorAreTwoRegistrations) {
    auto pair = unix_pair();
    Poll poll;
    must(poll.register_(pair.here, POLLOUT, tag(1)));
    must(poll.register_(hidden_fileno(pair.here), POLLOUT, tag(2)));
    EXPECT_EQ(poll.size(), 2u);
    EXPECT_EQ(ready_now(poll).size(), 2u);
    must(poll.unregister(pair.here));
    const auto events = ready_now(poll);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].userdata, tag(2));
}

TEST(Poll1, TwoPollsWatchOneSocket) {
    auto pair = unix_pair();
    Poll first, second;
    must(first.register_(pair.here, POLLOUT, tag(1)));
    must(second.register_(pair.here, POLLIN, tag(2)));
    EXPECT_EQ(ready_now(first).size(), 1u);
    EXPECT_TRUE(ready_now(second).empty());
    must(first.unregister(pair.here));
    must(pair.there.send("x"));
    EXPECT_TRUE(ready_now(first).empty());
    EXPECT_EQ(ready_now(second).size(), 1u);
}

TEST(Poll1, EmptyOnTimeout) {
    auto pair = unix_pair();
    Poll poll;
    Event events[4];
    EXPECT_EQ(must(poll.poll(events, Timeout(5ms))), 0u);  // nothing registered at all
    must(poll.register_(pair.here, POLLIN, nullptr));
    EXPECT_EQ(must(poll.poll(events, Timeout::zero())), 0u);
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(must(poll.poll(events, Timeout(30ms))), 0u);
    EXPECT_GE(std::chrono::steady_clock::now() - before, 30ms);
    EXPECT_EQ(must(poll.poll(events, Timeout::of_nanoseconds(1))), 0u);
}

TEST(Poll1, NoRoomForEvents) {
    auto pair = unix_pair();
    Poll poll;
    must(poll.register_(pair.here));
    EXPECT_EQ(poll.poll(nullptr, 0).error(), Error(Fault::no_room));
    EXPECT_EQ(poll.poll(std::span<Event>(), Timeout(5ms)).error(), Error(Fault::no_room));
    EXPECT_EQ(Error(Fault::no_room).code(), EINVAL);
}

TEST(Poll1, WaitEndsWhenSomethingArrives) {
    auto pair = tcp_pair();
    Poll poll;
    must(poll.register_(pair.here, POLLIN, nullptr));
    Event events[4];
    std::size_t count = 0;
    Background waiter([&] { count = must(poll.poll(events)); });
    waiter.await_asleep();
    must(pair.there.send("x"));
    waiter.join();
    ASSERT_EQ(count, 1u);
    EXPECT_EQ(events[0].events, unsigned{POLLIN});
}

TEST(Poll1, OneShotReportsOnceUntilTheNextMask) {
    auto pair = unix_pair();
    Poll poll;
    must(poll.register_(pair.here, POLLOUT, nullptr));
    Event events[4];
    EXPECT_EQ(must(poll.poll(events, Timeout::zero(), true)), 1u);
    EXPECT_EQ(must(poll.poll(events, Timeout::zero(), true)), 0u);
    must(poll.modify(pair.here, POLLOUT));
    EXPECT_EQ(must(poll.poll(events, Timeout::zero(), true)), 1u);
    must(poll.register_(pair.here));
    EXPECT_EQ(must(poll.poll(events, Timeout::zero(), true)), 1u);
}

// POLL-1, POLL-3: as modify(obj, 0) would have it, but each once.
TEST(Poll1, OneShotStillTellsOfTheEndOnce) {
    for (const bool is_one_shot : {true, false}) {
        auto pair = unix_pair();
        Poll poll;
        must(poll.register_(pair.here, POLLIN | POLLOUT, nullptr));
        Event events[4];
        EXPECT_EQ(must(poll.poll(events, Timeout::zero(), true)), 1u);
        must(pair.there.send("x"));
        EXPECT_EQ(must(poll.poll(events, Timeout::zero(), is_one_shot)), 0u);
        pair.there.close();
        ASSERT_EQ(must(poll.poll(events, Timeout::none(), is_one_shot)), 1u);
        EXPECT_EQ(events[0].events, unsigned{POLLHUP});
        EXPECT_EQ(must(poll.poll(events, Timeout(1ms), is_one_shot)), 0u);
        pair.here.close();
        ASSERT_EQ(must(poll.poll(events, Timeout::none(), is_one_shot)), 1u);
        EXPECT_EQ(events[0].events, unsigned{POLLHUP | POLLNVAL}) << "its own close, not the peer's that was told";
        EXPECT_EQ(must(poll.poll(events, Timeout(1ms), is_one_shot)), 0u);
        must(poll.modify(pair.here, 0));
        EXPECT_EQ(must(poll.poll(events, Timeout::zero(), is_one_shot)), 1u);
    }
}

TEST(Poll1, OneShotTellsWhoeverIsBesideNoLess) {
    const Pipe pipe;
    Poll poll;
    Registration* const first = must(poll.register_another(pipe.write_end(), POLLOUT, tag(1)));
    must(poll.register_another(pipe.write_end(), 0, tag(2)));
    Event events[4];
    ASSERT_EQ(must(poll.poll(events, Timeout::zero(), true)), 1u);
    EXPECT_EQ(events[0].registration, first);
    ::close(pipe.read_end());
    EXPECT_EQ(must(poll.poll(events, Timeout::zero(), true)), 2u) << "POLLERR";
    EXPECT_EQ(must(poll.poll(events, Timeout::zero())), 0u);
}

// POLL-6: at its limit a server must still hear of what ends, so that it gets descriptors back.
TEST(Poll6, WithoutADescriptorForItsBellItStillWaits) {
    auto pair = unix_pair();
    Poll poll;
    must(poll.register_(pair.here, POLLIN, nullptr));
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const int lowest_free = ::dup(0);
    ::close(lowest_free);
    const rlimit no_more{static_cast<rlim_t>(lowest_free), before.rlim_max};
    Event events[4];
    std::size_t first = 0, second = 0;
    // They run before and end after: UBSan needs descriptors to look at a thread's objects.
    std::latch both_run{2}, may_send{1}, may_close{1}, may_end{1};
    Background sender([&] {
        both_run.count_down();
        may_send.wait();
        must(pair.there.send("x"));
        may_end.wait();
    });
    Background closer([&] {
        both_run.count_down();
        may_close.wait();
        pair.here.close();
        may_end.wait();
    });
    both_run.wait();
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &no_more), 0);
    const auto over = poll.poll(events, Timeout(1ms));
    may_send.count_down();
    const auto sent = poll.poll(events, Timeout::none());
    first = events[0].events;
    must(poll.modify(pair.here, 0));
    may_close.count_down();
    const auto closed = poll.poll(events, Timeout::none());
    second = events[0].events;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    may_end.count_down();
    EXPECT_EQ(must(over), 0u);
    EXPECT_EQ(must(sent), 1u);
    EXPECT_EQ(first, unsigned{POLLIN});
    EXPECT_EQ(must(closed), 1u);
    EXPECT_EQ(second, unsigned{POLLHUP | POLLNVAL});
}

TEST(Poll1, OneShotSpendsOnlyWhatIsReturned) {
    auto first = unix_pair();
    auto second = unix_pair();
    Poll poll;
    must(poll.register_(first.here, POLLOUT, nullptr));
    must(poll.register_(second.here, POLLOUT, nullptr));
    std::set<int> seen;
    Event events[1];
    for (int i = 0; i < 2; ++i) {
        ASSERT_EQ(must(poll.poll(events, Timeout::zero(), true)), 1u);
        seen.insert(events[0].fd);
    }
    EXPECT_EQ(seen.size(), 2u);
    EXPECT_EQ(must(poll.poll(events, Timeout::zero(), true)), 0u);
}

TEST(Poll1, MovedPollKeepsItsRegistrations) {
    auto pair = unix_pair();
    Poll poll;
    must(poll.register_(pair.here, POLLOUT, tag(3)));
    Poll moved = std::move(poll);
    EXPECT_EQ(moved.size(), 1u);
    const auto events = ready_now(moved);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].userdata, tag(3));
}

// --- POLL-2: what can be registered, and what is unknown

TEST(Poll2, UnknownIsEnoent) {
    auto pair = unix_pair();
    Pipe pipe;
    Poll poll;
    EXPECT_EQ(poll.modify(pair.here, POLLIN).error(), Error(ENOENT));
    EXPECT_EQ(poll.unregister(pair.here).error(), Error(ENOENT));
    EXPECT_EQ(poll.modify(pipe.read_end(), POLLIN).error(), Error(ENOENT));
    EXPECT_EQ(poll.unregister(pipe.read_end()).error(), Error(ENOENT));
    must(poll.register_(pair.here));
    must(poll.register_(pipe.read_end(), POLLIN));
    must(poll.unregister(pair.here));
    must(poll.unregister(pipe.read_end()));
    EXPECT_EQ(poll.unregister(pair.here).error(), Error(ENOENT));
    EXPECT_EQ(poll.unregister(pipe.read_end()).error(), Error(ENOENT));
    EXPECT_EQ(poll.unregister(number(-1)).error(), Error(ENOENT));
    EXPECT_EQ(poll.modify(number(INT_MAX), POLLIN).error(), Error(ENOENT));
}

TEST(Poll2, BadDescriptorsAreRefusedWithoutMemory) {
    Poll poll;
    EXPECT_TRUE(ready_now(poll).empty());  // opens what it needs itself
    int closed = -1;
    {
        Pipe pipe;
        closed = pipe.read_end();
    }
    rusage used_before{}, used_after{};
    ::getrusage(RUSAGE_SELF, &used_before);
    for (const int bad : {-1, INT_MIN, INT_MAX, INT_MAX - 1, 1 << 28, closed}) {
        EXPECT_EQ(poll.register_(bad, POLLIN).error(), Error(EBADF)) << bad;
        EXPECT_EQ(poll.register_another(bad, POLLIN).error(), Error(EBADF)) << bad;
    }
    ::getrusage(RUSAGE_SELF, &used_after);
    EXPECT_LT(used_after.ru_maxrss - used_before.ru_maxrss, 4096) << "KiB";
    EXPECT_EQ(poll.size(), 0u);
    EXPECT_TRUE(ready_now(poll).empty());
}

// The poll's own descriptors may get the number of one that was closed.
TEST(Poll2, AClosedNumberThatThePollItselfGets) {
    for (const bool is_first : {true, false}) {
        auto pipe = std::make_unique<Pipe>();
        const int bad = is_first ? pipe->read_end() : pipe->write_end();
        pipe.reset();
        Poll poll;
        EXPECT_EQ(poll.register_(bad, POLLIN).error(), Error(EBADF));
        EXPECT_EQ(poll.size(), 0u);
    }
}

TEST(Poll2, AClosedSocketIsRefused) {
    auto pair = unix_pair();
    pair.here.close();
    Poll poll;
    EXPECT_EQ(poll.register_(pair.here).error(), Error(EBADF));
    EXPECT_EQ(poll.size(), 0u);
}

TEST(Poll2, BadMasksAreAFaultAndChangeNothing) {
    auto pair = unix_pair();
    Poll poll;
    EXPECT_EQ(poll.register_(pair.here, 0x10000, nullptr).error(), Error(Fault::event_mask));
    EXPECT_EQ(poll.size(), 0u);
    must(poll.register_(pair.here, POLLOUT, nullptr));
    EXPECT_EQ(poll.modify(pair.here, 0xffffffff).error(), Error(Fault::event_mask));
    EXPECT_EQ(poll.modify(pair.here, 0x10000).error(), Error(Fault::event_mask));
    EXPECT_EQ(events_now(poll), unsigned{POLLOUT});
}

TEST(Poll2, ARegularFileIsAlwaysReady) {
    std::FILE* file = std::tmpfile();
    ASSERT_NE(file, nullptr);
    Poll poll;
    must(poll.register_(::fileno(file), POLLIN | POLLOUT));
    EXPECT_EQ(events_now(poll), unsigned{POLLIN | POLLOUT});
    Event events[4];
    EXPECT_EQ(must(poll.poll(events)), 1u);
    must(poll.modify(::fileno(file), POLLIN));
    EXPECT_EQ(events_now(poll), unsigned{POLLIN});
    must(poll.modify(::fileno(file), 0));
    EXPECT_EQ(events_now(poll), 0u);
    must(poll.unregister(::fileno(file)));
    std::fclose(file);
}

// --- POLL-3: errors, ends, closed sockets

TEST(Poll3, HangUpComesUnasked) {
    Pipe pipe;
    Poll poll;
    must(poll.register_(pipe.read_end(), 0));
    EXPECT_TRUE(ready_now(poll).empty());
    pipe.close_write();
    EXPECT_EQ(events_now(poll), unsigned{POLLHUP});
}

TEST(Poll3, ErrorComesUnasked) {
    Pipe pipe;
    Poll poll;
    must(poll.register_(pipe.write_end(), 0));
    EXPECT_TRUE(ready_now(poll).empty());
    pipe.close_read();
    EXPECT_EQ(events_now(poll), unsigned{POLLERR});
}

TEST(Poll3, RefusedConnectionIsReported) {
    const Refusing refusing;
    Socket socket = must(usocket::socket());
    must(socket.setblocking(false));
    ASSERT_EQ(socket.connect(refusing.address).error(), Error(EINPROGRESS));
    Poll poll;
    must(poll.register_(socket, POLLOUT, nullptr));
    Event events[1];
    ASSERT_EQ(must(poll.poll(events, Timeout(10s))), 1u);
    EXPECT_NE(events[0].events & POLLERR, 0u);
    EXPECT_EQ(must(socket.getsockopt(SOL_SOCKET, SO_ERROR)), ECONNREFUSED);
}

TEST_P(PollStream, Poll3EndOfStreamIsReadable) {
    must(poll_.register_(pair_.here, POLLIN, nullptr));
    EXPECT_EQ(events_now(poll_), 0u);
    must(pair_.there.shutdown(SHUT_WR));
    Event events[1];
    ASSERT_EQ(must(poll_.poll(events, Timeout(10s))), 1u);
    EXPECT_EQ(events[0].events, unsigned{POLLIN});
    pair_.there.close();
    EXPECT_NE(events_now(poll_) & POLLIN, 0u);
}

TEST_P(PollStream, Poll3ClosedBeforeTheWait) {
    must(poll_.register_(pair_.here, POLLIN, tag(9)));
    pair_.here.close();
    Event events[2];
    ASSERT_EQ(must(poll_.poll(events)), 1u);
    EXPECT_EQ(events[0].fd, -1);
    EXPECT_EQ(events[0].events, unsigned{POLLHUP | POLLNVAL});
    EXPECT_EQ(events[0].userdata, tag(9));
    // Until it is unregistered.
    ASSERT_EQ(must(poll_.poll(events)), 1u);
    must(poll_.modify(pair_.here, POLLOUT));
    ASSERT_EQ(must(poll_.poll(events)), 1u);
    must(poll_.unregister(pair_.here));
    EXPECT_EQ(poll_.size(), 0u);
    EXPECT_TRUE(ready_now(poll_).empty());
}

TEST_P(PollStream, Poll3ClosedDuringTheWait) {
    must(poll_.register_(pair_.here, POLLIN, tag(9)));
    Event events[2];
    std::size_t count = 0;
    Background waiter([&] { count = must(poll_.poll(events)); });
    waiter.await_asleep();
    pair_.here.close();
    waiter.join();
    ASSERT_EQ(count, 1u);
    EXPECT_EQ(events[0].fd, -1);
    EXPECT_EQ(events[0].events, unsigned{POLLHUP | POLLNVAL});
}

TEST_P(PollStream, Poll3DestroyedWhileRegistered) {
    Registration* registration = must(poll_.register_(pair_.here, POLLIN, tag(5)));
    pair_.here = Socket();
    const auto events = ready_now(poll_);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].userdata, tag(5));
    EXPECT_EQ(events[0].fd, -1);
    poll_.unregister(registration);
    EXPECT_TRUE(ready_now(poll_).empty());
}

TEST_P(PollStream, Poll3DetachedSocketIsReportedAsClosed) {
    must(poll_.register_(pair_.here, POLLIN, nullptr));
    const int fd = must(pair_.here.detach());
    EXPECT_EQ(events_now(poll_), unsigned{POLLHUP | POLLNVAL});
    ::close(fd);
}

// The number of a closed socket belongs to a new one; each is reported for itself.
TEST_P(PollStream, Poll3NumberReusedAfterClose) {
    must(poll_.register_(pair_.here, POLLIN, tag(1)));
    const int old_number = pair_.here.fileno();
    const Pipe filler;  // of the numbers that are free below it
    pair_.here.close();
    auto next = unix_pair();
    ASSERT_EQ(next.here.fileno(), old_number);
    must(poll_.register_(next.here, POLLIN, tag(2)));
    EXPECT_EQ(poll_.size(), 2u);
    auto events = ready_now(poll_);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].userdata, tag(1));
    must(poll_.unregister(pair_.here));
    EXPECT_TRUE(ready_now(poll_).empty());
    must(next.there.send("x"));
    events = ready_now(poll_);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].userdata, tag(2));
    EXPECT_EQ(events[0].events, unsigned{POLLIN});
}

// The number of a closed descriptor can be registered anew for another file.
TEST(Poll3, DescriptorReusedAfterClose) {
    Poll poll;
    int old_number = -1;
    {
        Pipe pipe;
        old_number = pipe.write_end();
        must(poll.register_(old_number, POLLOUT, tag(1)));
        EXPECT_EQ(ready_now(poll).size(), 1u);
    }
    Pipe pipe;
    ASSERT_EQ(pipe.write_end(), old_number);
    must(poll.register_(old_number, POLLOUT, tag(2)));
    EXPECT_EQ(poll.size(), 1u);
    const auto events = ready_now(poll);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].userdata, tag(2));
    must(poll.unregister(old_number));
}

// --- POLL-4: many

class Poll4 : public ::testing::Test {
protected:
    static constexpr std::size_t many = 1200;

    void SetUp() override {
        rlimit limit{};
        ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
        before_ = limit;
        limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 2 * many + 200);
        ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
        if (limit.rlim_cur < 2 * many + 200) GTEST_SKIP() << "the system allows too few open files";
        for (std::size_t i = 0; i < many; ++i) {
            pairs_.push_back(unix_pair());
            must(poll_.register_(pairs_[i].here, POLLIN, tag(i + 1)));
        }
    }
    void TearDown() override {
        pairs_.clear();
        ::setrlimit(RLIMIT_NOFILE, &before_);
    }

    rlimit before_{};
    std::vector<Pair> pairs_;
    Poll poll_;
};

TEST_F(Poll4, OneOfManyReady) {
    EXPECT_EQ(poll_.size(), many);
    for (const std::size_t one : {std::size_t{0}, many / 2, many - 1}) {
        must(pairs_[one].there.send("x"));
        const auto events = ready_now(poll_);
        ASSERT_EQ(events.size(), 1u);
        EXPECT_EQ(events[0].userdata, tag(one + 1));
        must(pairs_[one].here.recv(1));
    }
}

TEST_F(Poll4, MoreReadyThanFitTakeTurns) {
    for (auto& pair : pairs_) must(pair.there.send("x"));
    std::set<void*> seen;
    Event events[7];
    for (std::size_t i = 0; i < many / 7 + 1; ++i) {
        const std::size_t count = must(poll_.poll(events, Timeout::zero()));
        EXPECT_EQ(count, 7u);
        for (std::size_t k = 0; k < count; ++k) seen.insert(events[k].userdata);
    }
    EXPECT_EQ(seen.size(), many);
}

TEST_F(Poll4, AllReadyAtOnce) {
    for (auto& pair : pairs_) must(pair.there.send("x"));
    std::vector<Event> events(2 * many);
    ASSERT_EQ(must(poll_.poll(events.data(), events.size(), Timeout::zero())), many);
    std::set<void*> seen;
    for (std::size_t i = 0; i < many; ++i) seen.insert(events[i].userdata);
    EXPECT_EQ(seen.size(), many);
}

TEST_F(Poll4, ManyClosedAndManyReadyTakeTurns) {
    for (std::size_t i = 0; i < many; ++i) {
        if (i % 2 == 0) {
            pairs_[i].here.close();
        } else {
            must(pairs_[i].there.send("x"));
        }
    }
    std::set<void*> seen;
    Event events[10];
    for (std::size_t i = 0; i < many && seen.size() < many; ++i) {
        const std::size_t count = must(poll_.poll(events, Timeout::zero()));
        ASSERT_GT(count, 0u);
        for (std::size_t k = 0; k < count; ++k) seen.insert(events[k].userdata);
    }
    EXPECT_EQ(seen.size(), many);
}

// --- POLL-5: bytes kept back are readable

TEST_P(PollStream, Poll5KeptBytesAreReadable) {
    must(poll_.register_(pair_.here, POLLIN, nullptr));
    must(pair_.here.settimeout(Timeout(10ms)));
    must(pair_.there.send("half"));
    EXPECT_EQ(pair_.here.read(100).error(), Error(ETIMEDOUT));
    Event events[2];
    ASSERT_EQ(must(poll_.poll(events)), 1u);
    EXPECT_EQ(events[0].events, unsigned{POLLIN});
    EXPECT_EQ(must(pair_.here.recv(2)).view(), "ha");
    EXPECT_EQ(events_now(poll_), unsigned{POLLIN});
    EXPECT_EQ(must(pair_.here.read(2)).view(), "lf");
    EXPECT_EQ(events_now(poll_), 0u);
}

TEST_P(PollStream, Poll5KeptBeforeItWasRegistered) {
    must(pair_.here.settimeout(Timeout(10ms)));
    must(pair_.there.send("half"));
    EXPECT_EQ(pair_.here.readline().error(), Error(ETIMEDOUT));
    must(poll_.register_(pair_.here, POLLIN, nullptr));
    EXPECT_EQ(events_now(poll_), unsigned{POLLIN});
    must(poll_.modify(pair_.here, POLLOUT));
    EXPECT_EQ(events_now(poll_), unsigned{POLLOUT});
    EXPECT_EQ(pair_.here.poll_now(POLLIN | POLLOUT), unsigned{POLLIN | POLLOUT});
}

TEST_P(PollStream, Poll5KeptByAnotherThreadEndsTheWait) {
    must(poll_.register_(pair_.here, POLLIN, nullptr));
    must(pair_.here.settimeout(Timeout(100ms)));
    must(pair_.there.send("half"));
    auto result = Error();
    Background reader([&] { result = pair_.here.read(100).error(); });
    reader.await_asleep();
    Event events[2];
    ASSERT_EQ(must(poll_.poll(events, Timeout(10s))), 1u);
    reader.join();
    EXPECT_EQ(result, Error(ETIMEDOUT));
    EXPECT_EQ(events_now(poll_), unsigned{POLLIN});
}

// Those that the system shows as well take no second place, also where the poll has just room enough.
TEST(Poll5, POLL_1_POLL_5_kept_and_queued_counts_once) {
    constexpr std::size_t many = 8;
    std::vector<Pair> pairs;
    Poll poll;
    for (std::size_t i = 0; i < many; ++i) {
        pairs.push_back(tcp_pair());
        must(poll.register_(pairs[i].here, POLLIN | POLLOUT, tag(i)));
    }
    // Nor is what the system shows of those that keep bytes left out, whoever is first.
    const auto expect_both = [&](std::size_t room) {
        std::vector<Event> events(room);
        ASSERT_EQ(must(poll.poll(events.data(), room, Timeout::zero())), room);
        for (const Event& event : events) EXPECT_EQ(event.events, unsigned{POLLIN | POLLOUT}) << room;
    };
    for (std::size_t kept = 0; kept <= many; ++kept) {
        for (Pair& pair : pairs) must(pair.there.send("queued"));
        for (Pair& pair : pairs) await_bytes(pair.here, 6 * (kept + 1));
        for (Pair& pair : pairs) EXPECT_EQ(pair.here.poll_now(POLLIN), unsigned{POLLIN});
        for (int round = 0; round < 4; ++round) {
            EXPECT_EQ(ready_now(poll).size(), many) << kept;
            for (const std::size_t room : {many, std::size_t{1}, std::size_t{3}}) expect_both(room);
        }
        if (kept == many) break;
        must(pairs[kept].here.settimeout(Timeout(1ms)));
        EXPECT_EQ(pairs[kept].here.read(100'000).error(), Error(ETIMEDOUT));
    }
}

// --- Processes: a child has a poller of its own

TEST_P(PollStream, InAChildOfFork) {
    must(poll_.register_(pair_.here, POLLIN, tag(4)));
    EXPECT_TRUE(ready_now(poll_).empty());
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        const bool was_empty = ready_now(poll_).empty();
        must(poll_.modify(pair_.here, POLLOUT));
        const auto events = ready_now(poll_);
        const bool is_ready = events.size() == 1 && events[0].userdata == tag(4) && events[0].events == POLLOUT;
        must(poll_.unregister(pair_.here));
        ::_exit(was_empty && is_ready && ready_now(poll_).empty() ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    // What the child did is no concern of its parent's.
    EXPECT_TRUE(ready_now(poll_).empty());
    must(pair_.there.send("x"));
    await_bytes(pair_.here, 1);
    EXPECT_EQ(ready_now(poll_).size(), 1u);
}

// --- Other threads

TEST(PollThreads, UnregisteredByAnotherThreadDuringTheWait) {
    auto quiet = unix_pair();
    auto other = unix_pair();
    Poll poll;
    must(poll.register_(quiet.here, POLLIN, tag(1)));
    must(poll.register_(other.here, POLLIN, tag(2)));
    Event events[4];
    std::size_t count = 0;
    Background waiter([&] { count = must(poll.poll(events)); });
    waiter.await_asleep();
    must(poll.unregister(quiet.here));
    must(quiet.there.send("x"));
    must(other.there.send("x"));
    waiter.join();
    ASSERT_EQ(count, 1u);
    EXPECT_EQ(events[0].userdata, tag(2));
}

TEST(PollThreads, RegisteredByAnotherThreadDuringTheWait) {
    auto quiet = unix_pair();
    auto other = unix_pair();
    Poll poll;
    must(poll.register_(quiet.here, POLLIN, tag(1)));
    Event events[4];
    std::size_t count = 0;
    Background waiter([&] { count = must(poll.poll(events)); });
    waiter.await_asleep();
    must(poll.register_(other.here, POLLOUT, tag(2)));
    waiter.join();
    ASSERT_EQ(count, 1u);
    EXPECT_EQ(events[0].userdata, tag(2));
}

TEST(PollThreads, ModifiedByAnotherThreadDuringTheWait) {
    auto pair = unix_pair();
    Poll poll;
    must(poll.register_(pair.here, POLLIN, tag(1)));
    Event events[4];
    std::size_t count = 0;
    Background waiter([&] { count = must(poll.poll(events)); });
    waiter.await_asleep();
    must(poll.modify(pair.here, POLLOUT));
    waiter.join();
    ASSERT_EQ(count, 1u);
    EXPECT_EQ(events[0].events, unsigned{POLLOUT});
}

}  // namespace
}  // namespace usocket::tests
