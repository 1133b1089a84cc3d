// STACK-2: what is lwIP's alone: queues of any size, groups, both families in one socket, numbers, its DNS.
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <array>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "loopback.hpp"
#include "lwip/dns.h"
#include "random.hpp"
#include "scripted_host.hpp"
#include "signals.hpp"
#include "sys/lwip/port.h"
#include "sys/lwip/table.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

// What lwIP's DNS asks from now on, over the loopback interface.
Socket name_server() {
    Socket server = must(socket(AF_INET, SOCK_DGRAM));
    must(server.bind(must(Address::inet(AF_INET, "127.0.0.1", 53))));
    ip_addr_t ip{};
    ip_addr_set_ip4_u32(&ip, htonl(INADDR_LOOPBACK));
    const sys::Guard guard;
    dns_setserver(0, &ip);
    return server;
}

// A chain of lwIP's counts in 16 bits.
TEST(Lwip, STACK_2_a_queue_of_almost_a_megabyte_loses_nothing) {
    Pair pair = tcp_pair();
    std::string sent;
    must(pair.here.setblocking(false));
    for (unsigned i = 0; sent.size() < 1'000'000; ++i) {
        std::string piece(1000 + i % 7, static_cast<char>('a' + i % 26));
        const auto count = pair.here.send(piece);
        if (count) sent.append(piece, 0, *count);
        if (!count && count.error() == Error(EAGAIN)) usocket_lwip_turn();
    }
    must(pair.here.shutdown(SHUT_WR));
    std::array<char, 100> front;
    EXPECT_EQ(must(pair.there.recv_into(front, MSG_PEEK)), front.size());
    EXPECT_EQ(std::string_view(front.data(), front.size()), sent.substr(0, front.size()));
    EXPECT_EQ(must(pair.there.read()).view(), sent);
}

TEST(Lwip, STACK_2_a_queue_says_how_much_is_in_it) {
    Pair pair = tcp_pair();
    must(pair.here.setblocking(false));
    std::size_t total = 0;
    while (total < 300'000) total += pair.here.send(std::string(10'000, 'x')).value_or(0u);
    while (must(sys::queued(pair.there.fileno())) != total) usocket_lwip_turn();
    EXPECT_EQ(must(sys::queued(pair.there.fileno())), total);
}

TEST(Lwip, STACK_2_a_socket_of_IPv6_takes_IPv4_too_unless_it_is_told) {
    for (const int v6only : {0, 1}) {
        Socket server = must(socket(AF_INET6, SOCK_STREAM));
        must(server.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, v6only));
        must(server.bind(must(Address::inet(AF_INET6, "", 0))));
        must(server.listen(1));
        Socket client = must(socket());
        const auto connected =
            client.connect(must(Address::inet(AF_INET, "127.0.0.1", must(server.getsockname()).port())));
        EXPECT_EQ(connected.has_value(), v6only == 0);
        if (v6only != 0) continue;
        EXPECT_EQ(must(server.accept()).address.host().view(), "::ffff:127.0.0.1");
    }
}

TEST(Lwip, STACK_2_a_datagram_to_a_group_comes_to_who_has_joined_it) {
    const Address group = must(Address::inet(AF_INET, "239.1.2.3", 0));
    Socket member = must(socket(AF_INET, SOCK_DGRAM));
    must(member.bind(must(Address::inet(AF_INET, "", 0))));
    const Address there = must(Address::inet(AF_INET, "239.1.2.3", must(member.getsockname()).port()));
    Socket sender = must(socket(AF_INET, SOCK_DGRAM));
    const in_addr loopback{htonl(INADDR_LOOPBACK)};
    must(sender.setsockopt(IPPROTO_IP, IP_MULTICAST_IF, ConstBuffer(&loopback, sizeof loopback)));
    must(member.settimeout(30ms));
    must(sender.sendto("early", there));
    EXPECT_EQ(member.recv(10).error(), Error(ETIMEDOUT));
    must(member.join_group(group));
    must(member.settimeout(10s));
    must(sender.sendto("member", there));
    EXPECT_EQ(must(member.recv(10)).view(), "member");
    must(member.leave_group(group));
    EXPECT_EQ(member.leave_group(group).error(), Error(EADDRNOTAVAIL));
    must(member.settimeout(30ms));
    must(sender.sendto("late", there));
    EXPECT_EQ(member.recv(10).error(), Error(ETIMEDOUT));
}

