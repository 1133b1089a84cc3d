// ADDR-1..7: addresses are made, taken apart and compared as the rules say, whatever bytes they are made from.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "loopback.hpp"
#include "random.hpp"

namespace usocket::tests {
namespace {

std::string text_of(ConstBuffer bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

sockaddr_in native_v4(const char* ip, std::uint16_t port) {
    sockaddr_in native{};
    native.sin_family = AF_INET;
    native.sin_port = htons(port);
    EXPECT_EQ(::inet_pton(AF_INET, ip, &native.sin_addr), 1);
    return native;
}

// ADDR-1
TEST(Addresses, ADDR_1_holds_the_native_sockaddr) {
    const sockaddr_in native = native_v4("127.1.2.3", 8080);
    const Address address = Address::inet(AF_INET, "127.1.2.3", 8080).value();
    ASSERT_EQ(address.size(), sizeof native);
    EXPECT_EQ(std::memcmp(address.data(), &native, sizeof native), 0);
    EXPECT_FALSE(address.empty());
}

TEST(Addresses, ADDR_1_the_same_endpoint_compares_equal_wherever_it_came_from) {
    sockaddr_in dirty = native_v4("127.0.0.1", 80);
    std::memset(dirty.sin_zero, 0xa5, sizeof dirty.sin_zero);
    const Address made = Address::inet(AF_INET, "127.0.0.1", 80).value();
    EXPECT_EQ(Address::from_native({&dirty, sizeof dirty}).value(), made);
    EXPECT_NE(Address::inet(AF_INET, "127.0.0.1", 81).value(), made);
    EXPECT_NE(Address::inet(AF_INET, "127.0.0.2", 80).value(), made);
    EXPECT_NE(made, Address());
    const auto order = made <=> Address::inet(AF_INET, "127.0.0.1", 81).value();
    EXPECT_TRUE(order != 0 && (order < 0) == (Address::inet(AF_INET, "127.0.0.1", 81).value() > made));
}

TEST(Addresses, ADDR_1_what_sockets_return_is_what_they_take) {
    Address listening;
    Socket server = listener(listening);
    Socket client = socket().value();
    client.connect(listening).value();
    const Accepted accepted = server.accept().value();
    EXPECT_EQ(client.getpeername().value(), listening);
    EXPECT_EQ(client.getsockname().value(), accepted.address);
    EXPECT_EQ(listening, Address::inet(AF_INET, "127.0.0.1", listening.port()).value());
}

TEST(Addresses, ADDR_1_an_empty_address_has_no_family) {
    const Address empty;
    EXPECT_TRUE(empty.empty());
    EXPECT_EQ(empty.size(), 0u);
    EXPECT_EQ(empty.family(), AF_UNSPEC);
    EXPECT_EQ(empty.port(), 0);
    EXPECT_EQ(empty.payload().size(), 0u);
    EXPECT_EQ(empty.host().view(), "");
}

// ADDR-2
TEST(Addresses, ADDR_2_numeric_hosts_are_taken) {
    for (const char* host : {"127.0.0.1", "0.0.0.0", "255.255.255.255"}) {
        EXPECT_EQ(Address::inet(AF_INET, host, 80).value().host().view(), host);
    }
    for (const char* host : {"::1", "::", "fe80::1", "1:2:3:4:5:6:7:8", "::ffff:127.0.0.1"}) {
        EXPECT_EQ(Address::inet(AF_INET6, host, 80).value().host().view(), host);
    }
}

TEST(Addresses, ADDR_2_an_empty_host_is_the_wildcard) {
    EXPECT_EQ(Address::inet(AF_INET, "", 80).value(), Address::inet(AF_INET, "0.0.0.0", 80).value());
    EXPECT_EQ(Address::inet(AF_INET6, "", 80).value(), Address::inet(AF_INET6, "::", 80).value());
}

TEST(Addresses, ADDR_2_a_name_is_a_fault_that_says_to_resolve_it) {
    using namespace std::string_view_literals;
    for (const std::string_view host :
         {"localhost"sv, "127.0.0.1 "sv, " 127.0.0.1"sv, "127.0.0.256"sv, "127.0.0.1\0"sv, "\0"sv}) {
        const auto made = Address::inet(AF_INET, host, 80);
        EXPECT_EQ(made.error(), Error(Fault::address_not_numeric)) << host;
        EXPECT_NE(std::strstr(made.error().message(), "getaddrinfo()"), nullptr);
    }
    for (const std::string_view host : {"ip6-localhost"sv, ":::"sv, "1:2:3:4:5:6:7:8:9"sv}) {
        EXPECT_EQ(Address::inet(AF_INET6, host, 80).error(), Error(Fault::address_not_numeric)) << host;
    }
    EXPECT_EQ(Address::inet(AF_INET, std::string(100'000, '1'), 80).error(), Error(Fault::address_not_numeric));
}

TEST(Addresses, ADDR_2_an_address_of_the_other_family) {
    EXPECT_EQ(Address::inet(AF_INET, "::1", 80).error(), Error(Fault::address_other_family));
    EXPECT_EQ(Address::inet(AF_INET6, "127.0.0.1", 80).error(), Error(Fault::address_other_family));
}

TEST(Addresses, ADDR_2_other_families_have_no_tuples) {
    for (const int family : {AF_UNIX, AF_UNSPEC, -1, 4711, INT_MAX, INT_MIN}) {
        EXPECT_EQ(Address::inet(family, "127.0.0.1", 80).error(), Error(Fault::address_family)) << family;
    }
}

// ADDR-3
TEST(Addresses, ADDR_3_ports) {
    for (const std::int64_t port : {0, 1, 255, 256, 65535}) {
        EXPECT_EQ(Address::inet(AF_INET, "127.0.0.1", port).value().port(), port);
        EXPECT_EQ(Address::inet(AF_INET6, "::1", port).value().port(), port);
    }
    for (const std::int64_t port :
         {std::int64_t{-1}, std::int64_t{65536}, std::int64_t{1} << 32, INT64_MAX, INT64_MIN}) {
        EXPECT_EQ(Address::inet(AF_INET, "127.0.0.1", port).error(), Error(Fault::port_range)) << port;
        EXPECT_EQ(Address::inet(AF_INET6, "::1", port).error(), Error(Fault::port_range)) << port;
    }
}

TEST(Addresses, ADDR_3_flowinfo_is_zero) {
    for (const std::int64_t flowinfo : {std::int64_t{1}, std::int64_t{-1}, std::int64_t{1} << 32, INT64_MIN}) {
        EXPECT_EQ(Address::inet(AF_INET6, "::1", 80, flowinfo).error(), Error(Fault::flowinfo_not_zero)) << flowinfo;
    }
    EXPECT_EQ(Address::inet(AF_INET6, "::1", 80, 0).value().flowinfo(), 0u);
}

TEST(Addresses, ADDR_3_scopeid_is_an_interface_index) {
    for (const std::int64_t scopeid : {0ll, 1ll, 0xffffffffll}) {
        EXPECT_EQ(Address::inet(AF_INET6, "fe80::1", 80, 0, scopeid).value().scopeid(), scopeid);
    }
    for (const std::int64_t scopeid : {std::int64_t{-1}, std::int64_t{1} << 32, INT64_MAX, INT64_MIN}) {
        EXPECT_EQ(Address::inet(AF_INET6, "::1", 80, 0, scopeid).error(), Error(Fault::scopeid_range)) << scopeid;
    }
}

TEST(Addresses, ADDR_3_what_is_wrong_in_code_is_EINVAL_and_says_which) {
    const Error error = Address::inet(AF_INET, "127.0.0.1", 70'000).error();
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_NE(std::strstr(error.message(), "port"), nullptr);
}

// ADDR-8: what an address is taken apart into makes an equal one.
Result<Address> again(const Address& address) {
    return Address::from_parts(address.family(), address.payload(), address.port(), address.flowinfo(),
                               address.scopeid());
}

TEST(Addresses, ADDR_8_parts_make_the_address_again) {
    sockaddr_in6 flow{};
    flow.sin6_family = AF_INET6;
    flow.sin6_port = htons(80);
    flow.sin6_flowinfo = htonl(0x12345678);
    flow.sin6_scope_id = 7;
    flow.sin6_addr = in6addr_loopback;
    for (const Address& address :
         {Address::inet(AF_INET, "127.1.2.3", 8080).value(), Address::inet(AF_INET6, "fe80::1", 80, 0, 2).value(),
          Address::from_native({&flow, sizeof flow}).value(), Address::unix_path("/run/server").value(),
          Address::unix_path({"\0name", 5}).value(), Address::unix_path("").value(),
          Address::parse("af16:00000c0f").value(), Address::parse("af16:").value()}) {
        EXPECT_EQ(again(address).value(), address) << address.text().view();
    }
}

TEST(Addresses, ADDR_8_parts_that_are_no_address) {
    const ConstBuffer four("1234", 4), sixteen("0123456789abcdef", 16);
    EXPECT_EQ(Address::from_parts(AF_INET, sixteen, 80).error(), Error(Fault::packed_length));
    EXPECT_EQ(Address::from_parts(AF_INET6, four, 80).error(), Error(Fault::packed_length));
    EXPECT_EQ(Address::from_parts(AF_INET, four, 65'536).error(), Error(Fault::port_range));
    EXPECT_EQ(Address::from_parts(AF_INET, four, -1).error(), Error(Fault::port_range));
    EXPECT_EQ(Address::from_parts(AF_INET6, sixteen, 80, std::int64_t{1} << 32).error(), Error(Fault::flowinfo_range));
    EXPECT_EQ(Address::from_parts(AF_INET6, sixteen, 80, 0, -1).error(), Error(Fault::scopeid_range));
    for (const int family : {-1, 70'000, INT_MAX, INT_MIN}) {
        EXPECT_EQ(Address::from_parts(family, four).error(), Error(Fault::family_range)) << family;
    }
    const std::vector<std::uint8_t> bytes(200);
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
        const auto made = Address::from_parts(AF_NETLINK, {bytes.data(), size});
        EXPECT_EQ(made.has_value(), size + sizeof(sa_family_t) <= Address::max_size) << size;
    }
}

// ADDR-4
TEST(Addresses, ADDR_4_a_path_of_every_length) {
#if defined(__linux__)
    constexpr std::size_t longest = sizeof(sockaddr_un::sun_path);
#else
    constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 1;  // and a NUL
#endif
    for (std::size_t length = 0; length <= 200; ++length) {
        const std::string path(length, 'p');
        const auto made = Address::unix_path(path);
        ASSERT_EQ(made.has_value(), length <= longest) << length;
        if (made) {
            EXPECT_EQ(made->family(), AF_UNIX);
            EXPECT_EQ(text_of(made->payload()), path);
        } else {
            EXPECT_EQ(made.error(), Error(Fault::path_too_long));
        }
    }
}

TEST(Addresses, ADDR_4_an_abstract_name_of_every_length) {
    for (std::size_t length = 1; length <= 200; ++length) {
        std::string name(length, '\0');  // NULs are as good as any other byte
        name.back() = length == 1 ? '\0' : 'n';
        const auto made = Address::unix_path(name);
        ASSERT_EQ(made.has_value(), length <= sizeof(sockaddr_un::sun_path)) << length;
        if (made) {
            EXPECT_EQ(text_of(made->payload()), name);
        } else {
            EXPECT_EQ(made.error(), Error(Fault::path_too_long));
        }
    }
}

TEST(Addresses, ADDR_4_a_NUL_within_a_path_is_refused) {
    EXPECT_EQ(Address::unix_path(std::string_view("a\0b", 3)).error(), Error(Fault::bad_path));
    EXPECT_EQ(Address::unix_path(std::string_view("a\0", 2)).error(), Error(Fault::bad_path));
}

TEST(Addresses, ADDR_4_the_system_returns_the_path_that_was_bound) {
    const TemporaryDirectory directory;
    const Address path = Address::unix_path(directory.path("a")).value();
    Socket server = socket(AF_UNIX, SOCK_STREAM).value();
    server.bind(path).value();
    EXPECT_EQ(server.getsockname().value(), path);
    server.listen().value();
    Socket client = socket(AF_UNIX, SOCK_STREAM).value();
    client.connect(path).value();
    EXPECT_EQ(client.getpeername().value(), path);
    EXPECT_EQ(server.accept().value().address.family(), AF_UNIX);
}

TEST(Addresses, ADDR_4_a_path_of_the_greatest_length_can_be_bound) {
    const TemporaryDirectory directory;
    const std::string start = directory.path("");
    std::string fits = start;
    while (fits.size() + 3 <= sizeof(sockaddr_un::sun_path) - 1) fits += "./";
    fits += std::string(sizeof(sockaddr_un::sun_path) - 1 - fits.size(), 'b');
    const Address address = Address::unix_path(fits).value();
    Socket server = socket(AF_UNIX, SOCK_STREAM).value();
    server.bind(address).value();
    EXPECT_EQ(server.getsockname().value(), address);
    ::unlink(fits.c_str());
}

#if defined(__linux__)
TEST(Addresses, ADDR_4_an_abstract_name_can_be_bound) {
    const std::string name = std::string(1, '\0') + "usocket-" + std::to_string(::getpid());
    const Address address = Address::unix_path(name).value();
    Socket server = socket(AF_UNIX, SOCK_STREAM).value();
    server.bind(address).value();
    server.listen().value();
    EXPECT_EQ(server.getsockname().value(), address);
    Socket client = socket(AF_UNIX, SOCK_STREAM).value();
    client.connect(address).value();
    EXPECT_EQ(text_of(client.getpeername().value().payload()), name);
}
#endif

// ADDR-5
TEST(Addresses, ADDR_5_takes_each_family_apart) {
    const Address v4 = Address::inet(AF_INET, "127.0.0.2", 4660).value();
    EXPECT_EQ(v4.family(), AF_INET);
    EXPECT_EQ(v4.port(), 4660);
    EXPECT_EQ(text_of(v4.payload()), std::string("\x7f\0\0\x02", 4));

    sockaddr_in6 native{};
    native.sin6_family = AF_INET6;
    native.sin6_port = htons(4660);
    native.sin6_flowinfo = htonl(0x12345);
    native.sin6_scope_id = 7;
    native.sin6_addr = in6addr_loopback;
    const Address v6 = Address::from_native({&native, sizeof native}).value();
    EXPECT_EQ(v6.family(), AF_INET6);
    EXPECT_EQ(v6.port(), 4660);
    EXPECT_EQ(v6.flowinfo(), 0x12345u);
    EXPECT_EQ(v6.scopeid(), 7u);
    EXPECT_EQ(text_of(v6.payload()), std::string(15, '\0') + '\x01');
    EXPECT_EQ(v6.host().view(), "::1");

    const Address path = Address::unix_path("/p").value();
    EXPECT_EQ(path.family(), AF_UNIX);
    EXPECT_EQ(text_of(path.payload()), "/p");
    EXPECT_EQ(path.port(), 0);
    EXPECT_EQ(path.host().view(), "");
}

TEST(Addresses, ADDR_5_any_other_family_is_its_bytes) {
    std::array<std::uint8_t, 9> native{};
    const sa_family_t family = 222;
    std::memcpy(native.data(), &family, sizeof family);
    std::memcpy(native.data() + 2, "unknown", 7);
    const Address address = Address::from_native(native).value();
    EXPECT_EQ(address.family(), 222);
    EXPECT_EQ(text_of(address.payload()), "unknown");
    EXPECT_EQ(address.port(), 0);
    EXPECT_EQ(address.flowinfo(), 0u);
    EXPECT_EQ(address.scopeid(), 0u);
    EXPECT_EQ(address.host().view(), "");
}

// ADDR-6
void check_decoding(const Address& address) {
    const ConstBuffer payload = address.payload();
    const std::uint8_t* end = address.data() + address.size();
    if (payload.size() != 0) {
        EXPECT_GE(payload.data(), address.data());
        EXPECT_LE(payload.data() + payload.size(), end);
    }
    const bool is_inet = address.family() == AF_INET || address.family() == AF_INET6;
    EXPECT_EQ(address.host().view().empty(), !is_inet);
    EXPECT_LT(address.host().size, address.host().chars.size());
    EXPECT_TRUE(is_inet || address.port() == 0);
    EXPECT_TRUE(address.family() == AF_INET6 || (address.scopeid() == 0 && address.flowinfo() == 0));
    // What it holds makes the same address again.
    EXPECT_EQ(Address::from_native({address.data(), address.size()}).value(), address);
}

std::size_t least_size(int family) {
    return family == AF_INET ? sizeof(sockaddr_in) : family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sa_family_t);
}

// An AF_UNIX address that sockaddr_un cannot hold: an abstract name, or a path without a NUL in time.
bool is_long_path(const std::vector<std::uint8_t>& native) {
    constexpr std::size_t path = offsetof(sockaddr_un, sun_path);
    sa_family_t family = AF_UNSPEC;
    std::memcpy(&family, native.data(), sizeof family);
    if (family != AF_UNIX || native.size() <= sizeof(sockaddr_un)) return false;
    const auto end = native.begin() + sizeof(sockaddr_un) + 1;
    return native[path] == 0 || std::find(native.begin() + path, end, 0) == end;
}

// The bytes lie at the end of memory of their own size, so that a sanitizer sees any read beyond them.
TEST(Addresses, ADDR_6_native_bytes_of_every_length) {
    Random random(6);
    for (std::size_t length = 0; length <= 200; ++length) {
        for (int round = 0; round < 200; ++round) {
            std::vector<std::uint8_t> native(length);
            for (auto& byte : native) byte = round % 3 == 0 ? 0 : static_cast<std::uint8_t>(random.next());
            constexpr sa_family_t families[] = {AF_INET, AF_INET6, AF_UNIX, AF_UNSPEC, 222};
            const sa_family_t family = families[round % 5];
            if (length >= sizeof family) std::memcpy(native.data(), &family, sizeof family);
            const auto address = Address::from_native(native);
            if (length > Address::max_size) {
                EXPECT_EQ(address.error(), Error(Fault::address_too_long)) << length;
            } else if (length < sizeof family || length < least_size(family)) {
                EXPECT_EQ(address.error(), Error(Fault::address_too_short)) << length << " family " << family;
            } else if (is_long_path(native)) {
                EXPECT_EQ(address.error(), Error(Fault::path_too_long)) << length;
            } else {
                ASSERT_TRUE(address) << length << " family " << family;
                EXPECT_EQ(address->family(), family);
                check_decoding(*address);
            }
        }
    }
}

// What a program has read into a sockaddr_storage, and passes on with its whole length, is its path.
TEST(Addresses, ADDR_6_a_path_is_as_long_as_the_system_allows) {
    std::vector<std::uint8_t> native(Address::max_size, 'p');
    const sa_family_t family = AF_UNIX;
    std::memcpy(native.data(), &family, sizeof family);
    const std::span<const std::uint8_t> all(native);
    EXPECT_EQ(Address::from_native(all.first(sizeof(sockaddr_un))).value().size(), sizeof(sockaddr_un));
    EXPECT_EQ(Address::from_native(all.first(sizeof(sockaddr_un) + 1)).error(), Error(Fault::path_too_long));
    EXPECT_EQ(Address::from_native(all).error(), Error(Fault::path_too_long));
    native[sizeof(sockaddr_un)] = 0;
    EXPECT_EQ(Address::from_native(all).value().size(), sizeof(sockaddr_un));
    native[offsetof(sockaddr_un, sun_path)] = 0;  // an abstract name
    EXPECT_EQ(Address::from_native(all).error(), Error(Fault::path_too_long));
}

TEST(Addresses, ADDR_6_random_bytes) {
    Random random(66);
    unsigned taken = 0;
    for (int round = 0; round < 100'000; ++round) {
        std::vector<std::uint8_t> native(random.below(160));
        for (auto& byte : native) byte = static_cast<std::uint8_t>(random.next());
        if (native.size() > 1 && random.chance(700)) native[1] = 0;
        const auto address = Address::from_native(native);
        if (!address) continue;
        ++taken;
        check_decoding(*address);
    }
    EXPECT_GT(taken, 10'000u);
}

TEST(Addresses, ADDR_6_a_socket_refuses_malformed_addresses) {
    Random random(666);
    for (std::size_t length = 2; length <= Address::max_size; ++length) {
        std::vector<std::uint8_t> native(length);
        for (auto& byte : native) byte = static_cast<std::uint8_t>(random.next());
        const sa_family_t family = 222;
        std::memcpy(native.data(), &family, sizeof family);
        const Address address = Address::from_native(native).value();
        Socket datagrams = socket(AF_INET, SOCK_DGRAM).value();
        EXPECT_FALSE(datagrams.bind(address));
        EXPECT_FALSE(datagrams.connect(address));
        EXPECT_FALSE(datagrams.sendto("x", address));
    }
    Socket closed_to_nothing = socket().value();
    EXPECT_EQ(closed_to_nothing.bind(Address()).error(), Error(EINVAL));
    EXPECT_EQ(closed_to_nothing.connect(Address()).error(), Error(EINVAL));
}

// ADDR-7
TEST(Addresses, ADDR_7_the_examples_of_the_reference) {
    const auto packed = inet_pton(AF_INET, "127.0.0.1").value();
    EXPECT_EQ(text_of({packed.bytes.data(), packed.size}), std::string("\x7f\0\0\x01", 4));
    EXPECT_EQ(inet_ntop(AF_INET, ConstBuffer("\x7f\0\0\1", 4)).value().view(), "127.0.0.1");
    const auto packed6 = inet_pton(AF_INET6, "::1").value();
    EXPECT_EQ(text_of({packed6.bytes.data(), packed6.size}), std::string(15, '\0') + '\x01');
    EXPECT_EQ(inet_ntop(AF_INET6, ConstBuffer(packed6.bytes)).value().view(), "::1");
}

TEST(Addresses, ADDR_7_there_and_back) {
    Random random(7);
    for (int round = 0; round < 10'000; ++round) {
        for (const std::size_t size : {4u, 16u}) {
            std::array<std::uint8_t, 16> bytes{};
            for (std::size_t i = 0; i < size; ++i) {
                bytes[i] = random.chance(500) ? 0 : static_cast<std::uint8_t>(random.next());
            }
            const int family = size == 4 ? AF_INET : AF_INET6;
            const auto text = inet_ntop(family, {bytes.data(), size}).value();
            const auto packed = inet_pton(family, text.view()).value();
            EXPECT_EQ(packed.size, size);
            EXPECT_EQ(packed.bytes, bytes) << text.view();
        }
    }
}

TEST(Addresses, ADDR_7_malformed_text_is_EINVAL) {
    using namespace std::string_view_literals;
    for (const std::string_view text : {""sv, "1"sv, "1.2.3"sv, "1.2.3.4.5"sv, "256.0.0.1"sv, "0x7f.0.0.1"sv,
                                        "127.0.0.1\n"sv, "127.0.0.1\0"sv, "localhost"sv, "::1"sv}) {
        EXPECT_EQ(inet_pton(AF_INET, text).error(), Error(EINVAL)) << text;
    }
    for (const std::string_view text :
         {""sv, ":"sv, ":::"sv, "1::2::3"sv, "12345::"sv, "127.0.0.1"sv, "::1\0"sv, "[::1]"sv}) {
        EXPECT_EQ(inet_pton(AF_INET6, text).error(), Error(EINVAL)) << text;
    }
    for (std::size_t length = 40; length < 100; ++length) {
        EXPECT_EQ(inet_pton(AF_INET6, std::string(length, '1')).error(), Error(EINVAL)) << length;
    }
}

TEST(Addresses, ADDR_7_packed_bytes_of_the_wrong_length) {
    const std::array<std::uint8_t, 40> bytes{};
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
        EXPECT_EQ(inet_ntop(AF_INET, {bytes.data(), size}).error(), size == 4 ? Error() : Error(Fault::packed_length));
        EXPECT_EQ(inet_ntop(AF_INET6, {bytes.data(), size}).error(),
                  size == 16 ? Error() : Error(Fault::packed_length));
    }
}

TEST(Addresses, ADDR_7_unknown_families) {
    for (const int family : {AF_UNSPEC, AF_UNIX, -1, 4711, INT_MAX, INT_MIN}) {
        EXPECT_EQ(inet_pton(family, "127.0.0.1").error(), Error(EAFNOSUPPORT)) << family;
        EXPECT_EQ(inet_ntop(family, ConstBuffer("1234", 4)).error(), Error(EAFNOSUPPORT)) << family;
    }
}

}  // namespace
}  // namespace usocket::tests
