// SOCK-4: close() ends the calls that other threads are in, on sockets of every family, and frees the descriptor.
#include <linux/netlink.h>

#include <array>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "connection.hpp"
#include "descriptor.hpp"
#include "reading.hpp"
#include "trial.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class CloseTrial : Trial {
public:
    CloseTrial(std::uint64_t seed, Record& record) : Trial(seed, record) {}

    void run() {
        make();
        if (random_.chance(400)) must(socket_.settimeout(random_.chance(500) ? 60s : 10s));
        const std::uint64_t count = random_.between(1, 3);
        Clock::time_point closed;
        {
            std::vector<std::jthread> threads;
            for (std::uint64_t i = 0; i < count; ++i) threads.emplace_back([this, i] { be_inside(i); });
            while (inside_ != count) std::this_thread::yield();
            std::this_thread::sleep_for(std::chrono::microseconds(random_.below(3000)));
            trace("close()");
            socket_.close();
            closed = Clock::now();
            while (inside_ != 0 && Clock::now() - closed < 3s) std::this_thread::sleep_for(200us);
            if (!require(inside_ == 0, std::string("close() does not end a call on ") + name_ + " (SOCK-4)"))
                ::_exit(0);
        }
        require(socket_.closed() && socket_.recv(1).error() == Error(EBADF), "a closed socket is EBADF (SOCK-3)");
    }

private:
    void make() {
        switch (random_.below(lacks("unix") ? 3 : 7)) {
            case 0: return connected(AF_INET);
            case 1: return alone(AF_INET, SOCK_DGRAM, 0, "UDP");
            case 2: return listening();
            case 3: return connected(AF_UNIX);
            case 4: return pair(SOCK_DGRAM, "AF_UNIX datagrams");
            case 5: return pair(SOCK_SEQPACKET, "AF_UNIX, SOCK_SEQPACKET");
            default: return alone(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, "AF_NETLINK");
        }
    }
    void connected(int family) {
        name_ = family == AF_INET ? "TCP" : "AF_UNIX";
        if (family == AF_UNIX) return pair(SOCK_STREAM, "AF_UNIX");
        const Listener listener = listen(Medium::tcp);
        socket_ = must(Socket::open());
        must(socket_.connect(listener.address));
        other_ = must(Socket::adopt(checked(::accept4(listener.fd, nullptr, nullptr, SOCK_CLOEXEC))));
        close_descriptor(listener.fd);
    }
    void pair(int type, const char* name) {
        name_ = name;
        SocketPair made = must(Socket::pair(AF_UNIX, type));
        socket_ = std::move(made.first);
        other_ = std::move(made.second);
    }
    void alone(int family, int type, int proto, const char* name) {
        name_ = name;
        socket_ = must(Socket::open(family, type, proto));
        if (family == AF_INET) must(socket_.bind(must(Address::inet(AF_INET, "127.0.0.1", 0))));
    }
    void listening() {
        name_ = "a listener";
        const Listener listener = listen(Medium::tcp);
        socket_ = must(Socket::adopt(listener.fd));
        is_listener_ = true;
    }

    // Where nothing ever comes.
    void be_inside(std::uint64_t number) {
        Random random(seed_ * 107 + number);
        ++inside_;
        const Error error = wait_there(random);
        require(error == Error(EBADF),
                std::string("a call that close() ended, on ") + name_ + ": " + error.message() + " (SOCK-4)");
        --inside_;
    }
    Error wait_there(Random& random) {
        std::array<char, 100> room;
        if (is_listener_) return socket_.accept().error();
        switch (random.below(6)) {
            case 0: return socket_.recv_into(room).error();
            case 1: return socket_.recvfrom_into(room).error();
            case 2: return socket_.readinto(room).error();
            case 3: return socket_.readline_into(room).error();
            case 4: return socket_.read(1000).error();
            default: return socket_.recv_into(room, MSG_PEEK).error();
        }
    }

    const char* name_ = "";
    bool is_listener_ = false;
    Socket socket_, other_;
    std::atomic<std::uint64_t> inside_{0};
};

}  // namespace

void run_close_trial(std::uint64_t seed, Record& record) { CloseTrial(seed, record).run(); }

}  // namespace usocket::tests
