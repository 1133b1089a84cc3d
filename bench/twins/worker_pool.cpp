// examples/cpp/worker_pool.cpp with standalone Asio: threads share an io_context, not a listener, so that closing the
// acceptor and the silence of a client can end what waits.
#include <asio.hpp>
#include <asio/experimental/awaitable_operators.hpp>

#include <atomic>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "twins.hpp"

namespace {

using asio::ip::tcp;
using namespace asio::experimental::awaitable_operators;

constexpr std::size_t longest_line = 1000;

std::atomic<int> served = 0;

// Waits for a call, but no longer than ten seconds.
template <class Operation> asio::awaitable<std::size_t> in_time(tcp::socket& client, Operation operation) {
    asio::steady_timer timer(client.get_executor(), std::chrono::seconds(10));
    const auto first = co_await (std::move(operation) || timer.async_wait(asio::use_awaitable));
    if (first.index() == 1) throw asio::system_error(asio::error::timed_out);
    co_return std::get<0>(first);
}

asio::awaitable<void> serve(tcp::socket client) {
    try {
        for (std::string unread;;) {
            const std::size_t size = co_await in_time(
                client,
                asio::async_read_until(client, asio::dynamic_buffer(unread, longest_line), '\n', asio::use_awaitable));
            std::string line = unread.substr(0, size);
            unread.erase(0, size);
            for (char& letter : line) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
            co_await in_time(client, asio::async_write(client, asio::buffer(line), asio::use_awaitable));
        }
    } catch (const std::exception&) {  // it has gone, or is silent
    }
    ++served;
}

asio::awaitable<void> accept(tcp::acceptor& acceptor) {
    while (acceptor.is_open()) {
        asio::error_code failed;
        tcp::socket client = co_await acceptor.async_accept(asio::make_strand(acceptor.get_executor()),
                                                            asio::redirect_error(asio::use_awaitable, failed));
        if (failed) continue;
        const auto executor = client.get_executor();
        asio::co_spawn(executor, serve(std::move(client)), asio::detached);
    }
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const int workers = argc > 1 ? std::atoi(argv[1]) : 4;
        asio::io_context context(workers);
        tcp::acceptor acceptor(asio::make_strand(context), endpoint_of<tcp>(argc > 2 ? argv[2] : "127.0.0.1:0"));
        print_port(acceptor);
        asio::signal_set signals(acceptor.get_executor(), SIGINT, SIGTERM);
        signals.async_wait([&](const asio::error_code&, int) { acceptor.close(); });
        asio::co_spawn(acceptor.get_executor(), accept(acceptor), asio::detached);
        std::vector<std::jthread> pool;
        for (int i = 0; i < workers; ++i) pool.emplace_back([&] { context.run(); });
        pool.clear();  // waits for them
        std::printf("served %d\n", served.load());
    } catch (const std::exception& failed) {
        std::fprintf(stderr, "worker_pool: %s\n", failed.what());
        return 1;
    }
    return 0;
}
