// CPP-4 GAI-4 GAI-5: connect and listen in one line, over the system's own loopback.
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "background.hpp"
#include "loopback.hpp"
#include "waiting.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

std::string text(const Address& address) { return std::string(address.text().view()); }

std::int64_t option(Socket& socket, int level, int name) { return must(socket.getsockopt(level, name)); }

// That it works both ways, and is as a fresh socket is.
void expect_connected(Socket& client, Socket& server) {
    Accepted accepted = must(server.accept());
    must(client.write("over\n"));
    EXPECT_EQ(must(accepted.socket.readline()).view(), "over\n");
    must(accepted.socket.write("back\n"));
    EXPECT_EQ(must(client.readline()).view(), "back\n");
    EXPECT_TRUE(client.gettimeout().is_none());
    EXPECT_EQ(client.connect(must(client.getpeername())).error(), Error(EISCONN));
}

TEST(Connect, GAI_5_to_a_name_and_a_port) {
    Address address;
    Socket server = listener(address);
    auto client = usocket::connect("localhost", address.port(), Deadline::after(30s));
    ASSERT_TRUE(client) << client.error().message();
    expect_connected(*client, server);
}

TEST(Connect, GAI_5_to_a_numeric_address_with_and_without_a_deadline) {
    Address address;
    Socket server = listener(address);
    auto client = usocket::connect("127.0.0.1", address.port());
    ASSERT_TRUE(client) << client.error().message();
    expect_connected(*client, server);
    client = usocket::connect("127.0.0.1", std::to_string(address.port()), Deadline::after(30s));
    ASSERT_TRUE(client) << client.error().message();
    expect_connected(*client, server);
}

// The system repeats what it has sent of the first attempt after a second.
TEST(Connect, TIME_4_a_blocking_one_waits_for_an_attempt_that_goes_on) {
    FullBacklog backlog;
    ASSERT_TRUE(backlog.is_full());
    Socket socket = must(usocket::socket());
    ASSERT_EQ(socket.connect(backlog.address(), Deadline::after(50ms)).error(), Error(ETIMEDOUT));
    must(socket.setblocking(false));
    EXPECT_EQ(socket.connect(backlog.address()).error(), Error(EALREADY));
    must(socket.settimeout(Timeout::none()));
    EXPECT_EQ(socket.connect(backlog.address(), Deadline::after(50ms)).error(), Error(ETIMEDOUT));
    const auto connect = [&] { return socket.connect(backlog.address()).error(); };
    Error first, second;
    Background one([&] { first = connect(); });
    Background other([&] { second = connect(); });
    one.await_asleep();
    other.await_asleep();
    backlog.accept_all(1);
    one.join();
    other.join();
    EXPECT_EQ(first, Error());
    EXPECT_EQ(second, Error());
}

// The system tells one of those who wait for an attempt why it has failed; what it was holds for all.
TEST(Connect, TIME_4_an_attempt_that_fails_does_so_for_all_who_wait) {
    std::optional<FullBacklog> backlog(std::in_place);
    ASSERT_TRUE(backlog->is_full());
    const Address address = backlog->address();
    Socket socket = must(usocket::socket());
    ASSERT_EQ(socket.connect(address, Deadline::after(50ms)).error(), Error(ETIMEDOUT));
    std::array<Error, 3> errors;
    {
        std::vector<std::unique_ptr<Background>> threads;
        for (Error& error : errors) {
            threads.push_back(std::make_unique<Background>([&] { error = socket.connect(address).error(); }));
        }
        for (const auto& thread : threads) thread->await_asleep();
        backlog.reset();  // what is sent once more is answered by a reset
    }
    EXPECT_EQ(std::ranges::count(errors, Error(ECONNREFUSED)), 3);
}

// And another attempt fails for reasons of its own.
TEST(Connect, TIME_4_an_attempt_that_is_ended_is_so_for_all_who_wait) {
    const Refusing refusing;
    const FullBacklog backlog;
    ASSERT_TRUE(backlog.is_full());
    Socket socket = must(usocket::socket());
    EXPECT_EQ(socket.connect(refusing.address).error(), Error(ECONNREFUSED));
    ASSERT_EQ(socket.connect(backlog.address(), Deadline::after(50ms)).error(), Error(ETIMEDOUT));
    std::array<Error, 2> errors;
    {
        Background one([&] { errors[0] = socket.connect(backlog.address()).error(); });
        Background other([&] { errors[1] = socket.connect(backlog.address()).error(); });
        one.await_asleep();
        other.await_asleep();
        must(socket.shutdown(SHUT_RDWR));
    }
    EXPECT_EQ(errors[0], errors[1]);
    EXPECT_TRUE(errors[0] == Error(ECONNRESET) || errors[0] == Error(ECONNABORTED)) << "the second is lwIP's";
}

