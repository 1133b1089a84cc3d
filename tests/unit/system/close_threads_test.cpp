// SOCK-4: close() ends the calls of other threads promptly, and none of them touches what gets its number next.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "background.hpp"
#include "loopback.hpp"

namespace {

using namespace std::chrono_literals;
using loopback::Background;
using loopback::must;
using usocket::Error;
using usocket::Socket;
using usocket::Timeout;

// A socket with a call on it that cannot end by itself.
struct Blocked {
    std::shared_ptr<Socket> socket;
    std::function<Error(Socket&)> call;
    std::shared_ptr<void> others;  // what it needs
};

struct Others {
    std::vector<Socket> sockets;
    loopback::TemporaryDirectory directory;
};

std::shared_ptr<Socket> share(Socket&& socket) { return std::make_shared<Socket>(std::move(socket)); }

template <class T> Error error_of(const usocket::Result<T>& result) { return result.error(); }

Blocked of_pair(loopback::Pair pair, std::function<Error(Socket&)> call) {
    auto others = std::make_shared<Others>();
    others->sockets.push_back(std::move(pair.there));
    return {share(std::move(pair.here)), std::move(call), others};
}

Blocked full(loopback::Pair pair, std::function<Error(Socket&)> call) {
    loopback::fill(pair.here);
    must(pair.here.setblocking(true));
    return of_pair(std::move(pair), std::move(call));
}

// To a listener whose backlog is full.
Blocked connecting(int family) {
    auto others = std::make_shared<Others>();
    Socket server = must(usocket::socket(family, SOCK_STREAM));
    must(server.bind(family == AF_UNIX ? must(usocket::Address::unix_path(others->directory.path("a")))
                                       : loopback::any_port()));
    must(server.listen(0));
    const usocket::Address address = must(server.getsockname());
    others->sockets.push_back(std::move(server));
    // TCP completes a few more than asked for; whoever does not get through is left waiting.
    for (;;) {
        Socket filler = must(usocket::socket(family, SOCK_STREAM));
        must(filler.settimeout(Timeout(50ms)));
        const bool is_full = !filler.connect(address);
        others->sockets.push_back(std::move(filler));
        if (is_full) break;
    }
    return {share(must(usocket::socket(family, SOCK_STREAM))),
            [address](Socket& socket) { return socket.connect(address).error(); }, others};
}

Blocked accepting(int family) {
    auto others = std::make_shared<Others>();
    Socket server = must(usocket::socket(family, SOCK_STREAM));
    must(server.bind(family == AF_UNIX ? must(usocket::Address::unix_path(others->directory.path("a")))
                                       : loopback::any_port()));
    must(server.listen());
    return {share(std::move(server)), [](Socket& socket) { return error_of(socket.accept()); }, others};
}

Blocked unconnected(int family) {
    Socket socket = must(usocket::socket(family, SOCK_DGRAM));
    if (family == AF_INET) must(socket.bind(loopback::any_port()));
    return {share(std::move(socket)), [](Socket& one) { return error_of(one.recvfrom(10)); }, nullptr};
}

const std::string large(1 << 20, 'x');

Error do_recv(Socket& socket) { return error_of(socket.recv(10)); }
Error do_recvfrom(Socket& socket) { return error_of(socket.recvfrom(10)); }
Error do_read(Socket& socket) { return error_of(socket.read(10)); }
Error do_read_all(Socket& socket) { return error_of(socket.read()); }
Error do_readline(Socket& socket) { return error_of(socket.readline()); }
Error do_readinto(Socket& socket) {
    char room[10];
    return error_of(socket.readinto(room));
}
Error do_peek(Socket& socket) { return error_of(socket.recv(10, MSG_PEEK)); }
Error do_send(Socket& socket) { return error_of(socket.send(large)); }
Error do_sendall(Socket& socket) { return error_of(socket.sendall(large)); }
Error do_write(Socket& socket) { return error_of(socket.write(large)); }

// A call that has part of what it wants.
Blocked halfway(loopback::Pair pair, std::function<Error(Socket&)> call) {
    must(pair.there.send("half"));
    return of_pair(std::move(pair), std::move(call));
}

struct Case {
    const char* name;
    Blocked (*make)();
};

constexpr Case cases[] = {
    {"accept_tcp", [] { return accepting(AF_INET); }},
    {"accept_unix", [] { return accepting(AF_UNIX); }},
    {"connect_tcp", [] { return connecting(AF_INET); }},
    {"connect_unix", [] { return connecting(AF_UNIX); }},
    {"recv_tcp", [] { return of_pair(loopback::tcp_pair(), do_recv); }},
    {"recv_unix", [] { return of_pair(loopback::unix_pair(), do_recv); }},
    {"recv_udp", [] { return of_pair(loopback::udp_pair(), do_recv); }},
    {"recv_unix_dgram", [] { return of_pair(loopback::unix_pair(SOCK_DGRAM), do_recv); }},
    {"recv_unix_seqpacket", [] { return of_pair(loopback::unix_pair(SOCK_SEQPACKET), do_recv); }},
    {"recvfrom_tcp", [] { return of_pair(loopback::tcp_pair(), do_recvfrom); }},
    {"recvfrom_udp", [] { return unconnected(AF_INET); }},
    {"recvfrom_unix_dgram", [] { return unconnected(AF_UNIX); }},
    {"peek_tcp", [] { return of_pair(loopback::tcp_pair(), do_peek); }},
    {"read_tcp", [] { return of_pair(loopback::tcp_pair(), do_read); }},
    {"read_unix", [] { return of_pair(loopback::unix_pair(), do_read); }},
    {"read_half_tcp", [] { return halfway(loopback::tcp_pair(), do_read); }},
    {"read_half_unix", [] { return halfway(loopback::unix_pair(), do_read); }},
    {"read_all_half_tcp", [] { return halfway(loopback::tcp_pair(), do_read_all); }},
    {"readline_tcp", [] { return of_pair(loopback::tcp_pair(), do_readline); }},
    {"readline_unix", [] { return of_pair(loopback::unix_pair(), do_readline); }},
    {"readline_half_tcp", [] { return halfway(loopback::tcp_pair(), do_readline); }},
    {"readline_half_unix", [] { return halfway(loopback::unix_pair(), do_readline); }},
    {"readinto_tcp", [] { return of_pair(loopback::tcp_pair(), do_readinto); }},
    {"readinto_half_unix", [] { return halfway(loopback::unix_pair(), do_readinto); }},
    {"send_tcp", [] { return full(loopback::tcp_pair(), do_send); }},
    {"send_unix", [] { return full(loopback::unix_pair(), do_send); }},
    {"send_unix_dgram", [] { return full(loopback::unix_pair(SOCK_DGRAM), [](Socket& s) { return error_of(s.send("x")); }); }},
    {"sendall_tcp", [] { return full(loopback::tcp_pair(), do_sendall); }},
    {"sendall_unix", [] { return full(loopback::unix_pair(), do_sendall); }},
    {"write_tcp", [] { return full(loopback::tcp_pair(), do_write); }},
    {"write_unix", [] { return full(loopback::unix_pair(), do_write); }},
};

// Each of them blocking, with a timeout that does not come, and with the descriptor watched by others.
enum class Mode { blocking, timeout, watched, exposed };
constexpr std::array modes = {Mode::blocking, Mode::timeout, Mode::watched, Mode::exposed};
constexpr std::array mode_names = {"blocking", "timeout", "watched", "exposed"};

class CloseEnds : public ::testing::TestWithParam<std::tuple<std::size_t, std::size_t>> {
protected:
    Blocked make() {
        Blocked blocked = cases[std::get<0>(GetParam())].make();
        const Mode mode = modes[std::get<1>(GetParam())];
        if (mode != Mode::blocking) must(blocked.socket->settimeout(Timeout(1h)));
        if (mode == Mode::watched) (void)blocked.socket->poll_fileno();
        if (mode == Mode::exposed) (void)blocked.socket->fileno();
        return blocked;
    }
};

TEST_P(CloseEnds, Sock4WhileItSleeps) {
    Blocked blocked = make();
    Error error;
    Background caller([&] { error = blocked.call(*blocked.socket); });
    caller.await_asleep();
    blocked.socket->close();
    caller.join();
    EXPECT_EQ(error, Error(EBADF));
    EXPECT_TRUE(blocked.socket->closed());
    EXPECT_EQ(blocked.call(*blocked.socket), Error(EBADF));
}

INSTANTIATE_TEST_SUITE_P(Calls, CloseEnds,
                         ::testing::Combine(::testing::Range(std::size_t{0}, std::size(cases)),
                                            ::testing::Range(std::size_t{0}, modes.size())),
                         [](const auto& info) {
                             return std::string(cases[std::get<0>(info.param)].name) + "_" +
                                    mode_names[std::get<1>(info.param)];
                         });

}  // namespace
