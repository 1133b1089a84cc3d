// ADDR-8 ADDR-9 CPP-4: addresses and errors as text, and as what the standard library knows.
#include <sys/un.h>

#include <sstream>
#include <string>
#include <unordered_set>

#include "loopback.hpp"
#include "random.hpp"
#include "usocket/error_code.hpp"
#include "usocket/format.hpp"
#include "usocket/ostream.hpp"

namespace usocket::tests {
namespace {

using namespace std::string_view_literals;

std::string shown(const auto& value) {
    std::ostringstream out;
    out << value;
    return out.str();
}

// ADDR-9: the text of an address, which gives the same address again.
void expect_text(const Address& address, std::string_view text) {
    EXPECT_EQ(address.text().view(), text);
    EXPECT_EQ(shown(address), text);
    const auto parsed = Address::parse(text);
    ASSERT_TRUE(parsed) << text << ": " << parsed.error().message();
    EXPECT_EQ(*parsed, address) << text;
}

TEST(Text, ADDR_9_an_address_and_its_text) {
    expect_text(must(Address::inet(AF_INET, "127.0.0.1", 80)), "127.0.0.1:80");
    expect_text(must(Address::inet(AF_INET, "", 0)), "0.0.0.0:0");
    expect_text(must(Address::inet(AF_INET6, "::1", 65535)), "[::1]:65535");
    expect_text(must(Address::inet(AF_INET6, "fe80::1", 80, 0, 4294967295)), "[fe80::1%4294967295]:80");
    expect_text(must(Address::inet(AF_INET6, "::ffff:127.0.0.1", 80)), "[::ffff:127.0.0.1]:80");
    expect_text(must(Address::unix_path("/run/server")), "unix:/run/server");
    expect_text(must(Address::unix_path("")), "unix:");
    expect_text(must(Address::unix_path("\0abstract\0name"sv)), "unix:@abstract\\x00name");
    expect_text(must(Address::unix_path("@path")), "unix:\\x40path");
    expect_text(must(Address::unix_path("it's\\\n")), "unix:it\\x27s\\x5c\\x0a");
    expect_text(
        must(Address::unix_path(std::string(107, '\x01'))), "unix:" + [] {
            std::string text;
            for (int i = 0; i < 107; ++i) text += "\\x01";
            return text;
        }());
    const unsigned char netlink[12] = {AF_NETLINK & 0xff, 0, 1, 2, 3, 255};
    Address other = must(Address::from_native({netlink, sizeof netlink}));
    if (other.family() == AF_NETLINK) expect_text(other, "af16:010203ff000000000000");
    EXPECT_EQ(Address().text().view(), "");
}

TEST(Text, ADDR_9_what_is_no_address) {
    for (const auto text : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:-1", "::1:80", "fe80::1:80",
                            "unix:\\x4", "unix:\\n", "unix:\\", "af16:0", "af16:0g", "127.0.0.1:99999999999"}) {
        EXPECT_EQ(Address::parse(text).error(), Error(Fault::address_text)) << text;
    }
    EXPECT_EQ(Address::parse("localhost:80").error(), Error(Fault::address_not_numeric));
    EXPECT_EQ(Address::parse("[127.0.0.1]:80").error(), Error(Fault::address_other_family));
    EXPECT_EQ(Address::parse("127.0.0.1:65536").error(), Error(Fault::port_range));
    EXPECT_EQ(Address::parse("unix:" + std::string(200, 'a')).error(), Error(Fault::path_too_long));
    EXPECT_EQ(Address::parse("af16:" + std::string(400, '0')).error(), Error(Fault::address_too_long));
    EXPECT_EQ(Address::parse("af2:0001").error(), Error(Fault::address_too_short));
    EXPECT_EQ(*Address::parse(":80"), *Address::inet(AF_INET, "", 80));
    EXPECT_EQ(*Address::parse("[]:80"), *Address::inet(AF_INET6, "", 80));
}

TEST(Text, ADDR_9_any_bytes_that_are_an_address_have_a_text_that_gives_them_again) {
    Random random(9);
    for (int round = 0; round < 20'000; ++round) {
        unsigned char bytes[Address::max_size];
        const std::size_t size = random.below(sizeof bytes + 1);
        for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<unsigned char>(random.next());
        if (random.chance(700)) {
            const sa_family_t families[] = {AF_INET, AF_INET6, AF_UNIX};
            const sa_family_t family = families[random.below(3)];
            std::memcpy(bytes, &family, sizeof family);
        }
        const auto address = Address::from_native({bytes, size});
        if (!address) continue;
        const auto parsed = Address::parse(address->text().view());
        ASSERT_TRUE(parsed) << address->text().view() << ": " << parsed.error().message();
        ASSERT_TRUE(*parsed == *address) << address->text().view();
    }
    for (int round = 0; round < 20'000; ++round) {
        std::string text(random.below(40), ' ');
        for (char& c : text) c = "0123456789abcdef:[]%.unix@\\x"[random.below(28)];
        if (const auto parsed = Address::parse(text)) (void)must(Address::parse(parsed->text().view()));
    }
}

TEST(Text, ADDR_9_flowinfo_is_in_it) {
    const std::uint8_t loopback[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    const Address address = must(Address::from_parts(AF_INET6, loopback, 80, 7, 3));
    EXPECT_EQ(address.text().view(), "[::1%3]:80;flow=7");
    EXPECT_EQ(must(Address::parse(address.text().view())), address);
    for (const char* text : {"[::1]:80;flow=", "[::1]:80;flow=x", "127.0.0.1:80;flow=7", "[::1]:80;flow=4294967296"}) {
        EXPECT_FALSE(Address::parse(text)) << text;
    }
}

TEST(Text, ADDR_8_a_zone_is_a_scopeid) {
    EXPECT_EQ(must(Address::inet(AF_INET6, "fe80::1%7", 80)).scopeid(), 7u);
    EXPECT_EQ(must(Address::inet(AF_INET6, "fe80::1%lo", 80)), must(Address::parse("[fe80::1%1]:80")));
    for (const auto host : {"fe80::1%", "fe80::1%no-such", "fe80::1%4294967296", "fe80::1%0", "fe80::1%-1"}) {
        EXPECT_EQ(Address::inet(AF_INET6, host, 80).error(), Error(Fault::address_zone)) << host;
    }
    EXPECT_EQ(Address::inet(AF_INET, "127.0.0.1%lo", 80).error(), Error(Fault::address_not_numeric));
}

TEST(Text, CPP_4_an_address_as_a_key) {
    std::unordered_set<Address> known{must(Address::parse("127.0.0.1:80")), must(Address::parse("127.0.0.1:81"))};
    EXPECT_TRUE(known.contains(must(Address::inet(AF_INET, "127.0.0.1", 80))));
    EXPECT_FALSE(known.contains(must(Address::inet(AF_INET, "127.0.0.2", 80))));
}

TEST(Text, CPP_4_errors) {
    EXPECT_EQ(shown(Error(ECONNREFUSED)), "Connection refused");
    EXPECT_EQ(shown(Error(Fault::port_range)), "port must be in 0..65535");
    EndpointError failure;
    failure.add(must(Address::parse("[::1]:80")), Error(EPIPE));
    EXPECT_EQ(shown(failure), "[::1]:80: Broken pipe");
}

// What somebody has typed as a host does not pass for more lines of a log, nor end the text.
TEST(Text, CPP_4_an_error_names_any_place) {
    EndpointError failure;
    failure.add(std::string_view("a\n\0b", 4), Error(EPIPE));
    EXPECT_EQ(shown(failure), "a\\x0a\\x00b: Broken pipe");
    EndpointError endless;
    endless.add(std::string(1000, '\n'), Error(EPIPE));
    EXPECT_TRUE(shown(endless).ends_with("\\x0a...: Broken pipe")) << shown(endless);
}

#if defined(__cpp_lib_format)
TEST(Text, CPP_4_in_std_format) {
    EXPECT_EQ(std::format("{:>14}|{}", must(Address::parse("127.0.0.1:80")), Error(EPIPE)),
              "  127.0.0.1:80|Broken pipe");
    EndpointError failure;
    failure.add("here", Error(EPIPE));
    EXPECT_EQ(std::format("{}", failure), "here: Broken pipe");
}
#endif

TEST(Text, CPP_4_an_error_is_an_error_code_and_equal_to_errc) {
    const std::error_code refused = Error(ECONNREFUSED);
    const std::error_code at_an_endpoint = EndpointError(Error(ECONNREFUSED));
    EXPECT_EQ(at_an_endpoint, refused);
    EXPECT_EQ(refused, std::errc::connection_refused);
    EXPECT_TRUE(Error(ECONNREFUSED) == std::errc::connection_refused);
    EXPECT_TRUE(std::errc::connection_refused == Error(ECONNREFUSED));
    EXPECT_TRUE(Error(ETIMEDOUT) != std::errc::connection_refused);
    EXPECT_TRUE(Error(Fault::port_range) == std::errc::invalid_argument);
    EXPECT_FALSE(Error(EAI_NONAME) == std::errc::invalid_argument);
    EndpointError failure;
    failure.add("here", Error(ETIMEDOUT));
    EXPECT_TRUE(failure == std::errc::timed_out);
    EXPECT_TRUE(usocket::connect("127.0.0.1", 65536).error() == std::errc::invalid_argument);
}

// --- CPP-4: a char array is sent as what it says

TEST(CharArrays, CPP_4_a_literal_is_all_of_it_and_a_buffer_wants_a_size) {
    EXPECT_EQ(ConstBuffer("text").size(), 4u);
    EXPECT_EQ(ConstBuffer("\0\1\2").size(), 3u);
    EXPECT_EQ(ConstBuffer("").size(), 0u);
    static constexpr char unterminated[] = {'a', 'b'};
    EXPECT_EQ(ConstBuffer(unterminated).size(), 2u);
    static_assert(!std::is_convertible_v<char (&)[100], ConstBuffer>);
    char buffer[100] = "text";
    EXPECT_EQ(ConstBuffer(static_cast<const char*>(buffer)).size(), 4u);
    EXPECT_EQ(ConstBuffer(buffer, 50).size(), 50u);
}

}  // namespace
}  // namespace usocket::tests
