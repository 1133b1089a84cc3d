// The peer in a thread, and the wire between the two, which loses and interrupts as the seed says.
#include <signal.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <queue>
#include <thread>

#include "connection.hpp"
#include "peer.hpp"
#include "stack.hpp"
#include "wire.hpp"

namespace usocket::tests {
namespace {

class Thread : public Worker {
public:
    explicit Thread(Hands hands) : hands_(std::move(hands)) {
        // Signals are the thread's under test.
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        thread_ = std::thread([this] { run(); });
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }
    ~Thread() override {
        {
            const std::lock_guard locked(mutex_);
            is_over_ = true;
        }
        is_told_.notify_one();
        thread_.join();
    }

    bool tell(Command command) override {
        if (command.what == Command::What::watch)
            command.value = static_cast<std::uint64_t>(sys::duplicate(static_cast<int>(command.value)).value_or(-1));
        {
            const std::lock_guard locked(mutex_);
            commands_.push(command);
        }
        is_told_.notify_one();
        return true;
    }

private:
    void run() {
        for (;;) {
            std::unique_lock locked(mutex_);
            is_told_.wait(locked, [this] { return is_over_ || !commands_.empty(); });
            if (is_over_) return;
            const Command command = commands_.front();
            commands_.pop();
            locked.unlock();
            hands_.obey(command);
        }
    }

    Hands hands_;
    std::mutex mutex_;
    std::condition_variable is_told_;
    std::queue<Command> commands_;
    bool is_over_ = false;
    std::thread thread_;
};

}  // namespace

std::unique_ptr<Worker> start_worker(Hands hands) { return std::make_unique<Thread>(std::move(hands)); }

void prepare_stack(std::uint64_t seed) {
    static std::optional<Wire> wire;
    Random random(seed * 7 + 1);
    WireFaults faults;
    if (random.chance(700)) faults = {.dropped = 10, .duplicated = 20, .late = 100, .latest_us = 500};
    wire.emplace(seed, faults);
    Wire::interrupt(random.chance(400));
}

ssize_t send_beside(int, std::string_view, int) { return -1; }

}  // namespace usocket::tests
