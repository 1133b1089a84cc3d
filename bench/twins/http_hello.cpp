// examples/cpp/http_hello.cpp with standalone Asio.
#include <asio.hpp>

#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "twins.hpp"

namespace {

using asio::ip::tcp;

constexpr std::string_view greeting = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
constexpr std::size_t largest_header = 8192;

asio::awaitable<void> serve(tcp::socket client) {
    std::string header;
    asio::error_code failed;
    for (;;) {
        auto buffer = asio::dynamic_buffer(header, largest_header);
        const std::size_t size = co_await asio::async_read_until(client, buffer, "\r\n\r\n",
                                                                 asio::redirect_error(asio::use_awaitable, failed));
        if (failed) co_return;
        buffer.consume(size);
        co_await asio::async_write(client, asio::buffer(greeting), asio::redirect_error(asio::use_awaitable, failed));
        if (failed) co_return;
    }
}

// Where there is no room for another client, it rests.
asio::awaitable<void> accept(tcp::acceptor& acceptor) {
    for (;;) {
        asio::error_code failed;
        tcp::socket client = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, failed));
        if (failed) {
            asio::steady_timer rest(acceptor.get_executor(), std::chrono::seconds(1));
            co_await rest.async_wait(asio::use_awaitable);
        } else {
            asio::co_spawn(acceptor.get_executor(), serve(std::move(client)), asio::detached);
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    try {
        asio::io_context context(1);
        tcp::acceptor acceptor(context, endpoint_of<tcp>(argc > 1 ? argv[1] : "127.0.0.1:0"));
        print_port(acceptor);
        asio::signal_set signals(context, SIGINT, SIGTERM);
        signals.async_wait([&](const asio::error_code&, int) { context.stop(); });
        asio::co_spawn(context, accept(acceptor), asio::detached);
        context.run();
    } catch (const std::exception& failed) {
        std::fprintf(stderr, "http_hello: %s\n", failed.what());
        return 1;
    }
    return 0;
}
