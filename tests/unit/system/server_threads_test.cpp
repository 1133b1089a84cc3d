// SOCK-9: a server that is destroyed while another thread runs it, as exit() does with a static one.
#include "usocket/server.hpp"

#include <optional>
#include <string>

#include "background.hpp"
#include "loopback.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

// Answers each line, and says how often.
struct Answering {
    std::atomic<int>* turns = nullptr;
    std::string last;

    unsigned take_turn(Socket& socket) {
        const auto line = socket.readline();
        if (!line) return line.error() == Error(EAGAIN) ? unsigned{POLLIN} : 0;
        last = line->view();
        ++*turns;
        return line->size() != 0 && socket.write(last) ? unsigned{POLLIN} : 0;
    }
};

TEST(ServerThreads, SOCK_9_a_server_that_goes_waits_for_the_turn_that_goes_on) {
    for (int i = 0; i < 30; ++i) {
        std::atomic<int> turns{0};
        std::optional<Server<Answering>> server(std::in_place, must(Result<Socket>(usocket::listen("127.0.0.1:0"))));
        const Address address = must(server->listener().getsockname());
        Background running([&] { EXPECT_TRUE(server->run([&] { return Answering{&turns, {}}; })); });
        Background talking([&] {
            Socket client = must(Result<Socket>(usocket::connect(address)));
            while (client.write("over and over\n") && client.readline().value_or(Bytes()).size() != 0) {
            }
        });
        while (turns < 2) std::this_thread::yield();
        server.reset();
        running.join();
    }
}

// It waits for no more than a second, and what the turn uses is left to it.
TEST(ServerThreads, SOCK_9_a_turn_that_does_not_end_keeps_what_it_uses) {
    struct Long {
        std::atomic<bool>* has_begun;
        std::atomic<bool>* may_end;
        std::string text = "long enough for memory of its own";

        unsigned take_turn(Socket& socket) {
            *has_begun = true;
            while (!*may_end) std::this_thread::yield();
            (void)socket.write(text);
            return 0;
        }
    };
    std::atomic<bool> has_begun{false}, may_end{false};
    alignas(Server<Long>) unsigned char memory[sizeof(Server<Long>)];  // as that of a static one it stays
    auto* server = new (memory) Server<Long>(must(Result<Socket>(usocket::listen("127.0.0.1:0"))));
    const Address address = must(server->listener().getsockname());
    Background running([&] { (void)server->run([&] { return Long{&has_begun, &may_end}; }); });
    Socket client = must(Result<Socket>(usocket::connect(address)));
    must(client.write("x"));
    while (!has_begun) std::this_thread::yield();
    server->~Server();
    may_end = true;
    running.join();
    EXPECT_EQ(must(client.read(4)).view(), "long");
}

// exit() from a turn goes on as it always did: nobody comes back to it.
TEST(ServerThreads, SOCK_9_exit_in_a_turn_waits_for_nobody) {
    struct Leaving {
        unsigned take_turn(Socket&) { std::exit(7); }
    };
    const auto leave = [] {
        static std::optional<Server<Leaving>> server;
        server.emplace(must(Result<Socket>(usocket::listen("127.0.0.1:0"))));
        Socket client = must(Result<Socket>(usocket::connect(must(server->listener().getsockname()))));
        must(client.write("x"));
        (void)server->run();
    };
    EXPECT_EXIT(leave(), ::testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace usocket::tests
