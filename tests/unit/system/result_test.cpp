// CPP-2: Result holds a value or an Error, whose code is the reference's number and whose message says what was wrong.
#include <cstring>
#include <set>
#include <string>
#include <type_traits>
#include <unordered_set>

#include "loopback.hpp"
#include "usocket/error_code.hpp"

namespace usocket::tests {
namespace {

constexpr Fault all_faults[] = {
#define FAULT_ROW(name, text) Fault::name,
    USOCKET_FAULTS(FAULT_ROW)
#undef FAULT_ROW
};

// CPP-2
TEST(Results, CPP_2_a_result_of_a_count_is_two_registers) {
    static_assert(sizeof(Error) == 4);
    static_assert(sizeof(Result<void>) == sizeof(Error));
    static_assert(sizeof(Result<std::size_t>) == 2 * sizeof(std::size_t));
    static_assert(std::is_trivially_copyable_v<Result<std::size_t>> && std::is_trivially_destructible_v<Result<int>>);
    static_assert(std::is_trivially_copyable_v<Result<void>>);
}

TEST(Results, CPP_2_an_error_is_an_errno_a_resolver_code_or_a_fault) {
    static_assert(Error() == Error(0) && Error(Fault::none) == Error());
    EXPECT_EQ(Error(ECONNREFUSED).code(), ECONNREFUSED);
    EXPECT_EQ(Error(ECONNREFUSED).fault(), Fault::none);
    EXPECT_STREQ(Error(ECONNREFUSED).message(), std::strerror(ECONNREFUSED));
    EXPECT_EQ(Error(EAI_NONAME).code(), EAI_NONAME);
    EXPECT_LT(Error(EAI_NONAME).code(), 0);
    EXPECT_STREQ(Error(EAI_NONAME).message(), ::gai_strerror(EAI_NONAME));
    EXPECT_EQ(Error(Fault::port_range).code(), EINVAL);
    EXPECT_NE(Error(Fault::port_range), Error(EINVAL));
}

TEST(Results, CPP_2_every_fault_is_EINVAL_with_a_text_of_its_own) {
    std::set<std::string> texts;
    for (const Fault fault : all_faults) {
        const Error error(fault);
        EXPECT_EQ(error.fault(), fault);
        if (fault == Fault::none) continue;
        EXPECT_EQ(error.code(), EINVAL);
        EXPECT_GT(std::strlen(error.message()), 10u);
        EXPECT_TRUE(texts.insert(error.message()).second) << error.message();
    }
}

// For programs that speak std::error_code.
TEST(Results, CPP_2_an_error_code) {
    const std::error_code refused = make_error_code(Error(ECONNREFUSED));
    EXPECT_EQ(refused, std::errc::connection_refused);
    const std::error_code unknown = make_error_code(Error(EAI_NONAME));
    EXPECT_STREQ(unknown.category().name(), "usocket.resolver");
    EXPECT_EQ(unknown.value(), EAI_NONAME);
    EXPECT_EQ(unknown.message(), Error(EAI_NONAME).message());
    const std::error_code wrong = make_error_code(Error(Fault::port_range));
    EXPECT_EQ(wrong, std::errc::invalid_argument);
    EXPECT_NE(wrong, make_error_code(Error(Fault::bad_path)));
    EXPECT_EQ(wrong.message(), "port must be in 0..65535");
    EXPECT_FALSE(make_error_code(Error()));
}

TEST(Results, CPP_4_an_error_has_a_hash) {
    const std::unordered_set<Error> seen{Error(EAGAIN), Error(Fault::bad_path), Error(EAGAIN)};
    EXPECT_EQ(seen.size(), 2u);
    EXPECT_TRUE(seen.contains(Error(EAGAIN)));
}

TEST(Results, CPP_2_every_errno_has_a_message) {
    for (int code = 1; code < 200; ++code) {
        EXPECT_EQ(Error(code).code(), code);
        EXPECT_GT(std::strlen(Error(code).message()), 0u) << code;
    }
    EXPECT_NE(Error(INT32_MIN + 1).message(), nullptr);
    EXPECT_NE(Error((1 << 24) - 1).message(), nullptr);
}

TEST(Results, CPP_2_a_value) {
    Result<int> result = 7;
    ASSERT_TRUE(result);
    EXPECT_TRUE(result.has_value());
    EXPECT_EQ(*result, 7);
    EXPECT_EQ(result.value(), 7);
    EXPECT_EQ(result.error(), Error());
    EXPECT_EQ(result.value_or(8), 7);
    *result = 9;
    EXPECT_EQ(result.value(), 9);
}

TEST(Results, CPP_2_an_error) {
    const Result<int> result = Error(EAGAIN);
    EXPECT_FALSE(result);
    EXPECT_FALSE(result.has_value());
    EXPECT_EQ(result.error(), Error(EAGAIN));
    EXPECT_EQ(result.value_or(8), 8);
    const Result<void> nothing = Error(EPIPE);
    EXPECT_FALSE(nothing);
    EXPECT_EQ(nothing.error(), Error(EPIPE));
    EXPECT_TRUE(Result<void>());
}

TEST(Results, CPP_2_value_throws_what_went_wrong) {
    Result<int> result = Error(EAI_NONAME);
    try {
        (void)result.value();
        FAIL() << "value() without a value";
    } catch (const BadResultAccess& access) {
        EXPECT_EQ(access.error(), Error(EAI_NONAME));
        EXPECT_STREQ(access.what(), ::gai_strerror(EAI_NONAME));
    }
    EXPECT_THROW((void)Result<Socket>(Error(EMFILE)).value(), std::exception);
    EXPECT_THROW(Result<void>(Error(EPIPE)).value(), BadResultAccess);
    EXPECT_NO_THROW(Result<void>().value());
}

TEST(Results, CPP_2_moves_what_can_only_be_moved) {
    Result<Socket> result = socket();
    const int fd = result->fileno();
    Socket taken = *std::move(result);
    EXPECT_EQ(taken.fileno(), fd);
    EXPECT_TRUE(result->closed());
    Socket another = socket().value();
    EXPECT_FALSE(another.closed());
    EXPECT_TRUE(Result<Socket>(Error(EMFILE)).value_or(Socket()).closed());
}

// A range-based for keeps what value() and * return, but not the Result that they are called on.
TEST(Results, CPP_2_a_loop_over_the_value_of_a_temporary) {
    unsigned count = 0;
    for (const AddressInfo info : getaddrinfo("127.0.0.1", 80, AF_INET, SOCK_STREAM).value())
        count += info.sockaddr.port();
    for (const AddressInfo info : *getaddrinfo("127.0.0.1", 80, AF_INET, SOCK_STREAM)) count += info.sockaddr.port();
    EXPECT_EQ(count, 160u);
    static_assert(!std::is_reference_v<decltype(*std::declval<Result<Socket>>())>);
    static_assert(!std::is_reference_v<decltype(std::declval<Result<Socket>>().value())>);
}

TEST(Results, CPP_2_failing_methods_never_throw) {
    Socket closed;
    static_assert(noexcept(closed.recv(1)) && noexcept(closed.connect(Address())) && noexcept(closed.read()));
    static_assert(noexcept(getaddrinfo("localhost", 80)) && noexcept(Address::inet(AF_INET, "", 0)));
    EXPECT_NO_THROW({
        EXPECT_FALSE(closed.recv(1));
        EXPECT_FALSE(closed.connect(Address()));
        EXPECT_FALSE(getaddrinfo("localhost", -1));
    });
}

}  // namespace
}  // namespace usocket::tests
