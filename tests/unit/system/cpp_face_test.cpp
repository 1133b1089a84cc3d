// CPP-1: a C++ program finds the reference's names, with the reference's meaning, in one header. Nothing to initialise.
#include <usocket/usocket.hpp>

#include <gtest/gtest.h>

#include <array>
#include <compare>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using usocket::Address, usocket::Socket;

// CPP-1: RAII, move-only.
template <class T>
constexpr bool is_move_only =
    std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T> &&
    std::is_nothrow_default_constructible_v<T> && !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T>;
static_assert(is_move_only<Socket> && is_move_only<usocket::Poll> && is_move_only<usocket::AddressInfoList>);
static_assert(is_move_only<usocket::Bytes>);
static_assert(std::forward_iterator<usocket::AddressInfoList::Iterator>);
// An address is a value.
static_assert(std::is_trivially_copyable_v<Address> && std::is_nothrow_default_constructible_v<Address>);
static_assert(std::three_way_comparable<Address> && sizeof(Address) <= Address::max_size + 8);
static_assert(std::is_same_v<decltype(usocket::getaddrinfo("", 0)), usocket::Result<usocket::AddressInfoList>>);
static_assert(std::is_same_v<decltype(std::declval<usocket::AddressInfoList>().front()), usocket::AddressInfo>);

// Before main(), when no static object of the library's need have been made.
const bool works_before_main = usocket::socket().has_value() && usocket::constants().count > 0;

// CPP-1
TEST(CppFace, CPP_1_nothing_to_initialise) { EXPECT_TRUE(works_before_main); }

// CPP-1: every method of the reference's socket, in the order in which it lists them, as a program would call them.
TEST(CppFace, CPP_1_the_references_methods) {
    Socket server = usocket::socket().value();
    server.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1).value();
    server.bind(Address::inet(AF_INET, "127.0.0.1", 0).value()).value();
    server.listen(1).value();
    const Address address = server.getsockname().value();

    Socket client = usocket::socket(AF_INET, SOCK_STREAM).value();
    client.connect(address).value();
    usocket::Accepted accepted = server.accept().value();
    Socket& conn = accepted.socket;
    EXPECT_EQ(accepted.address, client.getsockname().value());

    EXPECT_EQ(client.send("send ").value(), 5u);
    client.sendall("sendall").value();
    EXPECT_EQ(conn.recv(12, MSG_WAITALL).value().view(), "send sendall");

    client.settimeout(std::chrono::seconds(10)).value();
    client.setblocking(true).value();
    EXPECT_EQ(client.write("a line\nand four more").value(), 20u);
    EXPECT_EQ(conn.readline().value().view(), "a line\n");
    EXPECT_EQ(conn.read(4).value().view(), "and ");
    std::array<char, 9> buf{};
    EXPECT_EQ(conn.readinto(buf).value(), 9u);
    EXPECT_EQ(std::string_view(buf.data(), buf.size()), "four more");
    client.close();
    EXPECT_EQ(conn.read().value().size(), 0u);
}

// CPP-1
TEST(CppFace, CPP_1_sendto_and_recvfrom) {
    Socket one = usocket::socket(AF_INET, SOCK_DGRAM).value(), two = usocket::socket(AF_INET, SOCK_DGRAM).value();
    one.bind(Address::inet(AF_INET, "127.0.0.1", 0).value()).value();
    two.bind(Address::inet(AF_INET, "127.0.0.1", 0).value()).value();
    one.sendto("datagram", two.getsockname().value()).value();
    const usocket::Received received = two.recvfrom(100).value();
    EXPECT_EQ(received.bytes.view(), "datagram");
    EXPECT_EQ(received.address, one.getsockname().value());
}

// ADDR-1
TEST(CppFace, ADDR_1_of_a_connection_the_sender_is_the_peer) {
    Socket listener = usocket::listen(Address::inet(AF_INET, "127.0.0.1", 0).value()).value();
    Socket client = usocket::connect("127.0.0.1", listener.getsockname().value().port()).value();
    Socket conn = listener.accept().value().socket;
    client.write("ab").value();
    std::array<std::uint8_t, 1> byte{};
    EXPECT_EQ(conn.recvfrom(1).value().address, client.getsockname().value());
    EXPECT_EQ(conn.recvfrom_into(byte).value().address, client.getsockname().value());
}

