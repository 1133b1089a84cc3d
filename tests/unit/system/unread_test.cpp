// TIME-6 TIME-7 TIME-8 TIME-10 STRM-5: unread bytes have one order, whatever flags a call has and whatever ends it.
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <string>
#include <vector>

#include "background.hpp"
#include "loopback.hpp"
#include "scripted_host.hpp"
#include "signals.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

class Unread : public ::testing::TestWithParam<bool> {
protected:
    // Leaves the bytes with the socket, which must be waiting for more.
    void keep(std::string_view bytes) {
        must(pair_.here.settimeout(5ms));
        must(pair_.there.write(bytes));
        while (!pair_.here.has_kept()) {
            EXPECT_EQ(pair_.here.read(bytes.size() + 1).error(), Error(ETIMEDOUT));
        }
        must(pair_.here.settimeout(10s));
    }

    Pair pair_ = GetParam() ? tcp_pair() : unix_pair();
};
INSTANTIATE_TEST_SUITE_P(Unread, Unread, ::testing::Bool(), [](const auto& one) { return one.param ? "tcp" : "unix"; });

TEST_P(Unread, TIME_6_timeouts_one_after_the_other_lose_nothing) {
    const std::size_t size = 8 << 20;
    std::string all(size, '\0');
    for (std::size_t i = 0; i < size; ++i) all[i] = static_cast<char>(i * 2654435761u >> 24);
    Background writer([&] {
        must(pair_.there.write(all));
        must(pair_.there.shutdown(SHUT_WR));
    });
    std::string got;
    for (bool is_over = false; !is_over;) {
        must(pair_.here.settimeout(std::chrono::microseconds(50 + got.size() % 900)));
        const auto read = pair_.here.read(size / 3);
        if (!read) {
            EXPECT_EQ(read.error(), Error(ETIMEDOUT));
            continue;
        }
        is_over = read->empty();
        got += read->view();
    }
    EXPECT_TRUE(got == all);
}

TEST_P(Unread, TIME_6_a_flag_does_not_change_the_order) {
    keep("kept ");
    must(pair_.there.write("queued"));
    EXPECT_EQ(must(pair_.here.recv(3, MSG_NOSIGNAL)).view(), "kep");
    EXPECT_EQ(must(pair_.here.recv(4, MSG_WAITALL)).view(), "t qu");
    EXPECT_EQ(must(pair_.here.recv(4, MSG_WAITALL)).view(), "eued");
}

TEST_P(Unread, TIME_6_a_peek_shows_what_is_kept_and_what_is_behind_it) {
    keep("kept ");
    must(pair_.there.write("queued"));
    while (must(pair_.here.recv(100, MSG_PEEK)).size() != 11) std::this_thread::yield();
    EXPECT_EQ(must(pair_.here.recv(100, MSG_PEEK)).view(), "kept queued");
    EXPECT_EQ(must(pair_.here.recv(7, MSG_PEEK | MSG_WAITALL)).view(), "kept qu");
    EXPECT_EQ(must(pair_.here.read(11)).view(), "kept queued");
}

TEST_P(Unread, TIME_6_MSG_WAITALL_keeps_its_part_when_time_is_up) {
    must(pair_.here.settimeout(5ms));
    must(pair_.there.write("abc"));
    EXPECT_EQ(pair_.here.recv(5, MSG_WAITALL).error(), Error(ETIMEDOUT));
    EXPECT_EQ(must(pair_.here.recv(5)).view(), "abc");
}

TEST(UnreadTcp, TIME_6_another_connection_is_another_stream) {
    Address address;
    Socket server = listener(address);
    Socket client = must(socket());
    must(client.connect(address));
    Socket first = std::move(must(server.accept()).socket);
    must(first.write("old 1\nold 2\nold 3\nold"));
    EXPECT_EQ(must(client.readline()).view(), "old 1\n");
    EXPECT_EQ(must(client.readline()).view(), "old 2\n");
    sockaddr nobody{};
    nobody.sa_family = AF_UNSPEC;
    const Address unspecified = must(Address::from_native(ConstBuffer(&nobody, sizeof nobody)));
    must(client.connect(unspecified));
    must(client.connect(address));
    Socket second = std::move(must(server.accept()).socket);
    must(second.write("new 1\nnew 2\n"));
    EXPECT_EQ(must(client.readline()).view(), "new 1\n");
    EXPECT_EQ(must(client.readline()).view(), "new 2\n");
}

