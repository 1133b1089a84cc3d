// STACK-2: whichever of lwIP's pools is used up, it is an error, others live, and what is given back can be used again.
// Over pools that are small: 8 connections, 8 UDP sockets, 16 buffers, 64 KiB of heap.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <map>
#include <string>
#include <vector>

#include "loopback.hpp"
#include "lwip/priv/tcp_priv.h"
#include "lwip/stats.h"
#include "memory_hook.hpp"
#include "raw_peer.hpp"
#include "sys/lwip/tcp.hpp"
#include "wire.hpp"

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

tcp_pcb& pcb_of(Socket& one) { return *sys::find(one.fileno())->tcp; }

// Divides the window: where lwIP cuts a segment to fit into it, its check of the heap (MEM_OVERFLOW_CHECK) is wrong.
constexpr std::uint16_t tiny_mss = 80;
static_assert(TCP_WND % tiny_mss == 0);

// Sends until neither lwIP nor the peer, which does not read, takes any more.
void fill(Socket& one) {
    must(one.setblocking(false));
    for (int tries = 0; tries < 100; ++tries) {
        const auto sent = one.send(std::string(std::size_t{16} * tiny_mss, 'x'));
        if (sent) tries = 0;
        usocket_lwip_turn();
    }
}

// RFC 879's option may say 1: a segment a byte, out of what all connections share.
TEST(Scarce, STACK_2_a_peer_that_wants_tiny_segments_does_not_get_them) {
    Pair pair = tcp_pair();
    {
        const sys::Guard guard;
        pcb_of(pair.here).mss = 1;
    }
    must(pair.here.setblocking(false));
    EXPECT_EQ(must(pair.here.send(std::string(200, 'x'))), 200u);
    EXPECT_LE(tcp_sndqueuelen(&pcb_of(pair.here)), 5u);
    EXPECT_EQ(must(pair.there.read(200)).size(), 200u);
}

// What poll() says and what send() does are the same, or whoever waits goes round and round.
TEST(Scarce, STACK_2_POLL_1_what_cannot_be_sent_for_want_of_memory_is_not_ready_until_there_is_some) {
    Pair pair = tcp_pair();
    must(pair.here.setblocking(false));
    must(pair.here.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1));
    for (int i = 0; i < 4; ++i) EXPECT_EQ(must(pair.here.send(std::string(TCP_MSS, 'x'))), unsigned{TCP_MSS});
    while (must(sys::queued(pair.there.fileno())) != TCP_WND) usocket_lwip_turn();
    EXPECT_EQ(must(pair.here.send("y")), 1u);  // which the peer has no window for
    Poll poll;
    must(poll.register_(pair.here, POLLOUT));
    const auto is_ready = [&](Timeout timeout) {
        Poll::Event event[1];
        return must(poll.poll(event, 1, timeout)) == 1;
    };
    EXPECT_TRUE(is_ready(0s));
    std::vector<void*> hog;
    {
        const sys::Guard guard;
        for (mem_size_t size = 4096; size >= 16; size /= 2) {
            while (void* memory = mem_malloc(size)) hog.push_back(memory);
        }
    }
    EXPECT_EQ(pair.here.send(std::string(1000, 'z')).error(), Error(EAGAIN));
    EXPECT_FALSE(is_ready(0s));
    {
        const sys::Guard guard;
        for (void* memory : hog) mem_free(memory);
    }
    EXPECT_TRUE(is_ready(10s));
    EXPECT_EQ(must(pair.here.send(std::string(1000, 'z'))), 1000u);
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

// --- What lwIP itself counts

// Of each pool, the heap last. Connections that wait out their time are there for whoever needs their place; timers run
// while there are connections.
std::map<int, std::size_t> in_use() {
    const sys::Guard guard;
    sys::turn();
    std::map<int, std::size_t> used;
    for (int i = 0; i < MEMP_MAX; ++i) used[i] = lwip_stats.memp[i]->used;
    for (const tcp_pcb* pcb = tcp_tw_pcbs; pcb != nullptr; pcb = pcb->next) --used[MEMP_TCP_PCB];
    used[MEMP_SYS_TIMEOUT] = 0;
    used[MEMP_MAX] = lwip_stats.mem.used;
    return used;
}
void expect_all_given_back(const std::map<int, std::size_t>& before) {
    const auto start = std::chrono::steady_clock::now();
    while (in_use() != before && std::chrono::steady_clock::now() - start < 20s) sys::yield_thread();
    EXPECT_EQ(in_use(), before);
    std::size_t sockets = 0;
    for (int fd = 0; fd < USOCKET_LWIP_SOCKETS; ++fd) sockets += sys::find(fd) != nullptr ? 1 : 0;
    EXPECT_EQ(sockets, 0u);
}

