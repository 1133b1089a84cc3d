// Counts the lines that a server sends: count_lines HOST PORT [SECONDS]
//
// What a device does that follows a log or a stream of sensor data. Prints how many lines came in how many
// milliseconds, after SECONDS (1 if not told) or when the server closes. readline_into() fills the same memory again
// and again.
#include <usocket/usocket.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace {

using Clock = std::chrono::steady_clock;
using usocket::Socket;

constexpr int piece = 100;  // lines between two looks at the clock

// How many lines came until then, or until the server closed.
long count_lines(Socket& socket, Clock::time_point end) {
    std::array<char, 4096> line;
    long count = 0;
    do {
        for (int i = 0; i < piece; ++i) {
            const auto size = socket.readline_into(line);
            if (!size || *size == 0) return count;
            ++count;
        }
    } while (Clock::now() < end);
    return count;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3 && argc != 4) {
        std::fprintf(stderr, "usage: count_lines HOST PORT [SECONDS]\n");
        return 2;
    }
    auto socket = usocket::connect(argv[1], argv[2], usocket::Deadline::after(std::chrono::seconds(10)));
    if (!socket) {
        std::fprintf(stderr, "count_lines: %s\n", socket.error().message());
        return 1;
    }

    const auto start = Clock::now();
    const std::chrono::duration<double> seconds(argc == 4 ? std::atof(argv[3]) : 1.0);
    const long count = count_lines(*socket, start + std::chrono::duration_cast<Clock::duration>(seconds));
    const auto taken = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
    std::printf("%ld lines in %lld ms\n", count, static_cast<long long>(taken.count()));
    return 0;
}
