// examples/cpp/splice_proxy.cpp with standalone Asio, which knows no splice(2): the bytes are copied.
#include <asio.hpp>
#include <asio/experimental/awaitable_operators.hpp>

#include <chrono>
#include <cstdio>
#include <exception>
#include <utility>
#include <vector>

#include "twins.hpp"

namespace {

using asio::ip::tcp;
using namespace asio::experimental::awaitable_operators;

// All that comes, until its end; that is passed on, too. What breaks one direction ends both.
asio::awaitable<void> pass_on(tcp::socket& from, tcp::socket& to) {
    std::vector<char> block(65536);
    asio::error_code failed;
    for (;;) {
        const std::size_t size =
            co_await from.async_read_some(asio::buffer(block), asio::redirect_error(asio::use_awaitable, failed));
        if (failed) break;
        co_await asio::async_write(to, asio::buffer(block, size), asio::redirect_error(asio::use_awaitable, failed));
        if (failed) break;
    }
    asio::error_code ignored;
    if (failed == asio::error::eof) {
        to.shutdown(tcp::socket::shutdown_send, ignored);
    } else {
        from.close(ignored);
        to.close(ignored);
    }
}

asio::awaitable<void> connect(tcp::socket& server, const tcp::endpoint& target) {
    asio::steady_timer timer(server.get_executor(), std::chrono::seconds(10));
    const auto first =
        co_await (server.async_connect(target, asio::use_awaitable) || timer.async_wait(asio::use_awaitable));
    if (first.index() == 1) throw asio::system_error(asio::error::timed_out);
}

asio::awaitable<void> serve(tcp::socket client, tcp::endpoint target) {
    try {
        tcp::socket server(client.get_executor());
        co_await connect(server, target);
        co_await (pass_on(client, server) && pass_on(server, client));
    } catch (const std::exception& failed) {
        std::fprintf(stderr, "splice_proxy: %s\n", failed.what());
    }
}

asio::awaitable<void> accept(tcp::acceptor& acceptor, tcp::endpoint target) {
    for (;;) {
        asio::error_code failed;
        tcp::socket client = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, failed));
        if (failed) {
            asio::steady_timer rest(acceptor.get_executor(), std::chrono::milliseconds(100));
            co_await rest.async_wait(asio::use_awaitable);
        } else {
            asio::co_spawn(acceptor.get_executor(), serve(std::move(client), target), asio::detached);
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2 || argc > 3) {
        std::fprintf(stderr, "usage: splice_proxy TARGET [ADDRESS]\n");
        return 2;
    }
    try {
        asio::io_context context(1);
        tcp::acceptor acceptor(context, endpoint_of<tcp>(argc > 2 ? argv[2] : "127.0.0.1:0"));
        print_port(acceptor);
        asio::co_spawn(context, accept(acceptor, endpoint_of<tcp>(argv[1])), asio::detached);
        context.run();
    } catch (const std::exception& failed) {
        std::fprintf(stderr, "splice_proxy: %s\n", failed.what());
    }
    return 1;
}
