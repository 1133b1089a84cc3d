// SOCK-1..3, SOCK-5..8: the life of a socket, its connections and options, over the system's stack.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <climits>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "background.hpp"
#include "descriptor.hpp"
#include "descriptors.hpp"
#include "loopback.hpp"
#include "random.hpp"

namespace usocket::tests {
namespace {

using namespace std::string_literals;

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }
bool is_cloexec(Socket& sock) { return (::fcntl(sock.fileno(), F_GETFD) & FD_CLOEXEC) != 0; }
bool is_nonblocking(Socket& sock) { return (::fcntl(sock.fileno(), F_GETFL) & O_NONBLOCK) != 0; }

// SOCK-1
TEST(Sockets, SOCK_1_without_arguments_it_is_a_TCP_socket) {
    const Socket sock = socket().value();
    EXPECT_EQ(sock.family(), AF_INET);
    EXPECT_EQ(sock.type(), SOCK_STREAM);
    EXPECT_EQ(sock.proto(), IPPROTO_TCP);
    EXPECT_FALSE(sock.closed());
    EXPECT_TRUE(sock.getblocking());
}

TEST(Sockets, SOCK_1_type_selects_the_protocol) {
    EXPECT_EQ(socket(AF_INET, SOCK_STREAM).value().proto(), IPPROTO_TCP);
    EXPECT_EQ(socket(AF_INET, SOCK_DGRAM).value().proto(), IPPROTO_UDP);
    EXPECT_EQ(usocket::socket(AF_INET, SOCK_STREAM, IPPROTO_TCP).value().proto(), IPPROTO_TCP);
    EXPECT_EQ(socket(AF_UNIX, SOCK_STREAM).value().proto(), 0);
    EXPECT_EQ(socket(AF_UNIX, SOCK_DGRAM).value().type(), SOCK_DGRAM);
}

TEST(Sockets, SOCK_1_impossible_combinations_say_the_systems_errno) {
    const std::size_t before = open_descriptors();
    EXPECT_EQ(usocket::socket(AF_INET, SOCK_STREAM, IPPROTO_UDP).error(), Error(EPROTONOSUPPORT));
    EXPECT_EQ(usocket::socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP).error(), Error(EPROTONOSUPPORT));
    EXPECT_EQ(usocket::socket(AF_UNIX, SOCK_STREAM, IPPROTO_TCP).error(), Error(EPROTONOSUPPORT));
    EXPECT_EQ(socket(4711, SOCK_STREAM).error(), Error(EAFNOSUPPORT));
    EXPECT_EQ(socket(AF_UNSPEC, SOCK_STREAM).error(), Error(EAFNOSUPPORT));
    EXPECT_EQ(usocket::socket(AF_INET, SOCK_DGRAM, IPPROTO_SEC).error(), Error(EPROTONOSUPPORT));
    EXPECT_EQ(open_descriptors(), before);
}

// Whatever the arguments, what comes of them is what socket(2) would say.
TEST(Sockets, SOCK_1_every_combination_is_the_systems_verdict) {
    const std::size_t before = open_descriptors();
    const int families[] = {AF_INET, AF_INET6, AF_UNIX, AF_UNSPEC, -1, 255, 256, 258, 4711, INT_MAX, INT_MIN};
    const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, 0, -1, 7, 11, 16, 17, 4711, INT_MAX, INT_MIN};
    const int protocols[] = {0, IPPROTO_TCP, IPPROTO_UDP, -1, 255, 256, 4097, 4096 + IPPROTO_TCP, INT_MAX, INT_MIN};
    for (const int family : families) {
        for (const int type : types) {
            for (const int proto : protocols) {
                const int native = ::socket(family, type | SOCK_CLOEXEC, proto);
                const int code = native < 0 ? errno : 0;
                if (native >= 0) ::close(native);
                const auto made = usocket::socket(family, type, proto);
                EXPECT_EQ(made.error(), Error(code)) << family << " " << type << " " << proto;
                EXPECT_TRUE(!made || made->family() == family);
            }
        }
    }
    EXPECT_EQ(open_descriptors(), before);
}

TEST(Sockets, SOCK_1_random_arguments_never_crash) {
    const std::size_t before = open_descriptors();
    Random random(1);
    for (int round = 0; round < 20'000; ++round) {
        const auto number = [&] { return static_cast<int>(random.chance(500) ? random.below(40) : random.next()); };
        const int family = number(), type = number(), proto = number();
        (void)usocket::socket(family, type, proto);
        (void)socketpair(family, type, proto);
    }
    EXPECT_EQ(open_descriptors(), before);
}

TEST(Sockets, SOCK_1_a_type_may_ask_for_non_blocking) {
    Socket sock = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK).value();
    EXPECT_EQ(sock.type(), SOCK_STREAM);
    EXPECT_TRUE(sock.gettimeout().is_zero());
    EXPECT_TRUE(is_nonblocking(sock));
    Socket exact = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC).value();
    EXPECT_EQ(exact.type(), SOCK_DGRAM);
    EXPECT_TRUE(exact.getblocking());
}

