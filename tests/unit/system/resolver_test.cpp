// GAI-1..4: getaddrinfo for what the machine itself knows: numeric addresses, localhost and its services.
#include <string>
#include <thread>
#include <vector>

#include "loopback.hpp"
#include "random.hpp"
#include "scripted_host.hpp"

namespace usocket::tests {
namespace {

std::vector<AddressInfo> entries_of(const AddressInfoList& list) {
    std::vector<AddressInfo> entries;
    for (const AddressInfo entry : list) entries.push_back(entry);
    return entries;
}

bool is_loopback(const Address& address) {
    const std::string host(address.host().view());
    return host == "::1" || host.starts_with("127.");
}

// GAI-1
TEST(Resolving, GAI_1_a_numeric_address_with_all_six_arguments) {
    const auto list = getaddrinfo("127.0.0.1", 80, AF_INET, SOCK_STREAM, IPPROTO_TCP, AI_NUMERICHOST).value();
    const auto entries = entries_of(list);
    ASSERT_EQ(entries.size(), 1u);
    EXPECT_EQ(entries[0].family, AF_INET);
    EXPECT_EQ(entries[0].type, SOCK_STREAM);
    EXPECT_EQ(entries[0].proto, IPPROTO_TCP);
    EXPECT_EQ(entries[0].canonname, "");
    EXPECT_EQ(entries[0].sockaddr, Address::inet(AF_INET, "127.0.0.1", 80).value());
}

TEST(Resolving, GAI_1_each_argument_restricts) {
    const auto any = getaddrinfo("127.0.0.1", 80).value();
    const auto all = entries_of(any);
    EXPECT_GT(all.size(), 1u) << "one for each type";
    for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
        const auto list = getaddrinfo("127.0.0.1", 80, 0, type).value();
        for (const AddressInfo entry : list) EXPECT_EQ(entry.type, type);
        EXPECT_FALSE(list.empty());
    }
    const auto udp = getaddrinfo("127.0.0.1", 80, 0, 0, IPPROTO_UDP).value();
    for (const AddressInfo entry : udp) EXPECT_EQ(entry.proto, IPPROTO_UDP);
    EXPECT_FALSE(udp.empty());
    EXPECT_LT(getaddrinfo("127.0.0.1", 80, AF_INET6).error().code(), 0) << "no such address of that family";
    const auto mapped = getaddrinfo("127.0.0.1", 80, AF_INET6, SOCK_STREAM, 0, AI_V4MAPPED);
    ASSERT_TRUE(mapped);
    EXPECT_EQ(mapped->front().sockaddr.host().view(), "::ffff:127.0.0.1");
}

TEST(Resolving, GAI_1_canonname) {
    const auto list = getaddrinfo("127.0.0.1", 80, AF_INET, SOCK_STREAM, 0, AI_CANONNAME).value();
    EXPECT_EQ(list.front().canonname, "127.0.0.1");
    const auto named = getaddrinfo("localhost", 80, AF_INET, SOCK_STREAM, 0, AI_CANONNAME).value();
    EXPECT_FALSE(named.front().canonname.empty());
}

TEST(Resolving, GAI_1_the_order_is_the_systems) {
    addrinfo hints{};
    addrinfo* native = nullptr;
    ASSERT_EQ(::getaddrinfo("localhost", "80", &hints, &native), 0);
    const auto list = getaddrinfo("localhost", 80).value();
    const addrinfo* next = native;
    for (const AddressInfo entry : list) {
        ASSERT_NE(next, nullptr);
        EXPECT_EQ(entry.family, next->ai_family);
        EXPECT_EQ(entry.type, next->ai_socktype);
        EXPECT_EQ(entry.proto, next->ai_protocol);
        EXPECT_EQ(entry.sockaddr, Address::from_native({next->ai_addr, next->ai_addrlen}).value());
        next = next->ai_next;
    }
    EXPECT_EQ(next, nullptr);
    ::freeaddrinfo(native);
}

TEST(Resolving, GAI_1_what_it_returns_can_be_connected_to) {
    Address address;
    Socket server = listener(address);
    const auto list = getaddrinfo("localhost", address.port(), AF_INET, SOCK_STREAM).value();
    const AddressInfo info = list.front();
    Socket client = usocket::socket(info.family, info.type, info.proto).value();
    client.connect(info.sockaddr).value();
    EXPECT_TRUE(server.accept());
}

TEST(Resolving, GAI_1_a_list_moves) {
    AddressInfoList list = getaddrinfo("127.0.0.1", 80).value();
    const auto count = entries_of(list).size();
    AddressInfoList moved = std::move(list);
    EXPECT_TRUE(list.empty());
    EXPECT_EQ(entries_of(moved).size(), count);
    list = getaddrinfo("127.0.0.2", 80, AF_INET, SOCK_STREAM).value();
    moved = std::move(list);
    EXPECT_EQ(moved.front().sockaddr.host().view(), "127.0.0.2");
    EXPECT_TRUE(AddressInfoList().empty());
    EXPECT_EQ(AddressInfoList().begin(), AddressInfoList().end());
}

// GAI-2
TEST(Resolving, GAI_2_no_host_is_the_loopback_or_the_wildcard) {
    const auto loopback = getaddrinfo(std::nullopt, 80, 0, SOCK_STREAM).value();
    for (const AddressInfo entry : loopback) EXPECT_TRUE(is_loopback(entry.sockaddr));
    const auto wildcard = getaddrinfo(std::nullopt, 80, AF_INET, SOCK_STREAM, 0, AI_PASSIVE).value();
    EXPECT_EQ(wildcard.front().sockaddr, Address::inet(AF_INET, "", 80).value());
    EXPECT_EQ(getaddrinfo(std::nullopt, std::nullopt).error(), Error(EAI_NONAME));
}

TEST(Resolving, GAI_2_a_name_from_the_hosts_file) {
    const auto list = getaddrinfo("localhost", 80, 0, SOCK_STREAM).value();
    ASSERT_FALSE(list.empty());
    for (const AddressInfo entry : list) {
        EXPECT_TRUE(is_loopback(entry.sockaddr)) << entry.sockaddr.host().view();
        EXPECT_EQ(entry.sockaddr.port(), 80);
    }
}

TEST(Resolving, GAI_2_ports_as_numbers_digits_names_and_none) {
    const auto port_of = [](Service service) {
        return getaddrinfo("127.0.0.1", service, AF_INET, SOCK_STREAM).value().front().sockaddr.port();
    };
    EXPECT_EQ(port_of(0), 0);
    EXPECT_EQ(port_of(65535), 65535);
    EXPECT_EQ(port_of(std::uint16_t{80}), 80);
    EXPECT_EQ(port_of("8080"), 8080);
    EXPECT_EQ(port_of("http"), 80);
    EXPECT_EQ(port_of(std::nullopt), 0);
    EXPECT_EQ(getaddrinfo("localhost", "http", AF_INET, SOCK_STREAM).value().front().sockaddr.port(), 80);
}

TEST(Resolving, GAI_2_what_is_no_port) {
    for (const std::int64_t port : {std::int64_t{-1}, std::int64_t{65536}, INT64_MAX, INT64_MIN}) {
        EXPECT_EQ(getaddrinfo("127.0.0.1", port).error(), Error(Fault::port_range)) << port;
        EXPECT_EQ(getaddrinfo("localhost", port).error(), Error(Fault::port_range)) << port;
        EXPECT_EQ(getaddrinfo(std::nullopt, port).error(), Error(Fault::port_range)) << port;
    }
    EXPECT_EQ(getaddrinfo("127.0.0.1", "no-such-service", AF_INET, SOCK_STREAM).error(), Error(EAI_SERVICE));
}

// ADDR-3: in text as well.
TEST(Resolving, GAI_2_a_port_in_text_has_its_range) {
    for (const char* port : {"65536", "65616", "4294967376", "99999999999999999999", " 80", "+80", "-1", "\t80"})
        EXPECT_EQ(getaddrinfo("127.0.0.1", port).error(), Error(Fault::port_range)) << port;
    EXPECT_EQ((*must(getaddrinfo("127.0.0.1", "65535")).begin()).sockaddr.port(), 65535);
    EXPECT_EQ((*must(getaddrinfo("127.0.0.1", "0080")).begin()).sockaddr.port(), 80);
}

TEST(Resolving, GAI_2_names_of_every_length_and_with_NULs) {
    using namespace std::string_view_literals;
    EXPECT_EQ(getaddrinfo("127.0.0.1\0"sv, 80).error(), Error(Fault::bad_name));
    EXPECT_EQ(getaddrinfo("local\0host"sv, 80).error(), Error(Fault::bad_name));
    EXPECT_EQ(getaddrinfo("127.0.0.1", "ht\0tp"sv).error(), Error(Fault::bad_name));
    for (const std::size_t length : {1025u, 4096u, 1'000'000u}) {
        EXPECT_EQ(getaddrinfo(std::string(length, 'a'), 80).error(), Error(Fault::bad_name)) << length;
        EXPECT_EQ(getaddrinfo("127.0.0.1", Service(std::string(length, '1'))).error(), Error(Fault::bad_name));
    }
    // No system has numeric addresses like these; AI_NUMERICHOST keeps them from being asked for anywhere.
    for (std::size_t length = 50; length <= 1024; ++length) {
        EXPECT_EQ(getaddrinfo(std::string(length, 'a'), 80, 0, 0, 0, AI_NUMERICHOST).error(), Error(EAI_NONAME));
    }
}

// GAI-3
TEST(Resolving, GAI_3_failures_are_the_negative_code_and_the_systems_message) {
    const Error error = getaddrinfo("no.number", 80, 0, 0, 0, AI_NUMERICHOST).error();
    EXPECT_EQ(error.code(), EAI_NONAME);
    EXPECT_LT(error.code(), 0);
    EXPECT_STREQ(error.message(), ::gai_strerror(EAI_NONAME));
    EXPECT_EQ(getaddrinfo("127.0.0.1", 80, 4711).error(), Error(EAI_FAMILY));
    EXPECT_EQ(getaddrinfo("127.0.0.1", 80, 0, 4711).error(), Error(EAI_SOCKTYPE));
    EXPECT_EQ(getaddrinfo("127.0.0.1", 80, 0, 0, 0, 1 << 30).error(), Error(EAI_BADFLAGS));
    EXPECT_EQ(getaddrinfo("localhost", 80, 0, 0, 0, 1 << 30).error(), Error(EAI_BADFLAGS));
    EXPECT_EQ(getaddrinfo("localhost", "http", 0, 0, 0, AI_NUMERICSERV).error(), Error(EAI_NONAME));
}

TEST(Resolving, GAI_3_random_arguments_never_crash) {
    Random random(3);
    for (int round = 0; round < 2000; ++round) {
        std::string host(random.below(40), '\0'), service(random.below(10), '\0');
        for (auto& c : host) c = static_cast<char>(random.next());
        for (auto& c : service) c = static_cast<char>(random.next());
        const auto number = [&] { return static_cast<int>(random.chance(500) ? 0 : random.next()); };
        const int af = number(), type = number(), proto = number();
        (void)getaddrinfo(host, Service(service), af, type, proto, AI_NUMERICHOST);
        (void)getaddrinfo(host, 80, af, type, proto, number() | AI_NUMERICHOST);
    }
}

// GAI-4
TEST(Resolving, GAI_4_the_hosts_other_threads_run_while_it_waits) {
    ScriptedHost host;
    unsigned left = 0;
    host.while_left = [&] { ++left; };
    EXPECT_TRUE(getaddrinfo("localhost", 80, 0, 0, 0, 0, Call(host.host())));
    EXPECT_GT(left, 0u);
    EXPECT_TRUE(host.is_inside());
}

TEST(Resolving, GAI_4_many_threads_at_once) {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([] {
            for (int round = 0; round < 50; ++round) EXPECT_TRUE(getaddrinfo("localhost", 80, AF_INET));
        });
    }
}

}  // namespace
}  // namespace usocket::tests
