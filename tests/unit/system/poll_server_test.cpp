// POLL-1, CPP-4: Server<Client>, many connections in one thread.
#include <sys/resource.h>

#include <atomic>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "background.hpp"
#include "loopback.hpp"
#include "usocket/server.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

// Sends back what comes; counts how many there are.
struct Echo {
    static inline std::atomic<int> count = 0;
    std::string unsent;

    Echo() { ++count; }
    ~Echo() { --count; }
    Echo(const Echo&) = delete;
    Echo& operator=(const Echo&) = delete;

    unsigned take_turn(Socket& socket) {
        if (unsent.empty()) {
            const auto bytes = socket.read(4096);
            if (!bytes) return bytes.error().code() == EAGAIN ? POLLIN : 0;
            if (bytes->empty()) return 0;
            unsent = bytes->view();
        }
        const auto sent = socket.write(unsent);
        if (!sent && sent.error().code() != EAGAIN) return 0;
        unsent.erase(0, sent.value_or(0u));
        return unsent.empty() ? POLLIN : POLLOUT;
    }
};

Socket client_of(const Address& address) {
    Socket client = must(socket());
    must(client.settimeout(30s));
    must(client.connect(address));
    return client;
}

class Serving : public ::testing::Test {
protected:
    Serving() : server_(listener(address_)) {}
    ~Serving() override { stop(); }
    void stop() {
        server_.stop();
        thread_.join();
    }
    Socket connect() { return client_of(address_); }
    static void expect_echo(Socket& client, const std::string& text) {
        Background writer([&] { must(client.write(text)); });
        EXPECT_TRUE(must(client.read(text.size())).view() == text);
    }

    Address address_;
    Server<Echo> server_;
    std::atomic<int> expected_ = 0;
    Background thread_{[this] { EXPECT_EQ(server_.run().error().code(), expected_); }};
};

TEST_F(Serving, POLL_1_each_has_its_turn) {
    std::vector<Socket> clients;
    for (int i = 0; i < 20; ++i) clients.push_back(connect());
    for (Socket& client : clients) expect_echo(client, "hello\n");
    expect_echo(clients[3], std::string(3'000'000, 'x'));
    for (Socket& client : clients) expect_echo(client, "again\n");
    EXPECT_EQ(Echo::count, 20);
}

TEST_F(Serving, SOCK_3_whoever_goes_is_forgotten) {
    Socket stays = connect();
    expect_echo(stays, "x");
    for (int i = 0; i < 10; ++i) {
        Socket goes = connect();
        expect_echo(goes, "x");
    }
    Socket last = connect();
    must(last.shutdown(SHUT_WR));
    EXPECT_TRUE(must(last.read()).empty());
    while (Echo::count != 1) std::this_thread::yield();
    expect_echo(stays, "y");
}

// However busy it is: nobody goes, so that nothing but time tells that there is room again.
TEST_F(Serving, SOCK_3_without_room_it_rests_for_a_second) {
    Socket busy = connect();
    expect_echo(busy, "x");
    Socket waiting = must(socket());
    must(waiting.settimeout(30s));
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    const int free = must(waiting.dup()).fileno();
    const rlimit full{static_cast<rlim_t>(free), before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &full), 0);
    must(waiting.connect(address_));
    expect_echo(busy, "y");
    EXPECT_EQ(Echo::count, 1);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    must(waiting.write("z"));
    while (waiting.poll_now(POLLIN) == 0) expect_echo(busy, "y");
    EXPECT_EQ(must(waiting.read(1)).view(), "z");
}

TEST_F(Serving, POLL_6_stop_ends_it_with_its_connections_open) {
    Socket client = connect();
    expect_echo(client, "x");
    stop();
    EXPECT_EQ(Echo::count, 1);
    EXPECT_EQ(client.poll_now(POLLIN), 0u);
}

TEST(Servers, POLL_6_one_that_was_stopped_before_it_ran) {
    Address address;
    Server<Echo> server(listener(address));
    server.stop();
    must(server.run());
    EXPECT_EQ(must(server.listener().getsockname()), address);
}

