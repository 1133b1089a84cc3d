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
#include "descriptor.hpp"
#include "loopback.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

// A socket with a call on it that cannot end by itself.
struct Blocked {
    std::shared_ptr<Socket> socket;
    std::function<Error(Socket&)> call;
    std::shared_ptr<void> others;  // what it needs
};

struct Others {
    std::vector<Socket> sockets;
    TemporaryDirectory directory;
};

std::shared_ptr<Socket> share(Socket&& socket) { return std::make_shared<Socket>(std::move(socket)); }

template <class T> Error error_of(const Result<T>& result) { return result.error(); }

Blocked of_pair(Pair pair, std::function<Error(Socket&)> call) {
    auto others = std::make_shared<Others>();
    others->sockets.push_back(std::move(pair.there));
    return {share(std::move(pair.here)), std::move(call), others};
}

// Nobody receives: nothing more goes out once what is under way has arrived.
Blocked full(Pair pair, std::function<Error(Socket&)> call) {
    Poll poll;
    must(poll.register_(pair.here, POLLOUT, nullptr));
    Poll::Event events[1];
    bool is_full = false;
    while (!is_full) {
        fill(pair.here);
        while (pair.here.send("x")) {
        }
        is_full = must(poll.poll(events, Timeout(50ms))) == 0 && !pair.here.send("x");
        if (pair.here.type() != SOCK_STREAM) break;
    }
    must(pair.here.setblocking(true));
    return of_pair(std::move(pair), std::move(call));
}

// To a listener whose backlog is full.
Blocked connecting(int family) {
    auto others = std::make_shared<Others>();
    Socket server = must(socket(family, SOCK_STREAM));
    must(server.bind(family == AF_UNIX ? must(Address::unix_path(others->directory.path("a"))) : any_port()));
    must(server.listen(0));
    const Address address = must(server.getsockname());
    others->sockets.push_back(std::move(server));
    // TCP completes a few more than asked for; whoever does not get through is left waiting.
    for (;;) {
        Socket filler = must(socket(family, SOCK_STREAM));
        must(filler.settimeout(Timeout(50ms)));
        const bool is_full = !filler.connect(address);
        others->sockets.push_back(std::move(filler));
        if (is_full) break;
    }
    return {share(must(socket(family, SOCK_STREAM))),
            [address](Socket& socket) { return socket.connect(address).error(); }, others};
}

Blocked accepting(int family) {
    auto others = std::make_shared<Others>();
    Socket server = must(socket(family, SOCK_STREAM));
    must(server.bind(family == AF_UNIX ? must(Address::unix_path(others->directory.path("a"))) : any_port()));
    must(server.listen());
    return {share(std::move(server)), [](Socket& socket) { return error_of(socket.accept()); }, others};
}