TEST(Lwip, STACK_2_groups_that_are_not_left_are_left_by_close) {
    const Address group = must(Address::inet(AF_INET, "239.1.2.4", 0));
    for (int i = 0; i < 3 * USOCKET_LWIP_MEMBERSHIPS; ++i) {
        Socket member = must(socket(AF_INET, SOCK_DGRAM));
        must(member.join_group(group));
        EXPECT_EQ(member.join_group(group).error(), Error(EADDRINUSE));
    }
}

TEST(Lwip, STACK_2_SO_LINGER_of_no_time_resets) {
    Pair pair = tcp_pair();
    const linger none{1, 0};
    must(pair.here.setsockopt(SOL_SOCKET, SO_LINGER, ConstBuffer(&none, sizeof none)));
    pair.here.close();
    EXPECT_EQ(pair.there.read().error(), Error(ECONNRESET));
}

TEST(Lwip, STACK_2_ten_thousand_connections_leave_nothing) {
    Address address;
    Socket server = listener(address);
    for (int i = 0; i < 10'000; ++i) {
        Socket client = must(socket());
        const linger none{1, 0};  // or they wait out their time, a thousand and more
        must(client.setsockopt(SOL_SOCKET, SO_LINGER, ConstBuffer(&none, sizeof none)));
        must(client.connect(address));
        Socket conn = std::move(must(server.accept()).socket);
        must(conn.write("x"));
        EXPECT_EQ(must(client.read(1)).size(), 1u);
    }
    std::size_t count = 0;
    for (int fd = 0; fd < USOCKET_LWIP_SOCKETS; ++fd) count += sys::find(fd) != nullptr ? 1 : 0;
    EXPECT_EQ(count, 1u);
}

TEST(Lwip, STACK_2_who_was_not_accepted_is_reset_with_its_listener) {
    Address address;
    Socket server = listener(address);
    Socket client = must(socket());
    must(client.connect(address));
    server.close();
    EXPECT_EQ(client.read(1).error(), Error(ECONNRESET));
}

TEST(Lwip, STACK_2_SO_RCVBUF_bounds_the_datagrams_that_wait) {
    Pair pair = udp_pair();
    must(pair.there.setsockopt(SOL_SOCKET, SO_RCVBUF, 1000));
    for (int i = 0; i < 2; ++i) must(pair.here.send(std::string(600, 'd')));
    EXPECT_EQ(must(pair.there.recv(1000)).size(), 600u);
    EXPECT_EQ(pair.there.recv(1000, MSG_DONTWAIT).error(), Error(EAGAIN));
}

TEST(Lwip, STACK_2_an_empty_queue_takes_a_datagram_of_any_size) {
    Pair pair = udp_pair();
    must(pair.there.setsockopt(SOL_SOCKET, SO_RCVBUF, 1000));
    must(pair.here.send(std::string(5000, 'd')));
    EXPECT_EQ(must(pair.there.recv(6000)).size(), 5000u);
}

// And to nobody else, as a broadcast would: so other hosts have it.
TEST(Lwip, STACK_2_ADDR_2_a_datagram_to_any_address_comes_to_this_host) {
    for (const auto& [family, any] : {std::pair{AF_INET, "0.0.0.0"}, std::pair{AF_INET6, "::"}}) {
        Socket one = must(socket(family, SOCK_DGRAM));
        must(one.bind(must(Address::inet(family, any, 0))));
        must(one.settimeout(5s));
        must(one.sendto("here", must(Address::inet(family, any, must(one.getsockname()).port()))));
        EXPECT_EQ(must(one.recv(10)).view(), "here");
    }
}