TEST(Servers, POLL_6_a_stop_ends_one_run) {
    Address address;
    Server<Echo> server(listener(address));
    Socket stays = client_of(address);
    for (int i = 0; i < 3; ++i) {
        Background thread([&] { must(server.run()); });
        Socket comes = client_of(address);
        for (Socket* each : {&stays, &comes}) {
            must(each->write("x"));
            EXPECT_EQ(must(each->read(1)).view(), "x") << i;
        }
        server.stop();
    }
}

// Of three clients, whose server was stopped. Each, when it goes, sends another away.
struct Domino {
    Server<Domino>& server;
    std::atomic<int>& count;

    Domino(Server<Domino>& its, std::atomic<int>& of_all) : server(its), count(of_all) { ++count; }
    Domino(const Domino&) = delete;
    Domino& operator=(const Domino&) = delete;
    ~Domino() {
        --count;
        bool is_first = true;
        server.for_each([&](Domino&, Socket&) { return std::exchange(is_first, false) ? 0u : unsigned{POLLIN}; });
    }
    unsigned take_turn(Socket& socket) {
        must(socket.recv(1));
        server.stop();
        return POLLIN;
    }
};

TEST(Servers, CPP_4_whom_a_walk_between_two_runs_sends_away_goes_at_once) {
    Address address;
    std::atomic<int> count = 0;
    Server<Domino> server(listener(address));
    std::vector<Socket> clients;
    for (int i = 0; i < 3; ++i) {
        clients.push_back(client_of(address));
        must(clients.back().write("x"));
        while (count != i + 1) must(server.run([&] { return Domino(server, count); }));
    }
    int called = 0;
    server.for_each([&](Domino&, Socket&) {
        // Inside a walk nobody goes: the one around it is about to answer for him.
        server.for_each([&](Domino&, Socket&) { return ++called == 2 ? 0u : unsigned{POLLIN}; });
        EXPECT_EQ(count, 3);
        return POLLIN;
    });
    EXPECT_EQ(called, 5);
    EXPECT_EQ(count, 0);
    for (Socket& client : clients) EXPECT_TRUE(must(client.recv(1)).empty());
}

TEST(Servers, CPP_4_whom_a_run_sends_away_last_is_gone_when_it_returns) {
    Address address;
    Server<Echo> server(listener(address));
    Socket first = client_of(address);
    server.stop();
    must(server.run());
    Socket second = client_of(address);
    must(server.run([&] {
        server.for_each([](Echo&, Socket&) { return 0u; });
        server.stop();
        return Echo{};
    }));
    EXPECT_EQ(Echo::count, 1);
    EXPECT_TRUE(must(first.recv(1)).empty());
}

// Which of two threads is first, the one that runs it or the one that drains it, makes no difference.
TEST(Servers, SOCK_3_one_that_was_drained_before_it_ran) {
    Address address;
    Server<Echo> server(listener(address));
    server.listener().close();
    must(server.run());
}

TEST(Servers, SOCK_3_stopped_while_it_is_drained_it_goes_on_with_those_that_there_are) {
    Address address;
    Server<Echo> server(listener(address));
    Socket client = client_of(address);
    for (int i = 0; i < 2; ++i) {
        Background thread([&] { must(server.run()); });
        must(client.write("x"));
        EXPECT_EQ(must(client.read(1)).view(), "x");
        server.listener().close();
        server.stop();
    }
    client.close();
    must(server.run());
    EXPECT_EQ(Echo::count, 0);
}

TEST(Servers, SOCK_3_all_is_closed_when_it_goes) {
    Address address;
    Socket client = must(socket());
    {
        Server<Echo> server(listener(address));
        must(client.connect(address));
        Background thread([&] { must(server.run()); });
        must(client.write("x"));
        EXPECT_EQ(must(client.read(1)).view(), "x");
        server.stop();
    }
    EXPECT_TRUE(must(client.read(1)).empty());
    EXPECT_EQ(Echo::count, 0);
}

