// TIME-6 TLS-3: TLS begins while nobody else reads or sends: no byte that came before it passes for what it protects.
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "scripted_host.hpp"
#include "secure.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

constexpr TlsOptions put_off{.server_hostname = "localhost", .do_handshake = false};

class Wrapping : public ::testing::Test {
protected:
    Error wrap(Socket& socket) { return socket.wrap(client_, put_off).error(); }
    // Both ends agree on TLS, and what they send goes through it.
    void expect_tls(Pair& pair) {
        const Outcomes outcomes = handshake(pair, client_, server_);
        ASSERT_EQ(outcomes.client, Error());
        ASSERT_EQ(outcomes.server, Error());
        must(pair.there.write("encrypted\n"));
        EXPECT_EQ(text(pair.here.readline()), "encrypted\n");
    }

    TlsContext client_ = client_context();
    TlsContext server_ = server_context();
};

class WrappingReaders : public Wrapping, public ::testing::WithParamInterface<int> {};

struct ReadCall {
    const char* name;
    std::string (*read)(Socket& socket);
};

const ReadCall read_calls[] = {
    {"readline", [](Socket& s) { return text(s.readline()); }},
    {"read", [](Socket& s) { return text(s.read(6)); }},
    {"recv", [](Socket& s) { return text(s.recv(6)); }},
    {"recv_MSG_WAITALL", [](Socket& s) { return text(s.recv(6, MSG_WAITALL)); }},
};
INSTANTIATE_TEST_SUITE_P(Wrapping, WrappingReaders, ::testing::Range(0, 4),
                         [](const auto& one) { return read_calls[one.param].name; });

TEST_P(WrappingReaders, TIME_6_not_while_another_thread_reads) {
    Pair pair = tcp_pair();
    std::string got;
    Background reader([&] { got = read_calls[GetParam()].read(pair.here); });
    reader.await_asleep();
    EXPECT_EQ(wrap(pair.here), Error(TlsFailure::in_use));
    EXPECT_FALSE(pair.here.is_wrapped());
    must(pair.there.write("plain\n"));
    reader.join();
    EXPECT_EQ(got, "plain\n");
    expect_tls(pair);
}

TEST_F(Wrapping, TIME_6_nor_of_a_socket_that_does_not_block) {
    Pair pair = tcp_pair();
    std::string got;
    Background reader([&] { got = text(pair.here.readline(Deadline::after(60s))); });
    reader.await_asleep();
    must(pair.here.setblocking(false));
    EXPECT_EQ(wrap(pair.here), Error(TlsFailure::in_use));
    must(pair.there.write("plain\n"));
    reader.join();
    EXPECT_EQ(got, "plain\n");
}

TEST_F(Wrapping, TLS_3_not_while_another_thread_sends) {
    Pair pair = tcp_pair();
    const std::size_t before = fill(pair.here);
    must(pair.here.setblocking(true));
    Background writer([&] { must(pair.here.sendall("the rest")); });
    writer.await_asleep();
    EXPECT_EQ(wrap(pair.here), Error(TlsFailure::in_use));
    const Bytes all = must(pair.there.read(before + 8));
    EXPECT_EQ(all.view().substr(before), "the rest");
    writer.join();
    expect_tls(pair);
}

TEST_F(Wrapping, TLS_3_two_threads_that_wrap_at_once_are_one_too_many) {
    for (int i = 0; i < 200; ++i) {
        Pair pair = tcp_pair();
        Error one;
        Error other;
        Background thread([&] { one = wrap(pair.here); });
        other = wrap(pair.here);
        thread.join();
        if (one == Error()) std::swap(one, other);
        EXPECT_EQ(one, Error(TlsFailure::wrapped_before));
        EXPECT_EQ(other, Error());
    }
}

TEST_F(Wrapping, SOCK_4_a_close_meanwhile_ends_it) {
    for (int i = 0; i < 200; ++i) {
        Pair pair = tcp_pair();
        Background thread([&] { pair.here.close(); });
        const Error error = wrap(pair.here);
        EXPECT_TRUE(error == Error() || error == Error(EBADF)) << error.message();
        thread.join();
        EXPECT_TRUE(pair.here.closed());
        EXPECT_EQ(text(pair.there.read()), "");
    }
}

