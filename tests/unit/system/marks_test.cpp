// STRM-1 STRM-3 STRM-5 TIME-2 TIME-3: where the system ends each receive, and each peek, though more lies in the queue:
// at an urgent mark, and behind what came with descriptors. An exposed socket, which looks before it takes, gets over
// it.
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>

#include "descriptor.hpp"
#include "loopback.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

// With descriptors beside it: the system ends a receive behind it.
void send_beside(Socket& sender, std::string_view part) {
    const int number = STDERR_FILENO;
    std::array<unsigned char, 64> memory{};
    AncillaryWriter writer{MutableBuffer(memory)};
    must(writer.add({SOL_SOCKET, SCM_RIGHTS, ConstBuffer(&number, sizeof number)}));
    const ConstBuffer bytes(part);
    ASSERT_EQ(must(sender.sendmsg(Gathered(&bytes, 1), writer.control())), part.size());
}

// Until the mark is there, and what was sent behind it.
void await_urgent(Socket& receiver) {
    pollfd one{receiver.fileno(), POLLPRI, 0};
    while (::poll(&one, 1, 10'000) != 1) {
    }
}

constexpr const char* whole_reads[] = {"readline", "read", "readinto", "MSG_WAITALL", "recvmsg"};

// Each of them reads the line, whose length is known.
std::string read_by(std::string_view how, Socket& socket, std::size_t size, Deadline deadline) {
    std::string room(size, '?');
    MutableBuffer piece(room);
    Result<std::size_t> got = std::size_t{0};
    if (how == "readline" || how == "read") {
        auto read = how == "read" ? socket.read(size, deadline) : socket.readline(deadline);
        return read ? std::string(read->view()) : read.error().message();
    }
    if (how == "readinto") got = socket.readinto(piece, deadline);
    if (how == "MSG_WAITALL") got = socket.recv_into(piece, MSG_WAITALL, deadline);
    if (how == "recvmsg") {
        const auto message = socket.recvmsg(piece, {}, MSG_WAITALL, deadline);
        got = message ? Result<std::size_t>(message->size) : message.error();
    }
    return got ? room.substr(0, *got) : got.error().message();
}

TEST(MarksTcp, STRM_1_STRM_3_what_lies_behind_an_urgent_mark_is_there) {
    for (const bool is_inline : {false, true}) {
        for (const char* how : whole_reads) {
            Pair pair = tcp_pair();
            must(pair.here.setsockopt(SOL_SOCKET, SO_OOBINLINE, is_inline ? 1 : 0));
            (void)pair.here.fileno();
            must(pair.there.write("AB"));
            must(pair.there.send("!", MSG_OOB));
            must(pair.there.write("OR\r\n"));
            await_urgent(pair.here);
            const std::string line = is_inline ? "AB!OR\r\n" : "ABOR\r\n";
            EXPECT_EQ(read_by(how, pair.here, line.size(), Deadline::after(20s)), line) << is_inline << how;
        }
    }
}

// Where the system counts nothing, though a peek shows what is there.
TEST(MarksTcp, TIME_2_TIME_3_an_urgent_byte_before_all_others_holds_nobody) {
    for (const char* how : whole_reads) {
        Pair pair = tcp_pair();
        const int fd = pair.here.fileno();
        must(pair.there.send("!", MSG_OOB));
        must(pair.there.write("ab"));
        while (!shows_input(fd)) std::this_thread::yield();
        EXPECT_EQ(read_by(how, pair.here, 3, Deadline::after(20ms)), Error(ETIMEDOUT).message()) << how;
        EXPECT_FALSE(pair.here.has_kept()) << how;
        EXPECT_TRUE(shows_input(fd)) << how;
        must(pair.there.write("\n"));
        EXPECT_EQ(read_by(how, pair.here, 3, Deadline::after(20s)), "ab\n") << how;
    }
}

// Then not even a poll tells of the mark.
TEST(MarksTcp, STRM_3_what_lies_behind_a_mark_whose_byte_was_taken_is_there) {
    for (const char* how : whole_reads) {
        Pair pair = tcp_pair();
        (void)pair.here.fileno();
        must(pair.there.write("AB"));
        must(pair.there.send("!", MSG_OOB));
        must(pair.there.write("OR\r\n"));
        await_urgent(pair.here);
        EXPECT_EQ(must(pair.here.recv(1, MSG_OOB)).view(), "!");
        EXPECT_EQ(read_by(how, pair.here, 6, Deadline::after(2s)), "ABOR\r\n") << how;
    }
}

// At the mark itself nothing is in the way, and an unfinished read takes nothing.
TEST(MarksTcp, STRM_5_a_mark_that_was_reached_is_in_nobodys_way) {
    Pair pair = tcp_pair();
    const int fd = pair.here.fileno();
    must(pair.there.write("AB"));
    must(pair.there.send("!", MSG_OOB));
    await_urgent(pair.here);
    EXPECT_EQ(must(pair.here.read(2)).view(), "AB");
    EXPECT_EQ(must(pair.here.recv(1, MSG_OOB)).view(), "!");
    must(pair.there.write("cd"));
    while (!shows_input(fd)) std::this_thread::yield();
    EXPECT_EQ(pair.here.readline(Deadline::after(20ms)).error(), Error(ETIMEDOUT));
    EXPECT_FALSE(pair.here.has_kept());
    EXPECT_TRUE(shows_input(fd));
}

// Up to it, and on, by each of the ways; the socket may be anybody's before, or only then.
class Passed : public ::testing::TestWithParam<const char*> {
protected:
    static std::string pass(Pair& pair, Socket& copy, std::size_t size) {
        const std::string how = GetParam();
        if (how == "recv") return std::string(must(pair.here.recv(size)).view());
        if (how == "another holder") return std::string(must(copy.recv(size)).view());
        if (how != "splice") return read_by(how, pair.here, size, Deadline::after(20s));
        Pair to = unix_pair();
        EXPECT_EQ(must(pair.here.splice(to.here, size)), size);
        return std::string(must(to.there.recv(size)).view());
    }
};
INSTANTIATE_TEST_SUITE_P(Ways, Passed,
                         ::testing::Values("recv", "readline", "read", "readinto", "MSG_WAITALL", "recvmsg", "splice",
                                           "another holder"),
                         [](const auto& one) {
                             std::string name = one.param;
                             std::replace(name.begin(), name.end(), ' ', '_');
                             return name;
                         });

// Then an unfinished read takes nothing any more.
TEST_P(Passed, STRM_5_a_mark_that_was_noted_and_passed_counts_no_more) {
    const bool is_others = std::string(GetParam()) == "another holder";
    for (const bool goes_on : {false, true}) {
        for (const bool is_exposed : {false, true}) {
            if (is_others && (goes_on || !is_exposed)) continue;
            Pair pair = tcp_pair();
            Socket copy;
            if (is_others) copy = must(pair.here.dup());
            if (is_exposed) (void)pair.here.fileno();
            must(pair.there.write("GREETIN\n"));
            must(pair.there.send("!", MSG_OOB));
            pollfd one{hidden_fileno(pair.here), POLLPRI, 0};
            while (::poll(&one, 1, 10'000) != 1) {
            }
            EXPECT_EQ(must(pair.here.recv(1, MSG_OOB)).view(), "!");
            EXPECT_EQ(pass(pair, copy, 8), "GREETIN\n");
            if (goes_on) {
                must(pair.there.write("more\n"));
                EXPECT_EQ(pass(pair, copy, 5), "more\n");
            }
            const int fd = pair.here.fileno();
            must(pair.there.write("rest"));
            while (!shows_input(fd)) std::this_thread::yield();
            EXPECT_EQ(pair.here.readline(Deadline::after(20ms)).error(), Error(ETIMEDOUT));
            EXPECT_FALSE(pair.here.has_kept()) << goes_on << is_exposed;
            EXPECT_TRUE(shows_input(fd)) << goes_on << is_exposed;
        }
    }
}

// One that another holder has read past is still counted, by one unfinished read.
TEST(MarksTcp, STRM_5_a_mark_that_another_holder_has_read_past_counts_but_once) {
    Pair pair = tcp_pair();
    Socket copy = must(pair.here.dup());
    const int fd = pair.here.fileno();
    must(pair.there.write("GREETIN\n"));
    must(pair.there.send("!", MSG_OOB));
    await_urgent(pair.here);
    EXPECT_EQ(must(pair.here.recv(1, MSG_OOB)).view(), "!");
    must(pair.there.write("more\n"));
    EXPECT_EQ(must(copy.recv(8)).view(), "GREETIN\n");
    EXPECT_EQ(must(copy.recv(5)).view(), "more\n");
    for (const bool is_first : {true, false}) {
        must(pair.there.write("r"));
        while (!shows_input(fd)) std::this_thread::yield();
        EXPECT_EQ(pair.here.read(9, Deadline::after(20ms)).error(), Error(ETIMEDOUT));
        if (is_first) continue;
        EXPECT_TRUE(shows_input(fd));
    }
    EXPECT_EQ(must(pair.here.read(2)).view(), "rr");
}

TEST(MarksTcp, TIME_9_a_mark_while_peeks_look_elsewhere_holds_nobody) {
    for (const char* how : whole_reads) {
        Pair pair = tcp_pair();
        if (!pair.here.setsockopt(SOL_SOCKET, SO_PEEK_OFF, 100)) GTEST_SKIP() << "this system has no SO_PEEK_OFF here";
        must(pair.there.send("!", MSG_OOB));
        must(pair.there.write("ab\n"));
        EXPECT_EQ(read_by(how, pair.here, 3, Deadline::after(20s)), "ab\n") << how;
    }
}

// A line in parts that the system keeps apart is no slower for that, nor does it need a longer timeout.
TEST(MarksUnix, STRM_3_TIME_3_parts_with_something_beside_them_are_one_line) {
    for (const char* how : whole_reads) {
        Pair pair = unix_pair();
        (void)pair.here.fileno();
        for (int i = 0; i < 8; ++i) send_beside(pair.there, "part");
        send_beside(pair.there, "end\n");
        must(pair.there.write("next"));
        const std::string line = "partpartpartpartpartpartpartpartend\n";
        EXPECT_EQ(read_by(how, pair.here, line.size(), Deadline::after(500ms)), line) << how;
        EXPECT_EQ(must(pair.here.recv(9)).view(), "next");
    }
}

TEST(MarksUnix, STRM_5_the_last_part_of_an_unfinished_line_stays) {
    Pair pair = unix_pair();
    const int fd = pair.here.fileno();
    send_beside(pair.there, "one ");
    must(pair.there.write("line"));
    EXPECT_EQ(pair.here.readline(Deadline::after(20ms)).error(), Error(ETIMEDOUT));
    int left = 0;
    EXPECT_EQ(::ioctl(fd, FIONREAD, &left), 0);
    EXPECT_EQ(left, 4);
    EXPECT_TRUE(shows_input(fd));
    must(pair.there.write("\n"));
    EXPECT_EQ(must(pair.here.readline()).view(), "one line\n");
}

TEST(MarksUnix, STRM_3_what_lies_behind_an_urgent_byte_is_there) {
    for (const bool is_inline : {false, true}) {
        for (const char* how : {"readline", "read", "readinto"}) {
            Pair pair = unix_pair();
            must(pair.here.setsockopt(SOL_SOCKET, SO_OOBINLINE, is_inline ? 1 : 0));
            (void)pair.here.fileno();
            must(pair.there.write("AB"));
            if (!pair.there.send("!", MSG_OOB)) GTEST_SKIP() << "this system has no MSG_OOB here";
            must(pair.there.write("OR\r\n"));
            const std::string line = is_inline ? "AB!OR\r\n" : "ABOR\r\n";
            EXPECT_EQ(read_by(how, pair.here, line.size(), Deadline::after(500ms)), line) << is_inline << how;
        }
    }
}

// Whatever an urgent byte in front becomes while lines are handed out that stand behind it.
TEST(MarksUnix, STRM_5_TIME_6_a_second_urgent_byte_moves_no_others) {
    for (const bool is_line : {false, true}) {
        Pair pair = unix_pair();
        must(pair.there.write("one\ntwo\n"));
        if (!pair.there.send("!", MSG_OOB)) GTEST_SKIP() << "this system has no MSG_OOB here";
        must(pair.there.write("thr\nfou\nfiv\nsix\nsev\neig\n"));
        std::string got;
        for (int i = 0; i < 4; ++i) got += (is_line ? must(pair.here.readline()) : must(pair.here.read(4))).view();
        EXPECT_EQ(got, "one\ntwo\nthr\nfou\n");
        must(pair.there.send("?", MSG_OOB));
        must(pair.there.write("end\n"));
        EXPECT_EQ(must(pair.here.recv(100)).view(), "fiv\nsix\nsev\neig\n") << is_line;
        EXPECT_EQ(must(pair.here.recv(100)).view(), "end\n");
    }
}

class Inline : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Families, Inline, ::testing::Bool(),
                         [](const auto& one) { return one.param ? "unix" : "tcp"; });

TEST_P(Inline, STRM_5_TIME_6_SO_OOBINLINE_moves_no_others) {
    for (const int before : {0, 1}) {
        Pair pair = GetParam() ? unix_pair() : tcp_pair();
        must(pair.here.setsockopt(SOL_SOCKET, SO_OOBINLINE, before));
        if (!pair.there.send("!", MSG_OOB)) GTEST_SKIP() << "this system has no MSG_OOB here";
        must(pair.there.write("one\ntwo\nthree\n"));
        while ((must(pair.here.recv(64, MSG_PEEK)).view().size()) < 14) std::this_thread::yield();
        EXPECT_EQ(must(pair.here.readline()).view(), before != 0 ? "!one\n" : "one\n");
        must(pair.here.setsockopt(SOL_SOCKET, SO_OOBINLINE, 1 - before));
        EXPECT_EQ(must(pair.here.recv(100)).view(), "two\nthree\n") << before;
    }
}

// What an option makes of a queue (TCP_ULP) begins where the lines that were handed out end.
TEST_P(Inline, STRM_5_an_option_finds_the_queue_without_what_was_handed_out) {
    Pair pair = GetParam() ? unix_pair() : tcp_pair();
    must(pair.there.write("one\ntwo\nthree\n"));
    EXPECT_EQ(must(pair.here.readline()).view(), "one\n");
    const int fd = hidden_fileno(pair.here);
    int queued = 0;
    EXPECT_EQ(::ioctl(fd, FIONREAD, &queued), 0);
    EXPECT_EQ(queued, 14) << "there is a window";
    must(pair.here.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1));
    EXPECT_EQ(::ioctl(fd, FIONREAD, &queued), 0);
    EXPECT_EQ(queued, 10);
    EXPECT_EQ(must(pair.here.readline()).view(), "two\n");
}

}  // namespace
}  // namespace usocket::tests
