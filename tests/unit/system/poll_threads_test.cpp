// POLL-1 POLL-3 POLL-7: threads register, unregister and close while others poll.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <thread>
#include <vector>

#include "background.hpp"
#include "loopback.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

TEST(PollThreads, Poll1RegisterAndUnregisterDuringWaits) {
    Poll poll;
    Pair bell = unix_pair();
    must(poll.register_(bell.here, POLLIN, &bell));
    std::atomic<int> rings{0};
    {
        // Each waits until it hears the bell, which goes on ringing.
        const auto wait = [&] {
            Poll::Event events[8];
            for (bool is_over = false; !is_over;) {
                const std::size_t count = must(poll.poll(events));
                for (std::size_t i = 0; i < count; ++i) is_over = is_over || events[i].userdata == &bell;
            }
            ++rings;
        };
        Background waiters[] = {Background(wait), Background(wait)};
        {
            const auto churn = [&] {
                for (int i = 0; i < 300; ++i) {
                    Pair pair = i % 2 == 0 ? unix_pair() : tcp_pair();
                    must(poll.register_(pair.here, POLLIN, nullptr));
                    must(pair.there.send("x"));
                    must(poll.modify(pair.here, POLLIN | POLLOUT));
                    must(poll.unregister(pair.here));
                }
            };
            Background churners[] = {Background(churn), Background(churn)};
        }
        EXPECT_EQ(poll.size(), 1u);
        EXPECT_EQ(rings, 0);
        must(bell.there.send("x"));
    }
    EXPECT_EQ(rings, 2);
}

TEST(PollThreads, Sock9DestroyingAPollEndsTheWaitsInIt) {
    std::optional<Poll> poll(std::in_place);
    Pair pair = unix_pair();
    must(poll->register_(pair.here, POLLIN, nullptr));
    Error ended[2];
    const auto wait = [&](Error& error, Timeout timeout) {
        Poll::Event events[1];
        Result<std::size_t> ready = std::size_t{0};
        while (ready) ready = poll->poll(events, timeout);
        error = ready.error();
    };
    Background waiters[] = {Background([&] { wait(ended[0], Timeout::none()); }),
                            Background([&] { wait(ended[1], Timeout(1h)); })};
    for (const Background& waiter : waiters) waiter.await_asleep();
    poll.reset();
    for (Background& waiter : waiters) waiter.join();
    for (const Error error : ended) EXPECT_EQ(error, Error(EBADF));
}

// Its memory outlives it, as that of a static one.
TEST(PollThreads, Sock9DestroyingAPollEndsRegisteringInIt) {
    for (int round = 0; round < 100; ++round) {
        alignas(Poll) unsigned char memory[sizeof(Poll)];
        Poll* const poll = new (memory) Poll;
        Pair pair = unix_pair();
        must(poll->register_(pair.there, POLLIN, nullptr));
        std::atomic<int> registered{0};
        Error ended;
        Background registering([&] {
            for (auto added = poll->register_(pair.here, POLLIN, nullptr);; ++registered) {
                if (!added) return void(ended = added.error());
                (void)poll->unregister(pair.here);
                added = poll->register_(pair.here, POLLIN, nullptr);
            }
        });
        while (registered < round % 10 + 1) std::this_thread::yield();
        poll->~Poll();
        registering.join();
        ASSERT_EQ(ended, Error(EBADF));
    }
}

// A thread that never stops polling, while exit() destroys what is static.
[[noreturn]] void exit_while_polled(std::chrono::microseconds span) {
    static Pair pair = unix_pair();
    static Poll poll;
    must(poll.register_(pair.here, POLLIN, nullptr));
    std::thread([span] {
        Poll::Event events[1];
        for (;;) (void)poll.poll(events, Timeout(span));
    }).detach();
    std::this_thread::sleep_for(span);
    std::exit(7);
}

