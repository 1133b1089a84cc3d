// TLS-2 TIME-5 SOCK-3: a listener with TLS on it, over a network that fails: what it accepts has TLS, or nothing is
// left of it.
#include <sys/socket.h>

#include <cstddef>
#include <utility>

#include "faulty.hpp"
#include "gtest/gtest.h"
#include "loopback.hpp"
#include "print.hpp"
#include "tls_over_faulty.hpp"

namespace usocket::tests {
namespace {

using faulty::Kind;

class ListenerOverFaulty : public testing::Test {
protected:
    ListenerOverFaulty() {
        faulty::reset(1);
        contexts();  // made before anything is counted
        listener_ = listener(address_);
        must(listener_.wrap(*contexts().server, {.server_side = true}));
    }

    // A client that is connected, and not accepted yet.
    MemoryPeer knock() {
        const faulty::Calm calm;
        Socket client = must(socket());
        must(client.connect(address_));
        return {contexts().raw, faulty::Peer(must(client.detach())), false};
    }

    Socket listener_;
    Address address_;
};

// Nobody could put TLS on it any more: it must not be used without.
TEST_F(ListenerOverFaulty, SOCK_3_without_memory_for_its_TLS_a_connection_is_closed) {
    const std::size_t descriptors = faulty::open_descriptors();
    const std::size_t blocks = faulty::live_blocks();
    for (unsigned allowed = 0;; ++allowed) {
        MemoryPeer peer = knock();
        Socket conn;
        faulty::refuse_memory(allowed);
        const Error error = listener_.accept_into(conn).error();
        faulty::limit_memory(SIZE_MAX);
        if (error == Error()) break;
        ASSERT_EQ(error, Error(ENOMEM));
        ASSERT_LT(allowed, 10U);
        EXPECT_TRUE(conn.closed());
        EXPECT_EQ(faulty::open_descriptors(), descriptors + 1);  // the client's
    }
    EXPECT_EQ(faulty::open_descriptors(), descriptors);
    EXPECT_EQ(faulty::live_blocks(), blocks);
}

// A silent client costs what it must: nothing is made ready for what it may say.
TEST_F(ListenerOverFaulty, TLS_3_a_silent_client_takes_no_buffers) {
    const MemoryPeer peer = knock();
    Socket conn = std::move(must(listener_.accept()).socket);
    must(conn.setblocking(false));
    const std::size_t blocks = faulty::live_blocks();
    EXPECT_EQ(conn.read(1).error(), Error(EAGAIN));
    EXPECT_EQ(conn.write("x").error(), Error(EAGAIN));
    EXPECT_EQ(faulty::live_blocks(), blocks);
}

// What a network does to accept() takes no client away: the call is made again.
TEST_F(ListenerOverFaulty, TIME_5_a_network_that_fails_loses_no_client) {
    for (std::size_t i = 1; i <= 100; ++i) {
        faulty::Faults faults;
        for (const Kind kind : {Kind::interrupt, Kind::again, Kind::no_buffers, Kind::no_memory}) faults[kind] = 200;
        MemoryPeer peer = knock();
        faulty::set_faults(faults);
        Socket conn;
        Error error = Error(ENOMEM);
        for (int tries = 0; tries < 100 && (error == Error(ENOMEM) || error == Error(ENOBUFS)); ++tries) {
            error = listener_.accept_into(conn).error();
        }
        faulty::set_faults({});
        ASSERT_EQ(error, Error());
        faulty::when_idle([&] { return peer.move(37 * i); });
        ASSERT_EQ(conn.do_handshake().error(), Error());
        faulty::when_idle([] { return false; });
    }
    EXPECT_NE(faulty::injected(Kind::no_buffers), 0U);
}

}  // namespace
}  // namespace usocket::tests
