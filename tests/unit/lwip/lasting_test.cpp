// STACK-2, SOCK-7: a PCB that is gone, as after an attempt that was refused, takes nothing along that its socket was
// told.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "loopback.hpp"
#include "sys/lwip/table.hpp"

namespace usocket::tests {
namespace {

struct Option {
    int level, name, value;
};
constexpr Option lasting[] = {
    {SOL_SOCKET, SO_REUSEADDR, 1},   {SOL_SOCKET, SO_KEEPALIVE, 1},   {SOL_SOCKET, SO_BROADCAST, 1},
    {IPPROTO_IP, IP_TTL, 33},        {IPPROTO_IP, IP_TOS, 0x10},      {IPPROTO_TCP, TCP_NODELAY, 1},
    {IPPROTO_TCP, TCP_KEEPIDLE, 71}, {IPPROTO_TCP, TCP_KEEPINTVL, 7}, {IPPROTO_TCP, TCP_KEEPCNT, 5},
};

void expect_lasting(Socket& one) {
    for (const Option& option : lasting)
        EXPECT_EQ(must(one.getsockopt(option.level, option.name)), option.value) << option.name;
    const sys::Guard guard;
    const tcp_pcb* pcb = sys::find(one.fileno())->tcp;
    if (pcb == nullptr) return;
    EXPECT_EQ(pcb->so_options & (SOF_REUSEADDR | SOF_KEEPALIVE | SOF_BROADCAST),
              SOF_REUSEADDR | SOF_KEEPALIVE | SOF_BROADCAST);
    EXPECT_EQ(pcb->ttl, 33);
    EXPECT_EQ(pcb->tos, 0x10);
    EXPECT_TRUE(tcp_nagle_disabled(pcb));
    EXPECT_EQ(pcb->keep_idle, 71'000u);
    EXPECT_EQ(pcb->keep_intvl, 7'000u);
    EXPECT_EQ(pcb->keep_cnt, 5u);
}

TEST(Lasting, STACK_2_SOCK_7_an_attempt_that_was_refused_leaves_options_and_the_port) {
    for (const char* host : {"", "127.0.0.1"}) {
        SCOPED_TRACE(host);
        const Refusing nobody;
        Address there;
        Socket server = listener(there), client = must(socket());
        for (const Option& option : lasting) must(client.setsockopt(option.level, option.name, option.value));
        must(client.bind(must(Address::inet(AF_INET, host, 0))));
        const Address bound = must(client.getsockname());
        for (int i = 0; i < 3; ++i) {
            EXPECT_EQ(client.connect(nobody.address).error(), Error(ECONNREFUSED));
            expect_lasting(client);
            EXPECT_EQ(must(client.getsockname()), bound);
            EXPECT_EQ(client.bind(any_port()).error(), Error(EINVAL));
        }
        must(client.connect(there));
        expect_lasting(client);
        EXPECT_EQ(must(server.accept()).address.port(), bound.port());
    }
}

TEST(Lasting, STACK_2_SOCK_7_options_that_are_set_between_two_attempts_hold_for_the_second) {
    const Refusing nobody;
    Address there;
    Socket server = listener(there), client = must(socket());
    EXPECT_EQ(client.connect(nobody.address).error(), Error(ECONNREFUSED));
    for (const Option& option : lasting) must(client.setsockopt(option.level, option.name, option.value));
    expect_lasting(client);
    must(client.connect(there));
    expect_lasting(client);
}

// Its port may be somebody else's meanwhile.
TEST(Lasting, STACK_2_SOCK_7_a_second_attempt_does_not_take_a_port_that_is_taken) {
    const Refusing nobody;
    Address there;
    Socket server = listener(there), client = must(socket());
    must(client.bind(any_port()));
    EXPECT_EQ(client.connect(nobody.address).error(), Error(ECONNREFUSED));
    Socket other = must(socket());
    must(other.bind(must(client.getsockname())));
    EXPECT_EQ(client.connect(there).error(), Error(EADDRINUSE));
    other.close();
    must(client.connect(there));
}

TEST(Lasting, STACK_2_SOCK_7_a_listener_that_was_shut_down_listens_again_on_its_port) {
    Socket server = must(socket());
    must(server.bind(any_port()));
    const Address bound = must(server.getsockname());
    for (int i = 0; i < 2; ++i) {
        must(server.listen(1));
        Socket client = must(socket());
        must(client.connect(bound));
        must(server.shutdown(SHUT_RDWR));
        EXPECT_EQ(must(server.getsockname()), bound);
    }
}

TEST(Lasting, STACK_2_SOCK_7_a_connection_that_is_accepted_has_its_listeners_options) {
    Address address;
    Socket server = listener(address);
    for (const Option& option : lasting) must(server.setsockopt(option.level, option.name, option.value));
    Socket client = must(socket());
    must(client.connect(address));
    Socket conn = std::move(must(server.accept()).socket);
    expect_lasting(conn);
}

}  // namespace
}  // namespace usocket::tests
