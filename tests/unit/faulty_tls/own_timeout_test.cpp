// TIME-7, TLS-3: SO_RCVTIMEO and SO_SNDTIMEO of a wrapped socket, to the nanosecond of the virtual clock.
#include <sys/socket.h>
#include <sys/time.h>

#include <optional>
#include <string>

#include "faulty.hpp"
#include "gtest/gtest.h"
#include "loopback.hpp"
#include "print.hpp"
#include "tls_over_faulty.hpp"

namespace usocket::tests {
namespace {

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t span = 250 * ms;
// Between two steps of a peer that goes on.
constexpr std::int64_t step = 150 * ms;

// A client that blocks, with other threads or alone, and a server that does what it is told once they are connected.
class TlsOwnTimeout : public testing::TestWithParam<bool> {
protected:
    TlsOwnTimeout() {
        faulty::reset(1);
        auto connection = faulty::connect_pair(AF_INET, SOCK_STREAM);
        socket_ = std::move(connection.socket);
        peer_.emplace(contexts().raw, std::move(connection.peer), true);
        faulty::set_single_threaded(GetParam());
    }
    ~TlsOwnTimeout() override { faulty::set_single_threaded(false); }

    void shake_hands() {
        faulty::when_idle([this] { return peer_->move(SIZE_MAX); });
        must(socket_.wrap(*contexts().client, {.server_hostname = "localhost"}));
        while (peer_->move(SIZE_MAX)) {
        }
        faulty::when_idle(nullptr);
        begin();
    }
    void begin() {
        for (const int name : {SO_RCVTIMEO, SO_SNDTIMEO}) {
            must(socket_.setsockopt(SOL_SOCKET, name, timeval{0, span / 1000}));
        }
        start_ = faulty::now();
    }
    template <class Act> std::int64_t three_times(Act act) {
        for (int i = 1; i <= 3; ++i) faulty::at(start_ + i * step, act);
        return 3 * step;
    }
    void expect_end(Error error, std::int64_t last_move) const {
        EXPECT_EQ(error, Error(EAGAIN));
        EXPECT_EQ(faulty::now(), start_ + last_move + span);
    }

    Socket socket_;
    std::optional<MemoryPeer> peer_;
    std::int64_t start_ = 0;
};
INSTANTIATE_TEST_SUITE_P(TlsOwnTimeout, TlsOwnTimeout, testing::Bool(),
                         [](const auto& one) { return one.param ? "alone" : "threads"; });

TEST_P(TlsOwnTimeout, TIME_7_a_peer_that_does_not_shake_hands) {
    begin();
    expect_end(socket_.wrap(*contexts().client, {.server_hostname = "localhost"}).error(), 0);
}

TEST_P(TlsOwnTimeout, TIME_7_TIME_6_a_part_that_is_there_does_not_double_it) {
    shake_hands();
    peer_->say(3);
    (void)peer_->move(SIZE_MAX);
    expect_end(socket_.read(10).error(), 0);
    EXPECT_EQ(must(socket_.recv(10)).view(), pattern(true, 0, 3));
}

TEST_P(TlsOwnTimeout, TIME_7_each_record_that_comes_begins_it_anew) {
    shake_hands();
    const std::int64_t last = three_times([this] {
        peer_->say(1);
        (void)peer_->move(SIZE_MAX);
    });
    expect_end(socket_.read(10).error(), last);
    EXPECT_EQ(must(socket_.recv(10)).view(), pattern(true, 0, 3));
}

// Each byte is: a record that has not come whole is something that moves.
TEST_P(TlsOwnTimeout, TIME_7_each_byte_of_a_record_that_comes_begins_it_anew) {
    shake_hands();
    peer_->say(100);
    const std::int64_t last = three_times([this] { (void)peer_->move(10); });
    expect_end(socket_.read(10).error(), last);
}

TEST_P(TlsOwnTimeout, TIME_7_a_peer_that_takes_nothing) {
    shake_hands();
    peer_->wire().set_room(0);
    expect_end(socket_.write(pattern(false, 0, 100'000)).error(), 0);
}

TEST_P(TlsOwnTimeout, TIME_7_a_part_that_went_out_does_not_double_it) {
    shake_hands();
    peer_->wire().set_room(50'000);
    std::size_t sent = 0;
    expect_end(socket_.write(pattern(false, 0, 100'000), sent).error(), 0);
    EXPECT_GT(sent, 0u);
    EXPECT_LT(sent, 50'000u);
}

TEST_P(TlsOwnTimeout, TIME_7_each_byte_that_goes_out_begins_it_anew) {
    shake_hands();
    peer_->wire().set_room(10);
    const std::int64_t last = three_times([this] { (void)peer_->wire().take(); });
    expect_end(socket_.write(pattern(false, 0, 100'000)).error(), last);
}

}  // namespace
}  // namespace usocket::tests