Blocked unconnected(int family) {
    Socket socket = must(usocket::socket(family, SOCK_DGRAM));
    if (family == AF_INET) must(socket.bind(any_port()));
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
Blocked halfway(Pair pair, std::function<Error(Socket&)> call) {
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
    {"recv_tcp", [] { return of_pair(tcp_pair(), do_recv); }},
    {"recv_unix", [] { return of_pair(unix_pair(), do_recv); }},
    {"recv_udp", [] { return of_pair(udp_pair(), do_recv); }},
    {"recv_unix_dgram", [] { return of_pair(unix_pair(SOCK_DGRAM), do_recv); }},
    {"recv_unix_seqpacket", [] { return of_pair(unix_pair(SOCK_SEQPACKET), do_recv); }},
    {"recvfrom_tcp", [] { return of_pair(tcp_pair(), do_recvfrom); }},
    {"recvfrom_udp", [] { return unconnected(AF_INET); }},
    {"recvfrom_unix_dgram", [] { return unconnected(AF_UNIX); }},
    {"peek_tcp", [] { return of_pair(tcp_pair(), do_peek); }},
    {"read_tcp", [] { return of_pair(tcp_pair(), do_read); }},
    {"read_unix", [] { return of_pair(unix_pair(), do_read); }},
    {"read_half_tcp", [] { return halfway(tcp_pair(), do_read); }},
    {"read_half_unix", [] { return halfway(unix_pair(), do_read); }},
    {"read_all_half_tcp", [] { return halfway(tcp_pair(), do_read_all); }},
    {"readline_tcp", [] { return of_pair(tcp_pair(), do_readline); }},
    {"readline_unix", [] { return of_pair(unix_pair(), do_readline); }},
    {"readline_half_tcp", [] { return halfway(tcp_pair(), do_readline); }},
    {"readline_half_unix", [] { return halfway(unix_pair(), do_readline); }},
    {"readinto_tcp", [] { return of_pair(tcp_pair(), do_readinto); }},
    {"readinto_half_unix", [] { return halfway(unix_pair(), do_readinto); }},
    {"send_tcp", [] { return full(tcp_pair(), do_send); }},
    {"send_unix", [] { return full(unix_pair(), do_send); }},
    {"send_unix_dgram", [] { return full(unix_pair(SOCK_DGRAM), [](Socket& s) { return error_of(s.send("x")); }); }},
    {"sendall_tcp", [] { return full(tcp_pair(), do_sendall); }},
    {"sendall_unix", [] { return full(unix_pair(), do_sendall); }},
    {"write_tcp", [] { return full(tcp_pair(), do_write); }},
    {"write_unix", [] { return full(unix_pair(), do_write); }},
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
        if (mode == Mode::watched) (void)blocked.socket->fileno();
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
                         [](const auto& one) {
                             return std::string(cases[std::get<0>(one.param)].name) + "_" +
                                    mode_names[std::get<1>(one.param)];
                         });

// --- The descriptor's number, handed out anew

// A pair that is none of usocket's, with bytes in both directions that nobody may touch.
class Untouched {
public:
    Untouched() {
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_), 0);
        for (const int end : ends_) EXPECT_EQ(::send(end, "abc\n", 4, 0), 4);
    }
    Untouched(const Untouched&) = delete;
    Untouched& operator=(const Untouched&) = delete;
    ~Untouched() {
        for (const int end : ends_) ::close(end);
    }
    [[nodiscard]] bool has(int number) const { return ends_[0] == number || ends_[1] == number; }
    [[nodiscard]] bool is_untouched() const {
        for (const int end : ends_) {
            char bytes[16];
            if (::recv(end, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT) != 4) return false;
            if (std::string_view(bytes, 4) != "abc\n") return false;
        }
        return true;
    }

private:
    int ends_[2] = {-1, -1};
};

struct QuickCase {
    const char* name;
    Pair (*make)();
    Error (*call)(Socket&);
};

constexpr QuickCase quick_cases[] = {
    {"recv", tcp_pair, do_recv},
    {"recvfrom", udp_pair, do_recvfrom},
    {"read", tcp_pair, do_read},
    {"read_unix", [] { return unix_pair(); }, do_read},
    {"readline", tcp_pair, do_readline},
    {"readline_unix", [] { return unix_pair(); }, do_readline},
    {"readinto", tcp_pair, do_readinto},
    {"sendall", [] { return unix_pair(); }, do_sendall},
    {"accept",
     [] {
         Address address;
         Pair pair;
         pair.here = listener(address);
         return pair;
     },
     [](Socket& socket) { return error_of(socket.accept()); }},
};

class Reuse : public ::testing::TestWithParam<QuickCase> {};
INSTANTIATE_TEST_SUITE_P(Calls, Reuse, ::testing::ValuesIn(quick_cases),
                         [](const auto& one) { return std::string(one.param.name); });

// Closed while the call sleeps, is about to, or has not begun; whatever is opened next stays as it is.
TEST_P(Reuse, Sock4TheNextFileIsNotTouched) {
    int reused = 0;
    for (int round = 0; round < 120; ++round) {
        Pair pair = GetParam().make();
        if (round % 2 == 1) must(pair.here.settimeout(Timeout(1h)));
        const int number = hidden_fileno(pair.here);
        Error error;
        std::unique_ptr<Untouched> next;
        {
            Background caller([&] { error = GetParam().call(pair.here); });
            if (round % 3 != 0) caller.await_asleep();
            pair.here.close();
            next = std::make_unique<Untouched>();
        }
        ASSERT_EQ(error, Error(EBADF)) << "round " << round;
        const Untouched after;
        reused += next->has(number) || after.has(number) ? 1 : 0;
        ASSERT_TRUE(next->is_untouched()) << "round " << round;
        ASSERT_TRUE(after.is_untouched()) << "round " << round;
    }
    EXPECT_EQ(reused, 120);
}

