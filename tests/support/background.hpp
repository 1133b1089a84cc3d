// Background: a thread of a test's own, and when it sleeps inside a call.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <thread>
#include <utility>

namespace usocket::tests {

// proc(5), the third field of stat; the name before it has parentheses around it. 'S': it sleeps; 0: there is none.
inline char thread_state(int id) {
    char path[64];
    std::snprintf(path, sizeof path, "/proc/self/task/%d/stat", id);
    std::FILE* file = std::fopen(path, "re");
    if (file == nullptr) return 0;
    char letter = 0;
    (void)!std::fscanf(file, "%*d (%*[^)]) %c", &letter);
    std::fclose(file);
    return letter;
}

class Background {
public:
    template <class Body>
    explicit Background(Body body)
        : thread_([this, body = std::move(body)]() mutable {
              id_ = static_cast<int>(::syscall(SYS_gettid));
              body();
              has_ended_ = true;
          }) {}
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;
    ~Background() { join(); }

    void join() {
        if (thread_.joinable()) thread_.join();
    }
    [[nodiscard]] bool has_ended() const { return has_ended_; }
    // Until the system says that the thread sleeps (or it has ended).
    void await_asleep() const {
        while (!has_ended_ && (id_ == 0 || thread_state(id_) != 'S')) std::this_thread::yield();
    }

private:
    std::atomic<int> id_{0};
    std::atomic<bool> has_ended_{false};
    std::thread thread_;
};

}  // namespace usocket::tests
