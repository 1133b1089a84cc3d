// GAI-1 GAI-4: many threads resolve at once; each gets its own whole answer.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "background.hpp"
#include "loopback.hpp"

namespace usocket::tests {
namespace {

TEST(ResolverThreads, Gai1ManyAtOnce) {
    std::vector<std::unique_ptr<Background>> threads;
    for (int i = 0; i < 16; ++i) {
        threads.push_back(std::make_unique<Background>([i] {
            for (int k = 1; k <= 10; ++k) {
                const int port = 1000 * i + k;
                const auto found = getaddrinfo("localhost", port, AF_INET, SOCK_STREAM);
                ASSERT_TRUE(found.has_value()) << found.error().message();
                ASSERT_FALSE(found->empty());
                for (const AddressInfo& one : *found) {
                    EXPECT_EQ(one.family, AF_INET);
                    EXPECT_EQ(one.type, SOCK_STREAM);
                    EXPECT_EQ(one.sockaddr.port(), port);
                    EXPECT_EQ(one.sockaddr.host().view(), "127.0.0.1");
                }
                const auto numeric = getaddrinfo("127.0.0.1", port);
                ASSERT_TRUE(numeric.has_value());
                EXPECT_EQ(numeric->front().sockaddr.port(), port);
                EXPECT_LT(getaddrinfo("127.0.0.1", "no-such-service").error().code(), 0);
            }
        }));
    }
}

}  // namespace
}  // namespace usocket::tests
