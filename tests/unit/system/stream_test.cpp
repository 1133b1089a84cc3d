// STRM-1 STRM-2 STRM-3 STRM-4 STRM-5 TIME-4 TIME-6: the stream interface over the system's sockets.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "background.hpp"
#include "descriptor.hpp"
#include "loopback.hpp"
#include "scripted_host.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

std::string text(const Bytes& bytes) { return std::string(bytes.view()); }

// What others see of a descriptor.
bool is_readable(int fd) {
    pollfd one{fd, POLLIN, 0};
    return ::poll(&one, 1, 0) == 1;
}
std::size_t queued(int fd) {
    int count = -1;
    EXPECT_EQ(::ioctl(fd, FIONREAD, &count), 0);
    return static_cast<std::size_t>(count);
}

class Stream : public ::testing::TestWithParam<const char*> {
protected:
    void send(std::string_view bytes) { must(pair_.there.sendall(bytes)); }
    // Whatever was sent has arrived.
    void await(std::size_t count) {
        std::string room(count, '\0');
        must(pair_.here.recv_into(room, MSG_PEEK | MSG_WAITALL));
    }
    std::string read(std::size_t count) { return text(must(pair_.here.read(count))); }
    std::string read() { return text(must(pair_.here.read())); }
    std::string readline(std::size_t limit = Socket::no_limit) { return text(must(pair_.here.readline(limit))); }

    Pair pair_ = std::string(GetParam()) == "tcp" ? tcp_pair() : unix_pair();
};
INSTANTIATE_TEST_SUITE_P(Families, Stream, ::testing::Values("tcp", "unix"),
                         [](const auto& one) { return std::string(one.param); });

// --- STRM-1

TEST_P(Stream, Strm1ReadWaitsForAllOfIt) {
    std::string got;
    Background reader([&] { got = read(6); });
    reader.await_asleep();
    send("abc");
    reader.await_asleep();
    EXPECT_FALSE(reader.has_ended());
    send("defg");
    reader.join();
    EXPECT_EQ(got, "abcdef");
    EXPECT_EQ(read(1), "g");
}

TEST_P(Stream, Strm1FewerOnlyAtTheEnd) {
    send("abc");
    must(pair_.there.shutdown(SHUT_WR));
    EXPECT_EQ(read(10), "abc");
    EXPECT_EQ(read(10), "");
    EXPECT_EQ(read(), "");
    EXPECT_EQ(readline(), "");
}

TEST_P(Stream, Strm1ReadNothing) {
    EXPECT_EQ(read(0), "");  // though nothing has arrived
    EXPECT_EQ(readline(0), "");
    EXPECT_EQ(must(pair_.here.recv(0)).size(), 0u);
    EXPECT_EQ(must(pair_.here.readinto(MutableBuffer())), 0u);
}

TEST_P(Stream, Strm1ReadToTheEnd) {
    std::string data(1 << 20, '\0');
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 31 >> 4);
    Background sender([&] {
        send(data);
        must(pair_.there.shutdown(SHUT_WR));
    });
    EXPECT_EQ(read(), data);
}

// 64 MiB: memory doubles, so it grows only a few times, and what is copied on the way is no more than what arrives.
TEST_P(Stream, Strm1ReadToTheEndIsLinear) {
    static int grown;
    grown = 0;
    constexpr std::size_t size = std::size_t{64} << 20;
    Background sender([&] {
        const std::string block(1 << 20, 'b');
        for (std::size_t sent = 0; sent < size; sent += block.size()) send(block);
        must(pair_.there.shutdown(SHUT_WR));
    });
    Sink sink(
        [](Sink& one, std::size_t capacity) noexcept {
            void* memory = std::realloc(one.data(), capacity);
            if (memory == nullptr) return false;
            one.set_memory(static_cast<std::uint8_t*>(memory), capacity);
            ++grown;
            return true;
        },
        [](Sink& one) noexcept {
            return Block{one.data(), one.size(), one.data(), [](void* p) noexcept { std::free(p); }};
        });
    must(pair_.here.read_to(sink, Socket::no_limit));
    EXPECT_EQ(sink.size(), size);
    EXPECT_LE(sink.capacity(), 4 * size);
    EXPECT_LE(grown, 16);
    EXPECT_TRUE(std::all_of(sink.data(), sink.data() + sink.size(), [](std::uint8_t one) { return one == 'b'; }));
    std::free(sink.data());
}