// NAME-3 TLS-2
TEST(Sockets, SOCK_1_IPPROTO_SEC_is_a_TCP_socket_that_remembers_it) {
    Socket sock = usocket::socket(AF_INET, SOCK_STREAM, IPPROTO_SEC).value();
    EXPECT_EQ(sock.proto(), IPPROTO_SEC);
    EXPECT_EQ(sock.getsockopt(SOL_SOCKET, SO_PROTOCOL).value(), IPPROTO_TCP);
    EXPECT_EQ(sock.dup().value().proto(), IPPROTO_SEC);
    Address address;
    Socket server = listener(address);
    sock.connect(address).value();
    Socket moved = std::move(sock);
    EXPECT_EQ(moved.proto(), IPPROTO_SEC);
}

// SOCK-2
TEST(Sockets, SOCK_2_every_descriptor_is_close_on_exec) {
    Pair pair = tcp_pair();
    EXPECT_TRUE(is_cloexec(pair.here));
    EXPECT_TRUE(is_cloexec(pair.there)) << "accept()";
    Socket copy = pair.here.dup().value();
    EXPECT_TRUE(is_cloexec(copy)) << "dup()";
    Pair made = unix_pair();
    EXPECT_TRUE(is_cloexec(made.here) && is_cloexec(made.there)) << "socketpair()";
    Socket datagrams = socket(AF_INET, SOCK_DGRAM).value();
    EXPECT_TRUE(is_cloexec(datagrams));
}

// SIGPIPE has its default action here: it would end the test.
TEST(Sockets, SOCK_2_a_broken_connection_is_EPIPE_and_no_signal) {
    struct sigaction action{};
    ASSERT_EQ(::sigaction(SIGPIPE, nullptr, &action), 0);
    ASSERT_EQ(action.sa_handler, SIG_DFL);
    for (const bool is_tcp : {true, false}) {
        Pair pair = is_tcp ? tcp_pair() : unix_pair();
        pair.here.shutdown(SHUT_WR).value();
        EXPECT_EQ(pair.here.send("x").error(), Error(EPIPE));
        EXPECT_EQ(pair.here.sendall("x").error(), Error(EPIPE));
        EXPECT_EQ(pair.here.write("x").error(), Error(EPIPE));
        pair.here.settimeout(std::chrono::seconds(10)).value();
        EXPECT_EQ(pair.here.sendall("x").error(), Error(EPIPE));
    }
    Pair pair = unix_pair();
    pair.there.close();
    EXPECT_EQ(pair.here.write("x").error(), Error(EPIPE));
    Pair datagrams = unix_pair(SOCK_SEQPACKET);
    datagrams.there.close();
    EXPECT_EQ(datagrams.here.send("x").error(), Error(EPIPE));
}

TEST(Sockets, SOCK_2_a_reset_while_much_is_written) {
    Pair pair = tcp_pair();
    const linger abort{1, 0};
    pair.there.setsockopt(SOL_SOCKET, SO_LINGER, ConstBuffer(&abort, sizeof abort)).value();
    pair.there.close();
    const std::string much(1 << 22, 'm');
    Error error;
    while (error == Error()) error = pair.here.sendall(much).error();
    EXPECT_TRUE(error == Error(ECONNRESET) || error == Error(EPIPE)) << error.code();
    while (error != Error(EPIPE)) {
        error = pair.here.sendall(much).error();
        ASSERT_TRUE(error == Error(ECONNRESET) || error == Error(EPIPE)) << error.code();
    }
}

