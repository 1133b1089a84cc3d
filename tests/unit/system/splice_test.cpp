// CPP-4: one stream moved into another.
#include <signal.h>
#include <sys/socket.h>

#include <string>
#include <thread>
#include <utility>

#include "background.hpp"
#include "loopback.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

std::string pattern(std::size_t size) {
    std::string all(size, '\0');
    for (std::size_t i = 0; i < size; ++i) all[i] = static_cast<char>(i * 2654435761u >> 24);
    return all;
}

// Two pairs of which the one's `here` is moved into the other's: TCP or AF_UNIX, exposed or not.
class Splice : public ::testing::TestWithParam<int> {
protected:
    Splice() {
        if (is_exposed()) {
            (void)from_.here.fileno();
            (void)to_.here.fileno();
        }
    }
    static bool is_exposed() { return (GetParam() & 4) != 0; }
    void feed(const std::string& bytes) { EXPECT_EQ(must(from_.there.write(bytes)), bytes.size()); }

    Pair from_ = (GetParam() & 1) != 0 ? unix_pair() : tcp_pair();
    Pair to_ = (GetParam() & 2) != 0 ? unix_pair() : tcp_pair();
};
INSTANTIATE_TEST_SUITE_P(Splice, Splice, ::testing::Range(0, 8), [](const auto& one) {
    return std::string((one.param & 1) != 0 ? "unix_" : "tcp_") + ((one.param & 2) != 0 ? "unix" : "tcp") +
           ((one.param & 4) != 0 ? "_exposed" : "");
});

TEST_P(Splice, CPP_4_all_of_it_to_the_end) {
    const std::string much = pattern(5'000'000);
    Background feeder([&] {
        feed(much);
        must(from_.there.shutdown(SHUT_WR));
    });
    Background splicer([&] {
        EXPECT_EQ(must(from_.here.splice(to_.here)), much.size());
        must(to_.here.shutdown(SHUT_WR));
    });
    EXPECT_TRUE(must(to_.there.read()).view() == much);
}

TEST_P(Splice, CPP_4_a_part_of_it) {
    feed("0123456789");
    EXPECT_EQ(must(from_.here.splice(to_.here, 4)), 4u);
    EXPECT_EQ(must(from_.here.splice(to_.here, 0)), 0u);
    EXPECT_EQ(must(to_.there.recv(10)).view(), "0123");
    EXPECT_EQ(must(from_.here.recv(10)).view(), "456789");
}

TEST_P(Splice, CPP_4_TIME_6_kept_bytes_go_first) {
    must(from_.here.settimeout(10ms));
    feed("kept ");
    do EXPECT_EQ(from_.here.read(100).error(), Error(ETIMEDOUT));
    while (!from_.here.has_kept() && !is_exposed());  // where others see the queue, it stays there
    feed("and queued");
    EXPECT_EQ(must(from_.here.splice(to_.here, 15)), 15u);
    EXPECT_EQ(must(to_.there.read(15)).view(), "kept and queued");
}

// The other stream takes nothing, and there is nothing for it.
TEST_P(Splice, CPP_4_the_end_is_seen_while_there_is_no_room) {
    fill(to_.here);
    must(from_.there.shutdown(SHUT_WR));
    must(from_.here.settimeout(5s));
    EXPECT_EQ(must(from_.here.splice(to_.here)), 0u);
}

TEST_P(Splice, CPP_4_so_is_a_stream_that_is_not_connected) {
    fill(to_.here);
    Socket from = must(socket((GetParam() & 1) != 0 ? AF_UNIX : AF_INET, SOCK_STREAM));
    must(from.settimeout(5s));
    const int error = from.splice(to_.here).error().code();
    EXPECT_EQ(error, (GetParam() & 1) != 0 ? EINVAL : ENOTCONN) << "as recv() says";
}

// STRM-5: lines that were looked at and not yet handed out are unread.
TEST_P(Splice, CPP_4_STRM_5_what_is_behind_a_line) {
    feed("one\ntwo\nthree\n");
    EXPECT_EQ(must(from_.here.readline()).view(), "one\n");
    EXPECT_EQ(must(from_.here.splice(to_.here, 6)), 6u);
    EXPECT_EQ(must(to_.there.read(6)).view(), "two\nth");
    EXPECT_EQ(must(from_.here.readline()).view(), "ree\n");
}

