// A pool of threads that serve lines, each sent back in capitals: worker_pool [WORKERS [ADDRESS]]
//
// Every worker accepts from the same listener; to stop them all, somebody closes it. SIGINT or SIGTERM does: nobody new
// gets in, whoever is being served stays until he has gone or is silent for ten seconds, and the program ends when the
// last one has. Listens on ADDRESS, any free port of 127.0.0.1 unless told, and prints it.
#include <usocket/usocket.hpp>

#include <atomic>
#include <cctype>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "port.hpp"

namespace {

using namespace std::chrono_literals;
using usocket::Result;
using usocket::Socket;

std::atomic<int> served = 0;

Result<void> serve(Socket client) {
    USOCKET_TRY(client.settimeout(10s));
    for (;;) {
        std::string line(USOCKET_TRY(client.readline(1000)).view());
        if (line.empty()) return {};
        for (char& letter : line) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
        USOCKET_TRY(client.write(line));
    }
}

void work(Socket& listener) {
    while (!listener.closed()) {
        if (auto accepted = listener.accept()) {
            (void)serve(std::move(accepted->socket));
            ++served;
        } else {
            std::this_thread::sleep_for(10ms);  // closed, or no descriptor is left: somebody will go
        }
    }
}

Result<void, usocket::EndpointError> run(int workers, const char* address) {
    // Before there are threads, which inherit it: the signals are sigwait()'s alone.
    sigset_t stopping;
    sigemptyset(&stopping);
    for (const int number : {SIGINT, SIGTERM}) sigaddset(&stopping, number);
    pthread_sigmask(SIG_BLOCK, &stopping, nullptr);

    auto listener = USOCKET_TRY(usocket::listen(address));
    USOCKET_TRY(print_port(listener));
    std::vector<std::jthread> pool;
    for (int i = 0; i < workers; ++i) pool.emplace_back([&] { work(listener); });
    int number = 0;
    sigwait(&stopping, &number);
    listener.close();
    pool.clear();  // waits for them
    std::printf("served %d\n", served.load());
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    const auto done = run(argc > 1 ? std::atoi(argv[1]) : 4, argc > 2 ? argv[2] : "127.0.0.1:0");
    if (!done) std::fprintf(stderr, "worker_pool: %s\n", done.error().message());
    return done ? 0 : 1;
}