TEST(Scarce, STACK_2_whatever_a_connection_comes_to_lwIP_has_all_of_it_again) {
    const auto before = in_use();
    for (int i = 0; i < 200; ++i) {
        Pair pair = tcp_pair();
        for (Socket* one : {&pair.here, &pair.there}) must(one->settimeout(20s));
        must(pair.here.write(std::string(3000, 'x')));
        switch (i % 8) {
            case 0: break;                                     // unread
            case 1: must(pair.here.shutdown(SHUT_WR)); break;  // and half of it ended
            case 2: EXPECT_EQ(must(pair.there.read(3000)).size(), 3000u); break;
            case 3: EXPECT_EQ(must(pair.there.read(1000)).size(), 1000u); break;
            case 4: must(pair.there.shutdown(SHUT_RD)); break;
            case 5: {
                const linger none{1, 0};
                must(pair.here.setsockopt(SOL_SOCKET, SO_LINGER, ConstBuffer(&none, sizeof none)));
                break;
            }
            case 6: {
                Socket copy = must(pair.there.dup());
                EXPECT_EQ(must(copy.read(10)).size(), 10u);
                break;
            }
            default: {
                must(pair.here.setblocking(false));
                while (pair.here.send(std::string(1000, 'x'))) {
                }
            }
        }
        if (i % 2 == 0) pair.here.close();
    }
    expect_all_given_back(before);
}

// A soft reset: nobody has closed anything.
TEST(Scarce, STACK_3_a_reset_closes_every_socket_and_lwIP_has_all_of_it_again) {
    const auto before = in_use();
    {
        Address address;
        Socket server = listener(address);
        Socket pending = must(socket());
        must(pending.connect(address));
        Pair pair = tcp_pair();
        must(pair.here.write("unread"));
        Socket copy = must(pair.there.dup());
        Pair datagrams = udp_pair();
        must(datagrams.here.send("unread"));
        must(datagrams.there.join_group(must(Address::inet(AF_INET, "239.1.2.3", 0))));
        Poll poll;
        must(poll.register_(pair.here, POLLIN));
        usocket_lwip_reset();
        expect_all_given_back(before);
        EXPECT_EQ(pair.here.recv(1, MSG_DONTWAIT).error(), Error(EBADF));
        // The numbers are free.
        expect_alive();
    }
    expect_alive();
}

// A server of the program that begins afterwards has the same port.
TEST(Scarce, STACK_3_a_reset_leaves_no_port_taken_by_a_connection_that_waits_out_its_time) {
    Address address;
    {
        Socket server = listener(address);
        Socket client = must(socket());
        must(client.connect(address));
        Socket conn = std::move(must(server.accept()).socket);
        conn.close();
        EXPECT_EQ(must(client.read()).size(), 0u);
    }
    EXPECT_EQ(must(socket()).bind(address).error(), Error(EADDRINUSE));
    usocket_lwip_reset();
    Socket again = must(socket());
    must(again.bind(address));
    must(again.listen(1));
}

// --- What comes over an interface comes in buffers of a pool

// A connection over the wire.
Pair wire_pair() {
    Socket server = must(socket());
    must(server.bind(must(Address::inet(AF_INET, Wire::here, 0))));
    must(server.listen(1));
    Pair pair;
    pair.here = must(socket());
    must(pair.here.settimeout(20s));
    must(pair.here.connect(must(Address::inet(AF_INET, Wire::there, must(server.getsockname()).port()))));
    pair.there = std::move(must(server.accept()).socket);
    must(pair.there.settimeout(20s));
    return pair;
}
void expect_alive_over_the_wire() {
    Pair pair = wire_pair();
    must(pair.here.write(std::string(4000, 'x')));
    EXPECT_EQ(must(pair.there.read(4000)).size(), 4000u);
}