TEST_P(Splice, CPP_4_TIME_10_a_timeout_says_how_much_went_and_loses_nothing) {
    const std::string much = pattern(20'000'000);
    Background feeder([&] {
        feed(much);
        must(from_.there.shutdown(SHUT_WR));
    });
    must(from_.here.settimeout(20ms));
    std::size_t moved = 0;
    EXPECT_EQ(from_.here.splice(to_.here, Socket::no_limit, moved).error(), Error(ETIMEDOUT));
    EXPECT_LT(moved, much.size());
    EXPECT_TRUE(must(to_.there.read(moved)).view() == std::string_view(much).substr(0, moved));
    EXPECT_EQ(to_.there.poll_now(POLLIN), 0u);
    must(from_.here.settimeout(10s));
    EXPECT_TRUE(must(from_.here.read()).view() == std::string_view(much).substr(moved));
}

TEST_P(Splice, CPP_4_TIME_2_one_deadline_for_a_call) {
    std::size_t moved = 0;
    EXPECT_EQ(from_.here.splice(to_.here, 10, moved, Call(Deadline::after(5ms))).error(), Error(ETIMEDOUT));
    EXPECT_EQ(moved, 0u);
}

TEST_P(Splice, CPP_4_TIME_4_non_blocking_it_says_how_much_went) {
    must(from_.here.setblocking(false));
    EXPECT_EQ(from_.here.splice(to_.here).error(), Error(EAGAIN));
    feed("0123456789");
    await_bytes(from_.here, 10);
    EXPECT_EQ(must(from_.here.splice(to_.here)), 10u);
    EXPECT_EQ(from_.here.splice(to_.here).error(), Error(EAGAIN));
    must(from_.there.shutdown(SHUT_WR));
    await_event(from_.here, POLLIN);
    EXPECT_EQ(must(from_.here.splice(to_.here)), 0u);
}

// STRM-5: where the other has no room, all stays in the queue.
TEST_P(Splice, CPP_4_STRM_5_nothing_is_taken_that_finds_no_room) {
    fill(to_.here);
    feed("0123456789");
    await_bytes(from_.here, 10);
    must(from_.here.setblocking(false));
    EXPECT_EQ(from_.here.splice(to_.here).error(), Error(EAGAIN));
    EXPECT_FALSE(from_.here.has_kept());
    EXPECT_EQ(must(from_.here.recv(20)).view(), "0123456789");
}