// --- TIME-7

void set_span(Socket& socket, int name, int milliseconds) {
    const timeval span{0, milliseconds * 1000};
    must(socket.setsockopt(SOL_SOCKET, name, ConstBuffer(&span, sizeof span)));
}

TEST_P(Unread, TIME_7_SO_RCVTIMEO_holds_on_a_blocking_socket) {
    set_span(pair_.here, SO_RCVTIMEO, 20);
    char room[10];
    EXPECT_EQ(pair_.here.recv(1).error(), Error(EAGAIN));
    EXPECT_EQ(pair_.here.recvfrom(1).error(), Error(EAGAIN));
    EXPECT_EQ(pair_.here.recv_into(room).error(), Error(EAGAIN));
    EXPECT_EQ(pair_.here.read(1).error(), Error(EAGAIN));
    EXPECT_EQ(pair_.here.readline().error(), Error(EAGAIN));
    EXPECT_EQ(pair_.here.readinto(room).error(), Error(EAGAIN));
    Background other([] {});  // with more than one thread, too
    EXPECT_EQ(pair_.here.recv(1).error(), Error(EAGAIN));
    (void)pair_.here.fileno();
    EXPECT_EQ(pair_.here.recv(1).error(), Error(EAGAIN));
    EXPECT_EQ(pair_.here.readline().error(), Error(EAGAIN));
}

TEST_P(Unread, TIME_7_SO_SNDTIMEO_holds_on_a_blocking_socket) {
    set_span(pair_.here, SO_SNDTIMEO, 20);
    const std::string block(1 << 20, 'x');
    for (int i = 0; i < 100; ++i) {
        const auto sent = pair_.here.send(block);
        if (sent) continue;
        EXPECT_EQ(sent.error(), Error(EAGAIN));
        EXPECT_EQ(pair_.here.sendall(block).error(), Error(EAGAIN));
        return;
    }
    FAIL() << "nobody reads, and all could be sent";
}

// STRM-4, TIME-10: a blocking write() that is short of all has failed, and says how much went out.
TEST_P(Unread, TIME_7_STRM_4_a_write_that_SO_SNDTIMEO_ends_is_an_error_with_its_count) {
    set_span(pair_.here, SO_SNDTIMEO, 20);
    const std::string block(64 << 20, 'x');
    std::size_t sent = 0;
    EXPECT_EQ(pair_.here.write(block, sent).error(), Error(EAGAIN));
    EXPECT_GT(sent, 0u);
    EXPECT_LT(sent, block.size());
    EXPECT_EQ(pair_.here.write(block).error(), Error(EAGAIN));
    must(pair_.here.setblocking(false));
    must(pair_.there.settimeout(10s));
    for (std::size_t taken = 0; taken < sent;) taken += must(pair_.there.recv(1 << 20)).size();
    await_event(pair_.here, POLLOUT);
    EXPECT_GT(must(pair_.here.write(block)), 0u) << "non-blocking the count is the result (TIME-4)";
}

template <class Call> void takes_less_than_twice(Call call) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(call().error(), Error(EAGAIN));
    const auto passed = std::chrono::steady_clock::now() - start;
    EXPECT_GE(passed, 900ms);
    EXPECT_LT(passed, 1900ms);
}

