// CPP-1: a socket that moves takes along what it has received, what it shows and who watches it (STRM-5, TIME-6,
// POLL-5).
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "loopback.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

class Move : public ::testing::TestWithParam<const char*> {
protected:
    Pair pair_ = std::string(GetParam()) == "tcp" ? tcp_pair() : unix_pair();
};
INSTANTIATE_TEST_SUITE_P(Families, Move, ::testing::Values("tcp", "unix"),
                         [](const auto& one) { return std::string(one.param); });

TEST_P(Move, Cpp1TheOldOneIsClosed) {
    must(pair_.here.settimeout(Timeout(3s)));
    Socket moved = std::move(pair_.here);
    EXPECT_TRUE(pair_.here.closed());
    EXPECT_EQ(pair_.here.recv(1).error(), Error(EBADF));
    EXPECT_EQ(pair_.here.fileno(), -1);
    EXPECT_FALSE(moved.closed());
    EXPECT_EQ(moved.gettimeout(), Timeout(3s));
    must(pair_.there.send("x"));
    EXPECT_EQ(must(moved.read(1)).view(), "x");
    must(moved.send("y"));
    EXPECT_EQ(must(pair_.there.read(1)).view(), "y");
}

TEST_P(Move, Cpp1AssignmentClosesWhatWasThere) {
    Pair other = unix_pair();
    pair_.here = std::move(other.here);
    EXPECT_EQ(must(pair_.there.read()).size(), 0u);
    must(other.there.send("x"));
    EXPECT_EQ(must(pair_.here.read(1)).view(), "x");
}

// STRM-5: with a window open; the queue is read by the next owner.
TEST_P(Move, Strm5WithAnOpenWindow) {
    must(pair_.there.send("one\ntwo\nthree\nfour\n"));
    EXPECT_EQ(must(pair_.here.readline()).view(), "one\n");
    Socket moved = std::move(pair_.here);
    EXPECT_EQ(must(moved.readline()).view(), "two\n");
    Socket again;
    again = std::move(moved);
    EXPECT_EQ(must(again.recv(3)).view(), "thr");
    EXPECT_EQ(must(again.readline()).view(), "ee\n");
    char rest[16];
    const int fd = again.fileno();
    EXPECT_EQ(::recv(fd, rest, sizeof rest, MSG_DONTWAIT), 5);
}

TEST_P(Move, Strm5WindowsThatMoveDoNotRunOut) {
    std::vector<Socket> sockets;
    for (int i = 0; i < 40; ++i) {
        Pair pair = unix_pair();
        must(pair.there.send("a\nb\nc\n"));
        EXPECT_EQ(must(pair.here.readline()).view(), "a\n");
        sockets.push_back(std::move(pair.here));
    }
    for (Socket& socket : sockets) {
        EXPECT_EQ(must(socket.readline()).view(), "b\n");
        int queued = 0;
        ASSERT_EQ(::ioctl(socket.fileno(), FIONREAD, &queued), 0);
        EXPECT_EQ(queued, 2);
    }
}

TEST_P(Move, Time6WithKeptBytes) {
    must(pair_.here.settimeout(Timeout(5ms)));
    must(pair_.there.send("half"));
    EXPECT_EQ(pair_.here.read(100).error(), Error(ETIMEDOUT));
    Socket moved = std::move(pair_.here);
    EXPECT_EQ(moved.poll_now(POLLIN), unsigned{POLLIN});
    EXPECT_EQ(must(moved.recv(10)).view(), "half");
    EXPECT_EQ(moved.poll_now(POLLIN), 0u);
}

TEST_P(Move, Poll5WhileRegistered) {
    Poll poll;
    int tag = 0;
    must(poll.register_(pair_.here, POLLIN, &tag));
    Socket moved = std::move(pair_.here);
    Poll::Event events[2];
    must(pair_.there.send("half"));
    ASSERT_EQ(must(poll.poll(events)), 1u);
    EXPECT_EQ(events[0].userdata, &tag);
    must(moved.settimeout(Timeout(5ms)));
    EXPECT_EQ(moved.read(100).error(), Error(ETIMEDOUT));
    ASSERT_EQ(must(poll.poll(events)), 1u);
    EXPECT_EQ(events[0].events, unsigned{POLLIN});
    must(poll.modify(moved, POLLOUT));
    moved.close();
    ASSERT_EQ(must(poll.poll(events)), 1u);
    EXPECT_EQ(events[0].events, unsigned{POLLHUP | POLLNVAL});
    must(poll.unregister(moved));
}

}  // namespace
}  // namespace usocket::tests
