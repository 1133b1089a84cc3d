// POLL-5 TLS-3: records that bring a program nothing: tickets, new keys, wishes to negotiate anew, parts of records.
// The other end is OpenSSL by itself.
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <chrono>
#include <string>
#include <vector>

#include "raw_tls.hpp"
#include "secure.hpp"
#include "tls_engine.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

// Our end, `here`, and the peer, which are agreed.
struct Agreed {
    Agreed(bool is_client, int version) : peer(pair.there.fileno(), {is_client, version, &identity}) {
        Background other([&] { EXPECT_EQ(peer.shake_hands(), 1); });
        must(pair.here.wrap(is_client ? client : server,
                            is_client ? TlsOptions{.server_hostname = "localhost"} : TlsOptions{.server_side = true}));
        must(pair.here.settimeout(10s));
    }
    const Identity identity = trusted_issuer().issue();
    TlsContext client = client_context();
    TlsContext server = server_context();
    Pair pair = tcp_pair();
    RawPeer peer;
};

// Ciphertext has come.
void await_arrival(Socket& socket) {
    pollfd ready{socket.fileno(), POLLIN, 0};
    ASSERT_EQ(::poll(&ready, 1, 10'000), 1);
}

// That what has come is nothing to read, and what comes then is.
void expect_silence_then(Socket& socket, const std::function<void()>& speak) {
    Poll poll;
    must(poll.register_(socket, POLLIN | POLLOUT));
    must(socket.setblocking(false));
    Poll::Event event[1];
    await_arrival(socket);
    ASSERT_EQ(must(poll.poll(event, Timeout(10s))), 1u);
    EXPECT_EQ(event[0].events, unsigned{POLLOUT});
    must(poll.modify(socket, POLLIN));
    EXPECT_EQ(must(poll.poll(event, Timeout(30ms))), 0u);
    EXPECT_EQ(socket.poll_now(POLLIN), 0u);
    EXPECT_FALSE(socket.has_kept());
    speak();
    ASSERT_EQ(must(poll.poll(event, Timeout(10s))), 1u);
    EXPECT_EQ(event[0].events, unsigned{POLLIN});
    EXPECT_EQ(text(socket.read(100)), "hello");
    EXPECT_EQ(must(poll.poll(event, Timeout(0ms))), 0u);
}

TEST(TlsRecords, POLL_5_tickets_are_nothing_to_read) {
    if (std::string_view(newest_version) != "TLSv1.3") GTEST_SKIP() << "TLS 1.2 has them in its handshake";
    Agreed agreed(true, TLS1_3_VERSION);
    expect_silence_then(agreed.pair.here, [&] { EXPECT_TRUE(agreed.peer.write("hello")); });
}

// The same where the program asks without a poll of its own.
TEST(TlsRecords, POLL_5_poll_now_knows_tickets_too) {
    if (std::string_view(newest_version) != "TLSv1.3") GTEST_SKIP() << "TLS 1.2 has them in its handshake";
    Agreed agreed(true, TLS1_3_VERSION);
    await_arrival(agreed.pair.here);
    EXPECT_EQ(agreed.pair.here.poll_now(POLLIN | POLLOUT), unsigned{POLLOUT});
    EXPECT_TRUE(agreed.peer.write("hello"));
    await_arrival(agreed.pair.here);
    EXPECT_EQ(agreed.pair.here.poll_now(POLLIN | POLLOUT), unsigned{POLLIN | POLLOUT});
    EXPECT_EQ(text(agreed.pair.here.read(5)), "hello");
}

// TLS 1.3 (RFC 8446, section 4.6.3): the peer has new keys, and wants us to have some.
TEST(TlsRecords, POLL_5_new_keys_are_nothing_to_read) {
    if (std::string_view(newest_version) != "TLSv1.3") GTEST_SKIP() << "TLS 1.2 has none";
    for (const bool is_client : {true, false}) {
        Agreed agreed(is_client, TLS1_3_VERSION);
        ASSERT_EQ(SSL_key_update(agreed.peer.ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
        ASSERT_EQ(SSL_do_handshake(agreed.peer.ssl()), 1);
        if (!takes_new_keys) {
            EXPECT_EQ(agreed.pair.here.read(1).error().code(), EPROTO);
            continue;
        }
        expect_silence_then(agreed.pair.here, [&] { EXPECT_TRUE(agreed.peer.write("hello")); });
        must(agreed.pair.here.write("and back"));
        EXPECT_EQ(agreed.peer.read(), "and back");
    }
}

// --- What asks for an answer: new keys of TLS 1.3, a wish to negotiate anew of a server of TLS 1.2.

std::vector<int> versions_with_questions() {
    return takes_new_keys ? std::vector{TLS1_2_VERSION, TLS1_3_VERSION} : std::vector{TLS1_2_VERSION};
}

// So many, and then `text`, all together.
void ask(RawPeer& peer, Socket& of_peer, int times, std::string_view text = {}) {
    must(of_peer.setsockopt(IPPROTO_TCP, TCP_CORK, 1));
    for (int i = 0; i < times; ++i) {
        const bool is_asked = SSL_version(peer.ssl()) == TLS1_3_VERSION
                                  ? SSL_key_update(peer.ssl(), SSL_KEY_UPDATE_REQUESTED) == 1
                                  : SSL_renegotiate(peer.ssl()) == 1;
        ASSERT_TRUE(is_asked);
        ASSERT_EQ(SSL_do_handshake(peer.ssl()), 1);
    }
    EXPECT_TRUE(text.empty() || peer.write(text));
    must(of_peer.setsockopt(IPPROTO_TCP, TCP_CORK, 0));
}

TEST(TlsRecords, POLL_5_many_questions_at_once_are_nothing_to_read) {
    for (const int version : versions_with_questions()) {
        Agreed agreed(true, version);
        EXPECT_TRUE(agreed.peer.write("x"));
        EXPECT_EQ(text(agreed.pair.here.recv(1)), "x");
        ask(agreed.peer, agreed.pair.there, 30);
        expect_silence_then(agreed.pair.here, [&] { EXPECT_TRUE(agreed.peer.write("hello")); });
    }
}

// What waits behind answers that have no room to go out is there once they have.
TEST(TlsRecords, POLL_5_what_lies_behind_questions_wakes_a_poll_once_they_can_be_answered) {
    if (!takes_new_keys) GTEST_SKIP() << "the engine takes no new keys";
    for (const int times : {100, 240, 280, 320}) {
        Agreed agreed(true, TLS1_3_VERSION);
        Socket& here = agreed.pair.here;
        must(here.setblocking(false));
        std::size_t filled = 0;
        const std::string block(16384, 'b');
        for (int refused = 0; refused < 20;) {  // until all buffers on the way are full
            const auto sent = here.send(block);
            refused = sent ? 0 : refused + 1;
            filled += sent.value_or(0u);
            if (!sent) std::this_thread::sleep_for(1ms);
        }
        ask(agreed.peer, agreed.pair.there, times, "hello");
        await_arrival(here);
        Poll poll;
        must(poll.register_(here, POLLIN));
        Poll::Event event;
        bool is_there = false;
        // It may be read at once, if the answers have had room in memory.
        for (int i = 0; i < 20 && !is_there && must(poll.poll({&event, 1}, Timeout(20ms))) != 0; ++i) {
            is_there = here.recv(5).has_value();
        }
        if (is_there) continue;
        Background other([&] {
            for (std::size_t left = filled; left != 0;) {
                const std::size_t size = agreed.peer.read().size();
                if (size == 0) break;
                left -= size;
            }
        });
        const Deadline patience = Deadline::after(10s);
        while (!is_there && !patience.has_passed()) {
            if (must(poll.poll({&event, 1}, Timeout(5s))) == 0) break;
            is_there = here.recv(5).has_value();
        }
        EXPECT_TRUE(is_there) << times;
        must(here.settimeout(10s));
    }
}

// The same behind what was read, when nobody polls.
TEST(TlsRecords, POLL_5_questions_behind_data_are_nothing_that_is_kept) {
    for (const int version : versions_with_questions()) {
        Agreed agreed(true, version);
        must(agreed.pair.there.setsockopt(IPPROTO_TCP, TCP_CORK, 1));
        EXPECT_TRUE(agreed.peer.write("hello"));
        ask(agreed.peer, agreed.pair.there, 30);
        EXPECT_EQ(text(agreed.pair.here.recv(5)), "hello");
        EXPECT_FALSE(agreed.pair.here.has_kept());
    }
}

// TLS-5: an answer that cannot go out any more keeps nobody from reading.
TEST(TlsRecords, TLS_3_questions_after_our_end_do_not_end_reading) {
    for (const int version : versions_with_questions()) {
        for (const int times : {1, 2, 40}) {
            Agreed agreed(true, version);
            Socket& here = agreed.pair.here;
            must(here.shutdown(SHUT_WR));
            EXPECT_EQ(agreed.peer.read(), "");
            for (int round = 0; round < 3; ++round) {
                ask(agreed.peer, agreed.pair.there, times);
                must(here.setblocking(false));
                await_arrival(here);
                EXPECT_EQ(here.recv(9).error(), Error(EAGAIN)) << times << " questions, round " << round;
                must(here.settimeout(10s));
                EXPECT_TRUE(agreed.peer.write("hello"));
                EXPECT_EQ(text(here.read(5)), "hello") << times << " questions, round " << round;
                EXPECT_EQ(here.write("x").error(), Error(EPIPE));
            }
            must(here.shutdown(SHUT_WR));
            SSL_shutdown(agreed.peer.ssl());
            EXPECT_EQ(text(here.read(1)), "");
        }
    }
}

// TLS-5 TIME-6: a peer that asks, answers, and goes without having read all: the reset ends only what is sent.
TEST(TlsRecords, TLS_5_what_came_behind_questions_is_read_though_the_peer_is_gone) {
    for (const int version : versions_with_questions()) {
        for (const int times : {0, 1, 40}) {
            Agreed agreed(true, version);
            Socket& here = agreed.pair.here;
            must(agreed.pair.there.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1));  // a reset drops what waits to be sent
            must(here.write("unread"));
            await_arrival(agreed.pair.there);
            ask(agreed.peer, agreed.pair.there, times, "the result\n");
            SSL_shutdown(agreed.peer.ssl());
            agreed.pair.there.close();
            pollfd reset{here.fileno(), 0, 0};
            ASSERT_EQ(::poll(&reset, 1, 10'000), 1);
            EXPECT_EQ(text(here.readline()), "the result\n") << times << " questions";
            EXPECT_EQ(text(here.readline()), "") << times << " questions";
            EXPECT_FALSE(here.write("x"));
        }
    }
}

// So much of new keys that a call which digested them all would last.
void flood(RawPeer& peer, Socket& receiver, Socket& sender) {
    must(receiver.setsockopt(SOL_SOCKET, SO_RCVBUF, 1 << 20));
    must(sender.setsockopt(SOL_SOCKET, SO_SNDBUF, 1 << 20));
    for (int i = 0; i < 8000; ++i) {
        ASSERT_EQ(SSL_key_update(peer.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        ASSERT_EQ(SSL_do_handshake(peer.ssl()), 1);
    }
    EXPECT_TRUE(peer.write("hello"));
}

std::size_t queued(Socket& socket) {
    int count = 0;
    EXPECT_EQ(::ioctl(socket.fileno(), FIONREAD, &count), 0);
    return static_cast<std::size_t>(count);
}

struct Glance {
    const char* name;
    Error (*look)(Socket& socket, Poll& poll);
};

// EAGAIN: there is nothing to read.
const Glance glances[] = {
    {"poll",
     [](Socket& /*socket*/, Poll& poll) {
         Poll::Event event[1];
         return must(poll.poll(event, Timeout::zero())) != 0 ? Error() : Error(EAGAIN);
     }},
    {"poll_now", [](Socket& s, Poll& /*poll*/) { return s.poll_now(POLLIN) != 0 ? Error() : Error(EAGAIN); }},
    {"read",
     [](Socket& s, Poll& /*poll*/) {
         must(s.setblocking(false));
         return s.read(1).error();
     }},
    {"MSG_DONTWAIT", [](Socket& s, Poll& /*poll*/) { return s.recv(1, MSG_DONTWAIT | MSG_PEEK).error(); }},
};

class TlsFlood : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Looks, TlsFlood, ::testing::Range(0, 4),
                         [](const auto& one) { return glances[one.param].name; });

// A peer may send without end what is nothing to read: one call takes in a little of it, and the next one goes on.
TEST_P(TlsFlood, TIME_8_a_flood_of_new_keys_keeps_no_call_that_waits_for_nothing) {
    if (!takes_new_keys) GTEST_SKIP() << "the engine takes no new keys";
    Agreed agreed(true, TLS1_3_VERSION);
    Socket& here = agreed.pair.here;
    flood(agreed.peer, here, agreed.pair.there);
    Poll poll;
    must(poll.register_(here, POLLIN));
    constexpr std::size_t most = 64 * 1024;
    int calls = 0;
    for (Error found(EAGAIN); found == Error(EAGAIN); ++calls) {
        const std::size_t before = queued(here);
        found = glances[GetParam()].look(here, poll);
        ASSERT_GE(queued(here) + most, before);  // more may have come meanwhile
        ASSERT_TRUE(found == Error() || found == Error(EAGAIN)) << found.message();
    }
    EXPECT_GT(calls, 1);
    must(here.setblocking(true));
    std::string rest = text(here.read(4));
    EXPECT_EQ(rest, std::string_view(glances[GetParam()].name) == "read" ? "ello" : "hell");
}

// As it drips in: a poll sleeps until the record is whole.
TEST(TlsRecords, POLL_5_a_part_of_a_record_is_nothing_to_read) {
    Pair front = tcp_pair(), back = tcp_pair();
    TlsContext client = client_context(), server = server_context();
    Background relay([&] {
        for (bool goes_on = true; goes_on;) {
            pollfd ready[] = {{front.there.fileno(), POLLIN, 0}, {back.there.fileno(), POLLIN, 0}};
            ::poll(ready, 2, 10'000);
            for (int i = 0; i < 2; ++i) {
                Socket& from = i == 0 ? front.there : back.there;
                if (ready[i].revents == 0) continue;
                const Bytes some = must(from.recv(4096));
                goes_on = goes_on && some.size() != 0;
                must((i == 0 ? back.there : front.there).write(some.view()));
            }
        }
    });
    Background other([&] { must(back.here.wrap(server, {.server_side = true})); });
    must(front.here.wrap(client, {.server_hostname = "localhost"}));
    other.join();
    must(front.here.write("x"));
    EXPECT_EQ(text(back.here.read(1)), "x");
    must(back.here.write("y"));
    EXPECT_EQ(text(front.here.read(1)), "y");
    must(back.here.shutdown(SHUT_WR));
    ::shutdown(back.here.fileno(), SHUT_WR);
    relay.join();
    must(front.here.write("hello"));
    const std::string record = text(front.there.recv(4096));
    must(back.here.setblocking(false));
    Poll poll;
    must(poll.register_(back.here, POLLIN));
    Poll::Event event[1];
    for (const char byte : record.substr(0, record.size() - 1)) {
        must(back.there.write(ConstBuffer(&byte, 1)));
        await_arrival(back.here);
        ASSERT_EQ(must(poll.poll(event, Timeout(0ms))), 0u);
    }
    must(back.there.write(std::string_view(record).substr(record.size() - 1)));
    ASSERT_EQ(must(poll.poll(event, Timeout(10s))), 1u);
    EXPECT_EQ(text(back.here.read(100)), "hello");
}

// POLL-3: what ends the stream is something to read.
TEST(TlsRecords, POLL_3_the_end_a_cut_and_garbage_are_something_to_read) {
    for (const std::string_view how : {"end", "cut", "garbage"}) {
        Agreed agreed(false, TLS1_2_VERSION);
        Poll poll;
        must(poll.register_(agreed.pair.here, POLLIN));
        Poll::Event event[1];
        ASSERT_EQ(must(poll.poll(event, Timeout(0ms))), 0u);
        if (how == "end") SSL_shutdown(agreed.peer.ssl());
        if (how == "cut") ::shutdown(agreed.pair.there.fileno(), SHUT_WR);
        if (how == "garbage") must(agreed.pair.there.write("GET / HTTP/1.0\r\n\r\n"));
        ASSERT_EQ(must(poll.poll(event, Timeout(10s))), 1u) << how;
        EXPECT_NE(event[0].events & POLLIN, 0u) << how;
        const auto read = agreed.pair.here.read(1);
        EXPECT_EQ(text(read), how == "end" ? "" : "error") << how;
    }
}

// SOCK-4: close() in another thread, while a poll looks.
TEST(TlsRecords, SOCK_4_whoever_closes_it_meanwhile_does_no_harm) {
    for (int round = 0; round < 20; ++round) {
        Pair pair = secure_pair();
        Poll poll;
        must(poll.register_(pair.here, POLLIN));
        Background writer([&] {
            while (pair.there.write("x")) {
            }
        });
        Background closer([&] {
            for (int i = 0; i < round * 10; ++i) (void)pair.here.recv(100, MSG_DONTWAIT);
            pair.here.close();
        });
        Poll::Event event[1];
        for (bool is_closed = false; !is_closed;) {
            ASSERT_EQ(must(poll.poll(event, Timeout(10s))), 1u);
            is_closed = (event[0].events & POLLNVAL) != 0;
        }
    }
}

// POLL-5 TLS-3: a handshake that writes alone go on with, and what a poll knows of it.
TEST(TlsRecords, POLL_5_a_poll_knows_of_a_handshake_that_writes_go_on_with) {
    TlsContext client = client_context(), server = server_context();
    Pair pair = tcp_pair();
    must(pair.here.setblocking(false));
    must(pair.here.wrap(client, {.server_hostname = "localhost", .do_handshake = false}));
    Poll poll;
    must(poll.register_(pair.here, POLLOUT));
    Poll::Event event[1];
    EXPECT_EQ(pair.here.send("hello").error(), Error(EAGAIN));
    EXPECT_EQ(must(poll.poll(event, Timeout(30ms))), 0u);
    Background other([&] {
        must(pair.there.wrap(server, {.server_side = true}));
        EXPECT_EQ(text(pair.there.read(5)), "hello");
    });
    for (auto sent = pair.here.send("hello"); !sent; sent = pair.here.send("hello")) {
        ASSERT_EQ(sent.error(), Error(EAGAIN));
        ASSERT_EQ(must(poll.poll(event, Timeout(10s))), 1u);
    }
    other.join();
    must(poll.modify(pair.here, POLLIN));
    EXPECT_EQ(must(poll.poll(event, Timeout(30ms))), 0u);
}

// --- Renegotiation, which is TLS 1.2's: it is refused, and what goes on goes on.

TEST(TlsRecords, TLS_3_a_client_does_not_negotiate_anew) {
    Agreed agreed(true, TLS1_2_VERSION);
    ASSERT_EQ(SSL_renegotiate(agreed.peer.ssl()), 1);
    ASSERT_EQ(SSL_do_handshake(agreed.peer.ssl()), 1);  // the wish is sent
    expect_silence_then(agreed.pair.here, [&] { EXPECT_TRUE(agreed.peer.write("hello")); });
    must(agreed.pair.here.write("and back"));
    // OpenSSL takes the refusal for the end, and says so.
    EXPECT_EQ(agreed.peer.read(), "");
    await_arrival(agreed.pair.here);
    EXPECT_EQ(agreed.pair.here.read(1).error(), Error(TlsFailure::alert));
}

TEST(TlsRecords, TLS_3_a_server_does_not_negotiate_anew) {
    Agreed agreed(false, TLS1_2_VERSION);
    must(agreed.pair.here.write("and back"));
    ASSERT_EQ(SSL_renegotiate(agreed.peer.ssl()), 1);
    Background ours([&] {
        await_arrival(agreed.pair.here);
        EXPECT_EQ(agreed.pair.here.read(1).error(), Error(TlsFailure::alert));
        EXPECT_EQ(agreed.pair.here.write("x").error(), Error(TlsFailure::alert));
    });
    EXPECT_NE(SSL_do_handshake(agreed.peer.ssl()), 1);
}

}  // namespace
}  // namespace usocket::tests