TEST_P(Splice, CPP_4_SOCK_2_a_broken_connection_is_EPIPE_and_no_signal) {
    const std::string some = pattern(100'000);
    Background feeder([&] { feed(some); });
    must(to_.here.shutdown(SHUT_WR));
    std::size_t moved = 0;
    EXPECT_EQ(from_.here.splice(to_.here, some.size(), moved).error(), Error(EPIPE));  // SIGPIPE would end the test
    EXPECT_EQ(moved, 0u);
    EXPECT_TRUE(must(from_.here.read(some.size())).view() == some) << "nothing is lost (TIME-6)";
}

TEST_P(Splice, CPP_4_into_itself_is_an_echo) {
    feed("hello");
    EXPECT_EQ(must(from_.here.splice(from_.here, 5)), 5u);
    EXPECT_EQ(must(from_.there.read(5)).view(), "hello");
}

// The urgent byte comes once a block has filled what is copied, so that the system does the moving. What it is then.
void splice_over_a_mark(Pair from, bool is_inline, bool is_nonblocking) {
    const std::string part = pattern(200'000);
    Pair to = tcp_pair();
    must(from.here.setsockopt(SOL_SOCKET, SO_OOBINLINE, is_inline ? 1 : 0));
    must(from.here.settimeout(is_nonblocking ? Timeout::zero() : Timeout(10s)));
    Background feeder([&] {
        must(from.there.sendall(part));
        must(from.there.send("!", MSG_OOB));
        must(from.there.sendall(part));
        // Its end is not in the way of what the system says before it.
        EXPECT_EQ(must(from.there.recv(1)).view(), ".");
        must(from.there.sendall(part));
        must(from.there.shutdown(SHUT_WR));
    });
    const std::string expected = part + (is_inline ? "!" : "") + part;
    Background taker([&] {
        EXPECT_TRUE(must(to.there.read(expected.size())).view() == expected);
        must(from.here.send("."));
        EXPECT_TRUE(must(to.there.read(part.size())).view() == part);
    });
    std::size_t all = 0;
    for (bool has_ended = false; !has_ended;) {
        std::size_t moved = 0;
        const auto done = from.here.splice(to.here, Socket::no_limit, moved);
        all += moved;
        has_ended = done ? !is_nonblocking || moved == 0 : done.error() != Error(EAGAIN);
        EXPECT_TRUE(done || is_nonblocking) << done.error().message();
        if (is_nonblocking && !has_ended) std::this_thread::yield();
    }
    EXPECT_EQ(all, expected.size() + part.size());
    to.here.close();
    from.here.close();
}

TEST(Splicing, CPP_4_STRM_1_TIME_6_an_urgent_byte_is_not_the_end) {
    for (const bool is_inline : {false, true}) {
        for (const bool is_nonblocking : {false, true}) {
            splice_over_a_mark(tcp_pair(), is_inline, is_nonblocking);
            Pair pair = unix_pair();
            if (pair.there.send("!", MSG_OOB)) splice_over_a_mark(unix_pair(), is_inline, is_nonblocking);
        }
    }
}

// It breaks in the middle, where the system does the moving.
TEST(Splicing, CPP_4_SOCK_2_a_connection_that_breaks_in_the_middle) {
    const std::string block = pattern(1'000'000);
    for (int round = 0; round < 5; ++round) {
        Pair from = tcp_pair();
        Pair to = tcp_pair();
        must(to.there.shutdown(SHUT_WR));  // the system then says EPIPE, with the signal
        Background feeder([&] {
            while (from.there.write(block)) {
            }
        });
        Background splicer([&] {
            const Error error = from.here.splice(to.here).error();
            EXPECT_TRUE(error == Error(EPIPE) || error == Error(ECONNRESET)) << error.message();
            sigset_t pending;
            ::sigpending(&pending);
            EXPECT_EQ(::sigismember(&pending, SIGPIPE), 0);
            from.here.close();
        });
        (void)must(to.there.read(3'000'000));
        to.there.close();
    }
}

// Its success means the end of the stream.
TEST(Splicing, CPP_4_TIME_7_SO_RCVTIMEO_ends_it_with_EAGAIN) {
    Pair from = tcp_pair();
    Pair to = tcp_pair();
    must(from.here.setsockopt(SOL_SOCKET, SO_RCVTIMEO, timeval{0, 20'000}));
    must(from.there.write("abc"));
    std::size_t moved = 0;
    EXPECT_EQ(from.here.splice(to.here, SIZE_MAX, moved).error(), Error(EAGAIN));
    EXPECT_EQ(moved, 3u);
}

TEST(Splicing, CPP_4_into_one_that_is_not_connected) {
    Pair from = tcp_pair();
    must(from.there.write("abc"));
    auto listener = usocket::listen("127.0.0.1:0");
    ASSERT_TRUE(listener);
    EXPECT_NE(from.here.splice(*listener).error(), Error());
    EXPECT_EQ(must(from.here.recv(10)).view(), "abc");
}

TEST(Splicing, CPP_4_messages_are_EINVAL_and_closed_sockets_EBADF) {
    Pair datagrams = udp_pair();
    Pair stream = tcp_pair();
    EXPECT_EQ(datagrams.here.splice(stream.here).error(), Error(EINVAL));
    EXPECT_EQ(stream.here.splice(datagrams.here).error(), Error(EINVAL));
    Socket closed;
    EXPECT_EQ(closed.splice(stream.here).error(), Error(EBADF));
    EXPECT_EQ(stream.here.splice(closed).error(), Error(EBADF));
    const Host host;
    std::size_t moved = 0;
    EXPECT_EQ(stream.here.splice(stream.here, 1, moved, Call(host)).error(), Error(EOPNOTSUPP));
}

}  // namespace
}  // namespace usocket::tests
