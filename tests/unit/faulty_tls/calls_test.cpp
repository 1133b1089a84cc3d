// TLS-3, POLL-5: how many system calls and how much memory TLS takes, over a network that does what it is told.
#include <sys/socket.h>

#include <optional>
#include <string>

#include "faulty.hpp"
#include "gtest/gtest.h"
#include "loopback.hpp"
#include "print.hpp"
#include "tls_engine.hpp"
#include "tls_over_faulty.hpp"

namespace usocket::tests {
namespace {

using faulty::Sys;

// A client that blocks, and a server that answers while it waits.
class TlsCalls : public testing::Test {
protected:
    TlsCalls() { begin(); }

    void begin() {
        peer_.reset();
        socket_ = Socket();
        faulty::reset(1);
        contexts();  // made before anything is counted
        auto connection = faulty::connect_pair(AF_INET, SOCK_STREAM);
        socket_ = std::move(connection.socket);
        peer_.emplace(contexts().raw, std::move(connection.peer), true);
        faulty::when_idle([this] { return peer_->move(SIZE_MAX); });
    }

    // With questions that this engine answers.
    void agree() {
        if (!takes_new_keys) peer_->speak_only(TLS1_2_VERSION);
        shake_hands();
        while (peer_->move(SIZE_MAX)) {
        }
        must(socket_.setblocking(false));
        EXPECT_EQ(socket_.recv(1).error(), Error(EAGAIN));
    }
    // So many, of which the answers find no room.
    void ask_without_room(int times, std::size_t then_say) {
        peer_->wire().set_room(0);
        for (int i = 0; i < times; ++i) peer_->ask();
        peer_->say(then_say);
        ASSERT_TRUE(peer_->move(SIZE_MAX));
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

// TLS-3: a peer that does not read for now is read all the same.
TEST_F(TlsCalls, POLL_5_what_is_behind_questions_is_read_though_no_answer_goes_out) {
    agree();
    ask_without_room(20, 5);
    EXPECT_EQ(socket_.poll_now(POLLIN), unsigned{POLLIN});
    EXPECT_EQ(must(socket_.recv(5)).view(), pattern(true, 0, 5));
    EXPECT_EQ(socket_.poll_now(POLLIN), 0U);
    peer_->wire().set_room(1 << 20);
    EXPECT_EQ(must(socket_.write(pattern(false, 0, 9))), 9U);
    while (peer_->wire().arrived() != 0) peer_->move(SIZE_MAX);
    // OpenSSL takes a refusal to negotiate anew for the end.
    EXPECT_EQ(peer_->heard(), takes_new_keys ? pattern(false, 0, 9) : "");
}

// TIME-10: what is said to be sent has gone out, behind the answers. mbedTLS goes on though it has no room for them.
TEST_F(TlsCalls, TIME_10_a_write_behind_answers_that_found_no_room_is_sent) {
    peer_->speak_only(TLS1_2_VERSION);  // whose records show what they are
    agree();
    ask_without_room(takes_new_keys ? 20 : 200, 0);
    EXPECT_EQ(socket_.poll_now(POLLIN), 0U);
    peer_->wire().set_room(1 << 20);
    EXPECT_EQ(must(socket_.write("hello")), 5U);
    const std::string records = peer_->wire().take();
    std::string kinds;
    for (std::size_t at = 0; at + 5 <= records.size();) {
        kinds += records[at];
        at += 5 + static_cast<std::uint8_t>(records[at + 3]) * 256U + static_cast<std::uint8_t>(records[at + 4]);
    }
    EXPECT_EQ(kinds, std::string(kinds.size() - 1, '\x15') + '\x17');
}

// One that wants more answers than anybody keeps for it gets no more said until it takes some.
TEST_F(TlsCalls, POLL_5_answers_that_find_no_room_are_nothing_to_read) {
    agree();
    ask_without_room(2000, 0);
    for (int i = 0; i < 50; ++i) {
        ASSERT_EQ(socket_.poll_now(POLLIN), 0U);
        ASSERT_EQ(socket_.recv(1).error(), Error(EAGAIN));
        ASSERT_FALSE(socket_.has_kept());
    }
    peer_->say(5);
    must(socket_.settimeout(Timeout::none()));
    faulty::when_idle([this] {
        peer_->wire().set_room(1 << 20);
        return peer_->move(SIZE_MAX);
    });
    EXPECT_EQ(must(socket_.read(5)).view(), pattern(true, 0, 5));
}

// TLS-5: the connection breaks while an answer is on its way.
TEST_F(TlsCalls, TLS_5_an_answer_that_fails_takes_nothing_from_a_reader) {
    for (const int code : {EPIPE, ECONNRESET, ETIMEDOUT}) {
        begin();
        agree();
        for (int i = 0; i < 20; ++i) peer_->ask();
        peer_->say(5);
        peer_->say_end();
        ASSERT_TRUE(peer_->move(SIZE_MAX));
        faulty::fail(Sys::send, code);
        EXPECT_EQ(must(socket_.recv(9)).view(), pattern(true, 0, 5)) << code;
        EXPECT_EQ(must(socket_.recv(9)).size(), 0U) << code;
        EXPECT_EQ(socket_.send("x").error(), Error(code));
        EXPECT_EQ(socket_.send("x").error(), Error(code));
    }
}

// TIME-10: whoever sends is told, whoever met it first, and what did not go out is not said to have gone.
TEST_F(TlsCalls, SOCK_2_a_record_that_the_system_refuses_is_not_sent) {
    agree();
    must(socket_.setblocking(true));
    faulty::fail(Sys::send, ECONNRESET);
    const std::string bytes = pattern(false, 0, 9000);
    std::size_t sent = 0;
    EXPECT_EQ(socket_.write(bytes, sent).error(), Error(ECONNRESET));
    EXPECT_EQ(sent, 0U);
    EXPECT_EQ(socket_.write(bytes, sent).error(), Error(ECONNRESET));
    EXPECT_EQ(sent, 0U);
    EXPECT_EQ(socket_.shutdown(SHUT_WR).error(), Error(ECONNRESET));
}

}  // namespace
}  // namespace usocket::tests
