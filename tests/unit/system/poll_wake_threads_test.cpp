// POLL-6: every thread that waits in one poll learns what concerns it, and wake() ends one wait of theirs.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include "background.hpp"
#include "polling.hpp"

#ifdef __SANITIZE_THREAD__
// To close a descriptor behind the back of a poll that asks the system about it is a race between the two calls, which
// the system decides and POLL-7 is about.
extern "C" const char* __tsan_default_suppressions() { return "race:^epoll_ctl$\n"; }
#endif

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

// Threads that wait in one poll, each once, and what they have learnt.
class Waiters {
public:
    static constexpr std::size_t many = 4;

    // So long that a test that fails does end.
    explicit Waiters(Poll& poll, std::size_t count = many, Timeout timeout = Timeout(20s)) {
        for (std::size_t i = 0; i < count; ++i) {
            threads_.push_back(std::make_unique<Background>([this, &poll, timeout] {
                Event events[8];
                const std::size_t ready = must(poll.poll(events, timeout));
                if (ready == 0) ++empty_;
                for (std::size_t k = 0; k < ready; ++k) {
                    events_ |= events[k].events;
                    ++told_;
                }
            }));
        }
        for (const auto& one : threads_) one->await_asleep();
    }
    void join() {
        for (const auto& one : threads_) one->join();
    }
    [[nodiscard]] std::size_t told() const { return told_; }
    [[nodiscard]] std::size_t empty() const { return empty_; }
    [[nodiscard]] unsigned events() const { return events_; }

private:
    std::atomic<std::size_t> told_{0};
    std::atomic<std::size_t> empty_{0};
    std::atomic<unsigned> events_{0};
    std::vector<std::unique_ptr<Background>> threads_;
};

// Each asks for memory of its own accord, and finds that of another.
TEST(PollWaiters, POLL_6_threads_that_register_at_once_all_get_in) {
    for (int round = 0; round < 30; ++round) {
        Poll poll;
        std::vector<std::unique_ptr<Background>> threads;
        for (int i = 0; i < 4; ++i) {
            threads.push_back(std::make_unique<Background>([&poll] {
                std::vector<Socket> sockets;
                for (int k = 0; k < 40; ++k) {
                    sockets.push_back(must(usocket::socket(AF_INET, SOCK_DGRAM)));
                    (void)must(poll.register_(sockets.back()));
                }
            }));
        }
        for (const auto& one : threads) one->join();
    }
}

TEST(PollWaiters, Poll6AllLearnOfAClose) {
    for (int round = 0; round < 20; ++round) {
        auto pair = unix_pair();
        Poll poll;
        must(poll.register_(pair.here, POLLIN, nullptr));
        Waiters waiters(poll);
        pair.here.close();
        waiters.join();
        ASSERT_EQ(waiters.told(), Waiters::many);
        ASSERT_EQ(waiters.events(), unsigned{POLLHUP | POLLNVAL});
    }
}

TEST(PollWaiters, Poll6AllLearnOfKeptBytes) {
    for (int round = 0; round < 10; ++round) {
        auto pair = unix_pair();
        Poll poll;
        must(poll.register_(pair.here, POLLIN, nullptr));
        must(pair.here.settimeout(Timeout(100ms)));
        // It takes what is there before they see it, and keeps it when its time is up.
        must(pair.there.send("half"));
        Background reader([&] { EXPECT_EQ(pair.here.read(100).error(), Error(ETIMEDOUT)); });
        while (events_now(poll) != 0) std::this_thread::yield();
        Waiters waiters(poll);
        reader.join();
        waiters.join();
        ASSERT_EQ(waiters.told(), Waiters::many);
        ASSERT_EQ(waiters.events(), unsigned{POLLIN});
    }
}

TEST(PollWaiters, Poll6AllLearnOfWhatIsRegisteredMeanwhile) {
    for (int round = 0; round < 20; ++round) {
        auto quiet = unix_pair();
        auto ready = unix_pair();
        Poll poll;
        must(poll.register_(quiet.here, POLLIN, nullptr));
        Waiters waiters(poll);
        must(poll.register_(ready.here, POLLOUT, nullptr));
        waiters.join();
        ASSERT_EQ(waiters.told(), Waiters::many);
    }
}

TEST(PollWaiters, Poll7AllLearnOfADescriptorThatIsClosed) {
    auto quiet = unix_pair();
    Poll poll;
    must(poll.register_(quiet.here, POLLIN, nullptr));
    Waiters waiters(poll);
    // Registered when they sleep already, without an end to it.
    Pipe pipe;
    must(poll.register_(pipe.read_end(), POLLIN));
    pipe.close_read();
    waiters.join();
    EXPECT_EQ(waiters.told(), Waiters::many);
    EXPECT_EQ(waiters.events(), unsigned{POLLHUP | POLLNVAL});
}

