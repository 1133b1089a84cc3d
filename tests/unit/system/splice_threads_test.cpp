// CPP-4 SOCK-4: a splice is a call on two sockets; to close either ends it, whichever it waits for.
#include <string>

#include "background.hpp"
#include "loopback.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

enum class Closed { from, to };

class SpliceCloses : public ::testing::TestWithParam<std::tuple<bool, bool, bool, Closed>> {
protected:
    Pair make() const { return std::get<0>(GetParam()) ? unix_pair() : tcp_pair(); }
    [[nodiscard]] bool is_exposed() const { return std::get<1>(GetParam()); }
    [[nodiscard]] bool waits_for_room() const { return std::get<2>(GetParam()); }
    [[nodiscard]] Closed which() const { return std::get<3>(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Close, SpliceCloses,
                         ::testing::Combine(::testing::Bool(), ::testing::Bool(), ::testing::Bool(),
                                            ::testing::Values(Closed::from, Closed::to)),
                         [](const auto& one) {
                             return std::string(std::get<0>(one.param) ? "unix" : "tcp") +
                                    (std::get<1>(one.param) ? "_exposed" : "") +
                                    (std::get<2>(one.param) ? "_waits_for_room" : "_waits_for_bytes") +
                                    (std::get<3>(one.param) == Closed::from ? "_from" : "_to");
                         });

TEST_P(SpliceCloses, SOCK_4_either_ends_it) {
    Pair from = make();
    Pair to = make();
    if (is_exposed()) {
        (void)from.here.fileno();
        (void)to.here.fileno();
    }
    if (waits_for_room()) {
        fill(to.here);
        must(to.here.setblocking(true));
        must(from.there.write("0123456789"));
    }
    Error error;
    Background splicer([&] { error = from.here.splice(to.here).error(); });
    splicer.await_asleep();
    (which() == Closed::from ? from.here : to.here).close();
    splicer.join();
    EXPECT_EQ(error, Error(EBADF));
    Socket& other = which() == Closed::from ? to.here : from.here;
    EXPECT_FALSE(other.closed());
    if (which() == Closed::to && waits_for_room()) {
        EXPECT_EQ(must(other.recv(20)).view(), "0123456789") << "TIME-6";
    }
}

// Both directions at once, as in a proxy; whoever is in between sees both streams whole.
TEST(Proxy, CPP_4_both_directions_at_once) {
    Pair client = tcp_pair();
    Pair server = tcp_pair();
    const std::string much(3'000'000, 'x');
    const auto pass_on = [](Socket& from, Socket& to) {
        EXPECT_TRUE(from.splice(to).has_value());
        must(to.shutdown(SHUT_WR));
    };
    Background there([&] { pass_on(client.here, server.here); });
    Background back([&] { pass_on(server.here, client.here); });
    const auto talk = [&](Socket& end) {
        Background sender([&] {
            EXPECT_EQ(must(end.write(much)), much.size());
            must(end.shutdown(SHUT_WR));
        });
        EXPECT_TRUE(must(end.read()).view() == much);
    };
    Background other([&] { talk(server.there); });
    talk(client.there);
}

}  // namespace
}  // namespace usocket::tests
