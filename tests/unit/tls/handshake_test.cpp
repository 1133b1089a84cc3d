// TLS-2 TLS-7 TIME-2 TIME-3 TIME-4: how a connection begins, and what is agreed on.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "raw_tls.hpp"
#include "scripted_host.hpp"
#include "secure.hpp"
#include "tls_engine.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

// A listener whose only client is answered by `body`.
struct Server {
    template <class Body>
    explicit Server(Body body)
        : socket(listener(address)), thread([this, body] {
              Socket conn = std::move(must(socket.accept()).socket);
              body(conn);
          }) {}
    Address address;
    Socket socket;
    Background thread;
};

TEST(TlsHandshake, BeforeItConnects) {
    TlsContext server = server_context();
    Server listening([&](Socket& conn) {
        must(conn.wrap(server, {.server_side = true}));
        must(conn.write("hello"));
    });
    TlsContext context = client_context();
    Socket client = must(Socket::open(AF_INET, SOCK_STREAM, IPPROTO_SEC));
    must(client.wrap(context, {.server_hostname = "localhost"}));
    must(client.connect(listening.address));
    EXPECT_EQ(text(client.read(5)), "hello");
    EXPECT_EQ(client.connect(listening.address).error(), Error(EISCONN));
}

// As from a TCP connection that takes too long: it goes on, and is asked for again.
TEST(TlsHandshake, TIME_7_connect_to_a_peer_that_does_not_answer_in_time) {
    Address address;
    const Socket silent = listener(address);
    TlsContext context = client_context();
    Socket client = must(Socket::open(AF_INET, SOCK_STREAM, IPPROTO_SEC));
    must(client.wrap(context, {.server_hostname = "localhost"}));
    const timeval span{0, 20'000};
    must(client.setsockopt(SOL_SOCKET, SO_RCVTIMEO, ConstBuffer(&span, sizeof span)));
    EXPECT_EQ(client.connect(address).error(), Error(EINPROGRESS));
    EXPECT_EQ(client.connect(address).error(), Error(EINPROGRESS));
}

// Whoever asks for no event is told of errors alone, and the poll sleeps until there is one.
TEST(TlsHandshake, POLL_3_one_that_is_put_off_does_not_wake_a_poll_that_asks_for_nothing) {
    Pair pair = tcp_pair();
    TlsContext context = client_context();
    must(pair.here.wrap(context, {.server_hostname = "localhost", .do_handshake = false}));
    Poll poll;
    must(poll.register_(pair.here, 0));
    ScriptedHost host;
    int waits = 0;
    host.while_left = [&] { ++waits; };
    Poll::Event event[1];
    EXPECT_EQ(must(poll.poll(event, 1, Timeout(50ms), false, Call(host.host()))), 0u);
    EXPECT_LE(waits, 3);
}

TEST(TlsHandshake, AnyOtherHasToBeConnected) {
    TlsContext context = client_context();
    Socket client = must(socket());
    EXPECT_EQ(client.wrap(context, {.server_hostname = "localhost"}).error(), Error(ENOTCONN));
}

// As asyncio does: it wraps what has begun to connect.
TEST(TlsHandshake, TLS_2_whoever_puts_the_handshake_off_may_connect_later) {
    TlsContext server = server_context();
    Server listening([&](Socket& conn) {
        must(conn.wrap(server, {.server_side = true}));
        must(conn.write("hello"));
    });
    TlsContext context = client_context();
    Socket client = must(socket());
    must(client.wrap(context, {.server_hostname = "localhost", .do_handshake = false}));
    must(client.connect(listening.address));
    EXPECT_EQ(text(client.read(5)), "hello");
}

// TIME-4: EINPROGRESS until TCP and the handshake are through, with a poll in between.
TEST(TlsHandshake, NonBlocking) {
    TlsContext server = server_context();
    Server listening([&](Socket& conn) { must(conn.wrap(server, {.server_side = true})); });
    TlsContext context = client_context();
    Socket client = must(Socket::open(AF_INET, SOCK_STREAM, IPPROTO_SEC));
    must(client.wrap(context, {.server_hostname = "localhost"}));
    must(client.setblocking(false));
    Error error = client.connect(listening.address).error();
    EXPECT_EQ(error, Error(EINPROGRESS));
    while (error == Error(EINPROGRESS)) {
        while (client.poll_now(POLLOUT) == 0) std::this_thread::yield();
        error = client.connect(listening.address).error();
    }
    EXPECT_EQ(error, Error());
    EXPECT_EQ(text(client.version()), newest_version);
}

// TIME-2: the deadline is one for TCP and the handshake, however many bytes drip in.
TEST(TlsHandshake, ADrippingPeerEndsWithinTheDeadline) {
    std::atomic<bool> is_over{false};
    Server listening([&](Socket& conn) {
        // The beginning of a record that would take for ever.
        must(conn.write("\x16\x03\x03\x3f\xff"));
        while (!is_over && conn.write("x")) std::this_thread::sleep_for(5ms);
    });
    TlsContext context = client_context();
    Socket client = must(Socket::open(AF_INET, SOCK_STREAM, IPPROTO_SEC));
    must(client.wrap(context, {.server_hostname = "localhost"}));
    must(client.settimeout(Timeout(200ms)));
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(client.connect(listening.address).error(), Error(ETIMEDOUT));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s) << "or the test machine stood still";
    is_over = true;
}