// A listener that is no more: the error says so.
TEST(Servers, SOCK_3_an_error_of_its_own_ends_it) {
    Server<Echo> server{Socket()};
    EXPECT_EQ(server.run().error(), Error(EBADF));
}

TEST(Servers, SOCK_3_a_socket_that_does_not_listen_is_an_error) {
    Server<Echo> stream(must(Socket::open(AF_INET, SOCK_STREAM)));
    EXPECT_EQ(stream.run().error(), Error(EINVAL));
    Server<Echo> datagrams(must(Socket::open(AF_INET, SOCK_DGRAM)));
    EXPECT_EQ(datagrams.run().error(), Error(EOPNOTSUPP));
}

// The system wakes those that wait for a listener that is shut down; it accepts no more.
TEST_F(Serving, SOCK_3_a_listener_that_is_shut_down_is_an_error) {
    expected_ = EINVAL;
    Socket client = connect();
    expect_echo(client, "x");
    if (!server_.listener().shutdown(SHUT_RDWR)) {
        expected_ = 0;
        GTEST_SKIP() << "the stack shuts down connections only";
    }
    thread_.join();
}

TEST_F(Serving, SOCK_3_its_listener_closed_it_serves_those_that_there_are) {
    Socket first = connect(), last = connect();
    expect_echo(first, "x");
    expect_echo(last, "x");
    server_.listener().close();
    expect_echo(first, "y");
    first.close();
    while (Echo::count != 1) std::this_thread::yield();
    expect_echo(last, "z");
    thread_.await_asleep();
    last.close();
    thread_.join();
    EXPECT_EQ(Echo::count, 0);
}

TEST_F(Serving, SOCK_3_its_listener_closed_with_nobody_there_it_ends) {
    thread_.await_asleep();
    server_.listener().close();
    thread_.join();
}

// Closes its server's listener when it is told anything.
struct Last {
    Server<Last>& server;

    unsigned take_turn(Socket& socket) {
        const auto bytes = socket.recv(1);
        if (!bytes) return bytes.error().code() == EAGAIN ? POLLIN : 0;
        server.listener().close();
        return !bytes->empty() && socket.write(bytes->view()) ? POLLIN : 0;
    }
};

TEST(Servers, SOCK_3_a_client_closes_the_listener_in_its_turn) {
    Address address;
    Server<Last> server(listener(address));
    Background thread([&] { must(server.run([&] { return Last{server}; })); });
    Socket client = must(socket());
    must(client.settimeout(30s));
    must(client.connect(address));
    must(client.write("x"));
    EXPECT_EQ(must(client.read(1)).view(), "x");
    must(client.write("y"));
    EXPECT_EQ(must(client.read(1)).view(), "y");
    client.close();
    thread.join();
}

// Passes each line on to all the others, as "1: hello"; whoever goes, "1 has left". They know what they share.
struct Speaker {
    static inline std::atomic<int> turns = 0;
    Server<Speaker>& server;
    int number;
    std::string heard = {};
    std::string unsent = {};

    Speaker(Server<Speaker>& in, int which) : server(in), number(which) {}
    Speaker(const Speaker&) = delete;
    Speaker& operator=(const Speaker&) = delete;
    ~Speaker() { tell_others(std::to_string(number) + " has left\n"); }

    unsigned take_turn(Socket& socket) {
        ++turns;
        if (!flush(socket)) return 0;
        const auto line = socket.readline();
        if (!line) return line.error().code() == EAGAIN ? events() : 0;
        if (line->empty()) return 0;
        heard += line->view();
        if (!heard.ends_with('\n')) return events();  // the rest is not there yet
        const std::string said = std::exchange(heard, {});
        if (said == "all out\n") {
            server.for_each([](Speaker&, Socket&) { return 0u; });
            socket.close();
            return POLLIN;  // which comes too late
        }
        tell_others(std::to_string(number) + ": " + said);
        return events();
    }
    void tell_others(const std::string& text) {
        server.for_each([&](Speaker& other, Socket& socket) {
            if (&other == this) return other.events();
            other.unsent += text;
            return other.flush(socket) ? other.events() : 0u;
        });
    }
    bool flush(Socket& socket) {
        const auto count = socket.write(unsent);
        unsent.erase(0, count.value_or(0u));
        return count || count.error().code() == EAGAIN;
    }
    [[nodiscard]] unsigned events() const { return POLLIN | (unsent.empty() ? 0u : unsigned{POLLOUT}); }
};

