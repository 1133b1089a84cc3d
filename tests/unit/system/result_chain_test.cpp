// CPP-5: Results in a chain, and errors that are passed on.
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "descriptors.hpp"
#include "loopback.hpp"

namespace usocket::tests {
namespace {

Result<int> half(int number) {
    if (number % 2 != 0) return Error(EDOM);
    return number / 2;
}

TEST(ResultChains, CPP_5_and_then_goes_on_with_the_value) {
    EXPECT_EQ(*half(12).and_then(half), 3);
    EXPECT_EQ(half(6).and_then(half).error(), Error(EDOM));
    EXPECT_EQ(half(7).and_then([](int) -> Result<std::string> { return std::string("never"); }).error(), Error(EDOM));
    bool is_called = false;
    const Result<void> done;
    EXPECT_TRUE(done.and_then([&]() -> Result<void> {
        is_called = true;
        return {};
    }));
    EXPECT_TRUE(is_called);
    EXPECT_EQ(Result<void>(Error(EPIPE)).and_then([] { return half(2); }).error(), Error(EPIPE));
}

TEST(ResultChains, CPP_5_transform_changes_the_value) {
    const auto text = half(8).transform([](int number) { return std::to_string(number); });
    static_assert(std::is_same_v<decltype(text), const Result<std::string>>);
    EXPECT_EQ(*text, "4");
    EXPECT_EQ(half(7).transform([](int number) { return std::to_string(number); }).error(), Error(EDOM));
    static_assert(std::is_same_v<decltype(half(2).transform([](int) {})), Result<void>>);
    EXPECT_EQ(*Result<void>().transform([] { return 5; }), 5);
    EXPECT_EQ(Result<void>(Error(EPIPE)).transform([] { return 5; }).error(), Error(EPIPE));
}

TEST(ResultChains, CPP_5_or_else_takes_the_place_of_an_error) {
    const auto nothing = [](Error) -> Result<int> { return 0; };
    EXPECT_EQ(*half(7).or_else(nothing), 0);
    EXPECT_EQ(*half(8).or_else(nothing), 4);
    EXPECT_EQ(half(7).or_else([](Error) -> Result<int> { return Error(EAGAIN); }).error(), Error(EAGAIN));
    EXPECT_TRUE(Result<void>(Error(EPIPE)).or_else([](Error) { return Result<void>(); }));
    EXPECT_EQ(half(7).value_or(9), 9);
    EXPECT_EQ(half(7).error_or(Error(EPIPE)), Error(EDOM));
    EXPECT_EQ(half(8).error_or(Error(EPIPE)), Error(EPIPE));
}

TEST(ResultChains, CPP_5_what_can_only_be_moved_is) {
    const auto length = socket()
                            .and_then([](Socket made) -> Result<std::unique_ptr<Socket>> {
                                return std::make_unique<Socket>(std::move(made));
                            })
                            .transform([](std::unique_ptr<Socket> made) { return made->closed() ? 0 : 1; });
    EXPECT_EQ(*length, 1);
}

// --- Passing an error on

Result<std::string> whole(int number) {
    const int first = USOCKET_TRY(half(number));
    const int second = USOCKET_TRY(half(USOCKET_TRY(half(first))));
    USOCKET_TRY(Result<void>());
    return std::to_string(second);
}

Result<void> only_done(int number) {
    USOCKET_TRY(half(number));
    return whole(number);
}

TEST(ResultChains, CPP_5_try_returns_early_with_the_error_of_another_type) {
    EXPECT_EQ(*whole(16), "2");
    EXPECT_EQ(whole(4).error(), Error(EDOM));
    EXPECT_EQ(whole(1).error(), Error(EDOM));
    EXPECT_TRUE(only_done(16));
    EXPECT_EQ(only_done(4).error(), Error(EDOM));
}

Result<std::string> peer_of(Socket&& given) {
    Socket socket = USOCKET_TRY(Result<Socket>(std::move(given)));
    return std::string(USOCKET_TRY(socket.getpeername()).text().view());
}

TEST(ResultChains, CPP_5_try_moves_the_value_out) {
    Pair pair = tcp_pair();
    const std::string there(must(pair.there.getsockname()).text().view());
    EXPECT_EQ(*peer_of(std::move(pair.here)), there);
    EXPECT_EQ(peer_of(Socket()).error(), Error(EBADF));
}

// As docs/cpp.md has it: what is taken in a statement of its own is let go when a later one returns.
struct Named {
    Socket socket;
    std::string name;
};

Result<Socket> opened() { return socket(); }
Result<std::string> nameless() { return Error(ECONNREFUSED); }
std::size_t length_of(const Socket&, const std::string& name) { return name.size(); }

Result<Named> put_together_afterwards() {
    auto made = USOCKET_TRY(opened());
    auto name = USOCKET_TRY(nameless());
    return Named{std::move(made), std::move(name)};
}

Result<Named> filled_in() {
    Named named;
    named.socket = USOCKET_TRY(opened());
    named.name = USOCKET_TRY(nameless());
    return named;
}

Result<std::size_t> as_arguments() { return length_of(USOCKET_TRY(opened()), USOCKET_TRY(nameless())); }

Result<std::pair<Socket, std::string>> for_a_constructor() {
    return std::pair<Socket, std::string>(USOCKET_TRY(opened()), USOCKET_TRY(nameless()));
}

TEST(ResultChains, CPP_5_SOCK_3_what_was_taken_before_an_early_return_is_let_go) {
    const std::size_t before = open_descriptors();
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(put_together_afterwards().error(), Error(ECONNREFUSED));
        EXPECT_EQ(filled_in().error(), Error(ECONNREFUSED));
        EXPECT_EQ(as_arguments().error(), Error(ECONNREFUSED));
        EXPECT_EQ(for_a_constructor().error(), Error(ECONNREFUSED));
    }
    EXPECT_EQ(open_descriptors(), before);
}

TEST(ResultChains, CPP_5_a_result_becomes_one_of_another_value) {
    const Result<long> wide = half(8);
    EXPECT_EQ(*wide, 4);
    const Result<void> done = half(7);
    EXPECT_EQ(done.error(), Error(EDOM));
    static_assert(!std::is_convertible_v<Result<std::string>, Result<int>>);
    static_assert(!std::is_convertible_v<Result<void>, Result<int>>);
}

// An error that says more is one that says less, where that is wanted.
TEST(ResultChains, CPP_5_an_endpoint_error_becomes_an_error) {
    EndpointError detailed;
    detailed.add("here", Error(ECONNREFUSED));
    const Result<int, EndpointError> failed = detailed;
    const Result<int> plain = failed;
    EXPECT_EQ(plain.error(), Error(ECONNREFUSED));
    const auto pass = [&]() -> Result<std::string> {
        return std::to_string(USOCKET_TRY(Result<int, EndpointError>(failed)));
    };
    EXPECT_EQ(pass().error(), Error(ECONNREFUSED));
    const Result<int, EndpointError> back = Result<int>(Error(EPIPE));
    EXPECT_EQ(back.error(), Error(EPIPE));
    EXPECT_STREQ(back.error().message(), Error(EPIPE).message());
    static_assert(std::is_trivially_copyable_v<EndpointError>);
    try {
        (void)failed.value();
        FAIL();
    } catch (const BadResultAccess& access) {
        EXPECT_EQ(access.error(), Error(ECONNREFUSED));
        EXPECT_STREQ(access.what(), "here: Connection refused");
    }
}

}  // namespace
}  // namespace usocket::tests
