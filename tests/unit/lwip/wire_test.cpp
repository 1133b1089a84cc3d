// STACK-2, STACK-3: over an interface whose frames are lost, late, twice and out of order, and may come at any time;
// and what programs may ask for that lwIP has no check for.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <array>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "loopback.hpp"
#include "lwip/inet_chksum.h"
#include "lwip/priv/tcp_priv.h"
#include "raw_peer.hpp"
#include "sys/lwip/table.hpp"
#include "wire.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

// Differs everywhere.
std::string long_text(std::size_t size) {
    Random random(size);
    std::string text(size, ' ');
    for (char& c : text) c = static_cast<char>(random.next());
    return text;
}

Address address_of(const char* text, std::uint16_t port, const Wire& wire) {
    const bool is_ipv6 = std::string_view(text).find(':') != std::string_view::npos;
    return must(Address::inet(is_ipv6 ? AF_INET6 : AF_INET, text, port, 0, is_ipv6 ? wire.index() : 0));
}
const char* here(int family) { return family == AF_INET ? Wire::here : Wire::here_ipv6; }
const char* there(int family) { return family == AF_INET ? Wire::there : Wire::there_ipv6; }

// A connection over the wire.
Pair wire_pair(const Wire& wire, int family = AF_INET) {
    Socket server = must(socket(family, SOCK_STREAM));
    must(server.bind(address_of(here(family), 0, wire)));
    must(server.listen(1));
    Pair pair;
    pair.here = must(socket(family, SOCK_STREAM));
    must(pair.here.connect(address_of(there(family), must(server.getsockname()).port(), wire)));
    pair.there = std::move(must(server.accept()).socket);
    for (Socket* one : {&pair.here, &pair.there}) must(one->settimeout(60s));
    return pair;
}

void expect_exchange(Pair& pair) {
    const std::string request = long_text(300'000), answer = long_text(200'000);
    std::thread answers([&] {
        EXPECT_TRUE(must(pair.there.read(request.size())).view() == request);
        must(pair.there.write(answer));
        must(pair.there.shutdown(SHUT_WR));
    });
    must(pair.here.write(request));
    EXPECT_TRUE(must(pair.here.read()).view() == answer);
    answers.join();
}

TEST(Wire, STACK_2_what_is_sent_arrives_whatever_is_lost_late_twice_and_out_of_order) {
    for (const int family : {AF_INET, AF_INET6}) {
        for (std::uint64_t seed = 1; seed <= 3; ++seed) {
            SCOPED_TRACE(seed);
            const Wire wire(seed, {.dropped = 20, .duplicated = 30, .late = 100, .latest_us = 3000});
            Pair pair = wire_pair(wire, family);
            expect_exchange(pair);
        }
    }
}

TEST(Wire, STACK_3_frames_may_come_whenever_nobody_keeps_them_out) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        SCOPED_TRACE(seed);
        const Wire wire(seed, {.dropped = 10, .duplicated = 30, .late = 300, .latest_us = 500});
        Wire::interrupt(true);
        Pair pair = wire_pair(wire);
        expect_exchange(pair);
    }
}

