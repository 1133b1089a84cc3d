// STRM-3 STRM-5 TIME-6: several threads on one connection: each line whole, each byte once.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <numeric>
#include <string>
#include <vector>

#include "background.hpp"
#include "loopback.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

class Readers : public ::testing::TestWithParam<const char*> {
protected:
    Pair pair_ = std::string(GetParam()) == "tcp" ? tcp_pair() : unix_pair();

    // "line <i>" and padding of different lengths, for i from 0 on.
    static std::string line(int i) { return "line " + std::to_string(i) + " " + std::string(i % 100, '.') + "\n"; }
    void send_lines(int count) {
        std::string text;
        for (int i = 0; i < count; ++i) {
            text += line(i);
            if (i % 50 != 0) continue;
            must(pair_.there.sendall(text));
            text.clear();
        }
        must(pair_.there.sendall(text));
        must(pair_.there.shutdown(SHUT_WR));
    }
    // Every line is whole, in order, and counted once.
    static void count_line(const Bytes& bytes, std::vector<std::atomic<int>>& seen, int& last) {
        const int number = std::atoi(std::string(bytes.view()).c_str() + 5);
        ASSERT_GE(number, 0);
        ASSERT_LT(static_cast<std::size_t>(number), seen.size());
        ASSERT_EQ(bytes.view(), line(number));
        ASSERT_GT(number, last);
        last = number;
        ++seen[static_cast<std::size_t>(number)];
    }
    void read_lines(std::vector<std::atomic<int>>& seen) {
        int last = -1;
        for (;;) {
            const auto read = pair_.here.readline();
            if (read.error() == Error(ETIMEDOUT)) continue;
            ASSERT_TRUE(read.has_value()) << read.error().message();
            if (read->empty()) return;
            count_line(*read, seen, last);
        }
    }
};
INSTANTIATE_TEST_SUITE_P(Families, Readers, ::testing::Values("tcp", "unix"),
                         [](const auto& one) { return std::string(one.param); });

constexpr std::size_t lines = 4000;

TEST_P(Readers, Strm3EachLineWholeAndOnce) {
    std::vector<std::atomic<int>> seen(lines);
    {
        Background sender([&] { send_lines(lines); });
        Background readers[] = {Background([&] { read_lines(seen); }), Background([&] { read_lines(seen); }),
                                Background([&] { read_lines(seen); })};
    }
    for (const auto& count : seen) ASSERT_EQ(count, 1);
}

// Timeouts that come halfway: what was taken in stays for whoever reads next.
TEST_P(Readers, Time6EachLineWholeAndOnceThoughReadersGiveUp) {
    must(pair_.here.settimeout(Timeout(200us)));
    std::vector<std::atomic<int>> seen(lines);
    {
        Background sender([&] {
            for (int i = 0; i < static_cast<int>(lines); ++i) {
                const std::string text = line(i);
                must(pair_.there.sendall(text.substr(0, 6)));
                if (i % 100 == 0) std::this_thread::sleep_for(500us);  // longer than a reader waits
                must(pair_.there.sendall(text.substr(6)));
            }
            must(pair_.there.shutdown(SHUT_WR));
        });
        Background readers[] = {Background([&] { read_lines(seen); }), Background([&] { read_lines(seen); })};
    }
    for (const auto& count : seen) ASSERT_EQ(count, 1);
}

// STRM-5: from the moment on that the descriptor is handed out nothing stays that was returned already.
TEST_P(Readers, Strm5FilenoWhileAnotherThreadReadsLines) {
    std::vector<std::atomic<int>> seen(lines);
    std::atomic<bool> is_over{false};
    {
        Background sender([&] { send_lines(lines); });
        Background reader([&] {
            read_lines(seen);
            is_over = true;
        });
        Background asker([&] {
            while (!is_over) {
                std::this_thread::yield();
                ASSERT_GE(pair_.here.fileno(), 0);
            }
        });
    }
    for (const auto& count : seen) ASSERT_EQ(count, 1);
}

// Three holders of the bytes take turns: all bytes arrive once, and each sees them in order.
TEST_P(Readers, Strm5ReadRecvAndReadlineShareTheBytes) {
    constexpr std::uint32_t count = 30'000;
    std::vector<std::atomic<int>> seen(count);
    // Each number is a line of 8 characters, so that whatever is read in multiples of 8 is numbers.
    const auto note = [&](std::string_view bytes) {
        ASSERT_EQ(bytes.size() % 8, 0u);
        for (std::size_t i = 0; i < bytes.size(); i += 8) {
            ASSERT_EQ(bytes[i + 7], '\n');
            ++seen[static_cast<std::size_t>(std::atoi(std::string(bytes.substr(i, 7)).c_str()))];
        }
    };
    {
        Background sender([&] {
            std::string text;
            for (std::uint32_t i = 0; i < count; ++i) {
                char digits[16];
                std::snprintf(digits, sizeof digits, "%07u\n", i);
                text += digits;
            }
            must(pair_.there.sendall(text));
            must(pair_.there.shutdown(SHUT_WR));
        });
        const auto take = [&](auto read) {
            for (;;) {
                const Bytes bytes = must(read());
                if (bytes.empty()) return;
                note(bytes.view());
            }
        };
        Background by_line([&] { take([&] { return pair_.here.readline(); }); });
        Background by_read([&] { take([&] { return pair_.here.read(80); }); });
        Background by_receive([&] { take([&] { return pair_.here.recv(8, MSG_WAITALL); }); });
    }
    for (const auto& times : seen) ASSERT_EQ(times, 1);
}

TEST_P(Readers, Strm4AReaderAndAWriterDoNotWaitForEachOther) {
    const std::string data(3 << 20, 'd');
    std::string back;
    {
        Background echo([&] {
            for (;;) {
                const Bytes bytes = must(pair_.there.recv(65536));
                if (bytes.empty()) break;
                must(pair_.there.sendall(bytes));
            }
            must(pair_.there.shutdown(SHUT_WR));
        });
        Background reader([&] { back = must(pair_.here.read()).view(); });
        Background writer([&] {
            EXPECT_EQ(must(pair_.here.write(data)), data.size());
            must(pair_.here.shutdown(SHUT_WR));
        });
    }
    EXPECT_EQ(back, data);
}

// SO_RCVTIMEO is the descriptor's, the other's deadline its own.
TEST_P(Readers, TIME_7_SO_RCVTIMEO_counts_while_another_reads) {
    const timeval span{0, 50'000};
    must(pair_.here.setsockopt(SOL_SOCKET, SO_RCVTIMEO, span));
    std::atomic<bool> is_over = false;
    Background other([&] {
        EXPECT_EQ(must(pair_.here.read(1, Deadline::after(10s))).view(), "x");
        is_over = true;
    });
    std::this_thread::sleep_for(10ms);  // whether it waits by then or not, the result is the same
    EXPECT_EQ(pair_.here.read(1).error(), Error(EAGAIN));
    EXPECT_EQ(pair_.here.recv(1).error(), Error(EAGAIN));
    EXPECT_FALSE(is_over);
    must(pair_.there.write("x"));
}

}  // namespace
}  // namespace usocket::tests