// TIME-2, with Call(Deadline), and goes on afterwards where it stood.
TEST(TlsHandshake, GoesOnAfterATimeout) {
    Pair pair = tcp_pair();
    TlsContext client = client_context();
    TlsContext server = server_context();
    const Deadline soon = Deadline::after(20ms);
    EXPECT_EQ(pair.here.wrap(client, {.server_hostname = "localhost"}, Call(soon)).error(), Error(ETIMEDOUT));
    Background other([&] { must(pair.there.wrap(server, {.server_side = true})); });
    must(pair.here.do_handshake());
    other.join();
    must(pair.here.write("x"));
    EXPECT_EQ(text(pair.there.read(1)), "x");
}

TEST(TlsHandshake, TheFirstCallDoesItIfNobodyHas) {
    Pair pair = tcp_pair();
    TlsContext client = client_context();
    TlsContext server = server_context();
    must(pair.here.wrap(client, {.server_hostname = "localhost", .do_handshake = false}));
    EXPECT_EQ(pair.here.version().error(), Error(ENOTCONN));
    Background other([&] {
        must(pair.there.wrap(server, {.server_side = true, .do_handshake = false}));
        EXPECT_EQ(text(pair.there.read(2)), "hi");
    });
    must(pair.here.write("hi"));
}

// TLS-5: whoever has nothing to say says so under TLS, and reads on.
TEST(TlsHandshake, TLS_5_shutdown_shakes_hands_if_nobody_has) {
    Pair pair = tcp_pair();
    TlsContext client = client_context();
    TlsContext server = server_context();
    must(pair.here.settimeout(10s));
    must(pair.here.wrap(client, {.server_hostname = "localhost", .do_handshake = false}));
    Background other([&] {
        must(pair.there.wrap(server, {.server_side = true, .do_handshake = false}));
        EXPECT_EQ(text(pair.there.read()), "");
        must(pair.there.write("answer"));
        pair.there.close();
    });
    must(pair.here.shutdown(SHUT_WR));
    EXPECT_EQ(text(pair.here.read()), "answer");
}

// TIME-2: a peer that does not shake hands holds it as long as it holds any call. What is broken off both ways waits
// for nobody.
TEST(TlsHandshake, TIME_2_shutdown_shakes_hands_under_its_deadline) {
    Pair pair = tcp_pair();
    TlsContext client = client_context();
    must(pair.here.settimeout(20ms));
    must(pair.here.wrap(client, {.server_hostname = "localhost", .do_handshake = false}));
    EXPECT_EQ(pair.here.shutdown(SHUT_WR).error(), Error(ETIMEDOUT));
    must(pair.here.shutdown(SHUT_RDWR));
}