// Whoever finds that the system's poller must begin anew, the others go on in the new one, also if what was found has
// gone before they saw it.
TEST(PollWaiters, Poll7AllGoOnWhenAStaleFileIsFound) {
    for (int round = 0; round < 50; ++round) {
        auto quiet = unix_pair();
        Pipe pipe;
        Poll poll;
        must(poll.register_(quiet.here, POLLIN, nullptr));
        const int number = pipe.read_end();
        must(poll.register_(number, POLLIN));
        const int duplicate = ::dup(number);
        pipe.close_read();
        must(poll.unregister(number));
        Waiters waiters(poll);
        ASSERT_EQ(::write(pipe.write_end(), "x", 1), 1);
        EXPECT_TRUE(ready_now(poll).empty());
        char byte = 0;
        ASSERT_EQ(::read(duplicate, &byte, 1), 1);
        auto ready = unix_pair();
        must(poll.register_(ready.here, POLLOUT, nullptr));
        waiters.join();
        ASSERT_EQ(waiters.told(), Waiters::many);
        ASSERT_EQ(waiters.events(), unsigned{POLLOUT});
        ::close(duplicate);
    }
}

// What rings for a closed socket keeps nothing else out.
TEST(PollWaiters, Poll6ACloseAndWhatIsReadyComeTogether) {
    auto closed = unix_pair();
    auto ready = unix_pair();
    Poll poll;
    must(poll.register_(closed.here, POLLIN, nullptr));
    must(poll.register_(ready.here, POLLOUT, nullptr));
    Event events[2];
    EXPECT_EQ(must(poll.poll(events)), 1u);
    Background other([&] { closed.here.close(); });
    other.join();
    for (int i = 0; i < 4; ++i) EXPECT_EQ(must(poll.poll(events)), 2u);
}

TEST(PollWaiters, Poll6OneWakeEndsOneWait) {
    for (int round = 0; round < 20; ++round) {
        auto pair = unix_pair();
        Poll poll;
        must(poll.register_(pair.here, POLLIN, nullptr));
        Waiters waiters(poll);
        poll.wake();
        while (waiters.empty() == 0) std::this_thread::yield();
        pair.here.close();
        waiters.join();
        ASSERT_EQ(waiters.empty(), 1u);
        ASSERT_EQ(waiters.told(), Waiters::many - 1);
    }
}

TEST(PollWaiters, Poll6AsManyWakesAsWaits) {
    for (int round = 0; round < 20; ++round) {
        Poll poll;
        Waiters waiters(poll, Waiters::many, Timeout(20s));
        const auto before = std::chrono::steady_clock::now();
        for (std::size_t i = 0; i < Waiters::many; ++i) poll.wake();
        waiters.join();
        ASSERT_EQ(waiters.empty(), Waiters::many);
        ASSERT_LT(std::chrono::steady_clock::now() - before, 15s) << "by the timeout";
    }
}

// The first wait opens what wake() rings.
TEST(PollWaiters, Poll6WokenWhileItBegins) {
    for (int round = 0; round < 500; ++round) {
        Poll poll;
        Background waker([&] { poll.wake(); });
        Event events[1];
        ASSERT_EQ(must(poll.poll(events)), 0u);
    }
}

// Registering, closing, waking, and files that go stale, all at once: nobody hangs, and each wake ends a wait.
TEST(PollWaiters, Poll6AllAtOnce) {
    constexpr int rounds = 200;
    Poll poll;
    std::atomic<int> woken{0};
    {
        const auto wait = [&] {
            Event events[4];
            while (woken < 2 * rounds) {
                const std::size_t ready = must(poll.poll(events));
                if (ready == 0) ++woken;
            }
            poll.wake();  // for the others, who may have begun one more
        };
        Background waiters[] = {Background(wait), Background(wait), Background(wait)};
        const auto wake = [&] {
            for (int i = 0; i < rounds; ++i) poll.wake();
        };
        Background wakers[] = {Background(wake), Background(wake)};
        Background churner([&] {
            for (int i = 0; i < rounds; ++i) {
                auto pair = unix_pair();
                must(poll.register_(pair.here, POLLIN, nullptr));
                Pipe pipe;
                const int number = pipe.read_end();
                Registration* one = must(poll.register_another(number, POLLIN));
                const int duplicate = ::dup(number);
                ASSERT_EQ(::write(pipe.write_end(), "x", 1), 1);
                pipe.close_read();
                poll.unregister(one);
                pair.here.close();
                must(poll.unregister(pair.here));
                ::close(duplicate);
            }
        });
    }
    EXPECT_GE(woken, 2 * rounds);
    EXPECT_EQ(poll.size(), 0u);
}

}  // namespace
}  // namespace usocket::tests
