// STACK-2: whichever of lwIP's pools is used up, it is an error, others live, and what is given back can be used again.
// Over pools that are small: 8 connections, 8 UDP sockets, 16 buffers, 64 KiB of heap.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "loopback.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

// An exchange over a connection of its own.
void expect_alive() {
    Pair pair = tcp_pair();
    must(pair.here.settimeout(20s));
    must(pair.there.settimeout(20s));
    must(pair.here.write("ping\n"));
    EXPECT_EQ(must(pair.there.readline()).view(), "ping\n");
    must(pair.there.write("pong\n"));
    EXPECT_EQ(must(pair.here.readline()).view(), "pong\n");
}

// Opens them until it fails: how.
Error exhaust(std::vector<Socket>& sockets, int type) {
    for (int i = 0; i < 100; ++i) {
        auto one = socket(AF_INET, type);
        if (!one) return one.error();
        sockets.push_back(*std::move(one));
    }
    return Error();
}

TEST(Scarce, STACK_2_no_PCB_is_left) {
    for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
        for (int round = 0; round < 3; ++round) {
            std::vector<Socket> sockets;
            EXPECT_EQ(exhaust(sockets, type), Error(ENOBUFS));
            EXPECT_GE(sockets.size(), 6u);  // lwIP's DNS has one of UDP
        }
    }
    expect_alive();
}

// Those that listen have another pool.
TEST(Scarce, STACK_2_no_listener_is_left) {
    std::vector<Socket> listeners;
    Error error;
    for (int i = 0; i < 20 && error == Error(); ++i) {
        Socket one = must(socket());
        must(one.bind(any_port()));
        error = one.listen(1).error();
        if (error == Error()) listeners.push_back(std::move(one));
    }
    EXPECT_EQ(error, Error(ENOBUFS));
    EXPECT_EQ(listeners.size(), 4u);
    listeners.pop_back();
    expect_alive();
}

TEST(Scarce, STACK_2_no_PCB_is_left_to_accept_with) {
    Address address;
    Socket server = listener(address);
    std::vector<Socket> clients;
    Error error;
    for (int i = 0; i < 8 && error == Error(); ++i) {
        auto client = socket();
        if (!client) break;
        must(client->settimeout(50ms));
        error = client->connect(address).error();
        clients.push_back(*std::move(client));
    }
    EXPECT_TRUE(error == Error(ETIMEDOUT) || error == Error(ECONNRESET) || error == Error()) << error.message();
    clients.clear();
    server.close();
    expect_alive();
}

// Neither end reads; what is sent fills buffers, segments or the heap. There is always one of two answers.
TEST(Scarce, STACK_2_peers_that_never_read_leave_others_alive) {
    std::vector<Pair> pairs;
    for (int i = 0; i < 2; ++i) pairs.push_back(tcp_pair());
    for (Pair& pair : pairs) {
        must(pair.here.setblocking(false));
        Error error;
        while (error == Error()) error = pair.here.send(std::string(700, 'x')).error();
        EXPECT_TRUE(error == Error(EAGAIN) || error == Error(ENOBUFS)) << error.message();
    }
    expect_alive();
}

TEST(Scarce, STACK_2_datagrams_that_nobody_reads_are_lost_and_harm_nobody) {
    Socket deaf = must(socket(AF_INET, SOCK_DGRAM));
    must(deaf.bind(any_port()));
    const Address there = must(deaf.getsockname());
    Socket sender = must(socket(AF_INET, SOCK_DGRAM));
    for (int i = 0; i < 500; ++i) {
        const auto sent = sender.sendto(std::string(1000, 'd'), there);
        EXPECT_TRUE(sent || sent.error() == Error(ENOBUFS)) << sent.error().message();
    }
    expect_alive();
    EXPECT_EQ(must(deaf.recv(2000)).size(), 1000u);
}

TEST(Scarce, STACK_2_a_datagram_that_no_memory_holds_is_ENOBUFS) {
    Socket sender = must(socket(AF_INET, SOCK_DGRAM));
    EXPECT_EQ(sender.sendto(std::string(65507, 'd'), must(Address::parse("127.0.0.1:9"))).error(), Error(ENOBUFS));
    EXPECT_EQ(sender.sendto(std::string(65508, 'd'), must(Address::parse("127.0.0.1:9"))).error(), Error(EMSGSIZE));
}

// lwIP frees the PCB of a connection that both ends have ended without a word.
TEST(Scarce, STACK_2_a_connection_that_is_over_has_let_its_PCB_go) {
    Pair old = tcp_pair();
    for (Socket* one : {&old.here, &old.there}) must(one->shutdown(SHUT_WR));
    for (Socket* one : {&old.here, &old.there}) EXPECT_EQ(must(one->read()).size(), 0u);
    for (int i = 0; i < 20; ++i) expect_alive();
    std::vector<Pair> others;
    for (int i = 0; i < 3; ++i) others.push_back(tcp_pair());
    old.here.close();
    old.there.close();
    for (Pair& other : others) {
        must(other.here.write("ping\n"));
        EXPECT_EQ(must(other.there.readline()).view(), "ping\n");
    }
}

// What was given back is all there again.
TEST(Scarce, STACK_2_a_thousand_connections_one_after_the_other) {
    for (int i = 0; i < 1000; ++i) expect_alive();
}

}  // namespace
}  // namespace usocket::tests