// SOCK-3
void expect_all_EBADF(Socket& sock) {
    const Address address = any_port();
    std::array<std::uint8_t, 8> room{};
    int option = 0;
    Sink sink = Bytes::sink();
    Socket conn;
    const Error closed(EBADF);
    EXPECT_EQ(sock.bind(address).error(), closed);
    EXPECT_EQ(sock.listen().error(), closed);
    EXPECT_EQ(sock.listen(-1).error(), closed);
    EXPECT_EQ(sock.accept().error(), closed);
    EXPECT_EQ(sock.accept_into(conn).error(), closed);
    EXPECT_EQ(sock.connect(address).error(), closed);
    EXPECT_EQ(sock.shutdown(SHUT_RDWR).error(), closed);
    EXPECT_EQ(sock.send("x").error(), closed);
    EXPECT_EQ(sock.send("").error(), closed);
    EXPECT_EQ(sock.sendall("x").error(), closed);
    EXPECT_EQ(sock.sendall("").error(), closed);
    EXPECT_EQ(sock.sendto("x", address).error(), closed);
    EXPECT_EQ(sock.recv(8).error(), closed);
    EXPECT_EQ(sock.recv(0).error(), closed);
    EXPECT_EQ(sock.recv_into(room).error(), closed);
    EXPECT_EQ(sock.recvfrom(8).error(), closed);
    EXPECT_EQ(sock.recvfrom_into(room).error(), closed);
    EXPECT_EQ(sock.read().error(), closed);
    EXPECT_EQ(sock.read(8).error(), closed);
    EXPECT_EQ(sock.read(0).error(), closed);
    EXPECT_EQ(sock.readinto(room).error(), closed);
    EXPECT_EQ(sock.readline().error(), closed);
    EXPECT_EQ(sock.readline(0).error(), closed);
    EXPECT_EQ(sock.readline_into(room).error(), closed);
    EXPECT_EQ(sock.write("x").error(), closed);
    EXPECT_EQ(sock.write("").error(), closed);
    EXPECT_EQ(sock.read_to(sink, 8).error(), closed);
    EXPECT_EQ(sock.readline_to(sink, 8).error(), closed);
    EXPECT_EQ(sock.settimeout(Timeout::none()).error(), closed);
    EXPECT_EQ(sock.settimeout(Timeout::zero()).error(), closed);
    EXPECT_EQ(sock.setblocking(true).error(), closed);
    EXPECT_EQ(sock.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1).error(), closed);
    EXPECT_EQ(sock.getsockopt(SOL_SOCKET, SO_TYPE).error(), closed);
    EXPECT_EQ(sock.getsockopt(SOL_SOCKET, SO_TYPE, MutableBuffer(&option, sizeof option)).error(), closed);
    EXPECT_EQ(sock.getsockname().error(), closed);
    EXPECT_EQ(sock.getpeername().error(), closed);
    EXPECT_EQ(sock.detach().error(), closed);
    EXPECT_EQ(sock.dup().error(), closed);
    EXPECT_EQ(sock.fileno(), -1);
    EXPECT_EQ(hidden_fileno(sock), -1);
    EXPECT_EQ(sock.poll_now(POLLIN | POLLOUT), static_cast<unsigned>(POLLNVAL));
    EXPECT_FALSE(sock.has_kept());
    EXPECT_TRUE(sock.closed());
    sock.close();
}

TEST(Sockets, SOCK_3_closed_every_method_is_EBADF) {
    Socket never_open;
    expect_all_EBADF(never_open);
    Socket tcp = socket().value();
    tcp.close();
    expect_all_EBADF(tcp);
    Pair pair = tcp_pair();
    pair.here.settimeout(std::chrono::seconds(10)).value();
    pair.here.close();
    expect_all_EBADF(pair.here);
    Pair datagrams = unix_pair(SOCK_DGRAM);
    datagrams.here.setblocking(false).value();
    datagrams.here.close();
    expect_all_EBADF(datagrams.here);
    Socket moved_to = std::move(pair.there);
    expect_all_EBADF(pair.there);
    (void)moved_to.detach().value();
    expect_all_EBADF(moved_to);
}

TEST(Sockets, SOCK_3_close_is_idempotent_and_closes_once) {
    Socket sock = socket().value();
    const int fd = sock.fileno();
    sock.close();
    EXPECT_FALSE(is_open(fd));
    Socket other = socket().value();  // gets the same number
    EXPECT_EQ(other.fileno(), fd);
    sock.close();
    EXPECT_TRUE(is_open(fd));
}

TEST(Sockets, SOCK_3_the_peer_sees_EOF) {
    for (const bool is_tcp : {true, false}) {
        Pair pair = is_tcp ? tcp_pair() : unix_pair();
        pair.here.write("last").value();
        pair.here.close();
        EXPECT_EQ(pair.there.read().value().view(), "last");
        EXPECT_EQ(pair.there.recv(1).value().size(), 0u);
        EXPECT_EQ(pair.there.readline().value().size(), 0u);
    }
}

TEST(Sockets, SOCK_3_the_destructor_and_assignment_close) {
    const std::size_t before = open_descriptors();
    {
        Pair pair = tcp_pair();
        Pair other = unix_pair();
        const int fd = pair.here.fileno();
        pair.here = std::move(other.here);
        EXPECT_FALSE(is_open(fd));
        EXPECT_TRUE(other.here.closed());
        EXPECT_EQ(pair.there.read().value().size(), 0u) << "the peer of what was assigned over";
        Socket& self = pair.here;
        pair.here = std::move(self);
        EXPECT_FALSE(pair.here.closed());
    }
    EXPECT_EQ(open_descriptors(), before);
}

TEST(Sockets, SOCK_3_failures_leak_nothing) {
    const Refusing refusing;
    const std::size_t before = open_descriptors();
    for (int round = 0; round < 50; ++round) {
        Socket sock = socket().value();
        EXPECT_EQ(sock.connect(refusing.address).error(), Error(ECONNREFUSED));
        EXPECT_EQ(sock.accept().error(), Error(EINVAL));
        EXPECT_FALSE(Socket::adopt(-1));
        EXPECT_FALSE(socketpair(AF_INET, SOCK_STREAM));
        EXPECT_FALSE(socketpair(4711, SOCK_STREAM));
    }
    EXPECT_EQ(open_descriptors(), before);
}

