// Runs commands on a Redis server and prints the answers: redis_commands HOST PORT SECONDS COMMAND...
//
// A COMMAND is a line, as "SET name value". SECONDS is for everything together: the name, the connection, each command
// and each answer. Whatever is slow, or drips, the program ends by then.
#include <usocket/usocket.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using usocket::Deadline;
using usocket::Result;
using usocket::Socket;

constexpr long longest_string = 512L * 1024 * 1024;  // Redis's own limit

// An answer is a line whose first byte says what it is; a string (its length) and a list (of answers) have more behind.
Result<void> print_answer(Socket& redis, Deadline deadline) {
    std::array<char, 4096> line;
    const auto size = USOCKET_TRY(redis.readline_into(line, deadline));
    const std::string_view text(line.data(), size);
    if (!text.ends_with("\r\n")) return usocket::Error(ECONNRESET);
    const std::string rest(text.substr(1, size - 3));
    const long number = std::atol(rest.c_str());
    if (text[0] == '*') {
        for (long i = 0; i < number; ++i) USOCKET_TRY(print_answer(redis, deadline));
    } else if (text[0] == '$' && number >= 0) {
        if (number > longest_string) return usocket::Error(EMSGSIZE);
        std::string string(static_cast<std::size_t>(number) + 2, '\0');
        if (USOCKET_TRY(redis.readinto(string, deadline)) != string.size()) return usocket::Error(ECONNRESET);
        std::fwrite(string.data(), 1, string.size() - 1, stdout);
        std::puts("");
    } else {
        std::puts(text[0] == '$' ? "(nil)" : rest.c_str());
    }
    return {};
}

Result<void, usocket::EndpointError> run(char** words, Deadline deadline) {
    auto redis = USOCKET_TRY(usocket::connect(words[0], words[1], deadline));
    for (char** command = words + 3; *command != nullptr; ++command) {
        USOCKET_TRY(redis.write(*command + std::string("\r\n"), deadline));
        USOCKET_TRY(print_answer(redis, deadline));
    }
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fprintf(stderr, "usage: redis_commands HOST PORT SECONDS COMMAND...\n");
        return 2;
    }
    const auto done = run(argv + 1, Deadline::after(std::chrono::duration<double>(std::atof(argv[3]))));
    if (!done) std::fprintf(stderr, "redis_commands: %s\n", done.error().message());
    return done ? 0 : 1;
}