TEST_P(Stream, Strm1AHugeSizeTakesNoMemoryInAdvance) {
    send("few");
    must(pair_.there.shutdown(SHUT_WR));
    EXPECT_EQ(read(SIZE_MAX >> (sizeof(std::size_t) == 8 ? 17 : 2)), "few");  // more than there is
}

// --- STRM-2

TEST_P(Stream, Strm2ReadintoFillsTheBuffer) {
    std::array<char, 6> room{};
    send("abcdefgh");
    EXPECT_EQ(must(pair_.here.readinto(room)), 6u);
    EXPECT_EQ(std::string_view(room.data(), 6), "abcdef");
    must(pair_.there.shutdown(SHUT_WR));
    EXPECT_EQ(must(pair_.here.readinto(room)), 2u);
    EXPECT_EQ(std::string_view(room.data(), 6), "ghcdef");
    EXPECT_EQ(must(pair_.here.readinto(room)), 0u);
}

// --- STRM-3

TEST_P(Stream, Strm3ThroughTheNewline) {
    send("one\n\ntwo\r\nrest");
    EXPECT_EQ(readline(), "one\n");
    EXPECT_EQ(readline(), "\n");
    EXPECT_EQ(readline(), "two\r\n");
    must(pair_.there.shutdown(SHUT_WR));
    EXPECT_EQ(readline(), "rest");
    EXPECT_EQ(readline(), "");
}

TEST_P(Stream, Strm3OrAsManyBytes) {
    send("abcdef\nghi\n");
    EXPECT_EQ(readline(3), "abc");
    EXPECT_EQ(readline(4), "def\n");
    EXPECT_EQ(readline(3), "ghi");
    EXPECT_EQ(readline(100), "\n");
}

TEST_P(Stream, Strm3IntoTheCallersMemory) {
    std::array<char, 5> room{};
    send("ab\ncdefgh\n");
    EXPECT_EQ(must(pair_.here.readline_into(room)), 3u);
    EXPECT_EQ(must(pair_.here.readline_into(room)), 5u);
    EXPECT_EQ(std::string_view(room.data(), 5), "cdefg");
    EXPECT_EQ(must(pair_.here.readline_into(room)), 2u);
}

TEST_P(Stream, Strm3LongLines) {
    const std::string line(1 << 20, 'l');
    Background sender([&] {
        send(line + "\n" + line);
        must(pair_.there.shutdown(SHUT_WR));
    });
    EXPECT_EQ(readline(), line + "\n");
    EXPECT_EQ(readline(1000), line.substr(0, 1000));
    EXPECT_EQ(readline(), line.substr(1000));
    EXPECT_EQ(readline(), "");
}

TEST_P(Stream, Strm3ALineInPieces) {
    std::string got;
    Background reader([&] { got = readline(); });
    for (const char* piece : {"a", "bc", "def"}) {
        reader.await_asleep();
        send(piece);
    }
    send("\nnext");
    reader.join();
    EXPECT_EQ(got, "abcdef\n");
    EXPECT_EQ(read(4), "next");
}

