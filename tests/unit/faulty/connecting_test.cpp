// GAI-5: one deadline for resolving and all attempts; both families raced as RFC 8305 says, to the nanosecond of the
// virtual clock; the error names every address that failed, and why; whatever ends it leaves nothing open.
#include <csetjmp>
#include <string>
#include <vector>

#include "faulty.hpp"
#include "gtest/gtest.h"
#include "print.hpp"
#include "scripted_host.hpp"

namespace usocket::tests {
namespace {

constexpr std::int64_t millisecond = 1'000'000;

Address address(const char* text) { return Address::parse(text).value(); }

class Race : public ::testing::Test {
protected:
    void SetUp() override { faulty::reset(1); }
    void TearDown() override {
        listeners_.clear();
        waiting_.clear();
        EXPECT_EQ(faulty::open_descriptors(), 0u) << "a descriptor leaks (SOCK-3)";
        EXPECT_EQ(faulty::live_blocks(), 0u) << "memory leaks";
    }

    void listen(const char* where) { listeners_.push_back(usocket::listen(address(where)).value()); }
    // Somebody listens there and takes nobody in.
    void swallow(const char* where) {
        listeners_.push_back(usocket::listen(address(where), {.backlog = 0}).value());
        waiting_.push_back(usocket::connect(address(where)).value());
    }
    void name(std::vector<const char*> addresses, std::int64_t takes = 0) {
        std::vector<Address> list;
        for (const char* text : addresses) list.push_back(address(text));
        faulty::add_name("host", list, takes);
    }
    static Result<Socket, EndpointError> connect_within(std::int64_t span) {
        return usocket::connect("host", 80, at(faulty::now() + span));
    }
    static usocket::Deadline at(std::int64_t time) {
        return usocket::Deadline(std::chrono::steady_clock::time_point(std::chrono::nanoseconds(time)));
    }
    static std::string peer(Result<Socket, EndpointError>& socket) {
        return std::string(socket.value().getpeername().value().text().view());
    }

private:
    std::vector<Socket> listeners_, waiting_;
};

// The faulty stack is Linux here: whoever takes SO_ERROR has left the socket in the attempt.
TEST_F(Race, SOCK_5_a_connect_that_was_refused_is_no_hindrance_to_the_next) {
    faulty::set_connect_time(millisecond);
    Socket socket = Socket::open().value();
    for (const Timeout timeout : {Timeout::of_nanoseconds(1000 * millisecond), Timeout::none()}) {
        socket.settimeout(timeout).value();
        for (int i = 0; i < 3; ++i) {
            EXPECT_EQ(socket.connect(address("127.0.0.1:80")).error(), Error(ECONNREFUSED));
        }
    }
    listen("127.0.0.1:80");
    EXPECT_EQ(socket.connect(address("127.0.0.1:80")).error(), Error());
}

TEST_F(Race, GAI_5_the_systems_first_address_is_tried_first) {
    name({"[::1]:80", "127.0.0.1:80"});
    listen("[::1]:80");
    listen("127.0.0.1:80");
    auto socket = connect_within(1000 * millisecond);
    EXPECT_EQ(peer(socket), "[::1]:80");
    EXPECT_TRUE(socket->getblocking());
    EXPECT_TRUE(socket->gettimeout().is_none());
}

TEST_F(Race, GAI_5_a_silent_address_has_250_ms_before_the_next_is_tried_beside_it) {
    name({"[::1]:80", "127.0.0.1:80"});
    swallow("[::1]:80");
    listen("127.0.0.1:80");
    const std::int64_t start = faulty::now();
    auto socket = connect_within(1000 * millisecond);
    EXPECT_EQ(peer(socket), "127.0.0.1:80");
    EXPECT_EQ(faulty::now() - start, 250 * millisecond);
}

TEST_F(Race, GAI_5_the_first_that_connects_wins_though_it_began_first) {
    name({"[::1]:80", "127.0.0.1:80"});
    listen("[::1]:80");
    listen("127.0.0.1:80");
    faulty::set_connect_time(300 * millisecond);
    const std::int64_t start = faulty::now();
    auto socket = connect_within(1000 * millisecond);
    EXPECT_EQ(peer(socket), "[::1]:80");
    EXPECT_EQ(faulty::now() - start, 300 * millisecond);
}

TEST_F(Race, GAI_5_a_refusal_starts_the_next_at_once) {
    name({"[::1]:80", "[::1]:81", "127.0.0.1:80"});
    listen("127.0.0.1:80");
    const std::int64_t start = faulty::now();
    auto socket = connect_within(1000 * millisecond);
    EXPECT_EQ(peer(socket), "127.0.0.1:80");
    EXPECT_EQ(faulty::now() - start, 0);
}

TEST_F(Race, GAI_5_families_alternate_and_the_error_names_every_address_and_why) {
    name({"[::1]:1", "[::1]:2", "[::1]:3", "127.0.0.1:4", "127.0.0.1:5"});
    const auto socket = connect_within(1000 * millisecond);
    EXPECT_EQ(socket.error(), Error(ECONNREFUSED));
    EXPECT_STREQ(socket.error().message(),
                 "[::1]:1: Connection refused; 127.0.0.1:4: Connection refused; [::1]:2: Connection refused; "
                 "127.0.0.1:5: Connection refused; [::1]:3: Connection refused");
}

TEST_F(Race, GAI_5_one_deadline_for_resolving_and_all_attempts) {
    name({"[::1]:80", "127.0.0.1:80", "127.0.0.1:81"}, 400 * millisecond);
    swallow("[::1]:80");
    swallow("127.0.0.1:80");
    const std::int64_t start = faulty::now();
    const auto socket = connect_within(1000 * millisecond);
    EXPECT_EQ(faulty::now() - start, 1000 * millisecond);
    EXPECT_EQ(socket.error(), Error(ETIMEDOUT));
    EXPECT_STREQ(
        socket.error().message(),
        "127.0.0.1:81: Connection refused; [::1]:80: Connection timed out; 127.0.0.1:80: Connection timed out");
}

TEST_F(Race, GAI_4_a_deadline_ends_resolving) {
    name({"127.0.0.1:80"}, 5000 * millisecond);
    const std::int64_t start = faulty::now();
    const auto socket = connect_within(1000 * millisecond);
    EXPECT_EQ(faulty::now() - start, 1000 * millisecond);
    EXPECT_EQ(socket.error(), Error(ETIMEDOUT));
    EXPECT_STREQ(socket.error().message(), "host: Connection timed out");
    const auto found = getaddrinfo("host", 80, at(faulty::now() + millisecond));
    EXPECT_EQ(found.error(), Error(ETIMEDOUT));
}

TEST_F(Race, TIME_10_a_deadline_that_has_passed_is_ETIMEDOUT) {
    name({"127.0.0.1:80", "[::1]:80"});
    listen("127.0.0.1:80");
    listen("[::1]:80");
    EXPECT_EQ(connect_within(-1).error(), Error(ETIMEDOUT));
    EXPECT_EQ(usocket::connect(address("127.0.0.1:81"), at(1)).error(), Error(ECONNREFUSED));
}

TEST_F(Race, GAI_5_a_name_that_is_unknown) {
    const auto socket = usocket::connect("nobody", 80);
    EXPECT_EQ(socket.error(), Error(EAI_NONAME));
    EXPECT_STREQ(socket.error().message(), "nobody: Name or service not known");
}

TEST_F(Race, GAI_5_more_silent_addresses_than_are_tried_at_once) {
    std::vector<std::string> places;
    std::vector<const char*> addresses;
    for (int port = 100; port < 110; ++port) places.push_back("127.0.0.1:" + std::to_string(port));
    for (const auto& place : places) addresses.push_back(place.c_str());
    name(addresses);
    for (const char* place : addresses) swallow(place);
    const auto socket = connect_within(60'000 * millisecond);
    EXPECT_EQ(socket.error(), Error(ETIMEDOUT));
    EXPECT_EQ(faulty::open_descriptors(), 2 * places.size());
}

// Eight are under way after 1,750 ms. The first has had eight delays after 2,000, the second after 2,250.
TEST_F(Race, GAI_5_an_address_that_has_had_its_time_makes_room_for_one_behind_the_eighth) {
    std::vector<std::string> places;
    std::vector<const char*> addresses;
    for (int port = 100; port < 110; ++port) places.push_back("127.0.0.1:" + std::to_string(port));
    for (const auto& place : places) addresses.push_back(place.c_str());
    name(addresses);
    for (std::size_t i = 0; i < 9; ++i) swallow(addresses[i]);
    listen(addresses[9]);
    const std::int64_t start = faulty::now();
    auto socket = connect_within(60'000 * millisecond);
    EXPECT_EQ(peer(socket), "127.0.0.1:109");
    EXPECT_EQ(faulty::now() - start, 2'250 * millisecond);
}

TEST_F(Race, GAI_5_a_delay_longer_than_the_clock_goes) {
    name({"[::1]:80", "127.0.0.1:80"});
    swallow("[::1]:80");
    listen("127.0.0.1:80");
    ConnectOptions options;
    options.attempt_delay = std::chrono::milliseconds::max();
    const auto socket = usocket::connect("host", 80, at(faulty::now() + 1000 * millisecond), options);
    EXPECT_EQ(socket.error(), Error(ETIMEDOUT));
    EXPECT_STREQ(socket.error().message(), "[::1]:80: Connection timed out");
}

// Whoever has no room left is counted.
TEST_F(Race, GAI_5_an_error_with_more_addresses_than_it_has_room_for) {
    std::vector<std::string> places;
    std::vector<const char*> addresses;
    for (int port = 10'000; port < 10'050; ++port) places.push_back("127.0.0.1:" + std::to_string(port));
    for (const auto& place : places) addresses.push_back(place.c_str());
    name(addresses);
    const std::string message = connect_within(1000 * millisecond).error().message();
    EXPECT_TRUE(message.starts_with("127.0.0.1:10000: Connection refused; 127.0.0.1:10001: ")) << message;
    EXPECT_TRUE(message.ends_with("; and 37 more")) << message;
}

TEST_F(Race, GAI_5_a_source_address_and_a_family_choose_who_is_tried) {
    name({"[::1]:80", "127.0.0.1:80"});
    listen("[::1]:80");
    listen("127.0.0.1:80");
    ConnectOptions options;
    options.source = address("127.0.0.1:0");
    auto from = usocket::connect("host", 80, Call(), options);
    EXPECT_EQ(peer(from), "127.0.0.1:80");
    auto over = usocket::connect("host", 80, Call(), {.family = AF_INET});
    EXPECT_EQ(peer(over), "127.0.0.1:80");
}

TEST_F(Race, TIME_5_a_signal_ends_nothing_and_a_handler_that_raises_everything) {
    name({"[::1]:80", "127.0.0.1:80"});
    swallow("[::1]:80");
    swallow("127.0.0.1:80");
    ScriptedHost host;
    host.notes_signals();
    unsigned signals = 0;
    host.on_signal = [&] {
        ++signals;
        return faulty::now() > 1'600 * millisecond;
    };
    Connecting connecting;
    const auto socket = connecting.connect("host", 80, {}, Call(host.host()));
    EXPECT_GT(signals, 5u);
    EXPECT_EQ(socket.error(), Error(EINTR));
    EXPECT_TRUE(host.is_inside());
}

// A longjmp at each of its waits, and at each of its system calls that may be left by one.
TEST_F(Race, GAI_5_a_longjmp_leaves_nothing_open) {
    name({"[::1]:80", "127.0.0.1:80", "127.0.0.1:81"}, 10 * millisecond);
    swallow("[::1]:80");
    swallow("127.0.0.1:80");
    const std::size_t descriptors = faulty::open_descriptors();
    ScriptedHost host(true);
    ConnectOptions options;
    options.attempt_delay = std::chrono::milliseconds(20);
    for (unsigned calls = 0; calls < 40; ++calls) {
        std::jmp_buf target;
        Call call(host.host(), at(faulty::now() + 100 * millisecond));
        Connecting connecting;
        if (setjmp(target) == 0) {
            faulty::arm_jump(target, calls / 2, calls % 2 != 0);
            (void)connecting.connect("host", 80, options, static_cast<Call&&>(call));
            faulty::disarm_jump();
        } else {
            connecting.unwound(call);
        }
        EXPECT_EQ(faulty::open_descriptors(), descriptors) << calls;
    }
}

}  // namespace
}  // namespace usocket::tests