TEST(Scarce, STACK_2_datagrams_that_nobody_reads_leave_buffers_for_others) {
    const Wire wire;
    Socket deaf = must(socket(AF_INET, SOCK_DGRAM)), sender = must(socket(AF_INET, SOCK_DGRAM));
    must(deaf.bind(must(Address::inet(AF_INET, Wire::here, 0))));
    const Address target = must(Address::inet(AF_INET, Wire::there, must(deaf.getsockname()).port()));
    for (int i = 0; i < 100; ++i) must(sender.sendto("x", target));
    expect_alive_over_the_wire();
    EXPECT_EQ(must(deaf.recv(10)).view(), "x");
}

// Opens `one` for datagrams that come to `here`; returns where others, who know that as `there`, send them.
Address open_datagrams(Socket& one, const char* here = Wire::here, const char* there = Wire::there) {
    one = must(socket(AF_INET, SOCK_DGRAM));
    must(one.bind(must(Address::inet(AF_INET, here, 0))));
    must(one.settimeout(5s));
    return must(Address::inet(AF_INET, there, must(one.getsockname()).port()));
}

// Of the places for datagrams, which are all that those of the loopback interface need, and of buffers.
TEST(Scarce, STACK_2_datagrams_that_nobody_reads_leave_room_for_those_of_others) {
    const Wire wire;
    for (const bool over_wire : {false, true}) {
        const char* here = over_wire ? Wire::here : "127.0.0.1";
        const char* there = over_wire ? Wire::there : here;
        Socket deaf[2], sender = must(socket(AF_INET, SOCK_DGRAM)), other = must(socket(AF_INET, SOCK_DGRAM));
        for (Socket& one : deaf) {
            const Address target = open_datagrams(one, here, there);
            for (char i = 'a'; i <= 'z'; ++i) must(sender.sendto(std::string(1, i), target));
        }
        const Address target = open_datagrams(other, here, there);
        for (const char* text : {"one", "two", "three"}) must(sender.sendto(text, target));
        for (const char* text : {"one", "two", "three"}) EXPECT_EQ(must(other.recv(10)).view(), text);
        // None of those that were there is lost.
        for (Socket& one : deaf) {
            EXPECT_EQ(must(one.recv(10)).view(), "a");
            EXPECT_EQ(must(one.recv(10)).view(), "b");
        }
    }
}