TEST_P(Stream, Strm3ManyLines) {
    std::string all;
    for (int i = 0; i < 20'000; ++i)
        all += std::string(static_cast<std::size_t>(i % 61), 'x') + std::to_string(i) + "\n";
    Background sender([&] {
        send(all);
        must(pair_.there.shutdown(SHUT_WR));
    });
    std::string got;
    for (;;) {
        const std::string line = readline();
        if (line.empty()) break;
        ASSERT_EQ(line.find('\n'), line.size() - 1);
        got += line;
    }
    EXPECT_EQ(got, all);
}

// --- STRM-4

TEST_P(Stream, Strm4WriteIsAllOfIt) {
    const std::string data(3 << 20, 'w');
    std::string got;
    Background reader([&] { got = text(must(pair_.there.read(data.size()))); });
    EXPECT_EQ(must(pair_.here.write(data)), data.size());
    reader.join();
    EXPECT_EQ(got, data);
    EXPECT_EQ(must(pair_.here.write("")), 0u);
}

TEST_P(Stream, Strm4NonBlockingWriteSaysHowMuch) {
    must(pair_.here.setblocking(false));
    const std::string data(64 << 20, 'w');
    const std::size_t moved = must(pair_.here.write(data));
    EXPECT_GT(moved, 0u);
    EXPECT_LT(moved, data.size());
    EXPECT_EQ(text(must(pair_.there.read(moved))), data.substr(0, moved));
}

TEST_P(Stream, Sock2WriteToABrokenConnectionIsEpipe) {
    pair_.there.close();
    Error error;
    while (error == Error()) error = pair_.here.write("x").error();
    if (error == Error(ECONNRESET)) error = pair_.here.write("x").error();
    EXPECT_EQ(error, Error(EPIPE));
}

// --- TIME-4

TEST_P(Stream, Time4NothingAtAllIsEagain) {
    must(pair_.here.setblocking(false));
    char room[4];
    EXPECT_EQ(pair_.here.read().error(), Error(EAGAIN));
    EXPECT_EQ(pair_.here.read(4).error(), Error(EAGAIN));
    EXPECT_EQ(pair_.here.readinto(room).error(), Error(EAGAIN));
    EXPECT_EQ(pair_.here.readline().error(), Error(EAGAIN));
    EXPECT_EQ(pair_.here.recv(4).error(), Error(EAGAIN));
}

TEST_P(Stream, Time4OtherwiseWhatThereWas) {
    must(pair_.here.setblocking(false));
    char room[8];
    const auto arrive = [&](std::string_view bytes) {
        send(bytes);
        while (!is_readable(hidden_fileno(pair_.here))) {
        }
    };
    arrive("abc");
    EXPECT_EQ(read(), "abc");
    arrive("abc");
    EXPECT_EQ(read(8), "abc");
    arrive("abc");
    EXPECT_EQ(must(pair_.here.readinto(room)), 3u);
    arrive("abc");
    EXPECT_EQ(readline(), "abc");
    arrive("a\nb");
    EXPECT_EQ(readline(), "a\n");
    EXPECT_EQ(readline(), "b");
}

// --- TIME-6: kept bytes, in order

TEST_P(Stream, Time6AfterATimeoutEveryReadContinues) {
    must(pair_.here.settimeout(Timeout(5ms)));
    send("half");
    EXPECT_EQ(pair_.here.read(10).error(), Error(ETIMEDOUT));
    EXPECT_EQ(pair_.here.readline().error(), Error(ETIMEDOUT));
    char room[10];
    EXPECT_EQ(pair_.here.readinto(room).error(), Error(ETIMEDOUT));
    EXPECT_EQ(pair_.here.read().error(), Error(ETIMEDOUT));
    send(" and\nrest");
    EXPECT_EQ(text(must(pair_.here.recv(2, MSG_PEEK))), "ha");
    EXPECT_EQ(text(must(pair_.here.recv(2))), "ha");
    EXPECT_EQ(readline(), "lf and\n");
    EXPECT_EQ(read(4), "rest");
}

TEST_P(Stream, Time6WhatWasKeptComesFirst) {
    must(pair_.here.settimeout(Timeout(5ms)));
    send("one");
    EXPECT_EQ(pair_.here.readline().error(), Error(ETIMEDOUT));
    send("two");
    EXPECT_EQ(read(6), "onetwo");
    send("three");
    EXPECT_EQ(pair_.here.readline().error(), Error(ETIMEDOUT));
    must(pair_.there.shutdown(SHUT_WR));
    EXPECT_EQ(read(), "three");
    EXPECT_EQ(read(), "");
}

TEST_P(Stream, Time6ReadableAfterATimeout) {
    must(pair_.here.settimeout(Timeout(5ms)));
    EXPECT_EQ(pair_.here.poll_now(POLLIN), 0u);
    send("half");
    EXPECT_EQ(pair_.here.read(10).error(), Error(ETIMEDOUT));
    EXPECT_EQ(pair_.here.poll_now(POLLIN), unsigned{POLLIN});
    EXPECT_EQ(read(4), "half");
    EXPECT_EQ(pair_.here.poll_now(POLLIN), 0u);
}

// The host's own poll, which knows the descriptor only.
TEST_P(Stream, Time6ReadableForAForeignPollAfterATimeout) {
    const int fd = pair_.here.fileno();
    must(pair_.here.settimeout(Timeout(5ms)));
    char room[10];
    send("half");
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(pair_.here.read(10).error(), Error(ETIMEDOUT));
        EXPECT_TRUE(is_readable(fd));
        EXPECT_EQ(pair_.here.readline().error(), Error(ETIMEDOUT));
        EXPECT_TRUE(is_readable(fd));
        EXPECT_EQ(pair_.here.readinto(room).error(), Error(ETIMEDOUT));
        EXPECT_TRUE(is_readable(fd));
        EXPECT_EQ(pair_.here.read().error(), Error(ETIMEDOUT));
        EXPECT_TRUE(is_readable(fd));
    }
    EXPECT_EQ(read(4), "half");
    EXPECT_FALSE(is_readable(fd));
}

