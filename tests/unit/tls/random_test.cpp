// TLS-3: random numbers, where they are the engine's and not its library's.
#include <gtest/gtest.h>

#if defined(USOCKET_TESTS_MBEDTLS)
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "tls/mbedtls/common.hpp"

namespace usocket::tests {
namespace {

namespace random = tls::mbedtls::random;

using Numbers = std::array<unsigned char, 32>;

Numbers draw() {
    Numbers numbers{};
    EXPECT_EQ(random::get(nullptr, numbers.data(), numbers.size()), 0);
    return numbers;
}

TEST(TlsRandom, TLS_3_a_child_of_fork_has_its_own) {
    EXPECT_NE(draw(), draw());
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        const Numbers numbers = draw();
        const bool is_told = ::write(ends[1], numbers.data(), numbers.size()) == ssize_t{numbers.size()};
        ::_exit(is_told ? 0 : 1);
    }
    Numbers others{};
    EXPECT_EQ(::read(ends[0], others.data(), others.size()), ssize_t{others.size()});
    EXPECT_NE(draw(), others);
    int status = 1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    for (const int end : ends) (void)::close(end);
}

}  // namespace
}  // namespace usocket::tests
#endif