TEST(Sockets, SOCK_3_out_of_descriptors) {
    Address address;
    Socket server = listener(address);
    Socket client = socket().value();
    client.connect(address).value();
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const int lowest_free = ::dup(0);
    ASSERT_GT(lowest_free, 0);
    ::close(lowest_free);
    const rlimit no_more{static_cast<rlim_t>(lowest_free), before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &no_more), 0);
    const Error errors[] = {socket().error(), socketpair().error(), client.dup().error(), server.accept().error()};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    for (const Error error : errors) EXPECT_EQ(error, Error(EMFILE));
    EXPECT_TRUE(server.accept()) << "once there is room again";
}

// SOCK-5
TEST(Sockets, SOCK_5_listen_takes_any_backlog) {
    for (const int backlog : {INT_MIN, -1, 0, 1, 128, SOMAXCONN, INT_MAX}) {
        Socket server = socket().value();
        server.bind(any_port()).value();
        server.listen(backlog).value();
        EXPECT_EQ(server.getsockopt(SOL_SOCKET, SO_ACCEPTCONN).value(), 1) << backlog;
        Socket client = socket().value();
        client.connect(server.getsockname().value()).value();
        EXPECT_TRUE(server.accept()) << backlog;
    }
}

#if defined(__linux__)
// TCP_INFO of a listening socket has the backlog where a connection has its unsent segments (ss -l shows it).
TEST(Sockets, SOCK_5_backlog_by_default_and_below_zero) {
    const auto backlog_of = [](Socket& server) {
        tcp_info info{};
        server.getsockopt(IPPROTO_TCP, TCP_INFO, MutableBuffer(&info, sizeof info)).value();
        return info.tcpi_sacked;
    };
    Socket server = socket().value();
    server.bind(any_port()).value();
    server.listen(7).value();
    ASSERT_EQ(backlog_of(server), 7u);
    server.listen(-5).value();
    EXPECT_EQ(backlog_of(server), 0u);
    server.listen().value();
    const unsigned by_default = backlog_of(server);
    EXPECT_GT(by_default, 0u);
    EXPECT_LE(by_default, static_cast<unsigned>(SOMAXCONN < 128 ? SOMAXCONN : 128));
}
#endif

TEST(Sockets, SOCK_5_the_accepted_connection_is_blocking_whatever_the_listener_is) {
    for (const Timeout timeout : {Timeout::none(), Timeout::zero(), Timeout(std::chrono::seconds(10))}) {
        Address address;
        Socket server = listener(address);
        Socket client = socket().value();
        client.connect(address).value();
        server.settimeout(timeout).value();
        await_event(server, POLLIN);
        Accepted accepted = server.accept().value();
        EXPECT_TRUE(accepted.socket.gettimeout().is_none());
        EXPECT_FALSE(is_nonblocking(accepted.socket));
        EXPECT_EQ(accepted.socket.family(), AF_INET);
        EXPECT_EQ(accepted.socket.type(), SOCK_STREAM);
        EXPECT_EQ(accepted.socket.proto(), IPPROTO_TCP);
        EXPECT_EQ(accepted.address, client.getsockname().value());
    }
}

TEST(Sockets, SOCK_5_accept_into_replaces_nothing_when_it_fails) {
    Address address;
    Socket server = listener(address);
    server.setblocking(false).value();
    Socket conn;
    EXPECT_EQ(server.accept_into(conn).error(), Error(EAGAIN));
    EXPECT_TRUE(conn.closed());
    Socket client = socket().value();
    client.connect(address).value();
    await_event(server, POLLIN);
    EXPECT_EQ(server.accept_into(conn).value(), client.getsockname().value());
    conn.write("hello").value();
    EXPECT_EQ(client.recv(8).value().view(), "hello");
}

TEST(Sockets, SOCK_5_a_port_in_use) {
    Address address;
    Socket server = listener(address);
    Socket second = socket().value();
    EXPECT_EQ(second.bind(address).error(), Error(EADDRINUSE));
    second.bind(any_port()).value();
    EXPECT_NE(second.getsockname().value().port(), 0);
    EXPECT_EQ(second.bind(any_port()).error(), Error(EINVAL)) << "bound twice";
}

TEST(Sockets, SOCK_5_connect_is_refused_at_any_timeout) {
    const Refusing refusing;
    for (const Timeout timeout : {Timeout::none(), Timeout(std::chrono::seconds(10))}) {
        Socket client = socket().value();
        client.settimeout(timeout).value();
        EXPECT_EQ(client.connect(refusing.address).error(), Error(ECONNREFUSED));
    }
}

// Nonblocking: the program takes the reason, by SO_ERROR.
Error outcome_of(Socket& client, const Address& address) {
    const Error error = client.connect(address).error();
    if (error != Error(EINPROGRESS)) return error;
    Poll poll;
    Poll::Event event;
    must(poll.register_(client, POLLOUT));
    must(poll.poll({&event, 1}, std::chrono::seconds(10)));
    return Error(must(client.getsockopt(SOL_SOCKET, SO_ERROR)));
}

