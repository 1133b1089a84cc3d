// TIME-5 TIME-6: while a host's signal handlers run, what the interrupted call had taken in is lent to other readers.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "background.hpp"
#include "loopback.hpp"
#include "random.hpp"
#include "scripted_host.hpp"
#include "signals.hpp"

namespace usocket::tests {
namespace {

// Another reader takes all that is lent and then sleeps, so the lock is not to be had: the call ends all the same.
TEST(Lent, Time5GivesUpWhileAnotherReaderSleeps) {
    Pair pair = tcp_pair();
    must(pair.there.write("abc"));
    std::string got;
    ScriptedHost host;
    std::optional<Background> other;
    host.on_signal = [&] {
        if (host.signals() < 3) return false;  // by then it has taken the bytes in
        other.emplace([&] { got = must(pair.here.read(5)).view(); });
        while (pair.here.has_kept()) std::this_thread::yield();
        other->await_asleep();
        return true;
    };
    char room[6];
    {
        const Signals signals;
        EXPECT_EQ(pair.here.readinto(room, Call(host.host())).error(), Error(EINTR));
    }
    must(pair.there.write("de"));
    other->join();
    EXPECT_EQ(got, "abcde");
}

class LentLines : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Lent, LentLines, ::testing::Bool(),
                         [](const auto& one) { return one.param ? "tcp" : "unix"; });

// Readers that are interrupted, give up, and read in their handlers, beside one that is not.
TEST_P(LentLines, Time6EachLineWholeAndOnce) {
    constexpr int count = 20'000;
    Pair pair = GetParam() ? tcp_pair() : unix_pair();
    std::vector<std::string> lines;
    std::string all;
    Random random(1);
    for (int i = 0; i < count; ++i) {
        lines.push_back(std::to_string(i) + std::string(random.below(60), '-') + "\n");
        all += lines.back();
    }
    Background writer([&] {
        Random pieces(2);
        for (std::size_t sent = 0; sent < all.size();) {
            const std::size_t size = std::min<std::size_t>(1 + pieces.below(200), all.size() - sent);
            must(pair.there.sendall(ConstBuffer(all.data() + sent, size)));
            sent += size;
            if (pieces.chance(100)) std::this_thread::yield();
        }
        must(pair.there.shutdown(SHUT_WR));
    });
    std::vector<std::string> seen, seen_elsewhere;
    Background other([&] {
        for (;;) {
            const Bytes line = must(pair.here.readline());
            if (line.empty()) return;
            seen_elsewhere.emplace_back(line.view());
        }
    });
    ScriptedHost host;
    host.on_signal = [&] {
        if (random.chance(100)) {
            const auto line = pair.here.readline();
            if (line && !line->empty()) seen.emplace_back(line->view());
        }
        return random.chance(300);
    };
    {
        const Signals signals(std::chrono::microseconds(20));
        char room[100];
        for (;;) {
            const auto size = pair.here.readline_into(room, Call(host.host()));
            if (size && *size == 0) break;
            if (size) seen.emplace_back(room, *size);
            if (!size) {
                EXPECT_EQ(size.error(), Error(EINTR));
            }
        }
    }
    writer.join();
    other.join();
    seen.insert(seen.end(), seen_elsewhere.begin(), seen_elsewhere.end());
    std::sort(seen.begin(), seen.end());
    std::sort(lines.begin(), lines.end());
    EXPECT_EQ(seen, lines);
}

}  // namespace
}  // namespace usocket::tests
