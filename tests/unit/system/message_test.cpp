// SOCK-10: messages of several pieces, ancillary data, files.
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "background.hpp"
#include "loopback.hpp"
#include "scripted_host.hpp"
#include "signals.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

std::string_view text_of(const char* data, std::size_t size) { return {data, size}; }

class Message : public ::testing::TestWithParam<bool> {
protected:
    // Leaves the bytes with the socket.
    void keep(std::string_view bytes) {
        must(pair_.here.settimeout(5ms));
        must(pair_.there.write(bytes));
        while (!pair_.here.has_kept()) {
            EXPECT_EQ(pair_.here.read(bytes.size() + 1).error(), Error(ETIMEDOUT));
        }
        must(pair_.here.settimeout(10s));
    }

    Pair pair_ = GetParam() ? tcp_pair() : unix_pair();
    char first_[3]{};
    char second_[20]{};
    std::array<MutableBuffer, 2> pieces_{MutableBuffer(first_), MutableBuffer(second_)};
};
INSTANTIATE_TEST_SUITE_P(Message, Message, ::testing::Bool(),
                         [](const auto& one) { return one.param ? "tcp" : "unix"; });

TEST_P(Message, SOCK_10_pieces_are_gathered_and_scattered) {
    const std::array<ConstBuffer, 3> sent{ConstBuffer("ab"), ConstBuffer(""), ConstBuffer("cdef")};
    EXPECT_EQ(must(pair_.there.sendmsg(sent)), 6u);
    const auto message = must(pair_.here.recvmsg_into(pieces_));
    EXPECT_EQ(message.size, 6u);
    EXPECT_EQ(text_of(first_, 3), "abc");
    EXPECT_EQ(text_of(second_, 3), "def");
}

TEST_P(Message, SOCK_10_TIME_6_kept_bytes_come_first) {
    keep("kept!");
    must(pair_.there.write("queued"));
    EXPECT_EQ(must(pair_.here.recvmsg_into(pieces_)).size, 5u);
    EXPECT_EQ(text_of(first_, 3), "kep");
    EXPECT_EQ(text_of(second_, 2), "t!");
    EXPECT_EQ(must(pair_.here.recvmsg_into(pieces_)).size, 6u);
    EXPECT_EQ(text_of(first_, 3), "que");
}

TEST_P(Message, SOCK_10_TIME_6_a_peek_shows_kept_bytes_and_what_is_behind_them) {
    keep("kept!");
    must(pair_.there.write("queued"));
    while (must(pair_.here.recvmsg_into(pieces_, {}, MSG_PEEK)).size != 11) {
    }
    EXPECT_EQ(text_of(second_, 8), "t!queued");
    EXPECT_EQ(must(pair_.here.read(11)).view(), "kept!queued");
}

TEST_P(Message, SOCK_10_STRM_5_what_readline_has_returned_is_not_there) {
    must(pair_.there.write("one\ntwo\n"));
    EXPECT_EQ(must(pair_.here.readline()).view(), "one\n");
    EXPECT_EQ(must(pair_.here.recvmsg_into(pieces_)).size, 4u);
    EXPECT_EQ(text_of(first_, 3), "two");
}

// What has come until then is the next call's.
TEST_P(Message, SOCK_10_TIME_6_MSG_WAITALL_that_fails_loses_nothing) {
    must(pair_.there.write("0123456789"));
    must(pair_.here.settimeout(20ms));
    EXPECT_EQ(pair_.here.recvmsg_into(pieces_, {}, MSG_WAITALL).error(), Error(ETIMEDOUT));
    EXPECT_EQ(pair_.here.recvmsg_into(std::span(pieces_).subspan(1), {}, MSG_WAITALL).error(), Error(ETIMEDOUT));
    must(pair_.there.write("abcdefghijklmnopq"));
    EXPECT_EQ(must(pair_.here.recvmsg_into(pieces_, {}, MSG_WAITALL)).size, 23u);
    EXPECT_EQ(text_of(first_, 3), "012");
    EXPECT_EQ(text_of(second_, 20), "3456789abcdefghijklm");
    must(pair_.there.shutdown(SHUT_WR));
    EXPECT_EQ(must(pair_.here.recvmsg_into(pieces_, {}, MSG_WAITALL)).size, 4u);
    EXPECT_EQ(must(pair_.here.recvmsg_into(pieces_, {}, MSG_WAITALL)).size, 0u);
}

