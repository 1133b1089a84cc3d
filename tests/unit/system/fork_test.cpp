// STRM-5 SOCK-3 SOCK-4 SOCK-9: a child of fork shares the connections: parent and child see each byte once, and nothing
// that the parent's threads were about keeps the child waiting.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>

#include "background.hpp"
#include "descriptors.hpp"
#include "loopback.hpp"
#include "usocket/server.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

// Whether `body` says so, in a child of fork; one that hangs is ended after a while.
template <class Body>::testing::AssertionResult in_child(Body body) {
    const pid_t child = ::fork();
    if (child < 0) return ::testing::AssertionFailure() << "no fork";
    if (child == 0) {
        ::alarm(20);
        ::_exit(body() ? 0 : 1);
    }
    int status = -1;
    if (::waitpid(child, &status, 0) != child) return ::testing::AssertionFailure() << "no child";
    if (WIFSIGNALED(status))
        return ::testing::AssertionFailure() << "the child was ended by signal " << WTERMSIG(status);
    if (status != 0) return ::testing::AssertionFailure() << "the child said no";
    return ::testing::AssertionSuccess();
}

bool reads_line(Socket& socket, std::string_view expected) {
    const auto line = socket.readline();
    return line && line->view() == expected;
}

class Fork : public ::testing::TestWithParam<const char*> {
protected:
    Pair pair_ = std::string(GetParam()) == "tcp" ? tcp_pair() : unix_pair();
};
INSTANTIATE_TEST_SUITE_P(Families, Fork, ::testing::Values("tcp", "unix"),
                         [](const auto& one) { return std::string(one.param); });

// --- STRM-5

TEST_P(Fork, Strm5ParentAndChildSeeEachByteOnce) {
    must(pair_.there.send("one\ntwo\nthree\nfour\nfive\nsix\n"));
    must(pair_.there.shutdown(SHUT_WR));
    EXPECT_TRUE(reads_line(pair_.here, "one\n"));
    EXPECT_TRUE(in_child([&] { return reads_line(pair_.here, "two\n") && reads_line(pair_.here, "three\n"); }));
    EXPECT_TRUE(reads_line(pair_.here, "four\n"));
    EXPECT_TRUE(in_child([&] { return reads_line(pair_.here, "five\n"); }));
    EXPECT_TRUE(reads_line(pair_.here, "six\n"));
    EXPECT_TRUE(reads_line(pair_.here, ""));
}

TEST_P(Fork, Strm5TheChildsChildAsWell) {
    must(pair_.there.send("one\ntwo\nthree\nfour\n"));
    EXPECT_TRUE(reads_line(pair_.here, "one\n"));
    EXPECT_TRUE(in_child([&] {
        return reads_line(pair_.here, "two\n") && in_child([&] { return reads_line(pair_.here, "three\n"); });
    }));
    EXPECT_TRUE(reads_line(pair_.here, "four\n"));
}

TEST_P(Fork, Strm5AChildsOwnConnectionsKeepTheirSpeedAndTheirBytes) {
    must(pair_.there.send("one\ntwo\nthree\n"));
    EXPECT_TRUE(reads_line(pair_.here, "one\n"));
    EXPECT_TRUE(in_child([&] {
        Pair own = unix_pair();
        must(own.there.send("a\nb\nc\n"));
        return reads_line(own.here, "a\n") && reads_line(own.here, "b\n") &&
               in_child([&] { return reads_line(own.here, "c\n"); });
    }));
    EXPECT_TRUE(reads_line(pair_.here, "two\n"));
}

// So many forks that their number is no longer counted; in a child, so that other tests do not notice.
TEST_P(Fork, Strm5AfterHundredsOfForks) {
    EXPECT_TRUE(in_child([&] {
        for (int i = 0; i < 300; ++i) {
            Pair own = unix_pair();
            must(own.there.send("a\nb\nc\nd\n"));
            if (!reads_line(own.here, "a\n")) return false;
            if (!in_child([&] { return i % 10 != 0 || reads_line(own.here, "b\n"); })) return false;
            if (!reads_line(own.here, i % 10 != 0 ? "b\n" : "c\n")) return false;
        }
        return true;
    }));
}

// Another thread reads lines all the while.
TEST_P(Fork, Strm5WhileAnotherThreadReadsLines) {
    constexpr int lines = 20'000;
    Background sender([&] {
        std::string text;
        for (int i = 0; i < lines; ++i) text += "line " + std::to_string(i) + "\n";
        must(pair_.there.sendall(text));
        must(pair_.there.shutdown(SHUT_WR));
    });
    std::atomic<int> count{0};
    Background reader([&] {
        while (reads_line(pair_.here, "line " + std::to_string(count) + "\n")) ++count;
    });
    while (!reader.has_ended()) {
        ASSERT_TRUE(in_child([] {
            Pair own = unix_pair();
            must(own.there.send("a\nb\n"));
            return reads_line(own.here, "a\n") && reads_line(own.here, "b\n");
        }));
    }
    EXPECT_EQ(count, lines);
}

