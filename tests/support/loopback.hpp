// Connected sockets on the loopback, for the tests over the system's stack. Every port is the system's choice.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>

#include "print.hpp"
#include "usocket/poll.hpp"

namespace usocket::tests {

// The value of a call that the test is not about. A failure ends the whole program: nothing after it would make sense.
template <class T> T must(Result<T> result) {
    if (!result) {
        std::fprintf(stderr, "unexpected: %s\n", result.error().message());
        std::abort();
    }
    return std::move(*result);
}
inline void must(Result<void> result) {
    if (result) return;
    std::fprintf(stderr, "unexpected: %s\n", result.error().message());
    std::abort();
}

struct Pair {
    Socket here, there;
};

inline Address any_port() { return must(Address::inet(AF_INET, "127.0.0.1", 0)); }

// A listening TCP socket, and where to connect to.
inline Socket listener(Address& address, int backlog = 16) {
    Socket server = must(socket());
    must(server.bind(any_port()));
    must(server.listen(backlog));
    address = must(server.getsockname());
    return server;
}

// Where nobody listens: a port of the system's choice that is bound, but not listening, while this lives.
struct Refusing {
    Socket holder = must(socket());
    Address address;
    Refusing() {
        must(holder.bind(any_port()));
        address = must(holder.getsockname());
    }
};

inline Pair tcp_pair() {
    Address address;
    Socket server = listener(address);
    Pair pair;
    pair.here = must(socket());
    must(pair.here.connect(address));
    pair.there = std::move(must(server.accept()).socket);
    return pair;
}

inline Pair unix_pair(int type = SOCK_STREAM) {
    SocketPair made = must(socketpair(AF_UNIX, type));
    return {std::move(made.first), std::move(made.second)};
}

// Two UDP sockets, each connected to the other.
inline Pair udp_pair() {
    Pair pair{must(socket(AF_INET, SOCK_DGRAM)), must(socket(AF_INET, SOCK_DGRAM))};
    must(pair.here.bind(any_port()));
    must(pair.there.bind(any_port()));
    must(pair.here.connect(must(pair.there.getsockname())));
    must(pair.there.connect(must(pair.here.getsockname())));
    return pair;
}

inline bool has_ipv6() {
    auto made = socket(AF_INET6, SOCK_STREAM);
    return made && made->bind(must(Address::inet(AF_INET6, "::1", 0)));
}

// What TCP has sent arrives some time later, on a busy machine after send() has returned: until so many bytes are
// there, of what was kept and what is in the queue.
inline void await_bytes(Socket& receiver, std::size_t count) {
    std::string room(count, '\0');
    while (receiver.recv_into(room, MSG_PEEK | MSG_DONTWAIT).value_or(0u) < count) std::this_thread::yield();
}

// Until such an event is there.
inline void await_event(Socket& socket, unsigned event) {
    while ((socket.poll_now(event) & event) == 0) std::this_thread::yield();
}

// Sends until nothing more fits, nor will when all has arrived; leaves the socket non-blocking. Returns how many bytes
// went.
inline std::size_t fill(Socket& sender) {
    must(sender.setblocking(false));
    Poll poll;
    must(poll.register_(sender, POLLOUT));
    // TCP's probe of a closed window comes after 200 ms, and may find room.
    const Timeout settling = sender.family() == AF_UNIX ? Timeout::zero() : Timeout(std::chrono::milliseconds(300));
    const std::string block(65536, 'f');
    std::size_t total = 0;
    for (bool is_full = false; !is_full;) {
        Poll::Event events[1];
        is_full = must(poll.poll(events, settling)) == 0;
        while (const auto sent = sender.send(block)) {
            total += *sent;
            is_full = false;
        }
    }
    EXPECT_EQ(sender.send(block).error(), Error(EAGAIN));
    return total;
}

// A directory for AF_UNIX paths that goes away with its files.
class TemporaryDirectory {
public:
    TemporaryDirectory() {
        char name[] = "/tmp/usocket-XXXXXX";
        if (::mkdtemp(name) == nullptr) std::abort();
        path_ = name;
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() {
        for (const char* name : {"a", "b"}) ::unlink(path(name).c_str());
        ::rmdir(path_.c_str());
    }
    // Only "a" and "b" are removed in the end.
    [[nodiscard]] std::string path(const char* name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

}  // namespace usocket::tests
