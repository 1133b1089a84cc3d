// TLS-2: a socket with TLS on it that listens: the connections that it accepts have TLS, as servers.
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "descriptors.hpp"
#include "secure.hpp"
#include "tls_engine.hpp"
#include "usocket/server.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

constexpr TlsOptions as_server{.server_side = true};
constexpr TlsOptions as_client{.server_hostname = "localhost"};

class TlsListener : public ::testing::Test {
protected:
    Socket listening() {
        Socket made = listener(address_);
        must(made.wrap(server_, as_server));
        return made;
    }
    // Connected, without TLS.
    [[nodiscard]] Socket stranger() const {
        Socket made = must(socket());
        must(made.connect(address_));
        return made;
    }
    // A client that says hello, and what the server, in another thread, answers to it.
    std::string talk(TlsOptions options = as_client) {
        Socket made = stranger();
        must(made.settimeout(10s));
        if (const auto wrapped = made.wrap(client_, options); !wrapped) return wrapped.error().message();
        must(made.write("hello\n"));
        std::string answer = text(made.readline());
        session_ = must(made.tls_session());
        was_reused_ = must(made.session_reused());
        return answer;
    }
    static void answer(Socket conn) {
        must(conn.settimeout(10s));
        must(conn.write("you said " + text(conn.readline())));
    }

    TlsContext server_ = server_context();
    TlsContext client_ = client_context();
    Address address_;
    Bytes session_;
    bool was_reused_ = false;
};

enum class When { before_bind, before_listen, listening };
class TlsListenerWhen : public TlsListener, public ::testing::WithParamInterface<std::tuple<When, int, bool>> {};
INSTANTIATE_TEST_SUITE_P(Tls, TlsListenerWhen,
                         ::testing::Combine(::testing::Values(When::before_bind, When::before_listen, When::listening),
                                            ::testing::Values(0, IPPROTO_SEC), ::testing::Bool()));

TEST_P(TlsListenerWhen, TLS_2_its_connections_have_TLS) {
    const auto [when, proto, do_handshake] = GetParam();
    const TlsOptions options{.server_side = true, .do_handshake = do_handshake};
    Socket server = must(Socket::open(AF_INET, SOCK_STREAM, proto));
    if (when == When::before_bind) must(server.wrap(server_, options));
    must(server.bind(any_port()));
    if (when == When::before_listen) must(server.wrap(server_, options));
    must(server.listen());
    if (when == When::listening) must(server.wrap(server_, options));
    EXPECT_TRUE(server.is_wrapped());
    address_ = must(server.getsockname());
    for (int i = 0; i < 2; ++i) {
        Background other([&] {
            Socket conn = std::move(must(server.accept()).socket);
            EXPECT_TRUE(conn.is_wrapped());
            answer(std::move(conn));
        });
        EXPECT_EQ(talk(), "you said hello\n");
    }
}

TEST_F(TlsListener, TLS_2_of_a_family_without_ports) {
    Socket server = must(Socket::open(AF_UNIX, SOCK_STREAM));
    must(server.wrap(server_, as_server));
    must(server.bind(must(Address::unix_path(""))));
    must(server.listen());
    Socket client = must(Socket::open(AF_UNIX, SOCK_STREAM));
    must(client.connect(must(server.getsockname())));
    Socket conn = std::move(must(server.accept()).socket);
    Background other([&] { answer(std::move(conn)); });
    must(client.wrap(client_, as_client));
    must(client.write("hello\n"));
    EXPECT_EQ(text(client.readline()), "you said hello\n");
}

TEST_F(TlsListener, TLS_2_what_listens_is_no_client) {
    Socket server = listener(address_);
    const auto refused = Error(TlsFailure::listener);
    EXPECT_EQ(server.wrap(client_, as_client).error(), refused);
    EXPECT_FALSE(server.is_wrapped());
    Socket client = must(Socket::open(AF_INET, SOCK_STREAM, IPPROTO_SEC));
    must(client.wrap(client_, as_client));
    must(client.bind(any_port()));
    EXPECT_EQ(client.listen().error(), refused);
    // Whoever has its number can make it listen.
    ASSERT_EQ(::listen(client.fileno(), 1), 0);
    must(client.setblocking(false));
    EXPECT_EQ(client.accept().error(), refused);
}

