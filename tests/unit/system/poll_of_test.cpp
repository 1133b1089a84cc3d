// POLL-1: a poll whose userdata have a type; what a stop request ends.
#include <concepts>
#include <thread>
#include <vector>

#include "background.hpp"
#include "loopback.hpp"
#include "usocket/poll_of.hpp"
#include "usocket/stop.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

struct Client {
    int number = 0;
};

template <class P, class T>
concept CanRegister = requires(P& poll, Socket& socket, T userdata) { poll.register_(socket, POLLIN, userdata); };
static_assert(CanRegister<PollOf<Client>, Client&>);
static_assert(!CanRegister<PollOf<Client>, int&>);
static_assert(!CanRegister<PollOf<Client>, void*>);
static_assert(!CanRegister<PollOf<Client>, const Client&>);
static_assert(CanRegister<PollOf<const Client>, const Client&>);

TEST(PollOfT, POLL_1_events_have_what_was_registered) {
    Pair one = unix_pair();
    Pair other = unix_pair();
    Client client{7};
    PollOf<Client> poll;
    must(poll.register_(one.here, POLLIN, client).error());
    must(poll.register_(other.here, POLLIN).error());
    EXPECT_EQ(poll.size(), 2u);
    PollOf<Client>::Event events[4];
    EXPECT_TRUE(must(poll.poll(events, 0ms)).empty());
    must(one.there.write("x"));
    const auto ready = must(poll.poll(events, 10s));
    ASSERT_EQ(ready.size(), 1u);
    EXPECT_EQ(ready[0].userdata(), &client);
    EXPECT_EQ(ready[0].events, static_cast<unsigned>(POLLIN));
    EXPECT_EQ(ready[0].fd, one.here.fileno());
    must(poll.modify(ready[0].registration, 0));
    must(other.there.write("x"));
    const auto next = must(poll.poll(events, 10s));
    ASSERT_EQ(next.size(), 1u);
    EXPECT_EQ(next[0].userdata(), nullptr);
    must(poll.unregister(one.here));
    poll.unregister(next[0].registration);
    EXPECT_EQ(poll.size(), 0u);
}

TEST(PollOfT, POLL_1_all_that_are_ready_each_with_its_own) {
    std::vector<Pair> pairs;
    std::vector<Client> clients(5);
    PollOf<Client> poll;
    for (int i = 0; i < 5; ++i) {
        pairs.push_back(unix_pair());
        clients[static_cast<std::size_t>(i)].number = i;
    }
    for (std::size_t i = 0; i < 5; ++i) {
        must(poll.register_(pairs[i].here.fileno(), POLLOUT, clients[i]).error());
    }
    PollOf<Client>::Event events[8];
    int sum = 0;
    for (const auto& event : must(poll.poll(events, 10s))) {
        sum += 1 << event.userdata()->number;
        EXPECT_EQ(event.fd, pairs[static_cast<std::size_t>(event.userdata()->number)].here.fileno());
    }
    EXPECT_EQ(sum, 31);
}

#if defined(__cpp_lib_jthread)
TEST(StopToken, POLL_6_a_request_ends_a_wait) {
    Poll poll;
    std::stop_source stop;
    std::size_t count = 1;
    Background waiter([&] {
        const WakeOnStop wake(poll, stop.get_token());
        Poll::Event events[1];
        while (!stop.stop_requested()) count = must(poll.poll(events));
    });
    waiter.await_asleep();
    stop.request_stop();
    waiter.join();
    EXPECT_EQ(count, 0u);
}

TEST(StopToken, POLL_6_one_that_came_before_ends_the_first_wait) {
    PollOf<Client> poll;
    std::stop_source stop;
    stop.request_stop();
    const WakeOnStop wake(poll, stop.get_token());
    PollOf<Client>::Event events[1];
    EXPECT_TRUE(must(poll.poll(events, 1h)).empty());
}

TEST(StopToken, POLL_6_only_while_it_lives) {
    Poll poll;
    std::stop_source stop;
    {
        const WakeOnStop wake(poll, stop.get_token());
    }
    stop.request_stop();
    Pair pair = unix_pair();
    must(poll.register_(pair.here, POLLOUT).error());
    Poll::Event events[1];
    EXPECT_EQ(must(poll.poll(events, 1h)), 1u);
    must(poll.modify(pair.here, POLLIN));
    EXPECT_EQ(must(poll.poll(events, 10ms)), 0u);
}

TEST(StopToken, SOCK_4_a_request_sends_workers_home) {
    Address address;
    Socket server = listener(address);
    std::stop_source stop;
    const CloseOnStop close(server, stop.get_token());
    Error first, second;
    Background one([&] { first = server.accept().error(); });
    Background other([&] { second = server.accept().error(); });
    one.await_asleep();
    other.await_asleep();
    stop.request_stop();
    one.join();
    other.join();
    EXPECT_EQ(first, Error(EBADF));
    EXPECT_EQ(second, Error(EBADF));
}
#endif

}  // namespace
}  // namespace usocket::tests
