// TIME-9 SOCK-4 STRM-5: several holders of one descriptor. Nobody's call changes what the others share, or trusts it.
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>

#include "background.hpp"
#include "descriptor.hpp"
#include "loopback.hpp"
#include "scripted_host.hpp"
#include "signals.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

int queued(int fd) {
    int count = 0;
    EXPECT_EQ(::ioctl(fd, FIONREAD, &count), 0);
    return count;
}

bool is_nonblocking(int fd) { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0; }

class Holders : public ::testing::TestWithParam<bool> {
protected:
    Pair pair_ = GetParam() ? tcp_pair() : unix_pair();
};
INSTANTIATE_TEST_SUITE_P(Holders, Holders, ::testing::Bool(),
                         [](const auto& one) { return one.param ? "tcp" : "unix"; });

// While one holder waits in a read, another sees what has come, and the options are what they were.
TEST_P(Holders, TIME_9_a_read_that_waits_leaves_others_as_they_are) {
    Socket other = must(pair_.here.dup());
    must(other.settimeout(10s));
    const int fd = other.fileno();
    const int flags = ::fcntl(fd, F_GETFL);
    std::string got;
    Background reader([&] { got = must(pair_.here.read(1000)).view(); });
    reader.await_asleep();
    must(pair_.there.write(std::string(100, 'a')));
    while (!shows_input(fd)) std::this_thread::yield();
    EXPECT_EQ(must(other.getsockopt(SOL_SOCKET, SO_RCVLOWAT)), 1);
    EXPECT_EQ(::fcntl(fd, F_GETFL), flags);
    EXPECT_EQ(must(other.recv(40)).size(), 40u);
    must(pair_.there.write(std::string(940, 'b')));
    reader.join();
    EXPECT_EQ(got, std::string(60, 'a') + std::string(940, 'b'));
    EXPECT_EQ(must(other.getsockopt(SOL_SOCKET, SO_RCVLOWAT)), 1);
}

// An unfinished read leaves all that it saw in the queue.
TEST_P(Holders, STRM_5_an_unfinished_read_takes_nothing) {
    const int fd = pair_.here.fileno();
    must(pair_.here.settimeout(5ms));
    must(pair_.there.write(std::string(600, 'x')));
    while (queued(fd) != 600) std::this_thread::yield();
    EXPECT_EQ(pair_.here.read(1000).error(), Error(ETIMEDOUT));
    EXPECT_EQ(queued(fd), 600);
    EXPECT_EQ(pair_.here.readline(5000).error(), Error(ETIMEDOUT));
    EXPECT_EQ(queued(fd), 600);
    EXPECT_EQ(pair_.here.read().error(), Error(ETIMEDOUT));
    EXPECT_EQ(queued(fd), 600);
    EXPECT_FALSE(pair_.here.has_kept());
}

// Its queue takes at most so much.
Pair small_tcp_pair(int size) {
    Socket server = must(socket());
    must(server.setsockopt(SOL_SOCKET, SO_RCVBUF, size));
    must(server.bind(any_port()));
    must(server.listen(1));
    Pair pair;
    pair.there = must(socket());
    must(pair.there.connect(must(server.getsockname())));
    pair.here = std::move(must(server.accept()).socket);
    return pair;
}

Pair small_unix_pair(int size) {
    Pair pair = unix_pair();
    must(pair.there.setsockopt(SOL_SOCKET, SO_SNDBUF, size));
    return pair;
}