// Of a packet's 65,535 bytes, of which lwIP counts IPv6's header as well.
TEST(Lwip, STACK_2_a_datagram_that_no_packet_holds_is_EMSGSIZE) {
    struct Case {
        int family;
        const char* host;
        std::size_t largest;
    };
    for (const Case& one : {Case{AF_INET, "127.0.0.1", 65'507}, Case{AF_INET6, "::1", 65'487}}) {
        SCOPED_TRACE(one.host);
        Socket receiver = must(socket(one.family, SOCK_DGRAM));
        must(receiver.bind(must(Address::inet(one.family, one.host, 0))));
        const Address there = must(receiver.getsockname());
        Socket sender = must(socket(one.family, SOCK_DGRAM));
        EXPECT_EQ(must(sender.sendto(std::string(one.largest, 'd'), there)), one.largest);
        EXPECT_EQ(must(receiver.recv(0xffff)).size(), one.largest);
        for (const std::size_t size : {one.largest + 1, std::size_t{65'528}, std::size_t{1'000'000}}) {
            EXPECT_EQ(sender.sendto(std::string(size, 'd'), there).error(), Error(EMSGSIZE)) << size;
        }
    }
}

// Linux's, which are not those that lwIP has of its own; where a host has others, src/sys/lwip/headers has them.
TEST(Lwip, STACK_4_errors_have_the_hosts_numbers) {
    Pair pair = tcp_pair();
    const Address nobody = must(Address::parse("127.0.0.1:1"));
    EXPECT_EQ(must(socket()).connect(nobody).error().code(), 111);
    EXPECT_EQ(pair.here.recv(1, MSG_DONTWAIT).error().code(), 11);
    must(pair.here.settimeout(1ms));
    EXPECT_EQ(pair.here.recv(1).error().code(), 110);
    EXPECT_EQ(must(socket()).shutdown(SHUT_WR).error().code(), 107);
    EXPECT_EQ(must(socket()).bind(must(pair.here.getsockname())).error().code(), 98);
    EXPECT_EQ(must(socket()).bind(must(Address::parse("192.0.2.1:0"))).error().code(), 99);
    Socket waits = must(socket());
    must(waits.setblocking(false));
    EXPECT_EQ(waits.connect(nobody).error().code(), 115);
    EXPECT_EQ(socket(99, SOCK_STREAM).error().code(), 97);
}

// idle() says so: of Ctrl-C, or a callback that is due.
TEST(Lwip, STACK_3_a_call_that_waits_asks_the_host_which_may_end_it) {
    const Socket mute = name_server();
    const Signals signals;
    Pair pair = tcp_pair();
    Poll poll;
    must(poll.register_(pair.here, POLLIN));
    Poll::Event event[1];
    std::array<char, 1> room;
    const std::function<Error(Call&&)> calls[] = {
        [&](Call&& call) { return pair.here.recv_into(room, 0, std::move(call)).error(); },
        [&](Call&& call) { return poll.poll(event, 1, Timeout::none(), false, std::move(call)).error(); },
        [&](Call&& call) { return getaddrinfo("board.example", 80, 0, 0, 0, 0, std::move(call)).error(); },
    };
    for (const auto& call : calls) {
        ScriptedHost host;
        host.on_signal = [&] { return host.signals() == 3; };
        EXPECT_EQ(call(Call(host.host())), Error(EINTR));
        EXPECT_EQ(host.signals(), 3u);
    }
}

// --- DNS: lwIP asks a server of the test's, over the loopback interface.

// Answers what it is asked, in a thread of its own: A 127.0.0.9, AAAA ::9; of "none" nothing. Of "four" the A alone, to
// AAAA it is silent. Of "late" the A comes behind the AAAA, whichever is asked first.
class Server {
public:
    Server() : socket_(name_server()), thread_([this] { serve(); }) {}
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server() {
        socket_.close();
        thread_.join();
    }

private:
    void serve() {
        for (;;) {
            const auto query = socket_.recvfrom(512);
            if (!query) return;
            std::string reply(query->bytes.view());
            const bool is_ipv6 = reply.at(reply.size() - 3) == 28;
            const bool is_there = reply.find("\4none") == std::string::npos;
            if (is_ipv6 && reply.find("\4four") != std::string::npos) continue;
            reply[2] = '\x81';
            reply[3] = static_cast<char>(is_there ? 0x80 : 0x83);
            reply[7] = is_there ? 1 : 0;
            if (is_there) {
                reply += std::string("\xc0\x0c\0", 3) + (is_ipv6 ? '\x1c' : '\1') + std::string("\0\1\0\0\0\x3c\0", 7);
                reply += is_ipv6 ? '\x10' + std::string(15, '\0') + '\x09' : std::string("\4\x7f\0\0\x09", 5);
            }
            const bool is_late = reply.find("\4late") != std::string::npos;
            if (is_late && !is_ipv6 && !has_answered_ipv6_) {
                late_ = std::move(reply);
                late_address_ = query->address;
                continue;
            }
            (void)socket_.sendto(reply, query->address);
            has_answered_ipv6_ = is_ipv6;
            if (!late_.empty()) (void)socket_.sendto(std::exchange(late_, {}), late_address_);
        }
    }

    Socket socket_;
    std::string late_;
    Address late_address_;
    bool has_answered_ipv6_ = false;
    std::thread thread_;
};

TEST(LwipDns, STACK_2_GAI_1_a_name_has_an_address_of_each_family) {
    const Server server;
    std::string found;
    const auto list = must(getaddrinfo("board.example", 80, Deadline::after(20s), SOCK_STREAM));
    for (const AddressInfo info : list) found += std::string(info.sockaddr.text().view()) + " ";
    EXPECT_EQ(found, "127.0.0.9:80 [::9]:80 ");
    const auto one = must(getaddrinfo("other.example", 80, AF_INET, SOCK_DGRAM));
    EXPECT_EQ(one.front().sockaddr.host().view(), "127.0.0.9");
}

// Programs of devices connect a socket of IPv4 to the first.
TEST(LwipDns, STACK_2_GAI_1_IPv4_is_first_whichever_answer_comes_first) {
    const Server server;
    for (const char* name : {"late.example", "late.example", "soon.example"}) {
        const auto list = must(getaddrinfo(name, 80, Deadline::after(20s), SOCK_STREAM));
        std::string found;
        for (const AddressInfo info : list) found += std::string(info.sockaddr.text().view()) + " ";
        EXPECT_EQ(found, "127.0.0.9:80 [::9]:80 ") << name;
    }
}

// RFC 8305's resolution delay. lwIP itself asks for seconds, and it has places for four names: one is used again.
TEST(LwipDns, STACK_2_GAI_4_a_server_that_is_silent_on_IPv6_delays_nobody) {
    const Server server;
    for (int i = 0; i < 8; ++i) {
        const auto list = getaddrinfo("four.example", 80, 0, SOCK_STREAM, 0, 0, Call(Deadline::after(700ms)));
        ASSERT_TRUE(list) << i << list.error().message();
        EXPECT_EQ(list->front().sockaddr.text().view(), "127.0.0.9:80");
    }
    EXPECT_EQ(must(getaddrinfo("board.example", 80, AF_INET)).front().sockaddr.host().view(), "127.0.0.9");
}

TEST(LwipDns, STACK_2_GAI_3_ADDR_8_a_number_with_a_zone_is_answered_at_once) {
    Socket server = name_server();
    for (const char* host : {"fe80::1%1", "fe80::1%lo0"}) {
        SCOPED_TRACE(host);
        const auto list = getaddrinfo(host, 80, 0, SOCK_STREAM, 0, 0, Call(Deadline::after(1s)));
        ASSERT_TRUE(list) << list.error().message();
        EXPECT_EQ(list->front().sockaddr.host().view(), "fe80::1");
        EXPECT_EQ(list->front().sockaddr.scopeid(), 1u);
    }
    for (const char* host : {"fe80::1%none9", "fe80::1%", "fe80::1%0", "fe80::1%256", "127.0.0.1%1"}) {
        EXPECT_EQ(getaddrinfo(host, 80, 0, SOCK_STREAM, 0, 0, Call(Deadline::after(1s))).error(), Error(-2)) << host;
    }
    EXPECT_EQ(server.recv(512, MSG_DONTWAIT).error(), Error(EAGAIN));
}

TEST(LwipDns, STACK_2_GAI_3_a_name_that_there_is_not_is_EAI_NONAME) {
    const Server server;
    EXPECT_EQ(getaddrinfo("none.example", 80, Deadline::after(20s)).error(), Error(-2));
}

// Its silence, for as long as lwIP asks again: as fast as its timer is called.
TEST(LwipDns, STACK_2_GAI_3_a_server_that_is_silent_is_EAI_AGAIN) {
    Socket mute = name_server();
    must(mute.settimeout(20s));
    for (const int family : {AF_INET, AF_INET6, AF_UNSPEC}) {
        SCOPED_TRACE(family);
        Error failed;
        std::thread asks([&] {
            const std::string name = "silent" + std::to_string(family) + ".example";
            failed = getaddrinfo(name, 80, family, SOCK_STREAM, 0, 0, Call(Deadline::after(20s))).error();
        });
        must(mute.recv(512));  // asked
        for (int i = 0; i < 2 * DNS_MAX_RETRIES * DNS_MAX_RETRIES; ++i) {
            const sys::Guard guard;
            dns_tmr();
        }
        asks.join();
        EXPECT_EQ(failed, Error(-3));
        while (mute.recv(512, MSG_DONTWAIT)) {
        }
    }
}

TEST(LwipDns, STACK_2_GAI_3_where_no_server_is_known_it_is_EAI_AGAIN) {
    {
        const sys::Guard guard;
        dns_setserver(0, nullptr);
    }
    EXPECT_EQ(getaddrinfo("board.example", 80, Deadline::after(20s)).error(), Error(-3));
}

// Each of a name of its own, of both families.
void expect_silence(int count) {
    for (int i = 0; i < count; ++i) {
        const std::string name = "left" + std::to_string(i) + ".example";
        const auto list = getaddrinfo(name, 80, AF_UNSPEC, SOCK_STREAM, 0, 0, Call(Deadline::after(10ms)));
        EXPECT_EQ(list.error(), Error(ETIMEDOUT)) << i;
    }
}

TEST(LwipDns, STACK_2_GAI_4_a_deadline_ends_a_lookup_and_those_that_are_left_keep_nobody_out) {
    {
        const Socket mute = name_server();
        expect_silence(10);
    }
    const Server server;
    const auto list = must(getaddrinfo("soon.example", 80, 0, SOCK_STREAM, 0, 0, Call(Deadline::after(700ms))));
    EXPECT_EQ(list.front().sockaddr.text().view(), "127.0.0.9:80");
}

// Which are given up for another name's sake.
TEST(LwipDns, STACK_2_GAI_4_a_lookup_that_is_waited_for_outlives_those_that_are_left) {
    const sys::Query query{"living.example", "80", AF_UNSPEC, SOCK_STREAM, 0, 0};
    sys::Lookup* living = nullptr;
    {
        const Socket mute = name_server();
        living = must(sys::lookup_start(query));
        expect_silence(5);
    }
    const Server server;
    const auto events = sys::wait(sys::lookup_ready_fd(living), POLLIN, Timeout(20s), sys::no_fd);
    EXPECT_EQ(must(events), unsigned{POLLIN});
    sys::resolved_free(must(sys::lookup_finish(living)));
}

// lwIP would ask for something else, or for nothing that there can be.
TEST(LwipDns, STACK_2_GAI_3_what_is_no_name_is_EAI_NONAME_and_nobody_is_asked) {
    Socket server = name_server();
    const std::string label(63, 'a');
    for (const std::string& name :
         {std::string("."), std::string("a..b"), std::string(".a"), "x." + label + "a.org",
          label + "." + label + "." + label + "." + label, std::string(256, 'a'), std::string(1000, 'a')}) {
        SCOPED_TRACE(name);
        EXPECT_EQ(getaddrinfo(name, 80, Deadline::after(5s)).error(), Error(-2));
    }
    // Numbers of the other family.
    EXPECT_EQ(getaddrinfo("127.0.0.1", 80, AF_INET6).error(), Error(-2));
    EXPECT_EQ(server.recv(512, MSG_DONTWAIT).error(), Error(EAGAIN));
    // The root's dot at the end is no part of it.
    (void)getaddrinfo(label + ".org.", 80, AF_INET, SOCK_STREAM, 0, 0, Call(Deadline::after(20ms)));
    const auto query = must(server.recv(512));
    EXPECT_EQ(query.view().substr(12, 1 + 63 + 1 + 3 + 1), '\x3f' + label + '\3' + "org" + std::string(1, '\0'));
    EXPECT_EQ(query.size(), 12u + 1 + 63 + 1 + 3 + 1 + 4);
}

// As at a soft reset, of which lookups know nothing.
TEST(LwipDns, STACK_3_a_reset_ends_lookups_too) {
    const Socket mute = name_server();
    const sys::Query query{"board.example", "80", AF_INET, SOCK_STREAM, 0, 0};
    for (int i = 0; i < 4; ++i) must(sys::lookup_start(query));
    EXPECT_EQ(sys::lookup_start(query).error(), Error(-3));
    usocket_lwip_reset();
    for (int i = 0; i < 4; ++i) sys::lookup_cancel(must(sys::lookup_start(query)));
}

// Whatever a server answers: an answer, an error, or silence until the deadline.
TEST(LwipDns, STACK_2_a_server_that_lies_is_an_error) {
    Socket server = name_server();
    std::thread lies([&] {
        Random random(1);
        for (;;) {
            const auto query = server.recvfrom(512);
            if (!query) return;
            std::string reply(query->bytes.view());
            reply[2] = '\x81';
            reply[3] = '\x80';
            reply[7] = static_cast<char>(random.below(3));
            const std::size_t size = random.below(60);
            if (random.chance(500)) reply += std::string("\xc0\x0c\0\1\0\1\0\0\0\x3c\0", 11);
            for (std::size_t i = 0; i < size; ++i) reply += static_cast<char>(random.next());
            const std::size_t end = random.chance(300) ? 12 + random.below(reply.size() - 11) : reply.size();
            if (random.chance(300)) reply[12 + random.below(reply.size() - 12)] = static_cast<char>(random.next());
            reply.resize(std::min(end, reply.size()));
            (void)server.sendto(reply, query->address);
        }
    });
    std::size_t ended = 0;
    for (int i = 0; i < 60; ++i) {
        const std::string name = "lie" + std::to_string(i) + ".example";
        const auto found = getaddrinfo(name, 80, AF_INET, SOCK_STREAM, 0, 0, Call(Deadline::after(60ms)));
        ended += found || found.error() == Error(ETIMEDOUT) || found.error().code() < 0 ? 1 : 0;
    }
    EXPECT_EQ(ended, 60u);
    server.close();
    lies.join();
}

}  // namespace
}  // namespace usocket::tests