TEST(Sockets, SOCK_5_a_connect_that_was_refused_is_no_hindrance_to_the_next) {
    std::optional<Background> beside;  // then no call sleeps in connect(2)
    Pair idle = tcp_pair();
    for (const bool is_alone : {true, false}) {
        if (!is_alone) beside.emplace([&] { (void)idle.here.recv(1); });
        for (const Timeout timeout : {Timeout::none(), Timeout(std::chrono::seconds(10)), Timeout::zero()}) {
            Refusing refusing;
            Socket client = socket().value();
            client.settimeout(timeout).value();
            for (int i = 0; i < 3; ++i)
                EXPECT_EQ(outcome_of(client, refusing.address), Error(ECONNREFUSED)) << is_alone;
            must(refusing.holder.listen());
            EXPECT_EQ(outcome_of(client, refusing.address), Error()) << is_alone;
            EXPECT_EQ(must(client.getpeername()), refusing.address);
        }
    }
    idle.there.close();
}

TEST(Sockets, SOCK_5_connect_twice_is_EISCONN) {
    Pair pair = tcp_pair();
    const Address peer = pair.here.getpeername().value();
    EXPECT_EQ(pair.here.connect(peer).error(), Error(EISCONN));
    pair.here.settimeout(std::chrono::seconds(10)).value();
    EXPECT_EQ(pair.here.connect(peer).error(), Error(EISCONN));
}

TEST(Sockets, SOCK_5_an_address_of_another_family) {
    if (!has_ipv6()) GTEST_SKIP() << "no IPv6 here";
    Socket v6 = socket(AF_INET6, SOCK_STREAM).value();
    EXPECT_FALSE(v6.bind(any_port()));
    Socket v4 = socket().value();
    EXPECT_EQ(v4.connect(Address::inet(AF_INET6, "::1", 1).value()).error(), Error(EAFNOSUPPORT));
}

TEST(Sockets, SOCK_5_over_IPv6) {
    if (!has_ipv6()) GTEST_SKIP() << "no IPv6 here";
    Socket server = socket(AF_INET6, SOCK_STREAM).value();
    server.bind(Address::inet(AF_INET6, "::1", 0).value()).value();
    server.listen().value();
    Socket client = socket(AF_INET6, SOCK_STREAM).value();
    client.connect(server.getsockname().value()).value();
    Accepted accepted = server.accept().value();
    EXPECT_EQ(accepted.address.host().view(), "::1");
    EXPECT_EQ(accepted.address.port(), client.getsockname().value().port());
    client.write("six").value();
    EXPECT_EQ(accepted.socket.read(3).value().view(), "six");
}

// A listener whose backlog is full, until somebody is accepted.
struct FullListener {
    TemporaryDirectory directory;
    Address path = Address::unix_path(directory.path("a")).value();
    Socket socket = usocket::socket(AF_UNIX, SOCK_STREAM).value();
    std::vector<Socket> waiting;
    Error error;  // of the last

    FullListener() {
        socket.bind(path).value();
        socket.listen(0).value();
        while (error == Error() && waiting.size() < 100) {
            Socket client = usocket::socket(AF_UNIX, SOCK_STREAM).value();
            client.setblocking(false).value();
            error = client.connect(path).error();
            waiting.push_back(std::move(client));
        }
    }
};

// A blocking connect to a full AF_UNIX backlog waits in the system, a non-blocking one is EAGAIN and not EINPROGRESS.
TEST(Sockets, SOCK_5_AF_UNIX_with_a_full_backlog) {
    FullListener server;
    EXPECT_EQ(server.error, Error(EAGAIN));
    Socket patient = socket(AF_UNIX, SOCK_STREAM).value();
    patient.settimeout(std::chrono::milliseconds(30)).value();
    EXPECT_EQ(patient.connect(server.path).error(), Error(ETIMEDOUT));
    patient.settimeout(std::chrono::seconds(10)).value();
    EXPECT_TRUE(server.socket.accept());
    EXPECT_TRUE(patient.connect(server.path)) << "there is room now";
    EXPECT_EQ(patient.connect(server.path).error(), Error(EISCONN)) << "though there is none any more";
}

// SOCK-5: the backlog is full again by then, and the system would have the others wait for room in it.
TEST(Sockets, SOCK_5_AF_UNIX_connected_by_one_of_several_threads) {
    FullListener server;
    ASSERT_EQ(server.error, Error(EAGAIN));
    Socket client = socket(AF_UNIX, SOCK_STREAM).value();
    std::array<Error, 3> errors;
    {
        std::vector<std::unique_ptr<Background>> threads;
        for (Error& error : errors) {
            threads.push_back(std::make_unique<Background>(
                [&] { error = client.connect(server.path, Deadline::after(std::chrono::seconds(20))).error(); }));
        }
        for (const auto& thread : threads) thread->await_asleep();
        EXPECT_TRUE(server.socket.accept());
    }
    EXPECT_EQ(std::ranges::count(errors, Error()), 1);
    EXPECT_EQ(std::ranges::count(errors, Error(EISCONN)), 2);
}