TEST_F(TlsListener, TLS_2_without_a_certificate_it_is_not_wrapped) {
    Socket server = listener(address_);
    EXPECT_EQ(server.wrap(client_, as_server).error(), Error(TlsFailure::no_certificate));
    EXPECT_FALSE(server.is_wrapped());
}

TEST_F(TlsListener, TLS_2_TLS_4_whom_its_context_trusts_later_it_does_not) {
    const Issuer other_issuer("a stranger");
    const Identity identity = other_issuer.issue({.names = "DNS:client", .purpose = "clientAuth"});
    must(client_.set_cert_key(std::string_view(identity.certificate), std::string_view(identity.key)));
    must(server_.load_verify_locations(std::string_view(trusted_issuer().certificate())));
    must(server_.set_cert_reqs(CertReqs::required));
    Socket server = listening();
    must(server_.load_verify_locations(std::string_view(other_issuer.certificate())));
    Background other([&] {
        Socket made = stranger();
        must(made.settimeout(10s));
        (void)made.wrap(client_, as_client);
        (void)made.read(1);
    });
    Socket conn = std::move(must(server.accept()).socket);
    must(conn.settimeout(10s));
    EXPECT_EQ(conn.do_handshake().error(), Error(TlsFailure::certificate_issuer));
    conn.close();
}

TEST_F(TlsListener, TLS_2_a_silent_client_keeps_nobody_waiting) {
    Socket server = listening();
    must(server.settimeout(10s));
    const Socket silent = stranger();
    const Socket first = std::move(must(server.accept()).socket);
    Background other([&] { answer(std::move(must(server.accept()).socket)); });
    EXPECT_EQ(talk(), "you said hello\n");
}

TEST_F(TlsListener, TIME_2_what_is_put_off_is_under_the_deadline_of_the_first_call) {
    Socket server = listening();
    const Socket silent = stranger();
    Socket conn = std::move(must(server.accept()).socket);
    EXPECT_TRUE(conn.getblocking());
    must(conn.settimeout(20ms));
    EXPECT_EQ(conn.read(1).error(), Error(ETIMEDOUT));
    EXPECT_EQ(conn.write("x").error(), Error(ETIMEDOUT));
    EXPECT_EQ(conn.do_handshake().error(), Error(ETIMEDOUT));
    EXPECT_EQ(conn.version().error(), Error(ENOTCONN));
}

TEST_F(TlsListener, TLS_4_a_client_that_speaks_no_TLS_ends_its_own_connection_alone) {
    const std::size_t before = open_descriptors();
    {
        Socket server = listening();
        {
            Socket client = stranger();
            must(client.write("GET / HTTP/1.0\r\n\r\n"));
            Socket conn = std::move(must(server.accept()).socket);
            EXPECT_EQ(conn.readline().error(), Error(TlsFailure::not_tls));
            EXPECT_EQ(conn.write("x").error(), Error(TlsFailure::not_tls));
        }
        Background other([&] { answer(std::move(must(server.accept()).socket)); });
        EXPECT_EQ(talk(), "you said hello\n");
    }
    EXPECT_EQ(open_descriptors(), before);
}

TEST_F(TlsListener, TLS_5_a_client_that_goes_without_a_word) {
    Socket server = listening();
    stranger().close();
    Socket conn = std::move(must(server.accept()).socket);
    EXPECT_EQ(conn.read(1).error(), Error(ECONNRESET));
}

TEST_F(TlsListener, TLS_2_connections_outlive_the_listener_and_its_context) {
    std::optional<TlsContext> context(server_context());
    std::optional<Socket> server(listener(address_));
    must(server->wrap(*context, as_server));
    context.reset();
    std::optional<Socket> client(stranger());
    Socket conn = std::move(must(server->accept()).socket);
    server.reset();
    Background other([&] { answer(std::move(conn)); });
    must(client->wrap(client_, as_client));
    must(client->write("hello\n"));
    EXPECT_EQ(text(client->readline()), "you said hello\n");
}

// A context is set up before it wraps (docs/tls.md).
TEST_F(TlsListener, TLS_7_connections_have_what_the_context_had_when_it_wrapped) {
    must(server_.set_alpn_protocols("one"));
    Socket server = listening();
    must(server_.set_alpn_protocols("two"));
    must(client_.set_alpn_protocols("two,one"));
    Background other([&] {
        Socket conn = std::move(must(server.accept()).socket);
        must(conn.do_handshake());
        EXPECT_EQ(text(conn.selected_alpn_protocol()), "one");
        answer(std::move(conn));
    });
    EXPECT_EQ(talk(), "you said hello\n");
}

