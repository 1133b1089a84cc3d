// STRM-5 SOCK-4: a descriptor is given out while another thread reads; calls that no shutdown(2) ends.
#include <linux/netlink.h>
#include <sys/socket.h>

#include <string>

#include "background.hpp"
#include "loopback.hpp"

namespace usocket::tests {
namespace {

// Whoever has asked for the descriptor finds just what the other has not returned.
TEST(Exposing, STRM_5_no_line_comes_twice_or_never_when_fileno_comes_between) {
    for (int round = 0; round < 1000; ++round) {
        Pair pair = tcp_pair();
        std::string all;
        for (int i = 0; i < 50; ++i) all += "line " + std::to_string(i) + "\n";
        must(pair.there.write(all));
        must(pair.there.shutdown(SHUT_WR));
        std::string here, elsewhere;
        std::atomic<bool> is_asked{false};
        std::atomic<int> lines{0};
        Background reader([&] {
            for (; lines < 50 && !is_asked; ++lines) here += must(pair.here.readline()).view();
        });
        while (lines < round % 50) std::this_thread::yield();
        const int fd = round % 2 == 0 ? pair.here.fileno() : must(must(pair.here.dup()).detach());
        is_asked = true;
        reader.join();
        char room[4096];
        for (ssize_t got = 0; (got = ::recv(fd, room, sizeof room, 0)) > 0;)
            elsewhere.append(room, static_cast<std::size_t>(got));
        ASSERT_EQ(here + elsewhere, all) << "round " << round;
        if (round % 2 != 0) ::close(fd);
    }
}

// A family that knows no shutdown(2).
TEST(Exposing, SOCK_4_close_ends_a_recv_on_netlink) {
    Socket link = must(usocket::socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
    Error error;
    Background reader([&] { error = link.recv(100).error(); });
    reader.await_asleep();
    link.close();
    reader.join();
    EXPECT_EQ(error, Error(EBADF));
}

}  // namespace
}  // namespace usocket::tests