// TIME-6: what was kept back is both processes'.
TEST_P(Fork, Time6KeptBytesAreTheParentsStill) {
    must(pair_.here.settimeout(Timeout(5ms)));
    must(pair_.there.send("half"));
    EXPECT_EQ(pair_.here.read(10).error(), Error(ETIMEDOUT));
    EXPECT_TRUE(in_child([&] {
        pair_.here.close();
        return true;
    }));
    EXPECT_EQ(must(pair_.here.read(4)).view(), "half");
}

// --- SOCK-3, SOCK-4: threads that wait at the time of the fork

TEST_P(Fork, Sock3TheChildsCloseLeavesTheParentsConnection) {
    std::string got;
    Background reader([&] { got = must(pair_.here.read(4)).view(); });
    reader.await_asleep();
    EXPECT_TRUE(in_child([&] {
        pair_.here.close();
        return pair_.here.closed() && pair_.here.recv(1).error() == Error(EBADF);
    }));
    EXPECT_FALSE(reader.has_ended());
    must(pair_.there.send("here"));
    reader.join();
    EXPECT_EQ(got, "here");
}

TEST_P(Fork, Sock4TheChildReadsThoughAThreadOfItsParentsWaits) {
    std::string got;
    Background reader([&] { got = must(pair_.here.read(4)).view(); });
    reader.await_asleep();
    EXPECT_TRUE(in_child([&] {
        must(pair_.here.setblocking(false));
        const bool is_free = pair_.here.readline().error() == Error(EAGAIN) && pair_.here.fileno() >= 0;
        must(pair_.here.send("from the child"));
        must(pair_.here.setblocking(true));
        return is_free;
    }));
    EXPECT_EQ(must(pair_.there.recv(100)).view(), "from the child");
    must(pair_.there.send("here"));
    reader.join();
    EXPECT_EQ(got, "here");
}

TEST(ForkListener, Sock3TheChildsCloseLeavesTheParentsAccept) {
    Address address;
    Socket server = listener(address);
    Socket accepted;
    Background acceptor([&] { accepted = std::move(must(server.accept()).socket); });
    acceptor.await_asleep();
    EXPECT_TRUE(in_child([&] {
        server.close();
        return server.accept().error() == Error(EBADF);
    }));
    EXPECT_FALSE(acceptor.has_ended());
    Socket client = must(socket());
    must(client.connect(address));
    acceptor.join();
    must(client.send("x"));
    EXPECT_EQ(must(accepted.recv(1)).view(), "x");
}

TEST(ForkListener, Sock4TheChildAcceptsItself) {
    Address address;
    Socket server = listener(address);
    must(server.settimeout(Timeout(20s)));
    Background acceptor([&] { (void)server.accept(); });
    acceptor.await_asleep();
    Socket first = must(socket()), second = must(socket());
    // One is the parent's, the other the child's, whoever comes first.
    const bool is_one_each = bool(in_child([&] {
        must(first.connect(address));
        must(second.connect(address));
        return server.accept().has_value();
    }));
    EXPECT_TRUE(is_one_each);
    acceptor.join();
}

TEST_P(Fork, Poll3TheChildPollsThoughAThreadOfItsParentsDoes) {
    Poll poll;
    must(poll.register_(pair_.here, POLLIN, nullptr));
    std::size_t count = 0;
    Background waiter([&] {
        Poll::Event events[2];
        count = must(poll.poll(events));
    });
    waiter.await_asleep();
    EXPECT_TRUE(in_child([&] {
        Poll::Event events[2];
        if (must(poll.poll(events, Timeout::zero())) != 0) return false;
        pair_.here.close();
        return must(poll.poll(events)) == 1 && events[0].events == (POLLHUP | POLLNVAL);
    }));
    EXPECT_FALSE(waiter.has_ended());
    must(pair_.there.send("x"));
    waiter.join();
    EXPECT_EQ(count, 1u);
}

// Threads that come and go in every kind of call while the process forks: no child hangs.
TEST_P(Fork, Sock4ForksWhileThreadsUseEverything) {
    std::atomic<bool> is_over{false};
    Poll poll;
    must(poll.register_(pair_.here, POLLIN, nullptr));
    must(pair_.here.settimeout(Timeout(1ms)));
    must(pair_.there.settimeout(Timeout(1ms)));
    {
        Background reader([&] {
            while (!is_over) (void)pair_.here.readline();
        });
        Background sender([&] {
            while (!is_over) (void)pair_.there.send("a\nb\nc");
        });
        Background poller([&] {
            Poll::Event events[2];
            while (!is_over) must(poll.poll(events, Timeout(1ms)));
        });
        Background registrar([&] {
            while (!is_over) {
                Pair other = unix_pair();
                must(poll.register_(other.here));
                must(poll.unregister(other.here));
            }
        });
        for (int i = 0; i < 60; ++i) {
            EXPECT_TRUE(in_child([&] {
                Poll::Event events[2];
                Pair own = unix_pair();
                must(poll.register_(own.here));
                (void)poll.poll(events, Timeout::zero());
                must(own.there.send("a\nb\n"));
                const bool is_well = reads_line(own.here, "a\n") && reads_line(own.here, "b\n");
                pair_.here.close();
                return is_well;
            })) << i;
        }
        is_over = true;
    }
}

