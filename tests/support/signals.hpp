// Signals: a thread that is interrupted all the time.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace usocket::tests {

// Sends this thread one signal after the other. The handler does nothing; no SA_RESTART, so that each ends a
// system call that sleeps.
class Signals {
public:
    explicit Signals(std::chrono::microseconds pace = std::chrono::milliseconds(1)) {
        struct sigaction action{};
        action.sa_handler = [](int) { count() = count() + 1; };
        ::sigaction(SIGUSR1, &action, &before_);
        sender_ = std::jthread([pace, to = ::pthread_self()](const std::stop_token& stop) {
            while (!stop.stop_requested()) {
                ::pthread_kill(to, SIGUSR1);
                std::this_thread::sleep_for(pace);
            }
        });
    }
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;
    ~Signals() {
        sender_.request_stop();
        sender_.join();
        ::sigaction(SIGUSR1, &before_, nullptr);
    }
    static std::atomic<unsigned>& count() {
        static std::atomic<unsigned> the_count = 0;
        return the_count;
    }

private:
    struct sigaction before_{};
    std::jthread sender_;
};

}  // namespace usocket::tests
