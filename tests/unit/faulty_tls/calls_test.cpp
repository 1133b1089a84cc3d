// TLS-3, POLL-5: how many system calls and how much memory TLS takes, over a network that does what it is told.
#include <sys/socket.h>

#include <optional>
#include <string>

#include "faulty.hpp"
#include "gtest/gtest.h"
#include "loopback.hpp"
#include "print.hpp"
#include "tls_over_faulty.hpp"

namespace usocket::tests {
namespace {

using faulty::Sys;

// A client that blocks, and a server that answers while it waits.
class TlsCalls : public testing::Test {
protected:
    TlsCalls() {
        faulty::reset(1);
        contexts();  // made before anything is counted
        auto connection = faulty::connect_pair(AF_INET, SOCK_STREAM);
        socket_ = std::move(connection.socket);
        peer_.emplace(contexts().raw, std::move(connection.peer), true);
        faulty::when_idle([this] { return peer_->move(SIZE_MAX); });
    }

    void shake_hands() { must(socket_.wrap(*contexts().client, {.server_hostname = "localhost"})); }

    Socket socket_;
    std::optional<MemoryPeer> peer_;
};

// One call finds nothing, one shows what the peer has sent, one takes it.
TEST_F(TlsCalls, TLS_3_the_messages_of_a_flight_are_received_together) {
    shake_hands();
    const std::size_t flights = SSL_version(peer_->ssl()) == TLS1_3_VERSION ? 1 : 2;
    EXPECT_LE(faulty::calls(Sys::recv), 3 * flights);
    EXPECT_EQ(faulty::calls(Sys::send), 2U);
}

// What the peer says right behind its last message of the handshake stays in the queue, for whoever polls.
TEST_F(TlsCalls, POLL_5_a_handshake_takes_nothing_that_is_behind_it) {
    const faulty::Holder holder = peer_->wire().holder_of_socket();
    peer_->speak_only(TLS1_2_VERSION);  // whose server has the last word
    faulty::when_idle([&] {
        const bool has_moved = peer_->move(SIZE_MAX);
        if (!peer_->is_ready() || peer_->said() != 0) return has_moved;
        peer_->say(5);
        return peer_->move(SIZE_MAX);
    });
    shake_hands();
    ASSERT_EQ(peer_->said(), 5U);
    EXPECT_TRUE(holder.readable());
    EXPECT_EQ(must(socket_.read(5)).view(), pattern(true, 0, 5));
}

TEST_F(TlsCalls, TLS_3_who_only_writes_keeps_no_memory) {
    shake_hands();
    const std::size_t blocks = faulty::live_blocks();
    must(socket_.write(pattern(false, 0, 100'000)));
    EXPECT_EQ(faulty::live_blocks(), blocks);
    while (peer_->move(SIZE_MAX)) {
    }
    EXPECT_EQ(peer_->heard(), pattern(false, 0, 100'000));
}

}  // namespace
}  // namespace usocket::tests