// What has come until then has not been dropped.
TEST_P(Message, SOCK_10_TIME_6_MSG_WAITALL_with_MSG_TRUNC_that_fails_loses_nothing) {
    must(pair_.there.write("0123456789"));
    must(pair_.here.settimeout(20ms));
    EXPECT_EQ(pair_.here.recvmsg_into(pieces_, {}, MSG_WAITALL | MSG_TRUNC).error(), Error(ETIMEDOUT));
    EXPECT_EQ(must(pair_.here.read(10)).view(), "0123456789");
    must(pair_.there.write("0123456789abcdefghijklm!"));
    EXPECT_EQ(must(pair_.here.recvmsg_into(pieces_, {}, MSG_WAITALL | MSG_TRUNC)).size, 23u);
    EXPECT_EQ(must(pair_.here.read(1)).view(), "!");
}

TEST_P(Message, SOCK_10_TIME_5_no_signal_ends_MSG_WAITALL) {
    for (const bool raises : {false, true}) {
        ScriptedHost host;
        host.on_signal = [&] { return raises && host.signals() > 20; };
        must(pair_.there.write("0123456789"));
        Error error;
        {
            const Signals signals;
            Background other([&] {
                if (raises) return;
                while (host.signals() < 20) std::this_thread::yield();
                must(pair_.there.write("abcdefghijklm"));
            });
            error = pair_.here.recvmsg_into(pieces_, {}, MSG_WAITALL, Call(host.host())).error();
        }
        EXPECT_EQ(error, raises ? Error(EINTR) : Error());
    }
    EXPECT_EQ(must(pair_.here.read(10)).view(), "0123456789");
}

// A watched descriptor's queue shows what does not complete the call.
TEST_P(Message, SOCK_10_TIME_9_MSG_WAITALL_on_a_shared_descriptor) {
    Socket other = must(pair_.here.dup());
    must(pair_.there.write("0123456789"));
    must(pair_.here.settimeout(20ms));
    EXPECT_EQ(pair_.here.recvmsg_into(pieces_, {}, MSG_WAITALL).error(), Error(ETIMEDOUT));
    EXPECT_EQ(must(other.recv(20)).view(), "0123456789");
}

TEST_P(Message, SOCK_10_TIME_8_dontwait_does_not_wait) {
    EXPECT_EQ(pair_.here.recvmsg_into(pieces_, {}, MSG_DONTWAIT).error(), Error(EAGAIN));
}

TEST_P(Message, SOCK_10_SOCK_4_close_ends_it) {
    Background reader([&] { EXPECT_EQ(pair_.here.recvmsg_into(pieces_).error(), Error(EBADF)); });
    std::this_thread::sleep_for(10ms);  // whether it waits by then or not, the result is the same
    pair_.here.close();
}

