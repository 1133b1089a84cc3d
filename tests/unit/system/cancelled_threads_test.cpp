// SOCK-4: a thread that is cancelled (pthread_cancel) inside a call ends at a point outside, and leaves nothing behind.
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <optional>
#include <thread>

#include "background.hpp"
#include "descriptors.hpp"
#include "loopback.hpp"
#include "usocket/server.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

// A thread that does something and then can be cancelled; a std::thread cannot end so.
class Cancelled {
public:
    explicit Cancelled(std::function<void()> body) : body_(std::move(body)) {
        EXPECT_EQ(::pthread_create(&thread_, nullptr, run, this), 0);
    }
    Cancelled(const Cancelled&) = delete;
    Cancelled& operator=(const Cancelled&) = delete;
    ~Cancelled() { EXPECT_TRUE(is_joined_); }

    // While it sleeps in its call.
    void cancel() {
        while (id_ == 0 || thread_state(id_) != 'S') std::this_thread::yield();
        EXPECT_EQ(::pthread_cancel(thread_), 0);
    }
    // Whether its call came to its end before it was cancelled outside.
    bool join() {
        void* result = nullptr;
        EXPECT_EQ(::pthread_join(thread_, &result), 0);
        is_joined_ = true;
        return result == PTHREAD_CANCELED && has_returned_;
    }

private:
    static void* run(void* self) {
        auto& cancelled = *static_cast<Cancelled*>(self);
        cancelled.id_ = static_cast<int>(::syscall(SYS_gettid));
        cancelled.body_();
        cancelled.has_returned_ = true;
        ::pthread_testcancel();
        return nullptr;
    }

    std::function<void()> body_;
    pthread_t thread_{};
    std::atomic<int> id_{0};
    std::atomic<bool> has_returned_{false};
    bool is_joined_ = false;
};

TEST(Cancelling, SOCK_4_a_reader_leaves_no_lock_behind) {
    for (const bool is_exposed : {false, true}) {
        Pair pair = tcp_pair();
        if (is_exposed) (void)pair.here.fileno();
        Cancelled reader([&] { EXPECT_EQ(must(pair.here.readline()).view(), "one\n"); });
        reader.cancel();
        must(pair.there.write("one\ntwo\n"));
        EXPECT_TRUE(reader.join());
        EXPECT_EQ(must(pair.here.readline(Deadline::after(10s))).view(), "two\n");
    }
}

TEST(Cancelling, SOCK_4_a_close_ends_the_call_of_a_cancelled_thread) {
    Pair pair = unix_pair();
    const std::size_t before = open_descriptors();
    Cancelled reader([&] { EXPECT_EQ(pair.here.recv(1).error(), Error(EBADF)); });
    reader.cancel();
    pair.here.close();
    EXPECT_TRUE(reader.join());
    EXPECT_EQ(open_descriptors(), before - 1) << "whoever is last inside has freed the descriptor";
}

TEST(Cancelling, POLL_6_a_wait_is_counted_out) {
    Poll poll;
    Pair pair = unix_pair();
    must(poll.register_(pair.here, POLLIN));
    Cancelled waiting([&] {
        Poll::Event events[1];
        EXPECT_EQ(must(poll.poll(events)), 0u);
    });
    waiting.cancel();
    poll.wake();
    EXPECT_TRUE(waiting.join());
}

// What a server calls has cancellation points of its own; its thread was cancelled before it comes to the first.
TEST(Cancelling, SOCK_4_a_server_and_what_it_calls_go_on) {
    struct Napping {
        Napping() { ::pthread_testcancel(); }
        Napping(const Napping&) = delete;
        Napping& operator=(const Napping&) = delete;
        ~Napping() { ::pthread_testcancel(); }
        Deadline deadline() const {
            ::pthread_testcancel();
            return Deadline::after(1h);
        }
        unsigned take_turn(Socket& socket) {
            ::pthread_testcancel();
            const auto line = socket.readline();
            return line && socket.write(line->view()) ? unsigned{POLLIN} : 0;
        }
    };
    Address address;
    std::optional<Server<Napping>> server(std::in_place, listener(address));
    std::atomic<bool> is_stopped = false;
    Cancelled thread([&] {
        EXPECT_EQ(::pthread_cancel(::pthread_self()), 0);
        EXPECT_TRUE(server->run());
        server->for_each([](Napping&, Socket&) {
            ::pthread_testcancel();
            return unsigned{POLLIN};
        });
        while (!is_stopped) std::this_thread::yield();
        server.reset();
    });
    Socket client = must(socket());
    must(client.connect(address));
    for (int i = 0; i < 3; ++i) {
        must(client.write("over and over\n"));
        EXPECT_EQ(must(client.readline()).view(), "over and over\n");
    }
    server->stop();
    is_stopped = true;
    EXPECT_TRUE(thread.join());
    EXPECT_TRUE(must(client.read()).empty());
}

TEST(Cancelling, GAI_5_a_connection_leaves_no_descriptor_behind) {
    Address address;
    const Socket server = listener(address);
    const std::size_t before = open_descriptors();
    Cancelled client([&] {
        EXPECT_EQ(::pthread_cancel(::pthread_self()), 0);  // before it begins
        EXPECT_TRUE(usocket::connect("localhost", address.port(), Deadline::after(10s)));
    });
    EXPECT_TRUE(client.join());
    // The thread that has looked the name up may hold its bell a little longer.
    const Deadline patience = Deadline::after(5s);
    while (open_descriptors() != before && !patience.has_passed()) std::this_thread::yield();
    EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace usocket::tests