TEST(Connect, CPP_4_to_an_address_of_any_family) {
    TemporaryDirectory directory;
    for (const Address& where : {any_port(), must(Address::unix_path(directory.path("a")))}) {
        Socket server = must(Result<Socket>(usocket::listen(where)));
        const Address address = must(server.getsockname());
        for (const bool has_deadline : {false, true}) {
            auto client = usocket::connect(address, has_deadline ? Call(Deadline::after(30s)) : Call());
            ASSERT_TRUE(client) << client.error().message();
            expect_connected(*client, server);
        }
    }
}

TEST(Connect, CPP_4_errors_name_the_endpoint) {
    const Refusing refusing;
    Address address = refusing.address;
    const std::string refused = text(address) + ": Connection refused";
    EXPECT_EQ(usocket::connect(address).error().message(), refused);
    EXPECT_EQ(usocket::connect("127.0.0.1", address.port()).error().message(), refused);
    EXPECT_EQ(usocket::connect("127.0.0.1", address.port()).error(), Error(ECONNREFUSED));
    EXPECT_STREQ(usocket::connect("127.0.0.1", 65536).error().message(), "127.0.0.1: port must be in 0..65535");
    EXPECT_STREQ(usocket::listen("localhost:80").error().message(),
                 "localhost:80: the host is not a numeric address (resolve names with getaddrinfo())");
    EXPECT_TRUE(std::string_view(usocket::connect("", 80).error().message()).starts_with("\"\": "));
    EXPECT_TRUE(std::string_view(usocket::listen(std::string_view(), 80).error().message()).starts_with("\"\": "));
    EXPECT_STREQ(usocket::listen("unix:/no/such/folder/socket").error().message(),
                 "unix:/no/such/folder/socket: No such file or directory");
    Socket busy = listener(address);
    EXPECT_EQ(usocket::listen(address).error().message(), text(address) + ": Address already in use");
}

TEST(Connect, GAI_5_from_a_source_address) {
    Address address;
    Socket server = listener(address);
    ConnectOptions options;
    options.source = must(Address::parse("127.0.0.7:0"));
    auto client = usocket::connect("localhost", address.port(), Deadline::after(30s), options);
    ASSERT_TRUE(client) << client.error().message();
    EXPECT_EQ(must(server.accept()).address.host().view(), "127.0.0.7");
    auto another = usocket::connect(address, Call(), options);
    ASSERT_TRUE(another) << another.error().message();
    EXPECT_EQ(must(server.accept()).address.host().view(), "127.0.0.7");
}

TEST(Listen, CPP_4_on_an_address_its_text_or_a_host) {
    for (const auto& socket :
         {usocket::listen(any_port()).transform([](Socket made) { return text(must(made.getsockname())); }),
          usocket::listen("127.0.0.1:0").transform([](Socket made) { return text(must(made.getsockname())); }),
          usocket::listen("localhost", 0, Deadline::after(30s)).transform([](Socket made) {
              return text(must(made.getsockname()));
          })}) {
        ASSERT_TRUE(socket) << socket.error().message();
        EXPECT_NE(*socket, "127.0.0.1:0");
    }
}

TEST(Listen, CPP_4_on_a_port_serves_both_families) {
    auto server = usocket::listen(0);
    ASSERT_TRUE(server) << server.error().message();
    const std::uint16_t port = must(server->getsockname()).port();
    auto client = usocket::connect("127.0.0.1", port, Deadline::after(30s));
    ASSERT_TRUE(client) << client.error().message();
    expect_connected(*client, *server);
    if (!has_ipv6()) return;
    client = usocket::connect("::1", port, Deadline::after(30s));
    ASSERT_TRUE(client) << client.error().message();
    expect_connected(*client, *server);
    EXPECT_EQ(usocket::listen(65536).error(), Error(Fault::port_range));
    EXPECT_EQ(usocket::listen(-1).error(), Error(Fault::port_range));
}