TEST_F(TlsListener, TLS_7_clients_show_certificates) {
    const Identity identity = trusted_issuer().issue();
    must(server_.set_cert_reqs(CertReqs::required));
    must(server_.load_verify_locations(std::string_view(trusted_issuer().certificate())));
    Socket server = listening();
    for (const bool shows : {false, true}) {
        if (shows) must(client_.set_cert_key(std::string_view(identity.certificate), std::string_view(identity.key)));
        Background other([&] {
            Socket conn = std::move(must(server.accept()).socket);
            EXPECT_EQ(conn.do_handshake().error(), shows ? Error() : Error(TlsFailure::certificate_missing));
            if (!shows) return;
            EXPECT_FALSE(must(conn.getpeercert()).empty());
            answer(std::move(conn));
        });
        Socket client = stranger();
        must(client.settimeout(10s));
        const bool is_through = client.wrap(client_, as_client) && client.write("hello\n") && client.read(1);
        EXPECT_EQ(is_through, shows);
    }
}

// As with one context for all: what one connection gave, the next one takes up.
TEST_F(TlsListener, TLS_7_a_session_of_one_connection_is_taken_up_by_the_next) {
    Socket server = listening();
    for (const bool again : {false, true}) {
        Background other([&] { answer(std::move(must(server.accept()).socket)); });
        TlsOptions options = as_client;
        if (again) options.session = session_;
        EXPECT_EQ(talk(options), "you said hello\n");
        EXPECT_EQ(was_reused_, again);
    }
}

// --- Polls

TEST_F(TlsListener, POLL_1_it_is_readable_when_there_is_a_connection) {
    Socket server = must(socket());
    must(server.wrap(server_, as_server));
    must(server.bind(any_port()));
    Poll poll;
    must(poll.register_(server, POLLIN | POLLOUT));
    must(server.listen());
    address_ = must(server.getsockname());
    Poll::Event event[1];
    EXPECT_EQ(must(poll.poll(event, Timeout::zero())), 0U);
    EXPECT_EQ(server.poll_now(POLLIN | POLLOUT), 0U);
    const Socket client = stranger();
    ASSERT_EQ(must(poll.poll(event, Timeout(10s))), 1U);
    EXPECT_EQ(event[0].events, unsigned{POLLIN});
    EXPECT_EQ(server.poll_now(POLLIN | POLLOUT), unsigned{POLLIN});
    must(server.accept());
    EXPECT_EQ(must(poll.poll(event, Timeout::zero())), 0U);
}

// Whoever wants to write is woken as soon as that gets him further, and not before.
TEST_F(TlsListener, POLL_3_a_connection_is_ready_when_its_client_has_spoken) {
    Socket server = listening();
    Socket client = stranger();
    Socket conn = std::move(must(server.accept()).socket);
    must(conn.setblocking(false));
    Poll poll;
    must(poll.register_(conn, POLLOUT));
    Poll::Event event[1];
    EXPECT_EQ(must(poll.poll(event, Timeout::zero())), 0U);
    EXPECT_EQ(conn.poll_now(POLLIN | POLLOUT), 0U);
    Background other([&] {
        must(client.wrap(client_, as_client));
        EXPECT_EQ(text(client.read(5)), "hello");
    });
    Result<std::size_t> sent = Error(EAGAIN);
    for (int waits = 0; sent.error() == Error(EAGAIN) && waits < 20; ++waits) {
        ASSERT_EQ(must(poll.poll(event, Timeout(10s))), 1U);
        sent = conn.write("hello");
    }
    EXPECT_EQ(must(std::move(sent)), 5U);
}

// CPP-4: a Server needs to know nothing of it.
TEST_F(TlsListener, POLL_1_a_Server_has_clients_with_TLS) {
    struct Echo {
        unsigned take_turn(Socket& socket) noexcept {
            const auto line = socket.readline();
            if (line.error() == Error(EAGAIN)) return POLLIN;
            const bool is_said = line && !line->empty() && socket.write(*line);
            return is_said ? POLLIN : 0U;
        }
    };
    Server<Echo> server(listening());
    Background other([&] { must(server.run()); });
    const Socket silent = stranger();
    {
        Socket plain = stranger();
        must(plain.write("no TLS\n"));
        EXPECT_NE(text(plain.readline()), "no TLS\n");
    }
    EXPECT_EQ(talk(), "hello\n");
    server.stop();
}