// One that has more buffers than all of them together may have is lost alone.
TEST(Scarce, STACK_2_a_datagram_that_never_fits_costs_nobody_another) {
    const Wire wire;
    Socket late, other, sender = must(socket(AF_INET, SOCK_DGRAM));
    const Address target = open_datagrams(late);
    for (const char* text : {"one", "two", "three"}) must(sender.sendto(text, target));
    const Address others = open_datagrams(other);
    must(sender.sendto(std::string(13'000, 'x'), others));
    must(sender.sendto("small", others));
    EXPECT_EQ(must(other.recv(10)).view(), "small");
    for (const char* text : {"one", "two", "three"}) EXPECT_EQ(must(late.recv(10)).view(), text);
}

// Each comes in a buffer of its own, which is large.
TEST(Scarce, STACK_2_single_bytes_that_nobody_reads_leave_buffers_for_others) {
    const Wire wire;
    Pair deaf = wire_pair();
    must(deaf.here.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1));
    std::string sent;
    for (char i = 0; i < 100; ++i) {
        sent += i;
        must(deaf.here.write(sent.substr(sent.size() - 1)));
    }
    expect_alive_over_the_wire();
    EXPECT_EQ(must(deaf.there.read(100)).view(), sent);
}

// Half a buffer each, and a little more: two do not fit into one.
TEST(Scarce, STACK_2_segments_that_nobody_reads_fill_their_buffers) {
    const Wire wire;
    Pair deaf = wire_pair();
    must(deaf.here.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1));
    std::string sent;
    for (char i = 0; i < 7; ++i) {
        std::string piece(800, ' ');
        for (char& c : piece) c = static_cast<char>(i * 17 + (&c - piece.data()) % 251);
        sent += piece;
        must(deaf.here.write(piece));
        while (must(sys::queued(deaf.there.fileno())) != sent.size()) sys::yield_thread();
    }
    EXPECT_LE(lwip_stats.memp[MEMP_PBUF_POOL]->used, 4u);
    EXPECT_EQ(must(deaf.there.read(sent.size())).view(), sent);
}

// Three connections over the wire that hold what a connection may hold, in the smallest segments.
std::vector<Pair> stuffed_pairs() {
    std::vector<Pair> pairs;
    for (int i = 0; i < 3; ++i) {
        pairs.push_back(wire_pair());
        const sys::Guard guard;
        pcb_of(pairs.back().here).mss = tiny_mss;
    }
    for (Pair& pair : pairs) fill(pair.here);
    return pairs;
}

// Three could hold all segments that there are: one and a half times as many.
TEST(Scarce, STACK_2_peers_that_take_nothing_leave_segments_for_others) {
    const Wire wire;
    std::vector<Pair> pairs = stuffed_pairs();
    EXPECT_GE(lwip_stats.memp[MEMP_TCP_SEG]->used, 20u);
    expect_alive();
    Pair other = tcp_pair();
    for (Socket* one : {&other.here, &other.there}) must(one->settimeout(20s));
    for (int i = 0; i < 10; ++i) {
        must(other.here.write(std::string(3000, 'x')));
        EXPECT_EQ(must(other.there.read(3000)).size(), 3000u);
    }
}

TEST(Scarce, STACK_2_closed_connections_whose_peers_take_nothing_give_way) {
    const Wire wire;
    std::vector<Pair> pairs = stuffed_pairs();
    const auto held = [] { return lwip_stats.memp[MEMP_TCP_SEG]->used; };
    const auto before = held();
    EXPECT_GE(before, 20u);
    const auto most = before - before / 4;  // what one of three holds has come back, but for the others' FINs
    for (Pair& pair : pairs) pair.here.close();
    const auto start = std::chrono::steady_clock::now();
    while (held() > most && std::chrono::steady_clock::now() - start < 20s) expect_alive();
    EXPECT_LE(held(), most);
}

// Connections of peers that take nothing, filled. Segments for a window of 100 bytes have 50.
std::vector<Socket> deaf_connections(Wire& wire, std::uint16_t count, std::uint16_t window) {
    std::uint16_t port = 0;
    Socket server = listener_at(Wire::here, port);
    std::vector<Socket> deaf;
    for (std::uint16_t i = 0; i < count; ++i) {
        RawPeer peer{static_cast<std::uint16_t>(2000 + i), port, window, TCP_MSS};
        deaf.push_back(peer.connect(wire, server));
        must(deaf.back().setblocking(false));
        while (deaf.back().send(std::string(TCP_SND_BUF, 'x'))) {
        }
    }
    return deaf;
}
constexpr std::uint16_t small_window = 100;

std::size_t segments_in_use() { return lwip_stats.memp[MEMP_TCP_SEG]->used; }

TEST(Scarce, STACK_2_peers_with_small_windows_leave_segments_for_others) {
    Wire wire;
    std::vector<Socket> deaf = deaf_connections(wire, 3, small_window);
    ASSERT_LE(segments_in_use(), std::size_t{MEMP_NUM_TCP_SEG * 7 / 8});
    expect_alive();
    expect_alive_over_the_wire();
}

// Nothing is sent that could tell that memory is short.
TEST(Scarce, STACK_2_closed_connections_give_way_whoever_needs_memory) {
    Wire wire;
    std::vector<Socket> deaf = deaf_connections(wire, 3, small_window);
    deaf.clear();
    const auto start = std::chrono::steady_clock::now();
    while (segments_in_use() >= 20 && std::chrono::steady_clock::now() - start < 20s) sys::yield_thread();
    EXPECT_LT(segments_in_use(), 20u);
}

// As many peers as there are places take all that connections may queue.
TEST(Scarce, STACK_2_who_has_nothing_queued_waits_while_others_hold_the_memory) {
    Wire wire;
    Pair pair = tcp_pair();
    std::vector<Socket> deaf = deaf_connections(wire, 6, small_window);
    must(pair.here.setblocking(false));
    EXPECT_EQ(pair.here.send("x").error(), Error(EAGAIN));
    Poll poll;
    must(poll.register_(pair.here, POLLOUT));
    Poll::Event event[1];
    EXPECT_EQ(must(poll.poll(event, 1, 100ms)), 0u);
    must(pair.here.settimeout(100ms));
    EXPECT_EQ(pair.here.write("x").error(), Error(ETIMEDOUT));
    const linger none{1, 0};
    must(deaf[0].setsockopt(SOL_SOCKET, SO_LINGER, ConstBuffer(&none, sizeof none)));
    deaf[0].close();
    EXPECT_EQ(must(poll.poll(event, 1, 10s)), 1u);
    must(pair.here.write("y\n"));
    must(pair.there.settimeout(20s));
    EXPECT_EQ(must(pair.there.readline()).view(), "y\n");
}

TEST(Scarce, STACK_2_the_peer_that_takes_nothing_for_the_longest_time_gives_way) {
    Wire wire;
    Pair pair = tcp_pair();
    std::vector<Socket> deaf = deaf_connections(wire, 6, small_window);
    {
        const sys::Guard guard;
        sys::find(deaf[1].fileno())->moved_at -= (USOCKET_LWIP_STUCK + 2) * 1000;
        sys::find(deaf[2].fileno())->moved_at -= (USOCKET_LWIP_STUCK + 1) * 1000;
    }
    for (Socket* one : {&pair.here, &pair.there}) must(one->settimeout(20s));
    must(pair.here.write("ping\n"));
    EXPECT_EQ(must(pair.there.readline()).view(), "ping\n");
    EXPECT_EQ(deaf[1].send("x").error(), Error(ECONNABORTED));
    for (const std::size_t other : {0u, 2u, 3u, 4u, 5u}) {
        const auto sent = deaf[other].send("x");
        EXPECT_TRUE(sent || sent.error() == Error(EAGAIN)) << sent.error().message();
    }
}

// --- Peers that have gone

// Where each place for a connection is one's of which its program has no more: they have had what was sent, or not.
class Gone : public testing::TestWithParam<bool> {
protected:
    Gone() {
        std::uint16_t port = 0;
        Socket server = listener_at(Wire::here, port);
        for (std::uint16_t i = 0; i < MEMP_NUM_TCP_PCB; ++i) {
            RawPeer peer{static_cast<std::uint16_t>(2000 + i), port};
            Socket conn = peer.connect(wire_, server);
            must(conn.write("bye"));
            conn.close();
            if (GetParam()) peer.acknowledge(wire_);
        }
        EXPECT_EQ(in_use()[MEMP_TCP_PCB], MEMP_NUM_TCP_PCB);
        server_ = std::move(server);
        port_ = port;
    }
    Wire wire_;
    Socket server_;
    std::uint16_t port_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Acknowledged, Gone, testing::Bool());

TEST_P(Gone, STACK_2_closed_connections_give_way_to_sockets) {
    const auto start = std::chrono::steady_clock::now();
    Result<Socket> own = socket();
    while (!own && std::chrono::steady_clock::now() - start < 20s) {
        sys::yield_thread();
        own = socket();
    }
    EXPECT_TRUE(own) << own.error().message();
}

TEST_P(Gone, STACK_2_closed_connections_give_way_to_who_connects) {
    RawPeer late{3000, port_};
    must(server_.setblocking(false));
    const auto start = std::chrono::steady_clock::now();
    auto conn = server_.accept();
    while (!conn && std::chrono::steady_clock::now() - start < 20s) {
        wire_.inject(late.segment(RawPeer::syn));
        usocket_lwip_turn();
        late.acknowledge(wire_);
        conn = server_.accept();
    }
    EXPECT_TRUE(conn) << conn.error().message();
}

// Of those that are closed all places are taken, and their peers are slow: for long they take nothing, then all of it.
TEST(Scarce, STACK_2_closed_connections_whose_peers_are_slow_do_not_give_way) {
    Wire wire;
    std::uint16_t port = 0;
    Socket server = listener_at(Wire::here, port);
    std::vector<RawPeer> peers;
    for (std::uint16_t i = 0; i < MEMP_NUM_TCP_PCB; ++i) {
        peers.push_back({static_cast<std::uint16_t>(2000 + i), port});
        Socket conn = peers.back().connect(wire, server);
        must(conn.write("bye"));
        conn.close();
    }
    const auto all = [](auto holds) {
        const sys::Guard guard;
        unsigned count = 0;
        for (tcp_pcb* pcb = tcp_active_pcbs; pcb != nullptr; pcb = pcb->next) count += holds(*pcb) ? 1 : 0;
        return count == MEMP_NUM_TCP_PCB;
    };
    const auto pass_ticks = [] {
        const std::uint32_t before = tcp_ticks;
        while (tcp_active_pcbs != nullptr && tcp_ticks - before < 3) sys::yield_thread();
    };
    while (!all([](tcp_pcb& pcb) { return pcb.nrtx > 1; })) sys::yield_thread();
    ASSERT_TRUE(all([](tcp_pcb& pcb) {
        pcb.tmr -= 5000 / TCP_SLOW_INTERVAL;  // that long ago
        return true;
    }));
    pass_ticks();
    for (const RawPeer& peer : peers) peer.acknowledge(wire);
    EXPECT_TRUE(all([](tcp_pcb& pcb) { return pcb.state == FIN_WAIT_2; }));
    pass_ticks();
    EXPECT_EQ(socket().error(), Error(ENOBUFS));
    EXPECT_EQ(in_use()[MEMP_TCP_PCB], MEMP_NUM_TCP_PCB);
}

// --- Floods

TEST(Scarce, STACK_2_a_flood_of_SYNs_leaves_places_for_connections_of_our_own) {
    Wire wire;
    std::uint16_t port = 0;
    const Socket victim = listener_at(Wire::here, port);
    for (std::uint16_t i = 0; i < 100; ++i) {
        const RawPeer peer{static_cast<std::uint16_t>(1000 + i), port};
        wire.inject(peer.segment(RawPeer::syn));
    }
    usocket_lwip_turn();
    EXPECT_EQ(in_use()[MEMP_TCP_PCB], MEMP_NUM_TCP_PCB);
    std::vector<Socket> own;
    for (int i = 0; i < 4; ++i) own.push_back(must(socket()));
    own.clear();
    for (int i = 0; i < 5; ++i) expect_alive();
}

// Those that are reset before they are accepted.
TEST(Scarce, STACK_2_a_flood_of_connections_that_are_gone_leaves_sockets_for_others) {
    Address address;
    Socket server = listener(address, 3);
    for (int i = 0; i < 100; ++i) {
        Socket client = must(socket());
        const linger none{1, 0};
        must(client.setsockopt(SOL_SOCKET, SO_LINGER, ConstBuffer(&none, sizeof none)));
        must(client.settimeout(20s));
        must(client.connect(address));
    }
    expect_alive();
    Socket client = must(socket());
    must(client.connect(address));
    must(client.write("alive"));
    must(server.settimeout(20s));
    std::string got;
    int accepted = 0;
    for (; got.empty() && accepted < 5; ++accepted) {
        Socket conn = std::move(must(server.accept()).socket);
        must(conn.settimeout(20s));
        const auto read = conn.recv(10);
        if (read) got = read->view();
    }
    EXPECT_EQ(got, "alive");
    EXPECT_LE(accepted, 3);
}

// --- The host's memory

// A collector that runs then may close sockets.
TEST(Scarce, STACK_3_memory_is_not_asked_for_while_others_are_kept_out) {
    Socket one = must(socket(AF_INET, SOCK_DGRAM));
    std::size_t asked = 0;
    on_resize = [&] {
        const sys::Guard guard;
        ++asked;
    };
    Poll poll;
    must(poll.register_(one, POLLIN));
    must(poll.modify(one, POLLIN | POLLOUT));
    must(poll.unregister(one));
    (void)must(getaddrinfo("127.0.0.1", 80));
    on_resize = nullptr;
    EXPECT_GE(asked, 2u);
}

// What was given back is all there again.
TEST(Scarce, STACK_2_a_thousand_connections_one_after_the_other) {
    for (int i = 0; i < 1000; ++i) expect_alive();
}

}  // namespace
}  // namespace usocket::tests