class Speaking : public ::testing::Test {
protected:
    Speaking() : server_(listener(address_)) {}
    ~Speaking() override {
        server_.stop();
        thread_.join();
    }
    // Is there once it is heard of.
    Socket connect() {
        Socket client = client_of(address_);
        while (made_ != asked_ + 1) std::this_thread::yield();
        ++asked_;
        return client;
    }

    Address address_;
    Server<Speaker> server_;
    int asked_ = 0;
    std::atomic<int> made_ = 0;
    std::atomic<bool> lets_in_ = true;
    Background thread_{[this] {
        must(server_.run([this] {
            lets_in_.wait(false);
            return Speaker(server_, ++made_);
        }));
    }};
};

TEST_F(Speaking, CPP_4_clients_know_what_they_share_and_one_another) {
    Socket one = connect(), two = connect(), three = connect();
    must(two.write("hello\n"));
    EXPECT_EQ(must(one.readline()).view(), "2: hello\n");
    EXPECT_EQ(must(three.readline()).view(), "2: hello\n");
    must(three.write("hi\n"));
    EXPECT_EQ(must(two.readline()).view(), "3: hi\n");  // its own was not for itself
}

TEST_F(Speaking, CPP_4_what_it_says_to_all_waits_for_room) {
    Socket one = connect(), two = connect();
    const std::string line = std::string(100'000, 'x') + "\n";
    for (int i = 0; i < 100; ++i) must(one.write(line));
    for (int i = 0; i < 100; ++i) EXPECT_EQ(must(two.readline()).size(), line.size() + 3);
}

TEST_F(Speaking, CPP_4_the_end_of_one_tells_the_others) {
    Socket one = connect(), two = connect();
    one.close();
    EXPECT_EQ(must(two.readline()).view(), "1 has left\n");
}

// Events of all three are there when the first has its turn.
TEST_F(Speaking, CPP_4_one_may_end_all_itself_too) {
    Socket clients[] = {connect(), connect(), connect()};
    lets_in_ = false;
    Socket fourth = must(socket());
    must(fourth.connect(address_));
    thread_.await_asleep();
    for (Socket& client : clients) must(client.write("all out\n"));
    const int turns = Speaker::turns;
    lets_in_ = true;
    lets_in_.notify_all();
    for (Socket& client : clients) (void)client.read();  // until it is closed; some with their lines unread
    EXPECT_EQ(Speaker::turns - turns, 1);
    while (made_ != 4) std::this_thread::yield();
    asked_ = 4;
    connect();  // and it goes on
}

// On "g" the walk that calls them all calls, at the client `at`, others inside it, of which each sends one away.
struct Walked {
    struct Plan {
        int at;
        std::vector<int> away;
        std::vector<int> called = {};
    };
    Server<Walked>& server;
    Plan& plan;
    int number;

    unsigned take_turn(Socket& socket) {
        const auto bytes = socket.recv(1);
        if (!bytes) return bytes.error().code() == EAGAIN ? POLLIN : 0;
        if (bytes->view() == "x") return socket.write("y") ? POLLIN : 0;
        walk();
        server.stop();
        return POLLIN;
    }
    void walk() {
        server.for_each([&](Walked& one, Socket&) -> unsigned {
            plan.called.push_back(one.number);
            if (one.number == plan.at) send_away(0);
            return POLLIN;
        });
    }
    void send_away(std::size_t which) {
        if (which == plan.away.size()) return;
        server.for_each([&](Walked& one, Socket&) -> unsigned {
            if (one.number != plan.away[which]) return POLLIN;
            send_away(which + 1);
            return 0;
        });
    }
};

// Of three clients, 3 being called first.
std::vector<int> called_with(Walked::Plan plan) {
    Address address;
    Server<Walked> server(listener(address));
    int made = 0;
    Background thread([&] { must(server.run([&] { return Walked{server, plan, ++made}; })); });
    std::vector<Socket> clients;
    for (int i = 0; i < 3; ++i) {
        clients.push_back(client_of(address));
        must(clients.back().write("x"));
        EXPECT_EQ(must(clients.back().read(1)).view(), "y");
    }
    must(clients[0].write("g"));
    thread.join();
    return plan.called;
}

TEST(Servers, CPP_4_a_walk_calls_all_that_stay_whoever_goes_meanwhile) {
    using Numbers = std::vector<int>;
    EXPECT_EQ(called_with({3, {2}}), Numbers({3, 1}));
    EXPECT_EQ(called_with({3, {3}}), Numbers({3, 2, 1}));
    EXPECT_EQ(called_with({3, {1}}), Numbers({3, 2}));
    EXPECT_EQ(called_with({2, {3}}), Numbers({3, 2, 1}));
    EXPECT_EQ(called_with({3, {2, 1}}), Numbers({3}));
    EXPECT_EQ(called_with({3, {1, 2}}), Numbers({3}));
    EXPECT_EQ(called_with({3, {1, 2, 3}}), Numbers({3}));
    EXPECT_EQ(called_with({2, {1, 3, 2}}), Numbers({3, 2}));
}

// Closes its socket in its turn, or everybody's, and says that it waits.
struct Closing {
    Server<Closing>& server;
    std::atomic<int>& turns;

    unsigned take_turn(Socket& socket) {
        const auto bytes = socket.recv(1);
        if (++turns == 3) server.stop();  // more than there should be
        if (bytes && bytes->view() == "x") socket.close();
        if (bytes && bytes->view() == "a") close_all();
        return POLLIN;
    }
    void close_all() {
        server.for_each([](Closing&, Socket& each) {
            each.close();
            return POLLIN;
        });
    }
};

TEST(Servers, SOCK_3_whose_socket_is_closed_goes) {
    for (const char* what : {"x", "a"}) {
        Address address;
        Server<Closing> server(listener(address));
        std::atomic<int> turns = 0;
        Background thread([&] { must(server.run([&] { return Closing{server, turns}; })); });
        Socket client = client_of(address);
        must(client.write(what));
        EXPECT_TRUE(must(client.read()).empty());
        server.listener().close();
        thread.join();  // as nobody is there any more
        EXPECT_EQ(turns, 1) << what;
    }
}

// Answers each byte, and stays for as long after it.
struct Waiting {
    Deadline until = Deadline::after(100ms);

    Deadline deadline() const { return until; }
    unsigned take_turn(Socket& socket) {
        const auto bytes = socket.recv(1);
        if (!bytes) return bytes.error().code() == EAGAIN ? POLLIN : 0;
        until = Deadline::after(1h);
        return !bytes->empty() && socket.write(bytes->view()) ? POLLIN : 0;
    }
};

TEST(Servers, TIME_10_a_deadline_that_passes_ends_a_connection) {
    Address address;
    Server<Waiting> server(listener(address));
    Background thread([&] { must(server.run()); });
    Socket silent = must(socket()), busy = must(socket());
    for (Socket* each : {&silent, &busy}) {
        must(each->settimeout(30s));
        must(each->connect(address));
    }
    must(busy.write("x"));
    EXPECT_EQ(must(busy.read(1)).view(), "x");
    EXPECT_TRUE(must(silent.read(1)).empty());
    must(busy.write("y"));
    EXPECT_EQ(must(busy.read(1)).view(), "y");
    server.stop();
}

}  // namespace
}  // namespace usocket::tests
