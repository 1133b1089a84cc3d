// Runner: which thread runs a Server, and that nobody cancels it. Stands here because a Server is a template; not for
// programs.
#pragma once

#include <atomic>
#include <cstdint>

#include "usocket/export.hpp"

namespace usocket {

// For the length of a call that calls functions of the program's. A thread that is cancelled (pthread_cancel) meanwhile
// ends at its next cancellation point outside, for the system cannot unwind those functions past ours (SOCK-4).
class USOCKET_API CallsBack {
public:
    CallsBack() noexcept;
    CallsBack(const CallsBack&) = delete;
    CallsBack& operator=(const CallsBack&) = delete;
    ~CallsBack();

private:
    int before_;
};

class Runner {
public:
    enum class Who : std::uint8_t {
        nobody,
        this_thread,
        another_thread,
        left_behind,  // a thread of the process that this one is a child of, by fork
    };
    [[nodiscard]] Who who() const noexcept {
        const void* thread = thread_.load();
        if (thread == nullptr) return Who::nobody;
        if (thread == this_thread()) return Who::this_thread;
        return process_.load() == this_process() ? Who::another_thread : Who::left_behind;
    }

    // This thread, for the length of a run.
    class Stay {
    public:
        explicit Stay(Runner& runner) noexcept : runner_(runner) {
            runner_.process_.store(this_process());
            runner_.thread_.store(this_thread());
        }
        Stay(const Stay&) = delete;
        Stay& operator=(const Stay&) = delete;
        ~Stay() { runner_.thread_.store(nullptr); }

    private:
        const CallsBack calls_back_;
        Runner& runner_;
    };

private:
    static const void* this_thread() noexcept {
        static thread_local const char mark = 0;
        return &mark;
    }
    USOCKET_API static std::uint32_t this_process() noexcept;

    std::atomic<const void*> thread_{nullptr};
    std::atomic<std::uint32_t> process_{0};
};

}  // namespace usocket