// CPP-1
TEST(CppFace, CPP_1_functions_of_the_module) {
    const auto found = usocket::getaddrinfo("127.0.0.1", 80, AF_INET, SOCK_STREAM).value();
    EXPECT_FALSE(found.empty());
    for (const usocket::AddressInfo info : found) {
        EXPECT_EQ(info.sockaddr.port(), 80);
    }
    const auto packed = usocket::inet_pton(AF_INET, "1.2.3.4").value();
    EXPECT_EQ(usocket::inet_ntop(AF_INET, {packed.bytes.data(), packed.size}).value().view(), "1.2.3.4");
    usocket::SocketPair pair = usocket::socketpair().value();
    usocket::Poll poll;
    poll.register_(pair.first, POLLIN, nullptr).value();
    pair.second.write("x").value();
    usocket::Poll::Event events[4];
    EXPECT_EQ(poll.poll(events).value(), 1u);
    EXPECT_EQ(events[0].events, static_cast<unsigned>(POLLIN));
}

// CPP-1: what holds bytes is taken as it is, and a literal ends before its NUL.
TEST(CppFace, CPP_1_buffers) {
    usocket::SocketPair pair = usocket::socketpair().value();
    const std::array<std::uint16_t, 2> numbers{0x4141, 0x4242};
    pair.first.sendall("literal").value();
    pair.first.sendall(std::string("string")).value();
    pair.first.sendall(std::string_view("view")).value();
    pair.first.sendall(numbers).value();
    pair.first.sendall({"bytes", 2}).value();
    EXPECT_EQ(pair.second.read(23).value().view(), "literalstringviewAABBby");
}

// CPP-4: a write of an array of char sends what it says.
TEST(CppFace, CPP_4_arrays_of_char) {
    usocket::SocketPair pair = usocket::socketpair().value();
    const auto sent = [&](usocket::ConstBuffer bytes) {
        EXPECT_EQ(pair.first.write(bytes).value(), bytes.size());
        return std::string(pair.second.recv(100).value().view());
    };
    using namespace std::string_literals;
    EXPECT_EQ(sent("abc"), "abc");
    EXPECT_EQ(sent("a\0b"), "a\0b"s);
    EXPECT_EQ(sent("ends\0"), "ends\0"s);
    static constexpr char without_nul[] = {'x', 'y', 'z'};
    EXPECT_EQ(sent(without_nul), "xyz");
    const char* text = "c string";
    EXPECT_EQ(sent(text), "c string");
    char buffer[8] = "abc";
    EXPECT_EQ(sent({buffer, 8}), "abc\0\0\0\0\0"s);
    EXPECT_EQ(sent(std::string_view(buffer)), "abc");
    static_assert(!std::is_constructible_v<usocket::ConstBuffer, char (&)[8]>, "how much of it?");
    EXPECT_EQ(sent(u8"ä"), "\xc3\xa4");
    static_assert(!std::is_constructible_v<usocket::ConstBuffer, const wchar_t(&)[8]>, "in which encoding?");
}

// CPP-4: what only points to bytes is not sent as if it were them.
TEST(CppFace, CPP_4_pointers_are_no_bytes) {
    using usocket::ConstBuffer;
    using usocket::MutableBuffer;
    struct Point {
        int x, y;
    };
    static_assert(std::is_constructible_v<ConstBuffer, const std::vector<Point>&>);
    static_assert(std::is_constructible_v<MutableBuffer, std::array<std::byte, 4>&>);
    static_assert(!std::is_constructible_v<ConstBuffer, const std::array<ConstBuffer, 2>&>, "sendmsg() takes those");
    static_assert(!std::is_constructible_v<ConstBuffer, const std::vector<std::string_view>&>);
    static_assert(!std::is_constructible_v<ConstBuffer, const std::vector<const char*>&>);
    static_assert(!std::is_constructible_v<MutableBuffer, std::vector<MutableBuffer>&>);
}

// CPP-1: sinks into Bytes, whose memory moves.
TEST(CppFace, CPP_1_bytes_move) {
    usocket::SocketPair pair = usocket::socketpair().value();
    const std::string much(100'000, 'm');
    std::jthread writer([&] {
        pair.first.sendall(much).value();
        pair.first.shutdown(SHUT_WR).value();
    });
    usocket::Bytes bytes = pair.second.read().value();
    const auto* data = bytes.data();
    usocket::Bytes moved = std::move(bytes);
    EXPECT_EQ(moved.data(), data);
    EXPECT_TRUE(bytes.empty());
    EXPECT_TRUE(moved.view() == much);
    EXPECT_EQ(static_cast<std::size_t>(std::distance(moved.begin(), moved.end())), much.size());
}

}  // namespace