TEST(Messages, SOCK_10_descriptors_pass_and_are_close_on_exec) {
    Pair pair = unix_pair();
    Pair passed = unix_pair();
    const int number = passed.here.fileno();
    std::array<unsigned char, 64> memory{};
    AncillaryWriter writer{MutableBuffer(memory)};
    must(writer.add({SOL_SOCKET, SCM_RIGHTS, ConstBuffer(&number, sizeof number)}));
    const ConstBuffer byte("x");
    must(pair.there.sendmsg(Gathered(&byte, 1), writer.control()));

    char data[4];
    std::array<unsigned char, 64> control{};
    const auto message = must(pair.here.recvmsg(MutableBuffer(data), MutableBuffer(control)));
    EXPECT_EQ(message.flags, 0);
    AncillaryReader items{ConstBuffer(control.data(), message.control_size)};
    const auto item = items.next();
    ASSERT_TRUE(item);
    EXPECT_EQ(item->level, SOL_SOCKET);
    EXPECT_EQ(item->type, SCM_RIGHTS);
    int received = -1;
    ASSERT_EQ(item->data.size(), sizeof received);
    std::memcpy(&received, item->data.data(), sizeof received);
    EXPECT_NE(::fcntl(received, F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_FALSE(items.next());
    Socket copy = must(Socket::adopt(received));
    must(copy.write("through"));
    EXPECT_EQ(must(passed.there.recv(10)).view(), "through");
}

TEST(Messages, SOCK_10_descriptors_that_are_of_no_use_are_closed) {
    Pair pair = unix_pair();
    Pair passed = unix_pair();
    const std::array<int, 2> numbers{passed.here.fileno(), passed.here.fileno()};
    std::array<unsigned char, 64> memory{};
    AncillaryWriter writer{MutableBuffer(memory)};
    must(writer.add({SOL_SOCKET, SCM_RIGHTS, numbers}));
    const ConstBuffer byte("x");
    must(pair.there.sendmsg(Gathered(&byte, 1), writer.control()));
    passed.here.close();

    char data[4];
    std::array<unsigned char, 64> control{};
    const auto message = must(pair.here.recvmsg(MutableBuffer(data), MutableBuffer(control)));
    must(passed.there.settimeout(Timeout::zero()));
    EXPECT_EQ(passed.there.recv(1).error(), Error(EAGAIN));
    close_descriptors({control.data(), message.control_size});
    EXPECT_EQ(must(passed.there.recv(1)).size(), 0u);
}

// Those of the second part would be closed if there were no end between the two.
TEST(Messages, SOCK_10_MSG_WAITALL_ends_where_descriptors_come) {
    Pair pair = unix_pair();
    must(pair.there.write("first"));
    alignas(8) std::uint8_t memory[64];
    AncillaryWriter writer({memory, sizeof memory});
    const int sent = STDIN_FILENO;
    must(writer.add({SOL_SOCKET, SCM_RIGHTS, {&sent, sizeof sent}}));
    const std::array<ConstBuffer, 1> data{ConstBuffer("second")};
    must(pair.there.sendmsg(data, writer.control()));
    must(pair.there.write("third"));
    char room[20];
    const std::array<MutableBuffer, 1> pieces{MutableBuffer(room)};
    alignas(8) std::uint8_t control[64];
    const auto message = must(pair.here.recvmsg_into(pieces, {control, sizeof control}, MSG_WAITALL));
    EXPECT_EQ(text_of(room, message.size), "firstsecond");
    AncillaryReader reader({control, message.control_size});
    const auto rights = reader.next();
    ASSERT_TRUE(rights.has_value());
    int got = -1;
    std::memcpy(&got, rights->data.data(), sizeof got);
    EXPECT_EQ(::close(got), 0);
    EXPECT_EQ(must(pair.here.recv(20)).view(), "third");
}

TEST(Messages, SOCK_10_a_datagram_has_a_sender_and_its_interface) {
    Pair pair = udp_pair();
    must(pair.here.setsockopt(IPPROTO_IP, IP_PKTINFO, 1));
    const std::array<ConstBuffer, 2> pieces{ConstBuffer("da"), ConstBuffer("ta")};
    must(pair.there.sendmsg(pieces));
    char data[3];
    std::array<unsigned char, 64> control{};
    const auto message = must(pair.here.recvmsg(MutableBuffer(data), MutableBuffer(control)));
    EXPECT_EQ(message.size, 3u);
    EXPECT_NE(message.flags & MSG_TRUNC, 0);
    EXPECT_EQ(message.address, must(pair.there.getsockname()));
    const auto item = AncillaryReader(ConstBuffer(control.data(), message.control_size)).next();
    ASSERT_TRUE(item);
    EXPECT_EQ(item->type, IP_PKTINFO);
    EXPECT_EQ(item->data.size(), sizeof(in_pktinfo));
}

TEST(Messages, SOCK_10_a_message_goes_to_an_address) {
    Socket sender = must(socket(AF_INET, SOCK_DGRAM));
    Socket receiver = must(socket(AF_INET, SOCK_DGRAM));
    must(receiver.bind(any_port()));
    const Address to = must(receiver.getsockname());
    const ConstBuffer piece("hello");
    EXPECT_EQ(must(sender.sendmsg(Gathered(&piece, 1), {}, 0, &to)), 5u);
    EXPECT_EQ(must(receiver.recv(10)).view(), "hello");
}

TEST(Ancillary, SOCK_10_items_come_out_as_they_went_in) {
    std::vector<unsigned char> memory(*ancillary_space(3) + *ancillary_space(0));
    AncillaryWriter writer{MutableBuffer(memory)};
    must(writer.add({1, 2, "abc"}));
    must(writer.add({3, 4, {}}));
    EXPECT_EQ(writer.add({5, 6, {}}).error(), Error(ENOBUFS));
    AncillaryReader items(writer.control());
    const auto first = items.next();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->level, 1);
    EXPECT_EQ(std::memcmp(first->data.data(), "abc", 3), 0);
    const auto second = items.next();
    ASSERT_TRUE(second);
    EXPECT_EQ(second->type, 4);
    EXPECT_FALSE(items.next());
}

TEST(Ancillary, SOCK_10_no_bytes_read_outside_the_memory) {
    std::vector<unsigned char> memory(*ancillary_space(8));
    AncillaryWriter writer{MutableBuffer(memory)};
    must(writer.add({1, 2, "12345678"}));
    for (std::size_t size = 0; size < memory.size(); ++size) {
        const std::vector<unsigned char> part(memory.begin(), memory.begin() + static_cast<std::ptrdiff_t>(size));
        AncillaryReader items{ConstBuffer(part.data(), part.size())};
        while (const auto item = items.next()) EXPECT_LE(item->data.size(), size);
    }
    EXPECT_FALSE(ancillary_space(SIZE_MAX));
    EXPECT_FALSE(ancillary_length(SIZE_MAX));
}

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { ::close(fd_); }
    [[nodiscard]] int get() const { return fd_; }

private:
    int fd_;
};

