// Processes: who shares descriptors with whom after a fork.
#include <pthread.h>
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define USOCKET_HAS_SINGLE_THREADED
#endif

#include <algorithm>
#include <atomic>

#include "sys/posix/native.hpp"

namespace usocket::sys {
namespace {

std::atomic<std::uint32_t> fork_count{0};
std::atomic<std::uint32_t> current_generation{0};
struct ForkHooks {
    std::atomic<void (*)()> before{nullptr};
    std::atomic<void (*)()> after{nullptr};
};
ForkHooks hooks[fork_steps];

void call(const std::atomic<void (*)()>& function) noexcept {
    if (auto* set = function.load()) set();
}

void prepare() noexcept {
    for (ForkHooks& step : hooks) call(step.before);
}

void in_parent() noexcept {
    fork_count.store(std::min<std::uint32_t>(fork_count.load() + 1, 255));
    for (std::size_t step = fork_steps; step-- != 0;) call(hooks[step].after);
}

void in_child() noexcept {
    current_generation.store(current_generation.load() + 1);
    in_parent();
}

[[maybe_unused]] const int registered = ::pthread_atfork(prepare, in_parent, in_child);

}  // namespace

#if defined(USOCKET_HAS_SINGLE_THREADED)
const char* const single_threaded = &__libc_single_threaded;
#else
const char* const single_threaded = "";
#endif

std::uint32_t forks() noexcept { return fork_count.load(std::memory_order_relaxed); }
std::uint32_t process_generation() noexcept { return current_generation.load(std::memory_order_relaxed); }

void on_fork(std::size_t step, void (*before)(), void (*after)()) noexcept {
    hooks[step].before.store(before);
    hooks[step].after.store(after);
}

// Android has no cancellation.
#if defined(PTHREAD_CANCEL_DISABLE)

int hold_cancellation() noexcept {
    int before = PTHREAD_CANCEL_ENABLE;
    (void)::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    return before;
}

void release_cancellation(int before) noexcept {
    int unused = 0;
    (void)::pthread_setcancelstate(before, &unused);
}

#else

int hold_cancellation() noexcept { return 0; }
void release_cancellation(int /*before*/) noexcept {}

#endif

}  // namespace usocket::sys