// A queue too small for what is wanted: the read makes progress, and what it leaves can be seen.
TEST_P(Holders, TIME_9_a_small_queue_makes_progress_and_is_not_deaf) {
    for (const int size : {2048, 4096, 8192}) {
        Pair pair = GetParam() ? small_tcp_pair(size) : small_unix_pair(size);
        const int fd = pair.here.fileno();
        must(pair.here.settimeout(20ms));
        must(pair.there.write(std::string(600, 'x')));
        await_bytes(pair.here, 600);
        EXPECT_EQ(pair.here.read(100'000).error(), Error(ETIMEDOUT));
        EXPECT_TRUE(shows_input(fd)) << size;
        must(pair.here.settimeout(10s));
        Background writer([&] { must(pair.there.write(std::string(20'000, 'y'))); });
        EXPECT_EQ(must(pair.here.read(20'600)).view(), std::string(600, 'x') + std::string(20'000, 'y'));
    }
}

// How long a transfer through a small queue takes by the system's own calls.
std::chrono::steady_clock::duration time_of_transfer(Pair& pair, std::size_t size) {
    const auto start = std::chrono::steady_clock::now();
    Background writer([&] { must(pair.there.write(std::string(size, 'x'))); });
    std::string room(size, '\0');
    EXPECT_EQ(::recv(pair.here.fileno(), room.data(), size, MSG_WAITALL), static_cast<ssize_t>(size));
    return std::chrono::steady_clock::now() - start;
}

// STRM-1: a queue that is full again and again is not waited for each time. With a pause for each of its fillings this
// would take twice as long as it may.
TEST(HoldersTcp, TIME_9_a_long_read_through_a_small_queue_makes_no_pauses) {
    constexpr std::size_t size = std::size_t{4} << 20;
    Pair pair = small_tcp_pair(8192);
    const int fd = pair.here.fileno();
    must(pair.here.settimeout(3s + 4 * time_of_transfer(pair, size)));
    {
        Background writer([&] { must(pair.there.write(std::string(size, 'x'))); });
        EXPECT_EQ(must(pair.here.read(size)).size(), size);
    }
    must(pair.there.write("there"));
    must(pair.here.settimeout(20ms));
    EXPECT_EQ(pair.here.read(1000).error(), Error(ETIMEDOUT));
    EXPECT_EQ(queued(fd), 5) << "what the queue holds is left there, as before";
}

// TIME-5 TIME-6: whichever comes first, a handler that raises has the last word.
TEST(HoldersTcp, TIME_5_TIME_6_a_handler_that_raises_as_the_deadline_passes) {
    // Somewhere among these the queue is nearly full, and the read about to take what there is.
    for (std::size_t size = 1500; size < 66'000; size += size < 9000 ? 1500 : 8000) {
        Pair pair = tcp_pair();
        if (size < 9000) must(pair.here.setsockopt(SOL_SOCKET, SO_RCVBUF, 8192));
        (void)pair.here.fileno();
        must(pair.there.settimeout(20ms));
        std::size_t sent = 0;
        (void)pair.there.write(std::string(size, 'x'), sent);
        must(pair.here.settimeout(30ms));
        std::string room(200'000, ' ');
        ScriptedHost host;
        host.on_signal = [] {
            std::this_thread::sleep_for(50ms);
            return true;
        };
        Error error(ETIMEDOUT);
        // On a busy machine no signal may come before the deadline.
        for (int i = 0; i < 20 && error == Error(ETIMEDOUT) && host.signals() == 0; ++i) {
            const Signals signals(5ms);
            error = pair.here.readinto(room, Call(host.host())).error();
        }
        EXPECT_EQ(error, Error(EINTR)) << size;
        EXPECT_EQ(host.given_up(), 1u) << size;
        must(pair.here.settimeout(10s));
        EXPECT_EQ(must(pair.here.read(sent)).size(), sent) << size;
    }
}

// AF_UNIX does not tell that the sender is blocked: calls that are too short to find out do so together.
TEST(HoldersUnix, TIME_9_STRM_1_reads_with_short_timeouts_get_on_though_the_queue_is_full) {
    Pair pair = unix_pair();
    (void)pair.here.fileno();
    constexpr std::size_t many = 1500;
    Background peer([&] {
        for (std::size_t i = 0; i < many; ++i) must(pair.there.send("x"));
    });
    must(pair.here.settimeout(100ms));
    std::size_t calls = 0;
    while (!pair.here.read(many)) ASSERT_LT(++calls, 40u);
    EXPECT_GT(calls, 5u);
}

// A piece holds the sender's memory until its last byte is gone, which short calls leave in the queue.
TEST(HoldersUnix, TIME_9_STRM_1_the_same_of_few_large_pieces) {
    Pair pair = unix_pair();
    (void)pair.here.fileno();
    must(pair.there.setsockopt(SOL_SOCKET, SO_SNDBUF, 2000));
    constexpr std::size_t size = 4000, many = 5;
    Background peer([&] {
        for (std::size_t i = 0; i < many; ++i) must(pair.there.sendall(std::string(size, 'x')));
    });
    must(pair.here.settimeout(200ms));
    std::size_t calls = 0;
    while (!pair.here.read(size * many)) ASSERT_LT(++calls, 60u);
}

// Linux lets a sender go on once three quarters of what it may send at once have left the queue.
TEST(HoldersUnix, STRM_1_much_is_read_as_it_comes) {
    Pair pair = unix_pair();
    (void)pair.here.fileno();
    constexpr std::size_t size = 1 << 20, many = 10;
    Background peer([&] {
        for (std::size_t i = 0; i < many; ++i) must(pair.there.write(std::string(size, 'x')));
    });
    const Deadline deadline = Deadline::after(5s);  // a second for each, where a full queue is guessed at
    for (std::size_t i = 0; i < many; ++i) ASSERT_EQ(must(pair.here.read(size, deadline)).size(), size);
}

// The system does not show a reader that sleeps in it fewer bytes than SO_RCVLOWAT.
TEST_P(Holders, TIME_9_a_line_that_is_there_is_returned_whatever_SO_RCVLOWAT_is) {
    must(pair_.here.setsockopt(SOL_SOCKET, SO_RCVLOWAT, 120));
    must(pair_.there.write("hello\n"));
    EXPECT_EQ(must(pair_.here.readline()).view(), "hello\n");
    must(pair_.there.write("hello\nworld\n"));
    EXPECT_EQ(must(pair_.here.readline()).view(), "hello\n");
    EXPECT_EQ(must(pair_.here.read(6)).view(), "world\n");
}

TEST(HoldersTcp, TIME_9_accept_holds_its_deadline_though_another_holder_blocks) {
    Address address;
    Socket server = listener(address);
    must(server.settimeout(20ms));
    Socket other = must(server.dup());
    must(other.settimeout(std::nullopt));
    EXPECT_EQ(server.accept().error(), Error(ETIMEDOUT));
}

TEST(HoldersTcp, TIME_9_connect_holds_its_deadline_though_another_holder_blocks) {
    Address address;
    Socket server = listener(address, 0);
    std::vector<Socket> waiting;  // the handshakes of those that find the backlog full do not end
    for (;;) {
        Socket client = must(socket());
        must(client.settimeout(20ms));
        Socket other = must(client.dup());
        must(other.settimeout(std::nullopt));
        const auto connected = client.connect(address);
        if (!connected) {
            EXPECT_EQ(connected.error(), Error(ETIMEDOUT));
            break;
        }
        ASSERT_LT(waiting.size(), 100u);
        waiting.push_back(std::move(client));
    }
}

// The system would not return fewer bytes than that to whoever sleeps in it.
TEST_P(Holders, TIME_9_a_call_without_a_timeout_is_not_deaf_either) {
    Socket other = must(pair_.here.dup());
    must(other.setsockopt(SOL_SOCKET, SO_RCVLOWAT, 1000));
    must(pair_.there.write("abcdef"));
    EXPECT_EQ(must(pair_.here.recv(2000)).view(), "abcdef");
    must(pair_.there.write("abcdef"));
    char room[2000];
    const std::array<MutableBuffer, 1> pieces{MutableBuffer(room)};
    EXPECT_EQ(must(pair_.here.recvmsg_into(pieces)).size, 6u);
    must(pair_.there.write("abcdef"));
    EXPECT_EQ(must(pair_.here.recvfrom(2000)).bytes.view(), "abcdef");
}

// TCP alone counts bytes in a poll; on AF_UNIX there is nothing to overlook.
TEST_P(Holders, TIME_9_a_poll_is_not_deaf_for_what_another_holder_sets) {
    Socket other = must(pair_.here.dup());
    must(other.setsockopt(SOL_SOCKET, SO_RCVLOWAT, 1000));
    Poll poll;
    must(poll.register_(pair_.here, POLLIN));
    EXPECT_EQ(pair_.here.poll_now(POLLIN), 0u);
    must(pair_.there.write("abc"));
    await_bytes(pair_.here, 3);
    EXPECT_EQ(pair_.here.poll_now(POLLIN), unsigned{POLLIN});
    for (int round = 0; round < 3; ++round) {
        Poll::Event events[2];
        ASSERT_EQ(must(poll.poll(events, Timeout(10s))), 1u);
        EXPECT_EQ(events[0].events, unsigned{POLLIN});
    }
    EXPECT_EQ(must(pair_.here.recv(10)).view(), "abc");
    Poll::Event events[2];
    EXPECT_EQ(must(poll.poll(events, Timeout(200ms))), 0u);
    EXPECT_EQ(pair_.here.poll_now(POLLIN), 0u);
}

// TIME-6: a child of fork has waited for itself alone. What its parent has waited makes nothing old enough to be taken,
// which would be lost with the child.
TEST_P(Holders, TIME_6_a_child_does_not_go_on_with_its_parents_wait) {
    must(pair_.there.send("less than is wanted"));
    const int fd = pair_.here.fileno();
    must(pair_.here.settimeout(700ms));
    EXPECT_EQ(pair_.here.read(100).error(), Error(ETIMEDOUT));
    ASSERT_EQ(queued(fd), 19);
    must(pair_.here.settimeout(600ms));
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(pair_.here.read(100).error() == Error(ETIMEDOUT) ? 0 : 1);
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(queued(fd), 19);
}

// A child of fork holds every socket, and nothing says so to the poll.
TEST(HoldersTcp, TIME_9_a_poll_is_not_deaf_for_what_a_child_sets) {
    Pair pair = tcp_pair();
    Poll poll;
    must(poll.register_(pair.here, POLLIN));
    const int fd = hidden_fileno(pair.here);
    const pid_t child = ::fork();
    if (child == 0) {
        const int many = 1000;
        ::_exit(::setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &many, sizeof many) == 0 ? 0 : 1);
    }
    int status = 1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
    must(pair.there.write("abc"));
    Poll::Event events[2];
    EXPECT_EQ(must(poll.poll(events, Timeout(10s))), 1u);
}

// It is what that program wants.
TEST(HoldersTcp, TIME_9_a_poll_heeds_what_the_program_itself_has_set) {
    Pair pair = tcp_pair();
    must(pair.here.setsockopt(SOL_SOCKET, SO_RCVLOWAT, 6));
    Poll poll;
    must(poll.register_(pair.here, POLLIN));
    must(pair.there.write("abc"));
    Poll::Event events[2];
    EXPECT_EQ(must(poll.poll(events, Timeout(200ms))), 0u);
    EXPECT_EQ(pair.here.poll_now(POLLIN), 0u);
    must(pair.there.write("def"));
    EXPECT_EQ(must(poll.poll(events, Timeout(10s))), 1u);
}

// What another holder sets is not taken for granted: SO_RCVLOWAT makes its poll deaf, O_NONBLOCK its calls short.
TEST_P(Holders, TIME_9_nobody_goes_deaf_whatever_another_holder_sets) {
    Socket other = must(pair_.here.dup());
    must(other.setsockopt(SOL_SOCKET, SO_RCVLOWAT, 1000));
    must(pair_.there.write("abc"));
    must(pair_.here.settimeout(50ms));
    EXPECT_EQ(must(pair_.here.recv(10)).view(), "abc");
    must(pair_.here.settimeout(std::nullopt));
    must(other.setsockopt(SOL_SOCKET, SO_RCVLOWAT, 1));
    ASSERT_EQ(::fcntl(other.fileno(), F_SETFL, O_NONBLOCK), 0);
    std::string got;
    Background reader([&] { got = must(pair_.here.read(6)).view(); });
    reader.await_asleep();
    must(pair_.there.write("defghi"));
    reader.join();
    EXPECT_EQ(got, "defghi");
    EXPECT_TRUE(is_nonblocking(other.fileno()));
}

TEST_P(Holders, STRM_5_lines_are_right_though_peeks_look_elsewhere) {
    must(pair_.there.write("line 1\nline 2\nline 3\n"));
    if (!pair_.here.setsockopt(SOL_SOCKET, SO_PEEK_OFF, 5)) GTEST_SKIP() << "this system has no SO_PEEK_OFF here";
    EXPECT_EQ(must(pair_.here.readline()).view(), "line 1\n");
    EXPECT_EQ(must(pair_.here.read(7)).view(), "line 2\n");
    must(pair_.here.setsockopt(SOL_SOCKET, SO_PEEK_OFF, -1));
    EXPECT_EQ(must(pair_.here.readline()).view(), "line 3\n");
}

TEST_P(Holders, TIME_9_lines_are_right_though_another_holder_moves_the_peeks) {
    Socket other = must(pair_.here.dup());
    must(pair_.there.write("line 1\nline 2\nline 3\n"));
    if (!other.setsockopt(SOL_SOCKET, SO_PEEK_OFF, 9)) GTEST_SKIP() << "this system has no SO_PEEK_OFF here";
    must(pair_.here.settimeout(5s));
    for (const char* line : {"line 1\n", "line 2\n", "line 3\n"}) EXPECT_EQ(must(pair_.here.readline()).view(), line);
    must(pair_.there.shutdown(SHUT_WR));
    EXPECT_EQ(must(pair_.here.readline()).view(), "");
}

// SOCK-4: the connection is the other holder's, too.
TEST_P(Holders, SOCK_4_closing_one_holder_ends_its_calls_and_no_others) {
    Socket other = must(pair_.here.dup());
    Error error;
    Background reader([&] { error = pair_.here.recv(1).error(); });
    reader.await_asleep();
    pair_.here.close();
    reader.join();
    EXPECT_EQ(error, Error(EBADF));
    must(pair_.there.write("abc"));
    EXPECT_EQ(must(other.recv(3)).view(), "abc");
    must(other.write("def"));
    EXPECT_EQ(must(pair_.there.recv(3)).view(), "def");
}

}  // namespace
}  // namespace usocket::tests