TEST(Wire, STACK_2_a_datagram_larger_than_a_frame_comes_in_fragments) {
    const Wire wire;
    for (const int family : {AF_INET, AF_INET6}) {
        Socket receiver = must(socket(family, SOCK_DGRAM)), sender = must(socket(family, SOCK_DGRAM));
        must(receiver.bind(address_of(here(family), 0, wire)));
        must(receiver.settimeout(10s));
        const Address target = address_of(there(family), must(receiver.getsockname()).port(), wire);
        for (const std::size_t size : {0u, 1u, 1400u, 1473u, 5000u, 12'000u}) {
            SCOPED_TRACE(size);
            const std::string text = long_text(size);
            must(sender.sendto(text, target));
            const auto received = must(receiver.recvfrom(20'000));
            EXPECT_TRUE(received.bytes.view() == text);
            EXPECT_EQ(received.address.host().view(), there(family));
        }
    }
}

// RFC 768: 0 is who wants no answer.
TEST(Wire, STACK_2_a_datagram_from_no_port_has_a_sender) {
    Wire wire;
    Socket receiver = must(socket(AF_INET, SOCK_DGRAM));
    must(receiver.bind(address_of(Wire::here, 0, wire)));
    must(receiver.settimeout(10s));
    const std::uint16_t port = must(receiver.getsockname()).port();
    std::string frame("\x45\0\0\x1e\0\0\0\0\x40\x11\0\0\x0a\0\0\x4d\x0a\0\0\1\0\0\0\0\0\x0a\0\0hi", 30);
    frame[22] = static_cast<char>(port >> 8);
    frame[23] = static_cast<char>(port);
    const std::uint16_t sum = inet_chksum(frame.data(), 20);
    std::memcpy(&frame[10], &sum, sizeof sum);
    wire.inject(frame);
    const auto received = must(receiver.recvfrom(10));
    EXPECT_EQ(received.bytes.view(), "hi");
    EXPECT_EQ(received.address.text().view(), "10.0.0.77:0");
}

// An interface's number has 8 bits in lwIP.
TEST(Wire, STACK_2_an_interface_that_there_is_not_is_an_error) {
    const Wire wire;
    for (const std::int64_t scopeid : {256 + wire.index(), 1000}) {
        const Address elsewhere = must(Address::inet(AF_INET6, Wire::here_ipv6, 0, 0, scopeid));
        EXPECT_FALSE(must(socket(AF_INET6, SOCK_STREAM)).bind(elsewhere).has_value());
        Socket sender = must(socket(AF_INET6, SOCK_DGRAM));
        EXPECT_FALSE(sender.sendto("x", must(Address::inet(AF_INET6, Wire::there_ipv6, 9, 0, scopeid))).has_value());
    }
    Socket member = must(socket(AF_INET, SOCK_DGRAM)), member6 = must(socket(AF_INET6, SOCK_DGRAM));
    for (const int interface : {256 + wire.index(), -1, 77}) {
        const ip_mreqn group{{htonl(0xef010203)}, {}, interface};
        EXPECT_EQ(member.setsockopt(IPPROTO_IP, IP_ADD_MEMBERSHIP, ConstBuffer(&group, sizeof group)).error(),
                  Error(ENODEV));
        ipv6_mreq group6{{}, static_cast<unsigned>(interface)};
        group6.ipv6mr_multiaddr.s6_addr[0] = 0xff;
        group6.ipv6mr_multiaddr.s6_addr[1] = 2;
        group6.ipv6mr_multiaddr.s6_addr[15] = 99;
        EXPECT_EQ(member6.setsockopt(IPPROTO_IPV6, IPV6_JOIN_GROUP, ConstBuffer(&group6, sizeof group6)).error(),
                  Error(ENODEV));
    }
}

TEST(Wire, STACK_2_a_datagram_to_a_group_of_either_family_comes_to_who_has_joined_it) {
    const Wire wire;
    for (const char* group : {"239.1.2.3", "ff02::1234"}) {
        SCOPED_TRACE(group);
        const Address target = address_of(group, 0, wire);
        Socket member = must(socket(target.family(), SOCK_DGRAM)), sender = must(socket(target.family(), SOCK_DGRAM));
        must(member.bind(must(Address::inet(target.family(), "", 0))));
        must(member.settimeout(10s));
        must(member.join_group(target, wire.index()));
        if (target.family() == AF_INET) {
            const in_addr interface{htonl(0x0a000001)};
            must(sender.setsockopt(IPPROTO_IP, IP_MULTICAST_IF, ConstBuffer(&interface, sizeof interface)));
        }
        must(sender.sendto("to all", address_of(group, must(member.getsockname()).port(), wire)));
        EXPECT_EQ(must(member.recv(100)).view(), "to all");
        must(member.leave_group(target, wire.index()));
        EXPECT_EQ(member.leave_group(target, wire.index()).error(), Error(EADDRNOTAVAIL));
    }
}

// RFC 1112: a datagram to a group stays in the network, unless its program wants it further away. And a member on the
// board that sends it gets it, once.
TEST(Wire, STACK_2_groups_have_the_options_of_other_hosts) {
    Wire wire;
    for (const int family : {AF_INET, AF_INET6}) {
        SCOPED_TRACE(family);
        const bool is_ipv6 = family == AF_INET6;
        const int level = is_ipv6 ? IPPROTO_IPV6 : IPPROTO_IP;
        const int hops = is_ipv6 ? IPV6_MULTICAST_HOPS : IP_MULTICAST_TTL;
        const int loop = is_ipv6 ? IPV6_MULTICAST_LOOP : IP_MULTICAST_LOOP;
        Socket one = must(socket(family, SOCK_DGRAM));
        EXPECT_EQ(must(one.getsockopt(level, hops)), 1);
        EXPECT_EQ(must(one.getsockopt(level, loop)), 1);
        must(one.setsockopt(level, hops, 7));
        must(one.setsockopt(level, loop, 0));
        EXPECT_EQ(must(one.getsockopt(level, hops)), 7);
        EXPECT_EQ(must(one.getsockopt(level, loop)), 0);
    }
}

TEST(Wire, STACK_2_a_datagram_to_a_group_comes_over_the_loopback_interface_once) {
    Socket member = must(socket(AF_INET, SOCK_DGRAM)), sender = must(socket(AF_INET, SOCK_DGRAM));
    must(member.bind(must(Address::inet(AF_INET, "", 0))));
    must(member.join_group(must(Address::inet(AF_INET, "239.1.2.3", 0))));
    const in_addr loopback{htonl(INADDR_LOOPBACK)};
    must(sender.setsockopt(IPPROTO_IP, IP_MULTICAST_IF, ConstBuffer(&loopback, sizeof loopback)));
    must(sender.sendto("once", must(Address::inet(AF_INET, "239.1.2.3", must(member.getsockname()).port()))));
    must(member.settimeout(10s));
    EXPECT_EQ(must(member.recv(100)).view(), "once");
    EXPECT_EQ(member.recv(100, MSG_DONTWAIT).error(), Error(EAGAIN));
}

// lwIP tells of both in the same way.
TEST(Wire, STACK_2_TIME_3_an_attempt_that_its_interface_ends_has_not_timed_out) {
    const Wire wire;
    const Address nobody = address_of("10.0.0.77", 9, wire);
    Socket ended = must(socket()), unanswered = must(socket());
    for (Socket* one : {&ended, &unanswered}) must(one->setblocking(false));
    EXPECT_EQ(ended.connect(nobody).error(), Error(EINPROGRESS));
    {
        const sys::Guard guard;
        ip4_addr_t other{}, before{};
        IP4_ADDR(&other, 10, 0, 0, 3);
        netif* own = netif_get_by_index(wire.index());
        before = *netif_ip4_addr(own);
        netif_set_ipaddr(own, &other);
        netif_set_ipaddr(own, &before);
    }
    EXPECT_EQ(ended.connect(nobody).error(), Error(ECONNABORTED));
    EXPECT_EQ(unanswered.connect(nobody).error(), Error(EINPROGRESS));
    Poll poll;
    must(poll.register_(unanswered, POLLOUT));
    Poll::Event event[1];
    EXPECT_EQ(must(poll.poll(event, 1, 60s)), 1u);
    EXPECT_EQ(unanswered.connect(nobody).error(), Error(ETIMEDOUT));
}

// Its PCB is gone then, and there is another one when it is wanted.
TEST(Wire, STACK_2_who_is_bound_to_an_address_may_listen_after_it_was_away) {
    const Wire wire;
    Socket server = must(socket());
    must(server.bind(address_of(Wire::here, 0, wire)));
    const Address name = must(server.getsockname());
    {
        const sys::Guard guard;
        netif* own = netif_get_by_index(wire.index());
        const ip4_addr_t before = *netif_ip4_addr(own);
        netif_set_ipaddr(own, nullptr);
        netif_set_ipaddr(own, &before);
    }
    must(server.listen(1));
    EXPECT_EQ(must(server.getsockname()), name);
}

// --- What lwIP would take

// Its sum of them has 32 bits; a TTL of 0 never leaves.
TEST(Wire, STACK_2_options_out_of_range_are_EINVAL) {
    Pair pair = tcp_pair();
    const auto set = [&](int level, int name, int value) { return pair.here.setsockopt(level, name, value).error(); };
    EXPECT_EQ(set(IPPROTO_TCP, TCP_KEEPIDLE, 32767), Error());
    EXPECT_EQ(set(IPPROTO_TCP, TCP_KEEPINTVL, 32767), Error());
    EXPECT_EQ(set(IPPROTO_TCP, TCP_KEEPCNT, 127), Error());
    for (const int name : {TCP_KEEPIDLE, TCP_KEEPINTVL}) {
        for (const int value : {32768, 0, -1, INT32_MAX}) EXPECT_EQ(set(IPPROTO_TCP, name, value), Error(EINVAL));
    }
    for (const int value : {128, 0, -1, INT32_MAX}) EXPECT_EQ(set(IPPROTO_TCP, TCP_KEEPCNT, value), Error(EINVAL));
    EXPECT_EQ(set(IPPROTO_TCP, TCP_KEEPALIVE, 32'767'001), Error(EINVAL));
    for (const int value : {0, 256, -1}) EXPECT_EQ(set(IPPROTO_IP, IP_TTL, value), Error(EINVAL));
    must(pair.here.write("ping\n"));
    EXPECT_EQ(must(pair.there.readline()).view(), "ping\n");
}

// Every number of every level, with values of every size.
TEST(Wire, STACK_2_no_option_breaks_a_socket) {
    for (int round = 0; round < 2; ++round) {
        for (const int family : {AF_INET, AF_INET6}) {
            Pair pair = round == 0 ? tcp_pair() : udp_pair();
            Socket fresh = must(socket(family, round == 0 ? SOCK_STREAM : SOCK_DGRAM));
            for (const int level : {SOL_SOCKET, IPPROTO_IP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_IPV6, -1, 0x7fffffff}) {
                for (int i = -2; i < 64 + 32; ++i) {
                    const int name = i < 64 ? i : 0x1000 + i - 64;
                    const bool kills = level == SOL_SOCKET && name == SO_RCVTIMEO;  // the test's own reads
                    for (const std::size_t size : {0u, 1u, 3u, 4u, 8u, 12u, 16u, 20u, 64u}) {
                        const std::string value(size, static_cast<char>(0xff >> (size % 3)));
                        for (Socket* one : {&fresh, &pair.here}) {
                            if (!kills) (void)one->setsockopt(level, name, ConstBuffer(value.data(), size));
                            std::array<char, 64> room;
                            (void)one->getsockopt(level, name, MutableBuffer(room.data(), size));
                        }
                    }
                }
            }
            must(pair.there.settimeout(10s));
            must(pair.here.sendall("still here"));
            EXPECT_EQ(must(pair.there.recv(100)).view(), "still here");
        }
    }
}

// The window is almost closed before so much is there.
TEST(Wire, STACK_2_SO_RCVLOWAT_that_a_window_cannot_hold_is_not_deaf) {
    Pair pair = tcp_pair();
    must(pair.there.setsockopt(SOL_SOCKET, SO_RCVLOWAT, TCP_WND));
    must(pair.here.setblocking(false));
    const std::string piece(1000, 'x');
    for (int idle = 0; idle < 1000;) {
        idle = pair.here.send(piece) ? 0 : idle + 1;
        usocket_lwip_turn();
    }
    EXPECT_NE(pair.there.poll_now(POLLIN) & POLLIN, 0u);
}

// --- What peers may announce

// A segment a byte, out of what all connections share.
TEST(Wire, STACK_2_a_peer_with_a_tiny_window_does_not_get_tiny_segments) {
    Wire wire;
    std::uint16_t port = 0;
    Socket server = listener_at(Wire::here, port);
    RawPeer peer{2000, port, 2, TCP_MSS};
    Socket one = peer.connect(wire, server);
    EXPECT_EQ(must(one.send(std::string(200, 'x'))), 200u);
    const sys::Guard guard;
    EXPECT_LE(tcp_sndqueuelen(sys::find(one.fileno())->tcp), 5u);
}

// lwIP's first congestion window is four of such segments, and less than one that it sends.
TEST(Wire, STACK_2_a_peer_that_wants_tiny_segments_gets_what_is_sent) {
    Wire wire;
    std::uint16_t port = 0;
    Socket server = listener_at(Wire::here, port);
    for (const std::uint16_t mss : std::array<std::uint16_t, 3>{1, 11, 47}) {
        SCOPED_TRACE(mss);
        RawPeer peer{static_cast<std::uint16_t>(2000 + mss), port, 0x1000, mss};
        Socket one = peer.connect(wire, server);
        must(one.settimeout(20s));
        must(one.write(std::string(2000, 'x')));
        const auto left = [&] {
            const sys::Guard guard;
            return tcp_sndqueuelen(sys::find(one.fileno())->tcp);
        };
        const auto start = std::chrono::steady_clock::now();
        while (left() != 0 && std::chrono::steady_clock::now() - start < 20s) {
            peer.mss = mss;  // each segment says so
            peer.acknowledge(wire);
        }
        EXPECT_EQ(left(), 0u);
    }
}

// lwIP takes it from any segment, and ends the program if what is queued is larger.
TEST(Wire, STACK_2_a_peer_that_changes_its_mind_about_segments_does_no_harm) {
    Wire wire;
    std::uint16_t port = 0;
    Socket server = listener_at(Wire::here, port);
    for (const std::uint16_t window : std::array<std::uint16_t, 3>{0, 500, 0x1000}) {
        SCOPED_TRACE(window);
        RawPeer peer{static_cast<std::uint16_t>(2000 + window), port, window, TCP_MSS};
        Socket one = peer.connect(wire, server);
        must(one.send(std::string(5000, 'x')));
        peer.mss = 1;
        for (int i = 0; i < 100; ++i) {
            wire.inject(peer.segment(RawPeer::ack, RawPeer::first + 1));
            usocket_lwip_turn();
            must(one.send("y"));
            sys::Guard guard;
            (void)usocket_port_idle(1);
        }
    }
}

// --- Whose end lwIP does not see to

std::size_t active_connections() {
    const sys::Guard guard;
    std::size_t count = 0;
    for (const tcp_pcb* pcb = tcp_active_pcbs; pcb != nullptr; pcb = pcb->next) ++count;
    return count;
}

// It answers, and so lwIP waits for it.
void expect_an_end(bool both_have_ended) {
    Pair pair = tcp_pair();
    const linger wait{1, 1};
    must(pair.here.setsockopt(SOL_SOCKET, SO_LINGER, ConstBuffer(&wait, sizeof wait)));
    must(pair.here.setblocking(false));
    for (int idle = 0; idle < 1000;) {
        idle = pair.here.send(std::string(10'000, 'x')) ? 0 : idle + 1;
        usocket_lwip_turn();
    }
    const auto start = std::chrono::steady_clock::now();
    if (both_have_ended) {
        must(pair.there.shutdown(SHUT_WR));
        must(pair.here.shutdown(SHUT_WR));
    }
    pair.here.close();
    EXPECT_EQ(active_connections(), 2u);
    while (active_connections() == 2 && std::chrono::steady_clock::now() - start < 20s) sys::yield_thread();
    EXPECT_GE(std::chrono::steady_clock::now() - start, 900ms);
    EXPECT_LE(active_connections(), 1u);  // the peer's
}

TEST(Wire, STACK_2_a_peer_that_never_reads_keeps_a_closed_connection_no_longer_than_SO_LINGER_says) {
    expect_an_end(false);
}

TEST(Wire, STACK_2_a_peer_that_never_reads_and_has_ended_keeps_a_connection_no_longer_either) { expect_an_end(true); }

TEST(Wire, STACK_2_no_port_is_left) {
    std::vector<udp_pcb*> taken;
    {
        const sys::Guard guard;
        for (;;) {
            udp_pcb* pcb = udp_new();
            if (udp_bind(pcb, IP4_ADDR_ANY, 0) != ERR_OK) {
                udp_remove(pcb);
                break;
            }
            taken.push_back(pcb);
        }
    }
    EXPECT_GT(taken.size(), 10'000u);
    Socket one = must(socket(AF_INET, SOCK_DGRAM));
    EXPECT_EQ(one.bind(any_port()).error(), Error(EADDRINUSE));
    EXPECT_EQ(one.sendto("x", must(Address::parse("127.0.0.1:9"))).error(), Error(EADDRINUSE));
    {
        const sys::Guard guard;
        for (udp_pcb* pcb : taken) udp_remove(pcb);
    }
    must(one.bind(any_port()));
}

TEST(Wire, STACK_2_no_port_is_left_for_a_connection) {
    Address address;
    const Socket server = listener(address);
    std::vector<tcp_pcb*> taken;
    {
        const sys::Guard guard;
        for (;;) {
            tcp_pcb* pcb = tcp_new();
            if (tcp_bind(pcb, IP4_ADDR_ANY, 0) != ERR_OK) {
                tcp_abort(pcb);
                break;
            }
            taken.push_back(pcb);
        }
    }
    EXPECT_GT(taken.size(), 10'000u);
    Socket client = must(socket());
    EXPECT_EQ(client.connect(address).error(), Error(EADDRNOTAVAIL));
    {
        const sys::Guard guard;
        for (tcp_pcb* pcb : taken) tcp_abort(pcb);
    }
    must(client.connect(address));
}

}  // namespace
}  // namespace usocket::tests