// Others hold the descriptor, so what ends calls is no shutdown(2), and must not be the parent's either.
TEST_P(Fork, Sock4TheChildsCloseEndsItsOwnCallsAlone) {
    (void)pair_.here.fileno();
    std::string got;
    Background reader([&] { got = must(pair_.here.recv(1)).view(); });
    reader.await_asleep();
    EXPECT_TRUE(in_child([&] {
        Error ended;
        Background own([&] { ended = pair_.here.recv(1).error(); });
        own.await_asleep();
        pair_.here.close();
        own.join();
        return ended == Error(EBADF);
    }));
    reader.await_asleep();  // which it never is while its bell rings
    must(pair_.there.send("x"));
    reader.join();
    EXPECT_EQ(got, "x");
}

// --- SOCK-9: what exit() destroys in a child

// Whoever waits for another thread sleeps, and looks, a hundred times before it gives up.
template <class Body> bool sleeps_seldom(Body body) {
    rusage before{}, after{};
    ::getrusage(RUSAGE_SELF, &before);
    body();
    ::getrusage(RUSAGE_SELF, &after);
    return after.ru_nvcsw - before.ru_nvcsw < 50;
}

TEST_P(Fork, Sock9TheChildsPollWaitsForNoThreadOfItsParents) {
    std::optional<Poll> poll(std::in_place);
    must(poll->register_(pair_.here, POLLIN, nullptr));
    std::size_t count = 0;
    Background waiter([&] {
        Poll::Event events[2];
        count = must(poll->poll(events));
    });
    waiter.await_asleep();
    EXPECT_TRUE(in_child([&] {
        const std::size_t before = open_descriptors();
        return sleeps_seldom([&] { poll.reset(); }) && open_descriptors() < before;
    }));
    must(pair_.there.send("x"));
    waiter.join();
    EXPECT_EQ(count, 1u);
}

// Of those that a poll waits for only the child's own are counted in a child.
TEST_P(Fork, Sock9TheChildsPollWaitsForItsOwnThreads) {
    std::optional<Poll> poll(std::in_place);
    must(poll->register_(pair_.here, POLLIN, nullptr));
    const auto wait = [&] {
        Poll::Event events[2];
        return poll->poll(events).error();
    };
    Background waiter([&] { EXPECT_EQ(wait(), Error()); });
    waiter.await_asleep();
    EXPECT_TRUE(in_child([&] {
        Error ended;
        Background own([&] { ended = wait(); });
        own.await_asleep();
        const bool is_soon = sleeps_seldom([&] { poll.reset(); });
        own.join();
        return is_soon && ended == Error(EBADF);
    }));
    must(pair_.there.send("x"));
    waiter.join();
}

TEST(ForkServer, Sock9TheChildsServerWaitsForNoThreadOfItsParents) {
    struct Echo {
        unsigned take_turn(Socket& socket) {
            const auto line = socket.readline();
            if (!line) return line.error() == Error(EAGAIN) ? unsigned{POLLIN} : 0;
            return line->size() != 0 && socket.write(line->view()) ? unsigned{POLLIN} : 0;
        }
    };
    Address address;
    std::optional<Server<Echo>> server(std::in_place, listener(address));
    Background running([&] { must(server->run()); });
    Socket client = must(socket());
    must(client.connect(address));
    const auto is_served = [&] { return client.write("over\n") && reads_line(client, "over\n"); };
    EXPECT_TRUE(is_served());
    running.await_asleep();
    EXPECT_TRUE(in_child([&] { return sleeps_seldom([&] { server.reset(); }); }));
    EXPECT_TRUE(is_served());
    server->stop();
}

// --- Nothing is left open

TEST(Leaks, Sock3NoDescriptorIsLeftOpen) {
    const auto everything = [] {
        for (const bool tcp : {true, false}) {
            Pair pair = tcp ? tcp_pair() : unix_pair();
            Poll poll;
            must(poll.register_(pair.here));
            must(pair.there.send("one\ntwo\n"));
            EXPECT_TRUE(reads_line(pair.here, "one\n"));
            must(pair.here.settimeout(Timeout(2ms)));
            EXPECT_EQ(pair.here.read(100).error(), Error(ETIMEDOUT));
            Socket second = must(pair.here.dup());
            Poll::Event events[4];
            EXPECT_EQ(must(poll.poll(events)), 1u);
            EXPECT_FALSE(pair.here.connect(must(pair.here.getsockname())).has_value());
        }
        EXPECT_FALSE(socket(AF_INET, 12345).has_value());
        Socket refused = must(socket());
        EXPECT_EQ(refused.connect(Refusing().address).error(), Error(ECONNREFUSED));
        EXPECT_FALSE(getaddrinfo("127.0.0.1", "no-such-service").has_value());
    };
    everything();
    const std::size_t before = open_descriptors();
    for (int i = 0; i < 20; ++i) everything();
    EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace usocket::tests