// A file that goes away by itself.
Descriptor file_of(const std::string& content) {
    char name[] = "/tmp/usocket-file-XXXXXX";
    const int fd = ::mkstemp(name);
    ::unlink(name);
    if (::write(fd, content.data(), content.size()) != static_cast<ssize_t>(content.size())) std::abort();
    return Descriptor(fd);
}

std::string pattern(std::size_t size) {
    std::string all(size, '\0');
    for (std::size_t i = 0; i < size; ++i) all[i] = static_cast<char>(i * 2654435761u >> 24);
    return all;
}

class SendFile : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(SendFile, SendFile, ::testing::Range(0, 4));

// Blocking, with a timeout, exposed, exposed with a timeout.
TEST_P(SendFile, SOCK_10_a_file_arrives_whole) {
    Pair pair = tcp_pair();
    if ((GetParam() & 1) != 0) must(pair.here.settimeout(10s));
    if ((GetParam() & 2) != 0) (void)pair.here.fileno();
    const std::string content = pattern(3'000'000);
    const Descriptor file = file_of(content);
    Background sender([&] {
        EXPECT_EQ(must(pair.here.sendfile(file.get(), 10)), content.size() - 10);
        pair.here.close();
    });
    EXPECT_TRUE(must(pair.there.read()).view() == content.substr(10));
}

TEST(SendFiles, SOCK_10_a_part_of_it) {
    Pair pair = tcp_pair();
    const Descriptor file = file_of("0123456789");
    EXPECT_EQ(must(pair.here.sendfile(file.get(), 2, 3)), 3u);
    EXPECT_EQ(must(pair.here.sendfile(file.get(), 20)), 0u);
    EXPECT_EQ(must(pair.there.recv(10)).view(), "234");
}

#if defined(__linux__)
// A regular file, of which Linux lends nothing.
TEST_P(SendFile, SOCK_10_a_file_of_proc) {
    const Descriptor file(::open("/proc/self/limits", O_RDONLY | O_CLOEXEC));
    ASSERT_GE(file.get(), 0);
    std::string content(4096, '\0');
    const ssize_t size = ::pread(file.get(), content.data(), content.size(), 0);
    ASSERT_GT(size, 4);
    content.resize(static_cast<std::size_t>(size));
    Pair pair = tcp_pair();
    if ((GetParam() & 1) != 0) must(pair.here.settimeout(10s));
    if ((GetParam() & 2) != 0) (void)pair.here.fileno();
    EXPECT_EQ(must(pair.here.sendfile(file.get())), content.size());
    EXPECT_EQ(must(pair.here.sendfile(file.get(), 2, 2)), 2u);
    must(pair.here.setblocking(false));
    EXPECT_EQ(must(pair.here.sendfile(file.get(), 4)), content.size() - 4);
    pair.here.close();
    EXPECT_EQ(must(pair.there.read()).view(), content + content.substr(2));
}
#endif