TEST(Sockets, SOCK_5_AF_UNIX_without_a_listener) {
    const TemporaryDirectory directory;
    Socket client = socket(AF_UNIX, SOCK_STREAM).value();
    EXPECT_EQ(client.connect(Address::unix_path(directory.path("a")).value()).error(), Error(ENOENT));
    Socket bound = socket(AF_UNIX, SOCK_STREAM).value();
    bound.bind(Address::unix_path(directory.path("b")).value()).value();
    EXPECT_EQ(client.connect(Address::unix_path(directory.path("b")).value()).error(), Error(ECONNREFUSED));
}

// SOCK-6
TEST(Sockets, SOCK_6_send_and_recv) {
    Pair pair = tcp_pair();
    EXPECT_EQ(pair.here.send("hello").value(), 5u);
    EXPECT_EQ(pair.there.recv(3, MSG_WAITALL).value().view(), "hel");
    EXPECT_EQ(pair.there.recv(100).value().view(), "lo");
    EXPECT_EQ(pair.here.send("").value(), 0u);
}

TEST(Sockets, SOCK_6_sendall_sends_all) {
    Pair pair = unix_pair();
    std::string much(3'000'000, '\0');
    Random random(6);
    for (auto& byte : much) byte = static_cast<char>(random.next());
    for (const Timeout timeout : {Timeout::none(), Timeout(std::chrono::seconds(60))}) {
        pair.here.settimeout(timeout).value();
        Result<void> sent;
        std::jthread sender([&] { sent = pair.here.sendall(much); });
        EXPECT_TRUE(pair.there.read(much.size()).value().view() == much);
        sender.join();
        EXPECT_TRUE(sent);
    }
}

TEST(Sockets, SOCK_6_datagrams) {
    Socket one = socket(AF_INET, SOCK_DGRAM).value(), two = socket(AF_INET, SOCK_DGRAM).value();
    one.bind(any_port()).value();
    two.bind(any_port()).value();
    const Address from = one.getsockname().value(), to = two.getsockname().value();
    EXPECT_EQ(one.sendto("first", to).value(), 5u);
    EXPECT_EQ(one.sendto("", to).value(), 0u);
    EXPECT_EQ(one.sendto("third", to).value(), 5u);
    const Received first = two.recvfrom(100).value();
    EXPECT_EQ(first.bytes.view(), "first");
    EXPECT_EQ(first.address, from);
    const Received second = two.recvfrom(100).value();
    EXPECT_TRUE(second.bytes.empty());
    EXPECT_EQ(second.address, from);
    std::array<char, 3> room{};
    const ReceivedFrom third = two.recvfrom_into(room).value();
    EXPECT_EQ(std::string_view(room.data(), third.size), "thi") << "the rest of a datagram is lost, as everywhere";
    EXPECT_EQ(third.address, from);
}

TEST(Sockets, SOCK_6_the_sender_of_before_is_not_that_of_kept_bytes) {
    Pair pair = tcp_pair();
    pair.here.write("kept").value();
    EXPECT_EQ(pair.there.read(10, Deadline::after(std::chrono::milliseconds(1))).error(), Error(ETIMEDOUT));
    Address from = any_port();
    std::array<char, 10> room;
    EXPECT_EQ(pair.there.recvfrom_into(room, from, 0, Call()).value(), 4u);
    EXPECT_EQ(from, pair.here.getsockname().value());
}

TEST(Sockets, SOCK_1_made_in_a_socket_that_is_there) {
    Socket socket, first, second, copy;
    EXPECT_EQ(Socket::adopt_into(socket, -1).error(), Error(EBADF));
    EXPECT_FALSE(Socket::open_into(socket, -1, SOCK_STREAM));
    EXPECT_FALSE(Socket::pair_into(first, second, AF_UNIX, -1));
    EXPECT_EQ(socket.dup_into(copy).error(), Error(EBADF));
    for (const Socket* one : {&socket, &first, &second, &copy}) EXPECT_TRUE(one->closed());
    ASSERT_TRUE(Socket::open_into(socket, AF_INET, SOCK_DGRAM));
    ASSERT_TRUE(socket.settimeout(Timeout(std::chrono::milliseconds(1))));
    ASSERT_TRUE(socket.dup_into(copy));
    EXPECT_EQ(copy.gettimeout(), Timeout(std::chrono::milliseconds(1)));
    EXPECT_EQ(copy.recv(1).error(), Error(ETIMEDOUT));
    ASSERT_TRUE(Socket::pair_into(first, second, AF_UNIX, SOCK_STREAM));
    first.write("x").value();
    EXPECT_EQ(second.read(1).value().view(), "x");
}

TEST(Sockets, SOCK_6_recv_into_and_flags) {
    Pair pair = tcp_pair();
    pair.here.send("hello").value();
    std::array<char, 16> room{};
    EXPECT_EQ(pair.there.recv_into(MutableBuffer(room).first(5), MSG_PEEK | MSG_WAITALL).value(), 5u);
    EXPECT_EQ(std::string_view(room.data(), 5), "hello");
    EXPECT_EQ(pair.there.recv_into(room, MSG_DONTWAIT).value(), 5u) << "the peek has left them there";
    EXPECT_EQ(pair.there.recv_into(room, MSG_DONTWAIT).error(), Error(EAGAIN));
    EXPECT_EQ(pair.there.recv_into(MutableBuffer()).value(), 0u);
}