// TLS-5: what has come before a reset is never read as if it were plain, nor the reset as an end.
TEST(TlsHandshake, TLS_5_wrapping_what_the_peer_has_reset) {
    for (const std::string& begun : {"\x16\x03\x01"s, ""s}) {
        Pair pair = tcp_pair();
        TlsContext server = server_context();
        if (!begun.empty()) must(pair.there.write(std::string_view(begun)));
        const linger at_once{1, 0};
        ASSERT_EQ(setsockopt(pair.there.fileno(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
        pair.there.close();
        pollfd reset{pair.here.fileno(), POLLRDHUP, 0};
        ASSERT_EQ(poll(&reset, 1, 10'000), 1);
        EXPECT_EQ(pair.here.wrap(server, {.server_side = true}).error(), Error(ECONNRESET));
        EXPECT_TRUE(pair.here.is_wrapped());
        EXPECT_EQ(pair.here.recv(100).error(), Error(ECONNRESET));
        EXPECT_EQ(pair.here.write("x").error(), Error(ECONNRESET));
    }
}

TEST(TlsHandshake, CutOff) {
    Pair pair = tcp_pair();
    TlsContext client = client_context();
    pair.there.close();
    const Error error = pair.here.wrap(client, {.server_hostname = "localhost"}).error();
    EXPECT_TRUE(error == Error(ECONNRESET) || error == Error(EPIPE)) << error.message();
}

// An end in the middle of it is none of a stream; nobody waits for more.
TEST(TlsHandshake, TLS_5_a_close_notify_instead_of_an_answer_ends_it) {
    Pair pair = tcp_pair();
    TlsContext client = client_context();
    must(pair.there.write(ConstBuffer("\x15\x03\x03\x00\x02\x01\x00", 7)));
    must(pair.here.settimeout(10s));
    EXPECT_EQ(pair.here.wrap(client, {.server_hostname = "localhost"}).error(), Error(TlsFailure::alert));
}

TEST(TlsHandshake, CloseEndsIt) {
    Pair pair = tcp_pair();
    TlsContext client = client_context();
    Error error;
    Background wrapping([&] { error = pair.here.wrap(client, {.server_hostname = "localhost"}).error(); });
    wrapping.await_asleep();
    pair.here.close();
    wrapping.join();
    EXPECT_EQ(error, Error(EBADF));
}

TEST(TlsHandshake, WhatIsAgreedOn) {
    Pair pair = tcp_pair();
    TlsContext client = client_context();
    TlsContext server = server_context();
    must(client.set_alpn_protocols("h2,http/1.1"));
    must(server.set_alpn_protocols("http/1.1"));
    const Outcomes outcomes = handshake(pair, client, server);
    ASSERT_EQ(outcomes.client, Error());
    EXPECT_EQ(text(pair.here.selected_alpn_protocol()), "http/1.1");
    EXPECT_EQ(text(pair.there.selected_alpn_protocol()), "http/1.1");
    EXPECT_EQ(text(pair.here.version()), newest_version);
    EXPECT_EQ(text(pair.here.cipher()).substr(0, 4), "TLS_");
    EXPECT_EQ(text(pair.here.getpeercert()).substr(0, 1), "\x30");
    EXPECT_EQ(text(pair.there.getpeercert()), "");
}

TEST(TlsHandshake, NoProtocolInCommon) {
    Pair pair = tcp_pair();
    TlsContext client = client_context();
    TlsContext server = server_context();
    must(client.set_alpn_protocols("h2"));
    must(server.set_alpn_protocols("http/1.1"));
    const Outcomes outcomes = handshake(pair, client, server);
    EXPECT_EQ(outcomes.client, Error(TlsFailure::protocols));
    EXPECT_EQ(outcomes.server, Error(TlsFailure::protocols));
}

TEST(TlsHandshake, TLS_7_protocols_that_are_refused_replace_none) {
    TlsContext client = client_context();
    TlsContext server = server_context();
    must(client.set_alpn_protocols("h2"));
    must(server.set_alpn_protocols("h2"));
    for (const std::string& wrong : {std::string("x2,,x"), std::string(256, 'x'), std::string(600, 'x')}) {
        EXPECT_EQ(client.set_alpn_protocols(wrong).error(), Error(TlsFailure::bad_protocols));
    }
    Pair pair = tcp_pair();
    ASSERT_EQ(handshake(pair, client, server).client, Error());
    EXPECT_EQ(text(pair.here.selected_alpn_protocol()), "h2");
}

TEST(TlsHandshake, Resumption) {
    TlsContext client = client_context();
    TlsContext server = server_context();
    Pair first = tcp_pair();
    EXPECT_FALSE(first.here.is_wrapped());
    ASSERT_EQ(handshake(first, client, server).client, Error());
    EXPECT_TRUE(first.here.is_wrapped());
    EXPECT_FALSE(must(first.here.session_reused()));
    must(first.there.write("x"));
    EXPECT_EQ(text(first.here.read(1)), "x");
    const Bytes session = must(first.here.tls_session());
    ASSERT_NE(session.size(), 0u);
    Pair second = tcp_pair();
    ASSERT_EQ(handshake(second, client, server, {.server_hostname = "localhost", .session = session.view()}).client,
              Error());
    EXPECT_TRUE(must(second.here.session_reused()));
    EXPECT_TRUE(must(second.there.session_reused()));
    EXPECT_EQ(handshake(second, client, server, {.server_hostname = "localhost", .session = "nonsense"}).client,
              Error(TlsFailure::wrapped_before));
}

// TLS-7: who the peer was is known as long as its sessions are taken up, one after the other.
TEST(TlsHandshake, TLS_7_a_session_that_was_taken_up_shows_the_certificate_and_can_be_taken_up_again) {
    if (!sessions_hold_certificates) GTEST_SKIP() << "the engine's sessions have none";
    TlsContext client = client_context();
    TlsContext server = server_context();
    Bytes session, shown;
    for (const bool is_resumed : {false, true, true}) {
        Pair pair = tcp_pair();
        const TlsOptions options{.server_hostname = "localhost", .session = session.view()};
        ASSERT_EQ(handshake(pair, client, server, options).client, Error());
        EXPECT_EQ(must(pair.here.session_reused()), is_resumed);
        if (!is_resumed) shown = must(pair.here.getpeercert());
        EXPECT_EQ(text(pair.here.getpeercert()), shown.view());
        must(pair.there.write("x"));
        must(pair.here.read(1));
        session = must(pair.here.tls_session());
        // Its certificate is in it once.
        const std::size_t place = session.view().find(shown.view());
        EXPECT_NE(place, std::string_view::npos);
        EXPECT_EQ(session.view().find(shown.view(), place + 1), std::string_view::npos);
    }
}

// A connection with these checks, and the session of it.
Bytes session_of(TlsContext& client, TlsContext& server, const TlsOptions& options) {
    Pair pair = tcp_pair();
    must(Result<void>(handshake(pair, client, server, options).client));
    must(pair.there.write("x"));
    must(pair.here.read(1));
    return must(pair.here.tls_session());
}

// TLS-7: whether it is taken up or not.
TEST(TlsHandshake, TLS_7_a_session_of_a_server_that_has_got_a_key_of_another_kind_does_no_harm) {
    TlsContext client = client_context();
    TlsContext server = server_context();
    const Bytes session = session_of(client, server, {.server_hostname = "localhost"});
    const Identity other = trusted_issuer().issue({.rsa_bits = 2048});
    must(server.set_cert_key(std::string_view(other.certificate), std::string_view(other.key)));
    Pair pair = tcp_pair();
    const TlsOptions options{.server_hostname = "localhost", .session = session.view()};
    const Outcomes outcomes = handshake(pair, client, server, options);
    EXPECT_EQ(outcomes.client, Error()) << outcomes.client.message();
    EXPECT_EQ(outcomes.server, Error()) << outcomes.server.message();
}

// TLS-7: whatever has become of its bytes, it is a session or none.
TEST(TlsHandshake, TLS_7_a_session_that_is_cut_or_changed_is_none) {
    TlsContext client = client_context();
    TlsContext server = server_context();
    const std::string session(session_of(client, server, {.server_hostname = "localhost"}).view());
    ASSERT_GT(session.size(), 100u);
    std::vector<std::string> damaged{session + "x", "x" + session, session + session};
    for (std::size_t i = 0; i < session.size(); ++i) {
        damaged.push_back(session.substr(0, i) + session.substr(i + 1));
        damaged.push_back(session.substr(0, i) + static_cast<char>(session[i] ^ 1) + session.substr(i + 1));
        if (i != 0) damaged.push_back(session.substr(0, i));
    }
    Pair pair = tcp_pair();
    for (const std::string& one : damaged) {
        const TlsOptions options{
            .server_hostname = "localhost", .do_handshake = false, .session = std::string_view(one)};
        ASSERT_EQ(pair.here.wrap(client, options).error(), Error(TlsFailure::bad_session));
    }
    EXPECT_EQ(
        handshake(pair, client, server, {.server_hostname = "localhost", .session = std::string_view(session)}).client,
        Error());
    EXPECT_TRUE(must(pair.here.session_reused()));
}

// TLS-4: the certificate is not looked at again when a session is taken up, so one that was made with other checks is
// not: without any, for another name, with other issuers.
TEST(TlsHandshake, TLS_4_a_session_that_checked_less_is_not_taken_up) {
    TlsContext careless = must(TlsContext::make());
    must(careless.set_cert_reqs(CertReqs::none));
    TlsContext client = client_context();
    TlsContext untrusting = must(TlsContext::make());
    must(untrusting.load_verify_locations(std::string_view(Issuer("somebody").certificate())));
    TlsContext server = server_context();
    const Bytes unchecked = session_of(careless, server, {.server_hostname = "localhost"});
    const Bytes checked = session_of(client, server, {.server_hostname = "localhost"});
    ASSERT_NE(unchecked.size(), 0u);
    ASSERT_NE(checked.size(), 0u);
    Pair pair = tcp_pair();
    ASSERT_EQ(handshake(pair, client, server, {.server_hostname = "localhost", .session = unchecked.view()}).client,
              Error());
    EXPECT_FALSE(must(pair.here.session_reused()));
    pair = tcp_pair();
    EXPECT_EQ(handshake(pair, client, server, {.server_hostname = "bank.example", .session = unchecked.view()}).client,
              Error(TlsFailure::certificate_name));
    pair = tcp_pair();
    EXPECT_EQ(handshake(pair, client, server, {.server_hostname = "bank.example", .session = checked.view()}).client,
              Error(TlsFailure::certificate_name));
    pair = tcp_pair();
    EXPECT_EQ(handshake(pair, untrusting, server, {.server_hostname = "localhost", .session = checked.view()}).client,
              Error(TlsFailure::certificate_issuer));
}

// TLS-4: the same of a server that asks for certificates only now.
TEST(TlsHandshake, TLS_4_a_server_that_asks_for_more_takes_up_no_earlier_session) {
    TlsContext client = client_context();
    TlsContext server = server_context();
    must(server.load_verify_locations(std::string_view(trusted_issuer().certificate())));
    must(server.set_cert_reqs(CertReqs::none));
    const Bytes session = session_of(client, server, {.server_hostname = "localhost"});
    must(server.set_cert_reqs(CertReqs::required));
    Pair pair = tcp_pair();
    EXPECT_NE(handshake(pair, client, server, {.server_hostname = "localhost", .session = session.view()}).server,
              Error());
}

// TLS-4: OpenSSL would take it for any name below.
TEST(TlsHandshake, TLS_4_a_name_with_a_dot_in_front_is_none) {
    TlsContext client = client_context();
    Pair pair = tcp_pair();
    EXPECT_EQ(pair.here.wrap(client, {.server_hostname = ".example.test"}).error(), Error(TlsFailure::bad_hostname));
}

// --- Peers that do what ours does not

TEST(TlsHandshake, OldVersionsAreRefused) {
    for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
        Pair pair = tcp_pair();
        TlsContext server = server_context();
        const int fd = pair.here.fileno();
        Background old([&] { EXPECT_NE(raw_handshake(fd, {.version = version}), 1); });
        EXPECT_EQ(pair.there.wrap(server, {.server_side = true}).error(), Error(TlsFailure::version));
    }
}

TEST(TlsHandshake, Version12) {
    Pair pair = tcp_pair();
    TlsContext server = server_context();
    const int fd = pair.here.fileno();
    Background old([&] { EXPECT_EQ(raw_handshake(fd, {.version = TLS1_2_VERSION}), 1); });
    must(pair.there.wrap(server, {.server_side = true}));
    EXPECT_EQ(text(pair.there.version()), "TLSv1.2");
}

// TLS-1: a chain that takes several records, or else the one who sets it learns that it does not.
TEST(TlsHandshake, TLS_1_a_chain_longer_than_a_record) {
    Identity identity = trusted_issuer().issue();
    while (identity.certificate.size() < 10'000) identity.certificate += trusted_issuer().certificate();
    TlsContext server = server_context(identity);  // which many engines would not look through
    while (identity.certificate.size() < 40'000) identity.certificate += trusted_issuer().certificate();
    const auto set = server.set_cert_key(std::string_view(identity.certificate), std::string_view(identity.key));
    if (!shows_long_chains) {
        EXPECT_EQ(set.error(), Error(TlsFailure::long_chain));
        return;
    }
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        Pair pair = tcp_pair();
        const int fd = pair.here.fileno();
        Background client([&] { EXPECT_EQ(raw_handshake(fd, {.version = version}), 1); });
        EXPECT_EQ(pair.there.wrap(server, {.server_side = true}).error(), Error());
    }
}

// TLS-4: a handshake fails, and the socket is closed: the peer reads why, and then the end, no reset.
TEST(TlsHandshake, TLS_4_a_failed_handshake_that_is_closed_ends_with_its_alert) {
    Pair pair = tcp_pair();
    TlsContext server = server_context();
    // A hello of TLS 1.0: its version, a random number, no session, one suite, no compression; and more that is unread.
    const std::string hello = "\x03\x01"s + std::string(32, 'r') + "\0\0\x02\xc0\x13\x01\0"s;
    must(pair.here.write("\x16\x03\x01\0\x2d\x01\0\0\x29"s + hello + std::string(5000, 'x')));
    EXPECT_EQ(pair.there.wrap(server, {.server_side = true}).error(), Error(TlsFailure::version));
    pair.there.close();
    must(pair.here.settimeout(10s));
    const std::string all = text(pair.here.read());
    EXPECT_EQ(all.substr(0, 2), "\x15\x03") << all;
}

// A server whose tickets, for they hold the client's certificate, take several records.
class ServerOfLongTickets {
public:
    explicit ServerOfLongTickets(int fd) : ctx_(SSL_CTX_new(TLS_server_method())), ssl_(nullptr) {
        const Identity own = trusted_issuer().issue();
        use_identity(ctx_, own);
        SSL_CTX_set_max_send_fragment(ctx_, 512);
        SSL_CTX_set_verify(ctx_, SSL_VERIFY_PEER, [](int /*holds*/, X509_STORE_CTX* /*chain*/) { return 1; });
        ssl_ = SSL_new(ctx_);
        SSL_set_fd(ssl_, fd);
    }
    ServerOfLongTickets(const ServerOfLongTickets&) = delete;
    ServerOfLongTickets& operator=(const ServerOfLongTickets&) = delete;
    ~ServerOfLongTickets() {
        SSL_free(ssl_);
        SSL_CTX_free(ctx_);
    }
    bool accept() { return SSL_accept(ssl_) == 1; }
    bool sees_the_end() {
        char byte = 0;
        return SSL_get_error(ssl_, SSL_read(ssl_, &byte, 1)) == SSL_ERROR_ZERO_RETURN;
    }
    bool say(std::string_view text) {
        return SSL_write(ssl_, text.data(), static_cast<int>(text.size())) == static_cast<int>(text.size());
    }

private:
    SSL_CTX* ctx_;
    SSL* ssl_;
};

std::string next_record(Socket& socket) {
    const std::string header = text(socket.read(5));
    const auto high = static_cast<unsigned char>(header.at(3)), low = static_cast<unsigned char>(header.at(4));
    return header + text(socket.read(std::size_t{high} * 256 + low));
}

// What there is, from one to the other.
void pass(Socket& from, Socket& to) {
    const auto bytes = from.recv(4096, MSG_DONTWAIT);
    if (bytes) must(to.write(bytes->view()));
}

// TLS-5 TIME-6: OpenSSL makes no close_notify in the middle of a message, which is no reason to end the connection.
TEST(TlsHandshake, TLS_5_shutdown_between_two_records_of_a_ticket_waits_for_the_rest) {
    if (!waits_for_tickets) GTEST_SKIP() << "the engine has no need to";
    Pair front = tcp_pair(), back = tcp_pair();
    TlsContext client = client_context();
    const Identity shown = trusted_issuer().issue({.purpose = "clientAuth"});
    must(client.set_cert_key(std::string_view(shown.certificate), std::string_view(shown.key)));
    ServerOfLongTickets server(back.here.fileno());
    Background accepts([&] { EXPECT_TRUE(server.accept()); });
    must(front.here.setblocking(false));
    Error shaking = front.here.wrap(client, {.server_hostname = "localhost"}).error();
    while (shaking == Error(EAGAIN)) {
        pass(front.there, back.there);
        pass(back.there, front.there);
        shaking = front.here.do_handshake().error();
    }
    ASSERT_EQ(shaking, Error());
    while (!accepts.has_ended()) pass(front.there, back.there);
    must(front.there.write(next_record(back.there)));
    must(front.here.settimeout(50ms));
    EXPECT_EQ(front.here.read(1).error(), Error(ETIMEDOUT));
    EXPECT_EQ(front.here.shutdown(SHUT_WR).error(), Error(ETIMEDOUT));
    pass(back.there, front.there);
    must(front.here.settimeout(10s));
    must(front.here.shutdown(SHUT_WR));
    must(back.there.write(must(front.there.recv(4096)).view()));
    EXPECT_TRUE(server.sees_the_end());
    EXPECT_TRUE(server.say("x"));
    must(front.there.write(must(back.there.recv(4096)).view()));
    EXPECT_EQ(text(front.here.read(1)), "x");
}

// POLL-5 TLS-3: a handshake that goes on is worth a call when the system shows what it waits for, whatever the mask
// says, and not because the peer has sent a part of a record.
TEST(TlsHandshake, POLL_5_a_poll_sleeps_while_a_handshake_waits_for_the_peer) {
    for (const unsigned mask : {unsigned{POLLIN}, unsigned{POLLIN | POLLOUT}, unsigned{POLLOUT}}) {
        Pair pair = tcp_pair();
        TlsContext server = server_context();
        TlsContext client = client_context();
        Poll poll;
        must(pair.here.setblocking(false));
        must(poll.register_(pair.here, mask));
        EXPECT_EQ(pair.here.wrap(server, {.server_side = true}).error(), Error(EAGAIN));
        Poll::Event event[1];
        EXPECT_EQ(must(poll.poll(event, Timeout(30ms))), 0u) << mask;
        must(pair.there.write("\x16\x03\x01"));
        EXPECT_EQ(must(poll.poll(event, Timeout(10s))), 1u) << mask;
        EXPECT_EQ(event[0].events & mask, mask);
        EXPECT_EQ(pair.here.do_handshake().error(), Error(EAGAIN));
        EXPECT_EQ(must(poll.poll(event, Timeout(30ms))), 0u) << mask;
        must(poll.unregister(pair.here));
        pair = tcp_pair();
        must(pair.here.setblocking(false));
        must(poll.register_(pair.here, mask));
        Background other([&] { must(pair.there.wrap(client, {.server_hostname = "localhost"})); });
        Error shaking = pair.here.wrap(server, {.server_side = true}).error();
        int calls = 0;
        while (shaking == Error(EAGAIN) && ++calls < 20) {
            EXPECT_EQ(must(poll.poll(event, Timeout(10s))), 1u) << mask;
            shaking = pair.here.do_handshake().error();
        }
        EXPECT_EQ(shaking, Error());
        must(poll.modify(pair.here, POLLOUT));
        EXPECT_EQ(must(poll.poll(event, Timeout(10s))), 1u);
        EXPECT_EQ(event[0].events, unsigned{POLLOUT});
    }
}

// As MicroPython's asyncio puts it off: who waits to read first is woken to begin it.
TEST(TlsHandshake, POLL_5_a_handshake_that_was_put_off_begins_with_a_poll_to_read) {
    for (const bool is_before : {true, false}) {
        Pair pair = tcp_pair();
        TlsContext server = server_context();
        TlsContext client = client_context();
        must(pair.here.setblocking(false));
        Poll poll;
        if (is_before) must(poll.register_(pair.here, POLLIN));
        must(pair.here.wrap(client, {.server_hostname = "localhost", .do_handshake = false}));
        if (!is_before) must(poll.register_(pair.here, POLLIN));
        EXPECT_EQ(pair.here.poll_now(POLLIN) & POLLIN, unsigned{POLLIN});
        must(pair.there.settimeout(20s));
        Background other([&] {
            if (pair.there.wrap(server, {.server_side = true})) must(pair.there.write("first"));
        });
        Result<Bytes> read = Error(EAGAIN);
        for (int calls = 0; read.error() == Error(EAGAIN) && calls < 20; ++calls) {
            Poll::Event event[1];
            ASSERT_EQ(must(poll.poll(event, Timeout(10s))), 1u);
            EXPECT_EQ(event[0].events & POLLIN, unsigned{POLLIN});
            read = pair.here.recv(5);
        }
        EXPECT_EQ(text(read), "first");
    }
}

TEST(TlsHandshake, POLL_5_a_server_that_has_put_it_off_waits_for_the_client) {
    Pair pair = tcp_pair();
    TlsContext server = server_context();
    must(pair.here.wrap(server, {.server_side = true, .do_handshake = false}));
    EXPECT_EQ(pair.here.poll_now(POLLIN | POLLOUT) & POLLIN, 0u);
    must(pair.there.write("\x16\x03\x01"));
    while ((pair.here.poll_now(POLLIN | POLLOUT) & POLLIN) == 0) std::this_thread::yield();
}

TEST(TlsHandshake, TLS_2_a_connect_that_goes_on_wakes_who_polls_to_read) {
    TlsContext server = server_context();
    Server listening([&](Socket& conn) {
        must(conn.settimeout(20s));
        (void)conn.wrap(server, {.server_side = true});
    });
    TlsContext context = client_context();
    Socket client = must(Socket::open(AF_INET, SOCK_STREAM, IPPROTO_SEC));
    must(client.wrap(context, {.server_hostname = "localhost"}));
    must(client.setblocking(false));
    Poll poll;
    must(poll.register_(client, POLLIN));
    Error error = client.connect(listening.address).error();
    for (int calls = 0; error == Error(EINPROGRESS) && calls < 20; ++calls) {
        Poll::Event event[1];
        ASSERT_EQ(must(poll.poll(event, Timeout(10s))), 1u);
        error = client.connect(listening.address).error();
    }
    EXPECT_EQ(error, Error());
}

// A handshake looks at the peer's messages before it takes them off the queue.
TEST(TlsHandshake, TIME_9_goes_on_though_peeks_look_elsewhere) {
    TlsContext client = client_context();
    TlsContext server = server_context();
    for (const bool is_others : {false, true}) {
        Pair pair = unix_pair();
        Socket other = must(pair.there.dup());
        if (is_others) other = must(pair.here.dup());
        const bool is_set = (is_others ? other : pair.here).setsockopt(SOL_SOCKET, SO_PEEK_OFF, 5).has_value();
        if (!is_set) GTEST_SKIP() << "this system has no SO_PEEK_OFF here";
        must(pair.here.settimeout(5s));
        must(pair.there.settimeout(5s));
        const Outcomes outcomes = handshake(pair, client, server);
        EXPECT_EQ(outcomes.client, Error());
        EXPECT_EQ(outcomes.server, Error());
        must(pair.there.write("hello"));
        EXPECT_EQ(text(pair.here.read(5)), "hello");
    }
}

TEST(TlsHandshake, TIME_9_goes_on_though_another_holder_hides_all_of_the_queue_meanwhile) {
    TlsContext client = client_context();
    TlsContext server = server_context();
    Pair pair = unix_pair();
    Socket other = must(pair.here.dup());
    must(pair.here.settimeout(5s));
    must(pair.there.settimeout(5s));
    must(pair.here.wrap(client, {.server_hostname = "localhost", .do_handshake = false}));
    if (!other.setsockopt(SOL_SOCKET, SO_PEEK_OFF, 99999)) GTEST_SKIP() << "this system has no SO_PEEK_OFF here";
    Background there([&] { must(pair.there.wrap(server, {.server_side = true})); });
    must(pair.here.do_handshake());
}

// Nothing is told of what was not agreed on.
TEST(TlsHandshake, NotWrapped) {
    Pair pair = tcp_pair();
    EXPECT_EQ(pair.here.version().error(), Error(ENOTCONN));
    EXPECT_EQ(pair.here.do_handshake().error(), Error(ENOTCONN));
    TlsContext context = client_context();
    Pair messages = udp_pair();
    EXPECT_EQ(messages.here.wrap(context, {.server_hostname = "x"}).error(), Error(TlsFailure::not_a_stream));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which have much to say when threads are left
// Threads that shake hands all the time, while exit() ends what libraries have at the process's end.
[[noreturn]] void exit_in_handshakes(std::chrono::microseconds span) {
    (void)TlsContext::make();  // before the tests' own use of OpenSSL, which would let it clean up at exit()
    auto& client = *new TlsContext(client_context());
    auto& server = *new TlsContext(server_context());
    for (int i = 0; i < 2; ++i) {
        std::thread([&] {
            for (;;) {
                Pair pair = tcp_pair();
                (void)handshake(pair, client, server);
            }
        }).detach();
    }
    std::this_thread::sleep_for(span);
    std::exit(7);
}

TEST(TlsHandshakeDeathTest, SOCK_9_a_process_ends_while_threads_shake_hands) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    for (int i = 0; i < 10; ++i) {
        EXPECT_EXIT(exit_in_handshakes(std::chrono::milliseconds(3 + i)), ::testing::ExitedWithCode(7), "^$");
    }
}
#endif

}  // namespace
}  // namespace usocket::tests
