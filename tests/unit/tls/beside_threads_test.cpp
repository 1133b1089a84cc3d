// TLS-3 POLL-6 TIME-8: calls of several threads on one wrapped socket. What one takes off the system's queue nobody
// tells another that sleeps there.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <string>

#include "scripted_host.hpp"
#include "secure.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

struct Look {
    const char* name;
    void (*look)(Socket& socket, Poll& poll);
};

const Look looks[] = {
    {"poll",
     [](Socket& /*socket*/, Poll& poll) {
         Poll::Event event[1];
         must(poll.poll(event, Timeout::zero()));
     }},
    {"poll_with_others",
     [](Socket& /*socket*/, Poll& poll) {
         Poll::Event events[4];
         must(poll.poll(events, Timeout(5ms)));
     }},
    {"poll_now", [](Socket& socket, Poll& /*poll*/) { (void)socket.poll_now(POLLIN | POLLOUT); }},
    {"recv", [](Socket& socket, Poll& /*poll*/) { (void)socket.recv(1, MSG_PEEK | MSG_DONTWAIT); }},
};

class TlsBeside : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Looks, TlsBeside, ::testing::Range(0, 4),
                         [](const auto& one) { return looks[one.param].name; });

// The look comes just after the bytes, before the reader has woken.
TEST_P(TlsBeside, TLS_3_a_reader_gets_what_another_thread_looks_for) {
    Pair pair = secure_pair();
    Poll poll;
    must(poll.register_(pair.here, POLLIN));
    std::atomic<int> count{0};
    Background reader([&] {
        while (text(pair.here.read(4, Deadline::after(5s))) == "0123") ++count;
    });
    for (int i = 0; i < 100 && !reader.has_ended(); ++i) {
        reader.await_asleep();
        must(pair.there.write("0123"));
        while (count == i && !reader.has_ended()) looks[GetParam()].look(pair.here, poll);
    }
    EXPECT_EQ(count, 100);
    pair.there.close();
}

// The same once, by a poll that has the socket to itself afterwards.
TEST(TlsBeside, POLL_6_a_poll_tells_what_comes_after_the_reader_has_gone) {
    Pair pair = secure_pair();
    Poll poll;
    must(poll.register_(pair.here, POLLIN));
    Background reader([&] { EXPECT_EQ(text(pair.here.read(4, Deadline::after(5s))), "0123"); });
    reader.await_asleep();
    Poll::Event event[1];
    must(pair.there.write("0123"));
    must(poll.poll(event, Timeout(10s)));
    reader.join();
    EXPECT_EQ(must(poll.poll(event, Timeout::zero())), 0u);
    must(pair.there.write("4567"));
    EXPECT_EQ(must(poll.poll(event, Timeout(10s))), 1u);
    EXPECT_EQ(text(pair.here.read(4)), "4567");
}

struct PutOff {
    explicit PutOff(bool is_server) {
        TlsOptions options = is_server ? TlsOptions{.server_side = true} : TlsOptions{.server_hostname = "localhost"};
        options.do_handshake = false;
        must(pair.here.wrap(is_server ? server : client, options));
    }
    TlsContext client = client_context();
    TlsContext server = server_context();
    Pair pair = tcp_pair();
};

class TlsHandshakes : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Sides, TlsHandshakes, ::testing::Bool(),
                         [](const auto& one) { return one.param ? "server" : "client"; });

// Both go on with the handshake, which one of them ends: the other then sends, or its peer would wait for ever.
TEST_P(TlsHandshakes, TLS_3_whoever_ends_it_wakes_who_sends) {
    for (int i = 0; i < 20; ++i) {
        const bool is_server = GetParam();
        PutOff put_off(is_server);
        Pair& pair = put_off.pair;
        std::string answer;
        Background reader([&] { answer = text(pair.here.read(6, Deadline::after(5s))); });
        reader.await_asleep();
        Background writer([&] { (void)pair.here.write("request", Deadline::after(5s)); });
        writer.await_asleep();
        must(pair.there.settimeout(5s));
        must(pair.there.wrap(is_server ? put_off.client : put_off.server,
                             is_server ? TlsOptions{.server_hostname = "localhost"} : TlsOptions{.server_side = true}));
        EXPECT_EQ(text(pair.there.read(7)), "request");
        must(pair.there.write("answer"));
        reader.join();
        ASSERT_EQ(answer, "answer");
    }
}

// Nor does it matter how the first one goes.
TEST(TlsHandshakes, TLS_3_the_next_goes_on_where_the_first_gives_up) {
    PutOff put_off(false);
    Pair& pair = put_off.pair;
    Background first([&] { EXPECT_EQ(pair.here.read(1, Deadline::after(300ms)).error(), Error(ETIMEDOUT)); });
    first.await_asleep();
    Background second([&] { EXPECT_EQ(must(pair.here.write("request", Deadline::after(10s))), 7u); });
    second.await_asleep();
    first.join();
    must(pair.there.settimeout(10s));
    must(pair.there.wrap(put_off.server, {.server_side = true}));
    EXPECT_EQ(text(pair.there.read(7)), "request");
}

TEST(TlsHandshakes, SOCK_4_a_close_ends_all_that_wait_for_it) {
    PutOff put_off(false);
    Pair& pair = put_off.pair;
    Background first([&] { EXPECT_EQ(pair.here.read(1).error(), Error(EBADF)); });
    first.await_asleep();
    Background second([&] { EXPECT_EQ(pair.here.write("request").error(), Error(EBADF)); });
    second.await_asleep();
    pair.here.close();
}

TEST(TlsHandshakes, TIME_8_a_call_for_one_time_does_not_wait_for_another) {
    PutOff put_off(false);
    Pair& pair = put_off.pair;
    Background first([&] { EXPECT_EQ(pair.here.read(1).error(), Error(EBADF)); });
    first.await_asleep();
    EXPECT_EQ(pair.here.send("request", MSG_DONTWAIT).error(), Error(EAGAIN));
    pair.here.close();
}

// A host's signal handler uses the socket that the call which it has interrupted waits for.
TEST(TlsHandshakes, TLS_3_a_handler_may_end_it_for_the_call_that_it_interrupts) {
    PutOff put_off(true);
    Pair& pair = put_off.pair;
    std::atomic<bool> is_handling{false};
    Background peer([&] {
        while (!is_handling) std::this_thread::yield();
        must(pair.there.wrap(put_off.client, {.server_hostname = "localhost"}));
    });
    ScriptedHost host;
    host.notes_signals();
    host.on_signal = [&] {
        if (is_handling.exchange(true)) return false;
        must(pair.here.do_handshake(Deadline::after(10s)));
        return false;
    };
    EXPECT_EQ(pair.here.do_handshake(Call(host.host(), Deadline::after(10s))).error(), Error());
    EXPECT_TRUE(is_handling);
}

}  // namespace
}  // namespace usocket::tests