TEST(Sockets, SOCK_6_absurd_sizes_are_refused_without_allocating) {
    Pair pair = tcp_pair();
    for (const std::size_t size : {std::size_t{0x80000000}, SIZE_MAX / 2 + 1, SIZE_MAX / 4 * 3, SIZE_MAX}) {
        EXPECT_EQ(pair.here.recv(size).error(), Error(Fault::bufsize_range)) << size;
        EXPECT_EQ(pair.here.recvfrom(size).error(), Error(Fault::bufsize_range)) << size;
    }
}

TEST(Sockets, SOCK_6_a_socket_that_is_not_connected) {
    Socket sock = socket().value();
    EXPECT_EQ(sock.recv(1).error(), Error(ENOTCONN));
    EXPECT_EQ(sock.send("x").error(), Error(EPIPE));
    Socket datagrams = socket(AF_INET, SOCK_DGRAM).value();
    EXPECT_EQ(datagrams.send("x").error(), Error(EDESTADDRREQ));
}

// SOCK-7
TEST(Sockets, SOCK_7_options_as_numbers) {
    Socket sock = socket().value();
    EXPECT_EQ(sock.getsockopt(SOL_SOCKET, SO_REUSEADDR).value(), 0);
    sock.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1).value();
    EXPECT_NE(sock.getsockopt(SOL_SOCKET, SO_REUSEADDR).value(), 0);
    sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1).value();
    EXPECT_NE(sock.getsockopt(IPPROTO_TCP, TCP_NODELAY).value(), 0);
    EXPECT_EQ(sock.getsockopt(SOL_SOCKET, SO_TYPE).value(), SOCK_STREAM);
}

TEST(Sockets, SOCK_7_options_as_bytes) {
    Socket sock = socket().value();
    const linger set{1, 17};
    sock.setsockopt(SOL_SOCKET, SO_LINGER, ConstBuffer(&set, sizeof set)).value();
    linger got{};
    EXPECT_EQ(sock.getsockopt(SOL_SOCKET, SO_LINGER, MutableBuffer(&got, sizeof got)).value(), sizeof got);
    EXPECT_EQ(got.l_linger, 17);
    std::array<std::uint8_t, 64> room{};
    EXPECT_EQ(sock.getsockopt(SOL_SOCKET, SO_LINGER, room).value(), sizeof got) << "the option's own length";
}

TEST(Sockets, SOCK_7_what_the_system_refuses) {
    Socket sock = socket().value();
    EXPECT_EQ(sock.setsockopt(SOL_SOCKET, 4711, 1).error(), Error(ENOPROTOOPT));
    EXPECT_EQ(sock.getsockopt(SOL_SOCKET, 4711).error(), Error(ENOPROTOOPT));
    EXPECT_EQ(sock.setsockopt(SOL_SOCKET, SO_REUSEADDR, ConstBuffer("", 0)).error(), Error(EINVAL));
    EXPECT_FALSE(sock.getsockopt(4711, 1));
    EXPECT_FALSE(sock.setsockopt(-1, -1, -1));
}

// SOCK-8
TEST(Sockets, SOCK_8_names_of_both_ends) {
    Pair pair = tcp_pair();
    EXPECT_EQ(pair.here.getsockname().value(), pair.there.getpeername().value());
    EXPECT_EQ(pair.here.getpeername().value(), pair.there.getsockname().value());
    Socket alone = socket().value();
    EXPECT_EQ(alone.getpeername().error(), Error(ENOTCONN));
    EXPECT_EQ(alone.getsockname().value(), Address::inet(AF_INET, "", 0).value());
}

TEST(Sockets, SOCK_8_shutdown) {
    Pair pair = tcp_pair();
    pair.here.write("all").value();
    pair.here.shutdown(SHUT_WR).value();
    EXPECT_EQ(pair.there.read().value().view(), "all");
    pair.there.write("answer").value();
    EXPECT_EQ(pair.here.read(6).value().view(), "answer") << "the other direction goes on";
    EXPECT_EQ(pair.here.shutdown(4711).error(), Error(EINVAL));
    Socket alone = socket().value();
    EXPECT_EQ(alone.shutdown(SHUT_RDWR).error(), Error(ENOTCONN));
}

TEST(Sockets, SOCK_8_detach_gives_the_descriptor_away) {
    Pair pair = tcp_pair();
    const int fd = pair.here.fileno();
    EXPECT_EQ(pair.here.detach().value(), fd);
    EXPECT_TRUE(pair.here.closed());
    pair.here.close();
    ASSERT_TRUE(is_open(fd));
    EXPECT_EQ(::send(fd, "raw", 3, 0), 3);
    EXPECT_EQ(pair.there.read(3).value().view(), "raw");
    ::close(fd);
    EXPECT_EQ(pair.there.read().value().size(), 0u);
}

