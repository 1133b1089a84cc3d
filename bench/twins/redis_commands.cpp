// examples/cpp/redis_commands.cpp with standalone Asio.
#include <asio.hpp>
#include <asio/experimental/awaitable_operators.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <variant>

namespace {

using asio::ip::tcp;
using namespace asio::experimental::awaitable_operators;

constexpr std::size_t longest_line = 4096;

struct Redis {
    tcp::socket socket;
    std::string unread = {};
};

asio::awaitable<std::string> read_line(Redis& redis) {
    auto buffer = asio::dynamic_buffer(redis.unread, longest_line + redis.unread.size());
    const std::size_t size = co_await asio::async_read_until(redis.socket, buffer, "\r\n", asio::use_awaitable);
    std::string line = redis.unread.substr(0, size - 2);
    redis.unread.erase(0, size);
    co_return line;
}

asio::awaitable<std::string> read_string(Redis& redis, std::size_t size) {
    if (redis.unread.size() < size + 2) {
        co_await asio::async_read(redis.socket, asio::dynamic_buffer(redis.unread),
                                  asio::transfer_at_least(size + 2 - redis.unread.size()), asio::use_awaitable);
    }
    std::string string = redis.unread.substr(0, size);
    redis.unread.erase(0, size + 2);
    co_return string;
}

// An answer is a line whose first byte says what it is; a string (its length) and a list (of answers) have more behind.
asio::awaitable<void> print_answer(Redis& redis) {
    const std::string line = co_await read_line(redis);
    const std::string rest = line.substr(1);
    const long number = std::atol(rest.c_str());
    if (line[0] == '*') {
        for (long i = 0; i < number; ++i) co_await print_answer(redis);
    } else if (line[0] == '$' && number >= 0) {
        const std::string string = co_await read_string(redis, static_cast<std::size_t>(number));
        std::fwrite(string.data(), 1, string.size(), stdout);
        std::puts("");
    } else {
        std::puts(line[0] == '$' ? "(nil)" : rest.c_str());
    }
}

asio::awaitable<void> run(char** words) {
    const auto executor = co_await asio::this_coro::executor;
    tcp::resolver resolver(executor);
    Redis redis{tcp::socket(executor)};
    const auto found = co_await resolver.async_resolve(words[0], words[1], asio::use_awaitable);
    co_await asio::async_connect(redis.socket, found, asio::use_awaitable);
    for (char** command = words + 3; *command != nullptr; ++command) {
        const std::string line = *command + std::string("\r\n");
        co_await asio::async_write(redis.socket, asio::buffer(line), asio::use_awaitable);
        co_await print_answer(redis);
    }
}

asio::awaitable<void> run_until(char** words, std::chrono::duration<double> span) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    timer.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(span));
    const auto first = co_await (run(words) || timer.async_wait(asio::use_awaitable));
    if (first.index() == 1) throw asio::system_error(asio::error::timed_out);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fprintf(stderr, "usage: redis_commands HOST PORT SECONDS COMMAND...\n");
        return 2;
    }
    std::exception_ptr failure;
    asio::io_context context(1);
    asio::co_spawn(context, run_until(argv + 1, std::chrono::duration<double>(std::atof(argv[3]))),
                   [&](const std::exception_ptr& how) { failure = how; });
    context.run();
    try {
        if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& failed) {
        std::fprintf(stderr, "redis_commands: %s\n", failed.what());
        return 1;
    }
    return 0;
}