// --- STRM-5

// Reading in every way, in any order: `fd` shows to others exactly what has not been returned yet.
void mix(Socket& here, Socket& there, int fd, bool counts, std::uint32_t seed) {
    std::minstd_rand random(seed);
    if (there.family() != AF_UNIX) must(there.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1));
    const auto below = [&](std::uint32_t bound) { return static_cast<std::size_t>(random() % bound); };
    std::string left;  // sent and not yet returned
    int next = 0;
    for (int step = 0; step < 400; ++step) {
        if (left.size() < 2000 && below(3) == 0) {
            std::string more;
            for (std::size_t i = below(60); i != 0; --i) more += std::to_string(next++) + (below(2) == 0 ? "\n" : " ");
            must(there.sendall(more));
            left += more;
        }
        if (left.empty()) continue;
        await_bytes(here, left.size());  // or else it could not be told apart
        const std::size_t size = below(static_cast<std::uint32_t>(left.size())) + 1;
        const std::size_t newline = left.find('\n');
        std::string got;
        switch (below(6)) {
            case 0: got = text(must(here.read(size))); break;
            case 1: got = text(must(here.recv(size))); break;
            case 2: {
                const std::string seen = text(must(here.recv(size, MSG_PEEK)));
                ASSERT_FALSE(seen.empty());
                ASSERT_EQ(seen, left.substr(0, seen.size()));
                break;
            }
            case 3:
                got.resize(size);
                ASSERT_EQ(must(here.readinto(got)), size);
                break;
            default:
                if (newline == std::string::npos) {
                    ASSERT_EQ(here.readline().error(), Error(ETIMEDOUT));
                } else {
                    got = text(must(here.readline()));
                    ASSERT_EQ(got.size(), newline + 1);
                }
        }
        ASSERT_EQ(got, left.substr(0, got.size())) << "seed " << seed << " step " << step;
        left.erase(0, got.size());
        // What a call has taken in and not returned our polls can tell; where others may look, it stays in the queue.
        ASSERT_EQ(is_readable(fd) || here.has_kept(), !left.empty()) << "seed " << seed << " step " << step;
        ASSERT_TRUE(!counts || !here.has_kept()) << "seed " << seed << " step " << step;
        if (counts && !here.has_kept()) {
            ASSERT_EQ(queued(fd), left.size()) << "seed " << seed << " step " << step;
        }
    }
}

TEST_P(Stream, Strm5AForeignPollIsRightAfterEveryCall) {
    must(pair_.here.settimeout(Timeout(2ms)));
    for (std::uint32_t seed = 1; seed <= 5 && !HasFatalFailure(); ++seed) {
        Pair pair = std::string(GetParam()) == "tcp" ? tcp_pair() : unix_pair();
        must(pair.here.settimeout(Timeout(2ms)));
        mix(pair.here, pair.there, hidden_fileno(pair.here), false, seed);
    }
}

TEST_P(Stream, Strm5TheDescriptorShowsExactlyWhatIsLeft) {
    for (std::uint32_t seed = 1; seed <= 5 && !HasFatalFailure(); ++seed) {
        Pair pair = std::string(GetParam()) == "tcp" ? tcp_pair() : unix_pair();
        must(pair.here.settimeout(Timeout(2ms)));
        mix(pair.here, pair.there, pair.here.fileno(), true, seed);
    }
}

TEST_P(Stream, Strm5ASecondSocketShowsExactlyWhatIsLeft) {
    for (std::uint32_t seed = 1; seed <= 5 && !HasFatalFailure(); ++seed) {
        Pair pair = std::string(GetParam()) == "tcp" ? tcp_pair() : unix_pair();
        must(pair.here.settimeout(Timeout(2ms)));
        Socket second = must(pair.here.dup());
        const int fd = hidden_fileno(second);
        mix(pair.here, pair.there, fd, true, seed);
    }
}