TEST(SendFiles, SOCK_10_what_is_no_regular_file_is_EINVAL) {
    Pair pair = tcp_pair();
    const Descriptor endless(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(pair.here.sendfile(endless.get()).error(), Error(EINVAL));
    EXPECT_EQ(pair.here.sendfile(pair.there.fileno()).error(), Error(EINVAL));
    EXPECT_EQ(pair.here.sendfile(-1, 0, 0).error(), Error(EBADF));
}

TEST(SendFiles, SOCK_10_an_offset_that_no_file_has) {
    Pair pair = tcp_pair();
    const Descriptor file = file_of("0123456789");
    EXPECT_EQ(must(pair.here.sendfile(file.get(), INT64_MAX)), 0u);
    EXPECT_EQ(must(pair.here.sendfile(file.get(), INT64_MAX - 5, 10)), 0u);
    EXPECT_EQ(pair.here.sendfile(file.get(), std::uint64_t{INT64_MAX} + 1).error(), Error(EINVAL));
}

TEST(SendFiles, SOCK_10_TIME_4_non_blocking_it_says_how_much_went) {
    Pair pair = tcp_pair();
    const std::string content = pattern(30'000'000);
    const Descriptor file = file_of(content);
    must(pair.here.setblocking(false));
    const std::size_t sent = must(pair.here.sendfile(file.get()));
    EXPECT_LT(sent, content.size());
    EXPECT_EQ(pair.here.sendfile(file.get()).error(), Error(EAGAIN));
    EXPECT_TRUE(must(pair.there.read(sent)).view() == std::string_view(content).substr(0, sent));
}

TEST(SendFiles, SOCK_10_TIME_10_a_timeout_says_how_much_went) {
    Pair pair = tcp_pair();
    const std::string content = pattern(30'000'000);
    const Descriptor file = file_of(content);
    must(pair.here.settimeout(20ms));
    std::size_t sent = 0;
    EXPECT_EQ(pair.here.sendfile(file.get(), 0, Socket::whole_file, sent).error(), Error(ETIMEDOUT));
    EXPECT_TRUE(must(pair.there.read(sent)).view() == std::string_view(content).substr(0, sent));
}

TEST(SendFiles, SOCK_10_SOCK_2_a_broken_connection_is_no_signal) {
    Pair pair = tcp_pair();
    const Descriptor file = file_of("0123456789");
    must(pair.here.shutdown(SHUT_WR));
    EXPECT_EQ(pair.here.sendfile(file.get()).error(), Error(EPIPE));  // SIGPIPE would end the test
    sigset_t pending;
    ::sigpending(&pending);
    EXPECT_EQ(::sigismember(&pending, SIGPIPE), 0);
}

// The system then tells both, a count and the signal.
TEST(SendFiles, SOCK_10_SOCK_2_nor_is_one_that_breaks_in_the_middle) {
    const Descriptor file = file_of("");
    ASSERT_EQ(::ftruncate(file.get(), 1 << 30), 0);
    for (int round = 0; round < 5; ++round) {
        Pair pair = tcp_pair();
        must(pair.there.shutdown(SHUT_WR));
        Background sender([&] {
            const Error error = pair.here.sendfile(file.get()).error();
            EXPECT_TRUE(error == Error(EPIPE) || error == Error(ECONNRESET)) << error.message();
            sigset_t pending;
            ::sigpending(&pending);
            EXPECT_EQ(::sigismember(&pending, SIGPIPE), 0);
        });
        (void)must(pair.there.read(1'000'000));
        pair.there.close();
    }
}

TEST(SendFiles, SOCK_10_what_is_no_file_is_EINVAL) {
    Pair pair = tcp_pair();
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const Descriptor reading(ends[0]), writing(ends[1]);
    EXPECT_EQ(pair.here.sendfile(reading.get()).error(), Error(EINVAL));
}

}  // namespace
}  // namespace usocket::tests