// Threads that go on calling while the socket is closed and its number is somebody else's.
TEST(Reuse, Sock4NoCallBeginsOnTheNextFile) {
    int reused = 0;
    for (int round = 0; round < 200; ++round) {
        Pair pair = unix_pair();
        must(pair.here.setblocking(round % 2 == 0));
        must(pair.there.send("one\ntwo\n"));
        const int number = hidden_fileno(pair.here);
        const auto call_until_closed = [&](Error (*call)(Socket&)) {
            for (int i = 0; i < 50;) {
                if (call(pair.here) == Error(EBADF)) ++i;
            }
        };
        std::unique_ptr<Untouched> next;
        {
            Background reader([&] { call_until_closed(do_readline); });
            Background receiver([&] { call_until_closed(do_recv); });
            Background sender(
                [&] { call_until_closed([](Socket& socket) { return error_of(socket.send("z\n", MSG_DONTWAIT)); }); });
            Background asker([&] { call_until_closed([](Socket& socket) { return error_of(socket.getsockname()); }); });
            if (round % 4 == 0) reader.await_asleep();
            pair.here.close();
            next = std::make_unique<Untouched>();
        }
        const Untouched after;
        reused += next->has(number) || after.has(number) ? 1 : 0;
        ASSERT_TRUE(next->is_untouched()) << "round " << round;
        ASSERT_TRUE(after.is_untouched()) << "round " << round;
    }
    EXPECT_EQ(reused, 200);
}

// Before, while or after the other thread's call begins: it ends in any case.
TEST(Close, Sock4RacesWithConnect) {
    for (const int family : {AF_INET, AF_UNIX}) {
        const Blocked blocked = connecting(family);
        for (int round = 0; round < 120; ++round) {
            Socket one = must(socket(family, SOCK_STREAM));
            std::atomic<bool> has_begun{false};
            Error error;
            Background caller([&] {
                has_begun = true;
                error = blocked.call(one);
            });
            while (!has_begun) {
            }
            for (int i = 0; i < round % 6; ++i) std::this_thread::yield();
            one.close();
            caller.join();
            ASSERT_EQ(error, Error(EBADF)) << family << ", round " << round;
        }
    }
}

TEST(Close, Sock4SeveralCallsAtOnce) {
    for (int round = 0; round < 50; ++round) {
        Pair pair = tcp_pair();
        Error errors[6];
        {
            Background readers[] = {Background([&] { errors[0] = do_recv(pair.here); }),
                                    Background([&] { errors[1] = do_read(pair.here); }),
                                    Background([&] { errors[2] = do_readline(pair.here); }),
                                    Background([&] { errors[3] = do_readinto(pair.here); }),
                                    Background([&] { errors[4] = do_peek(pair.here); }),
                                    Background([&] { errors[5] = do_read_all(pair.here); })};
            if (round % 2 == 0) {
                for (const Background& reader : readers) reader.await_asleep();
            }
            pair.here.close();
        }
        for (const Error& error : errors) ASSERT_EQ(error, Error(EBADF));
    }
}

// SOCK-3: many threads close; the peer sees the end once.
TEST(Close, Sock4FromSeveralThreadsAtOnce) {
    for (int round = 0; round < 100; ++round) {
        Pair pair = tcp_pair();
        Untouched before;
        {
            const auto close = [&] { pair.here.close(); };
            Background closers[] = {Background(close), Background(close), Background(close), Background(close)};
        }
        ASSERT_EQ(must(pair.there.read()).size(), 0u);
        ASSERT_TRUE(before.is_untouched());
    }
}

// In the system it would wait out of reach of close(), also where somebody else may hold the descriptor.
TEST(CloseConnect, Sock4OfASharedDescriptorToAFullBacklog) {
    Address address;
    Socket server = listener(address, 0);
    std::vector<Socket> waiting;
    for (int i = 0; i < 4; ++i) {
        waiting.push_back(must(socket()));
        must(waiting.back().setblocking(false));
        (void)waiting.back().connect(address);
    }
    Socket client = must(socket());
    (void)client.fileno();
    Error error;
    Background connecting([&] { error = client.connect(address).error(); });
    connecting.await_asleep();
    client.close();
    connecting.join();
    EXPECT_EQ(error, Error(EBADF));
}

}  // namespace
}  // namespace usocket::tests