TEST(PollThreadsDeathTest, Sock9AProcessEndsWhileAThreadWaitsInAStaticPoll) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    for (const auto span : {1us, 100us, 1000us, 20'000us}) {
        for (int i = 0; i < 5; ++i) EXPECT_EXIT(exit_while_polled(span), ::testing::ExitedWithCode(7), "^$");
    }
}

TEST(PollThreads, Poll3CloseDuringWaits) {
    for (int round = 0; round < 100; ++round) {
        Poll poll;
        std::array<Pair, 4> pairs = {unix_pair(), tcp_pair(), unix_pair(), tcp_pair()};
        for (Pair& pair : pairs) must(poll.register_(pair.here, POLLIN, &pair));
        std::size_t closed = 0;
        {
            Background waiter([&] {
                // Each close is reported, without another event.
                while (closed != pairs.size()) {
                    Poll::Event events[8];
                    const std::size_t count = must(poll.poll(events));
                    for (std::size_t i = 0; i < count; ++i) {
                        ASSERT_EQ(events[i].events, unsigned{POLLHUP | POLLNVAL});
                        poll.unregister(events[i].registration);
                        ++closed;
                    }
                }
            });
            if (round % 2 == 0) waiter.await_asleep();
            Background first([&] {
                pairs[0].here.close();
                pairs[1].here.close();
            });
            Background second([&] {
                pairs[2].here.close();
                pairs[3].here.close();
            });
        }
        ASSERT_EQ(closed, pairs.size());
        ASSERT_EQ(poll.size(), 0u);
    }
}

// A registration races with the close of its socket: refused, or reported as closed.
TEST(PollThreads, Poll3RegisterWhileItIsClosed) {
    Poll poll;
    for (int round = 0; round < 300; ++round) {
        Pair pair = unix_pair();
        Result<Registration*> registered = Error(EBADF);
        {
            Background closer([&] { pair.here.close(); });
            registered = poll.register_(pair.here, POLLIN, nullptr);
        }
        if (!registered) {
            ASSERT_EQ(registered.error(), Error(EBADF));
            continue;
        }
        Poll::Event events[2];
        ASSERT_EQ(must(poll.poll(events)), 1u);
        ASSERT_EQ(events[0].registration, *registered);
        ASSERT_EQ(events[0].events, unsigned{POLLHUP | POLLNVAL});
        must(poll.unregister(pair.here));
    }
}

// Who sleeps without an end begins to look once the number is out.
TEST(PollThreads, Poll7TheNumberIsGivenOutDuringAWait) {
    Pair pair = unix_pair();
    Poll poll;
    must(poll.register_(pair.here, POLLIN, nullptr));
    std::size_t count = 0;
    {
        Background waiter([&] {
            Poll::Event events[1];
            count = must(poll.poll(events, Timeout(5s)));
        });
        waiter.await_asleep();
        ::close(pair.here.fileno());
    }
    EXPECT_EQ(count, 1u);
    must(poll.unregister(pair.here));
    (void)must(pair.here.detach());  // it has no descriptor to close
}

// POLL-5: a reader that gives up halfway ends the wait of one that polls, every time.
TEST(PollThreads, Poll5KeptBytesEndWaits) {
    Pair pair = unix_pair();
    Poll poll;
    must(poll.register_(pair.here, POLLIN, nullptr));
    must(pair.here.settimeout(Timeout(2ms)));
    for (int round = 0; round < 50; ++round) {
        must(pair.there.send("half"));
        Background reader([&] { EXPECT_EQ(pair.here.read(5).error(), Error(ETIMEDOUT)); });
        Poll::Event events[1];
        ASSERT_EQ(must(poll.poll(events)), 1u);
        reader.join();
        ASSERT_EQ(must(poll.poll(events)), 1u);
        ASSERT_EQ(must(pair.here.read(4)).view(), "half");
    }
}

}  // namespace
}  // namespace usocket::tests