TEST(Listen, CPP_4_options) {
    ASSERT_TRUE(usocket::listen("127.0.0.1:0", {})) << "no options, not a service";
    auto server = usocket::listen("127.0.0.1:0");
    EXPECT_NE(option(*server, SOL_SOCKET, SO_REUSEADDR), 0);
    EXPECT_EQ(option(*server, SOL_SOCKET, SO_REUSEPORT), 0);
    server = usocket::listen("127.0.0.1:0", {.backlog = 1, .reuse_address = false, .reuse_port = true});
    EXPECT_EQ(option(*server, SOL_SOCKET, SO_REUSEADDR), 0);
    EXPECT_NE(option(*server, SOL_SOCKET, SO_REUSEPORT), 0);
    EXPECT_TRUE(usocket::listen(must(server->getsockname()), {.reuse_port = true}));
}

// GAI-4: a name that is known here, and a deadline that is long enough or not.
TEST(Resolving, GAI_4_takes_a_deadline) {
    EXPECT_TRUE(getaddrinfo("localhost", 80, Deadline::after(30s)));
    EXPECT_EQ(getaddrinfo("localhost", 80, Deadline::after(-1s)).error(), Error(ETIMEDOUT));
}

// --- CPP-4: options of any type, groups

TEST(Options, CPP_4_of_any_trivially_copyable_type) {
    Pair pair = tcp_pair();
    must(pair.here.setsockopt(SOL_SOCKET, SO_LINGER, linger{1, 7}));
    const Socket& seen = pair.here;  // to ask changes nothing
    EXPECT_EQ(must(seen.getsockname()), must(pair.there.getpeername()));
    EXPECT_NE(must(seen.getsockopt(SOL_SOCKET, SO_RCVBUF)), 0);
    const linger set = must(seen.getsockopt<linger>(SOL_SOCKET, SO_LINGER));
    EXPECT_EQ(set.l_onoff, 1);
    EXPECT_EQ(set.l_linger, 7);
    must(pair.here.setsockopt(SOL_SOCKET, SO_RCVTIMEO, timeval{3, 0}));
    EXPECT_EQ(must(pair.here.getsockopt<timeval>(SOL_SOCKET, SO_RCVTIMEO)).tv_sec, 3);
#if defined(SO_MAX_PACING_RATE)
    must(pair.here.setsockopt<std::uint64_t>(SOL_SOCKET, SO_MAX_PACING_RATE, 1'000'000));
    EXPECT_EQ(must(pair.here.getsockopt<std::uint64_t>(SOL_SOCKET, SO_MAX_PACING_RATE)), 1'000'000u);
#endif
    EXPECT_EQ(must(pair.here.getsockopt<tcp_info>(IPPROTO_TCP, TCP_INFO)).tcpi_state, 1) << "established";
    must(pair.here.setsockopt(SOL_SOCKET, SO_KEEPALIVE, true));
    EXPECT_NE(option(pair.here, SOL_SOCKET, SO_KEEPALIVE), 0);
}

TEST(Groups, CPP_4_joins_and_leaves_a_multicast_group) {
    const Address group = must(Address::parse("239.255.17.4:0"));
    Socket receiver = must(socket(AF_INET, SOCK_DGRAM));
    must(receiver.bind(must(Address::inet(AF_INET, "239.255.17.4", 0))));
    const std::uint32_t loopback = must(Address::inet(AF_INET6, "::1%lo", 0)).scopeid();
    must(receiver.join_group(group, loopback));
    EXPECT_EQ(receiver.join_group(group, loopback).error(), Error(EADDRINUSE));
    Socket sender = must(socket(AF_INET, SOCK_DGRAM));
    must(sender.setsockopt(IPPROTO_IP, IP_MULTICAST_IF, ip_mreqn{{}, {}, static_cast<int>(loopback)}));
    must(receiver.settimeout(30s));
    must(sender.sendto("all of you", must(receiver.getsockname())));
    EXPECT_EQ(must(receiver.recv(100)).view(), "all of you");
    must(receiver.leave_group(group, loopback));
    EXPECT_EQ(receiver.leave_group(group, loopback).error(), Error(EADDRNOTAVAIL));
    EXPECT_EQ(receiver.join_group(must(Address::unix_path("here"))).error(), Error(Fault::address_family));
}

}  // namespace
}  // namespace usocket::tests
