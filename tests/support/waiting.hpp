// Every method that may wait, on a socket where it would wait for ever.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "loopback.hpp"
#include "scripted_host.hpp"

namespace usocket::tests {

// A listener that lets TCP handshakes wait: Linux answers none while the backlog is full.
class FullBacklog {
public:
    FullBacklog() : server_(listener(address_, 0)) {
        for (int i = 0; i < 64; ++i) {
            Socket client = must(socket());
            must(client.settimeout(std::chrono::milliseconds(50)));
            const Error error = client.connect(address_).error();
            clients_.push_back(std::move(client));
            if (error == Error(ETIMEDOUT)) is_full_ = true;
            if (error != Error()) break;
        }
    }
    [[nodiscard]] bool is_full() const { return is_full_; }
    [[nodiscard]] const Address& address() const { return address_; }
    // Its own clients, and so many others: once there is room they all get in.
    void accept_all(std::size_t others) {
        for (std::size_t left = clients_.size() + others; left != 0; --left) {
            accepted_.push_back(must(server_.accept()).socket);
        }
    }

private:
    Address address_;
    Socket server_;
    std::vector<Socket> clients_, accepted_;
    bool is_full_ = false;
};

// Its sockets, and the call.
struct Waiting {
    const char* name;
    std::function<Pair()> make;
    std::function<Error(Socket&, Call&&)> call;
    bool takes_call = true;  // else the method is one that a C++ program has for its own
    bool is_unix_datagram = false;
};

inline Pair listening() {
    Address address;
    return {listener(address), Socket()};
}

inline Pair full_tcp() {
    Pair pair = tcp_pair();
    fill(pair.here);
    return pair;
}

inline Pair full_unix_datagrams() {
    Pair pair = unix_pair(SOCK_DGRAM);
    must(pair.here.setblocking(false));
    while (pair.here.send("datagram")) {
    }
    return pair;
}

inline Pair bound_datagrams() {
    Pair pair{must(socket(AF_INET, SOCK_DGRAM)), Socket()};
    must(pair.here.bind(any_port()));
    return pair;
}

inline bool has_unix_datagrams() { return socketpair(AF_UNIX, SOCK_DGRAM).has_value(); }

inline std::vector<Waiting> all_waiting() {
    static const std::string much(1 << 24, 'm');
    static std::array<char, 100> room;
    const auto unix_streams = [] { return unix_pair(); };
    std::vector<Waiting> all = {
        {"accept", listening, [](Socket& s, Call&& c) { return s.accept(std::move(c)).error(); }},
        {"accept_into", listening,
         [](Socket& s, Call&& c) {
             Socket conn;
             return s.accept_into(conn, std::move(c)).error();
         }},
        {"send", full_tcp, [](Socket& s, Call&& c) { return s.send("x", 0, std::move(c)).error(); }},
        {"send, a datagram", full_unix_datagrams,
         [](Socket& s, Call&& c) { return s.send("x", 0, std::move(c)).error(); }, true, true},
        {"sendall", full_tcp, [](Socket& s, Call&& c) { return s.sendall(much, 0, std::move(c)).error(); }},
        {"sendto", full_tcp,
         [](Socket& s, Call&& c) { return s.sendto("x", must(s.getpeername()), 0, std::move(c)).error(); }},
        {"write", full_tcp, [](Socket& s, Call&& c) { return s.write(much, std::move(c)).error(); }},
        {"recv_into", tcp_pair, [](Socket& s, Call&& c) { return s.recv_into(room, 0, std::move(c)).error(); }},
        {"recv_into, MSG_PEEK", tcp_pair,
         [](Socket& s, Call&& c) { return s.recv_into(room, MSG_PEEK, std::move(c)).error(); }},
        {"recvfrom_into", bound_datagrams,
         [](Socket& s, Call&& c) { return recvfrom_size(s, room, std::move(c)).error(); }},
        {"recvfrom_into, a stream", tcp_pair,
         [](Socket& s, Call&& c) { return recvfrom_size(s, room, std::move(c)).error(); }},
        {"readinto", tcp_pair, [](Socket& s, Call&& c) { return s.readinto(room, std::move(c)).error(); }},
        {"readinto, AF_UNIX", unix_streams, [](Socket& s, Call&& c) { return s.readinto(room, std::move(c)).error(); }},
        {"readinto, datagrams", bound_datagrams,
         [](Socket& s, Call&& c) { return s.readinto(room, std::move(c)).error(); }},
        {"readline_into", tcp_pair, [](Socket& s, Call&& c) { return s.readline_into(room, std::move(c)).error(); }},
        {"readline_into, AF_UNIX", unix_streams,
         [](Socket& s, Call&& c) { return s.readline_into(room, std::move(c)).error(); }},
        {"read_to", tcp_pair,
         [](Socket& s, Call&& c) {
             Sink sink = Bytes::sink();
             const Error error = s.read_to(sink, Socket::no_limit, std::move(c)).error();
             (void)Bytes::take(sink);
             return error;
         }},
        {"readline_to", tcp_pair,
         [](Socket& s, Call&& c) {
             Sink sink = Bytes::sink();
             const Error error = s.readline_to(sink, Socket::no_limit, std::move(c)).error();
             (void)Bytes::take(sink);
             return error;
         }},
        {"send, no host", full_tcp, [](Socket& s, Call&&) { return s.send("x").error(); }, false},
        {"send, no host, a datagram", full_unix_datagrams, [](Socket& s, Call&&) { return s.send("x").error(); }, false,
         true},
        {"sendto, no host", full_tcp, [](Socket& s, Call&&) { return s.sendto("x", must(s.getpeername())).error(); },
         false},
        {"recv_into, no host", tcp_pair, [](Socket& s, Call&&) { return s.recv_into(room).error(); }, false},
        {"recvfrom_into, no host", bound_datagrams, [](Socket& s, Call&&) { return s.recvfrom_into(room).error(); },
         false},
        {"readline_into, no host", tcp_pair, [](Socket& s, Call&&) { return s.readline_into(room).error(); }, false},
        {"recv", tcp_pair, [](Socket& s, Call&&) { return s.recv(1).error(); }, false},
        {"recvfrom", bound_datagrams, [](Socket& s, Call&&) { return s.recvfrom(1).error(); }, false},
        {"read", tcp_pair, [](Socket& s, Call&&) { return s.read().error(); }, false},
        {"read(n)", tcp_pair, [](Socket& s, Call&&) { return s.read(100).error(); }, false},
        {"readline", tcp_pair, [](Socket& s, Call&&) { return s.readline().error(); }, false},
    };
    // A stack may have none (STACK-1).
    if (!has_unix_datagrams()) std::erase_if(all, [](const Waiting& one) { return one.is_unix_datagram; });
    return all;
}

}  // namespace usocket::tests