// Over the system's own calls, which hide it behind a part of what is wanted; own_timeout_test.cpp is exact about it.
TEST_P(Unread, TIME_7_a_part_that_moved_does_not_double_them) {
    Pair other = GetParam() ? tcp_pair() : unix_pair();
    must(pair_.here.setsockopt(SOL_SOCKET, SO_RCVTIMEO, timeval{1, 0}));
    must(other.here.setsockopt(SOL_SOCKET, SO_SNDTIMEO, timeval{1, 0}));
    must(pair_.there.write("abc"));
    const std::string block(16 << 20, 'x');
    Background writer([&] { takes_less_than_twice([&] { return other.here.write(block); }); });
    takes_less_than_twice([&] { return pair_.here.read(10); });
}

// As a non-blocking one, the attempt goes on.
TEST(UnreadTcp, TIME_7_SO_SNDTIMEO_holds_for_connect) {
    Address address;
    Socket server = listener(address);
    must(server.listen(0));
    const auto connecting = [&] {
        Socket socket = must(usocket::socket());
        must(socket.setsockopt(SOL_SOCKET, SO_SNDTIMEO, timeval{0, 20'000}));
        return socket.connect(address).error();
    };
    std::vector<Socket> waiting;  // until there is no room for another
    for (Error error; error != Error(EINPROGRESS);) {
        waiting.push_back(must(usocket::socket()));
        must(waiting.back().setsockopt(SOL_SOCKET, SO_SNDTIMEO, timeval{0, 20'000}));
        error = waiting.back().connect(address).error();
        ASSERT_TRUE(error == Error() || error == Error(EINPROGRESS)) << error.message();
        ASSERT_LT(waiting.size(), 100u);
    }
    EXPECT_EQ(connecting(), Error(EINPROGRESS));
    Background other([] {});
    EXPECT_EQ(connecting(), Error(EINPROGRESS));
}

// There no attempt goes on.
TEST(UnreadUnix, TIME_7_SO_SNDTIMEO_holds_for_connect) {
    const TemporaryDirectory directory;
    const Address path = must(Address::unix_path(directory.path("a")));
    Socket server = must(Result<Socket>(usocket::listen(path, {.backlog = 0})));
    std::vector<Socket> waiting;
    const auto connecting = [&] {
        Socket& socket = waiting.emplace_back(must(usocket::socket(AF_UNIX, SOCK_STREAM)));
        must(socket.setsockopt(SOL_SOCKET, SO_SNDTIMEO, timeval{0, 20'000}));
        return socket.connect(path).error();
    };
    EXPECT_EQ(connecting(), Error());
    EXPECT_EQ(connecting(), Error(EAGAIN));
    Background other([] {});
    EXPECT_EQ(connecting(), Error(EAGAIN));
    EXPECT_GE(waiting.back().fileno(), 0);
    EXPECT_EQ(waiting.back().connect(path).error(), Error(EAGAIN));
}

TEST(UnreadTcp, TIME_7_SO_RCVTIMEO_holds_for_accept_once) {
    Address address;
    Socket server = listener(address);
    EXPECT_GE(server.fileno(), 0);
    must(server.setsockopt(SOL_SOCKET, SO_RCVTIMEO, timeval{1, 0}));
    Background other([] {});
    takes_less_than_twice([&] { return server.accept(); });
}

TEST(UnreadTcp, TIME_7_SO_RCVTIMEO_holds_for_accept) {
    Address address;
    Socket server = listener(address);
    set_span(server, SO_RCVTIMEO, 20);
    EXPECT_EQ(server.accept().error(), Error(EAGAIN));
}

// A host's handlers make a read begin anew, but not its time.
TEST_P(Unread, TIME_7_TIME_5_SO_RCVTIMEO_holds_whatever_signals_come) {
    set_span(pair_.here, SO_RCVTIMEO, 20);
    char room[10];
    ScriptedHost host;
    host.on_signal = [&] { return host.signals() > 2000; };
    const Signals signals;
    EXPECT_EQ(pair_.here.recv_into(room, 0, Call(host.host())).error(), Error(EAGAIN));
    EXPECT_EQ(pair_.here.readinto(room, Call(host.host())).error(), Error(EAGAIN));
    EXPECT_EQ(pair_.here.readline_into(room, Call(host.host())).error(), Error(EAGAIN));
    EXPECT_EQ(recvfrom_size(pair_.here, room, Call(host.host())).error(), Error(EAGAIN));
}

// --- TIME-8

TEST_P(Unread, TIME_8_a_call_for_one_time_does_not_wait_for_another_reader) {
    Background reader([&] { EXPECT_EQ(must(pair_.here.recv(10)).view(), "end"); });
    reader.await_asleep();
    EXPECT_EQ(pair_.here.recv(1, MSG_DONTWAIT).error(), Error(EAGAIN));
    EXPECT_FALSE(pair_.here.recv(1, MSG_OOB));
    EXPECT_FALSE(reader.has_ended());
    must(pair_.there.write("end"));
}

TEST_P(Unread, TIME_8_an_empty_error_queue_is_not_waited_for) {
    EXPECT_EQ(pair_.here.recv(1, MSG_ERRQUEUE | MSG_DONTWAIT).error(),
              GetParam() ? Error(EAGAIN) : pair_.here.recv(1, MSG_ERRQUEUE | MSG_DONTWAIT).error());
    if (GetParam()) {
        EXPECT_EQ(pair_.here.recv(1, MSG_ERRQUEUE).error(), Error(EAGAIN));
    }
}

// AF_UNIX has no error queue and gives bytes of the stream instead: those that are next.
TEST_P(Unread, TIME_6_MSG_ERRQUEUE_does_not_pass_by_what_is_kept_or_handed_out) {
    must(pair_.there.write("one\ntwo\nthree\n"));
    EXPECT_EQ(must(pair_.here.readline()).view(), "one\n");
    std::string got = std::string(pair_.here.recv(6, MSG_ERRQUEUE).value_or(Bytes()).view());
    must(pair_.here.settimeout(10s));
    must(pair_.there.shutdown(SHUT_WR));
    got += must(pair_.here.read()).view();
    EXPECT_EQ(got, "two\nthree\n");
}

// What had come when the descriptor's own timeout expired is not lost and not taken for the end.
TEST_P(Unread, TIME_7_an_unfinished_read_is_EAGAIN_and_loses_nothing) {
    set_span(pair_.here, SO_RCVTIMEO, 20);
    must(pair_.there.write("abc"));
    EXPECT_EQ(pair_.here.read(10).error(), Error(EAGAIN));
    EXPECT_EQ(pair_.here.readline().error(), Error(EAGAIN));
    EXPECT_EQ(must(pair_.here.read(3)).view(), "abc");
}

// --- TIME-10

TEST_P(Unread, TIME_10_a_span_that_is_used_up_is_a_deadline_that_has_passed) {
    must(pair_.here.settimeout(-1s));
    EXPECT_EQ(pair_.here.recv(1).error(), Error(ETIMEDOUT));
    must(pair_.here.settimeout(0s));
    EXPECT_EQ(pair_.here.read(1).error(), Error(ETIMEDOUT));
    must(pair_.there.write("x"));
    await_bytes(pair_.here, 1);
    EXPECT_EQ(must(pair_.here.recv(1)).view(), "x");
    must(pair_.here.settimeout(Timeout::zero()));
    EXPECT_EQ(pair_.here.recv(1).error(), Error(EAGAIN));
}

// One deadline for several calls, whatever the socket's timeout is.
TEST_P(Unread, TIME_10_a_deadline_ends_all_calls_that_are_given_it) {
    char room[4];
    for (const Timeout timeout : {Timeout::none(), Timeout::zero(), Timeout(10s)}) {
        must(pair_.here.settimeout(timeout));
        const Deadline deadline = Deadline::after(30ms);
        must(pair_.there.write("ab"));
        EXPECT_EQ(must(pair_.here.recv_into(MutableBuffer(room, 2), 0, Call(deadline))), 2u);
        EXPECT_EQ(pair_.here.recv_into(room, 0, Call(deadline)).error(), Error(ETIMEDOUT));
        EXPECT_EQ(pair_.here.readinto(room, Call(deadline)).error(), Error(ETIMEDOUT));
        EXPECT_EQ(pair_.here.recv(4, 0, deadline).error(), Error(ETIMEDOUT));
        EXPECT_EQ(pair_.here.recvfrom(4, 0, deadline).error(), Error(ETIMEDOUT));
        EXPECT_EQ(pair_.here.read(deadline).error(), Error(ETIMEDOUT));
        EXPECT_EQ(pair_.here.read(4, deadline).error(), Error(ETIMEDOUT));
        EXPECT_EQ(pair_.here.readline(deadline).error(), Error(ETIMEDOUT));
        EXPECT_EQ(pair_.here.readline(4, deadline).error(), Error(ETIMEDOUT));
        EXPECT_EQ(deadline.remaining(), Timeout::passed());
    }
}

TEST_P(Unread, TIME_10_what_comes_within_a_deadline_is_there) {
    const Deadline deadline = Deadline::after(1h);
    must(pair_.there.write("abcd\nefgh\nij"));
    EXPECT_EQ(must(pair_.here.recv(2, 0, deadline)).view(), "ab");
    EXPECT_EQ(must(pair_.here.readline(deadline)).view(), "cd\n");
    EXPECT_EQ(must(pair_.here.readline(2, deadline)).view(), "ef");
    EXPECT_EQ(must(pair_.here.read(2, deadline)).view(), "gh");
    EXPECT_EQ(must(pair_.here.recvfrom(1, 0, deadline)).bytes.view(), "\n");
    must(pair_.there.shutdown(SHUT_WR));
    EXPECT_EQ(must(pair_.here.read(deadline)).view(), "ij");
}

TEST_P(Unread, TIME_10_a_write_that_timed_out_says_how_much_went_out) {
    must(pair_.here.settimeout(20ms));
    const std::string block(16 << 20, 'x');
    std::size_t sent = 0;
    EXPECT_EQ(pair_.here.write(block, sent).error(), Error(ETIMEDOUT));
    EXPECT_GT(sent, 0u);
    pair_.here.close();
    EXPECT_EQ(must(pair_.there.read()).size(), sent);
}

// --- STRM-5: the peer's flow control

// Two programs that wait for each other's progress: what readline() has handed out makes room at the sender.
TEST_P(Unread, STRM_5_half_a_window_of_lines_makes_room_at_the_sender) {
    std::string line(999, 'l');
    line += '\n';
    must(pair_.there.setblocking(false));
    std::size_t lines = 0;
    while (pair_.there.send(line).value_or(0u) == line.size()) ++lines;
    for (std::size_t i = 0; i < lines * 9 / 10; ++i) must(pair_.here.readline());
    pollfd sender{pair_.there.fileno(), POLLOUT, 0};
    EXPECT_EQ(::poll(&sender, 1, 10'000), 1);
}

// Nor does one that waits for something else: what the peer says on another connection, once it has got on with this.
TEST_P(Unread, STRM_5_whoever_waits_elsewhere_makes_room_for_what_was_handed_out) {
    std::string line(99, 'l');
    line += '\n';
    for (const bool polls : {false, true}) {
        Pair pair = GetParam() ? tcp_pair() : unix_pair();
        Pair other = unix_pair();
        must(pair.there.setblocking(false));
        std::size_t lines = 0;
        while (pair.there.send(line).value_or(0u) == line.size()) ++lines;
        for (std::size_t i = 0; i < lines / 4; ++i) must(pair.here.readline());
        must(other.here.settimeout(50ms));
        Poll poll;
        must(poll.register_(other.here, POLLIN));
        Poll::Event events[1];
        if (polls) {
            EXPECT_EQ(must(poll.poll(events, Timeout(50ms))), 0u);
        } else {
            EXPECT_EQ(other.here.recv(1).error(), Error(ETIMEDOUT));
        }
        EXPECT_GT(must(pair.there.send(line)), 0u) << polls;
        EXPECT_EQ(must(pair.here.readline()).view(), line);
    }
}

// A call that waits to send does not keep from the peer what was handed out.
TEST_P(Unread, STRM_5_a_write_that_waits_makes_room_for_what_was_handed_out) {
    std::string line(99, 'l');
    line += '\n';
    must(pair_.there.setblocking(false));
    std::size_t lines = 0;
    while (pair_.there.send(line).value_or(0u) == line.size()) ++lines;
    for (std::size_t i = 0; i < lines / 4; ++i) must(pair_.here.readline());
    must(pair_.here.settimeout(200ms));
    EXPECT_EQ(pair_.here.write(std::string(16 << 20, 'x')).error(), Error(ETIMEDOUT));
    EXPECT_EQ(must(pair_.here.recv(99 * lines, MSG_PEEK)).view().substr(0, 3), "lll");
    EXPECT_GT(must(pair_.there.send(line)), 0u);
}

void await_event(Socket& socket, unsigned wanted) {
    Poll poll;
    must(poll.register_(socket, wanted));
    Poll::Event event;
    while (must(poll.poll(&event, 1)) == 0 || (event.events & wanted) == 0) {
    }
}

// What a connection has received and not read when its peer resets it.
Pair reset_pair(std::string_view unread) {
    Pair pair = tcp_pair();
    const linger abort{1, 0};
    must(pair.there.setsockopt(SOL_SOCKET, SO_LINGER, ConstBuffer(&abort, sizeof abort)));
    must(pair.there.write(unread));
    pair.there.close();
    await_event(pair.here, POLLHUP);
    return pair;
}

// TIME-6: as recv(2) has it, also for a host whose handlers longjmp, whose receives note their counts.
TEST(UnreadBeforeAReset, TIME_6_is_read_before_the_reset_is_told) {
    for (const bool unwinds : {false, true}) {
        ScriptedHost host(unwinds);
        const auto call = [&] { return unwinds ? Call(host.host()) : Call(); };
        Pair pair = reset_pair("line\nrest");
        EXPECT_EQ(must(pair.here.readline(call())).view(), "line\n");
        EXPECT_EQ(must(pair.here.read(4, call())).view(), "rest");
        EXPECT_EQ(pair.here.read(1, call()).error(), Error(ECONNRESET));
        EXPECT_EQ(must(pair.here.read(1, call())).size(), 0u);
    }
}

// TIME-6: nor is it told where the peer had ended its stream before: that was whole.
TEST(UnreadBeforeAReset, TIME_6_is_a_whole_stream_if_that_had_ended) {
    for (const bool unwinds : {false, true}) {
        ScriptedHost host(unwinds);
        const auto call = [&] { return unwinds ? Call(host.host()) : Call(); };
        Pair pair = tcp_pair();
        must(pair.there.write("whole"));
        pair.there.close();
        await_event(pair.here, POLLIN);
        must(pair.here.write("x"));  // what nobody takes is answered with a reset
        await_event(pair.here, POLLHUP);
        EXPECT_EQ(must(pair.here.read(2, call())).view(), "wh");
        EXPECT_EQ(must(pair.here.read(10, call())).view(), "ole");
        EXPECT_EQ(must(pair.here.read(1, call())).size(), 0u);
    }
}

// TIME-6: and where a read wants more than that, it is what the next one gets.
TEST(UnreadBeforeAReset, TIME_6_is_not_lost_to_a_read_of_more) {
    for (const bool unwinds : {false, true}) {
        ScriptedHost host(unwinds);
        const auto call = [&] { return unwinds ? Call(host.host()) : Call(); };
        Pair pair = reset_pair("rest");
        EXPECT_EQ(pair.here.read(10, call()).error(), Error(ECONNRESET));
        EXPECT_EQ(must(pair.here.read(10, call())).view(), "rest");
        char byte = 0;
        EXPECT_EQ(must(pair.here.recv_into({&byte, 1}, 0, call())), 0u);
    }
}

}  // namespace
}  // namespace usocket::tests