// Bytes that readline() has looked at are still whoever's comes first.
TEST_P(Stream, Strm5HandedOutInTheMiddleOfLines) {
    send("one\ntwo\nthree\nfour\n");
    await(19);
    EXPECT_EQ(readline(), "one\n");
    const int fd = pair_.here.fileno();
    EXPECT_EQ(queued(fd), 15u);
    char room[4];
    EXPECT_EQ(::recv(fd, room, 4, 0), 4);
    EXPECT_EQ(std::string_view(room, 4), "two\n");
    EXPECT_EQ(readline(), "three\n");
    EXPECT_EQ(queued(fd), 5u);
}

TEST_P(Stream, Strm5DupInTheMiddleOfLines) {
    send("one\ntwo\nthree\nfour\n");
    await(19);
    EXPECT_EQ(readline(), "one\n");
    Socket second = must(pair_.here.dup());
    EXPECT_EQ(text(must(second.readline())), "two\n");
    EXPECT_EQ(readline(), "three\n");
    EXPECT_EQ(text(must(second.recv(100))), "four\n");
}

TEST_P(Stream, Strm5DetachInTheMiddleOfLines) {
    send("one\ntwo\nthree\n");
    await(14);
    EXPECT_EQ(readline(), "one\n");
    const int fd = must(pair_.here.detach());
    EXPECT_EQ(queued(fd), 10u);
    Socket next = must(Socket::adopt(fd));
    EXPECT_EQ(text(must(next.readline())), "two\n");
}

TEST_P(Stream, Strm5PeekInTheMiddleOfLines) {
    send("one\ntwo\nthree\n");
    await(14);
    EXPECT_EQ(readline(), "one\n");
    EXPECT_EQ(text(must(pair_.here.recv(100, MSG_PEEK))), "two\nthree\n");
    EXPECT_EQ(readline(), "two\n");
    EXPECT_EQ(text(must(pair_.here.recv(100, MSG_PEEK))), "three\n");
    EXPECT_EQ(read(6), "three\n");
}

// More sockets than there are windows.
TEST_P(Stream, Strm5ManySocketsReadLinesInTurns) {
    std::vector<Pair> pairs;
    for (int i = 0; i < 50; ++i) {
        pairs.push_back(unix_pair());
        must(pairs.back().there.send("a\nb\nc\nd\n"));
    }
    for (const char* line : {"a\n", "b\n", "c\n", "d\n"}) {
        for (Pair& pair : pairs) ASSERT_EQ(text(must(pair.here.readline())), line);
    }
    for (Pair& pair : pairs) EXPECT_EQ(pair.here.poll_now(POLLIN), 0u);
}

// Of a connection that keeps message boundaries no part of a message is lost.
TEST(Packets, TIME_6_one_that_is_too_long_for_a_read_stays_in_line) {
    Pair pair = unix_pair(SOCK_SEQPACKET);
    must(pair.here.settimeout(10s));
    const std::string large(100'000, 'l');
    for (const std::string& packet : {std::string("one\ntwo"), large}) {
        must(pair.there.write(packet));
        std::string room(packet.size() - 1, ' ');
        EXPECT_EQ(pair.here.read(packet.size() - 1).error(), Error(EMSGSIZE));
        EXPECT_EQ(pair.here.readline(3).error(), Error(EMSGSIZE));
        EXPECT_EQ(pair.here.readinto(room).error(), Error(EMSGSIZE));
        EXPECT_EQ(must(pair.here.read(0)).size(), 0u);
        EXPECT_TRUE(must(pair.here.readline()).view() == packet) << packet.size();
    }
    must(pair.there.write("cut off"));
    EXPECT_EQ(must(pair.here.recv(3)).view(), "cut") << "recv() is the system's";
    pair.there.close();
    EXPECT_EQ(must(pair.here.read(3)).size(), 0u);
}

// On sockets that keep message boundaries a read ends with the message.
TEST(StreamOfMessages, Strm1AReadIsAMessage) {
    Pair pair = udp_pair();
    must(pair.there.send("one\ntwo"));
    must(pair.there.send("three"));
    EXPECT_EQ(text(must(pair.here.read())), "one\ntwo");
    EXPECT_EQ(text(must(pair.here.readline())), "three");
}

}  // namespace
}  // namespace usocket::tests