// --- Its end

TEST_F(TlsListener, SOCK_4_closing_it_ends_accept) {
    Socket server = listening();
    Error error;
    Background other([&] { error = server.accept().error(); });
    other.await_asleep();
    server.close();
    other.join();
    EXPECT_EQ(error, Error(EBADF));
}

TEST_F(TlsListener, SOCK_8_shutting_it_down_needs_no_peer) {
    for (const int how : {SHUT_WR, SHUT_RD}) {
        Socket plain = listener(address_);
        const Error usual = plain.shutdown(how).error();
        const Error usual_accept = how == SHUT_RD ? plain.accept().error() : Error();
        Socket server = listening();
        EXPECT_EQ(server.shutdown(how).error(), usual);
        EXPECT_EQ(how == SHUT_RD ? server.accept().error() : Error(), usual_accept);
    }
}

TEST_F(TlsListener, TLS_3_it_is_no_stream_and_has_one_holder) {
    Socket server = listening();
    EXPECT_EQ(server.read(1).error(), Error(ENOTCONN));
    EXPECT_EQ(server.dup().error(), Error(TlsFailure::not_shared));
    EXPECT_EQ(server.detach().error(), Error(TlsFailure::not_shared));
    EXPECT_EQ(server.wrap(server_, as_server).error(), Error(TlsFailure::wrapped_before));
    Background other([&] { answer(std::move(must(server.accept()).socket)); });
    EXPECT_EQ(talk(), "you said hello\n");
}

// --- Who accepts

TEST_F(TlsListener, SOCK_4_several_threads_accept) {
    constexpr int each = 4;
    Socket server = listening();
    const auto serve = [&] {
        for (int i = 0; i < each; ++i) answer(std::move(must(server.accept()).socket));
    };
    Background one(serve);
    Background other(serve);
    for (int i = 0; i < 2 * each; ++i) EXPECT_EQ(talk(), "you said hello\n");
}

// Ends a child of fork.
template <class Body> int run_in_child(Body body) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(body() ? 0 : 1);
    int status = -1;
    return ::waitpid(child, &status, 0) == child ? status : -1;
}

#if !defined(__SANITIZE_THREAD__)  // which knows no threads in a child of a process that had some
TEST_F(TlsListener, TLS_3_a_child_of_fork_accepts) {
    Socket server = listening();
    Background client([&] { EXPECT_EQ(talk(), "you said hello\n"); });
    const int status = run_in_child([&] {
        answer(std::move(must(server.accept()).socket));
        return true;
    });
    EXPECT_EQ(status, 0);
    client.join();
    Background other([&] { answer(std::move(must(server.accept()).socket)); });
    EXPECT_EQ(talk(), "you said hello\n");
}

// As socketserver.ForkingMixIn does: the parent accepts, a child serves, and the parent closes.
TEST_F(TlsListener, TLS_3_a_child_of_fork_serves_what_its_parent_has_accepted) {
    Socket server = listening();
    Background client([&] { EXPECT_EQ(talk(), "you said hello\n"); });
    Socket conn = std::move(must(server.accept()).socket);
    while ((conn.poll_now(POLLIN) & POLLIN) == 0) ::usleep(1000);  // it is for the child that the client has spoken
    int to_child[2];
    ASSERT_EQ(::pipe(to_child), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        char byte = 0;
        (void)!::read(to_child[0], &byte, 1);
        answer(std::move(conn));
        ::_exit(0);
    }
    conn.close();
    ASSERT_EQ(::write(to_child[1], "x", 1), 1);
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    for (const int fd : to_child) ::close(fd);
}

// Whose it is once the client has been answered.
TEST_F(TlsListener, TLS_3_a_child_of_fork_leaves_what_has_begun_to_its_parent) {
    Socket server = listening();
    Background client([&] { EXPECT_EQ(talk(), "you said hello\n"); });
    Socket conn = std::move(must(server.accept()).socket);
    must(conn.do_handshake());
    const auto is_refused = [&] { return conn.read(1).error() == Error(TlsFailure::other_process); };
    EXPECT_EQ(run_in_child(is_refused), 0);
    answer(std::move(conn));
}
#endif

}  // namespace
}  // namespace usocket::tests
