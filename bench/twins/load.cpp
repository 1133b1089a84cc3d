// The clients of the examples and their twins, driven by bench/programs.py: it reads what to do from its input, a line
// each, and answers with the nanoseconds that it took.
//
//     load ask PORT CONNECTIONS REQUEST ANSWER_SIZE    each line: so many requests, over all connections in turn
//     load stream                                      prints a port to pass on to; then "proxy PORT", and each line:
//                                                      so many bytes through the proxy
#include <sys/epoll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "../posix.hpp"

namespace {

using bench::Fd;
using bench::must;

Fd connect_to(int port) {
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = bench::loopback(static_cast<std::uint16_t>(port));
    must(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "connect()");
    const int on = 1;
    must(::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "TCP_NODELAY");
    return fd;
}

// What the driver asks for next; 0 at the end.
unsigned long next_count() {
    unsigned long count = 0;
    return std::scanf("%lu", &count) == 1 ? count : 0;
}

template <class Work> void answer_with_time(Work work) {
    while (const unsigned long count = next_count()) {
        const auto begin = std::chrono::steady_clock::now();
        work(count);
        const std::chrono::nanoseconds taken = std::chrono::steady_clock::now() - begin;
        std::printf("%lld\n", static_cast<long long>(taken.count()));
        std::fflush(stdout);
    }
}

struct Asker {
    Fd fd;
    std::size_t to_come = 0;
};

void ask(int port, std::size_t connections, std::string_view request, std::size_t answer_size) {
    const Fd poll(::epoll_create1(EPOLL_CLOEXEC));
    std::vector<Asker> askers(connections);
    for (Asker& asker : askers) {
        asker.fd = connect_to(port);
        epoll_event event{EPOLLIN, {.ptr = &asker}};
        must(::epoll_ctl(poll.get(), EPOLL_CTL_ADD, asker.fd.get(), &event) == 0, "epoll_ctl()");
    }
    std::puts("ready");
    std::fflush(stdout);
    answer_with_time([&](unsigned long count) {
        unsigned long begun = 0;
        const auto begin = [&](Asker& asker) {
            if (begun == count) return;
            ++begun;
            asker.to_come = answer_size;
            const ssize_t sent = ::send(asker.fd.get(), request.data(), request.size(), MSG_NOSIGNAL);
            must(sent == static_cast<ssize_t>(request.size()), "send()");
        };
        for (Asker& asker : askers) begin(asker);
        for (unsigned long done = 0; done != count;) {
            epoll_event events[256];
            const int ready = ::epoll_wait(poll.get(), events, 256, -1);
            for (int i = 0; i < ready; ++i) {
                auto& asker = *static_cast<Asker*>(events[i].data.ptr);
                char answer[4096];
                const ssize_t size = ::recv(asker.fd.get(), answer, sizeof answer, 0);
                must(size > 0, "recv()");
                asker.to_come -= static_cast<std::size_t>(size);
                if (asker.to_come != 0) continue;
                ++done;
                begin(asker);
            }
        }
    });
}

void stream() {
    const Fd listener = bench::listen_loopback();
    std::printf("%d\n", bench::port_of(listener.get()));
    std::fflush(stdout);
    int port = 0;
    must(std::scanf(" proxy %d", &port) == 1, "the proxy's port");
    const Fd client = connect_to(port);
    const Fd target(::accept(listener.get(), nullptr, nullptr));
    must(target.get() >= 0, "accept()");
    std::puts("ready");
    std::fflush(stdout);
    const std::vector<char> block(1 << 20);
    answer_with_time([&](unsigned long count) {
        std::jthread sender([&] {
            for (unsigned long left = count; left != 0;) {
                const ssize_t sent = ::send(client.get(), block.data(), std::min<unsigned long>(left, block.size()), 0);
                must(sent > 0, "send()");
                left -= static_cast<unsigned long>(sent);
            }
        });
        for (unsigned long left = count; left != 0;) {
            const ssize_t size = ::recv(target.get(), nullptr, std::min<unsigned long>(left, 1 << 20), MSG_TRUNC);
            must(size > 0, "recv()");
            left -= static_cast<unsigned long>(size);
        }
    });
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view mode = argc > 1 ? argv[1] : "";
    if (mode == "ask" && argc == 6) {
        ask(std::atoi(argv[2]), std::strtoul(argv[3], nullptr, 10), argv[4], std::strtoul(argv[5], nullptr, 10));
    } else if (mode == "stream" && argc == 2) {
        stream();
    } else {
        return 2;
    }
    return 0;
}