// A call that has ended gives back what it got, if the host's signal handlers then raise: not to TLS.
TEST_F(Wrapping, TIME_6_what_a_signal_keeps_from_its_reader_is_not_given_to_TLS) {
    Pair pair = tcp_pair();
    must(pair.there.write("plain"));
    ScriptedHost host;
    host.notes_signals(Looks::seldom);
    host.on_signal = [&] {
        EXPECT_EQ(wrap(pair.here), Error());
        return true;
    };
    char room[5];
    EXPECT_EQ(pair.here.recv_into(room, 0, Call(host.host())).error(), Error(EINTR));
    EXPECT_TRUE(pair.here.is_wrapped());
    EXPECT_FALSE(pair.here.has_kept());
}

// A reader whose time is up keeps what it has got, and takes it the next time, whenever the socket is wrapped.
TEST_F(Wrapping, TIME_6_no_race_brings_plain_bytes_into_TLS) {
    for (int i = 0; i < 50; ++i) {
        Pair pair = tcp_pair();
        must(pair.here.settimeout(std::chrono::microseconds(20 + 4 * i)));
        std::atomic<bool> is_wrapped{false};
        std::atomic<bool> is_reading{false};
        std::size_t late = 0;  // bytes that calls have got which began on the wrapped socket
        Background reader([&] {
            for (;;) {
                must(pair.there.send("abc"));
                const bool is_late = is_wrapped;
                const auto read = pair.here.read(7);
                const bool is_later = is_wrapped;
                const auto rest = pair.here.recv(7);
                if (is_late && read) late += read->size();
                if (is_later && rest) late += rest->size();
                if (rest.error() == Error(TlsFailure::not_tls)) return;
                is_reading = true;
                std::this_thread::yield();
            }
        });
        while (!is_reading) std::this_thread::yield();
        Error error(EBUSY);
        while (error.code() == EBUSY) error = wrap(pair.here);
        is_wrapped = true;
        reader.join();
        EXPECT_EQ(error, Error());
        EXPECT_EQ(late, 0u);
    }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // whose own locks a child finds taken
// Both ends in one thread, which a child of fork may do.
bool shake_alone(TlsContext& client, TlsContext& server) {
    Pair pair = tcp_pair();
    bool is_done[] = {false, false};
    if (!pair.here.wrap(client, {.server_hostname = "localhost", .do_handshake = false})) return false;
    if (!pair.there.wrap(server, {.server_side = true, .do_handshake = false})) return false;
    for (Socket* end : {&pair.here, &pair.there}) must(end->setblocking(false));
    while (!is_done[0] || !is_done[1]) {
        for (const std::size_t i : {0U, 1U}) {
            const Error error = is_done[i] ? Error() : (i == 0 ? pair.here : pair.there).do_handshake().error();
            if (error != Error() && error != Error(EAGAIN)) return false;
            is_done[i] = error == Error();
        }
    }
    return true;
}

// No lock of the library's is left to a child by the thread that had it.
TEST(TlsForks, TLS_3_a_child_of_fork_shakes_hands_while_another_thread_did) {
    TlsContext client = client_context();
    TlsContext server = server_context(trusted_issuer().issue({.rsa_bits = 2048}));
    std::atomic<bool> is_over{false};
    Background others([&] {
        while (!is_over) EXPECT_TRUE(shake_alone(client, server));
    });
    for (int i = 0; i < 15 && !::testing::Test::HasFailure(); ++i) {
        const pid_t child = ::fork();
        if (child == 0) {
            ::alarm(15);
            ::_exit(shake_alone(client, server) ? 0 : 1);
        }
        int status = 1;
        EXPECT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0) << "of child " << i;
    }
    is_over = true;
    others.join();
}
#endif

}  // namespace
}  // namespace usocket::tests