TEST(Sockets, SOCK_8_dup_is_a_second_socket_on_the_same_connection) {
    Pair pair = tcp_pair();
    pair.here.settimeout(std::chrono::seconds(10)).value();
    Socket copy = pair.here.dup().value();
    EXPECT_NE(copy.fileno(), pair.here.fileno());
    EXPECT_EQ(copy.gettimeout(), pair.here.gettimeout());
    EXPECT_EQ(copy.family(), AF_INET);
    EXPECT_EQ(copy.type(), SOCK_STREAM);
    EXPECT_EQ(copy.getsockname().value(), pair.here.getsockname().value());
    pair.here.close();
    copy.write("still here\n").value();
    EXPECT_EQ(pair.there.readline().value().view(), "still here\n");
    pair.there.write("a\nb\n").value();
    EXPECT_EQ(copy.readline().value().view(), "a\n");
    Socket third = copy.dup().value();
    EXPECT_EQ(third.recv(8).value().view(), "b\n") << "nothing is held back from another holder";
}

TEST(Sockets, SOCK_8_adopt_asks_the_system_what_it_is) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    ASSERT_GE(fd, 0);
    Socket sock = Socket::adopt(fd).value();
    EXPECT_EQ(sock.family(), AF_INET);
    EXPECT_EQ(sock.type(), SOCK_DGRAM);
    EXPECT_EQ(sock.proto(), IPPROTO_UDP);
    EXPECT_EQ(sock.fileno(), fd);
    EXPECT_TRUE(sock.gettimeout().is_zero());
    sock.close();
    EXPECT_FALSE(is_open(fd));
    EXPECT_EQ(Socket::adopt(-1).error(), Error(EBADF));
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    EXPECT_EQ(Socket::adopt(ends[0]).error(), Error(ENOTSOCK));
    EXPECT_TRUE(is_open(ends[0])) << "what was not adopted stays its owner's";
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST(Sockets, SOCK_8_pairs) {
    const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM | SOCK_NONBLOCK};
    for (const int type : types) {
        SocketPair pair = socketpair(AF_UNIX, type).value();
        EXPECT_EQ(pair.first.type(), type & ~SOCK_NONBLOCK);
        EXPECT_EQ(pair.first.getblocking(), (type & SOCK_NONBLOCK) == 0);
        pair.first.send("there").value();
        EXPECT_EQ(pair.second.recv(100).value().view(), "there");
        pair.second.send("back").value();
        EXPECT_EQ(pair.first.recv(100).value().view(), "back");
    }
    const SocketPair by_default = socketpair().value();
    EXPECT_EQ(by_default.first.family(), AF_UNIX);
    EXPECT_EQ(by_default.second.type(), SOCK_STREAM);
    EXPECT_EQ(socketpair(AF_INET, SOCK_STREAM).error(), Error(EOPNOTSUPP));
}

std::string description(Socket& sock) {
    std::array<char, 512> text{};
    return {text.data(), sock.describe(text)};
}

TEST(Sockets, SOCK_8_describe_shows_state_and_both_ends) {
    Pair pair = tcp_pair();
    pair.here.settimeout(std::chrono::milliseconds(1500)).value();
    const auto tuple = [](const Address& address) {
        return "('" + std::string(address.host().view()) + "', " + std::to_string(address.port()) + ")";
    };
    const std::string open = description(pair.here);
    EXPECT_EQ(open, "fd=" + std::to_string(pair.here.fileno()) + ", family=" + std::to_string(AF_INET) +
                        ", type=" + std::to_string(SOCK_STREAM) + ", proto=" + std::to_string(IPPROTO_TCP) +
                        ", timeout=1.5, laddr=" + tuple(pair.here.getsockname().value()) +
                        ", raddr=" + tuple(pair.here.getpeername().value()));
    pair.here.close();
    EXPECT_EQ(description(pair.here).find("[closed] fd=-1"), 0u);
    EXPECT_EQ(description(pair.here).find("laddr"), std::string::npos);
    EXPECT_NE(description(pair.there).find("timeout=None"), std::string::npos);
}

// ADDR-6: no more is written than there is room for.
TEST(Sockets, SOCK_8_describe_into_any_room) {
    Pair pair = tcp_pair();
    const std::string whole = description(pair.here);
    for (std::size_t room = 0; room <= whole.size(); ++room) {
        std::vector<char> text(room);
        EXPECT_EQ(pair.here.describe(text), room);
        EXPECT_EQ(std::string(text.begin(), text.end()), whole.substr(0, room));
    }
}

TEST(Sockets, SOCK_8_describe_escapes_paths) {
    const std::string name = "\0usocket '\\\xff"s + std::to_string(::getpid());
    Socket sock = socket(AF_UNIX, SOCK_DGRAM).value();
    sock.bind(Address::unix_path(name).value()).value();
    EXPECT_NE(description(sock).find("laddr='\\x00usocket \\x27\\x5c\\xff" + std::to_string(::getpid()) + "'"),
              std::string::npos)
        << description(sock);
}

}  // namespace
}  // namespace usocket::tests
